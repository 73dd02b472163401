/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_FROM (16 << 20) /* bytes */

/* Pages come zeroed from the kernel as they are touched, so a large table that stays mostly empty
 * costs neither time nor memory. The table ends (rounded to a cache line) where a page begins that
 * nobody may touch; the page before it holds the size of the whole. */
static void *
map_table(const char *name, size_t size, int socket)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t rounded = (size + 63) & ~(size_t)63;
	size_t pages = (rounded + page - 1) / page * page;
	size_t whole = page + pages + page;
	uint8_t *base = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)name;
	(void)socket;
	if (base == MAP_FAILED)
		return NULL;
	/* A packet's look into a large table would miss the TLB too. Not an error if refused. */
	if (pages >= HUGE_FROM)
		madvise(base, whole, MADV_HUGEPAGE);
	memcpy(base, &whole, sizeof(whole));
	mprotect(base + page + pages, page, PROT_NONE);
	return base + page + (pages - rounded);
}

static void
unmap_table(void *memory)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *base = (uint8_t *)((uintptr_t)memory / page * page) - page;
	size_t whole;

	memcpy(&whole, base, sizeof(whole));
	munmap(base, whole);
}

const struct memory_source memory_from_system = {
	.allocate = map_table,
	.release = unmap_table,
	.socket = -1,
};
