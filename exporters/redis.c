/* SPDX-License-Identifier: Apache-2.0 */
/* The current state of a site in Redis, for dashboards and other sensors of the site.
 *
 * Events change a bounded copy of the state (redis_state.h); what Redis has not confirmed is sent
 * until it has. An unreachable server is a state, not an error. */
#include "dataplane/log.h"
#include "exporters/exporters.h"
#include "exporters/monotonic.h"
#include "exporters/redis_commands.h"
#include "exporters/redis_link.h"
#include "exporters/redis_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATE_BYTES_MAX       (256u * 1024 * 1024)
#define COMMANDS_PER_ENTRY    3 /* at most */
#define HEARTBEAT_INTERVAL_MS 10000
#define RETRY_DELAY_MS        1000 /* while the server refuses writes */
#define PUMP_WAIT_MS          20
#define POLL_LIMIT_MS         80
#define BACKLOG_PIPELINES     8 /* entries waiting before write() waits for Redis */
#define ERROR_KINDS_MAX       16
#define ERROR_KIND_SIZE       24

/* What a reply answers. */
enum purpose { FOR_LOGIN, FOR_ALERT_TAIL, FOR_ENTRY, FOR_UPKEEP };

struct awaited {
	enum purpose purpose;
	struct redis_entry *entry;
};

struct exporter_instance {
	const struct config *config;
	const struct exporter_run *run;
	struct exporter_counters *counters;
	struct redis_link link;
	struct redis_state state;
	bool was_up;
	bool told_down; /* the outage is logged */
	bool told_full; /* so is the loss by it */
	bool settled;   /* logged in and the alerts' tail read: entries may be sent */
	bool refused;   /* the server takes no writes for now */
	int64_t retry_at;
	int64_t next_heartbeat;
	int64_t next_refresh;
	int64_t newest; /* event time */
	size_t awaited_capacity;
	size_t awaited_head;
	size_t awaited_count;
	struct awaited *awaited; /* in the order of the replies */
	size_t error_kind_count;
	char error_kinds[ERROR_KINDS_MAX][ERROR_KIND_SIZE];
};

static const struct {
	const char *kind;
	bool passing; /* the same command may succeed later */
	const char *remedy;
} error_remedies[] = {
	{"MISCONF", true, "the server cannot save to disk: see its log"},
	{"OOM", true, "raise the server's maxmemory or lower export.redis.ttl"},
	{"LOADING", true, "the server is starting"},
	{"BUSY", true, "a script runs on the server"},
	{"READONLY", true, "this is a replica: give the address of the master"},
	{"MASTERDOWN", true, "the server has lost its master"},
	{"CLUSTERDOWN", true, "the cluster is incomplete"},
	{"TRYAGAIN", true, "the cluster is being resharded"},
	{"NOAUTH", false, "set export.redis.password_file"},
	{"WRONGPASS", false, "check export.redis.username and password_file"},
	{"NOPERM", false, "allow this user the commands and keys of docs/redis.md"},
	{"WRONGTYPE", false, "another program uses this key: delete it or choose another database"},
	{"MOVED", false,
		"clusters are not followed: give the address of the node that owns the "
		"site's hash slot"},
	{"ASK", false, "clusters are not followed: wait for the end of resharding"},
};

static bool
redis_enabled(const struct config *config)
{
	return config->export.redis.enabled;
}

static bool
redis_accepts(const struct config *config, enum event_dataset dataset)
{
	(void)config;
	return dataset == EVENT_DEVICE || dataset == EVENT_STREAM || dataset == EVENT_ALERT;
}

static struct exporter_instance *
redis_open(const struct config *config, const struct exporter_run *run,
	struct exporter_counters *counters, char *error, size_t error_size)
{
	struct exporter_instance *redis = calloc(1, sizeof(*redis));
	const struct config_redis_exporter *settings = &config->export.redis;

