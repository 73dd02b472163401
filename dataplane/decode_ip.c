/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode_private.h"

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	SCTP_HEADER = 12,
	ICMP_HEADER = 4,
	FRAGMENT_UNIT = 8, /* of which all fragments but the last are multiples */
};

enum {
	IPV4_OFFSET_MASK = 0x1fff,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV6_EXTENSIONS_MAX = 8,
	IPV6_OPTION_JUMBO = 0xc2, /* RFC 2675 section 2 */
	JUMBO_MAX = 0x7fffffff,   /* keeps offsets in 32 bits; no frame is that long */
};

static inline void
set_ports(struct packet *packet, const uint8_t *l4)
{
	packet->source_port = load_be16(l4);
	packet->destination_port = load_be16(l4 + 2);
}

/* The first fragment of a datagram whose transport header goes on in the next one (RFC 1858 calls
 * it tiny): it has the ports all the same. */
static enum packet_drop
decode_tiny_fragment(struct packet *packet, uint32_t l4, uint32_t end)
{
	if (!(packet->flags & PACKET_IS_FRAGMENT) || end > packet->captured ||
		l4 + FRAGMENT_UNIT > end)
		return DROP_L4_TRUNCATED;
	set_ports(packet, packet->data + l4);
	set_payload(packet, end, end, end);
	return PACKET_DECODED;
}

static inline enum packet_drop
decode_tcp(struct packet *packet, uint32_t l4, uint32_t end)
{
	uint32_t limit = end < packet->captured ? end : packet->captured;
	const uint8_t *tcp = packet->data + l4;
	uint32_t header;

	if (UNLIKELY(l4 + TCP_HEADER > limit))
		return decode_tiny_fragment(packet, l4, end);
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (UNLIKELY((packet->flags & PACKET_IS_FRAGMENT) && l4 + header > end))
		return decode_tiny_fragment(packet, l4, end);
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

static inline enum packet_drop
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
		return header == SCTP_HEADER ? decode_tiny_fragment(packet, l4, end)
					     : DROP_L4_TRUNCATED;
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
static inline enum packet_drop
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
static inline enum packet_drop
decode_ipv4_body(struct packet *packet, uint32_t l3, uint32_t header, uint16_t fragment)
{
	const uint8_t *ip = packet->data + l3;
	uint32_t total = load_be16(ip + 2);

	/* A sender that segments in its network card, seen before it does, says 0. */
	if (UNLIKELY(total == 0))
		total = packet->wire_length - l3;
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
		packet->fragment_id = load_be16(ip + 4);
	}
	return decode_transport(packet, l3 + header, l3 + total);
}

enum packet_drop
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
	packet->fragment_id = load_be32(header + 4);
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

enum packet_drop
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
	else if (length == 0 && packet->wire_length - l4 > UINT16_MAX)
		length = packet->wire_length - l4; /* Linux's BIG TCP without the option */
	drop = skip_extensions(packet, &l4, l3 + IPV6_HEADER + length);
	if (drop != PACKET_DECODED)
		return drop;
	return decode_transport(packet, l4, l3 + IPV6_HEADER + length);
}
