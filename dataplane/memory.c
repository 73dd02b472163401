/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/memory.h"

#include <stdlib.h>
#include <string.h>

static void *
libc_allocate(const char *name, size_t size, int socket)
{
	size_t rounded = (size + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, rounded ? rounded : 64);

	(void)name;
	(void)socket;
	if (memory)
		memset(memory, 0, rounded);
	return memory;
}

const struct memory_source memory_from_libc = {
	.allocate = libc_allocate,
	.release = free,
	.socket = -1,
};
