/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port_pool.h"

#include <inttypes.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define MBUF_CACHE        256
#define SPARE_MBUFS       8192 /* per worker: bursts in flight and the per-lcore caches */
#define LEAST_SPARE       1024
#define LEAST_DESCRIPTORS 2048
#define SMALL_PAGE        4096
#define MBUF_OVERHEAD     256 /* struct rte_mbuf, pool header and trailer */

/* Where buffers are at one time. */
struct demand {
	uint64_t descriptors;
	uint64_t rings;
	uint64_t spare;
};

static uint64_t
sum(const struct demand *demand)
{
	return demand->descriptors + demand->rings + demand->spare;
}

unsigned
port_queues_asked(const struct config *config)
{
	const struct config_dataplane *dataplane = &config->dataplane;
	unsigned each;

	if (dataplane->spreading != SPREADING_SOFTWARE)
		return dataplane->workers;
	each = dataplane->port_count ? dataplane->rx_lcores / (unsigned)dataplane->port_count : 1;
	return each > 1 ? each : 1;
}

uint16_t
port_descriptors_asked(const struct config *config)
{
	return config->dataplane.rx_descriptors ? config->dataplane.rx_descriptors
						: LEAST_DESCRIPTORS;
}

/* Room for the longest frame that a port delivers in one piece; scattering ports need no more than
 * the usual. */
static uint16_t
data_room(const struct config *config)
{
	unsigned room = RTE_MBUF_DEFAULT_DATAROOM;

	for (size_t i = 0; i < config->dataplane.port_count; i++) {
		char device[PORT_DEVICE_SIZE];
		unsigned frame;

		port_device(config, i, device);
		frame = kernel_port_buffer(device);
		room = frame > room ? frame : room;
	}
	return (uint16_t)(room + RTE_PKTMBUF_HEADROOM);
}

static uint64_t
ring_slots(const struct config *config, unsigned rx_lcores)
{
	return (uint64_t)rx_lcores * config->dataplane.workers *
	       rte_align32pow2(config->dataplane.ring_slots);
}

static uint64_t
spare(const struct config *config)
{
	return (uint64_t)SPARE_MBUFS * config->dataplane.workers;
}

uint64_t
ports_memory_mib(const struct config *config, bool huge_pages)
{
	const struct config_dataplane *dataplane = &config->dataplane;
	uint64_t each = data_room(config) + MBUF_OVERHEAD;
	uint64_t count = (uint64_t)dataplane->mbufs * dataplane->workers;
	bool rings = dataplane->spreading == SPREADING_SOFTWARE ||
		     (dataplane->spreading == SPREADING_AUTO && dataplane->workers > 1);

	/* No buffer crosses a page. */
	if (!huge_pages)
		each = (each + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
	if (count == 0)
		count = sum(&(struct demand){
			.descriptors = (uint64_t)dataplane->port_count *
				       port_descriptors_asked(config) * port_queues_asked(config),
			.rings = rings ? ring_slots(config, dataplane->rx_lcores) : 0,
			.spare = spare(config),
		});
	return (count * each >> 20) + 1;
}

static int
socket_of(const struct port *port)
{
	return port->socket < 0 ? (int)rte_socket_id() : port->socket;
}

static unsigned
ports_on(const struct ports *ports, int socket)
{
	unsigned count = 0;

	for (uint16_t i = 0; i < ports->count; i++)
		count += socket_of(&ports->ports[i]) == socket;
	return count;
}

/* RX lcores that take buffers from the pool of a socket. */
static unsigned
readers_of(const struct ports *ports, const struct layout *layout, int socket)
{
	unsigned readers = 0;

	for (unsigned i = 0; layout->software && i < layout->rx_count; i++) {
		const struct rx_queues *queues = &layout->rx_queues[i];

		for (unsigned k = 0; k < queues->count; k++) {
			if (socket_of(&ports->ports[queues->list[k].port]) == socket) {
				readers++;
				break;
			}
		}
	}
	return readers;
}

/* Ports that do not do what they say are opened again with the same pools. */
static bool
may_spread_yet(const struct config *config, const struct layout *layout)
{
	return config->dataplane.spreading == SPREADING_AUTO && !layout->software &&
	       layout->worker_count > 1;
}

static struct demand
demand_of(const struct ports *ports, const struct config *config, const struct layout *layout,
	int socket)
{
	struct demand demand = {
		.rings = ring_slots(config, readers_of(ports, layout, socket)),
		.spare = spare(config),
	};

	if (may_spread_yet(config, layout))
		demand.rings = ring_slots(config, config->dataplane.rx_lcores);

	for (uint16_t i = 0; i < ports->count; i++)
		if (socket_of(&ports->ports[i]) == socket)
			demand.descriptors +=
				(uint64_t)layout->queues[i] * ports->ports[i].descriptors;
	return demand;
}

static int
create_pool(struct ports *ports, const struct config *config, const struct layout *layout,
	int socket, char *error, size_t error_size)
{
	struct demand demand = demand_of(ports, config, layout, socket);
	uint64_t asked = (uint64_t)config->dataplane.mbufs * config->dataplane.workers *
			 ports_on(ports, socket) / ports->count;
	uint64_t count = config->dataplane.mbufs ? asked : sum(&demand);
	uint64_t least = demand.descriptors + demand.rings + LEAST_SPARE;
	struct port_pool *pool = &ports->pools[ports->pool_count];
	char name[32];

	if (count < least || count > UINT32_MAX) {
		snprintf(error, error_size,
			"dataplane.mbufs: %" PRIu64 " buffers cannot fill %" PRIu64
			" descriptors and %" PRIu64 " ring slots and leave %d in flight; set mbufs "
			"to 0 or to at least %" PRIu64,
			count, demand.descriptors, demand.rings, LEAST_SPARE,
			least * ports->count / ports_on(ports, socket) / config->dataplane.workers +
				1);
		return -1;
	}
	snprintf(name, sizeof(name), "packets-%d", socket);
	pool->socket = socket;
	pool->pool = rte_pktmbuf_pool_create(
		name, (unsigned)count, MBUF_CACHE, 0, data_room(config), socket);
	if (pool->pool) {
		ports->pool_count++;
		return 0;
	}
	snprintf(error, error_size,
		"no memory for %" PRIu64
		" packet buffers on NUMA node %d: %s; set dataplane.mbufs or memory",
		count, socket, rte_strerror(rte_errno));
	return -1;
}

static bool
has_pool(const struct ports *ports, int socket)
{
	for (uint16_t i = 0; i < ports->pool_count; i++)
		if (ports->pools[i].socket == socket)
			return true;
	return false;
}

int
port_pools_create(struct ports *ports, const struct config *config, const struct layout *layout,
	char *error, size_t error_size)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		int socket = socket_of(&ports->ports[i]);

		if (has_pool(ports, socket))
			continue;
		if (ports->pool_count == PORT_POOLS_MAX) {
			snprintf(error, error_size, "ports on more than %d NUMA nodes",
				PORT_POOLS_MAX);
			return -1;
		}
		if (create_pool(ports, config, layout, socket, error, error_size) != 0)
			return -1;
	}
	return 0;
}

void
port_pools_free(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->pool_count; i++)
		rte_mempool_free(ports->pools[i].pool);
	ports->pool_count = 0;
}

struct rte_mempool *
port_pool_of(const struct ports *ports, const struct port *port)
{
	for (uint16_t i = 0; i < ports->pool_count; i++)
		if (ports->pools[i].socket == socket_of(port))
			return ports->pools[i].pool;
	return NULL;
}
