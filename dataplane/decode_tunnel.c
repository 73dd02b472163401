/* SPDX-License-Identifier: Apache-2.0 */
/* What datagrams carry: finds the packet inside a decoded one and decodes that in its place. A
 * protocol number says so itself; a UDP port only hints at it, and what is inside must agree. */
#include "dataplane/cursor.h"
#include "dataplane/decode_private.h"
#include "dataplane/records/wire.h"

/* Headers in front of an inner packet: keeps offsets in 16 bits with any chain of extensions. */
#define HEADERS_MAX 8192

enum { UNBOUNDED = 1 << 20 }; /* behind the longest datagram */

enum content {
	CONTENT_NONE,
	CONTENT_IPV4,
	CONTENT_IPV6,
	CONTENT_ETHERNET,
	CONTENT_ETHERTYPE, /* what follows an ethertype, which is in `ethertype` */
	CONTENT_MPLS,
	CONTENT_PPP,
};

/* What a tunnel header says is behind it. */
struct inside {
	enum content content;
	enum tunnel_type type;
	uint32_t id;
	uint32_t at;        /* offset in the frame */
	uint32_t end;       /* where the carrier ends on the wire */
	uint16_t ethertype; /* CONTENT_ETHERTYPE */
	uint16_t vlan;      /* of an Ethernet frame whose tag was taken off, 0: none */
	bool doubtful;      /* a port said so: the inner lengths must agree */
};

static enum content
ip_by_version(const struct cursor *cursor)
{
	if (cursor_left(cursor) == 0)
		return CONTENT_NONE;
	if (cursor->at[0] >> 4 == 4)
		return CONTENT_IPV4;
	return cursor->at[0] >> 4 == 6 ? CONTENT_IPV6 : CONTENT_NONE;
}

static void
set_ethertype(struct inside *inside, uint16_t ethertype)
{
	inside->ethertype = ethertype;
	inside->content = ethertype == ETHERTYPE_ETHERNET ? CONTENT_ETHERNET : CONTENT_ETHERTYPE;
}

/* draft-foschiano-erspan. Type I has no header of its own, which the missing sequence number tells.
 */
static void
read_erspan(struct cursor *cursor, bool sequence, struct inside *inside)
{
	uint16_t first, second;
	uint8_t frame_type;

	inside->content = CONTENT_ETHERNET;
	inside->type = TUNNEL_ERSPAN_I;
	inside->id = 0;
	if (!sequence)
		return;
	first = cursor_be16(cursor);
	second = cursor_be16(cursor);
	inside->id = second & 0x3ff;
	if (first >> 12 == 1) {
		inside->type = TUNNEL_ERSPAN_II;
		if ((second >> 11 & 3) == 2) /* the tag was taken off */
			inside->vlan = first & 0xfff;
		cursor_skip(cursor, 4);
		return;
	}
	inside->type = TUNNEL_ERSPAN_III;
	if (first >> 12 != 2)
		inside->content = CONTENT_NONE;
	cursor_skip(cursor, 6); /* timestamp, security group */
	second = cursor_be16(cursor);
	if (second & 1) /* a platform's subheader */
		cursor_skip(cursor, 8);
	frame_type = second >> 10 & 0x1f;
	if (frame_type == 2)
		inside->content = ip_by_version(cursor);
	else if (frame_type != 0)
		inside->content = CONTENT_NONE;
}

/* WCCP version 2 puts four bytes of its own before the redirected datagram, version 1 none. */
static void
read_wccp(struct cursor *cursor, struct inside *inside)
{
	if (ip_by_version(cursor) == CONTENT_NONE)
		cursor_skip(cursor, 4);
	inside->content = ip_by_version(cursor);
}

/* Cisco MetaData: in GRE the ethertype comes first. */
static void
read_metadata(struct cursor *cursor, struct inside *inside)
{
	uint16_t ethertype = cursor_be16(cursor);
	uint16_t version_and_length = cursor_be16(cursor);

	cursor_skip(cursor, 4); /* option, security group tag */
	if (version_and_length == 0x0101)
		set_ethertype(inside, ethertype);
}

/* RFC 2637 section 4.1: the key is a length and a call id, which differs by direction. */
static void
read_pptp(struct cursor *cursor, uint16_t flags, struct inside *inside)
{
	uint32_t key = cursor_be32(cursor);

	inside->type = TUNNEL_PPTP;
	inside->id = key & 0xffff;
	if (flags & 0x1000)
		cursor_skip(cursor, 4);
	if (flags & 0x0080)
		cursor_skip(cursor, 4);
	if ((flags & 0x2000) && key >> 16 != 0)
		inside->content = CONTENT_PPP;
}

