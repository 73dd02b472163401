/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two slots for every entry: the mean bucket holds four of eight. By chance one in fifty needs an
 * overflow bucket (Poisson tail), under churn one in eleven, as home slots are taken first: a
 * sixteenth of the entries is nearly three times that. */
static uint64_t
buckets_for(uint32_t size)
{
	return ((uint64_t)size * 2 + FLOW_BUCKET_SLOTS - 1) / FLOW_BUCKET_SLOTS;
}

#define PREFETCH_FREE 8

static void
list_free_entries(struct flow_table *table)
{
	for (uint32_t i = 0; i < table->size; i++)
		table->free_list[i] = table->size - 1 - i;
	table->free_count = table->size;
	for (uint32_t i = 0; i < table->overflow_size; i++)
		table->overflow[i].next = i + 1 < table->overflow_size ? i + 2 : 0;
	table->overflow_free = 1;
}

static bool
allocate_arrays(struct flow_table *table, bool ipv6)
{
	const struct memory_source *memory = table->memory;
	uint64_t buckets = buckets_for(table->size);

	table->bucket_count = buckets;
	table->overflow_size = table->size / 16 + 16;
	table->buckets = memory_allocate(memory, "flow buckets", buckets * sizeof(*table->buckets));
	table->flows = memory_allocate(memory, "flows", table->size * sizeof(*table->flows));
	table->origins =
		memory_allocate(memory, "flow origins", table->size * sizeof(*table->origins));
	table->free_list =
		memory_allocate(memory, "free flows", table->size * sizeof(*table->free_list));
	table->overflow = memory_allocate(
		memory, "flow overflow buckets", table->overflow_size * sizeof(*table->overflow));
	if (ipv6)
		table->wide = memory_allocate(
			memory, "IPv6 addresses", table->size * sizeof(*table->wide));
	return table->buckets && table->flows && table->origins && table->free_list &&
	       table->overflow && (!ipv6 || table->wide);
}

int
flow_table_init(struct flow_table *table, uint32_t size, bool ipv6,
	const struct flow_timeouts *timeouts, const struct flow_secret *secret, uint64_t id_base,
	const struct flow_receiver *receiver, const struct memory_source *memory)
{
	if (size == 0 || size > 1u << 30 || timeouts->active >> FLOW_TICK_SHIFT > UINT32_MAX)
		return -EINVAL;
	*table = (struct flow_table){
		.secret = *secret,
		.timeouts = *timeouts,
		.idle_ticks = (uint32_t)(timeouts->idle >> FLOW_TICK_SHIFT),
		.active_ticks = (uint32_t)(timeouts->active >> FLOW_TICK_SHIFT),
		.size = size,
		.next_id = id_base,
		.receiver = *receiver,
		.memory = memory,
	};
	if (!allocate_arrays(table, ipv6) || flow_expiry_init(table) != 0) {
		flow_table_free(table);
		return -ENOMEM;
	}
	list_free_entries(table);
	return 0;
}

void
flow_table_free(struct flow_table *table)
{
	void *arrays[] = {table->buckets, table->flows, table->origins, table->free_list,
		table->overflow, table->wheel.chunks, table->wide};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		if (arrays[i])
			table->memory->release(arrays[i]);
	*table = (struct flow_table){0};
}

uint32_t
flow_table_find(const struct flow_table *table, const struct flow_key *key,
	const struct flow_wide *wide, uint64_t hash)
{
	const struct flow_bucket *bucket = flow_table_bucket(table, hash);
	uint16_t tag = flow_tag(hash);

	for (;;) {
		for (unsigned mask = flow_bucket_match(bucket, tag); mask; mask &= mask - 1) {
			uint32_t index = bucket->index[__builtin_ctz(mask)];

			if (flow_table_holds(table, index, key, wide))
				return index;
		}
		if (bucket->next == 0)
			return FLOW_NONE;
		bucket = &table->overflow[bucket->next - 1];
	}
}

static struct flow_bucket *
add_overflow(struct flow_table *table, struct flow_bucket *tail)
{
	struct flow_bucket *bucket;

	if (table->overflow_free == 0)
		return NULL;
	tail->next = table->overflow_free;
	bucket = &table->overflow[table->overflow_free - 1];
	table->overflow_free = bucket->next;
	*bucket = (struct flow_bucket){0};
	table->counters.overflow_buckets++;
	return bucket;
}

/* The flow of this chain that is silent longest: it goes when the chain cannot grow. */
static uint32_t
oldest_of_chain(const struct flow_table *table, const struct flow_bucket *bucket)
{
	uint32_t oldest = FLOW_NONE;

	for (;;) {
		for (unsigned i = 0; i < FLOW_BUCKET_SLOTS; i++) {
			uint32_t index = bucket->index[i];

			if (bucket->tag[i] == 0)
				continue;
			if (oldest == FLOW_NONE || flow_last_time(&table->flows[index]) <
							   flow_last_time(&table->flows[oldest]))
				oldest = index;
		}
		if (bucket->next == 0)
			return oldest;
		bucket = &table->overflow[bucket->next - 1];
	}
}

