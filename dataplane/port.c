/* SPDX-License-Identifier: Apache-2.0 */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock() is one in this release of DPDK */

#include "dataplane/port.h"

#include "dataplane/log.h"
#include "dataplane/port_pool.h"
#include "dataplane/port_rss.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <string.h>

#define JUMBO_MTU       9216
#define TX_DESCRIPTORS  64 /* of the idle queues that some drivers insist on */
#define ON_THE_WIRE     20 /* preamble and gap between frames, bytes */
#define DESCRIPTORS_MAX 32768
/* What a worker may pause without a loss, and what is asked for: its timers take less. */
#define LEAST_BUFFERED_US 500
#define WANTED_US         1000
#define USUAL_FRAME       512

void
port_device(const struct config *config, size_t number, char device[PORT_DEVICE_SIZE])
{
	/* Cannot be too long: what is added has its room in PORT_DEVICE_SIZE. */
	kernel_port_complete(config->dataplane.ports[number].device, port_descriptors_asked(config),
		port_queues_asked(config), device, PORT_DEVICE_SIZE);
}

/* The name by which DPDK knows a device string: a PCI address as it is, a virtual device up to its
 * first comma. */
static int
find_port(struct port *port, const char *device)
{
	char bare[sizeof(port->name) - sizeof("0000:")];
	size_t length = strcspn(device, ",");

	if (length >= sizeof(bare))
		return -ENAMETOOLONG;
	memcpy(bare, device, length);
	bare[length] = '\0';
	snprintf(port->name, sizeof(port->name), "%s", bare);
	if (rte_eth_dev_get_port_by_name(port->name, &port->id) == 0)
		return 0;
	snprintf(port->name, sizeof(port->name), "0000:%s", bare);
	return rte_eth_dev_get_port_by_name(port->name, &port->id);
}

/* Mbit/s of the fastest of RTE_ETH_LINK_SPEED_*. */
static uint32_t
fastest(uint32_t capable)
{
	static const uint32_t speeds[] = {400000, 200000, 100000, 56000, 50000, 40000, 25000, 20000,
		10000, 5000, 2500, 1000, 100, 10};

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (capable & rte_eth_speed_bitflag(speeds[i], RTE_ETH_LINK_FULL_DUPLEX))
			return speeds[i];
	return 0;
}

/* Drivers state two limits, of which the lower one counts. */
static bool
takes_jumbo(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu
				    ? info->max_rx_pktlen - info->max_mtu
				    : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	return info->max_mtu >= JUMBO_MTU && info->max_rx_pktlen >= JUMBO_MTU + overhead;
}

/* What a port that has been found can. */
static int
ask_port(struct port *port)
{
	struct rte_eth_dev_info info;
	int error = rte_eth_dev_info_get(port->id, &info);

	if (error)
		return error;
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	port->pci = info.device && strcmp(rte_bus_name(rte_dev_bus(info.device)), "pci") == 0;
	port->socket = rte_eth_dev_socket_id(port->id);
	port->queues_max = info.max_rx_queues;
	port->takes_jumbo = takes_jumbo(&info);
	port->speed = fastest(info.speed_capa);
	port->offloads = info.rx_offload_capa;
	port->descriptors_min = info.rx_desc_lim.nb_min;
	port->descriptors_max = info.rx_desc_lim.nb_max;
	port_rss_judge(port, &info);
	return 0;
}

static int
find_configured(struct ports *ports, const struct config *config, char *error, size_t error_size)
{
	for (size_t i = 0; i < config->dataplane.port_count; i++) {
		const char *device = config->dataplane.ports[i].device;
		struct port *port = &ports->ports[i];
		int code = find_port(port, device);

		if (code == 0)
			code = ask_port(port);
		if (code) {
			snprintf(error, error_size,
				"port %s was not found: %s; check the device string, permissions "
				"and, of a PCI port, that it is bound to vfio-pci",
				device, rte_strerror(-code));
			return -1;
		}
		port->kernel = kernel_port_is(device);
		kernel_sockets_find(&port->sockets, device);
		ports->count++;
	}
	return 0;
}