/* RFC 7637: 24 bits name the segment, from 4096 on; the other eight vary with the flow. A bridge
 * over GRE with a key of its own choice is told apart by that. */
static bool
is_nvgre(uint16_t flags, uint16_t protocol, uint32_t key)
{
	return protocol == ETHERTYPE_ETHERNET && (flags & 0xb000) == 0x2000 && key >> 8 >= 0x1000;
}

/* RFC 2784, RFC 2890. */
static void
read_gre(struct cursor *cursor, struct inside *inside)
{
	uint16_t flags = cursor_be16(cursor);
	uint16_t protocol = cursor_be16(cursor);
	bool sequence = flags & 0x1000;

	if ((flags & 7) == 1 && protocol == ETHERTYPE_PPP) {
		read_pptp(cursor, flags, inside);
		return;
	}
	if ((flags & 7) != 0 || (flags & 0x4000)) /* a version or source route not known here */
		return;
	inside->type = TUNNEL_GRE;
	if (flags & 0x8000)
		cursor_skip(cursor, 4);
	if (flags & 0x2000) {
		uint32_t key = cursor_be32(cursor);
		bool nvgre = is_nvgre(flags, protocol, key);

		inside->type = nvgre ? TUNNEL_NVGRE : TUNNEL_GRE_KEY;
		inside->id = nvgre ? key >> 8 : key;
	}
	if (sequence)
		cursor_skip(cursor, 4);
	if (protocol == ETHERTYPE_ERSPAN || protocol == ETHERTYPE_ERSPAN3)
		read_erspan(cursor, sequence || protocol == ETHERTYPE_ERSPAN3, inside);
	else if (protocol == ETHERTYPE_WCCP)
		read_wccp(cursor, inside);
	else if (protocol == ETHERTYPE_CMD)
		read_metadata(cursor, inside);
	else if (protocol == ETHERTYPE_PPP)
		inside->content = CONTENT_PPP;
	else
		set_ethertype(inside, protocol);
}

/* RFC 7348; Linux's group policy extension sets other flags. */
static void
read_vxlan(struct cursor *cursor, struct inside *inside)
{
	uint32_t flags = cursor_be32(cursor);

	inside->type = TUNNEL_VXLAN;
	inside->id = cursor_be32(cursor) >> 8;
	if (flags & 0x08000000)
		inside->content = CONTENT_ETHERNET;
}

/* draft-ietf-nvo3-vxlan-gpe. */
static void
read_vxlan_gpe(struct cursor *cursor, struct inside *inside)
{
	static const enum content contents[] = {
		[1] = CONTENT_IPV4, [2] = CONTENT_IPV6, [3] = CONTENT_ETHERNET, [5] = CONTENT_MPLS};
	uint32_t flags = cursor_be32(cursor);
	uint32_t next = flags & 0xff;

	inside->type = TUNNEL_VXLAN;
	inside->id = cursor_be32(cursor) >> 8;
	if (flags >> 28 != 0 || !(flags & 0x08000000)) /* version, instance */
		return;
	if (!(flags & 0x04000000))
		inside->content = CONTENT_ETHERNET;
	else if (next < sizeof(contents) / sizeof(contents[0]))
		inside->content = contents[next];
}

/* RFC 8926. */
static void
read_geneve(struct cursor *cursor, struct inside *inside)
{
	uint16_t first = cursor_be16(cursor);
	uint16_t protocol = cursor_be16(cursor);

	inside->type = TUNNEL_GENEVE;
	inside->id = cursor_be32(cursor) >> 8;
	cursor_skip(cursor, (size_t)(first >> 8 & 0x3f) * 4);
	if (first >> 14 == 0)
		set_ethertype(inside, protocol);
}

#define GTP_EXTENSIONS_MAX 8

