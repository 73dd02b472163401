/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode.h"

#include "dataplane/likely.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
	ETHERNET_HEADER = 14,
	VLAN_TAG = 4,
	COOKED_V1_HEADER = 16,
	COOKED_V2_HEADER = 20,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	SCTP_HEADER = 12,
	ICMP_HEADER = 4,
	ARP_HEADER = 8,
};

enum {
	ETHERTYPE_FIRST = 0x600, /* below: an IEEE 802.3 length */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_QINQ = 0x9100, /* before 802.1ad was a standard */
};

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_DESTINATION_OPTIONS = 60,
	PROTOCOL_SCTP = 132,
};

enum {
	ARPHRD_ETHERNET = 1,
	ARPHRD_NETLINK_MONITOR = 824,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV6_EXTENSIONS_MAX = 8,
	IPV6_OPTION_JUMBO = 0xc2, /* RFC 2675 section 2 */
	JUMBO_MAX = 0x7fffffff,   /* keeps offsets in 32 bits; no frame is that long */
};

static ALWAYS_INLINE uint16_t
load_be16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static ALWAYS_INLINE uint32_t
load_be32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static ALWAYS_INLINE void
set_ipv4(struct ip_address *ip, const uint8_t *at)
{
	ip->family = ADDRESS_IPV4;
	memcpy(ip->bytes, at, 4);
	memset(ip->bytes + 4, 0, 12);
}

static ALWAYS_INLINE void
set_ipv6(struct ip_address *ip, const uint8_t *at)
{
	ip->family = ADDRESS_IPV6;
	memcpy(ip->bytes, at, 16);
}

/* The fields that not every path writes. */
static ALWAYS_INLINE void
reset(struct packet *packet)
{
	packet->source_port = 0;
	packet->destination_port = 0;
	memset(packet->vlan, 0, sizeof(packet->vlan));
	packet->vlan_count = 0;
	packet->flags = packet->captured < packet->wire_length ? PACKET_TRUNCATED : 0;
	packet->tcp_flags = 0;
	packet->icmp_type = 0;
	packet->icmp_code = 0;
	packet->tcp_sequence = 0;
	packet->tcp_acknowledgment = 0;
}

/* `end`: where the datagram ends by its IP header; `data_end`: where the transport's own data end.
 * Both may lie behind the captured bytes; payload <= captured has been checked. */
static ALWAYS_INLINE void
set_payload(struct packet *packet, uint32_t payload, uint32_t end, uint32_t data_end)
{
	uint32_t available = data_end < packet->captured ? data_end : packet->captured;
	uint32_t length = available - payload;

	packet->payload = (uint16_t)payload;
	packet->payload_length = (uint16_t)(length < UINT16_MAX ? length : UINT16_MAX);
	packet->payload_wire_length = end - payload;
	packet->flags |= end > packet->captured ? PACKET_TRUNCATED : 0;
}

static ALWAYS_INLINE void
set_ports(struct packet *packet, const uint8_t *l4)
{
	packet->source_port = load_be16(l4);
	packet->destination_port = load_be16(l4 + 2);
}

static ALWAYS_INLINE enum packet_drop
decode_tcp(struct packet *packet, uint32_t l4, uint32_t end)
{
	uint32_t limit = end < packet->captured ? end : packet->captured;
	const uint8_t *tcp = packet->data + l4;
	uint32_t header;

	if (UNLIKELY(l4 + TCP_HEADER > limit))
		return DROP_L4_TRUNCATED;
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (UNLIKELY(header < TCP_HEADER || l4 + header > end))
		return DROP_L4_HEADER_LENGTH;
	if (UNLIKELY(l4 + header > limit))
		return DROP_L4_TRUNCATED;
	set_ports(packet, tcp);
	packet->tcp_sequence = load_be32(tcp + 4);
	packet->tcp_acknowledgment = load_be32(tcp + 8);
	packet->tcp_flags = tcp[13];
	set_payload(packet, l4 + header, end, end);
	return PACKET_DECODED;
}

