/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's environment from the configuration. Once per process, on the main thread. */
#ifndef CAMSPAN_EAL_H
#define CAMSPAN_EAL_H

#include "config/config.h"
#include "dataplane/layout.h"
#include "dataplane/memory.h"

enum eal_purpose {
	EAL_LIVE,   /* ports and workers */
	EAL_PORTS,  /* the same for a look at the ports; all that are there when none is named */
	EAL_REPLAY, /* one thread, no ports, no huge pages: a capture needs neither */
};

/* Starts EAL with an lcore for control, and as many as may be needed to receive and to work.
 * Decides between huge pages and --no-huge (with a warning: such figures say nothing of what the
 * machine can do). Returns 0 or -1 with one line in `error`. */
int eal_start(
	const struct config *config, enum eal_purpose purpose, char *error, size_t error_size);
void eal_stop(void);
/* All lcores but the control thread's. Returns how many, at most `max`. */
unsigned eal_lcores(struct layout_lcore *lcores, unsigned max);
/* True when `lcores`, the control thread's included, are more than the CPUs. */
bool eal_shares_cpus(unsigned lcores);
/* True when tables and packet buffers live in huge pages. */
bool eal_has_huge_pages(void);
/* Tables in huge pages on the node of `socket`, or from the C library where there are none. */
struct memory_source eal_memory(int socket);

#endif
