/* SPDX-License-Identifier: Apache-2.0 */
/* A map of fixed capacity from keys of one size to values of one size, with the order of use. All
 * memory is taken at creation; hashing is seeded at random against chosen collisions. */
#ifndef CAMSPAN_LRU_MAP_H
#define CAMSPAN_LRU_MAP_H

#include <stddef.h>
#include <stdint.h>

struct lru_map;

/* Keys are compared as bytes: padding in them must be zero. Returns NULL when memory is short. */
struct lru_map *lru_map_create(uint32_t capacity, size_t key_size, size_t value_size);
void lru_map_free(struct lru_map *map);
/* NULL if absent. Finding is not using: see lru_map_touch(). Values stay where they are. */
void *lru_map_find(const struct lru_map *map, const void *key);
/* A zeroed value for a key that is absent, the newest in use; NULL when the map is full. */
void *lru_map_insert(struct lru_map *map, const void *key);
void lru_map_touch(struct lru_map *map, void *value);
void lru_map_remove(struct lru_map *map, void *value);
/* The value unused for longest; NULL when the map is empty. */
void *lru_map_oldest(const struct lru_map *map);
/* The next in use after `value`; NULL after the newest. */
void *lru_map_newer(const struct lru_map *map, const void *value);
uint32_t lru_map_count(const struct lru_map *map);

#endif
