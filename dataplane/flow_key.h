/* SPDX-License-Identifier: Apache-2.0 */
/* From the ends of a packet to its flow key and keyed hash. Keys are made and hashed in registers,
 * in words: built field by field, a wide load of the hash would wait for the narrow stores (store
 * forwarding needs a store at least as wide as the load). */
#ifndef CAMSPAN_FLOW_KEY_H
#define CAMSPAN_FLOW_KEY_H

#include "dataplane/flow_packet.h"

#include <endian.h>
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
flow_words_hash(uint64_t low, uint64_t high, uint32_t tenant, const struct flow_secret *secret)
{
	return flow_mix(
		flow_mix(low ^ secret->word[0], high ^ secret->word[1]) ^ tenant ^ secret->word[2],
		secret->word[3]);
}

static inline uint64_t
flow_key_hash(const struct flow_key *key, const struct flow_secret *secret)
{
	uint64_t low, high;

	memcpy(&low, key, 8);
	memcpy(&high, (const uint8_t *)key + 8, 8);
	return flow_words_hash(low, high, key->tenant, secret);
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

/* What both ends share, as the key's second word holds it above the ports. */
static inline uint64_t
flow_key_context(uint8_t protocol, enum address_family family, uint16_t vlan)
{
	return (uint64_t)protocol << 32 | (uint64_t)family << 40 | (uint64_t)vlan << 48;
}

static inline void
flow_key_set(struct flow_packet *packet, uint64_t low, uint64_t high, uint32_t tenant,
	const struct flow_secret *secret)
{
	uint64_t last = tenant;

	memcpy(&packet->key, &low, 8);
	memcpy((uint8_t *)&packet->key + 8, &high, 8);
	memcpy((uint8_t *)&packet->key + 16, &last, 8);
	packet->hash = flow_words_hash(low, high, tenant, secret);
}

/* The key of a flow that goes on in several VLANs. Of its tags only this one is in the key of a
 * plain frame; others were decoded without. */
static inline void
flow_key_leave_vlan_out(struct flow_packet *packet, const struct flow_secret *secret)
{
	uint64_t low, high;

	memcpy(&low, &packet->key, 8);
	memcpy(&high, (const uint8_t *)&packet->key + 8, 8);
	flow_key_set(packet, low, high & (UINT64_MAX >> 16), packet->key.tenant, secret);
}

/* `value` with its halves exchanged if `swap`. Which end is lower is a coin's toss: no branch. */
static inline uint64_t
flow_swap_halves(uint64_t value, bool swap)
{
	unsigned by = (unsigned)swap << 5;

	return value << by | value >> ((64 - by) & 63);
}

static inline uint32_t
flow_swap_ports(uint32_t value, bool swap)
{
	unsigned by = (unsigned)swap << 4;

	return value << by | value >> ((32 - by) & 31);
}

/* `addresses` as in the header: source in the low half; `ports` in host order: source in the high
 * half. End 0 holds the numerically lower (address, port). Sets key, hash and end. */
static inline void
flow_key_ipv4(struct flow_packet *packet, uint64_t addresses, uint32_t ports, uint64_t context,
	uint32_t tenant, const struct flow_secret *secret)
{
	uint64_t host = __builtin_bswap64(addresses); /* source in the high half */
	uint64_t from = host >> 32 << 16 | ports >> 16;
	uint64_t to = (host & UINT32_MAX) << 16 | (ports & 0xffff);
	bool swap = from > to;

	packet->end = swap;
	packet->ipv6 = false;
	/* The low half of the key's ports is end 0's. */
	flow_key_set(packet, flow_swap_halves(addresses, swap),
		flow_swap_ports(ports, !swap) | context, tenant, secret);
}

static inline uint32_t
flow_fold_ipv6(const uint64_t words[2], const struct flow_secret *secret)
{
	return (uint32_t)flow_mix(words[0] ^ secret->word[4], words[1] ^ secret->word[5]);
}

static inline unsigned __int128
flow_ipv6_number(const uint64_t words[2])
{
	return (unsigned __int128)be64toh(words[0]) << 64 | be64toh(words[1]);
}

/* The same for IPv6, which also sets the full addresses in the key's order. */
static inline void
flow_key_ipv6(struct flow_packet *packet, struct flow_wide *wide, const uint8_t source[16],
	const uint8_t destination[16], uint32_t ports, uint64_t context, uint32_t tenant,
	const struct flow_secret *secret)
{
	uint64_t from[2], to[2], folds;
	bool swap;

	memcpy(from, source, sizeof(from));
	memcpy(to, destination, sizeof(to));
	swap = flow_ipv6_number(from) > flow_ipv6_number(to) ||
	       (from[0] == to[0] && from[1] == to[1] && ports >> 16 > (ports & 0xffff));
	folds = (uint64_t)flow_fold_ipv6(to, secret) << 32 | flow_fold_ipv6(from, secret);
	memcpy(wide->address[swap], from, sizeof(from));
	memcpy(wide->address[!swap], to, sizeof(to));
	packet->end = swap;
	packet->ipv6 = true;
	flow_key_set(packet, flow_swap_halves(folds, swap), flow_swap_ports(ports, !swap) | context,
		tenant, secret);
}

/* What a decoded IP packet means to its flow: everything but candidate and frame, and `wide` for
 * IPv6. The long way; plain_decode.h has the short one. */
void flow_packet_summarize(const struct packet *packet, const struct flow_secret *secret,
	struct flow_packet *flow_packet, struct flow_wide *wide);

#endif
