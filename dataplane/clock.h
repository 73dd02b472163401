/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's time: wall clock at start, moved on by the monotonic clock, so that a stepped system
 * clock neither stops timers nor ends every flow. A step shows in event times only after a restart.
 */
#ifndef CAMSPAN_CLOCK_H
#define CAMSPAN_CLOCK_H

#include <stdint.h>

struct steady_clock {
	int64_t offset; /* wall minus monotonic at start, nanoseconds */
};

struct steady_clock clock_start(void);
/* Nanoseconds since the epoch; never goes back. No system call (vDSO). */
int64_t clock_now(const struct steady_clock *clock);
/* How far the system's wall clock is ahead of this one by now: the steps since the start. */
int64_t clock_step(const struct steady_clock *clock);

#endif
