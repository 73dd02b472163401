/* SPDX-License-Identifier: Apache-2.0 */
/* How unevenly work is divided: the busiest share against the mean. Free of DPDK. */
#ifndef CAMSPAN_IMBALANCE_H
#define CAMSPAN_IMBALANCE_H

#include <stdint.h>

#define IMBALANCE_SHARES_MAX    512
#define IMBALANCE_LEAST_PACKETS 1000 /* a share: fewer say nothing */

struct imbalance {
	unsigned count;
	uint64_t last[IMBALANCE_SHARES_MAX];
	uint64_t now[IMBALANCE_SHARES_MAX];
};

/* Begins a look at `count` shares, all 0. */
void imbalance_begin(struct imbalance *imbalance, unsigned count);
/* Adds to the counter, cumulative since the start, of a share. */
void imbalance_add(struct imbalance *imbalance, unsigned share, uint64_t packets);
/* Ends the look. Per cent of the mean that the busiest share had since the last look: 100 is even,
 * 100 x count is everything in one. 0: one share only, or too few packets to say. `busiest` may be
 * NULL. */
unsigned imbalance_percent(struct imbalance *imbalance, unsigned *busiest);

#endif
