/* SPDX-License-Identifier: Apache-2.0 */
/* Where tables take their memory from: huge pages in the daemon; pages of the system in replays
 * and tests, where an overrun meets a page that nobody may touch. Used at start and stop only. */
#ifndef CAMSPAN_MEMORY_H
#define CAMSPAN_MEMORY_H

#include <stddef.h>

struct memory_source {
	/* Zeroed memory aligned to a cache line, or NULL. */
	void *(*allocate)(const char *name, size_t size, int socket);
	void (*release)(void *memory);
	int socket; /* NUMA node, -1 any */
};

extern const struct memory_source memory_from_system;

static inline void *
memory_allocate(const struct memory_source *source, const char *name, size_t size)
{
	return source->allocate(name, size, source->socket);
}

#endif