static int
find_all(struct ports *ports, char *error, size_t error_size)
{
	uint16_t id;

	RTE_ETH_FOREACH_DEV (id) {
		struct port *port = &ports->ports[ports->count];
		int code;

		if (ports->count == PORTS_MAX)
			return 0;
		port->id = id;
		code = rte_eth_dev_get_name_by_port(id, port->name);
		if (code == 0)
			code = ask_port(port);
		if (code) {
			snprintf(error, error_size, "port %u: %s", id, rte_strerror(-code));
			return -1;
		}
		ports->count++;
	}
	return 0;
}

int
ports_find(struct ports *ports, const struct config *config, char *error, size_t error_size)
{
	memset(ports, 0, sizeof(*ports));
	ports->timestamp_offset = -1;
	return config->dataplane.port_count ? find_configured(ports, config, error, error_size)
					    : find_all(ports, error, error_size);
}

bool
port_keeps_flows_together(const struct port *port)
{
	return port->spreading != PORT_RSS_ASYMMETRIC && port->spreading != PORT_UNTOLD;
}

uint64_t
port_buffered_us(const struct port *port, unsigned bytes)
{
	uint64_t frames = (uint64_t)port->queues * port->descriptors;

	return port->speed ? frames * (bytes + ON_THE_WIRE) * 8 / port->speed : 0;
}

/* What is wanted, then what the port makes of it. */
static int
choose_descriptors(struct port *port, const struct config *config)
{
	uint16_t transmit = TX_DESCRIPTORS;
	uint32_t wanted = port_descriptors_asked(config);

	if (config->dataplane.rx_descriptors == 0 && port->pci && port->queues) {
		uint64_t frames = (uint64_t)port->speed * WANTED_US /
				  ((USUAL_FRAME + ON_THE_WIRE) * UINT64_C(8)) / port->queues;

		while (wanted < frames && wanted < DESCRIPTORS_MAX)
			wanted *= 2;
	}
	port->descriptors = (uint16_t)wanted;
	port->descriptors_asked = (uint16_t)wanted;
	return rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->descriptors, &transmit);
}

static void
choose_timestamps(struct ports *ports, struct port *port, struct rte_eth_conf *conf)
{
	uint64_t ticks;

	if (!(port->offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP))
		return;
	if (ports->timestamp_offset < 0 &&
		rte_mbuf_dyn_rx_timestamp_register(
			&ports->timestamp_offset, &ports->timestamp_flag) != 0) {
		log_warning("port %s: no room for its timestamps in packet buffers", port->name);
		ports->timestamp_offset = -1;
		return;
	}
	conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	port_clock_init(&port->clock, rte_eth_read_clock(port->id, &ticks) == -ENOTSUP
					      ? PORT_CLOCK_UTC
					      : PORT_CLOCK_COUNTER);
}

static int
set_up_queues(const struct port *port, const struct ports *ports)
{
	struct rte_mempool *pool = port_pool_of(ports, port);
	unsigned socket = port->socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)port->socket;
	int error = 0;

	for (uint16_t queue = 0; error == 0 && queue < port->queues; queue++)
		error = rte_eth_rx_queue_setup(
			port->id, queue, port->descriptors, socket, NULL, pool);
	return error;
}

/* Some drivers insist on a transmit queue, or on as many as receive queues: they get idle ones. */
static int
configure(struct port *port, const struct ports *ports, const struct rte_eth_conf *conf)
{
	struct rte_eth_dev_info info;
	uint16_t receive = 0, transmit = TX_DESCRIPTORS, queues;
	int error = rte_eth_dev_info_get(port->id, &info);

	if (error)
		return error;
	queues = info.max_tx_queues < port->queues ? info.max_tx_queues : port->queues;
	error = rte_eth_dev_configure(port->id, port->queues, queues, conf);
	if (error == 0)
		error = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &receive, &transmit);
	for (uint16_t queue = 0; error == 0 && queue < queues; queue++)
		error = rte_eth_tx_queue_setup(
			port->id, queue, transmit, (unsigned)SOCKET_ID_ANY, NULL);
	return error ? error : set_up_queues(port, ports);
}

