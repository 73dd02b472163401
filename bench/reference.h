/* SPDX-License-Identifier: Apache-2.0 */
/* The least that any flow probe must do for a packet of a known flow: decode it, find its bucket
 * line, compare the full key in its entry line, count packets, bytes and time. No timeouts, no
 * directions, no inspection, no reports, nothing else. What the pipeline costs is told as a ratio
 * to it. */
#ifndef CAMSPAN_BENCH_REFERENCE_H
#define CAMSPAN_BENCH_REFERENCE_H

#include "bench/generator.h"
#include "dataplane/memory.h"

struct reference;

/* Room for `flows` flows. NULL when memory is short. */
struct reference *reference_create(uint32_t flows, const struct memory_source *memory);
void reference_free(struct reference *reference);
/* Counts one burst; an unknown flow is added. */
void reference_burst(
	struct reference *reference, struct rte_mbuf *mbufs[GENERATOR_BURST], uint64_t now);
/* Packets that met no entry with their full key: the first of each flow, and what had no room. */
uint64_t reference_misses(const struct reference *reference);

#endif