	if (redis != NULL) {
		/* Log-in and upkeep come on top of the pipeline. */
		redis->awaited_capacity = settings->pipeline + COMMANDS_PER_ENTRY + 16;
		redis->awaited = calloc(redis->awaited_capacity, sizeof(redis->awaited[0]));
	}
	if (redis == NULL || redis->awaited == NULL) {
		snprintf(error, error_size, "export.redis: no memory");
		free(redis);
		return NULL;
	}
	redis->config = config;
	redis->run = run;
	redis->counters = counters;
	if (redis_link_init(&redis->link, settings, error, error_size)) {
		free(redis->awaited);
		free(redis);
		return NULL;
	}
	redis_state_init(&redis->state, config->devices.max, config->streams.max,
		settings->alerts_kept, STATE_BYTES_MAX);
	return redis;
}

static void
await(struct exporter_instance *redis, enum purpose purpose, struct redis_entry *entry)
{
	size_t tail = (redis->awaited_head + redis->awaited_count++) % redis->awaited_capacity;

	redis->awaited[tail] = (struct awaited){purpose, entry};
}

static struct awaited
take_awaited(struct exporter_instance *redis)
{
	struct awaited awaited = redis->awaited[redis->awaited_head];

	redis->awaited_head = (redis->awaited_head + 1) % redis->awaited_capacity;
	redis->awaited_count--;
	return awaited;
}

static void
disconnect(struct exporter_instance *redis, const char *reason)
{
	uint64_t lost = 0;

	while (redis->awaited_count > 0) {
		struct awaited awaited = take_awaited(redis);

		if (awaited.entry != NULL)
			lost += redis_state_abandon(awaited.entry);
	}
	counter_add(&redis->counters->failed, lost);
	redis_state_rewrite(&redis->state);
	redis->settled = false;
	if (redis->link.state != LINK_DOWN)
		redis_link_drop(&redis->link);
	if (redis->told_down)
		return;
	redis->told_down = true;
	log_warning("redis: %s: %s; the state is kept and written as soon as it answers",
		redis->config->export.redis.address, reason);
}

/* Each kind of error is told once per connection. True: worth trying again. */
static bool
note_error(struct exporter_instance *redis, const char *text)
{
	size_t length = strcspn(text, " ");
	char kind[ERROR_KIND_SIZE];
	const char *remedy = "see the server's log";
	bool passing = false;

	snprintf(kind, sizeof(kind), "%.*s", (int)length, text);
	for (size_t i = 0; i < sizeof(error_remedies) / sizeof(error_remedies[0]); i++) {
		if (strcmp(error_remedies[i].kind, kind) == 0) {
			passing = error_remedies[i].passing;
			remedy = error_remedies[i].remedy;
		}
	}
	for (size_t i = 0; i < redis->error_kind_count; i++)
		if (strcmp(redis->error_kinds[i], kind) == 0)
			return passing;
	if (redis->error_kind_count < ERROR_KINDS_MAX)
		memcpy(redis->error_kinds[redis->error_kind_count++], kind, sizeof(kind));
	log_error("redis: %s answers \"%.200s\"; %s", redis->config->export.redis.address, text,
		remedy);
	return passing;
}

static void
settle(struct exporter_instance *redis)
{
	redis->settled = true;
	redis->refused = false;
	redis->link.failures = 0;
	redis->next_heartbeat = 0;
	redis->next_refresh =
		monotonic_in_ms((int64_t)redis->config->export.redis.ttl_s * 1000 / 3);
	redis->error_kind_count = 0;
	if (redis->was_up)
		counter_add(&redis->counters->reconnects, 1);
	if (redis->was_up || redis->told_down)
		log_info("redis: %s answers; the whole state is written",
			redis->config->export.redis.address);
	redis->was_up = true;
	redis->told_down = false;
	redis->told_full = false;
}

static void
send_login(struct exporter_instance *redis)
{
	const struct config_redis_exporter *settings = &redis->config->export.redis;
	redisContext *context = redis->link.context;
	char key[REDIS_KEY_SIZE];

	if (redis->link.password[0] != '\0') {
		if (settings->username[0] != '\0')
			redisAppendCommand(
				context, "AUTH %s %s", settings->username, redis->link.password);
		else
			redisAppendCommand(context, "AUTH %s", redis->link.password);
		await(redis, FOR_LOGIN, NULL);
	}
	redisAppendCommand(context, "SELECT %u", settings->database);
	await(redis, FOR_LOGIN, NULL);
	/* Alerts are appended, not overwritten: those that the server kept must not come twice. */
	redisAppendCommand(context, "XREVRANGE %s + - COUNT %u",
		redis_key(key, redis->config->site.name, "alerts", NULL), settings->alerts_kept);
	await(redis, FOR_ALERT_TAIL, NULL);
}

