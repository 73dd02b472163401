/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/watch.h"

#include "dataplane/flow_key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct member {
	uint64_t words[2]; /* the address */
	uint32_t tenant;
	uint8_t family; /* ADDRESS_NONE: empty */
};

/* Nearly every look finds nothing, so it asks a filter first, which has a bit for each member and
 * eight for each slot: small enough to stay in a cache. */
#define FILTER_BITS_PER_SLOT 8

struct watch_set {
	uint64_t seed[3];
	uint32_t mask;
	uint32_t capacity;
	uint32_t count;
	uint8_t *filter; /* behind the members */
	struct member members[];
};

struct watch_set *
watch_set_create(uint32_t capacity)
{
	uint32_t slots = 8;
	struct watch_set *set;

	while (slots < capacity * UINT64_C(2))
		slots *= 2;
	set = calloc(
		1, sizeof(*set) + slots * (sizeof(set->members[0]) + FILTER_BITS_PER_SLOT / 8));
	if (set == NULL)
		return NULL;
	if (getrandom(set->seed, sizeof(set->seed), 0) != sizeof(set->seed)) {
		free(set);
		return NULL;
	}
	set->seed[2] |= 1;
	set->mask = slots - 1;
	set->capacity = capacity;
	set->filter = (uint8_t *)&set->members[slots];
	return set;
}

void
watch_set_free(struct watch_set *set)
{
	free(set);
}

/* Keyed, as addresses are an attacker's choice; three multiplications, as every new flow asks for
 * both of its ends. */
static uint64_t
hash_of(const struct watch_set *set, uint32_t tenant, uint8_t family, const uint64_t words[2])
{
	return flow_mix(flow_mix(words[0] ^ set->seed[0], words[1] ^ set->seed[1]) ^ tenant ^
				(uint64_t)family << 32,
		set->seed[2]);
}

/* The slot of the address, or the empty one where it would go. Half the slots stay empty. */
static uint32_t
slot_for(const struct watch_set *set, uint64_t hash, uint32_t tenant, uint8_t family,
	const uint64_t words[2])
{
	uint32_t slot = (uint32_t)hash & set->mask;
	const struct member *member = &set->members[slot];

	while (member->family != ADDRESS_NONE &&
		(member->words[0] != words[0] || member->words[1] != words[1] ||
			member->tenant != tenant || member->family != family)) {
		slot = (slot + 1) & set->mask;
		member = &set->members[slot];
	}
	return slot;
}

/* By the half of the hash that chooses no slot. */
static uint8_t *
filter_byte(const struct watch_set *set, uint64_t hash)
{
	return &set->filter[(uint32_t)(hash >> 35) & set->mask];
}

static uint8_t
filter_bit(uint64_t hash)
{
	return (uint8_t)(1u << (hash >> 32 & 7));
}

void
watch_set_add(struct watch_set *set, uint32_t tenant, const struct ip_address *ip)
{
	uint64_t words[2], hash;
	uint32_t slot;

	memcpy(words, ip->bytes, sizeof(words));
	hash = hash_of(set, tenant, ip->family, words);
	slot = slot_for(set, hash, tenant, ip->family, words);
	if (set->members[slot].family != ADDRESS_NONE || set->count == set->capacity ||
		!ip_is_set(ip))
		return;
	set->members[slot] = (struct member){{words[0], words[1]}, tenant, ip->family};
	*filter_byte(set, hash) |= filter_bit(hash);
	set->count++;
}

bool
watch_set_has(const struct watch_set *set, uint32_t tenant, uint8_t family, const uint64_t words[2])
{
	uint64_t hash = hash_of(set, tenant, family, words);

	if (!(*filter_byte(set, hash) & filter_bit(hash)))
		return false;
	return set->members[slot_for(set, hash, tenant, family, words)].family != ADDRESS_NONE;
}

bool
watch_set_equal(const struct watch_set *a, const struct watch_set *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i <= a->mask; i++)
		if (a->members[i].family != ADDRESS_NONE &&
			!watch_set_has(
				b, a->members[i].tenant, a->members[i].family, a->members[i].words))
			return false;
	return true;
}

uint32_t
watch_set_count(const struct watch_set *set)
{
	return set->count;
}
