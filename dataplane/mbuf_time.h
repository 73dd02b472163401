/* SPDX-License-Identifier: Apache-2.0 */
/* The time of a packet, carried in its mbuf from the lcore that received it. It takes the place of
 * the port's hash, which nobody reads any more: that is in the mbuf's first cache line, which both
 * lcores touch anyway. A dynamic field would be in the second. */
#ifndef CAMSPAN_MBUF_TIME_H
#define CAMSPAN_MBUF_TIME_H

#include <rte_mbuf.h>
#include <string.h>

_Static_assert(sizeof(((struct rte_mbuf *)0)->hash) >= sizeof(int64_t), "room for a time");
_Static_assert(offsetof(struct rte_mbuf, hash) + sizeof(int64_t) <= RTE_CACHE_LINE_MIN_SIZE,
	"in the first cache line");

static inline void
mbuf_set_time(struct rte_mbuf *mbuf, int64_t time)
{
	memcpy(&mbuf->hash, &time, sizeof(time));
}

static inline int64_t
mbuf_time(const struct rte_mbuf *mbuf)
{
	int64_t time;

	memcpy(&time, &mbuf->hash, sizeof(time));
	return time;
}

#endif
