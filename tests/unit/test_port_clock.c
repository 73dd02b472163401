/* SPDX-License-Identifier: Apache-2.0 */
/* Timestamps of ports that no machine here has: counters of many rates, started anywhere. */
#include "dataplane/port_clock.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SECOND INT64_C(1000000000)
#define NOW    (INT64_C(1700000000) * SECOND)

/* A counter of `hertz` that showed `begin` at NOW. */
static uint64_t
counter_at(uint64_t begin, uint64_t hertz, int64_t time)
{
	return begin + (uint64_t)((unsigned __int128)(uint64_t)(time - NOW) * hertz / 1000000000u);
}

static void
test_counters(void)
{
	static const struct {
		uint64_t begin, hertz;
	} counters[] = {{0, 1000000000}, {UINT64_C(1) << 40, 78125000}, {UINT64_MAX - 5, 156250000},
		{12345, 1000000}, {0, 4000000000}};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		uint64_t begin = counters[i].begin, hertz = counters[i].hertz;
		int64_t tick = SECOND / (int64_t)hertz + 1;
		struct port_clock clock;
		int64_t time = 0;

		port_clock_init(&clock, PORT_CLOCK_COUNTER);
		CU_ASSERT_FALSE(port_clock_is_set(&clock));
		CU_ASSERT_FALSE(port_clock_time(&clock, begin, NOW, &time));
		for (int64_t at = NOW; at <= NOW + 20 * SECOND; at += SECOND)
			port_clock_set(&clock, counter_at(begin, hertz, at), at);
		CU_ASSERT_TRUE(port_clock_is_set(&clock));
		/* Before the last look and after it, for days to come. */
		for (int64_t ago = 0; ago < SECOND; ago += SECOND / 7) {
			int64_t at = NOW + 20 * SECOND + SECOND / 2 - ago;

			CU_ASSERT_TRUE(port_clock_time(&clock, counter_at(begin, hertz, at),
				NOW + 20 * SECOND + SECOND / 2, &time));
			CU_ASSERT(llabs(time - at) <= 2 * tick);
		}
	}
}

/* Time of a packet that could not be is refused: the caller has a better one. */
static void
test_unbelievable_times(void)
{
	struct port_clock clock;
	int64_t time = 0;

	port_clock_init(&clock, PORT_CLOCK_UTC);
	CU_ASSERT_TRUE(port_clock_time(&clock, (uint64_t)NOW - 5000, NOW, &time));
	CU_ASSERT_EQUAL(time, NOW - 5000);
	CU_ASSERT_FALSE(port_clock_time(&clock, (uint64_t)(NOW - 2 * SECOND), NOW, &time));
	CU_ASSERT_FALSE(port_clock_time(&clock, (uint64_t)(NOW + SECOND), NOW, &time));
	CU_ASSERT_FALSE(port_clock_time(&clock, 12345, NOW, &time)); /* ticks, not UTC */
	CU_ASSERT_FALSE(port_clock_time(&clock, UINT64_MAX, NOW, &time));
	CU_ASSERT_EQUAL(time, NOW - 5000);
	port_clock_stop(&clock);
	CU_ASSERT_FALSE(port_clock_time(&clock, (uint64_t)NOW, NOW, &time));
	CU_ASSERT_FALSE(port_clock_is_set(&clock));
}

/* A counter that begins anew (link reset) is measured anew; one that stands still never counts. */
static void
test_odd_counters(void)
{
	struct port_clock clock;
	int64_t time = 0;

	port_clock_init(&clock, PORT_CLOCK_COUNTER);
	for (int i = 0; i < 5; i++)
		port_clock_set(&clock, 77, NOW + i * SECOND);
	CU_ASSERT_FALSE(port_clock_is_set(&clock));
	port_clock_set(&clock, 1000000077, NOW + 5 * SECOND);
	port_clock_set(&clock, 2000000077, NOW + 6 * SECOND);
	CU_ASSERT_TRUE(port_clock_time(&clock, 2000000077, NOW + 6 * SECOND, &time));
	port_clock_set(&clock, 5, NOW + 7 * SECOND);
	CU_ASSERT_FALSE(port_clock_time(&clock, 5, NOW + 7 * SECOND, &time));
	port_clock_set(&clock, 1000000005, NOW + 8 * SECOND);
	CU_ASSERT_TRUE(port_clock_time(&clock, 1500000005, NOW + 9 * SECOND, &time));
	CU_ASSERT_EQUAL(time, NOW + 8 * SECOND + SECOND / 2);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"counters of any rate and beginning", test_counters},
		{"times that cannot be are refused", test_unbelievable_times},
		{"counters that stand still or begin anew", test_odd_counters},
		CU_TEST_INFO_NULL,
	};

	return unit_run("port clock", tests);
}
