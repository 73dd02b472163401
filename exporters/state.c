/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded state: the newest of every device, stream and alert, and the last health report, in
 * an SQLite file that the console reads. Events are gathered into one transaction per batch. */
#include "dataplane/log.h"
#include "exporters/exporters.h"
#include "exporters/monotonic.h"
#include "exporters/state_database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_EVENTS       1000
#define BUSY_PATIENCE_MS   5000 /* for another writer, before a batch is given up */
#define PRUNE_INTERVAL_MS  3600000
#define REPAIR_INTERVAL_MS 60000
#define NANOSECONDS_A_DAY  (INT64_C(86400) * 1000000000)

struct exporter_instance {
	const struct config *config;
	const struct exporter_run *run;
	struct exporter_counters *counters;
	struct state_database *database; /* NULL after damage, until it is repaired */
	uint64_t pending;                /* events of the open transaction */
	int64_t busy_since;              /* commit waits for another writer, 0: it does not */
	int64_t newest;                  /* event time */
	int64_t next_prune;
	int64_t next_repair;
	int failure; /* result code that was logged last, SQLITE_OK: writes succeed */
};

static bool
state_enabled(const struct config *config)
{
	return config->export.state.enabled;
}

static bool
state_accepts(const struct config *config, enum event_dataset dataset)
{
	(void)config;
	return dataset != EVENT_FLOW;
}

static int64_t
wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
write_meta(struct exporter_instance *state)
{
	char started[24];
	int result = state_database_begin(state->database);

	snprintf(started, sizeof(started), "%lld", (long long)wall_clock());
	if (result == SQLITE_OK)
		result = state_database_meta(state->database, "site", state->config->site.name);
	if (result == SQLITE_OK)
		result = state_database_meta(state->database, "sensor", state->config->sensor_name);
	if (result == SQLITE_OK)
		result = state_database_meta(state->database, "version", CAMSPAN_VERSION);
	if (result == SQLITE_OK)
		result = state_database_meta(state->database, "started", started);
	if (result == SQLITE_OK)
		result = state_database_meta(
			state->database, "mode", state->run->replay ? "replay" : "live");
	return result == SQLITE_OK ? state_database_commit(state->database) : result;
}

static int
open_database(struct exporter_instance *state, char *error, size_t error_size)
{
	int result;

	state->database = state_database_open(state->config->export.state.path, error, error_size);
	if (state->database == NULL)
		return -1;
	result = write_meta(state);
	if (result == SQLITE_OK)
		return 0;
	snprintf(error, error_size,
		"export.state.path: cannot write %s: %s; choose a path that can be written and "
		"that no other camspand uses",
		state->config->export.state.path, sqlite3_errstr(result));
	state_database_close(state->database);
	state->database = NULL;
	return -1;
}

static struct exporter_instance *
state_open(const struct config *config, const struct exporter_run *run,
	struct exporter_counters *counters, char *error, size_t error_size)
{
	struct exporter_instance *state = calloc(1, sizeof(*state));

	if (state == NULL) {
		snprintf(error, error_size, "export.state: no memory");
		return NULL;
	}
	state->config = config;
	state->run = run;
	state->counters = counters;
	if (open_database(state, error, error_size) == 0)
		return state;
	free(state);
	return NULL;
}

/* One log line per cause; the events of the batch are lost to the state, and counted. */
static void
give_up_batch(struct exporter_instance *state, int result)
{
	counter_add(&state->counters->failed, state->pending);
	state->pending = 0;
	state->busy_since = 0;
	if (state->database != NULL)
		state_database_rollback(state->database);
	if (state->failure != result)
		log_error("state: cannot write %s: %s; the console will miss changes until it can",
			state->config->export.state.path, sqlite3_errstr(result));
	state->failure = result;
	if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
		state_database_close(state->database);
		state->database = NULL; /* repaired by poll */
	}
}

static void
note_success(struct exporter_instance *state)
{
	if (state->failure == SQLITE_OK)
		return;
	state->failure = SQLITE_OK;
	counter_add(&state->counters->reconnects, 1);
	log_info("state: %s is written again", state->config->export.state.path);
}

