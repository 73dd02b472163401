/* SPDX-License-Identifier: Apache-2.0 */
/* Receive ports: found, judged, configured and started as the layout says. camspan never transmits:
 * no transmit queue is ever filled. */
#ifndef CAMSPAN_PORT_H
#define CAMSPAN_PORT_H

#include "config/config.h"
#include "dataplane/kernel_port.h"
#include "dataplane/layout.h"
#include "dataplane/port_clock.h"
#include "dataplane/records/health_record.h"
#include "dataplane/rss.h"

#include <stdint.h>

#define PORTS_MAX        LAYOUT_PORTS_MAX
#define PORT_DEVICE_SIZE (CONFIG_PATH_SIZE + 128)
#define PORT_POOLS_MAX   8
#define PORT_NAME_SIZE   64

struct rte_eth_dev_info;
struct rte_mempool;

/* How a port divides packets among its queues. */
enum port_spreading {
	PORT_ONE_QUEUE,
	PORT_RSS,            /* by a symmetric key of ours */
	PORT_RSS_ASYMMETRIC, /* its key cannot be ours */
	PORT_KERNEL_FANOUT,  /* the kernel does, by a symmetric hash */
	PORT_UNTOLD,         /* the driver does not say */
};

struct port {
	uint16_t id;     /* DPDK's */
	uint16_t queues; /* configured */
	uint16_t queues_max;
	uint16_t descriptors; /* per queue, what the port makes of what was asked */
	uint16_t descriptors_asked;
	uint16_t descriptors_min, descriptors_max;
	uint16_t mtu;      /* that frames up to are received; 0: the driver's */
	int socket;        /* -1: none in particular */
	uint32_t speed;    /* Mbit/s, 0: no link, or it does not say */
	uint64_t offloads; /* RTE_ETH_RX_OFFLOAD_* that it has */
	uint64_t rss_offered;
	uint64_t rss_fields; /* RTE_ETH_RSS_* in use */
	uint16_t reta_size;
	uint8_t key_length;
	uint8_t key[RSS_KEY_MAX]; /* drivers may keep a pointer to it */
	char name[PORT_NAME_SIZE];
	char driver[PORT_NAME_SIZE];
	enum port_spreading spreading;
	bool hashes_nothing; /* though it was asked to */
	bool all_queues;     /* fills every queue that it has, read or not */
	bool kernel;         /* an interface of the kernel */
	bool pci;
	bool link_up;
	bool promiscuous; /* by our doing */
	bool scatter;
	bool takes_jumbo;
	struct port_clock clock;
	struct kernel_sockets sockets;
};

/* One per NUMA node that has ports. */
struct port_pool {
	int socket;
	struct rte_mempool *pool;
};

struct ports {
	struct port ports[PORTS_MAX];
	uint16_t count;
	uint16_t pool_count;
	struct port_pool pools[PORT_POOLS_MAX];
	int timestamp_offset; /* in an mbuf, -1: no port has timestamps */
	uint64_t timestamp_flag;
	uint64_t fragments_at_start; /* kernel_fragments_held() */
};

/* The device string of a port as DPDK gets it. */
void port_device(const struct config *config, size_t number, char device[PORT_DEVICE_SIZE]);

/* From the configuration to started ports: finds them, or all that DPDK has found when none is
 * named, asks what they can, decides who reads which queue, and starts them. When `auto` is to
 * choose and a started port turns out not to spread as asked, packets are spread in software. Says
 * what is in doubt. `lcores` are all but the control thread's. Returns 0, or -1 with one line in
 * `error`. */
int ports_open(struct ports *ports, const struct config *config, const struct layout_lcore *lcores,
	unsigned lcore_count, struct layout *layout, char *error, size_t error_size);
void ports_stop(struct ports *ports);

/* The steps of ports_open(). Each returns 0, or -1 with one line in `error`. */
int ports_find(struct ports *ports, const struct config *config, char *error, size_t error_size);
int ports_plan(const struct ports *ports, const struct config *config,
	const struct layout_lcore *lcores, unsigned lcore_count, struct layout *layout, char *error,
	size_t error_size);
/* May be called again, for another layout, after ports_pause(). */
int ports_start(struct ports *ports, const struct config *config, const struct layout *layout,
	char *error, size_t error_size);
void ports_pause(struct ports *ports);
void ports_tell(
	const struct ports *ports, const struct config *config, const struct layout *layout);

/* True when both directions of a flow reach one queue, as far as the port says. */
bool port_keeps_flows_together(const struct port *port);
/* How long the descriptors of all queues take frames of `bytes` at line rate, in microseconds; 0
 * when the speed is not known. */
uint64_t port_buffered_us(const struct port *port, unsigned bytes);
/* True when every port is an interface of the kernel, where polling without a pause gains nothing.
 */
bool ports_are_kernel(const struct ports *ports);
/* Sets the timestamp clocks of the ports. Control thread, about once a second. */
void ports_tick(struct ports *ports, int64_t now);
/* From now on its packets have the time at which their burst is taken. Control thread. */
void port_stop_timestamps(struct port *port);
/* The ports' own counters: missed, no buffer, errors. Control thread only. */
void ports_health(struct ports *ports, struct health_record *health);

#endif
