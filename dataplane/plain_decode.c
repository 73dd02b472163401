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

bool
plain_tunnel_decode(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide)
{
	struct plain_link link = plain_link(frame->data, frame->captured);
	const uint8_t *ip = link.ip;
	uint32_t total = load_be16(ip + 2);
	const uint8_t *end = ip + total;
	struct plain_inner inner;
	struct plain_link inside;
	uint16_t vlan;

	/* Either header takes 16 bytes, and the inner frame is no shorter than a plain one. */
	if (ip[0] != 0x45 || (load_be16(ip + 6) & 0x3fff) || total > link.room ||
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
