/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/reference.h"

#include "dataplane/likely.h"

#include <emmintrin.h>
#include <rte_mbuf.h>
#include <string.h>

#define SLOTS 8

struct bucket {
	uint16_t tag[SLOTS];
	uint32_t index[SLOTS];
	uint32_t unused[4];
} __attribute__((aligned(64)));

struct entry {
	__m128i key; /* protocol, addresses, ports */
	uint64_t packets;
	uint64_t bytes;
	uint64_t last;
	uint64_t unused[3];
} __attribute__((aligned(64)));

struct reference {
	struct bucket *buckets;
	struct entry *entries;
	uint64_t mask;
	uint32_t used, size;
	uint64_t misses;
	const struct memory_source *memory;
};

struct reference *
reference_create(uint32_t flows, const struct memory_source *memory)
{
	struct reference *reference = memory_allocate(memory, "reference", sizeof(*reference));
	uint64_t buckets = 1;

	if (reference == NULL)
		return NULL;
	while (buckets * SLOTS < flows * UINT64_C(2))
		buckets *= 2;
	reference->memory = memory;
	reference->mask = buckets - 1;
	reference->size = flows;
	reference->buckets = memory_allocate(memory, "buckets", buckets * sizeof(struct bucket));
	reference->entries = memory_allocate(memory, "entries", flows * sizeof(struct entry));
	if (reference->buckets && reference->entries)
		return reference;
	reference_free(reference);
	return NULL;
}

void
reference_free(struct reference *reference)
{
	if (reference->buckets)
		reference->memory->release(reference->buckets);
	if (reference->entries)
		reference->memory->release(reference->entries);
	reference->memory->release(reference);
}

/* IPv4 without options: the 16 bytes from TTL on hold protocol, addresses; the ports follow. */
static inline __m128i
load_key(const uint8_t *frame)
{
	const __m128i mask = _mm_set_epi32(-1, -1, -1, 0x0000ff00);
	__m128i header = _mm_and_si128(_mm_loadu_si128((const __m128i *)(frame + 22)), mask);
	uint32_t ports;

	memcpy(&ports, frame + 34, sizeof(ports));
	return _mm_or_si128(_mm_and_si128(header, _mm_set_epi32(0, -1, -1, 0xff00)),
		_mm_set_epi32((int)ports, 0, 0, 0));
}

static inline uint64_t
hash_key(__m128i key)
{
	uint64_t low = (uint64_t)_mm_cvtsi128_si64(key);
	uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(key, key));
	unsigned __int128 product = (unsigned __int128)(low ^ UINT64_C(0xa0761d6478bd642f)) *
				    (high ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint16_t
tag_of(uint64_t hash)
{
	return (uint16_t)(hash >> 48) | 1;
}

static inline bool
is_plain_ipv4_udp_or_tcp(const uint8_t *frame, uint32_t length)
{
	return length >= 42 && frame[12] == 0x08 && frame[13] == 0 && frame[14] == 0x45 &&
	       (frame[23] == 17 || frame[23] == 6);
}

static inline unsigned
matches(const struct bucket *bucket, uint16_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)bucket->tag);
	__m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
}

/* A bucket that is full leaves its flow to its neighbour in the same pair of lines. */
static struct bucket *
neighbour(struct reference *reference, uint64_t hash)
{
	return &reference->buckets[(hash & reference->mask) ^ 1];
}

static struct entry *
add_entry(struct reference *reference, __m128i key, uint64_t hash)
{
	struct bucket *bucket = &reference->buckets[hash & reference->mask];
	unsigned empty = matches(bucket, 0);
	struct entry *entry;

	if (empty == 0) {
		bucket = neighbour(reference, hash);
		empty = matches(bucket, 0);
	}
	if (reference->used == reference->size || empty == 0)
		return NULL;
	entry = &reference->entries[reference->used];
	entry->key = key;
	bucket->tag[__builtin_ctz(empty)] = tag_of(hash);
	bucket->index[__builtin_ctz(empty)] = reference->used++;
	return entry;
}

static inline bool
holds(const struct entry *entry, __m128i key)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi8(entry->key, key)) == 0xffff;
}

static struct entry *
search(struct reference *reference, const struct bucket *bucket, __m128i key, uint64_t hash)
{
	for (unsigned mask = matches(bucket, tag_of(hash)); mask; mask &= mask - 1) {
		struct entry *entry = &reference->entries[bucket->index[__builtin_ctz(mask)]];

		if (holds(entry, key))
			return entry;
	}
	return NULL;
}

/* Not the first entry whose tag matched: another of the bucket, of its neighbour, or a new one. */
static struct entry *
find_or_add(struct reference *reference, __m128i key, uint64_t hash)
{
	struct bucket *bucket = &reference->buckets[hash & reference->mask];
	struct entry *entry = search(reference, bucket, key, hash);

	if (entry == NULL)
		entry = search(reference, neighbour(reference, hash), key, hash);
	if (entry == NULL) {
		reference->misses++;
		entry = add_entry(reference, key, hash);
	}
	return entry;
}

void
reference_burst(struct reference *reference, struct rte_mbuf *mbufs[GENERATOR_BURST], uint64_t now)
{
	__m128i keys[GENERATOR_BURST];
	uint64_t hashes[GENERATOR_BURST];
	struct entry *candidates[GENERATOR_BURST];

	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);

		if (UNLIKELY(!is_plain_ipv4_udp_or_tcp(frame, mbufs[i]->data_len)))
			return;
		keys[i] = load_key(frame);
		hashes[i] = hash_key(keys[i]);
		__builtin_prefetch(&reference->buckets[hashes[i] & reference->mask]);
	}
	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		struct bucket *bucket = &reference->buckets[hashes[i] & reference->mask];
		unsigned mask = matches(bucket, tag_of(hashes[i]));

		/* Without a match the first slot's: any entry will do to be compared in vain. */
		candidates[i] = &reference->entries[bucket->index[mask ? __builtin_ctz(mask) : 0]];
		__builtin_prefetch(candidates[i], 1);
	}
	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		struct entry *entry = candidates[i];

		if (UNLIKELY(!holds(entry, keys[i])))
			entry = find_or_add(reference, keys[i], hashes[i]);
		if (UNLIKELY(entry == NULL))
			continue;
		entry->packets++;
		entry->bytes += mbufs[i]->pkt_len;
		entry->last = now;
	}
}

uint64_t
reference_misses(const struct reference *reference)
{
	return reference->misses;
}
