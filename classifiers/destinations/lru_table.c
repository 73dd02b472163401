/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/lru_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

int
hash_secret_create(struct hash_secret *secret)
{
	/* Requests of up to 256 bytes are never cut short (getrandom(2)). */
	if (getrandom(secret->bytes, sizeof(secret->bytes), 0) != sizeof(secret->bytes))
		return errno ? -errno : -EIO;
	return 0;
}

uint64_t
hash_bytes(const struct hash_secret *secret, const void *data, size_t length)
{
	return XXH3_64bits_withSecret(data, length, secret->bytes, sizeof(secret->bytes));
}

int
lru_table_create(struct lru_table *table, uint32_t capacity, size_t entry_size)
{
	uint32_t buckets = 16;

	*table = (struct lru_table){.entry_size = entry_size, .capacity = capacity};
	while (buckets < capacity && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	table->bucket_mask = buckets - 1;
	table->buckets = calloc(buckets, sizeof(struct lru_node *));
	table->entries = calloc(capacity, entry_size);
	if (table->buckets == NULL || table->entries == NULL) {
		lru_table_destroy(table);
		return -ENOMEM;
	}
	return 0;
}

void
lru_table_destroy(struct lru_table *table)
{
	free(table->buckets);
	free(table->entries);
	*table = (struct lru_table){0};
}

static struct lru_node *
same_hash(struct lru_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->chain;
	return node;
}

void *
lru_table_first(const struct lru_table *table, uint64_t hash)
{
	return same_hash(table->buckets[hash & table->bucket_mask], hash);
}

void *
lru_table_next(const void *entry)
{
	const struct lru_node *node = entry;

	return same_hash(node->chain, node->hash);
}

static void
link_newest(struct lru_table *table, struct lru_node *node)
{
	node->newer = NULL;
	node->older = table->newest;
	if (table->newest)
		table->newest->newer = node;
	else
		table->oldest = node;
	table->newest = node;
}

static void
unlink_order(struct lru_table *table, struct lru_node *node)
{
	if (node->newer)
		node->newer->older = node->older;
	else
		table->newest = node->older;
	if (node->older)
		node->older->newer = node->newer;
	else
		table->oldest = node->newer;
}

/* Entries never used before follow each other, so untouched pages stay untouched. */
static struct lru_node *
take_free(struct lru_table *table)
{
	struct lru_node *node = table->free;

	if (node)
		table->free = node->chain;
	else if (table->used < table->capacity)
		node = (struct lru_node *)(table->entries + table->used * table->entry_size);
	return node;
}

void *
lru_table_add(struct lru_table *table, uint64_t hash)
{
	struct lru_node *node = take_free(table);
	struct lru_node **bucket = &table->buckets[hash & table->bucket_mask];

	if (node == NULL)
		return NULL;
	memset(node, 0, table->entry_size);
	node->hash = hash;
	node->chain = *bucket;
	*bucket = node;
	link_newest(table, node);
	table->used++;
	return node;
}

void
lru_table_touch(struct lru_table *table, void *entry)
{
	if (table->newest == entry)
		return;
	unlink_order(table, entry);
	link_newest(table, entry);
}

void
lru_table_remove(struct lru_table *table, void *entry)
{
	struct lru_node *node = entry;
	struct lru_node **link = &table->buckets[node->hash & table->bucket_mask];

	while (*link != node)
		link = &(*link)->chain;
	*link = node->chain;
	unlink_order(table, node);
	node->chain = table->free;
	table->free = node;
	table->used--;
}
