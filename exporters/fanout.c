/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/fanout.h"

#include "dataplane/log.h"
#include "exporters/event.h"
#include "exporters/exporters.h"
#include "exporters/monotonic.h"
#include "exporters/queue.h"
#include "exporters/shared_event.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH            64
#define POLL_INTERVAL_MS 100
#define STUCK_GRACE_MS   3000 /* beyond the deadline before a thread is given up */
#define STOP_CHECK_MS    100
#define STOPPED_MS       2000 /* what a replay that was told to stop still waits */
#define PATIENCE_MIN_MS  1000 /* without a delivery; below it a busy machine looks dead */
#define LANES_MAX        8

static const enum health_kind figure_kinds[EXPORTER_FIGURE_COUNT] = {
	[FIGURE_ACCEPTED] = HEALTH_COUNTER,
	[FIGURE_DELIVERED] = HEALTH_COUNTER,
	[FIGURE_FAILED] = HEALTH_LOSS,
	[FIGURE_QUEUE_FULL] = HEALTH_LOSS,
	[FIGURE_QUEUE_DEPTH] = HEALTH_GAUGE,
	[FIGURE_IN_FLIGHT] = HEALTH_GAUGE,
	[FIGURE_RECONNECTS] = HEALTH_COUNTER,
};

/* One exporter with its queue and thread. */
struct lane {
	const struct exporter *exporter;
	struct exporter_instance *instance;
	struct exporter_run run;
	struct exporter_counters counters;
	struct queue *queue;
	pthread_t thread;
	bool started;
	atomic_bool finished; /* orders the thread's last writes before close() */
	bool accepts[EVENT_DATASET_COUNT];
	/* The control thread's: */
	bool loss_logged;        /* a full queue is told once until it drains */
	bool given_up;           /* nobody waits for it any more */
	uint64_t delivered_seen; /* when it was last waited for */
	int64_t stalled_since;   /* first wait after that without a delivery, or 0 */
};

struct fanout {
	struct event_encoder *encoder;
	const struct config *config;
	const atomic_bool *stop;
	bool replay;
	int64_t wind_down_end; /* 0 until the daemon winds down */
	uint64_t sequences[EVENT_DATASET_COUNT];
	size_t lane_count;
	struct lane lanes[LANES_MAX];
};

static bool
past_deadline(const struct lane *lane)
{
	int64_t deadline = atomic_load_explicit(&lane->run.deadline, memory_order_relaxed);

	return deadline != INT64_MAX && monotonic_now() > deadline;
}

static void
lane_poll(struct lane *lane)
{
	struct exporter_counters *counters = &lane->counters;
	uint64_t done;

	lane->exporter->poll(lane->instance);
	done = counter_read(&counters->delivered) + counter_read(&counters->failed);
	atomic_store_explicit(&counters->in_flight, counter_read(&counters->accepted) - done,
		memory_order_relaxed);
}

static void
lane_write(struct lane *lane, struct exported_event *event)
{
	if (past_deadline(lane))
		counter_add(&lane->counters.failed, 1);
	else
		lane->exporter->write(lane->instance, event);
	shared_event_release(event);
}

static void *
lane_run(void *argument)
{
	struct lane *lane = argument;
	void *batch[BATCH];
	int64_t next_poll = 0;

	for (;;) {
		bool closed = queue_is_closed(lane->queue);
		size_t count = queue_pop(lane->queue, batch, BATCH, POLL_INTERVAL_MS);

		counter_add(&lane->counters.accepted, count);
		for (size_t i = 0; i < count; i++) {
			lane_write(lane, batch[i]);
			if (monotonic_now() >= next_poll) {
				lane_poll(lane);
				next_poll = monotonic_in_ms(POLL_INTERVAL_MS);
			}
		}
		if (count < BATCH) {
			lane_poll(lane);
			next_poll = monotonic_in_ms(POLL_INTERVAL_MS);
		}
		if (closed && count == 0)
			break;
	}
	lane->exporter->flush(lane->instance,
		monotonic_left_ms(atomic_load_explicit(&lane->run.deadline, memory_order_relaxed),
			INT32_MAX));
	atomic_store_explicit(&lane->finished, true, memory_order_release);
	return NULL;
}