static ALWAYS_INLINE enum packet_drop
decode_udp(struct packet *packet, uint32_t l4, uint32_t end)
{
	uint32_t limit = end < packet->captured ? end : packet->captured;
	const uint8_t *udp = packet->data + l4;
	uint32_t length, data_end;

	if (UNLIKELY(l4 + UDP_HEADER > limit))
		return DROP_L4_TRUNCATED;
	length = load_be16(udp + 4);
	/* RFC 2675 section 4: a datagram too long for the field says 0. */
	data_end = UNLIKELY(length == 0 && end - l4 > UINT16_MAX) ? end : l4 + length;
	if (UNLIKELY(data_end < l4 + UDP_HEADER))
		return DROP_L4_HEADER_LENGTH;
	if (UNLIKELY(data_end > end)) {
		if (!(packet->flags & PACKET_IS_FRAGMENT))
			return DROP_L4_HEADER_LENGTH;
		data_end = end; /* the rest comes in later fragments */
	}
	set_ports(packet, udp);
	set_payload(packet, l4 + UDP_HEADER, end, data_end);
	return PACKET_DECODED;
}

static enum packet_drop
decode_other(struct packet *packet, uint32_t l4, uint32_t end)
{
	uint32_t limit = end < packet->captured ? end : packet->captured;
	uint32_t header = 0;

	if (packet->protocol == PROTOCOL_SCTP)
		header = SCTP_HEADER;
	else if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6)
		header = ICMP_HEADER;
	if (l4 + header > limit)
		return DROP_L4_TRUNCATED;
	if (header == SCTP_HEADER) {
		set_ports(packet, packet->data + l4);
	} else if (header == ICMP_HEADER) {
		packet->icmp_type = packet->data[l4];
		packet->icmp_code = packet->data[l4 + 1];
	}
	set_payload(packet, l4 + header, end, end);
	return PACKET_DECODED;
}

/* l4 <= captured and l4 <= end have been checked. */
static ALWAYS_INLINE enum packet_drop
decode_transport(struct packet *packet, uint32_t l4, uint32_t end)
{
	packet->l4 = (uint16_t)l4;
	if (UNLIKELY(packet->flags & PACKET_LATER_FRAGMENT)) {
		set_payload(packet, l4, end, l4);
		return PACKET_DECODED;
	}
	if (LIKELY(packet->protocol == PROTOCOL_TCP))
		return decode_tcp(packet, l4, end);
	if (LIKELY(packet->protocol == PROTOCOL_UDP))
		return decode_udp(packet, l4, end);
	return decode_other(packet, l4, end);
}

/* The header's `header` bytes are captured. */
static ALWAYS_INLINE enum packet_drop
decode_ipv4_body(struct packet *packet, uint32_t l3, uint32_t header, uint16_t fragment)
{
	const uint8_t *ip = packet->data + l3;
	uint32_t total = load_be16(ip + 2);

	if (UNLIKELY(total < header))
		return DROP_IP_TOTAL_LENGTH;
	packet->l3 = (uint16_t)l3;
	packet->l3_kind = PACKET_L3_IPV4;
	packet->ethertype = ETHERTYPE_IPV4;
	packet->ttl = ip[8];
	packet->protocol = ip[9];
	set_ipv4(&packet->source, ip + 12);
	set_ipv4(&packet->destination, ip + 16);
	if (UNLIKELY(fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))) {
		packet->flags |= PACKET_IS_FRAGMENT;
		packet->flags |= fragment & IPV4_OFFSET_MASK ? PACKET_LATER_FRAGMENT : 0;
	}
	return decode_transport(packet, l3 + header, l3 + total);
}

static enum packet_drop
decode_ipv4(struct packet *packet, uint32_t l3)
{
	const uint8_t *ip = packet->data + l3;
	uint32_t header;

	if (l3 + IPV4_HEADER > packet->captured)
		return DROP_IP_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return DROP_IP_VERSION;
	header = (uint32_t)(ip[0] & 15) * 4;
	if (header < IPV4_HEADER || l3 + header > packet->wire_length)
		return DROP_IP_HEADER_LENGTH;
	if (l3 + header > packet->captured)
		return DROP_IP_TRUNCATED;
	return decode_ipv4_body(packet, l3, header, load_be16(ip + 6));
}

/* Length of a jumbogram behind the IPv6 header, or 0: RFC 2675 section 2 and Linux's BIG TCP put
 * the option first in the hop-by-hop header. */
static uint32_t
jumbo_length(const struct packet *packet, uint32_t at)
{
	const uint8_t *options = packet->data + at;
	uint32_t length;

	if (at + 8 > packet->captured || options[2] != IPV6_OPTION_JUMBO || options[3] != 4)
		return 0;
	length = load_be32(options + 4);
	return length < JUMBO_MAX ? length : JUMBO_MAX;
}

/* Length of the extension header at `header`, of which 8 bytes are captured. */
static uint32_t
extension_length(uint8_t protocol, const uint8_t *header)
{
	if (protocol == PROTOCOL_FRAGMENT)
		return 8;
	if (protocol == PROTOCOL_AH)
		return ((uint32_t)header[1] + 2) * 4; /* RFC 4302 section 2.2 */
	return ((uint32_t)header[1] + 1) * 8;
}

