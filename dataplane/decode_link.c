/* SPDX-License-Identifier: Apache-2.0 */
/* From a link header to the network header: tags, shims and what encapsulates below IP. */
#include "dataplane/decode_private.h"

enum {
	VLAN_TAG = 4,
	VNTAG = 4,
	ETAG = 6,
	CMD_TAG = 6,
	ARP_HEADER = 8,
	LLC_HEADER = 3,
	SNAP_HEADER = 5,
	PPPOE_HEADER = 6,
	PBB_TAG = 4,
	FABRICPATH_TAG = 2,
	SHIMS_MAX = 8,
	MPLS_LABELS_MAX = 8,
};

enum {
	LLC_SAP_SNAP = 0xaa,
	LLC_SAP_IP = 0x06,
	LLC_UI = 0x03, /* unnumbered information */
};

enum {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
	PPP_MPLS_MULTICAST = 0x0283,
	PPP_ADDRESS_CONTROL = 0xff03,
};

/* RFC 826. Only the mapping of IPv4 addresses says anything here. */
static enum packet_drop
decode_arp(struct packet *packet, uint32_t l3)
{
	const uint8_t *arp = packet->data + l3;
	uint32_t hardware, length;

	if (l3 + ARP_HEADER > packet->captured)
		return DROP_ARP_MALFORMED;
	hardware = arp[4];
	length = ARP_HEADER + 2 * (hardware + 4);
	if (load_be16(arp + 2) != ETHERTYPE_IPV4 || arp[5] != 4 || l3 + length > packet->captured)
		return DROP_ARP_MALFORMED;
	packet->l3 = (uint16_t)l3;
	packet->l4 = (uint16_t)l3;
	packet->l3_kind = PACKET_L3_ARP;
	packet->ethertype = ETHERTYPE_ARP;
	packet->protocol = 0;
	packet->ttl = 0;
	set_ipv4(&packet->source, arp + ARP_HEADER + hardware);
	set_ipv4(&packet->destination, arp + ARP_HEADER + 2 * hardware + 4);
	set_payload(packet, l3, l3 + length, l3 + length);
	return PACKET_DECODED;
}

bool
decode_wants_ethertype(const struct decode_options *options, uint16_t ethertype)
{
	if (options == NULL)
		return false;
	for (size_t i = 0; i < options->ethertype_count; i++)
		if (options->ethertypes[i] == ethertype)
			return true;
	return false;
}

static enum packet_drop
decode_other_ethertype(struct packet *packet, uint32_t l3, uint16_t ethertype,
	const struct decode_options *options)
{
	if (!decode_wants_ethertype(options, ethertype))
		return DROP_NOT_INSPECTED;
	packet->ethertype = ethertype;
	packet->l3 = (uint16_t)l3;
	packet->l4 = (uint16_t)l3;
	packet->l3_kind = PACKET_L3_NONE;
	packet->protocol = 0;
	packet->ttl = 0;
	memset(&packet->source, 0, sizeof(packet->source));
	memset(&packet->destination, 0, sizeof(packet->destination));
	set_payload(packet, l3, packet->wire_length, packet->wire_length);
	return PACKET_DECODED;
}

static inline bool
is_vlan_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_8021Q || ethertype == ETHERTYPE_8021AD ||
	       ethertype == ETHERTYPE_QINQ;
}

bool
decode_reads_ethertype(uint16_t ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_ARP:
	case ETHERTYPE_ETHERNET:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
	case ETHERTYPE_PPPOE:
	case ETHERTYPE_PBB:
	case ETHERTYPE_FABRICPATH:
	case ETHERTYPE_CMD:
	case ETHERTYPE_VNTAG:
	case ETHERTYPE_ETAG:
		return true;
	default:
		return is_vlan_tag(ethertype);
	}
}

bool
decode_is_consistent(const struct packet *packet)
{
	return packet->payload + packet->payload_wire_length <= packet->wire_length;
}

/* A tag of `length` bytes that ends with the next ethertype. */
static enum packet_drop
skip_shim(const struct packet *packet, uint32_t *at, uint16_t *ethertype, uint32_t length)
{
	if (*at + length > packet->captured)
		return DROP_LINK_TRUNCATED;
	*ethertype = load_be16(packet->data + *at + length - 2);
	*at += length;
	return PACKET_DECODED;
}

static enum packet_drop
skip_vlan(struct packet *packet, uint32_t *at, uint16_t *ethertype)
{
	if (packet->vlan_count == PACKET_MAX_VLANS)
		return DROP_VLAN_DEPTH;
	if (*at + VLAN_TAG > packet->captured)
		return DROP_LINK_TRUNCATED;
	packet->vlan[packet->vlan_count++] = load_be16(packet->data + *at) & 0xfff;
	return skip_shim(packet, at, ethertype, VLAN_TAG);
}

