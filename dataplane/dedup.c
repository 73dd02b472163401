/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/dedup.h"

#include "dataplane/flow_key.h"
#include "dataplane/likely.h"
#include "dataplane/plain_decode.h"
#include "dataplane/records/wire.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define PROTOCOL_NONE 255 /* reserved: the middle of a datagram, without a transport header */

#define IPV6_HEADER 40

/* What is compared of the first words of a header, first byte highest. IPv4: version, total length,
 * identification, more-fragments and offset; then protocol and source. IPv6: version, payload
 * length, next header. */
#define IPV4_FIRST    UINT64_C(0xf000ffffffff3fff)
#define IPV4_SECOND   UINT64_C(0x00ff0000ffffffff)
#define IPV6_FIRST    UINT64_C(0xf0000000ffffff00)
#define UDP_HEADER    UINT64_C(0xffffffffffff0000) /* all but the checksum */
#define TCP_LAST      UINT32_C(0x0000ffff)         /* bytes 16 to 19: the urgent pointer */
#define ICMP_HEADER   UINT32_C(0xffff0000)         /* type and code */
#define SCTP_PREAMBLE 12

/* Each pair of words has two secret words of its own, so that its place counts. Pairs are added up,
 * and after each block of eight the sum is multiplied on, so that the block's place counts too. */
enum {
	SECRET_HEADER = 0,
	SECRET_BODY = 12,
	BLOCK_PAIRS = 8,
	PAIR = 16,
	BLOCK = BLOCK_PAIRS * PAIR,
	SECRET_CHAIN = SECRET_BODY + 2 * BLOCK_PAIRS,
	SECRET_END = SECRET_CHAIN + 2,
	SECRET_LONG = SECRET_END + 2,
	LONG_BLOCK = 1024,
};

_Static_assert(DEDUP_SECRET_WORDS % 32 == 0, "see fill_secret()");
_Static_assert(SECRET_LONG + LONG_BLOCK / 8 == DEDUP_SECRET_WORDS, "every key has its own words");
_Static_assert(sizeof(struct dedup_bucket) == 64, "a look-up is one cache line");

#define MILLISECOND INT64_C(1000000)

uint32_t
dedup_ports_of(const struct config *config, bool replay)
{
	const struct config_dataplane *dataplane = &config->dataplane;
	uint32_t ports = 0;

	for (size_t i = 0; i < dataplane->port_count && i < DEDUP_PORTS_MAX; i++)
		ports |= (uint32_t)dataplane->ports[i].deduplicate << i;
	return replay ? (ports & 1) | dataplane->deduplication.captures : ports;
}

static uint64_t
bucket_count(const struct config *config)
{
	uint64_t count = 1;

	while (count * DEDUP_WAYS < config->dataplane.deduplication.entries)
		count *= 2;
	return count;
}

uint64_t
dedup_memory(const struct config *config)
{
	uint64_t flows = config->flows.ipv4_max + (uint64_t)config->flows.ipv6_max;

	if (dedup_ports_of(config, false) == 0)
		return 0;
	return bucket_count(config) * sizeof(struct dedup_bucket) + flows * sizeof(uint16_t);
}

static ALWAYS_INLINE uint64_t
pair_hash(uint64_t a, uint64_t b, const uint64_t *secret)
{
	return flow_mix(a ^ secret[0], b ^ secret[1]);
}

/* 1 to 15 bytes: the words overlap so that no byte is left out. */
static uint64_t
short_hash(const uint8_t *at, uint32_t length, const uint64_t *secret)
{
	if (length >= 8)
		return pair_hash(load_u64(at), load_u64(at + length - 8), secret);
	if (length >= 4)
		return pair_hash(load_u32(at), load_u32(at + length - 4), secret);
	return pair_hash(at[0], (uint64_t)at[length / 2] << 8 | at[length - 1], secret);
}

/* 16 bytes to a block; the last pair may overlap the one before. */
static ALWAYS_INLINE uint64_t
block_hash(uint64_t sum, const uint8_t *at, uint32_t length, const uint64_t *secret)
{
	const uint64_t *key = secret + SECRET_BODY;
	const uint8_t *last = at + length - PAIR;

#pragma GCC unroll 7
	for (unsigned i = 0; i < BLOCK_PAIRS - 1 && at < last; i++, at += PAIR, key += 2)
		sum += pair_hash(load_u64(at), load_u64(at + 8), key);
	return sum + pair_hash(load_u64(last), load_u64(last + 8), key);
}

