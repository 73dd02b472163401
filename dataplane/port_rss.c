/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port_rss.h"

#include "dataplane/rss.h"

#include <rte_ethdev.h>
#include <string.h>

#define USUAL_KEY  40
#define L4_FIELDS  (RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)
#define OUR_FIELDS (RTE_ETH_RSS_IP | L4_FIELDS)

/* Drivers that fill all queues of their device, whatever is configured. */
static const char *const filling_drivers[] = {
	"net_af_packet", "net_af_xdp", "net_memif", "net_pcap", "net_ring"};

/* As far as the packets are those of a network: an IPv4-only offer leaves IPv6 on one queue, which
 * is uneven, but keeps flows together. */
void
port_rss_judge(struct port *port, const struct rte_eth_dev_info *info)
{
	for (size_t i = 0; i < sizeof(filling_drivers) / sizeof(filling_drivers[0]); i++)
		port->all_queues |= strcmp(port->driver, filling_drivers[i]) == 0;
	port->key_length = info->hash_key_size ? info->hash_key_size : USUAL_KEY;
	port->reta_size = info->reta_size;
	port->rss_offered = info->flow_type_rss_offloads;
	if (info->max_rx_queues <= 1) {
		port->spreading = PORT_ONE_QUEUE;
	} else if (strcmp(port->driver, "net_af_packet") == 0) {
		port->spreading = PORT_KERNEL_FANOUT;
	} else if (info->flow_type_rss_offloads & OUR_FIELDS) {
		port->spreading = port->key_length >= RSS_KEY_MIN ? PORT_RSS : PORT_RSS_ASYMMETRIC;
	} else if (port->pci) {
		port->spreading = PORT_ONE_QUEUE; /* what else it has stays empty */
		port->queues_max = 1;
	} else {
		port->spreading = PORT_UNTOLD;
	}
}

void
port_rss_ask(struct port *port, struct rte_eth_conf *conf)
{
	if (port->spreading != PORT_RSS && port->spreading != PORT_RSS_ASYMMETRIC)
		return;
	port->rss_fields = port->rss_offered & OUR_FIELDS;
	if (port_rss_is_inner(port))
		port->rss_fields |= RTE_ETH_RSS_LEVEL_INNERMOST;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = port->rss_fields;
	rss_symmetric_key(port->key, sizeof(port->key));
	conf->rx_adv_conf.rss_conf.rss_key = port->key;
	conf->rx_adv_conf.rss_conf.rss_key_len = port->key_length;
}

void
port_rss_verify(struct port *port)
{
	uint8_t key[RSS_KEY_MAX] = {0};
	struct rte_eth_rss_conf told = {.rss_key = key, .rss_key_len = port->key_length};

	/* Drivers that cannot tell are believed: they have accepted what was asked. */
	if (port->spreading != PORT_RSS || port->queues < 2 ||
		rte_eth_dev_rss_hash_conf_get(port->id, &told) != 0)
		return;
	port->rss_fields = told.rss_hf;
	port->hashes_nothing = (told.rss_hf & OUR_FIELDS) == 0;
	if (told.rss_key && told.rss_key_len >= RSS_KEY_MIN &&
		!rss_key_is_symmetric(told.rss_key, told.rss_key_len))
		port->spreading = PORT_RSS_ASYMMETRIC;
}

bool
port_rss_is_inner(const struct port *port)
{
	return (port->rss_offered & RTE_ETH_RSS_LEVEL_MASK) >= RTE_ETH_RSS_LEVEL_INNERMOST;
}

bool
port_rss_uses_ports(const struct port *port)
{
	return port->spreading == PORT_RSS && (port->rss_fields & L4_FIELDS) != 0;
}
