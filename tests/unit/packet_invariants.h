/* SPDX-License-Identifier: Apache-2.0 */
/* What packet.h promises of every decoded packet. */
#ifndef CAMSPAN_TESTS_PACKET_INVARIANTS_H
#define CAMSPAN_TESTS_PACKET_INVARIANTS_H

#include "dataplane/records/packet.h"

#include <stddef.h>

/* Returns NULL, or the promise that does not hold. */
static inline const char *
packet_broken_invariant(const struct packet *packet)
{
	if (packet->l3 > packet->l4 || packet->l4 > packet->payload)
		return "l3 <= l4 <= payload";
	if (packet->payload > packet->captured)
		return "payload <= captured";
	if ((uint32_t)packet->payload + packet->payload_length > packet->captured)
		return "payload + payload_length <= captured";
	if (packet->payload_wire_length < packet->payload_length)
		return "payload_wire_length >= payload_length";
	if (packet->vlan_count > PACKET_MAX_VLANS)
		return "vlan_count <= PACKET_MAX_VLANS";
	if ((packet->flags & PACKET_LATER_FRAGMENT) &&
		(packet->payload_length || packet->source_port || packet->destination_port))
		return "later fragments have neither ports nor payload";
	if ((packet->captured < packet->wire_length) && !(packet->flags & PACKET_TRUNCATED))
		return "a short capture is marked";
	if ((packet->flags & PACKET_LATER_FRAGMENT) && !(packet->flags & PACKET_IS_FRAGMENT))
		return "a later fragment is a fragment";
	if ((packet->l3_kind == PACKET_L3_NONE) != (packet->source.family == ADDRESS_NONE))
		return "network packets have addresses";
	if (packet->source.family != packet->destination.family)
		return "both addresses are of one family";
	return NULL;
}

#endif
