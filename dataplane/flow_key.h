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

static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t words[2][2];

	memcpy(words[0], a, sizeof(words[0]));
	memcpy(words[1], b, sizeof(words[1]));
	return ((words[0][0] ^ words[1][0]) | (words[0][1] ^ words[1][1]) |
		       (a->tenant ^ b->tenant)) == 0;
}

/* Writes a key in two words: field by field, the wide loads of the hash would wait for the narrow
 * stores (store forwarding needs a store at least as wide as the load). */
static inline void
flow_key_write(struct flow_key *key, const uint32_t address[2], const uint16_t port[2],
	const struct packet *packet, enum address_family family)
{
	uint64_t low = (uint64_t)address[0] | (uint64_t)address[1] << 32;
	uint64_t high = (uint64_t)port[0] | (uint64_t)port[1] << 16 |
			(uint64_t)packet->protocol << 32 | (uint64_t)family << 40 |
			(uint64_t)packet_vlan(packet) << 48;

	memcpy(key, &low, 8);
	memcpy((uint8_t *)key + 8, &high, 8);
	key->tenant = packet->tenant;
}

/* Builds the key of a decoded IPv6 packet. Returns the end of the key that sent it (0 or 1). */
unsigned flow_key_ipv6(const struct packet *packet, const struct flow_secret *secret,
	struct flow_key *key, struct flow_wide *wide);

/* The same for IPv4: end 0 holds the numerically lower (address, port). */
static inline unsigned
flow_key_ipv4(const struct packet *packet, struct flow_key *key)
{
	uint32_t source, destination;
	uint64_t from, to;
	unsigned end;

	memcpy(&source, packet->source.bytes, 4);
	memcpy(&destination, packet->destination.bytes, 4);
	from = (uint64_t)__builtin_bswap32(source) << 16 | packet->source_port;
	to = (uint64_t)__builtin_bswap32(destination) << 16 | packet->destination_port;
	end = from > to;
	flow_key_write(key,
		(const uint32_t[2]){end ? destination : source, end ? source : destination},
		(const uint16_t[2]){(uint16_t)(end ? to : from), (uint16_t)(end ? from : to)},
		packet, ADDRESS_IPV4);
	return end;
}

#endif