/* 3GPP TS 29.281 section 5: user data only. The id differs by direction. */
static void
read_gtpu(struct cursor *cursor, struct inside *inside)
{
	uint8_t flags = cursor_u8(cursor);
	uint8_t message = cursor_u8(cursor);
	uint16_t length = cursor_be16(cursor);
	uint8_t next = 0;

	inside->type = TUNNEL_GTPU;
	inside->id = cursor_be32(cursor);
	/* Version 1, GTP rather than GTP', the spare bit, a G-PDU. */
	if (flags >> 3 != 6 || message != 255 || length == 0)
		return;
	if (flags & 7) {
		cursor_skip(cursor, 3);
		next = cursor_u8(cursor);
	}
	if (!(flags & 4))
		next = 0;
	for (unsigned count = 0; next != 0; count++) {
		uint8_t units = cursor_u8(cursor);

		if (units == 0 || count == GTP_EXTENSIONS_MAX)
			return;
		cursor_skip(cursor, (size_t)units * 4 - 2);
		next = cursor_u8(cursor);
	}
	inside->content = ip_by_version(cursor);
}

/* RFC 4380 section 5.1.1: authentication, then origin, each optional. */
static void
read_teredo(struct cursor *cursor, struct inside *inside)
{
	inside->type = TUNNEL_TEREDO;
	if (cursor_left(cursor) >= 4 && load_be16(cursor->at) == 1)
		cursor_skip(cursor, (size_t)13 + cursor->at[2] + cursor->at[3]);
	if (cursor_left(cursor) >= 2 && load_be16(cursor->at) == 0)
		cursor_skip(cursor, 8);
	if (ip_by_version(cursor) == CONTENT_IPV6)
		inside->content = CONTENT_IPV6;
}

/* RFC 2661 section 3.1: data messages of version 2. Ids differ by direction. */
static void
read_l2tp(struct cursor *cursor, struct inside *inside)
{
	uint16_t flags = cursor_be16(cursor);

	inside->type = TUNNEL_L2TP;
	if ((flags & 0x8000) || (flags & 15) != 2 || (flags & 0x34f0)) /* control; reserved */
		return;
	if (flags & 0x4000)
		cursor_skip(cursor, 2);
	inside->id = cursor_be32(cursor); /* tunnel and session */
	if (flags & 0x0800)
		cursor_skip(cursor, 4);
	if (flags & 0x0200)
		cursor_skip(cursor, cursor_be16(cursor));
	inside->content = CONTENT_PPP;
}

static void
read_mpls_port(struct cursor *cursor, struct inside *inside)
{
	(void)cursor;
	inside->type = TUNNEL_MPLS_UDP;
	inside->content = CONTENT_MPLS;
}

/* RFC 3378: version 3 and twelve zero bits. */
static void
read_etherip(struct cursor *cursor, struct inside *inside)
{
	inside->type = TUNNEL_ETHERIP;
	if (cursor_be16(cursor) == 0x3000)
		inside->content = CONTENT_ETHERNET;
}

/* Tunnels are known by the port they are sent to; those whose peers answer to it, by either. */
static const struct {
	uint16_t port;
	bool either;
	void (*read)(struct cursor *cursor, struct inside *inside);
} ports[] = {
	{PORT_VXLAN, false, read_vxlan},
	{PORT_VXLAN_LINUX, false, read_vxlan},
	{PORT_VXLAN_GPE, false, read_vxlan_gpe},
	{PORT_GENEVE, false, read_geneve},
	{PORT_MPLS, false, read_mpls_port},
	{PORT_GTPU, true, read_gtpu},
	{PORT_TEREDO, true, read_teredo},
	{PORT_L2TP, true, read_l2tp},
};

const uint16_t decode_tunnel_ports[DECODE_TUNNEL_PORTS] = {PORT_VXLAN, PORT_VXLAN_LINUX,
	PORT_VXLAN_GPE, PORT_GENEVE, PORT_MPLS, PORT_GTPU, PORT_TEREDO, PORT_L2TP};

_Static_assert(sizeof(ports) / sizeof(ports[0]) == DECODE_TUNNEL_PORTS, "every port is known");

static void
read_udp(const struct packet *packet, struct cursor *cursor, struct inside *inside)
{
	if (!decode_may_be_tunnel((uint32_t)packet->source_port << 16 | packet->destination_port))
		return;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (packet->destination_port != ports[i].port &&
			!(ports[i].either && packet->source_port == ports[i].port))
			continue;
		inside->doubtful = true;
		ports[i].read(cursor, inside);
		return;
	}
}