static void
end_for_room(struct flow_table *table, uint32_t index)
{
	struct flow *flow = &table->flows[index];
	struct flow_receiver *receiver = &table->receiver;

	if (!receiver->record(receiver->context, flow, &table->origins[index],
		    table->wide ? &table->wide[index] : NULL, FLOW_END_LACK_OF_RESOURCES))
		table->counters.records_lost++;
	table->counters.evicted++;
	flow_table_remove(table, index);
}

/* A slot for a new tag, growing the chain or ending its oldest flow. Never NULL: a full chain has
 * at least one flow to end. */
static struct flow_bucket *
bucket_with_room(struct flow_table *table, uint64_t hash, unsigned *slot)
{
	struct flow_bucket *bucket = flow_table_bucket(table, hash);

	for (;;) {
		unsigned empty = flow_bucket_match(bucket, 0);

		if (empty) {
			*slot = (unsigned)__builtin_ctz(empty);
			return bucket;
		}
		if (bucket->next == 0)
			break;
		bucket = &table->overflow[bucket->next - 1];
	}
	bucket = add_overflow(table, bucket);
	*slot = 0;
	if (bucket)
		return bucket;
	table->counters.overflow_exhausted++;
	end_for_room(table, oldest_of_chain(table, flow_table_bucket(table, hash)));
	return bucket_with_room(table, hash, slot);
}

uint32_t
flow_table_insert(struct flow_table *table, const struct flow_key *key,
	const struct flow_wide *wide, uint64_t hash, int64_t now)
{
	struct flow_bucket *bucket;
	unsigned slot;
	uint32_t index;

	if (table->free_count == 0)
		flow_expiry_evict(table, now);
	bucket = bucket_with_room(table, hash, &slot);
	index = table->free_list[--table->free_count];
	table->touched = index < table->touched ? table->touched : index + 1;
	table->occupied++;
	table->counters.created++;
	bucket->tag[slot] = flow_tag(hash);
	bucket->index[slot] = index;
	table->flows[index] = (struct flow){.key = *key,
		.start = now,
		.flags = FLOW_IN_USE,
		.timer = table->flows[index].timer & FLOW_TIMER_BITS};
	table->origins[index] = (struct flow_origin){.first = now, .id = table->next_id++};
	if (table->wide)
		table->wide[index] = *wide;
	return index;
}

/* An emptied overflow bucket goes back to the pool; its predecessor takes over its successor. */
static void
unlink_overflow(struct flow_table *table, struct flow_bucket *previous, struct flow_bucket *bucket)
{
	uint32_t number = previous->next;

	previous->next = bucket->next;
	bucket->next = table->overflow_free;
	table->overflow_free = number;
	table->counters.overflow_buckets--;
}

static void
take_out_of_bucket(struct flow_table *table, uint32_t index)
{
	uint64_t hash = flow_key_hash(&table->flows[index].key, &table->secret);
	struct flow_bucket *bucket = flow_table_bucket(table, hash);
	struct flow_bucket *previous = NULL;

	for (;;) {
		for (unsigned mask = flow_bucket_match(bucket, flow_tag(hash)); mask;
			mask &= mask - 1) {
			unsigned slot = (unsigned)__builtin_ctz(mask);

			if (bucket->index[slot] != index)
				continue;
			bucket->tag[slot] = 0;
			if (previous &&
				flow_bucket_match(bucket, 0) == (1u << FLOW_BUCKET_SLOTS) - 1)
				unlink_overflow(table, previous, bucket);
			return;
		}
		if (bucket->next == 0)
			abort(); /* an entry in use is always in the chain of its hash */
		previous = bucket;
		bucket = &table->overflow[bucket->next - 1];
	}
}

void
flow_table_remove(struct flow_table *table, uint32_t index)
{
	table->receiver.release(table->receiver.context, &table->flows[index]);
	take_out_of_bucket(table, index);
	/* No key matches it: a burst may have it as candidate still. */
	table->flows[index].key.family = ADDRESS_NONE;
	table->flows[index].flags = 0;
	table->free_list[table->free_count++] = index;
	table->occupied--;
}

void
flow_table_prefetch_free(const struct flow_table *table)
{
	uint32_t count = table->free_count < PREFETCH_FREE ? table->free_count : PREFETCH_FREE;

	for (uint32_t i = 1; i <= count; i++) {
		uint32_t index = table->free_list[table->free_count - i];

		__builtin_prefetch(&table->flows[index], 1, 3);
		__builtin_prefetch(&table->origins[index], 1, 3);
	}
}
