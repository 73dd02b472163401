/* SPDX-License-Identifier: Apache-2.0 */
/* Time for back-off and deadlines of export threads. Event times never come from here. */
#ifndef CAMSPAN_EXPORTERS_MONOTONIC_H
#define CAMSPAN_EXPORTERS_MONOTONIC_H

#include <stdint.h>
#include <time.h>

#define NANOSECONDS_PER_MILLISECOND INT64_C(1000000)

static inline int64_t
monotonic_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t
monotonic_in_ms(int64_t milliseconds)
{
	return monotonic_now() + milliseconds * NANOSECONDS_PER_MILLISECOND;
}

/* Milliseconds from now to `deadline`, 0 if it has passed, at most `limit_ms`. */
static inline int
monotonic_left_ms(int64_t deadline, int limit_ms)
{
	int64_t now = monotonic_now();

	if (deadline <= now)
		return 0;
	if (deadline - now >= limit_ms * NANOSECONDS_PER_MILLISECOND)
		return limit_ms;
	return (int)((deadline - now + NANOSECONDS_PER_MILLISECOND - 1) /
		     NANOSECONDS_PER_MILLISECOND);
}

#endif
