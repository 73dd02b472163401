/* SPDX-License-Identifier: Apache-2.0 */
/* The hash by which ports choose a queue (receive-side scaling): its key, and the same in software,
 * so that what a port is told can be checked. Free of DPDK. */
#ifndef CAMSPAN_RSS_H
#define CAMSPAN_RSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSS_KEY_MIN 40  /* an IPv6 pair with ports takes 36 bytes and a window of 4 */
#define RSS_KEY_MAX 255 /* a port tells its length in a byte */

/* A key under which both directions of a flow hash alike: it repeats every 16 bits, so that what a
 * 16-bit word adds to the hash does not depend on which of them it is (Woo and Park, "Scalable TCP
 * session monitoring with symmetric receive-side scaling", 2012). */
void rss_symmetric_key(uint8_t *key, size_t length);
/* Whether a key that a port reports to use has that property. */
bool rss_key_is_symmetric(const uint8_t *key, size_t length);

/* The Toeplitz hash over addresses, then ports, in network order. The key must be 4 bytes longer
 * than the input; the rest of a shorter one counts as zero. */
uint32_t rss_toeplitz(
	const uint8_t *key, size_t key_length, const uint8_t *input, size_t input_length);
/* The queue that a table of `size` entries, a power of two, filled in turn with `queues` queues,
 * has for a hash. */
uint16_t rss_queue(uint32_t hash, uint16_t size, uint16_t queues);

#endif
