/* SPDX-License-Identifier: Apache-2.0 */
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

static bool
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

static void
on_release(void *context, struct flow *flow)
{
	(void)flow;
	((struct told *)context)->released++;
}

static int64_t
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

static void
make(struct flow_table *table, uint32_t size, bool ipv6, struct told *told)
{
	const struct flow_timeouts timeouts = {60 * SECOND, 300 * SECOND, 5 * SECOND};
	const struct flow_receiver receiver = {told, on_record, on_release, on_look};
	struct flow_secret secret;

	CU_ASSERT_EQUAL_FATAL(flow_secret_random(&secret), 0);
	memset(told, 0, sizeof(*told));
	CU_ASSERT_EQUAL_FATAL(flow_table_init(table, size, ipv6, &timeouts, &secret, 1, &receiver,
				      &memory_from_libc),
		0);
}

static struct flow_key
key_number(uint32_t n)
{
	return (struct flow_key){.address = {n, ~n},
		.port = {80, (uint16_t)n},
		.protocol = 6,
		.family = ADDRESS_IPV4};
}

static uint32_t
find(const struct flow_table *table, uint32_t n)
{
	struct flow_key key = key_number(n);

	return flow_table_find(table, &key, NULL, flow_key_hash(&key, &table->secret));
}

/* Adds a flow that has seen one packet at `now` and is armed as the pipeline arms it. */
static uint32_t
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

static void
packet(struct flow_table *table, uint32_t index, int64_t now)
{
	struct flow *flow = &table->flows[index];

	flow->last = (uint32_t)((now - flow->start) >> FLOW_TICK_SHIFT);
	flow->packets[0]++;
}

/* Turns the wheel once round: afterwards it holds nothing. */
static void
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

static void
test_every_flow_is_found_and_no_other(void)
{
	struct flow_table table;
	struct told told;

	make(&table, 5000, false, &told);
	for (uint32_t n = 0; n < 5000; n++)
		CU_ASSERT_NOT_EQUAL(add(&table, n, START), FLOW_NONE);
	CU_ASSERT_EQUAL(table.occupied, 5000);
	for (uint32_t n = 0; n < 5000; n++) {
		uint32_t index = find(&table, n);

		CU_ASSERT_NOT_EQUAL_FATAL(index, FLOW_NONE);
		CU_ASSERT_EQUAL(table.flows[index].key.address[0], n);
	}
	for (uint32_t n = 5000; n < 10000; n++)
		CU_ASSERT_EQUAL(find(&table, n), FLOW_NONE);
	CU_ASSERT_EQUAL(table.counters.evicted, 0);
	flow_table_free(&table);
}

static void
test_random_insertions_and_removals_keep_the_books(void)
{
	enum { KEYS = 3000, STEPS = 60000 };
	static bool present[KEYS];
	struct flow_table table;
	struct told told;
	uint32_t count = 0;

	make(&table, KEYS, false, &told);
	memset(present, 0, sizeof(present));
	srandom(1);
	for (int step = 0; step < STEPS; step++) {
		uint32_t n = (uint32_t)random() % KEYS;

		if (present[n]) {
			flow_table_remove(&table, find(&table, n));
			count--;
		} else {
			add(&table, n, START + step);
			count++;
		}
		present[n] = !present[n];
	}
	CU_ASSERT_EQUAL(table.occupied, count);
	for (uint32_t n = 0; n < KEYS; n++)
		CU_ASSERT_EQUAL(find(&table, n) != FLOW_NONE, present[n]);
	for (uint32_t n = 0; n < KEYS; n++)
		if (present[n])
			flow_table_remove(&table, find(&table, n));
	CU_ASSERT_EQUAL(table.occupied, 0);
	CU_ASSERT_EQUAL(table.counters.overflow_buckets, 0);
	drain_wheel(&table, START);
	CU_ASSERT_EQUAL(told.looks, 0);
	flow_table_free(&table);
}

/* However often timers are armed anew: the wheel stays within its memory, no entry is forgotten,
 * and in the end it is empty. */
static void
test_timers_armed_again_and_again_are_bounded(void)
{
	enum { FLOWS = 2000, STEPS = 200000 };
	struct flow_table table;
	struct told told;

	make(&table, FLOWS, false, &told);
	for (uint32_t n = 0; n < FLOWS; n++)
		add(&table, n, START);
	srandom(5);
	for (int step = 0; step < STEPS; step++) {
		uint32_t index = (uint32_t)random() % FLOWS;

		flow_expiry_arm(&table, index, START + random() % 300 * SECOND);
		CU_ASSERT_FATAL(table.wheel.extra <= table.wheel.extra_max);
		if (step % 1000 == 0)
			flow_expiry_run(&table, START + step / 4000 * SECOND, 64);
	}
	for (int second = 50; second < 400; second++)
		for (int i = 0; i < 100; i++)
			flow_expiry_run(&table, START + second * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 0);
	CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT], FLOWS);
	drain_wheel(&table, START + 400 * SECOND);
	flow_table_free(&table);
}