/* Ends the open transaction. While another writer holds the file it stays open for a while. */
static void
commit(struct exporter_instance *state)
{
	int result;

	if (state->pending == 0)
		return;
	result = state_database_commit(state->database);
	if (result == SQLITE_BUSY) {
		if (state->busy_since == 0)
			state->busy_since = monotonic_now();
		if (monotonic_now() - state->busy_since <
			BUSY_PATIENCE_MS * NANOSECONDS_PER_MILLISECOND)
			return;
	}
	if (result != SQLITE_OK) {
		give_up_batch(state, result);
		return;
	}
	counter_add(&state->counters->delivered, state->pending);
	state->pending = 0;
	state->busy_since = 0;
	note_success(state);
}

static int
begin(struct exporter_instance *state)
{
	int64_t patience = monotonic_in_ms(BUSY_PATIENCE_MS);
	int result;

	do {
		result = state_database_begin(state->database);
	} while (result == SQLITE_BUSY && monotonic_now() < patience &&
		 monotonic_now() < state->run->deadline);
	return result;
}

static int
store(struct exporter_instance *state, const struct exported_event *event)
{
	switch (event->dataset) {
	case EVENT_DEVICE:
		return state_database_device(state->database, event->device);
	case EVENT_STREAM:
		return state_database_stream(state->database, event->stream);
	case EVENT_ALERT:
		return state_database_alert(state->database, event->alert);
	case EVENT_HEALTH:
		return state_database_health(state->database, event->time, event->json);
	case EVENT_FLOW:
	case EVENT_DATASET_COUNT:
		break;
	}
	return SQLITE_OK;
}

static bool
state_write(struct exporter_instance *state, const struct exported_event *event)
{
	int result = SQLITE_OK;

	if (state->database == NULL) {
		counter_add(&state->counters->failed, 1);
		return false;
	}
	if (state->pending == 0)
		result = begin(state);
	state->pending++;
	if (result == SQLITE_OK)
		result = store(state, event);
	if (result != SQLITE_OK) {
		give_up_batch(state, result);
		return false;
	}
	if (event->time > state->newest)
		state->newest = event->time;
	if (state->pending >= BATCH_EVENTS)
		commit(state);
	return true;
}

/* By the clock of the events, but never ahead of our own: a capture with a wrong date must not
 * empty the state. */
static void
prune(struct exporter_instance *state)
{
	int64_t now = wall_clock();
	int64_t keep = state->config->export.state.keep_days * NANOSECONDS_A_DAY;
	int result;

	if (keep == 0 || state->newest == 0 || monotonic_now() < state->next_prune)
		return;
	state->next_prune = monotonic_in_ms(PRUNE_INTERVAL_MS);
	if (state->newest < now)
		now = state->newest;
	result = begin(state);
	if (result == SQLITE_OK)
		result = state_database_prune(state->database, now - keep);
	if (result == SQLITE_OK)
		result = state_database_commit(state->database);
	if (result != SQLITE_OK)
		give_up_batch(state, result);
}

static void
repair(struct exporter_instance *state)
{
	char error[512];

	if (monotonic_now() < state->next_repair)
		return;
	state->next_repair = monotonic_in_ms(REPAIR_INTERVAL_MS);
	if (open_database(state, error, sizeof(error)) != 0)
		log_error("%s", error);
	else
		note_success(state);
}

static void
state_poll(struct exporter_instance *state)
{
	if (state->database == NULL)
		repair(state);
	if (state->database == NULL)
		return;
	commit(state);
	if (state->pending == 0)
		prune(state);
}

static uint64_t
state_flush(struct exporter_instance *state, int timeout_ms)
{
	int64_t deadline = monotonic_in_ms(timeout_ms);
	uint64_t failed = counter_read(&state->counters->failed);

	/* Each commit waits for the busy time-out, so this does not spin. */
	do
		commit(state);
	while (state->pending > 0 && monotonic_now() < flush_deadline(state->run, deadline));
	if (state->pending > 0)
		give_up_batch(state, SQLITE_BUSY);
	return counter_read(&state->counters->failed) - failed;
}

static void
state_close(struct exporter_instance *state)
{
	state_database_close(state->database);
	free(state);
}

const struct exporter state_exporter = {
	.name = "state",
	.figures = EXPORTER_FIGURES("state"),
	.enabled = state_enabled,
	.accepts = state_accepts,
	.open = state_open,
	.write = state_write,
	.poll = state_poll,
	.flush = state_flush,
	.close = state_close,
};