static void
read_carrier(const struct packet *packet, struct cursor *cursor, struct inside *inside)
{
	switch (packet->protocol) {
	case PROTOCOL_UDP:
		read_udp(packet, cursor, inside);
		break;
	case PROTOCOL_GRE:
		read_gre(cursor, inside);
		break;
	case PROTOCOL_IPV4:
		inside->type = TUNNEL_IPV4;
		inside->content = CONTENT_IPV4;
		break;
	case PROTOCOL_IPV6:
		inside->type = TUNNEL_IPV6;
		inside->content = CONTENT_IPV6;
		break;
	case PROTOCOL_ETHERIP:
		read_etherip(cursor, inside);
		break;
	case PROTOCOL_MPLS:
		inside->type = TUNNEL_MPLS_IP;
		inside->content = CONTENT_MPLS;
		break;
	case PROTOCOL_ETHERNET:
		inside->type = TUNNEL_ETHERNET;
		inside->content = CONTENT_ETHERNET;
		break;
	default:
		break;
	}
}

/* Where the carrier ends on the wire. The first fragment of one holds only the beginning. */
static uint32_t
carrier_end(const struct packet *packet)
{
	uint32_t end = packet->payload + packet->payload_wire_length;
	uint32_t udp;

	if (packet->protocol != PROTOCOL_UDP)
		return packet->flags & PACKET_IS_FRAGMENT ? UNBOUNDED : end;
	udp = load_be16(packet->data + packet->l4 + 4);
	return udp ? packet->l4 + udp : end;
}

/* Returns false when the datagram is no tunnel known here. */
static bool
find_inside(const struct packet *packet, struct inside *inside)
{
	struct cursor cursor = cursor_make(packet_payload(packet), packet->payload_length);

	*inside = (struct inside){.type = TUNNEL_NONE};
	if (packet->flags & PACKET_LATER_FRAGMENT)
		return false;
	read_carrier(packet, &cursor, inside);
	if (inside->type == TUNNEL_NONE)
		return false;
	inside->at = (uint32_t)(cursor.at - packet->data);
	inside->end = carrier_end(packet);
	if (!cursor_ok(&cursor) || cursor_left(&cursor) == 0 || inside->at > HEADERS_MAX)
		inside->content = CONTENT_NONE;
	return true;
}

static enum packet_drop
decode_content(
	struct packet *packet, const struct inside *inside, const struct decode_options *options)
{
	switch (inside->content) {
	case CONTENT_IPV4:
		return decode_ipv4(packet, inside->at);
	case CONTENT_IPV6:
		return decode_ipv6(packet, inside->at);
	case CONTENT_ETHERNET:
		return decode_ethernet(packet, inside->at, options);
	case CONTENT_ETHERTYPE:
		return decode_ethertype(packet, inside->at, inside->ethertype, options);
	case CONTENT_MPLS:
		return decode_mpls(packet, inside->at, options);
	case CONTENT_PPP:
		return decode_ppp(packet, inside->at, options);
	case CONTENT_NONE:
		break;
	}
	return DROP_NOT_INSPECTED;
}

static inline bool
is_ip(const struct packet *packet)
{
	return packet->l3_kind == PACKET_L3_IPV4 || packet->l3_kind == PACKET_L3_IPV6;
}

/* Decodes what is inside in place of its carrier, which is lost, understood or not. */
static bool
enter(struct packet *packet, const struct inside *inside, const struct decode_options *options)
{
	unsigned depth;

	if (!push_tunnel(packet, inside->type, inside->id, true))
		return false;
	depth = packet->tunnel_count;
	packet->wire_length = inside->end;
	if (packet->captured > inside->end)
		packet->captured = inside->end;
	/* MACs and tags are those of the tunnel's end. */
	packet->vlan_count = 0;
	if (inside->content != CONTENT_ETHERNET)
		forget_macs(packet);
	reset_network(packet);
	if (decode_content(packet, inside, options) != PACKET_DECODED)
		return false;
	if (inside->vlan != 0 && packet->vlan_count == 0 && packet->tunnel_count == depth)
		packet->vlan[packet->vlan_count++] = inside->vlan;
	return !inside->doubtful || decode_is_consistent(packet);
}

int
decode_tunnels(struct packet *packet, const struct decode_options *options, int depth)
{
	struct inside inside;

	for (int level = 0; is_ip(packet) && find_inside(packet, &inside); level++) {
		if (packet->tunnel_count == PACKET_MAX_TUNNELS) {
			packet->tunnel_end = TUNNEL_END_TOO_DEEP;
			break;
		}
		if (level == depth || inside.content == CONTENT_NONE) {
			packet->tunnel_end = TUNNEL_END_NOT_UNDERSTOOD;
			break;
		}
		if (!enter(packet, &inside, options))
			return level;
	}
	return DECODE_ALL_TUNNELS;
}
