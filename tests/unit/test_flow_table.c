/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/flow_table_fixture.h"

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

/* A table full of scans: a control connection that pauses stays, one that is older than the pause
 * that is allowed goes. */
/* Connections that end leave a timer behind; their entries are used again at once. Whatever the
 * wheel has room for, in the end every flow is over. */
static void
test_no_flow_is_left_without_a_timer(void)
{
	enum { FLOWS = 4000, SIZE = 4096 };
	struct flow_table table;
	struct told told;

	make(&table, SIZE, false, &told);
	told.look_again = 32 * SECOND;
	for (uint32_t n = 0; n < 20 * FLOWS; n++) {
		int64_t now = START + n * (SECOND / 200);
		uint32_t index = add(&table, n, now);

		flow_expiry_arm(&table, index, now + 2 * SECOND);
		/* It ends after its first look, when one of 32 s is pending. */
		if (n >= FLOWS / 8 && (index = find(&table, n - FLOWS / 8)) != FLOW_NONE) {
			table.flows[index].flags |= FLOW_TCP_ENDED;
			flow_expiry_arm(&table, index, now + 5 * SECOND);
		}
		flow_expiry_run(&table, now, 64);
	}
	for (int second = 0; second < 3600; second++)
		for (int i = 0; i < 10; i++)
			flow_expiry_run(&table, START + (20 * FLOWS / 200 + second) * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 0);
	flow_table_free(&table);
}

/* The first packet of all is from the future: time goes on without it. */
static void
test_a_wheel_that_began_in_the_future(void)
{
	struct flow_table table;
	struct told told;

	make(&table, 64, false, &told);
	add(&table, 1, START + 365 * 86400 * SECOND);
	flow_expiry_run(&table, START, 64);
	for (uint32_t n = 2; n < 12; n++)
		add(&table, n, START);
	for (int second = 0; second < 100; second++)
		flow_expiry_run(&table, START + second * SECOND, 64);
	CU_ASSERT_EQUAL(table.occupied, 1);
	flow_table_free(&table);
}

static void
test_a_count_never_wraps(void)
{
	struct flow_table table;
	struct told told;
	uint32_t index;

	make(&table, 64, false, &told);
	index = add(&table, 1, START);
	flow_expiry_arm(&table, index, START + 2 * SECOND);
	table.flows[index].packets[1] = UINT32_C(1) << 31;
	packet(&table, index, START + 2 * SECOND);
	flow_expiry_run(&table, START + 3 * SECOND, 64);
	CU_ASSERT_EQUAL(told.records[FLOW_END_ACTIVE_TIMEOUT], 1);
	CU_ASSERT_EQUAL(table.flows[index].packets[1], 0);
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
				    &memory_from_system),
		0);
	CU_ASSERT_NOT_EQUAL(flow_table_init(&table, 16, false, &endless, &secret, 1, &receiver,
				    &memory_from_system),
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
		{"idle flows end and busy ones stay", test_idle_flows_end_and_busy_ones_stay},
		{"active timeout reports and goes on", test_active_timeout_reports_and_goes_on},
		{"ended connections linger briefly", test_ended_connections_linger_briefly},
		{"no room for records keeps flows", test_no_room_for_records_keeps_flows},
		{"no flow is left without a timer", test_no_flow_is_left_without_a_timer},
		{"a wheel that began in the future", test_a_wheel_that_began_in_the_future},
		{"a count never wraps", test_a_count_never_wraps},
		{"time may jump", test_time_may_jump},
		{"time set back starts the wheel anew", test_time_set_back_starts_the_wheel_anew},
		{"early looks", test_early_looks},
		{"the budget bounds one call", test_the_budget_bounds_one_call},
		{"bad sizes are refused", test_bad_sizes_are_refused},
		CU_TEST_INFO_NULL,
	};

	return unit_run("flow table", tests);
}
