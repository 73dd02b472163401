/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic traffic on the same lcore: 64 B frames of random flows out of a known set. Both sides
 * of a comparison get the same packets from the same pool. */
#ifndef CAMSPAN_BENCH_GENERATOR_H
#define CAMSPAN_BENCH_GENERATOR_H

#include <stdint.h>

#define GENERATOR_BURST 32

struct rte_mbuf;
struct rte_mempool;

struct generator {
	struct rte_mempool *pool;
	uint32_t flow_mask; /* flows - 1; flows is a power of two */
	uint64_t random;
};

void generator_init(struct generator *generator, struct rte_mempool *pool, uint32_t flows);
/* One burst of frames of random flows; the caller frees them. Aborts when the pool is empty: the
 * benchmark would measure nothing. */
void generator_burst(struct generator *generator, struct rte_mbuf *mbufs[GENERATOR_BURST]);
/* The same for flows first..first+31, to make each flow known once. */
void generator_burst_from(
	struct generator *generator, uint32_t first, struct rte_mbuf *mbufs[GENERATOR_BURST]);

#endif