/* A link that has just been configured may take seconds to come up. */
static void
read_speed(struct port *port)
{
	struct rte_eth_link link;

	if (rte_eth_link_get_nowait(port->id, &link) != 0)
		return;
	port->link_up = link.link_status;
	if (link.link_status && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN &&
		link.link_speed != RTE_ETH_SPEED_NUM_NONE)
		port->speed = link.link_speed;
}

static int
start_port(struct port *port, struct ports *ports, const struct config *config)
{
	struct rte_eth_conf conf = {0};
	int error;

	if (port->queues > 1)
		port_rss_ask(port, &conf);
	conf.rxmode.offloads = port->offloads & RTE_ETH_RX_OFFLOAD_SCATTER;
	port->scatter = conf.rxmode.offloads != 0;
	if (port->takes_jumbo && port->scatter)
		port->mtu = conf.rxmode.mtu = JUMBO_MTU;
	if (config->dataplane.timestamps == TIMESTAMPS_AUTO)
		choose_timestamps(ports, port, &conf);
	error = configure(port, ports, &conf);
	if (error == 0)
		error = rte_eth_dev_start(port->id);
	if (error == 0)
		read_speed(port);
	return error;
}

/* The mode outlives the process on an interface of the kernel: it is put back as it was. */
static void
listen_to_all(struct port *port, const char *device)
{
	bool already = kernel_port_is_promiscuous(device);

	if (rte_eth_promiscuous_enable(port->id) != 0)
		log_warning("port %s: no promiscuous mode; frames for other hosts may be missed",
			port->name);
	else
		port->promiscuous = !already;
}

/* What an operator must know of it: one line each, with what to do. */
static void
tell_doubts(const struct port *port, const struct config *config, const struct layout *layout)
{
	uint64_t buffered = port_buffered_us(port, USUAL_FRAME);

	if (config->dataplane.rx_descriptors && port->descriptors != port->descriptors_asked)
		log_warning("port %s: %u descriptors a queue asked, %u given (%u to %u)",
			port->name, port->descriptors_asked, port->descriptors,
			port->descriptors_min, port->descriptors_max);
	if (port->pci && buffered && buffered < LEAST_BUFFERED_US)
		log_warning("port %s: its descriptors hold %" PRIu64
			    " us of %u-byte frames at line rate, and %d are wanted: raise "
			    "dataplane.rx_descriptors (at most %u) or the number of queues",
			port->name, buffered, USUAL_FRAME, LEAST_BUFFERED_US,
			port->descriptors_max);
	if (!port_keeps_flows_together(port) && port->queues > 1 && !layout->software)
		log_warning("port %s: both directions of a flow may reach different workers (%s): "
			    "set dataplane.spreading to software",
			port->name,
			port->spreading == PORT_UNTOLD ? "its driver does not say how it spreads"
						       : "it uses a key of its own");
	if (port->hashes_nothing && port->queues > 1 && !layout->software)
		log_warning("port %s: it hashes no addresses, so one queue gets everything: set "
			    "dataplane.spreading to software",
			port->name);
}

static void
tell(const struct port *port, const struct config *config, const struct layout *layout,
	unsigned number)
{
	unsigned crossings = layout_crossings(layout, number);

	if (port->queues < layout->worker_count && !layout->software)
		log_warning("port %s has %u receive queues for %u workers: the others idle on it; "
			    "set dataplane.spreading to software",
			port->name, port->queues, layout->worker_count);
	if (crossings)
		log_warning("port %s is on NUMA node %d, and %u of the lcores that read it are "
			    "not: each of their packets crosses; choose dataplane.lcores there",
			port->name, port->socket, crossings);
	tell_doubts(port, config, layout);
	log_info("port %s: receive queues: %u, descriptors: %u each", port->name, port->queues,
		port->descriptors);
}

