/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames belong together: a keyed hash of the innermost pair of IP addresses of an Ethernet
 * frame, the same for both directions. Free of DPDK.
 *
 * Addresses only, no ports: a later fragment has none and must follow its flow, and so everything
 * between a camera and its recorder (RTSP, RTP, RTCP, ONVIF) meets at one worker. The price is that
 * one busy pair of hosts cannot be divided among workers.
 *
 * The walk looks through VLAN, MPLS, PPPoE, IP in IP, GRE, ERSPAN I to III, VXLAN, Geneve,
 * GTP-U and Teredo. What it cannot read goes by the innermost pair that it could, else by its MAC
 * addresses.
 */
#ifndef CAMSPAN_SPREAD_HASH_H
#define CAMSPAN_SPREAD_HASH_H

#include <stdint.h>

/* What the hash was made of. */
enum spread_basis {
	SPREAD_NOTHING, /* shorter than an Ethernet header: hash 0 */
	SPREAD_MACS,
	SPREAD_IPV4,
	SPREAD_IPV6,
};

struct spread_hash {
	uint64_t value;
	uint32_t basis; /* enum spread_basis */
};

/* Without it nobody can choose addresses that all go to one worker. */
struct spread_secret {
	uint64_t word[4];
};

/* Fills the secret from the kernel's random source. Returns 0 or -errno. */
int spread_secret_random(struct spread_secret *secret);

/* `captured` bytes at `frame`, which begin with an Ethernet header. */
struct spread_hash spread_hash(
	const struct spread_secret *secret, const uint8_t *frame, uint32_t captured);

/* One of `count` by the upper half of the hash, without a division. */
static inline uint32_t
spread_choose(uint64_t hash, uint32_t count)
{
	return (uint32_t)((hash >> 32) * count >> 32);
}

/* True for one in `interval`, independently of spread_choose(). */
static inline int
spread_is_sampled(uint64_t hash, uint32_t interval)
{
	return (hash & UINT32_MAX) * interval >> 32 == 0;
}

#endif