static void
test_tenant_and_vlan_part_equal_addresses(void)
{
	struct flow_table table;
	struct told told;
	struct flow_key a = key_number(1), b = a, c = a;

	b.tenant = 7;
	c.vlan = 100;
	make(&table, 16, false, &told);
	flow_table_insert(&table, &a, NULL, flow_key_hash(&a, &table.secret), START);
	CU_ASSERT_EQUAL(
		flow_table_find(&table, &b, NULL, flow_key_hash(&b, &table.secret)), FLOW_NONE);
	CU_ASSERT_EQUAL(
		flow_table_find(&table, &c, NULL, flow_key_hash(&c, &table.secret)), FLOW_NONE);
	flow_table_free(&table);
}

static void
test_ipv6_addresses_are_compared_in_full(void)
{
	struct flow_table table;
	struct told told;
	struct flow_key key = key_number(1); /* the folds of both agree: a forced collision */
	struct flow_wide one = {0}, other = {0};
	uint64_t hash;

	other.address[1][15] = 1;
	key.family = ADDRESS_IPV6;
	make(&table, 16, true, &told);
	hash = flow_key_hash(&key, &table.secret);
	flow_table_insert(&table, &key, &one, hash, START);
	CU_ASSERT_NOT_EQUAL(flow_table_find(&table, &key, &one, hash), FLOW_NONE);
	CU_ASSERT_EQUAL(flow_table_find(&table, &key, &other, hash), FLOW_NONE);
	flow_table_free(&table);
}

/* A zero secret gives every key the same hash: the chain grows, then its oldest flow makes room. */
static void
test_one_chain_for_all(void)
{
	enum { SIZE = 320 };
	struct flow_table table;
	struct told told;
	uint32_t room;

	make(&table, SIZE, false, &told);
	table.secret = (struct flow_secret){0};
	room = FLOW_BUCKET_SLOTS * (1 + table.overflow_size);
	CU_ASSERT_FATAL(room < SIZE);
	for (uint32_t n = 0; n < SIZE; n++)
		CU_ASSERT_NOT_EQUAL(add(&table, n, START + n * SECOND / 100), FLOW_NONE);
	CU_ASSERT_EQUAL(table.occupied, room);
	CU_ASSERT_EQUAL(table.counters.evicted, SIZE - room);
	CU_ASSERT_EQUAL(table.counters.overflow_exhausted, SIZE - room);
	CU_ASSERT_EQUAL(find(&table, 0), FLOW_NONE);
	CU_ASSERT_EQUAL(find(&table, SIZE - room - 1), FLOW_NONE);
	CU_ASSERT_NOT_EQUAL(find(&table, SIZE - room), FLOW_NONE);
	CU_ASSERT_TRUE(flow_expiry_flush(&table));
	CU_ASSERT_EQUAL(table.counters.overflow_buckets, 0);
	flow_table_free(&table);
}

static void
test_idle_flows_end_and_busy_ones_stay(void)
{
	struct flow_table table;
	struct told told;
	uint32_t busy;

	make(&table, 64, false, &told);
	add(&table, 1, START);
	busy = add(&table, 2, START);
	for (int second = 1; second <= 100; second++) {
		packet(&table, busy, START + second * SECOND);
		flow_expiry_run(&table, START + second * SECOND, 64);
		if (second < 60)
			CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT], 0);
	}
	CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT], 1);
	CU_ASSERT_EQUAL(find(&table, 1), FLOW_NONE);
	CU_ASSERT_EQUAL(find(&table, 2), busy);
	flow_table_free(&table);
}

static void
test_active_timeout_reports_and_goes_on(void)
{
	struct flow_table table;
	struct told told;
	uint32_t index;

	make(&table, 64, false, &told);
	index = add(&table, 1, START);
	for (int second = 1; second <= 700; second++) {
		packet(&table, index, START + second * SECOND);
		flow_expiry_run(&table, START + second * SECOND, 64);
	}
	CU_ASSERT_EQUAL(told.records[FLOW_END_ACTIVE_TIMEOUT], 2);
	CU_ASSERT_EQUAL(find(&table, 1), index);
	CU_ASSERT_TRUE(table.flows[index].packets[0] < 110);
	flow_table_free(&table);
}

