/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/direction.h"

#include "dataplane/records/wire.h"

#define ICMP_ECHO_REQUEST   8   /* RFC 792 */
#define ICMPV6_ECHO_REQUEST 128 /* RFC 4443 */

#define SYSTEM_PORTS    1024  /* RFC 6335: below are system ports */
#define EPHEMERAL_PORTS 32768 /* what clients draw from begins here or later (Linux, IANA) */

/* Without the first packet: the handshake tells, else the port that looks like a service. */
static struct direction
guess_direction(const struct flow_record *flow)
{
	bool syn[2] = {flow->tcp_flags[0] & TCP_SYN, flow->tcp_flags[1] & TCP_SYN};
	uint16_t ports[2] = {flow->initiator.port, flow->responder.port};

	/* The first SYN was missed (else the initiator were certain), so a SYN seen from one side
	 * only came with an ACK: that side answers (RFC 9293 section 3.5). */
	if (flow->protocol == PROTOCOL_TCP && syn[0] != syn[1])
		return (struct direction){.trust = DIRECTION_LIKELY, .swapped = syn[0]};
	if (ports[0] == 0 || ports[1] == 0)
		return (struct direction){.trust = DIRECTION_UNKNOWN};
	if ((ports[0] < SYSTEM_PORTS) != (ports[1] < SYSTEM_PORTS))
		return (struct direction){
			.trust = DIRECTION_LIKELY, .swapped = ports[0] < SYSTEM_PORTS};
	if ((ports[0] < EPHEMERAL_PORTS) != (ports[1] < EPHEMERAL_PORTS))
		return (struct direction){
			.trust = DIRECTION_LIKELY, .swapped = ports[0] < EPHEMERAL_PORTS};
	return (struct direction){.trust = DIRECTION_UNKNOWN};
}

struct direction
direction_judge(const struct flow_record *flow)
{
	if (flow->initiator_certain)
		return (struct direction){.trust = DIRECTION_CERTAIN};
	if (flow->protocol != PROTOCOL_TCP && flow->protocol != PROTOCOL_UDP)
		return (struct direction){.trust = DIRECTION_UNKNOWN};
	return guess_direction(flow);
}

/* RFC 2131 and RFC 8415: clients, servers and relays use only these ports. */
static bool
is_dhcp(const struct flow_record *flow)
{
	uint16_t a = flow->initiator.port, b = flow->responder.port;

	if (flow->protocol != PROTOCOL_UDP)
		return false;
	return ((a == 67 || a == 68) && (b == 67 || b == 68)) ||
	       ((a == 546 || a == 547) && (b == 546 || b == 547));
}

static bool
is_telling_end(
	const struct ip_address *ip, const struct mac_address *mac, const struct zones *zones)
{
	if (!ip_is_unicast(ip) || ip_is_link_local(ip) || zones_is_broadcast(zones, ip))
		return false;
	/* Broadcast of a subnet that no zone names: the frame's address tells. */
	return !mac_is_set(mac) || mac_is_unicast(mac);
}

bool
flow_tells_of_contact(const struct flow_record *flow, const struct zones *zones)
{
	if (!is_telling_end(&flow->initiator.ip, &flow->initiator_mac, zones) ||
		!is_telling_end(&flow->responder.ip, &flow->responder_mac, zones))
		return false;
	switch (flow->protocol) {
	case PROTOCOL_ICMP:
		return flow->icmp_type == ICMP_ECHO_REQUEST;
	case PROTOCOL_ICMPV6:
		return flow->icmp_type == ICMPV6_ECHO_REQUEST;
	case PROTOCOL_IGMP:
		return false;
	default:
		return !is_dhcp(flow);
	}
}

/* NetBIOS name service, SSDP, WS-Discovery, mDNS, SADP and DHIP: asked of a group, answered from
 * the port that was asked. */
static bool
is_discovery_port(uint16_t port)
{
	switch (port) {
	case 137:
	case 1900:
	case 3702:
	case 5353:
	case 37020:
	case 37810:
		return true;
	default:
		return false;
	}
}

bool
is_discovery_reply(
	const struct contact_facts *facts, uint16_t device_port, const struct place *peer_place)
{
	return facts->protocol == PROTOCOL_UDP && !peer_place->internet &&
	       is_discovery_port(device_port) && !is_discovery_port(facts->peer.port);
}

bool
may_be_solicited(uint8_t protocol, uint16_t peer_port)
{
	return protocol == PROTOCOL_UDP && peer_port >= SYSTEM_PORTS;
}