static __attribute__((noinline)) uint64_t
long_hash(uint64_t sum, const uint8_t *at, uint32_t length, const uint64_t *secret)
{
	const uint8_t *end = at + length;

	for (; end - at > BLOCK; at += BLOCK) {
		for (unsigned i = 0; i < BLOCK; i += PAIR)
			sum += pair_hash(load_u64(at + i), load_u64(at + i + 8),
				secret + SECRET_BODY + i / 8);
		sum = flow_mix(sum ^ secret[SECRET_CHAIN], secret[SECRET_CHAIN + 1]);
	}
	/* At least one block lies before: what is less than a pair may reach back into it. */
	if (end - at < PAIR)
		at = end - PAIR;
	return block_hash(sum, at, (uint32_t)(end - at), secret);
}

#ifdef __x86_64__
/* The same for CPUs with AVX2, four times as fast: NH in words of 32 bits (RFC 4418 section 5.2.2),
 * four sums beside each other. Two given bodies collide with a chance of 1 in 2^32 at most. At
 * least a block. */
static __attribute__((target("avx2"))) uint64_t
long_hash_avx2(uint64_t sum, const uint8_t *at, uint32_t length, const uint64_t *secret)
{
	const uint8_t *end = at + length, *last = end - sizeof(__m256i);

	while (at < end) {
		const uint8_t *key = (const uint8_t *)(secret + SECRET_LONG);
		const uint8_t *stop = end - at > LONG_BLOCK ? at + LONG_BLOCK : end;
		__m256i sums = _mm256_setzero_si256();
		uint64_t words[4];

		for (; at < stop; at += sizeof(__m256i), key += sizeof(__m256i)) {
			/* The last bytes, which may overlap those before them. */
			const uint8_t *from = at < last ? at : last;
			__m256i data = _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)from),
				_mm256_loadu_si256((const __m256i *)key));

			sums = _mm256_add_epi64(
				sums, _mm256_mul_epu32(data, _mm256_srli_epi64(data, 32)));
		}
		_mm256_storeu_si256((__m256i *)words, sums);
		sum += pair_hash(words[0], words[1], secret + SECRET_BODY);
		sum += pair_hash(words[2], words[3], secret + SECRET_BODY + 2);
		sum = flow_mix(sum ^ secret[SECRET_CHAIN], secret[SECRET_CHAIN + 1]);
	}
	return sum;
}
#endif

void
dedup_use_portable_hash(struct dedup *dedup)
{
	dedup->long_hash = long_hash;
}

static void
choose_long_hash(struct dedup *dedup)
{
	dedup_use_portable_hash(dedup);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		dedup->long_hash = long_hash_avx2;
#endif
}

/* Adds `length` bytes, any number of them, to the sum. */
static ALWAYS_INLINE uint64_t
body_hash(const struct dedup *dedup, uint64_t sum, const uint8_t *at, uint32_t length)
{
	const uint64_t *secret = dedup->secret;

	if (UNLIKELY(length > BLOCK))
		return dedup->long_hash(sum, at, length, secret);
	if (LIKELY(length >= PAIR))
		return block_hash(sum, at, length, secret);
	return length ? sum + short_hash(at, length, secret + SECRET_BODY) : sum;
}

/* Adds both headers without what changes on the way. `rare`: what hardly any packet has, and what
 * each protocol adds to it. Leaves in `transport` where that begins which is compared whole. Both
 * headers are captured. */
static ALWAYS_INLINE uint64_t
headers_hash(const uint8_t *ip, const uint8_t **transport, uint8_t protocol, bool ipv6,
	uint64_t context, uint64_t rare, const uint64_t *secret)
{
	const uint8_t *at = *transport;
	uint64_t sum, first = 0;

	if (ipv6) {
		sum = pair_hash(load_u64(ip) & htobe64(IPV6_FIRST), load_u64(ip + 8), secret);
		sum += pair_hash(load_u64(ip + 16), load_u64(ip + 24), secret + 2);
		sum += pair_hash(load_u64(ip + 32), context, secret + 4);
	} else {
		sum = pair_hash(load_u64(ip) & htobe64(IPV4_FIRST),
			load_u64(ip + 8) & htobe64(IPV4_SECOND), secret);
		context |= (uint64_t)load_u32(ip + 16) << 32;
	}
	if (protocol == PROTOCOL_UDP) {
		first = load_u64(at) & htobe64(UDP_HEADER);
		*transport = at + PLAIN_UDP_HEADER;
	} else if (protocol == PROTOCOL_TCP) {
		first = load_u64(at);
		sum += pair_hash(load_u64(at + 8), 0, secret + 6);
		rare |= load_u32(at + 16) & htobe32(TCP_LAST);
		*transport = at + PLAIN_TCP_HEADER;
	} else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
		first = load_u32(at) & htobe32(ICMP_HEADER);
		*transport = at + sizeof(uint32_t);
	} else if (protocol == PROTOCOL_SCTP) {
		first = load_u64(at);
		*transport = at + SCTP_PREAMBLE;
	}
	sum += pair_hash(first, context, secret + 8);
	return UNLIKELY(rare) ? sum + pair_hash(rare, 0, secret + 10) : sum;
}

