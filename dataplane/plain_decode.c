/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/plain_decode.h"

#include "dataplane/records/wire.h"

bool
plain_ipv6(struct flow_packet *packet, struct flow_wide *wide, const uint8_t *ip, uint32_t l3,
	uint32_t room, uint16_t vlan, uint32_t tenant, const struct flow_secret *secret)
{
	uint32_t length;

	if (room < PLAIN_IPV6_HEADER + PLAIN_UDP_HEADER || ip[0] >> 4 != 6)
		return false;
	length = load_be16(ip + 4);
	if (length > room - PLAIN_IPV6_HEADER)
		return false;
	if (!plain_transport(
		    packet, ip + PLAIN_IPV6_HEADER, l3, l3 + PLAIN_IPV6_HEADER, length, ip[6]))
		return false;
	packet->octets = PLAIN_IPV6_HEADER + length;
	flow_key_ipv6(packet, wide, ip + 8, ip + 24, load_be32(ip + PLAIN_IPV6_HEADER),
		flow_key_context(ip[6], ADDRESS_IPV6, vlan), tenant, secret);
	return true;
}

enum {
	GRE_HEADER = 8,    /* with a sequence number */
	ERSPAN_HEADER = 8, /* draft-foschiano-erspan, type II */
	VXLAN_HEADER = 8,
};

#define GRE_SEQUENCE_ERSPAN UINT32_C(0x100088be) /* only a sequence number, type I or II */

/* A tunnel header of which nothing is left to look at. */
struct plain_inner {
	const uint8_t *frame; /* Ethernet */
	uint32_t tenant;
	uint16_t vlan; /* of a tag that was taken off */
};

static bool
read_erspan(const uint8_t *gre, struct plain_inner *inner)
{
	const uint8_t *erspan = gre + GRE_HEADER;
	uint16_t first = load_be16(erspan), second = load_be16(erspan + 2);

	if (load_be32(gre) != GRE_SEQUENCE_ERSPAN || first >> 12 != 1)
		return false;
	inner->frame = erspan + ERSPAN_HEADER;
	inner->tenant = tenant_make(TENANT_OTHER, TUNNEL_ERSPAN_II << 16 | (second & 0x3ff));
	inner->vlan = (second >> 11 & 3) == 2 ? first & 0xfff : 0;
	return true;
}

static bool
read_vxlan(const uint8_t *udp, uint32_t room, struct plain_inner *inner)
{
	const uint8_t *vxlan = udp + PLAIN_UDP_HEADER;
	uint16_t port = load_be16(udp + 2);

	if ((port != PORT_VXLAN && port != PORT_VXLAN_LINUX) || load_be16(udp + 4) != room ||
		!(vxlan[0] & 0x08))
		return false;
	inner->frame = vxlan + VXLAN_HEADER;
	inner->tenant = tenant_make(TENANT_VXLAN, load_be32(vxlan + 4) >> 8);
	inner->vlan = 0;
	return true;
}

static bool
plain_tunnel_decode(const struct frame_view *frame, const struct plain_link *link,
	const struct plain_options *options, const struct flow_secret *secret,
	struct flow_packet *packet, struct flow_wide *wide)
{
	const uint8_t *ip = link->ip;
	uint32_t total = load_be16(ip + 2);
	const uint8_t *end = ip + total;
	struct plain_inner inner;
	struct plain_link inside;
	uint16_t vlan;

	/* Either header takes 16 bytes, and the inner frame is no shorter than a plain one. */
	if (ip[0] != 0x45 || (load_be16(ip + 6) & 0x3fff) || total > link->room ||
		total < PLAIN_IPV4_HEADER + 16 + PLAIN_SHORTEST + PLAIN_VLAN_TAG)
		return false;
	if (ip[9] == PROTOCOL_GRE
			? !read_erspan(ip + PLAIN_IPV4_HEADER, &inner)
			: ip[9] != PROTOCOL_UDP || !read_vxlan(ip + PLAIN_IPV4_HEADER,
							   total - PLAIN_IPV4_HEADER, &inner))
		return false;
	inside = plain_link(inner.frame, (uint32_t)(end - inner.frame));
	vlan = (inside.tagged ? inside.vlan : inner.vlan) & options->vlan_mask;
	if (!options->tunnels)
		inner.tenant = 0;
	inner.tenant |= (frame->observation_point & options->port_mask) << TENANT_PORT_SHIFT;
	return plain_network(frame->data, &inside, vlan, inner.tenant, secret, packet, wide);
}

