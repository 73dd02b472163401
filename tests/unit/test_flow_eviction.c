/* SPDX-License-Identifier: Apache-2.0 */
/* Who goes when the table is full, or when somebody chooses keys that should meet. */
#include "tests/unit/flow_table_fixture.h"

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

/* Video flows that began together lie side by side. */
static void
test_a_scan_spares_neighbours(void)
{
	enum { VIDEO = 64, SIZE = 1024 };
	struct flow_table table;
	struct told told;
	unsigned left = 0;

	make(&table, SIZE, false, &told);
	for (uint32_t n = 0; n < VIDEO; n++)
		table.flows[add(&table, 1000000 + n, START)].flags |= FLOW_ANSWERED;
	for (uint32_t n = 0; n < 20 * SIZE; n++)
		add(&table, n, START + n * (SECOND / 1000));
	for (uint32_t n = 0; n < VIDEO; n++)
		left += find(&table, 1000000 + n) != FLOW_NONE;
	CU_ASSERT_EQUAL(left, VIDEO);
	flow_table_free(&table);
}

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

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a full table evicts the oldest", test_a_full_table_evicts_the_oldest},
		{"a scan spares neighbours", test_a_scan_spares_neighbours},
		{"a scan spares an established flow", test_a_scan_spares_an_established_flow},
		{"chosen keys do not meet", test_chosen_keys_do_not_meet},
		{"one chain for all", test_one_chain_for_all},
		CU_TEST_INFO_NULL,
	};

	return unit_run("flow eviction", tests);
}