static ALWAYS_INLINE uint64_t
finish_hash(uint64_t sum, const uint64_t *secret)
{
	return flow_mix(sum ^ secret[SECRET_END], secret[SECRET_END + 1]);
}

/* Extension headers are compared whole: fragments differ there. */
static uint64_t
extensions_hash(const struct dedup *dedup, const struct packet *packet)
{
	uint32_t at = packet->l3 + IPV6_HEADER;

	if (packet->l3_kind != PACKET_L3_IPV6 || packet->l4 <= at)
		return 0;
	return finish_hash(body_hash(dedup, 0, packet->data + at, packet->l4 - at), dedup->secret);
}

static uint32_t
compared_length(const struct dedup *dedup, const uint8_t *body, const uint8_t *end)
{
	uint32_t length = (uint32_t)(end - body);

	return length < dedup->compared_bytes ? length : dedup->compared_bytes;
}

/* How much of the transport header headers_hash() reads. */
static uint32_t
header_size(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return PLAIN_TCP_HEADER;
	case PROTOCOL_UDP:
		return PLAIN_UDP_HEADER;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return sizeof(uint32_t);
	case PROTOCOL_SCTP:
		return SCTP_PREAMBLE;
	default:
		return 0;
	}
}

/* Of a packet whose innermost datagram the decoder found, cut or not, fragment or not. A first
 * fragment may be too short for its transport header. */
static __attribute__((noinline)) uint64_t
viewed_hash(const struct dedup *dedup, const struct packet *packet, uint64_t context, uint64_t rare)
{
	uint32_t wire_end = packet->payload + packet->payload_wire_length;
	uint32_t end = wire_end < packet->captured ? wire_end : packet->captured;
	bool whole = !(packet->flags & PACKET_LATER_FRAGMENT) &&
		     packet->l4 + header_size(packet->protocol) <= end;
	const uint8_t *body = packet->data + packet->l4;
	uint64_t sum = extensions_hash(dedup, packet);
	uint32_t length;

	sum += headers_hash(packet->data + packet->l3, &body,
		whole ? packet->protocol : PROTOCOL_NONE, packet->l3_kind == PACKET_L3_IPV6,
		context, rare, dedup->secret);
	length = compared_length(dedup, body, packet->data + end);
	return finish_hash(body_hash(dedup, sum, body, length), dedup->secret);
}

static ALWAYS_INLINE uint64_t
plain_hash(const struct dedup *dedup, const struct frame_view *frame,
	const struct flow_packet *flow_packet, uint64_t context, uint64_t rare)
{
	const uint8_t *ip = frame->data + flow_packet->l3;
	const uint8_t *body = ip + (flow_packet->ipv6 ? PLAIN_IPV6_HEADER : PLAIN_IPV4_HEADER);
	uint64_t sum = headers_hash(ip, &body, flow_packet->key.protocol, flow_packet->ipv6,
		context, rare, dedup->secret);
	uint32_t length = compared_length(dedup, body, ip + flow_packet->octets);

	return finish_hash(body_hash(dedup, sum, body, length), dedup->secret);
}

/* Never 0; starts to fetch its bucket. */
static ALWAYS_INLINE uint64_t
fingerprint(const struct dedup *dedup, const struct frame_view *frame, const struct packet *view,
	const struct flow_packet *flow_packet)
{
	uint64_t context = (frame->observation_point | (uint64_t)flow_packet->key.vlan << 16) &
			   dedup->context_mask;
	uint64_t rare = (uint64_t)flow_packet->key.tenant << 32;
	uint64_t print = UNLIKELY(view != NULL)
				 ? viewed_hash(dedup, view, context, rare)
				 : plain_hash(dedup, frame, flow_packet, context, rare);

	print |= print == 0;
	__builtin_prefetch(&dedup->buckets[print & dedup->mask], 1, 3);
	return print;
}

static bool
is_in_window(const struct dedup *dedup, uint32_t time, uint32_t other)
{
	return time - other + dedup->window <= 2 * dedup->window;
}

/* The fingerprint is in the bucket: does it tell of a copy? */
static __attribute__((noinline)) bool
is_recent(
	const struct dedup *dedup, const struct dedup_bucket *bucket, uint64_t print, uint32_t time)
{
	for (unsigned way = 0; way < DEDUP_WAYS; way++)
		if (bucket->print[way] == print && is_in_window(dedup, time, bucket->time[way]))
			return true;
	return false;
}

/* A copy may bear the earlier time where two sources were merged, so the window lies on both sides.
 * A hit does not renew the entry: of packets that repeat for ever, one in each window counts. */
