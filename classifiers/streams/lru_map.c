/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/streams/lru_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define NONE UINT32_MAX

struct slot {
	uint32_t chain; /* next of the bucket, or next free */
	uint32_t older;
	uint32_t newer;
	uint32_t bucket;
};

struct lru_map {
	uint32_t capacity;
	uint32_t count;
	uint32_t bucket_mask;
	uint32_t free;
	uint32_t oldest;
	uint32_t newest;
	uint64_t seed;
	size_t key_size;
	size_t value_size; /* rounded up to keep values aligned */
	uint32_t *buckets;
	struct slot *slots;
	uint8_t *keys;
	uint8_t *values;
};

static uint32_t
buckets_for(uint32_t capacity)
{
	uint32_t buckets = 16;

	while (buckets < capacity && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	return buckets;
}

struct lru_map *
lru_map_create(uint32_t capacity, size_t key_size, size_t value_size)
{
	struct lru_map *map = calloc(1, sizeof(*map));
	uint32_t buckets = buckets_for(capacity);

	if (map == NULL)
		return NULL;
	map->capacity = capacity;
	map->bucket_mask = buckets - 1;
	map->oldest = map->newest = NONE;
	map->key_size = key_size;
	map->value_size = (value_size + 15) & ~(size_t)15;
	map->buckets = malloc(buckets * sizeof(*map->buckets));
	map->slots = calloc(capacity, sizeof(*map->slots));
	map->keys = calloc(capacity, key_size);
	map->values = calloc(capacity, map->value_size);
	if (!map->buckets || !map->slots || !map->keys || !map->values ||
		getrandom(&map->seed, sizeof(map->seed), 0) != sizeof(map->seed)) {
		lru_map_free(map);
		return NULL;
	}
	memset(map->buckets, 0xff, buckets * sizeof(*map->buckets));
	for (uint32_t i = 0; i < capacity; i++)
		map->slots[i].chain = i + 1 < capacity ? i + 1 : NONE;
	map->free = capacity ? 0 : NONE;
	return map;
}

void
lru_map_free(struct lru_map *map)
{
	if (map == NULL)
		return;
	free(map->buckets);
	free(map->slots);
	free(map->keys);
	free(map->values);
	free(map);
}

static void *
value_at(const struct lru_map *map, uint32_t index)
{
	return index == NONE ? NULL : map->values + index * map->value_size;
}

static uint8_t *
key_at(const struct lru_map *map, uint32_t index)
{
	return map->keys + index * map->key_size;
}

static uint32_t
index_of(const struct lru_map *map, const void *value)
{
	return (uint32_t)(((const uint8_t *)value - map->values) / map->value_size);
}

static uint32_t
bucket_of(const struct lru_map *map, const void *key)
{
	return (uint32_t)XXH3_64bits_withSeed(key, map->key_size, map->seed) & map->bucket_mask;
}

void *
lru_map_find(const struct lru_map *map, const void *key)
{
	uint32_t index = map->buckets[bucket_of(map, key)];

	while (index != NONE && memcmp(key_at(map, index), key, map->key_size) != 0)
		index = map->slots[index].chain;
	return value_at(map, index);
}

static void
link_newest(struct lru_map *map, uint32_t index)
{
	struct slot *slot = &map->slots[index];

	slot->older = map->newest;
	slot->newer = NONE;
	if (map->newest != NONE)
		map->slots[map->newest].newer = index;
	else
		map->oldest = index;
	map->newest = index;
}

static void
unlink_use(struct lru_map *map, uint32_t index)
{
	const struct slot *slot = &map->slots[index];

	if (slot->older != NONE)
		map->slots[slot->older].newer = slot->newer;
	else
		map->oldest = slot->newer;
	if (slot->newer != NONE)
		map->slots[slot->newer].older = slot->older;
	else
		map->newest = slot->older;
}

void *
lru_map_insert(struct lru_map *map, const void *key)
{
	uint32_t index = map->free;
	struct slot *slot;

	if (index == NONE)
		return NULL;
	slot = &map->slots[index];
	map->free = slot->chain;
	slot->bucket = bucket_of(map, key);
	slot->chain = map->buckets[slot->bucket];
	map->buckets[slot->bucket] = index;
	memcpy(key_at(map, index), key, map->key_size);
	memset(value_at(map, index), 0, map->value_size);
	link_newest(map, index);
	map->count++;
	return value_at(map, index);
}

void
lru_map_touch(struct lru_map *map, void *value)
{
	uint32_t index = index_of(map, value);

	unlink_use(map, index);
	link_newest(map, index);
}

void
lru_map_remove(struct lru_map *map, void *value)
{
	uint32_t index = index_of(map, value);
	struct slot *slot = &map->slots[index];
	uint32_t *from = &map->buckets[slot->bucket];

	while (*from != index)
		from = &map->slots[*from].chain;
	*from = slot->chain;
	unlink_use(map, index);
	slot->chain = map->free;
	map->free = index;
	map->count--;
}

void *
lru_map_oldest(const struct lru_map *map)
{
	return value_at(map, map->oldest);
}

void *
lru_map_newer(const struct lru_map *map, const void *value)
{
	return value_at(map, map->slots[index_of(map, value)].newer);
}

uint32_t
lru_map_count(const struct lru_map *map)
{
	return map->count;
}