/* Cisco MetaData: version 1, one option of one unit (the security group tag), an ethertype. */
static enum packet_drop
skip_metadata(const struct packet *packet, uint32_t *at, uint16_t *ethertype)
{
	if (*at + CMD_TAG + 2 > packet->captured)
		return DROP_LINK_TRUNCATED;
	if (load_be16(packet->data + *at) != 0x0101)
		return DROP_NOT_INSPECTED;
	return skip_shim(packet, at, ethertype, CMD_TAG + 2);
}

/* IEEE 802.2: SNAP with an ethertype (RFC 1042), or IP itself (RFC 948). */
static enum packet_drop
decode_llc(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	const uint8_t *llc = packet->data + at;
	uint16_t ethertype;

	if (at + LLC_HEADER > packet->captured || llc[2] != LLC_UI)
		return DROP_NOT_INSPECTED;
	if (llc[0] == LLC_SAP_IP && llc[1] == LLC_SAP_IP)
		return decode_ipv4(packet, at + LLC_HEADER);
	if (llc[0] != LLC_SAP_SNAP || llc[1] != LLC_SAP_SNAP ||
		at + LLC_HEADER + SNAP_HEADER > packet->captured)
		return DROP_NOT_INSPECTED;
	ethertype = load_be16(llc + LLC_HEADER + 3);
	/* Organisation 0: an ethertype follows; 0x0000f8: the same from a bridged network. */
	if (llc[3] != 0 || llc[4] != 0 || (llc[5] != 0 && llc[5] != 0xf8) ||
		ethertype < ETHERTYPE_FIRST)
		return DROP_NOT_INSPECTED;
	return decode_ethertype(packet, at + LLC_HEADER + SNAP_HEADER, ethertype, options);
}

enum packet_drop
decode_ppp(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	const uint8_t *data = packet->data;
	uint16_t protocol;

	if (at + 2 <= packet->captured && load_be16(data + at) == PPP_ADDRESS_CONTROL)
		at += 2;
	if (at + 2 > packet->captured)
		return DROP_LINK_TRUNCATED;
	/* An odd first byte is a whole protocol number (RFC 1661 section 2). */
	if (data[at] & 1) {
		protocol = data[at];
		at += 1;
	} else {
		protocol = load_be16(data + at);
		at += 2;
	}
	switch (protocol) {
	case PPP_IPV4:
		return decode_ipv4(packet, at);
	case PPP_IPV6:
		return decode_ipv6(packet, at);
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		return decode_mpls(packet, at, options);
	default:
		return DROP_NOT_INSPECTED;
	}
}

/* RFC 2516 section 4: a session packet. Its discovery has another ethertype and is not IP. */
static enum packet_drop
decode_pppoe(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	const uint8_t *header = packet->data + at;
	uint32_t end;

	if (at + PPPOE_HEADER > packet->captured)
		return DROP_LINK_TRUNCATED;
	if (header[0] != 0x11 || header[1] != 0)
		return DROP_NOT_INSPECTED;
	end = at + PPPOE_HEADER + load_be16(header + 4);
	if (!push_tunnel(packet, TUNNEL_PPPOE, load_be16(header + 2), false))
		return DROP_LINK_DEPTH;
	if (end < packet->captured)
		packet->captured = end;
	if (end < packet->wire_length)
		packet->wire_length = end;
	return decode_ppp(packet, at + PPPOE_HEADER, options);
}

/* IEEE 802.1ah: flags and a service id of 24 bits, then the customer's frame. */
static enum packet_drop
decode_pbb(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	if (at + PBB_TAG > packet->captured)
		return DROP_LINK_TRUNCATED;
	if (!push_tunnel(packet, TUNNEL_PBB, load_be32(packet->data + at) & 0xffffff, false))
		return DROP_LINK_DEPTH;
	return decode_ethernet(packet, at + PBB_TAG, options);
}

/* Cisco FabricPath: a forwarding tag, then the edge's frame. */
static enum packet_drop
decode_fabricpath(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	if (!push_tunnel(packet, TUNNEL_FABRICPATH, 0, false))
		return DROP_LINK_DEPTH;
	return decode_ethernet(packet, at + FABRICPATH_TAG, options);
}

/* True when an Ethernet frame may begin here, by its type and what must follow it. */
static bool
looks_like_ethernet(const struct packet *packet, uint32_t at, const struct decode_options *options)
{
	uint16_t ethertype;

	if (at + ETHERNET_HEADER + LLC_HEADER > packet->captured)
		return false;
	ethertype = load_be16(packet->data + at + 12);
	at += ETHERNET_HEADER;
	if (ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6)
		return packet->data[at] >> 4 == (ethertype == ETHERTYPE_IPV4 ? 4 : 6);
	if (ethertype < ETHERTYPE_FIRST)
		return at + ethertype <= packet->wire_length && packet->data[at] == LLC_SAP_SNAP &&
		       packet->data[at + 1] == LLC_SAP_SNAP;
	return decode_reads_ethertype(ethertype) || decode_wants_ethertype(options, ethertype);
}