/* Signals belong to the control thread. */
static int
lane_start(struct lane *lane)
{
	sigset_t all, before;
	char name[16];
	int failure;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failure = pthread_create(&lane->thread, NULL, lane_run, lane);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure)
		return -failure;
	snprintf(name, sizeof(name), "export-%s", lane->exporter->name);
	pthread_setname_np(lane->thread, name);
	lane->started = true;
	return 0;
}

static int
lane_open(struct lane *lane, const struct exporter *exporter, const struct fanout *fanout,
	char *error, size_t error_size)
{
	const struct config *config = fanout->config;

	lane->exporter = exporter;
	lane->run.replay = fanout->replay;
	atomic_init(&lane->run.deadline, INT64_MAX);
	for (int i = 0; i < EVENT_DATASET_COUNT; i++)
		lane->accepts[i] = exporter->accepts(config, i);
	lane->queue = queue_create(config->export.queue_events);
	if (lane->queue == NULL) {
		snprintf(error, error_size, "export.queue: no memory for a queue of %u; lower it",
			config->export.queue_events);
		return -1;
	}
	if (fanout->replay) /* nobody looks at its events as they come */
		queue_gather(lane->queue, BATCH);
	lane->instance = exporter->open(config, &lane->run, &lane->counters, error, error_size);
	return lane->instance == NULL ? -1 : 0;
}

static void
lane_free(struct lane *lane)
{
	void *left[BATCH];
	size_t count;

	if (lane->instance != NULL)
		lane->exporter->close(lane->instance);
	if (lane->queue == NULL)
		return;
	while ((count = queue_pop(lane->queue, left, BATCH, 0)) > 0)
		for (size_t i = 0; i < count; i++)
			shared_event_release(left[i]);
	queue_free(lane->queue);
}

static bool
is_stopped(const struct fanout *fanout)
{
	return fanout->stop != NULL && atomic_load_explicit(fanout->stop, memory_order_relaxed);
}

/* Never back: the exporter may have acted on the earlier one. */
static void
lane_end_by(struct lane *lane, int64_t deadline)
{
	if (deadline < atomic_load_explicit(&lane->run.deadline, memory_order_relaxed))
		atomic_store_explicit(&lane->run.deadline, deadline, memory_order_relaxed);
}

static void
end_all_by(struct fanout *fanout, int64_t deadline)
{
	for (size_t i = 0; i < fanout->lane_count; i++)
		lane_end_by(&fanout->lanes[i], deadline);
}

/* A replay may be told to stop while it waits here; the daemon was before. */
static int64_t
join_limit(struct fanout *fanout, const struct lane *lane, int64_t began)
{
	int64_t deadline;

	if (fanout->replay && is_stopped(fanout))
		end_all_by(fanout, monotonic_in_ms(STOPPED_MS));
	deadline = atomic_load_explicit(&lane->run.deadline, memory_order_relaxed);
	return (deadline > began ? deadline : began) + STUCK_GRACE_MS * NANOSECONDS_PER_MILLISECOND;
}

/* Waits for the thread; false: it hangs in its exporter beyond deadline and grace. */
static bool
lane_join(struct fanout *fanout, struct lane *lane)
{
	int64_t began = monotonic_now();
	int failure = ETIMEDOUT;

	if (!lane->started)
		return true;
	while (failure == ETIMEDOUT && monotonic_now() < join_limit(fanout, lane, began)) {
		int64_t next = monotonic_in_ms(STOP_CHECK_MS);
		struct timespec until = {next / 1000000000, next % 1000000000};

		failure = pthread_clockjoin_np(lane->thread, NULL, CLOCK_MONOTONIC, &until);
	}
	return failure == 0 && atomic_load_explicit(&lane->finished, memory_order_acquire);
}

static uint64_t
lane_undelivered(const struct lane *lane)
{
	const struct exporter_counters *counters = &lane->counters;
	uint64_t accepted = counter_read(&counters->accepted);

	return accepted - counter_read(&counters->delivered) + counter_read(&counters->queue_full) +
	       queue_depth(lane->queue);
}

