/* SPDX-License-Identifier: Apache-2.0 */
/* Who began a flow, and which flows say nothing about anybody. */
#ifndef CAMSPAN_DIRECTION_H
#define CAMSPAN_DIRECTION_H

#include "classifiers/destinations/suspect.h"

enum direction_trust {
	DIRECTION_UNKNOWN, /* judge nobody by it */
	DIRECTION_LIKELY,  /* from ports or handshake flags */
	DIRECTION_CERTAIN, /* the first packet was seen */
};

struct direction {
	enum direction_trust trust;
	bool swapped; /* the record's responder began */
};

struct direction direction_judge(const struct flow_record *flow);

/* Who is never accused of what: link-local, multicast, broadcast and unspecified ends, DHCP, and
 * ICMP other than an echo request. */
bool flow_tells_of_contact(const struct flow_record *flow, const struct zones *zones);
/* UDP from a discovery port to a local host: the reply to a question that was sent to a group.
 * `device_port` is the port of the device that the facts are about. */
bool is_discovery_reply(
	const struct contact_facts *facts, uint16_t device_port, const struct place *peer_place);
/* UDP that the peer may have asked for in another session, as a viewer does by RTSP. */
bool may_be_solicited(uint8_t protocol, uint16_t peer_port);

#endif
