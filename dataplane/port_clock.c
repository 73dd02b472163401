/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port_clock.h"

#define ONE (UINT64_C(1) << 32) /* nanosecond per tick */
#define LEAST_SPAN                                                                                 \
	INT64_C(500000000) /* of a measurement: reading both clocks takes microseconds             \
			    */
#define OLDEST INT64_C(1000000000)
#define NEWEST INT64_C(1000000) /* ahead: the two clocks were not read at once */

static void
publish(struct port_clock *clock, int64_t time, uint64_t ticks, uint64_t scale)
{
	uint32_t version = atomic_load_explicit(&clock->version, memory_order_relaxed);

	/* Who sees one of the values sees the odd version before it. */
	atomic_store_explicit(&clock->version, version | 1, memory_order_relaxed);
	atomic_store_explicit(&clock->base_time, time, memory_order_release);
	atomic_store_explicit(&clock->base_ticks, ticks, memory_order_release);
	atomic_store_explicit(&clock->scale, scale, memory_order_release);
	atomic_store_explicit(&clock->version, (version | 1) + 1, memory_order_release);
}

void
port_clock_init(struct port_clock *clock, enum port_clock_source source)
{
	*clock = (struct port_clock){.source = (uint8_t)source};
	if (source == PORT_CLOCK_UTC)
		publish(clock, 0, 0, ONE);
}

/* The rate is measured over the whole time since the first look: the longer, the more exact. The
 * point moves with each look, so that a rate that drifts does no harm. */
void
port_clock_set(struct port_clock *clock, uint64_t ticks, int64_t now)
{
	uint64_t span;
	unsigned __int128 scale;

	if (clock->source != PORT_CLOCK_COUNTER)
		return;
	if (clock->first_time == 0 || ticks <= clock->first_ticks) {
		clock->first_time = now;
		clock->first_ticks = ticks;
		return;
	}
	if (now - clock->first_time < LEAST_SPAN)
		return;
	span = ticks - clock->first_ticks;
	scale = ((unsigned __int128)(uint64_t)(now - clock->first_time) << 32) / span;
	if (scale > 0 && scale <= UINT64_MAX >> 8)
		publish(clock, now, ticks, (uint64_t)scale);
}

void
port_clock_stop(struct port_clock *clock)
{
	clock->source = PORT_CLOCK_NONE;
	atomic_store_explicit(&clock->version, 0, memory_order_release);
}

bool
port_clock_time(const struct port_clock *clock, uint64_t ticks, int64_t now, int64_t *time)
{
	uint32_t before = atomic_load_explicit(&clock->version, memory_order_acquire);
	int64_t base = atomic_load_explicit(&clock->base_time, memory_order_acquire);
	uint64_t base_ticks = atomic_load_explicit(&clock->base_ticks, memory_order_acquire);
	uint64_t scale = atomic_load_explicit(&clock->scale, memory_order_acquire);
	int64_t since;
	__int128 result;

	/* Being written, which takes nanoseconds once a second: this packet has the burst's time.
	 */
	if (before == 0 || before & 1 ||
		before != atomic_load_explicit(&clock->version, memory_order_relaxed))
		return false;
	since = (int64_t)(ticks - base_ticks);
	result = base + (((__int128)since * (__int128)scale) >> 32);
	if (result < now - OLDEST || result > now + NEWEST)
		return false;
	*time = (int64_t)result;
	return true;
}
