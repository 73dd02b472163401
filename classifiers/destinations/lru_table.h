/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of fixed capacity whose entries are also in order of last use. Memory is taken once;
 * entries never move. The caller decides what makes room when it is full. */
#ifndef CAMSPAN_LRU_TABLE_H
#define CAMSPAN_LRU_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The key of the hash: random per process, so that nobody on the network can aim at one bucket. */
struct hash_secret {
	uint8_t bytes[192];
};

/* First member of every entry. */
struct lru_node {
	struct lru_node *chain; /* next in the bucket, or on the free list */
	struct lru_node *newer;
	struct lru_node *older;
	uint64_t hash;
};

struct lru_table {
	uint8_t *entries;
	struct lru_node **buckets;
	struct lru_node *free;
	struct lru_node *newest;
	struct lru_node *oldest;
	size_t entry_size;
	uint32_t bucket_mask;
	uint32_t capacity;
	uint32_t used;
};

/* Returns 0, or -errno when the system gives no random bytes. */
int hash_secret_create(struct hash_secret *secret);
uint64_t hash_bytes(const struct hash_secret *secret, const void *data, size_t length);

/* `capacity` 1..2^31. Returns 0 or -ENOMEM. */
int lru_table_create(struct lru_table *table, uint32_t capacity, size_t entry_size);
void lru_table_destroy(struct lru_table *table);
/* Entries whose hash is `hash`, one after the other; NULL ends. The caller compares keys. */
void *lru_table_first(const struct lru_table *table, uint64_t hash);
void *lru_table_next(const void *entry);
/* A zeroed entry as the newest, or NULL when the table is full. */
void *lru_table_add(struct lru_table *table, uint64_t hash);
void lru_table_touch(struct lru_table *table, void *entry);
void lru_table_remove(struct lru_table *table, void *entry);

static inline bool
lru_table_full(const struct lru_table *table)
{
	return table->used == table->capacity;
}

#endif
