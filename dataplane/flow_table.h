/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table of one worker and one address family: buckets of eight tags and indexes in one
 * cache line, entries of one cache line, an expiry wheel over the entries. Sizes are fixed at
 * start; a full table evicts the flow that has been silent longest (flow_expiry.c). Not
 * thread-safe: the worker's.
 *
 * Memory per flow: entry 64, origin 32, buckets 16, overflow 4, free list 4, wheel 6 bytes
 * (IPv6: 32 more).
 */
#ifndef CAMSPAN_FLOW_TABLE_H
#define CAMSPAN_FLOW_TABLE_H

#include "dataplane/flow.h"
#include "dataplane/flow_key.h"
#include "dataplane/memory.h"
#include "dataplane/records/flow_record.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FLOW_BUCKET_SLOTS 8
#define FLOW_NONE         UINT32_MAX

struct flow_bucket {
	uint16_t tag[FLOW_BUCKET_SLOTS]; /* 0: empty; else high bits of the hash, never 0 */
	uint32_t index[FLOW_BUCKET_SLOTS];
	uint32_t next; /* overflow bucket + 1, 0: none */
	uint32_t reserved[3];
};

_Static_assert(sizeof(struct flow_bucket) == 64, "a bucket is one cache line");

/* Slots of 2^28 ns (268 ms); 4096 of them reach 18 minutes. A later deadline waits in the last slot
 * and is looked at again. */
#define WHEEL_SLOT_SHIFT 28
#define WHEEL_SLOTS      4096

/* Timers of one slot, two cache lines at a time: sequence << 30 | entry. */
#define WHEEL_CHUNK_TIMERS 30

struct wheel_chunk {
	uint32_t next; /* chunk + 1, 0: none */
	uint32_t count;
	uint32_t timer[WHEEL_CHUNK_TIMERS];
};

_Static_assert(sizeof(struct wheel_chunk) == 128, "a chunk is two cache lines");

struct flow_wheel {
	uint32_t slot[WHEEL_SLOTS];          /* chunk + 1, 0: none */
	uint64_t occupied[WHEEL_SLOTS / 64]; /* a bit for each slot that has one */
	struct wheel_chunk *chunks;
	uint32_t free;  /* chunk + 1 */
	uint32_t extra; /* second timers of one entry, bounded by extra_max */
	uint32_t extra_max;
	int64_t position; /* absolute slot number up to which everything was looked at */
	bool started;
};

struct flow_timeouts {
	int64_t idle; /* nanoseconds */
	int64_t active;
	int64_t tcp_linger; /* after the end of a connection */
};

struct flow_table_counters {
	uint64_t created;
	uint64_t expired;            /* idle, active and TCP end */
	uint64_t evicted;            /* ended early because the table was full */
	uint64_t overflow_buckets;   /* in use (gauge) */
	uint64_t overflow_exhausted; /* evictions because a bucket chain could not grow */
	uint64_t records_deferred;   /* the receiver had no room: the flow stayed */
	uint64_t records_lost;       /* evicted while the receiver had no room */
};

/* Receives a flow's record. Returns false when there is no room: the flow then stays in the table
 * and is offered again, unless it must make room itself. */
struct flow_receiver {
	void *context;
	bool (*record)(void *context, struct flow *flow, const struct flow_origin *origin,
		const struct flow_wide *wide, enum flow_end_reason reason);
	/* The flow leaves the table: give back what hangs on it. */
	void (*release)(void *context, struct flow *flow);
	/* An early look at a living flow (see flow_expiry.c). Returns the nanoseconds until the
	 * next look, 0 for none before its timeout. */
	int64_t (*look)(void *context, struct flow *flow, const struct flow_origin *origin,
		const struct flow_wide *wide);
};

struct flow_table {
	/* hot */
	struct flow_bucket *buckets;
	struct flow *flows;
	struct flow_wide *wide; /* IPv6 only */
	uint64_t bucket_count;  /* below 2^32 */
	struct flow_secret secret;
	struct flow_timeouts timeouts;
	uint32_t idle_ticks; /* timeouts in flow ticks */
	uint32_t active_ticks;
	/* when flows begin and end */
	struct flow_origin *origins;
	uint32_t *free_list; /* a stack */
	uint32_t free_count;
	uint32_t touched;  /* entries from here on were never used */
	uint32_t size;     /* entries */
	uint32_t occupied; /* entries in use */
	struct flow_bucket *overflow;
	uint32_t overflow_free; /* bucket + 1, chained by next */
	uint32_t overflow_size;
	uint32_t evict_hand; /* where the search for a victim goes on */
	struct flow_wheel wheel;
	uint64_t next_id;
	struct flow_receiver receiver;
	struct flow_table_counters counters;
	const struct memory_source *memory;
};