static ALWAYS_INLINE bool
is_copy(struct dedup *dedup, uint64_t print, uint32_t time)
{
	struct dedup_bucket *bucket = &dedup->buckets[print & dedup->mask];
	unsigned way = bucket->next;
	bool known = false;

	/* Which way is hit is a coin's toss: no branch on each. */
	for (unsigned i = 0; i < DEDUP_WAYS; i++)
		known |= bucket->print[i] == print;
	if (UNLIKELY(known) && is_recent(dedup, bucket, print, time))
		return true;
	dedup->crowded += (bucket->print[way] != 0) & is_in_window(dedup, time, bucket->time[way]);
	bucket->print[way] = print;
	bucket->time[way] = time;
	bucket->next = way + 1 < DEDUP_WAYS ? way + 1 : 0;
	return false;
}

unsigned
dedup_burst(struct dedup *dedup, const struct dedup_input *input, struct flow_packet *flow_packets,
	struct flow_wide *wide)
{
	uint64_t prints[DEDUP_BURST];
	unsigned kept = 0;

	for (unsigned i = 0; i < input->count; i++) {
		unsigned number = flow_packets[i].frame;
		const struct frame_view *frame = &input->frames[number];
		bool viewed = input->viewed & UINT32_C(1) << number;

		prints[i] =
			dedup_compares(dedup, frame->observation_point)
				? fingerprint(dedup, frame, viewed ? &input->views[number] : NULL,
					  &flow_packets[i])
				: 0;
	}
	for (unsigned i = 0; i < input->count; i++) {
		const struct frame_view *frame = &input->frames[flow_packets[i].frame];

		if (prints[i] &&
			is_copy(dedup, prints[i], (uint32_t)(frame->time >> DEDUP_TICK_SHIFT))) {
			dedup->copies[frame->observation_point]++;
			continue;
		}
		if (kept != i) {
			flow_packets[kept] = flow_packets[i];
			wide[kept] = wide[i];
		}
		kept++;
	}
	return kept;
}

void
dedup_health(const struct dedup *dedup, struct health_record *health)
{
	if (dedup->ports == 0)
		return;
	health_add(health, "deduplication.crowded", HEALTH_COUNTER, dedup->crowded);
	for (unsigned port = 0; port < DEDUP_PORTS_MAX; port++)
		if (dedup->ports >> port & 1)
			health_add(health, dedup->names[port], HEALTH_COUNTER, dedup->copies[port]);
}

/* The kernel gives up to 256 bytes at a time without fail. */
static int
fill_secret(uint64_t secret[DEDUP_SECRET_WORDS])
{
	for (unsigned i = 0; i < DEDUP_SECRET_WORDS; i += 32)
		if (getrandom(secret + i, 256, 0) != 256)
			return -errno;
	return 0;
}

static int
allocate(struct dedup *dedup, uint64_t buckets, const uint32_t flows[2])
{
	const struct memory_source *memory = dedup->memory;

	dedup->buckets = memory_allocate(memory, "dedup", buckets * sizeof(struct dedup_bucket));
	if (dedup->buckets == NULL)
		return -ENOMEM;
	for (int ipv6 = 0; ipv6 < 2 && dedup->across_vlans; ipv6++) {
		dedup->flow_vlans[ipv6] =
			memory_allocate(memory, "flow VLANs", flows[ipv6] * sizeof(uint16_t));
		if (dedup->flow_vlans[ipv6] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
dedup_init(struct dedup *dedup, const struct config *config, uint32_t ports,
	const uint32_t flows[2], const struct memory_source *memory)
{
	const struct config_deduplication *settings = &config->dataplane.deduplication;
	uint64_t buckets = bucket_count(config);
	int error;

	memset(dedup, 0, sizeof(*dedup));
	if (ports == 0)
		return 0;
	error = fill_secret(dedup->secret);
	if (error)
		return error;
	choose_long_hash(dedup);
	for (unsigned port = 0; port < DEDUP_PORTS_MAX; port++)
		snprintf(
			dedup->names[port], sizeof(dedup->names[port]), "port.%u.duplicates", port);
	dedup->memory = memory;
	dedup->mask = buckets - 1;
	dedup->window = (uint32_t)((settings->window_ms * MILLISECOND) >> DEDUP_TICK_SHIFT);
	dedup->compared_bytes = settings->compared_bytes;
	dedup->context_mask = (settings->across_ports ? 0 : UINT16_MAX) |
			      (settings->across_vlans ? 0 : (uint64_t)UINT16_MAX << 16);
	dedup->across_vlans = settings->across_vlans;
	dedup->ports = ports;
	return allocate(dedup, buckets, flows);
}

void
dedup_free(struct dedup *dedup)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++)
		if (dedup->flow_vlans[ipv6])
			dedup->memory->release(dedup->flow_vlans[ipv6]);
	if (dedup->buckets)
		dedup->memory->release(dedup->buckets);
	memset(dedup, 0, sizeof(*dedup));
}