/* The time of a wind-down counts; what it put into the queues still has a quarter. */
static int64_t
close_deadline(const struct fanout *fanout, int timeout_ms)
{
	int64_t least = monotonic_in_ms(timeout_ms / 4);

	if (fanout->wind_down_end == 0)
		return monotonic_in_ms(timeout_ms);
	return fanout->wind_down_end > least ? fanout->wind_down_end : least;
}

static void
stop_lanes(struct fanout *fanout, int timeout_ms)
{
	end_all_by(fanout, close_deadline(fanout, timeout_ms));
	for (size_t i = 0; i < fanout->lane_count; i++)
		queue_close(fanout->lanes[i].queue);
}

uint64_t
fanout_close(struct fanout *fanout, int timeout_ms)
{
	uint64_t undelivered = 0;
	bool stuck = false;

	if (fanout == NULL)
		return 0;
	stop_lanes(fanout, timeout_ms);
	for (size_t i = 0; i < fanout->lane_count; i++) {
		struct lane *lane = &fanout->lanes[i];
		bool joined = lane_join(fanout, lane);
		uint64_t left = lane_undelivered(lane);

		undelivered += left;
		if (left > 0)
			log_error("%s: %llu of %llu events could not be delivered",
				lane->exporter->name, (unsigned long long)left,
				(unsigned long long)(counter_read(&lane->counters.accepted) +
						     counter_read(&lane->counters.queue_full)));
		if (joined) {
			lane_free(lane);
		} else {
			stuck = true;
			log_error("%s: does not stop; its thread is left behind",
				lane->exporter->name);
		}
	}
	event_encoder_free(fanout->encoder);
	if (!stuck) /* a thread that is still in its exporter reads the lane and the run */
		free(fanout);
	return undelivered;
}

static int
open_lanes(struct fanout *fanout, char *error, size_t error_size)
{
	for (size_t i = 0; i < exporter_count && fanout->lane_count < LANES_MAX; i++) {
		struct lane *lane = &fanout->lanes[fanout->lane_count];

		if (!exporter_table[i]->enabled(fanout->config))
			continue;
		if (lane_open(lane, exporter_table[i], fanout, error, error_size)) {
			lane_free(lane);
			return -1;
		}
		fanout->lane_count++;
	}
	for (size_t i = 0; i < fanout->lane_count; i++) {
		int failure = lane_start(&fanout->lanes[i]);

		if (failure) {
			snprintf(error, error_size, "%s: cannot start a thread: %s",
				fanout->lanes[i].exporter->name, strerror(-failure));
			return -1;
		}
	}
	return 0;
}

struct fanout *
fanout_open(const struct config *config, bool replay, const atomic_bool *stop, char *error,
	size_t error_size)
{
	struct fanout *fanout = calloc(1, sizeof(*fanout));

	if (fanout != NULL)
		fanout->encoder = event_encoder_create(config);
	if (fanout == NULL || fanout->encoder == NULL) {
		snprintf(error, error_size, "exporters: no memory");
		free(fanout);
		return NULL;
	}
	fanout->config = config;
	fanout->stop = stop;
	fanout->replay = replay;
	if (open_lanes(fanout, error, error_size)) {
		fanout_close(fanout, 0);
		return NULL;
	}
	return fanout;
}

static void
count_full_queue(struct lane *lane)
{
	counter_add(&lane->counters.queue_full, 1);
	if (lane->loss_logged)
		return;
	lane->loss_logged = true;
	log_warning("%s: its queue is full, events are lost; see export.queue and whether "
		    "it is reachable",
		lane->exporter->name);
}

void
fanout_wind_down(struct fanout *fanout)
{
	fanout->wind_down_end = monotonic_in_ms(fanout->config->export.shutdown_timeout_ms);
}

/* How long an exporter may deliver nothing while it is waited for. A wind-down spends a quarter of
 * its time on a dead one, so that the others have the rest. */
static int64_t
patience_ms(const struct fanout *fanout)
{
	int64_t timeout = fanout->config->export.shutdown_timeout_ms;

	if (!fanout->replay)
		return timeout / 4;
	if (is_stopped(fanout) || timeout < PATIENCE_MIN_MS)
		return PATIENCE_MIN_MS;
	return timeout;
}