static void
test_ended_connections_linger_briefly(void)
{
	struct flow_table table;
	struct told told;
	uint32_t index;

	make(&table, 64, false, &told);
	index = add(&table, 1, START);
	table.flows[index].flags |= FLOW_TCP_ENDED;
	flow_expiry_arm(&table, index, flow_expiry_deadline(&table, &table.flows[index]));
	flow_expiry_run(&table, START + 4 * SECOND, 64);
	CU_ASSERT_EQUAL(find(&table, 1), index);
	flow_expiry_run(&table, START + 6 * SECOND, 64);
	CU_ASSERT_EQUAL(told.records[FLOW_END_DETECTED], 1);
	CU_ASSERT_EQUAL(told.released, 1);
	flow_table_free(&table);
}

static void
test_no_room_for_records_keeps_flows(void)
{
	struct flow_table table;
	struct told told;

	make(&table, 64, false, &told);
	add(&table, 1, START);
	told.full = true;
	flow_expiry_run(&table, START + 70 * SECOND, 64);
	CU_ASSERT_NOT_EQUAL(find(&table, 1), FLOW_NONE);
	CU_ASSERT_TRUE(table.counters.records_deferred > 0);
	CU_ASSERT_FALSE(flow_expiry_flush(&table));
	told.full = false;
	flow_expiry_run(&table, START + 71 * SECOND, 64);
	CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT], 1);
	CU_ASSERT_TRUE(flow_expiry_flush(&table));
	flow_table_free(&table);
}

/* A scan fills the table; what was silent longest makes room, what is busy stays. */
static void
test_a_full_table_evicts_the_oldest(void)
{
	struct flow_table table;
	struct told told;
	uint32_t video;

	make(&table, 256, false, &told);
	video = add(&table, 1000000, START);
	for (uint32_t n = 0; n < 10000; n++) {
		int64_t now = START + n * (SECOND / 100);

		packet(&table, video, now);
		CU_ASSERT_NOT_EQUAL(add(&table, n, now), FLOW_NONE);
		flow_expiry_run(&table, now, 64);
	}
	CU_ASSERT_EQUAL(find(&table, 1000000), video);
	CU_ASSERT_EQUAL(table.occupied, 256);
	CU_ASSERT_EQUAL(find(&table, 0), FLOW_NONE);
	CU_ASSERT_NOT_EQUAL(find(&table, 9999), FLOW_NONE);
	CU_ASSERT_NOT_EQUAL(find(&table, 9999 - 200), FLOW_NONE);
	CU_ASSERT_EQUAL(table.counters.created,
		table.occupied + table.counters.evicted + told.records[FLOW_END_IDLE_TIMEOUT]);
	flow_table_free(&table);
}

/* A table full of scans: a control connection that pauses stays, one that is older than the pause
 * that is allowed goes. */
static void
test_a_scan_spares_an_established_flow(void)
{
	struct flow_table table;
	struct told told;
	uint32_t control;

	make(&table, 256, false, &told);
	control = add(&table, 1000000, START);
	table.flows[control].flags |= FLOW_ANSWERED;
	for (uint32_t n = 0; n < 2900; n++)
		add(&table, n, START + n * (SECOND / 100));
	CU_ASSERT_EQUAL(find(&table, 1000000), control);
	for (uint32_t n = 2900; n < 3600; n++)
		add(&table, n, START + n * (SECOND / 100));
	CU_ASSERT_EQUAL(find(&table, 1000000), FLOW_NONE);
	flow_table_free(&table);
}

/* Keys that all fall into one bucket for whoever knows the secret, or guesses that there is none:
 * with a secret of our own they spread like any others. */
static void
test_chosen_keys_do_not_meet(void)
{
	enum { FLOWS = 1000, SIZE = 4096 };
	static const struct flow_secret guessed = {{1, 1, 1, 1, 1, 1}};
	struct flow_table table;
	struct told told;
	uint32_t found = 0;

	make(&table, SIZE, false, &told);
	for (uint32_t n = 0; found < FLOWS; n++) {
		struct flow_key key = key_number(n);

		if (flow_table_bucket(&table, flow_key_hash(&key, &guessed)) != table.buckets)
			continue;
		add(&table, n, START);
		found++;
	}
	CU_ASSERT_EQUAL(table.occupied, FLOWS);
	CU_ASSERT_TRUE(table.counters.overflow_buckets < 8);
	flow_table_free(&table);
}

static void
test_time_may_jump(void)
{
	static const int64_t jumps[] = {0, 86400, 31536000, -31536000, 86400 * 400, 1};
	struct flow_table table;
	struct told told;

	make(&table, 64, false, &told);
	for (uint32_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		add(&table, i, START + jumps[i] * SECOND);
		flow_expiry_run(&table, START + jumps[i] * SECOND, 64);
	}
	for (int second = 0; second < 200; second++)
		flow_expiry_run(&table, START + (86400 * 400 + second) * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 0);
	flow_table_free(&table);
}