int
ports_start(struct ports *ports, const struct config *config, const struct layout *layout,
	char *error, size_t error_size)
{
	uint16_t count = ports->count;
	int code = 0;

	for (uint16_t i = 0; i < count && code == 0; i++) {
		ports->ports[i].queues = layout->queues[i];
		code = choose_descriptors(&ports->ports[i], config);
	}
	if (code) {
		snprintf(error, error_size,
			"the ports do not tell how many descriptors they "
			"have: %s",
			rte_strerror(-code));
		ports_stop(ports);
		return -1;
	}
	if (port_pools_create(ports, config, layout, error, error_size) != 0) {
		ports_stop(ports);
		return -1;
	}
	for (uint16_t i = 0; i < count; i++) {
		struct port *port = &ports->ports[i];

		code = start_port(port, ports, config);
		if (code) {
			snprintf(error, error_size, "port %s did not start: %s", port->name,
				rte_strerror(-code));
			ports_stop(ports);
			return -1;
		}
		port_rss_verify(port);
		if (i < config->dataplane.port_count && config->dataplane.ports[i].promiscuous &&
			!port->promiscuous)
			listen_to_all(port, config->dataplane.ports[i].device);
	}
	ports->fragments_at_start = kernel_fragments_held();
	return 0;
}

void
ports_pause(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++)
		rte_eth_dev_stop(ports->ports[i].id);
}

void
ports_tell(const struct ports *ports, const struct config *config, const struct layout *layout)
{
	for (uint16_t i = 0; i < ports->count; i++)
		tell(&ports->ports[i], config, layout, i);
}

void
ports_stop(struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		if (ports->ports[i].promiscuous)
			rte_eth_promiscuous_disable(ports->ports[i].id);
		rte_eth_dev_stop(ports->ports[i].id);
		rte_eth_dev_close(ports->ports[i].id);
	}
	ports->count = 0;
	port_pools_free(ports);
}

bool
ports_are_kernel(const struct ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++)
		if (!ports->ports[i].kernel)
			return false;
	return true;
}

void
ports_tick(struct ports *ports, int64_t now)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->ports[i];
		uint64_t ticks;

		if (port->clock.source == PORT_CLOCK_COUNTER &&
			rte_eth_read_clock(port->id, &ticks) == 0)
			port_clock_set(&port->clock, ticks, now);
	}
}

void
port_stop_timestamps(struct port *port)
{
	if (port->clock.source == PORT_CLOCK_NONE)
		return;
	port_clock_stop(&port->clock);
	log_warning("port %s: its timestamps are more than 1 s from the system's clock: the time "
		    "at which a burst is taken is used instead",
		port->name);
}

void
ports_health(struct ports *ports, struct health_record *health)
{
	bool has_sockets = false;

	for (uint16_t i = 0; i < ports->count; i++) {
		struct port *port = &ports->ports[i];
		struct rte_eth_stats stats;

		kernel_sockets_count(&port->sockets);
		health->nic_missed += port->sockets.dropped;
		has_sockets |= port->sockets.count > 0;
		if (rte_eth_stats_get(port->id, &stats) != 0)
			continue;
		health->nic_missed += stats.imissed;
		health->nic_no_mbuf += stats.rx_nombuf;
		health->nic_errors += stats.ierrors;
	}
	/* The af_packet driver has IPv4 fragments put together before they are received. */
	if (has_sockets)
		health_add(health, "ports.fragments_in_kernel", HEALTH_COUNTER,
			kernel_fragments_held() - ports->fragments_at_start);
	for (uint16_t i = 0; i < ports->pool_count; i++)
		health_add(health, "packet_buffers.in_use", HEALTH_GAUGE,
			rte_mempool_in_use_count(ports->pools[i].pool));
}
