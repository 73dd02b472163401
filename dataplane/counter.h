/* SPDX-License-Identifier: Apache-2.0 */
/* A counter with one writer and any number of readers. On x86 both compile to plain moves; to the
 * language they are no data race. */
#ifndef CAMSPAN_COUNTER_H
#define CAMSPAN_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t value;
};

static inline void
counter_add(struct counter *counter, uint64_t amount)
{
	uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);

	atomic_store_explicit(&counter->value, value + amount, memory_order_relaxed);
}

static inline uint64_t
counter_read(const struct counter *counter)
{
	return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

#endif