static bool
looks_like_ip(const struct packet *packet, uint32_t at)
{
	const uint8_t *ip = packet->data + at;

	if (ip[0] >> 4 == 4)
		return at + 20 <= packet->captured && (ip[0] & 15) >= 5 &&
		       at + load_be16(ip + 2) <= packet->wire_length;
	return ip[0] >> 4 == 6 && at + 40 <= packet->captured &&
	       at + 40 + load_be16(ip + 4) <= packet->wire_length;
}

/* Labels do not say what they carry: IP by its first four bits (RFC 4928 section 3), or Ethernet
 * with or without the control word that begins with four zero bits (RFC 4448 section 4.6). */
static enum packet_drop
decode_mpls_payload(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	enum packet_drop drop;

	if (at >= packet->captured)
		return DROP_LINK_TRUNCATED;
	if (looks_like_ip(packet, at)) {
		/* The frame's MACs are those of label switches. */
		forget_macs(packet);
		return packet->data[at] >> 4 == 4 ? decode_ipv4(packet, at)
						  : decode_ipv6(packet, at);
	}
	if (packet->data[at] >> 4 == 0 && looks_like_ethernet(packet, at + 4, options))
		at += 4;
	else if (!looks_like_ethernet(packet, at, options))
		return DROP_NOT_INSPECTED;
	drop = decode_ethernet(packet, at, options);
	if (drop == PACKET_DECODED && !decode_is_consistent(packet))
		return DROP_NOT_INSPECTED;
	return drop;
}

enum packet_drop
decode_mpls(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	for (unsigned labels = 0; labels < MPLS_LABELS_MAX; labels++) {
		uint32_t label;

		if (at + MPLS_LABEL > packet->captured)
			return DROP_LINK_TRUNCATED;
		label = load_be32(packet->data + at);
		at += MPLS_LABEL;
		if (!(label & 0x100)) /* not the bottom of the stack */
			continue;
		if (!push_tunnel(packet, TUNNEL_MPLS, label >> 12, false))
			return DROP_LINK_DEPTH;
		return decode_mpls_payload(packet, at, options);
	}
	return DROP_LINK_DEPTH;
}

enum packet_drop
decode_ethertype(struct packet *packet, uint32_t at, uint16_t ethertype,
	const struct decode_options *options)
{
	enum packet_drop drop = PACKET_DECODED;

	for (unsigned shims = 0; drop == PACKET_DECODED; shims++) {
		if (shims > SHIMS_MAX)
			return DROP_LINK_DEPTH;
		switch (ethertype) {
		case ETHERTYPE_IPV4:
			return decode_ipv4(packet, at);
		case ETHERTYPE_IPV6:
			return decode_ipv6(packet, at);
		case ETHERTYPE_ARP:
			return decode_arp(packet, at);
		case ETHERTYPE_8021Q:
		case ETHERTYPE_8021AD:
		case ETHERTYPE_QINQ:
			drop = skip_vlan(packet, &at, &ethertype);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			return decode_mpls(packet, at, options);
		case ETHERTYPE_PPPOE:
			return decode_pppoe(packet, at, options);
		case ETHERTYPE_PBB:
			return decode_pbb(packet, at, options);
		case ETHERTYPE_FABRICPATH:
			return decode_fabricpath(packet, at, options);
		case ETHERTYPE_VNTAG:
			drop = skip_shim(packet, &at, &ethertype, VNTAG + 2);
			break;
		case ETHERTYPE_ETAG:
			drop = skip_shim(packet, &at, &ethertype, ETAG + 2);
			break;
		case ETHERTYPE_CMD:
			drop = skip_metadata(packet, &at, &ethertype);
			break;
		default:
			return ethertype < ETHERTYPE_FIRST
				       ? decode_llc(packet, at, options)
				       : decode_other_ethertype(packet, at, ethertype, options);
		}
	}
	return drop;
}

/* What was outside of this header is not the link that its hosts are on. */
enum packet_drop
decode_ethernet(struct packet *packet, uint32_t at, const struct decode_options *options)
{
	const uint8_t *data = packet->data + at;

	if (at + ETHERNET_HEADER > packet->captured)
		return DROP_LINK_TRUNCATED;
	memcpy(packet->destination_mac.bytes, data, 6);
	memcpy(packet->source_mac.bytes, data + 6, 6);
	packet->flags &= (uint8_t)~PACKET_HAS_SOURCE_MAC;
	packet->flags |= PACKET_HAS_MACS;
	packet->vlan_count = 0;
	return decode_ethertype(packet, at + ETHERNET_HEADER, load_be16(data + 12), options);
}
