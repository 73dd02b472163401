/* SPDX-License-Identifier: Apache-2.0 */
/* Which lcore does what, and which queue of which port is whose: by NUMA socket. Plain arithmetic,
 * free of DPDK. */
#ifndef CAMSPAN_LAYOUT_H
#define CAMSPAN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_PORTS_MAX   20
#define LAYOUT_WORKERS_MAX 127
#define LAYOUT_RX_MAX      16
#define LAYOUT_QUEUES_MAX  (LAYOUT_PORTS_MAX * LAYOUT_WORKERS_MAX) /* read by one lcore */

struct layout_lcore {
	unsigned id;
	int socket;
};

/* What the layout must know of a port. */
struct layout_port {
	int socket;          /* -1: none in particular */
	uint16_t queues_max; /* that it can have */
	bool all_queues;     /* it fills all of them whether they are read or not */
	bool spreads;        /* it can divide packets among several */
};

struct rx_queue {
	uint16_t port; /* index in the configuration */
	uint16_t queue;
};

/* The queues that one lcore reads. */
struct rx_queues {
	uint16_t count;
	struct rx_queue list[LAYOUT_QUEUES_MAX];
};

struct layout {
	bool software; /* RX lcores read the ports, workers read rings */
	uint16_t port_count;
	uint16_t worker_count;
	uint16_t rx_count;
	struct layout_port ports[LAYOUT_PORTS_MAX];
	uint16_t queues[LAYOUT_PORTS_MAX]; /* of each port, decided */
	struct layout_lcore workers[LAYOUT_WORKERS_MAX];
	struct layout_lcore rx[LAYOUT_RX_MAX];
	struct rx_queues worker_queues[LAYOUT_WORKERS_MAX]; /* empty when in software */
	struct rx_queues rx_queues[LAYOUT_RX_MAX];
};

/* Moves the lcores that are on a socket of a port to the front; else keeps their order. */
void layout_prefer_sockets(struct layout_lcore *lcores, unsigned count,
	const struct layout_port *ports, unsigned port_count);
/* Gives every RX lcore and worker one of `lcores`, on the sockets of the ports first. The caller
 * has set `software`, ports and counts. Returns -1 when there are too few. */
int layout_assign_lcores(struct layout *layout, const struct layout_lcore *lcores, unsigned count);
/* Decides how many queues every port has, and who reads them. Returns -1 when one lcore would have
 * to read more than LAYOUT_QUEUES_MAX. */
int layout_assign_queues(struct layout *layout);
/* How many of the lcores that read a port are on another socket than it. */
unsigned layout_crossings(const struct layout *layout, unsigned port);

#endif