static void
confirm_known_alerts(struct exporter_instance *redis, const redisReply *tail)
{
	for (size_t i = 0; tail->type == REDIS_REPLY_ARRAY && i < tail->elements; i++) {
		const char *id = redis_stream_event_id(tail->element[i]);
		struct redis_entry *entry =
			id != NULL ? redis_state_find(&redis->state, REDIS_ALERT, id) : NULL;

		if (entry != NULL)
			counter_add(&redis->counters->delivered,
				redis_state_confirm(&redis->state, entry));
	}
}

/* False: without this log-in the connection is of no use. */
static bool
handle_login_reply(struct exporter_instance *redis, const redisReply *reply, enum purpose purpose)
{
	bool is_error = reply->type == REDIS_REPLY_ERROR;

	if (is_error)
		note_error(redis, reply->str);
	if (is_error && (purpose == FOR_LOGIN || strncmp(reply->str, "NOAUTH", 6) == 0 ||
				strncmp(reply->str, "LOADING", 7) == 0)) {
		disconnect(redis, "it refuses the log-in");
		return false;
	}
	if (purpose == FOR_ALERT_TAIL) {
		confirm_known_alerts(redis, reply);
		settle(redis);
	}
	return true;
}

static void
handle_entry_reply(
	struct exporter_instance *redis, struct redis_entry *entry, const redisReply *reply)
{
	bool good = reply->type != REDIS_REPLY_ERROR;
	bool passing = !good && note_error(redis, reply->str);
	uint64_t lost = 0;

	if (passing) {
		redis->refused = true;
		redis->retry_at = monotonic_in_ms(RETRY_DELAY_MS);
	} else if (good && redis->refused && monotonic_now() >= redis->retry_at) {
		redis->refused = false;
		redis->error_kind_count = 0;
		log_info("redis: %s takes writes again", redis->config->export.redis.address);
	}
	/* An attempt with a passing error is repeated whole. */
	if (passing)
		redis_state_reply(&redis->state, entry, false, true, &lost);
	else
		counter_add(&redis->counters->delivered,
			redis_state_reply(&redis->state, entry, good, redis->refused, &lost));
	counter_add(&redis->counters->failed, lost);
}

/* False: the connection was given up. */
static bool
handle_replies(struct exporter_instance *redis)
{
	void *reply = NULL;
	bool usable = true;

	while (usable && redis->awaited_count > 0) {
		struct awaited awaited;

		if (redisGetReplyFromReader(redis->link.context, &reply) != REDIS_OK) {
			disconnect(redis, redis->link.context->errstr);
			return false;
		}
		if (reply == NULL)
			break;
		awaited = take_awaited(redis);
		if (awaited.purpose == FOR_ENTRY)
			handle_entry_reply(redis, awaited.entry, reply);
		else if (awaited.purpose != FOR_UPKEEP)
			usable = handle_login_reply(redis, reply, awaited.purpose);
		else if (((redisReply *)reply)->type == REDIS_REPLY_ERROR)
			note_error(redis, ((redisReply *)reply)->str);
		freeReplyObject(reply);
	}
	return usable;
}

static void
append_entry(struct exporter_instance *redis, struct redis_entry *entry)
{
	static const char *const names[] = {"device", "stream"};
	static const char *const sets[] = {"devices", "streams"};
	const char *site = redis->config->site.name;
	redisContext *context = redis->link.context;
	char key[REDIS_KEY_SIZE], set[REDIS_KEY_SIZE];

	if (entry->kind == REDIS_ALERT) {
		redisAppendFormattedCommand(context, entry->command, entry->command_length);
		entry->replies = 1;
	} else if (entry->gone) {
		redisAppendCommand(
			context, "DEL %s", redis_key(key, site, names[entry->kind], entry->id));
		redisAppendCommand(context, "ZREM %s %s",
			redis_key(set, site, sets[entry->kind], NULL), entry->id);
		entry->replies = 2;
	} else {
		redisAppendFormattedCommand(context, entry->command, entry->command_length);
		redisAppendCommand(context, "EXPIRE %s %u",
			redis_key(key, site, names[entry->kind], entry->id),
			redis->config->export.redis.ttl_s);
		redisAppendCommand(context, "ZADD %s %lld %s",
			redis_key(set, site, sets[entry->kind], NULL), (long long)entry->score,
			entry->id);
		entry->replies = COMMANDS_PER_ENTRY;
	}
	for (uint32_t i = 0; i < entry->replies; i++)
		await(redis, FOR_ENTRY, entry);
}

