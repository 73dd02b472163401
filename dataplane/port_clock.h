/* SPDX-License-Identifier: Apache-2.0 */
/* From the timestamps of a port to UTC. The control thread compares the port's counter with the
 * system's clock now and then; the lcore that reads the port converts. Free of DPDK. */
#ifndef CAMSPAN_PORT_CLOCK_H
#define CAMSPAN_PORT_CLOCK_H

#include "dataplane/counter.h"

#include <stdbool.h>
#include <stdint.h>

enum port_clock_source {
	PORT_CLOCK_NONE,    /* no timestamps: the time of the burst */
	PORT_CLOCK_COUNTER, /* ticks that can be read beside the system's clock */
	PORT_CLOCK_UTC,     /* taken for nanoseconds of UTC, and checked */
};

/* A point that is known on both clocks, and the rate between. Published as a sequence lock: odd
 * while it is written. */
struct port_clock {
	uint8_t source;           /* enum port_clock_source */
	_Atomic uint32_t version; /* 0: not yet usable */
	_Atomic int64_t base_time;
	_Atomic uint64_t base_ticks;
	_Atomic uint64_t scale; /* nanoseconds per tick, 32 bits of fraction */
	/* The control thread's. */
	int64_t first_time;
	uint64_t first_ticks;
};

void port_clock_init(struct port_clock *clock, enum port_clock_source source);
/* What both clocks show at one moment. Control thread. */
void port_clock_set(struct port_clock *clock, uint64_t ticks, int64_t now);
/* No more timestamps of this port. Control thread. */
void port_clock_stop(struct port_clock *clock);
static inline bool
port_clock_is_set(const struct port_clock *clock)
{
	return atomic_load_explicit(&clock->version, memory_order_acquire) > 1;
}
/* The time of a packet that was taken at `now`. False: not set, or what it gives is not believable
 * (more than a second old, or in the future). */
bool port_clock_time(const struct port_clock *clock, uint64_t ticks, int64_t now, int64_t *time);

#endif
