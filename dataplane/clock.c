/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/clock.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

struct steady_clock
clock_start(void)
{
	return (struct steady_clock){read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC)};
}

int64_t
clock_now(const struct steady_clock *clock)
{
	return read_clock(CLOCK_MONOTONIC) + clock->offset;
}

int64_t
clock_step(const struct steady_clock *clock)
{
	return read_clock(CLOCK_REALTIME) - clock_now(clock);
}
