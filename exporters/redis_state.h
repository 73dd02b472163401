/* SPDX-License-Identifier: Apache-2.0 */
/* What Redis should hold: a bounded copy of the newest of every device and stream and of the last
 * alerts, each with whether Redis has confirmed it. Writing everything that is unconfirmed, as
 * often as it takes, makes Redis converge. Not thread-safe. */
#ifndef CAMSPAN_EXPORTERS_REDIS_STATE_H
#define CAMSPAN_EXPORTERS_REDIS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum redis_kind { REDIS_DEVICE, REDIS_STREAM, REDIS_ALERT, REDIS_KIND_COUNT };

struct redis_entry {
	TAILQ_ENTRY(redis_entry) age;   /* oldest update first */
	TAILQ_ENTRY(redis_entry) dirty; /* longest waiting first */
	enum redis_kind kind;
	char id[48];      /* of device, stream or alert event */
	int64_t time;     /* of the newest event */
	double score;     /* last seen, seconds */
	bool is_dirty;    /* in the dirty list: to be sent */
	bool gone;        /* to be removed from Redis, then freed */
	bool orphan;      /* evicted while in flight: freed by the last reply */
	bool failed;      /* a reply of the attempt in flight was an error */
	uint32_t replies; /* outstanding */
	uint64_t sent;    /* events that the attempt in flight covers */
	uint64_t waiting; /* events merged here that Redis has not confirmed */
	char *command;    /* what writes it, in Redis' protocol */
	size_t command_length;
};

TAILQ_HEAD(redis_entries, redis_entry);

struct redis_kind_table {
	void *index; /* of tsearch(3), by id */
	struct redis_entries age;
	size_t count;
	size_t limit;
};

struct redis_state {
	struct redis_kind_table kinds[REDIS_KIND_COUNT];
	struct redis_entries dirty;
	size_t dirty_count;
	size_t bytes;
	size_t bytes_limit;
	uint64_t evicted_waiting; /* events that an eviction lost before Redis had them */
};

void redis_state_init(struct redis_state *state, size_t devices, size_t streams, size_t alerts,
	size_t bytes_limit);
void redis_state_clear(struct redis_state *state);
/* Takes over `command` (malloc'ed). Evicts the oldest of the kind where there is no room. False:
 * no memory; the command is freed. */
bool redis_state_put(struct redis_state *state, enum redis_kind kind, const char *id, int64_t time,
	double score, char *command, size_t command_length);
struct redis_entry *redis_state_find(
	const struct redis_state *state, enum redis_kind kind, const char *id);
/* Everything is to be sent again: the server may have lost it. Nothing is in flight any more. */
void redis_state_rewrite(struct redis_state *state);
/* Devices and streams are to be sent again, which renews their time to live. */
void redis_state_refresh(struct redis_state *state);
/* Entries of a kind with no event since `before` are to be removed from Redis. */
void redis_state_expire(struct redis_state *state, enum redis_kind kind, int64_t before);
/* The next entry to send, now in flight with `replies` outstanding; NULL: none. */
struct redis_entry *redis_state_next(struct redis_state *state);
/* One reply of an entry's attempt arrived. On the last: returns the number of events that are now
 * confirmed; an attempt that failed is to be sent again if `again`, else its events are given up,
 * which adds them to `lost`. May free the entry. */
uint64_t redis_state_reply(struct redis_state *state, struct redis_entry *entry, bool good,
	bool again, uint64_t *lost);
/* The reply will not come: the connection is gone. redis_state_rewrite() must follow. Returns
 * events lost with an entry that was evicted meanwhile. */
uint64_t redis_state_abandon(struct redis_entry *entry);
/* Redis has this entry already: as if an attempt had been confirmed. Returns the events. */
uint64_t redis_state_confirm(struct redis_state *state, struct redis_entry *entry);
/* Events that Redis has not confirmed. */
uint64_t redis_state_waiting(const struct redis_state *state);

#endif