/* `size` flows (1..2^30); `id_base` makes flow ids unique among tables. Returns 0, -ENOMEM or
 * -EINVAL.
 */
int flow_table_init(struct flow_table *table, uint32_t size, bool ipv6,
	const struct flow_timeouts *timeouts, const struct flow_secret *secret, uint64_t id_base,
	const struct flow_receiver *receiver, const struct memory_source *memory);
void flow_table_free(struct flow_table *table);

static inline struct flow_bucket *
flow_table_bucket(const struct flow_table *table, uint64_t hash)
{
	/* The low half as a fraction of one, times the count: no power of two is needed. */
	return &table->buckets[(hash & UINT32_MAX) * table->bucket_count >> 32];
}

static inline uint16_t
flow_tag(uint64_t hash)
{
	return (uint16_t)(hash >> 48) | 1;
}

/* Bit n is set when slot n holds the tag. */
static inline unsigned
flow_bucket_match(const struct flow_bucket *bucket, uint16_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)bucket->tag);
	__m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
#else
	unsigned mask = 0;

	for (unsigned i = 0; i < FLOW_BUCKET_SLOTS; i++)
		mask |= (unsigned)(bucket->tag[i] == tag) << i;
	return mask;
#endif
}

/* The first entry whose tag matches in the home bucket: what to prefetch before it is compared. */
static inline uint32_t
flow_table_candidate(const struct flow_table *table, uint64_t hash)
{
	const struct flow_bucket *bucket = flow_table_bucket(table, hash);
	unsigned mask = flow_bucket_match(bucket, flow_tag(hash));

	return mask ? bucket->index[__builtin_ctz(mask)] : FLOW_NONE;
}

static inline bool
flow_table_holds(const struct flow_table *table, uint32_t index, const struct flow_key *key,
	const struct flow_wide *wide)
{
	if (!flow_key_equal(&table->flows[index].key, key))
		return false;
	return wide == NULL || memcmp(&table->wide[index], wide, sizeof(*wide)) == 0;
}

/* The entry of a key, FLOW_NONE if there is none. `wide` is NULL for IPv4. */
uint32_t flow_table_find(const struct flow_table *table, const struct flow_key *key,
	const struct flow_wide *wide, uint64_t hash);
/* Adds a key that is not there; a full table ends another flow for it. The entry is zeroed but for
 * key, start, flags and what the wheel keeps; the caller fills its origin. */
uint32_t flow_table_insert(struct flow_table *table, const struct flow_key *key,
	const struct flow_wide *wide, uint64_t hash, int64_t now);
/* Takes an entry out of its bucket and gives it back. No record is sent. A timer that is left in
 * the wheel is ignored when it fires. */
void flow_table_remove(struct flow_table *table, uint32_t index);
/* Fetches what the next insertions will write. */
void flow_table_prefetch_free(const struct flow_table *table);

/* flow_expiry.c */

/* Wheel memory for a table of `size` entries. Returns 0 or -ENOMEM. */
int flow_expiry_init(struct flow_table *table);
/* Arms the timer of an entry for `deadline` (packet time in nanoseconds). An earlier timer of the
 * entry loses its meaning, unless the wheel has no room for one more: then that one counts, be it
 * of an entry's former flow, and the entry is looked at when it fires. */
void flow_expiry_arm(struct flow_table *table, uint32_t index, int64_t deadline);
/* When an entry must be looked at if no packet comes. */
int64_t flow_expiry_deadline(const struct flow_table *table, const struct flow *flow);
/* True when timers are due for half a second or more. */
bool flow_expiry_lags(const struct flow_table *table, int64_t now);
/* Looks at flows whose timer has passed `now`, at most `budget` of them, and until the receiver has
 * no room. Returns how many. */
uint32_t flow_expiry_run(struct flow_table *table, int64_t now, uint32_t budget);
/* Ends every flow (end of capture, shutdown). Returns false when the receiver had no room: call
 * again after it was drained. */
bool flow_expiry_flush(struct flow_table *table);
/* Packet time was set back to `now`: every timer is armed again from there. Takes time in
 * proportion to the entries that were ever used. */
void flow_expiry_restart(struct flow_table *table, int64_t now);
/* Makes room for one entry by ending a flow that is silent longest among those looked at: see
 * flow_expiry.c. Only when every entry is in use. */
void flow_expiry_evict(struct flow_table *table, int64_t now);

static inline int64_t
flow_last_time(const struct flow *flow)
{
	return flow->start + ((int64_t)flow->last << FLOW_TICK_SHIFT);
}

#endif
