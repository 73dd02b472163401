/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of bench_micro. Each adds its benchmarks; what they need lives as long as the rig. */
#ifndef CAMSPAN_BENCH_MICRO_SUITES_H
#define CAMSPAN_BENCH_MICRO_SUITES_H

#include "bench/micro.h"
#include "bench/rig.h"

#include <stdbool.h>

struct micro_lab {
	struct rig *rig;
	bool smoke; /* small tables only */
};

void micro_add_decode(const struct micro_lab *lab);
void micro_add_flow(const struct micro_lab *lab);
void micro_add_classifiers(const struct micro_lab *lab);
void micro_add_events(const struct micro_lab *lab);
void micro_add_pipeline(const struct micro_lab *lab);

/* Keeps a result from being optimised away. */
static inline void
micro_use(const void *result)
{
	__asm__ volatile("" : : "r"(result) : "memory");
}

#endif