static bool
is_extension(uint8_t protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
	       protocol == PROTOCOL_FRAGMENT || protocol == PROTOCOL_AH ||
	       protocol == PROTOCOL_DESTINATION_OPTIONS;
}

static void
note_ipv6_fragment(struct packet *packet, const uint8_t *header)
{
	uint16_t fragment = load_be16(header + 2);

	/* Offset 0 without more to come is a whole datagram (RFC 6946). */
	if (fragment & 0xfff9)
		packet->flags |= PACKET_IS_FRAGMENT;
	if (fragment & 0xfff8)
		packet->flags |= PACKET_LATER_FRAGMENT;
}

/* Walks the chain (RFC 8200 section 4) and leaves the transport in packet->protocol. */
static enum packet_drop
skip_extensions(struct packet *packet, uint32_t *at, uint32_t end)
{
	uint32_t limit = end < packet->captured ? end : packet->captured;

	for (unsigned count = 0; is_extension(packet->protocol); count++) {
		const uint8_t *header = packet->data + *at;
		uint32_t length;

		if (packet->protocol == PROTOCOL_HOP_BY_HOP && count != 0)
			return DROP_IPV6_EXTENSIONS;
		if (count == IPV6_EXTENSIONS_MAX || *at + 8 > limit)
			return DROP_IPV6_EXTENSIONS;
		length = extension_length(packet->protocol, header);
		if (*at + length > limit)
			return DROP_IPV6_EXTENSIONS;
		if (packet->protocol == PROTOCOL_FRAGMENT)
			note_ipv6_fragment(packet, header);
		packet->protocol = header[0];
		*at += length;
		if (packet->flags & PACKET_LATER_FRAGMENT)
			break; /* what follows is the middle of a datagram */
	}
	return PACKET_DECODED;
}

static enum packet_drop
decode_ipv6(struct packet *packet, uint32_t l3)
{
	const uint8_t *ip = packet->data + l3;
	uint32_t l4 = l3 + IPV6_HEADER;
	uint32_t length;
	enum packet_drop drop;

	if (l4 > packet->captured)
		return DROP_IP_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return DROP_IP_VERSION;
	packet->l3 = (uint16_t)l3;
	packet->l3_kind = PACKET_L3_IPV6;
	packet->ethertype = ETHERTYPE_IPV6;
	packet->protocol = ip[6];
	packet->ttl = ip[7];
	set_ipv6(&packet->source, ip + 8);
	set_ipv6(&packet->destination, ip + 24);
	length = load_be16(ip + 4);
	if (length == 0 && packet->protocol == PROTOCOL_HOP_BY_HOP)
		length = jumbo_length(packet, l4);
	drop = skip_extensions(packet, &l4, l3 + IPV6_HEADER + length);
	if (drop != PACKET_DECODED)
		return drop;
	return decode_transport(packet, l4, l3 + IPV6_HEADER + length);
}

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

static bool
is_wanted(const struct decode_options *options, uint16_t ethertype)
{
	if (options == NULL)
		return false;
	for (size_t i = 0; i < options->ethertype_count; i++)
		if (options->ethertypes[i] == ethertype)
			return true;
	return false;
}

static enum packet_drop
decode_ethertype(struct packet *packet, uint32_t l3, const struct decode_options *options)
{
	if (!is_wanted(options, packet->ethertype))
		return DROP_NOT_INSPECTED;
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

static bool
is_vlan_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_8021Q || ethertype == ETHERTYPE_8021AD ||
	       ethertype == ETHERTYPE_QINQ;
}

/* `at` is behind the link header's `ethertype`. */
static enum packet_drop
decode_network(struct packet *packet, uint32_t at, uint16_t ethertype,
	const struct decode_options *options)
{
	while (is_vlan_tag(ethertype)) {
		if (packet->vlan_count == PACKET_MAX_VLANS)
			return DROP_VLAN_DEPTH;
		if (at + VLAN_TAG > packet->captured)
			return DROP_LINK_TRUNCATED;
		packet->vlan[packet->vlan_count++] = load_be16(packet->data + at) & 0xfff;
		ethertype = load_be16(packet->data + at + 2);
		at += VLAN_TAG;
	}
	packet->ethertype = ethertype;
	switch (ethertype) {
	case ETHERTYPE_IPV4:
		return decode_ipv4(packet, at);
	case ETHERTYPE_IPV6:
		return decode_ipv6(packet, at);
	case ETHERTYPE_ARP:
		return decode_arp(packet, at);
	default:
		return decode_ethertype(packet, at, options);
	}
}

