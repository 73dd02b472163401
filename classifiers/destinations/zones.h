/* SPDX-License-Identifier: Apache-2.0 */
/* Which zone an address is in: longest prefix over all zones, or the VLAN. */
#ifndef CAMSPAN_ZONES_H
#define CAMSPAN_ZONES_H

#include "config/config.h"

struct zones;

/* Where an address is, and how that is known. */
struct place {
	const struct config_zone *zone; /* NULL: no zone */
	bool by_vlan;
	bool internet; /* a zone of that kind, or public space in no zone */
};

/* `config` is borrowed. Returns NULL when memory is short. */
struct zones *zones_create(const struct config *config);
void zones_free(struct zones *zones);
/* The most specific network wins, then the VLAN (0: not known to be on one). Of two zones that name
 * the same network or VLAN the first in the configuration wins. */
struct place zones_place(const struct zones *zones, const struct ip_address *ip, uint16_t vlan);
/* "internet" or "unknown local" where there is no zone. */
const char *place_name(const struct place *place);
/* True for the last address of the network that gives an IPv4 address its zone: the network's
 * broadcast address (RFC 919). */
bool zones_is_broadcast(const struct zones *zones, const struct ip_address *ip);

#endif
