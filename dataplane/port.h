/* SPDX-License-Identifier: Apache-2.0 */
/* Receive ports: one queue per worker, spread by a symmetric RSS key, so that both directions of a
 * flow reach one worker. camspan never transmits: no transmit queue is ever filled. */
#ifndef CAMSPAN_PORT_H
#define CAMSPAN_PORT_H

#include "config/config.h"
#include "dataplane/records/health_record.h"

#include <stdint.h>

#define PORTS_MAX 20

struct rte_mempool;

struct port {
	uint16_t id;     /* DPDK's */
	uint16_t queues; /* receive queues, at most the number of workers */
	char name[64];
};

struct ports {
	struct port ports[PORTS_MAX];
	uint16_t count;
	struct rte_mempool *pool;
};

/* Configures and starts every port of the configuration. Returns 0 or -1 with one line in `error`.
 */
int ports_start(struct ports *ports, const struct config *config, char *error, size_t error_size);
void ports_stop(struct ports *ports);
/* The ports' own counters: missed, no buffer, errors. */
void ports_health(const struct ports *ports, struct health_record *health);

#endif