static void
send_entries(struct exporter_instance *redis)
{
	/* A server that refused is tried with one entry at a time. */
	size_t window = redis->refused ? 1 : redis->config->export.redis.pipeline;

	if (!redis->settled || (redis->refused && monotonic_now() < redis->retry_at))
		return;
	while (redis->awaited_count < window) {
		struct redis_entry *entry = redis_state_next(&redis->state);

		if (entry == NULL)
			break;
		append_entry(redis, entry);
	}
}

static int64_t
wall_clock_seconds(void)
{
	return (int64_t)time(NULL);
}

static void
append_trim(struct exporter_instance *redis, const char *set, int64_t before)
{
	char key[REDIS_KEY_SIZE];

	redisAppendCommand(redis->link.context, "ZREMRANGEBYSCORE %s -inf (%lld",
		redis_key(key, redis->config->site.name, set, NULL), (long long)before);
	await(redis, FOR_UPKEEP, NULL);
}

/* By the clock of the events, but never ahead of our own. */
static int64_t
event_seconds(const struct exporter_instance *redis)
{
	int64_t newest = redis->newest / 1000000000, now = wall_clock_seconds();

	return newest < now ? newest : now;
}

/* A device that no event has named for `devices.forget_after` is gone, a stream after the TTL. */
static void
expire(struct exporter_instance *redis)
{
	int64_t now = event_seconds(redis);
	int64_t device = now - redis->config->devices.forget_after_s;
	int64_t stream = now - redis->config->export.redis.ttl_s;

	redis_state_expire(&redis->state, REDIS_DEVICE, device * 1000000000);
	redis_state_expire(&redis->state, REDIS_STREAM, stream * 1000000000);
}

static void
upkeep(struct exporter_instance *redis)
{
	int64_t now = monotonic_now();

	if (!redis->settled || redis->awaited_count + 3 > redis->awaited_capacity)
		return;
	if (now >= redis->next_refresh) {
		redis_state_refresh(&redis->state);
		redis->next_refresh =
			monotonic_in_ms((int64_t)redis->config->export.redis.ttl_s * 1000 / 3);
	}
	if (now < redis->next_heartbeat)
		return;
	redis->next_heartbeat = monotonic_in_ms(HEARTBEAT_INTERVAL_MS);
	redisAppendCommand(redis->link.context, "ZADD camspan:sites %lld %s",
		(long long)wall_clock_seconds(), redis->config->site.name);
	await(redis, FOR_UPKEEP, NULL);
	if (redis->newest == 0)
		return;
	expire(redis);
	append_trim(redis, "devices", event_seconds(redis) - redis->config->devices.forget_after_s);
	append_trim(redis, "streams", event_seconds(redis) - redis->config->export.redis.ttl_s);
}

/* One round: connect or exchange. Waits up to `wait_ms` for the socket. */
static void
pump(struct exporter_instance *redis, int wait_ms)
{
	char reason[REDIS_REASON_SIZE];

	if (redis->link.state != LINK_UP) {
		if (redis_link_connect(&redis->link, wait_ms, reason))
			send_login(redis);
		else if (reason[0] != '\0')
			disconnect(redis, reason);
		if (redis->link.state != LINK_UP)
			return;
	}
	upkeep(redis);
	send_entries(redis);
	if (!redis_link_exchange(&redis->link, redis->awaited_count > 0, wait_ms, reason)) {
		disconnect(redis, reason);
		return;
	}
	handle_replies(redis);
}

static bool
is_sending(const struct exporter_instance *redis)
{
	return redis->settled && (!redis->refused || monotonic_now() >= redis->retry_at) &&
	       redis->state.dirty_count > 0;
}