static void
give_up(struct fanout *fanout, struct lane *lane, int64_t stalled_ms)
{
	lane->given_up = lane->loss_logged = true;
	if (fanout->replay)
		lane_end_by(lane, monotonic_now());
	log_error("%s: delivered nothing for %lld s; it is not waited for any longer, its events "
		  "may be lost; "
		  "see whether it is reachable",
		lane->exporter->name, (long long)(stalled_ms / 1000));
}

/* Failures are no progress: messages that time out make room as well. */
static bool
is_worth_waiting(struct fanout *fanout, struct lane *lane)
{
	uint64_t delivered = counter_read(&lane->counters.delivered);
	int64_t now = monotonic_now();
	int64_t stalled_ms;

	if (delivered != lane->delivered_seen || lane->stalled_since == 0) {
		lane->delivered_seen = delivered;
		lane->stalled_since = now;
	}
	stalled_ms = (now - lane->stalled_since) / NANOSECONDS_PER_MILLISECOND;
	if (stalled_ms <= patience_ms(fanout))
		return true;
	give_up(fanout, lane, stalled_ms);
	return false;
}

/* Of the time of a wind-down a quarter is left to deliver what is queued. */
static bool
may_wait(const struct fanout *fanout, const struct lane *lane)
{
	int64_t reserve = fanout->config->export.shutdown_timeout_ms / 4;

	if (lane->given_up)
		return false;
	return fanout->replay ||
	       (fanout->wind_down_end != 0 && monotonic_in_ms(reserve) < fanout->wind_down_end);
}

static bool
enqueue(struct fanout *fanout, struct lane *lane, struct exported_event *event)
{
	if (fanout->replay && lane->given_up)
		return false; /* its deadline is over: it would only fail later */
	if (queue_try_push(lane->queue, event))
		return true;
	while (may_wait(fanout, lane) && is_worth_waiting(fanout, lane))
		if (queue_push(lane->queue, event, STOP_CHECK_MS))
			return true;
	return false;
}

static void
offer(struct fanout *fanout, struct lane *lane, struct exported_event *event)
{
	bool taken = enqueue(fanout, lane, event);

	if (taken) {
		lane->loss_logged = lane->loss_logged && queue_depth(lane->queue) > 1;
		return;
	}
	count_full_queue(lane);
	shared_event_release(event);
}

void
fanout_event(struct fanout *fanout, const struct event *event)
{
	struct exported_event *shared;
	unsigned owners = 0;
	uint64_t sequence = ++fanout->sequences[event->dataset];
	char id[EVENT_ID_SIZE];
	const char *json;
	size_t length;

	for (size_t i = 0; i < fanout->lane_count; i++)
		owners += fanout->lanes[i].accepts[event->dataset];
	if (owners == 0)
		return;
	json = event_encode(fanout->encoder, event, sequence, &length);
	event_id_format(fanout->encoder, event->dataset, sequence, id);
	shared = json ? shared_event_create(event, id, sequence, json, length, owners) : NULL;
	for (size_t i = 0; i < fanout->lane_count; i++) {
		struct lane *lane = &fanout->lanes[i];

		if (!lane->accepts[event->dataset])
			continue;
		if (shared != NULL)
			offer(fanout, lane, shared);
		else
			count_full_queue(lane); /* no memory: lost, and counted as such */
	}
}

void
fanout_health(const struct fanout *fanout, struct health_record *health)
{
	for (size_t i = 0; i < fanout->lane_count; i++) {
		const struct lane *lane = &fanout->lanes[i];
		const struct exporter_counters *counters = &lane->counters;
		const uint64_t values[EXPORTER_FIGURE_COUNT] = {
			[FIGURE_ACCEPTED] = counter_read(&counters->accepted),
			[FIGURE_DELIVERED] = counter_read(&counters->delivered),
			[FIGURE_FAILED] = counter_read(&counters->failed),
			[FIGURE_QUEUE_FULL] = counter_read(&counters->queue_full),
			[FIGURE_QUEUE_DEPTH] = queue_depth(lane->queue),
			[FIGURE_IN_FLIGHT] = counter_read(&counters->in_flight),
			[FIGURE_RECONNECTS] = counter_read(&counters->reconnects),
		};

		for (int j = 0; j < EXPORTER_FIGURE_COUNT; j++)
			health_add(health, lane->exporter->figures[j], figure_kinds[j], values[j]);
	}
}