/* Linux cooked captures know the sender's link address only. */
static void
set_cooked_source(struct packet *packet, uint16_t arphrd, uint32_t length, const uint8_t *address)
{
	memset(&packet->source_mac, 0, sizeof(packet->source_mac));
	memset(&packet->destination_mac, 0, sizeof(packet->destination_mac));
	if (arphrd != ARPHRD_ETHERNET || length != sizeof(packet->source_mac.bytes))
		return;
	memcpy(packet->source_mac.bytes, address, sizeof(packet->source_mac.bytes));
	packet->flags |= PACKET_HAS_SOURCE_MAC;
}

static enum packet_drop
decode_cooked(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	const uint8_t *data = packet->data;
	uint32_t header = link == LINK_LINUX_COOKED_V1 ? COOKED_V1_HEADER : COOKED_V2_HEADER;
	uint16_t arphrd, ethertype;

	if (packet->captured < header)
		return DROP_LINK_TRUNCATED;
	if (link == LINK_LINUX_COOKED_V1) {
		arphrd = load_be16(data + 2);
		ethertype = load_be16(data + 14);
		set_cooked_source(packet, arphrd, load_be16(data + 4), data + 6);
	} else {
		ethertype = load_be16(data);
		arphrd = load_be16(data + 8);
		set_cooked_source(packet, arphrd, data[11], data + 12);
	}
	if (arphrd == ARPHRD_NETLINK_MONITOR) /* the field is a netlink family then */
		return DROP_NOT_INSPECTED;
	return decode_network(packet, header, ethertype, options);
}

static enum packet_drop
decode_raw(struct packet *packet)
{
	memset(&packet->source_mac, 0, sizeof(packet->source_mac));
	memset(&packet->destination_mac, 0, sizeof(packet->destination_mac));
	if (packet->captured == 0)
		return DROP_IP_TRUNCATED;
	if (packet->data[0] >> 4 == 6)
		return decode_ipv6(packet, 0);
	return decode_ipv4(packet, 0);
}

static enum packet_drop
decode_rare(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	switch (link) {
	case LINK_ETHERNET:
		if (packet->captured < ETHERNET_HEADER)
			return DROP_LINK_TRUNCATED;
		return decode_network(
			packet, ETHERNET_HEADER, load_be16(packet->data + 12), options);
	case LINK_LINUX_COOKED_V1:
	case LINK_LINUX_COOKED_V2:
		return decode_cooked(packet, link, options);
	case LINK_RAW_IP:
		return decode_raw(packet);
	case LINK_UNSUPPORTED:
		break;
	}
	return DROP_LINK_UNSUPPORTED;
}

static ALWAYS_INLINE void
set_ethernet_macs(struct packet *packet)
{
	memcpy(packet->destination_mac.bytes, packet->data, 6);
	memcpy(packet->source_mac.bytes, packet->data + 6, 6);
	packet->flags |= PACKET_HAS_MACS;
}

enum packet_drop
decode_packet(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	const uint8_t *data = packet->data;

	reset(packet);
	if (LIKELY(link == LINK_ETHERNET && packet->captured >= ETHERNET_HEADER + IPV4_HEADER)) {
		set_ethernet_macs(packet);
		/* The common frame: untagged, IPv4 without options. */
		if (LIKELY(load_be32(data + 12) >> 8 == (ETHERTYPE_IPV4 << 8 | 0x45)))
			return decode_ipv4_body(packet, ETHERNET_HEADER, IPV4_HEADER,
				load_be16(data + ETHERNET_HEADER + 6));
		return decode_rare(packet, link, options);
	}
	if (link == LINK_ETHERNET && packet->captured >= ETHERNET_HEADER)
		set_ethernet_macs(packet);
	return decode_rare(packet, link, options);
}

int
decode_options_add_ethertype(struct decode_options *options, uint16_t ethertype)
{
	if (ethertype < ETHERTYPE_FIRST || is_vlan_tag(ethertype) || ethertype == ETHERTYPE_IPV4 ||
		ethertype == ETHERTYPE_IPV6 || ethertype == ETHERTYPE_ARP)
		return -EINVAL;
	if (is_wanted(options, ethertype))
		return 0;
	if (options->ethertype_count == DECODE_ETHERTYPES_MAX)
		return -ENOSPC;
	options->ethertypes[options->ethertype_count++] = ethertype;
	return 0;
}
