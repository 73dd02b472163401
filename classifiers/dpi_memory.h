/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded allocator for one thread: blocks of a few sizes, cut from one piece of memory taken at
 * start and kept in free lists. For libraries whose allocation hooks have no context argument. */
#ifndef CAMSPAN_DPI_MEMORY_H
#define CAMSPAN_DPI_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct dpi_memory;

/* Returns NULL when memory is short. `size` in bytes. */
struct dpi_memory *dpi_memory_create(size_t size);
/* Blocks of this memory must be free or never touched again. */
void dpi_memory_destroy(struct dpi_memory *memory);
/* Makes dpi_malloc() of the calling thread take from `memory`; NULL: from libc, uncounted. */
void dpi_memory_enter(struct dpi_memory *memory);

/* Falls back to libc, counted, when the memory is used up or the block is larger than any size.
 * Returns NULL only when libc does. */
void *dpi_malloc(size_t size);
/* Of any thread, but not while the memory's owner uses it. NULL is ignored. */
void dpi_mfree(void *block);

uint64_t dpi_memory_in_use(const struct dpi_memory *memory);
uint64_t dpi_memory_fallbacks(const struct dpi_memory *memory);

#endif
