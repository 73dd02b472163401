/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/imbalance.h"

#include <string.h>

void
imbalance_begin(struct imbalance *imbalance, unsigned count)
{
	imbalance->count = count < IMBALANCE_SHARES_MAX ? count : IMBALANCE_SHARES_MAX;
	memset(imbalance->now, 0, sizeof(imbalance->now));
}

void
imbalance_add(struct imbalance *imbalance, unsigned share, uint64_t packets)
{
	if (share < imbalance->count)
		imbalance->now[share] += packets;
}

unsigned
imbalance_percent(struct imbalance *imbalance, unsigned *busiest)
{
	uint64_t total = 0, most = 0;

	for (unsigned i = 0; i < imbalance->count; i++) {
		uint64_t share = imbalance->now[i] - imbalance->last[i];

		imbalance->last[i] = imbalance->now[i];
		total += share;
		if (share <= most)
			continue;
		most = share;
		if (busiest)
			*busiest = i;
	}
	if (imbalance->count < 2 || total < (uint64_t)IMBALANCE_LEAST_PACKETS * imbalance->count)
		return 0;
	return (unsigned)(most * 100 * imbalance->count / total);
}
