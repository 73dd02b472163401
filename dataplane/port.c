/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port.h"

#include "dataplane/log.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>

#define MBUF_CACHE    256
#define SPARE_MBUFS   8192 /* bursts in flight and the per-lcore caches */
#define JUMBO_MTU     9216
#define SMALL_PAGE    4096
#define MBUF_OVERHEAD 256 /* struct rte_mbuf, pool header and trailer */

/* 0x6d5a repeated makes the Toeplitz hash the same for both directions of a flow
 * (Woo and Park, "Scalable TCP session monitoring with symmetric receive-side scaling", 2012). */
static uint8_t symmetric_key[64];

static void
fill_symmetric_key(void)
{
	for (size_t i = 0; i < sizeof(symmetric_key); i++)
		symmetric_key[i] = i % 2 ? 0x5a : 0x6d;
}

void
port_device(const struct config *config, size_t number, char device[PORT_DEVICE_SIZE])
{
	/* Cannot be too long: what is added has its room in PORT_DEVICE_SIZE. */
	kernel_port_complete(config->dataplane.ports[number].device,
		config->dataplane.rx_descriptors, config->dataplane.workers, device,
		PORT_DEVICE_SIZE);
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

static uint32_t
mbufs_needed(const struct config *config)
{
	uint32_t descriptors =
		(uint32_t)config->dataplane.port_count * config->dataplane.rx_descriptors;
	uint32_t each =
		config->dataplane.mbufs ? config->dataplane.mbufs : descriptors + SPARE_MBUFS;

	return each * config->dataplane.workers;
}

uint64_t
ports_memory_mib(const struct config *config, bool huge_pages)
{
	uint64_t each = data_room(config) + MBUF_OVERHEAD;

	/* No buffer crosses a page. */
	if (!huge_pages)
		each = (each + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;

	return (mbufs_needed(config) * each >> 20) + 1;
}

static int
create_pool(struct ports *ports, const struct config *config, char *error, size_t error_size)
{
	uint32_t count = mbufs_needed(config);
	uint32_t least = (uint32_t)config->dataplane.port_count * config->dataplane.rx_descriptors *
			 config->dataplane.workers;

	if (count < least + 1024) {
		snprintf(error, error_size,
			"dataplane.mbufs: %" PRIu32 " buffers cannot fill %" PRIu32
			" descriptors and leave 1024 in flight; raise mbufs or set it to 0",
			count, least);
		return -1;
	}
	ports->pool = rte_pktmbuf_pool_create(
		"packets", count, MBUF_CACHE, 0, data_room(config), (int)rte_socket_id());
	if (ports->pool)
		return 0;
	snprintf(error, error_size,
		"no memory for %" PRIu32 " packet buffers: %s; set dataplane.mbufs or memory",
		count, rte_strerror(rte_errno));
	return -1;
}

static void
ask_for_spreading(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info)
{
	uint64_t wanted = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;
	uint8_t length = info->hash_key_size ? info->hash_key_size : 40;

	if (!(info->flow_type_rss_offloads & wanted))
		return;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & wanted;
	if (length <= sizeof(symmetric_key)) {
		conf->rx_adv_conf.rss_conf.rss_key = symmetric_key;
		conf->rx_adv_conf.rss_conf.rss_key_len = length;
	}
}

static int
set_up_queues(struct port *port, struct ports *ports, uint16_t descriptors)
{
	int socket = rte_eth_dev_socket_id(port->id);
	int error;

	error = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &descriptors, NULL);
	for (uint16_t queue = 0; error == 0 && queue < port->queues; queue++)
		error = rte_eth_rx_queue_setup(port->id, queue, descriptors,
			socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)socket, NULL, ports->pool);
	return error;
}

/* Some drivers insist on a transmit queue, or on as many as receive queues: they get idle ones. */
static int
configure(struct port *port, struct ports *ports, const struct rte_eth_dev_info *info,
	const struct rte_eth_conf *conf, uint16_t descriptors)
{
	uint16_t transmit = info->max_tx_queues < port->queues ? info->max_tx_queues : port->queues;
	int error = rte_eth_dev_configure(port->id, port->queues, transmit, conf);

	for (uint16_t queue = 0; error == 0 && queue < transmit; queue++)
		error = rte_eth_tx_queue_setup(port->id, queue, 64, rte_socket_id(), NULL);
	return error ? error : set_up_queues(port, ports, descriptors);
}

static int
start_port(struct port *port, struct ports *ports, const struct config *config)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	int error = rte_eth_dev_info_get(port->id, &info);

	if (error)
		return error;
	port->queues = config->dataplane.workers < info.max_rx_queues ? config->dataplane.workers
								      : info.max_rx_queues;
	if (port->queues > 1)
		ask_for_spreading(&conf, &info);
	conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (info.max_mtu >= JUMBO_MTU && conf.rxmode.offloads)
		conf.rxmode.mtu = JUMBO_MTU;
	error = configure(port, ports, &info, &conf, config->dataplane.rx_descriptors);
	if (error == 0)
		error = rte_eth_dev_start(port->id);
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

int
ports_start(struct ports *ports, const struct config *config, char *error, size_t error_size)
{
	fill_symmetric_key();
	ports->count = 0;
	if (create_pool(ports, config, error, error_size) != 0)
		return -1;
	for (size_t i = 0; i < config->dataplane.port_count; i++) {
		const struct config_port *wanted = &config->dataplane.ports[i];
		struct port *port = &ports->ports[ports->count];
		int code = find_port(port, wanted->device);

		if (code == 0)
			code = start_port(port, ports, config);
		if (code) {
			snprintf(error, error_size,
				"port %s did not start: %s; check the device string, permissions "
				"and, of a PCI port, that it is bound to vfio-pci",
				wanted->device, rte_strerror(-code));
			ports_stop(ports);
			return -1;
		}
		ports->count++;
		if (wanted->promiscuous)
			listen_to_all(port, wanted->device);
		port->kernel = kernel_port_is(wanted->device);
		kernel_sockets_find(&port->sockets, wanted->device);
		if (port->queues < config->dataplane.workers)
			log_warning("port %s has %u receive queues for %u workers: the others idle "
				    "on it",
				port->name, port->queues, config->dataplane.workers);
		log_info("port %s: receive queues: %u", port->name, port->queues);
	}
	ports->fragments_at_start = kernel_fragments_held();
	return 0;
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
	rte_mempool_free(ports->pool);
	ports->pool = NULL;
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
	if (ports->pool)
		health_add(health, "packet_buffers.in_use", HEALTH_GAUGE,
			rte_mempool_in_use_count(ports->pool));
}
