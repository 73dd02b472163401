/* SPDX-License-Identifier: Apache-2.0 */
/* A flow table, and what its receiver was told. */
#ifndef CAMSPAN_TESTS_FLOW_TABLE_FIXTURE_H
#define CAMSPAN_TESTS_FLOW_TABLE_FIXTURE_H

#include "dataplane/flow_table.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define START  (INT64_C(1700000000) * SECOND)

/* What the receiver was told. */
struct told {
	unsigned records[FLOW_END_LACK_OF_RESOURCES + 1];
	unsigned released, looks;
	bool full; /* refuse records */
	int64_t look_again;
	uint64_t last_id;
};

static inline bool
on_record(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason)
{
	struct told *told = context;

	(void)flow;
	(void)wide;
	if (told->full)
		return false;
	told->records[reason]++;
	told->last_id = origin->id;
	return true;
}

static inline void
on_release(void *context, struct flow *flow)
{
	(void)flow;
	((struct told *)context)->released++;
}

static inline int64_t
on_look(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide)
{
	struct told *told = context;

	(void)flow;
	(void)origin;
	(void)wide;
	told->looks++;
	return told->look_again;
}

static inline void
make(struct flow_table *table, uint32_t size, bool ipv6, struct told *told)
{
	const struct flow_timeouts timeouts = {60 * SECOND, 300 * SECOND, 5 * SECOND};
	const struct flow_receiver receiver = {told, on_record, on_release, on_look};
	struct flow_secret secret;

	CU_ASSERT_EQUAL_FATAL(flow_secret_random(&secret), 0);
	memset(told, 0, sizeof(*told));
	CU_ASSERT_EQUAL_FATAL(flow_table_init(table, size, ipv6, &timeouts, &secret, 1, &receiver,
				      &memory_from_system),
		0);
}

static inline struct flow_key
key_number(uint32_t n)
{
	return (struct flow_key){.address = {n, ~n},
		.port = {80, (uint16_t)n},
		.protocol = 6,
		.family = ADDRESS_IPV4};
}

static inline uint32_t
find(const struct flow_table *table, uint32_t n)
{
	struct flow_key key = key_number(n);

	return flow_table_find(table, &key, NULL, flow_key_hash(&key, &table->secret));
}

/* Adds a flow that has seen one packet at `now` and is armed as the pipeline arms it. */
static inline uint32_t
add(struct flow_table *table, uint32_t n, int64_t now)
{
	struct flow_key key = key_number(n);
	uint32_t index =
		flow_table_insert(table, &key, NULL, flow_key_hash(&key, &table->secret), now);

	if (index == FLOW_NONE)
		return FLOW_NONE;
	table->flows[index].packets[0] = 1;
	flow_expiry_arm(table, index, flow_expiry_deadline(table, &table->flows[index]));
	return index;
}

static inline void
packet(struct flow_table *table, uint32_t index, int64_t now)
{
	struct flow *flow = &table->flows[index];

	flow->last = (uint32_t)((now - flow->start) >> FLOW_TICK_SHIFT);
	flow->packets[0]++;
}

/* Turns the wheel once round: afterwards it holds nothing. */
static inline void
drain_wheel(struct flow_table *table, int64_t now)
{
	while (flow_expiry_run(table, now + 1200 * SECOND, 1000) > 0)
		;
	for (uint32_t slot = 0; slot < WHEEL_SLOTS; slot++)
		CU_ASSERT_EQUAL(table->wheel.slot[slot], 0);
	CU_ASSERT_EQUAL(table->wheel.extra, 0);
	for (uint32_t index = 0; index < table->size; index++)
		CU_ASSERT_EQUAL(table->flows[index].timer & FLOW_TIMERS_PENDING, 0);
}

#endif
