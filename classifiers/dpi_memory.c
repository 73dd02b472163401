/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/dpi_memory.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALLEST_SHIFT = 5, /* 32 bytes */
	CLASS_COUNT = 10,   /* to 16 KiB, all that a flow may need but a QUIC reassembly */
	FROM_LIBC = CLASS_COUNT,
};

/* Before every block; keeps the 16-byte alignment of malloc. */
struct block {
	union {
		struct dpi_memory *owner; /* while in use; NULL: from libc */
		struct block *next;       /* while free */
	};
	uint64_t size_class;
};

struct dpi_memory {
	uint8_t *bytes;
	size_t size;
	size_t cut; /* bytes ever cut into blocks */
	uint64_t in_use;
	uint64_t fallbacks;
	struct block *free[CLASS_COUNT];
};

_Static_assert(sizeof(struct block) == 16, "blocks are aligned as malloc's");

static _Thread_local struct dpi_memory *entered;

struct dpi_memory *
dpi_memory_create(size_t size)
{
	struct dpi_memory *memory = calloc(1, sizeof(*memory));

	if (memory == NULL)
		return NULL;
	memory->bytes = malloc(size);
	memory->size = size;
	if (memory->bytes == NULL) {
		free(memory);
		return NULL;
	}
	memset(memory->bytes, 0, size); /* touched now, so that no packet pays a page fault */
	return memory;
}

void
dpi_memory_destroy(struct dpi_memory *memory)
{
	if (memory == NULL)
		return;
	free(memory->bytes);
	free(memory);
}

void
dpi_memory_enter(struct dpi_memory *memory)
{
	entered = memory;
}

static unsigned
class_of(size_t size)
{
	if (size <= (size_t)1 << SMALLEST_SHIFT)
		return 0;
	return 64 - (unsigned)__builtin_clzll(size - 1) - SMALLEST_SHIFT;
}

static size_t
size_of_class(unsigned size_class)
{
	return (size_t)1 << (SMALLEST_SHIFT + size_class);
}

static struct block *
take(struct dpi_memory *memory, unsigned size_class)
{
	struct block *block = memory->free[size_class];
	size_t needed = sizeof(*block) + size_of_class(size_class);

	if (block != NULL) {
		memory->free[size_class] = block->next;
	} else if (memory->size - memory->cut >= needed) {
		block = (struct block *)(memory->bytes + memory->cut);
		memory->cut += needed;
	} else {
		return NULL;
	}
	memory->in_use += size_of_class(size_class);
	block->owner = memory;
	block->size_class = size_class;
	return block;
}

static void *
take_from_libc(size_t size)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	block->owner = NULL;
	block->size_class = FROM_LIBC;
	return block + 1;
}

void *
dpi_malloc(size_t size)
{
	struct dpi_memory *memory = entered;
	unsigned size_class = class_of(size);
	struct block *block = NULL;

	if (memory == NULL)
		return take_from_libc(size);
	if (size_class < CLASS_COUNT)
		block = take(memory, size_class);
	if (block != NULL)
		return block + 1;
	memory->fallbacks++;
	return take_from_libc(size);
}

void
dpi_mfree(void *bytes)
{
	struct block *block = bytes;
	struct dpi_memory *memory;

	if (block == NULL)
		return;
	block--;
	if (block->size_class == FROM_LIBC) {
		free(block);
		return;
	}
	memory = block->owner;
	memory->in_use -= size_of_class((unsigned)block->size_class);
	block->next = memory->free[block->size_class];
	memory->free[block->size_class] = block;
}

uint64_t
dpi_memory_in_use(const struct dpi_memory *memory)
{
	return memory->in_use;
}

uint64_t
dpi_memory_fallbacks(const struct dpi_memory *memory)
{
	return memory->fallbacks;
}
