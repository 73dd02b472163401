/* SPDX-License-Identifier: Apache-2.0 */
/* What a port can spread by, and asking it to. */
#ifndef CAMSPAN_PORT_RSS_H
#define CAMSPAN_PORT_RSS_H

#include "dataplane/port.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_eth_conf;
struct rte_eth_dev_info;

/* Sets how the port spreads, from what its driver tells. */
void port_rss_judge(struct port *port, const struct rte_eth_dev_info *info);
/* Asks for it in the configuration of a port with several queues. */
void port_rss_ask(struct port *port, struct rte_eth_conf *conf);
/* Reads back what a started port does, and judges it anew. */
void port_rss_verify(struct port *port);
/* It can go by the headers inside tunnels, and is asked to. */
bool port_rss_is_inner(const struct port *port);
/* By ports too, which later fragments do not have. */
bool port_rss_uses_ports(const struct port *port);

#endif
