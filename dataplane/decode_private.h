/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the decoder share: decode.c (entry), decode_link.c (link layers and shims),
 * decode_ip.c (network and transport), decode_tunnel.c (what datagrams carry), decode_tenant.c. */
#ifndef CAMSPAN_DECODE_PRIVATE_H
#define CAMSPAN_DECODE_PRIVATE_H

#include "dataplane/decode.h"
#include "dataplane/likely.h"
#include "dataplane/records/wire.h"

#include <endian.h>
#include <string.h>

enum {
	ETHERNET_HEADER = 14,
	MPLS_LABEL = 4,
};

static inline void
set_ipv4(struct ip_address *ip, const uint8_t *at)
{
	ip->family = ADDRESS_IPV4;
	memcpy(ip->bytes, at, 4);
	memset(ip->bytes + 4, 0, 12);
}

static inline void
set_ipv6(struct ip_address *ip, const uint8_t *at)
{
	ip->family = ADDRESS_IPV6;
	memcpy(ip->bytes, at, 16);
}

/* `end`: where the datagram ends by its IP header; `data_end`: where the transport's own data end.
 * Both may lie behind the captured bytes; payload <= captured has been checked. */
static inline void
set_payload(struct packet *packet, uint32_t payload, uint32_t end, uint32_t data_end)
{
	uint32_t available = data_end < packet->captured ? data_end : packet->captured;
	uint32_t length = available - payload;

	packet->payload = (uint16_t)payload;
	packet->payload_length = (uint16_t)(length < UINT16_MAX ? length : UINT16_MAX);
	packet->payload_wire_length = end - payload;
	packet->flags |= end > packet->captured ? PACKET_TRUNCATED : 0;
}

/* What an encapsulation hides begins anew here: the fields that not every path writes. */
static inline void
reset_network(struct packet *packet)
{
	packet->source_port = 0;
	packet->destination_port = 0;
	packet->flags &= PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC;
	packet->flags |= packet->captured < packet->wire_length ? PACKET_TRUNCATED : 0;
	packet->tcp_flags = 0;
	packet->icmp_type = 0;
	packet->icmp_code = 0;
	packet->tcp_sequence = 0;
	packet->tcp_acknowledgment = 0;
	packet->fragment_id = 0;
}

static inline void
forget_macs(struct packet *packet)
{
	memset(&packet->source_mac, 0, sizeof(packet->source_mac));
	memset(&packet->destination_mac, 0, sizeof(packet->destination_mac));
	packet->flags &= (uint8_t) ~(PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC);
}

/* Puts an encapsulation on the stack; false when it is full. The addresses are the packet's own for
 * one that datagrams carry, none for one of the link layer. */
static inline bool
push_tunnel(struct packet *packet, enum tunnel_type type, uint32_t id, bool in_datagram)
{
	struct packet_tunnel *tunnel = &packet->tunnel[packet->tunnel_count];

	if (packet->tunnel_count == PACKET_MAX_TUNNELS)
		return false;
	packet->tunnel_count++;
	*tunnel = (struct packet_tunnel){.id = id, .type = (uint8_t)type};
	if (in_datagram) {
		tunnel->source = packet->source;
		tunnel->destination = packet->destination;
		tunnel->vlan = packet_vlan(packet);
	}
	return true;
}

/* decode_ip.c: `l3` is where the header begins. */
enum packet_drop decode_ipv4(struct packet *packet, uint32_t l3);
enum packet_drop decode_ipv6(struct packet *packet, uint32_t l3);

/* decode_link.c: `at` is where the Ethernet header, what follows an ethertype, the PPP protocol
 * field or the first label begins. */
enum packet_drop decode_ethernet(
	struct packet *packet, uint32_t at, const struct decode_options *options);
enum packet_drop decode_ethertype(struct packet *packet, uint32_t at, uint16_t ethertype,
	const struct decode_options *options);
enum packet_drop decode_ppp(
	struct packet *packet, uint32_t at, const struct decode_options *options);
enum packet_drop decode_mpls(
	struct packet *packet, uint32_t at, const struct decode_options *options);
/* True for the ethertypes that decode_ethertype() itself reads. */
bool decode_reads_ethertype(uint16_t ethertype);
bool decode_wants_ethertype(const struct decode_options *options, uint16_t ethertype);
/* False when the datagram promises more than what carries it: bytes that only look like one. */
bool decode_is_consistent(const struct packet *packet);

#define DECODE_ALL_TUNNELS (-1)

/* decode_tunnel.c: goes on inside a decoded packet, at most `depth` tunnels (or all) deep. Returns
 * DECODE_ALL_TUNNELS, or the depth at which it did not understand what is inside: the packet is
 * lost then and must be decoded again, down to there. (To keep a copy of it would cost every packet
 * of a tunnel more than the second attempt costs these few.) */
int decode_tunnels(struct packet *packet, const struct decode_options *options, int depth);

/* decode_tenant.c: sets packet->tenant and packet->key_vlan. */
void decode_tenant(struct packet *packet, const struct decode_options *options);

#endif
