/* SPDX-License-Identifier: Apache-2.0 */
/* Receive ports: one queue per worker, spread by a symmetric RSS key, so that both directions of a
 * flow reach one worker. camspan never transmits: no transmit queue is ever filled. */
#ifndef CAMSPAN_PORT_H
#define CAMSPAN_PORT_H

#include "config/config.h"
#include "dataplane/kernel_port.h"
#include "dataplane/records/health_record.h"

#include <stdint.h>

#define PORTS_MAX        20
#define PORT_DEVICE_SIZE (CONFIG_PATH_SIZE + 128)

struct rte_mempool;

struct port {
	uint16_t id;     /* DPDK's */
	uint16_t queues; /* receive queues, at most the number of workers */
	char name[64];
	bool kernel;      /* an interface of the kernel */
	bool promiscuous; /* by our doing */
	struct kernel_sockets sockets;
};

struct ports {
	struct port ports[PORTS_MAX];
	uint16_t count;
	struct rte_mempool *pool;
	uint64_t fragments_at_start; /* kernel_fragments_held() */
};

/* The device string of a port as DPDK gets it. */
void port_device(const struct config *config, size_t number, char device[PORT_DEVICE_SIZE]);
/* What the packet buffers of all ports take, in MiB. */
uint64_t ports_memory_mib(const struct config *config, bool huge_pages);

/* Configures and starts every port of the configuration. Returns 0 or -1 with one line in `error`.
 */
int ports_start(struct ports *ports, const struct config *config, char *error, size_t error_size);
void ports_stop(struct ports *ports);
/* True when every port is an interface of the kernel, where polling without a pause gains nothing.
 */
bool ports_are_kernel(const struct ports *ports);
/* The ports' own counters: missed, no buffer, errors. Control thread only. */
void ports_health(struct ports *ports, struct health_record *health);

#endif
