/* SPDX-License-Identifier: Apache-2.0 */
/* Packet buffers: how many, how large, one pool per NUMA node. */
#ifndef CAMSPAN_PORT_POOL_H
#define CAMSPAN_PORT_POOL_H

#include "dataplane/port.h"

/* What the packet buffers of all ports take, in MiB, before the ports are known. */
uint64_t ports_memory_mib(const struct config *config, bool huge_pages);
/* Queues that a port with as many as are asked for gets, before the ports are known. */
unsigned port_queues_asked(const struct config *config);

/* Descriptors per queue that are asked for, before the speed of a port is known. */
uint16_t port_descriptors_asked(const struct config *config);

/* Creates the pools that the layout needs. Returns 0, or -1 with one line in `error`. */
int port_pools_create(struct ports *ports, const struct config *config, const struct layout *layout,
	char *error, size_t error_size);
void port_pools_free(struct ports *ports);
/* The pool on the node of the port. */
struct rte_mempool *port_pool_of(const struct ports *ports, const struct port *port);

#endif
