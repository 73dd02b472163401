/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's environment from the configuration. Once per process, on the main thread. */
#ifndef CAMSPAN_EAL_H
#define CAMSPAN_EAL_H

#include "config/config.h"
#include "dataplane/memory.h"

enum eal_purpose {
	EAL_LIVE,   /* ports and workers */
	EAL_REPLAY, /* one thread, no ports, no huge pages: a capture needs neither */
};

/* Starts EAL: lcore 0 is the control thread's, 1..workers are the workers'. Decides between huge
 * pages and --no-huge (with a warning: such figures say nothing of what the machine can do).
 * Returns 0 or -1 with one line in `error`. */
int eal_start(
	const struct config *config, enum eal_purpose purpose, char *error, size_t error_size);
void eal_stop(void);
/* True when a worker has no CPU of its own. */
bool eal_shares_cpus(void);
/* True when tables and packet buffers live in huge pages. */
bool eal_has_huge_pages(void);
/* Tables in huge pages on the node of `socket`, or from the C library where there are none. */
struct memory_source eal_memory(int socket);

#endif