static void
count_evicted(struct exporter_instance *redis)
{
	if (redis->state.evicted_waiting == 0)
		return;
	counter_add(&redis->counters->failed, redis->state.evicted_waiting);
	if (!redis->told_full)
		log_error(
			"redis: the kept state is at its limit: what was not yet written to %s is "
			"dropped, oldest first; see devices.max, streams.max and "
			"export.redis.alerts_kept",
			redis->config->export.redis.address);
	redis->told_full = true;
	redis->state.evicted_waiting = 0;
}

static enum redis_kind
kind_of(const struct exported_event *event)
{
	if (event->dataset == EVENT_ALERT)
		return REDIS_ALERT;
	return event->dataset == EVENT_STREAM ? REDIS_STREAM : REDIS_DEVICE;
}

static bool
keep(struct exporter_instance *redis, const struct exported_event *event)
{
	enum redis_kind kind = kind_of(event);
	const char *id = kind == REDIS_ALERT    ? event->id
			 : kind == REDIS_STREAM ? event->stream->id
						: event->device->id;
	int64_t seen = kind == REDIS_DEVICE   ? event->device->last_seen
		       : kind == REDIS_STREAM ? event->stream->last
					      : event->time;
	size_t length;
	char *command = redis_command_of(redis->config, event, &length);

	if (event->time > redis->newest)
		redis->newest = event->time;
	return command != NULL && redis_state_put(&redis->state, kind, id, event->time,
					  (double)(seen / 1000000000), command, length);
}

static bool
redis_write(struct exporter_instance *redis, const struct exported_event *event)
{
	size_t backlog = (size_t)redis->config->export.redis.pipeline * BACKLOG_PIPELINES;

	if (!keep(redis, event)) {
		counter_add(&redis->counters->failed, 1);
		return false;
	}
	count_evicted(redis);
	if (redis->state.dirty_count * COMMANDS_PER_ENTRY < redis->config->export.redis.pipeline)
		return true;
	/* A server that keeps up is given time; one that is away or refuses is not waited for. */
	do
		pump(redis, redis->state.dirty_count > backlog ? PUMP_WAIT_MS : 0);
	while (redis->state.dirty_count > backlog && is_sending(redis) &&
		monotonic_now() < redis->run->deadline);
	return true;
}

static void
redis_poll(struct exporter_instance *redis)
{
	int64_t limit = monotonic_in_ms(POLL_LIMIT_MS);

	do
		pump(redis, redis->awaited_count > 0 ? PUMP_WAIT_MS : 0);
	while (monotonic_now() < limit && redis->link.state == LINK_UP &&
		(redis->awaited_count > 0 || is_sending(redis)));
}

static void
wait_for_link(const struct exporter_instance *redis)
{
	struct timespec pause = {0, PUMP_WAIT_MS * NANOSECONDS_PER_MILLISECOND};

	if (redis->link.state != LINK_UP || redis->refused)
		nanosleep(&pause, NULL); /* until a back-off ends: there is no socket to wait on */
}

static uint64_t
redis_flush(struct exporter_instance *redis, int timeout_ms)
{
	int64_t deadline = monotonic_in_ms(timeout_ms);
	uint64_t left;

	redis->link.next_attempt = 0;
	while (redis_state_waiting(&redis->state) > 0 && monotonic_now() < deadline) {
		redis_poll(redis);
		wait_for_link(redis);
	}
	left = redis_state_waiting(&redis->state);
	if (left > 0)
		counter_add(&redis->counters->failed, left);
	return left;
}

static void
redis_close(struct exporter_instance *redis)
{
	while (redis->awaited_count > 0) {
		struct awaited awaited = take_awaited(redis);

		if (awaited.entry != NULL)
			redis_state_abandon(awaited.entry);
	}
	redis_state_clear(&redis->state);
	if (redis->link.context != NULL)
		redisFree(redis->link.context);
	explicit_bzero(redis->link.password, sizeof(redis->link.password));
	free(redis->awaited);
	free(redis);
}

const struct exporter redis_exporter = {
	.name = "redis",
	.figures = EXPORTER_FIGURES("redis"),
	.enabled = redis_enabled,
	.accepts = redis_accepts,
	.open = redis_open,
	.write = redis_write,
	.poll = redis_poll,
	.flush = redis_flush,
	.close = redis_close,
};
