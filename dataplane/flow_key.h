/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded packet to its flow key and keyed hash. */
#ifndef CAMSPAN_FLOW_KEY_H
#define CAMSPAN_FLOW_KEY_H

#include "dataplane/flow.h"

#include <string.h>

/* Secret multipliers. Whoever knows them can make collisions; nobody else can do better than
 * chance: each step multiplies (word + secret) pairs to 128 bits and folds, an almost-universal
 * family (NH, RFC 4418 section 5.2.2). */
struct flow_secret {
	uint64_t word[6];
};

/* Fills the secret from the kernel's random source. Returns 0 or -errno. */
int flow_secret_random(struct flow_secret *secret);

static inline uint64_t
flow_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The wide addresses are hashed into the key's folds already, so 20 bytes decide. */
static inline uint64_t
flow_key_hash(const struct flow_key *key, const struct flow_secret *secret)
{
	uint64_t low, high;

	memcpy(&low, key, 8);
	memcpy(&high, (const uint8_t *)key + 8, 8);
	return flow_mix(flow_mix(low ^ secret->word[0], high ^ secret->word[1]) ^ key->tenant ^
				secret->word[2],
		secret->word[3]);
}

/* Builds the key of a decoded IP packet. Returns the end of the key that sent it (0 or 1). `wide`
 * is written for IPv6 only. */
unsigned flow_key_from_packet(const struct packet *packet, const struct flow_secret *secret,
	struct flow_key *key, struct flow_wide *wide);

#endif