/* The outer of two tags names the tenant: see enum tenant_kind. */
static bool
plain_tagged_decode(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide)
{
	const uint8_t *tags = frame->data + PLAIN_L3;
	uint16_t outer = load_be16(tags) & options->vlan_mask;
	uint32_t tenant = (frame->observation_point & options->port_mask) << TENANT_PORT_SHIFT;
	struct plain_link link = {
		.ip = tags + 2 * PLAIN_VLAN_TAG,
		.room = frame->captured - PLAIN_L3 - 2 * PLAIN_VLAN_TAG,
		.ethertype = load_be16(tags + 6),
	};

	if (load_be16(tags + 2) != ETHERTYPE_8021Q ||
		frame->captured < PLAIN_SHORTEST + 2 * PLAIN_VLAN_TAG)
		return false;
	if (outer)
		tenant |= tenant_make(TENANT_VLANS, outer);
	return plain_network(frame->data, &link, load_be16(tags + 4) & options->vlan_mask, tenant,
		secret, packet, wide);
}

bool
plain_deep_decode(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide)
{
	uint16_t first = load_be16(frame->data + 12);
	struct plain_link link = plain_link(frame->data, frame->captured);

	if (link.ethertype == ETHERTYPE_IPV4)
		return plain_tunnel_decode(frame, &link, options, secret, packet, wide);
	return options->tag_pairs && (first == ETHERTYPE_8021Q || first == ETHERTYPE_8021AD) &&
	       plain_tagged_decode(frame, options, secret, packet, wide);
}

/* Tags between the addresses and the network header at `l3`: their number, or -1 when there is more
 * than tags. plain_decode() took the frame, so there can be no other two. */
static int
count_tags(uint32_t l3)
{
	if (l3 == PLAIN_L3)
		return 0;
	if (l3 == PLAIN_L3 + PLAIN_VLAN_TAG)
		return 1;
	return l3 == PLAIN_L3 + 2 * PLAIN_VLAN_TAG ? 2 : -1;
}

static void
view_transport(struct packet *packet, uint32_t l4, uint8_t protocol)
{
	const uint8_t *header = packet->data + l4;
	bool tcp = protocol == PROTOCOL_TCP;

	packet->l4 = (uint16_t)l4;
	packet->protocol = protocol;
	packet->source_port = load_be16(header);
	packet->destination_port = load_be16(header + 2);
	packet->tcp_sequence = tcp ? load_be32(header + 4) : 0;
	packet->tcp_acknowledgment = tcp ? load_be32(header + 8) : 0;
}

bool
plain_view(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_packet *flow_packet, struct packet *packet)
{
	const uint8_t *data = frame->data, *ip = data + flow_packet->l3;
	int tags = count_tags(flow_packet->l3);

	if (tags < 0)
		return false;
	packet_from_frame(packet, frame);
	packet->l3 = flow_packet->l3;
	packet->payload = flow_packet->payload;
	packet->payload_length = flow_packet->payload_length;
	packet->payload_wire_length =
		flow_packet->octets - (flow_packet->payload - flow_packet->l3);
	packet->vlan_count = (uint8_t)tags;
	for (int i = 0; i < tags; i++)
		packet->vlan[i] = load_be16(data + PLAIN_L3 + i * PLAIN_VLAN_TAG) & 0xfff;
	packet->key_vlan = packet_vlan(packet) & options->vlan_mask;
	packet->tunnel_count = 0;
	packet->tunnel_end = TUNNEL_END_NONE;
	packet->flags = PACKET_HAS_MACS;
	packet->flags |= frame->captured < frame->wire_length ? PACKET_TRUNCATED : 0;
	packet->tcp_flags = flow_packet->tcp_flags;
	packet->icmp_type = packet->icmp_code = 0;
	packet->fragment_id = 0;
	packet->tenant = flow_packet->key.tenant;
	memcpy(packet->destination_mac.bytes, data, 6);
	memcpy(packet->source_mac.bytes, data + 6, 6);
	if (flow_packet->ipv6) {
		packet->ethertype = ETHERTYPE_IPV6;
		packet->l3_kind = PACKET_L3_IPV6;
		packet->ttl = ip[7];
		packet->source = ip_from_ipv6(ip + 8);
		packet->destination = ip_from_ipv6(ip + 24);
		view_transport(packet, flow_packet->l3 + PLAIN_IPV6_HEADER, ip[6]);
	} else {
		packet->ethertype = ETHERTYPE_IPV4;
		packet->l3_kind = PACKET_L3_IPV4;
		packet->ttl = ip[8];
		packet->source = ip_from_ipv4(ip + 12);
		packet->destination = ip_from_ipv4(ip + 16);
		view_transport(packet, flow_packet->l3 + PLAIN_IPV4_HEADER, ip[9]);
	}
	return true;
}
