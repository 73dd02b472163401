/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that table.c lists, and what their files share. */
#ifndef CAMSPAN_EXPORTERS_EXPORTERS_H
#define CAMSPAN_EXPORTERS_EXPORTERS_H

#include "exporters/exporter.h"

#include <stdatomic.h>

extern const struct exporter file_exporter;
extern const struct exporter state_exporter;
extern const struct exporter kafka_exporter;
extern const struct exporter redis_exporter;

static inline void
counter_add(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

/* `own` of a flush, or the run's: that one may be moved up while the flush goes on. */
static inline int64_t
flush_deadline(const struct exporter_run *run, int64_t own)
{
	int64_t deadline = atomic_load_explicit(&run->deadline, memory_order_relaxed);

	return deadline < own ? deadline : own;
}

static inline uint64_t
counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