static void
test_time_set_back_starts_the_wheel_anew(void)
{
	struct flow_table table;
	struct told told;

	make(&table, 5000, false, &told);
	for (int round = 0; round < 3; round++) {
		int64_t now = START - round * 86400 * SECOND;

		for (uint32_t n = 0; n < 1000; n++)
			add(&table, (uint32_t)round * 1000 + n, now);
		flow_expiry_restart(&table, now);
	}
	CU_ASSERT_EQUAL(table.occupied, 3000);
	for (int second = 0; second < 100; second++)
		for (int i = 0; i < 100; i++)
			flow_expiry_run(&table, START + (second - 2 * 86400) * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 2000);
	CU_ASSERT_EQUAL(find(&table, 2999), FLOW_NONE);
	CU_ASSERT_TRUE(flow_expiry_flush(&table));
	CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT] + told.records[FLOW_END_FORCED], 3000);
	drain_wheel(&table, START);
	flow_table_free(&table);
}

static void
test_early_looks(void)
{
	struct flow_table table;
	struct told told;
	uint32_t index;

	make(&table, 64, false, &told);
	told.look_again = 4 * SECOND;
	index = add(&table, 1, START);
	flow_expiry_arm(&table, index, START + 2 * SECOND);
	flow_expiry_run(&table, START + 3 * SECOND, 64);
	CU_ASSERT_EQUAL(told.looks, 1);
	flow_expiry_run(&table, START + 8 * SECOND, 64);
	CU_ASSERT_EQUAL(told.looks, 2);
	told.look_again = 0;
	for (int second = 9; second < 62; second++)
		flow_expiry_run(&table, START + second * SECOND, 64);
	CU_ASSERT_EQUAL(told.looks, 3);
	CU_ASSERT_EQUAL(told.records[FLOW_END_IDLE_TIMEOUT], 1);
	flow_table_free(&table);
}

static void
test_the_budget_bounds_one_call(void)
{
	struct flow_table table;
	struct told told;

	make(&table, 1000, false, &told);
	for (uint32_t n = 0; n < 1000; n++)
		add(&table, n, START);
	CU_ASSERT_EQUAL(flow_expiry_run(&table, START + 100 * SECOND, 64), 64);
	CU_ASSERT_EQUAL(table.occupied, 1000 - 64);
	for (int i = 0; i < 20; i++)
		flow_expiry_run(&table, START + 100 * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 0);
	flow_table_free(&table);
}

static void
test_bad_sizes_are_refused(void)
{
	const struct flow_timeouts timeouts = {60 * SECOND, 300 * SECOND, SECOND};
	const struct flow_timeouts endless = {60 * SECOND, 10000 * SECOND, SECOND};
	const struct flow_receiver receiver = {0};
	const struct flow_secret secret = {{1}};
	struct flow_table table;

	CU_ASSERT_NOT_EQUAL(flow_table_init(&table, 0, false, &timeouts, &secret, 1, &receiver,
				    &memory_from_libc),
		0);
	CU_ASSERT_NOT_EQUAL(flow_table_init(&table, 16, false, &endless, &secret, 1, &receiver,
				    &memory_from_libc),
		0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"every flow is found and no other", test_every_flow_is_found_and_no_other},
		{"random insertions and removals keep the books",
			test_random_insertions_and_removals_keep_the_books},
		{"timers armed again and again are bounded",
			test_timers_armed_again_and_again_are_bounded},
		{"tenant and VLAN part equal addresses", test_tenant_and_vlan_part_equal_addresses},
		{"IPv6 addresses are compared in full", test_ipv6_addresses_are_compared_in_full},
		{"one chain for all", test_one_chain_for_all},
		{"idle flows end and busy ones stay", test_idle_flows_end_and_busy_ones_stay},
		{"active timeout reports and goes on", test_active_timeout_reports_and_goes_on},
		{"ended connections linger briefly", test_ended_connections_linger_briefly},
		{"no room for records keeps flows", test_no_room_for_records_keeps_flows},
		{"a full table evicts the oldest", test_a_full_table_evicts_the_oldest},
		{"a scan spares an established flow", test_a_scan_spares_an_established_flow},
		{"chosen keys do not meet", test_chosen_keys_do_not_meet},
		{"time may jump", test_time_may_jump},
		{"time set back starts the wheel anew", test_time_set_back_starts_the_wheel_anew},
		{"early looks", test_early_looks},
		{"the budget bounds one call", test_the_budget_bounds_one_call},
		{"bad sizes are refused", test_bad_sizes_are_refused},
		CU_TEST_INFO_NULL,
	};

	return unit_run("flow table", tests);
}
