/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of plain frames: Ethernet with at most one VLAN tag; IPv4 without options or IPv6
 * without extension headers; TCP or UDP; whole, no fragment; or such a frame in the usual mirror
 * tunnels. It makes what the flow needs (struct flow_packet) straight from the header bytes and
 * declines every other frame, which then goes through decode_packet(). Where both read a frame they
 * agree to the bit: the fuzzer and the unit tests compare them. */
#ifndef CAMSPAN_PLAIN_DECODE_H
#define CAMSPAN_PLAIN_DECODE_H

#include "dataplane/decode.h"
#include "dataplane/flow_key.h"
#include "dataplane/likely.h"
#include "dataplane/records/wire.h"

enum {
	PLAIN_L3 = 14,
	PLAIN_VLAN_TAG = 4,
	PLAIN_IPV4_HEADER = 20,
	PLAIN_IPV6_HEADER = 40,
	PLAIN_TCP_HEADER = 20,
	PLAIN_UDP_HEADER = 8,
	/* The shortest frame that can be plain: IPv4 and UDP. */
	PLAIN_SHORTEST = PLAIN_L3 + PLAIN_IPV4_HEADER + PLAIN_UDP_HEADER,
};

/* What of the frame's surroundings is in the key: decode_options in the form of masks. */
struct plain_options {
	uint32_t port_mask; /* of the observation point */
	uint16_t vlan_mask; /* of the tag */
	bool tunnels;       /* they name the tenant */
	bool tag_pairs;     /* frames behind two tags are taken */
};

static inline struct plain_options
plain_options_from(const struct decode_options *options)
{
	return (struct plain_options){
		.port_mask = options && options->by_port ? TENANT_PORT_MAX : 0,
		.vlan_mask = options && options->ignore_vlans ? 0 : 0xfff,
		.tunnels = options == NULL || !options->ignore_tunnels,
		.tag_pairs = true,
	};
}

/* `room`: bytes of the datagram from `l4` on, all captured; both offsets count from the frame's
 * start. */
static inline bool
plain_transport(struct flow_packet *packet, const uint8_t *l4, uint32_t l3_offset,
	uint32_t l4_offset, uint32_t room, uint8_t protocol)
{
	if (protocol == PROTOCOL_UDP) {
		uint32_t length = room >= PLAIN_UDP_HEADER ? load_be16(l4 + 4) : 0;

		if (length < PLAIN_UDP_HEADER || length > room ||
			decode_may_be_tunnel(load_be32(l4)))
			return false;
		packet->carries = room > PLAIN_UDP_HEADER;
		flow_packet_set_layout(packet, l3_offset, l4_offset + PLAIN_UDP_HEADER,
			length - PLAIN_UDP_HEADER, 0);
		return true;
	}
	if (protocol == PROTOCOL_TCP && room >= PLAIN_TCP_HEADER) {
		uint32_t header = (uint32_t)(l4[12] >> 4) * 4;

		if (header < PLAIN_TCP_HEADER || header > room)
			return false;
		packet->carries = room > header;
		flow_packet_set_layout(
			packet, l3_offset, l4_offset + header, room - header, l4[13]);
		return true;
	}
	return false;
}

/* `l3`: offset of the header from the frame's start. */
static inline bool
plain_ipv4(struct flow_packet *packet, const uint8_t *ip, uint32_t l3, uint32_t room, uint16_t vlan,
	uint32_t tenant, const struct flow_secret *secret)
{
	uint32_t total = load_be16(ip + 2);
	uint64_t addresses;

	/* No options, no fragment, and all of the datagram captured. */
	if (ip[0] != 0x45 || (load_be16(ip + 6) & 0x3fff) || total > room ||
		total < PLAIN_IPV4_HEADER)
		return false;
	if (!plain_transport(packet, ip + PLAIN_IPV4_HEADER, l3, l3 + PLAIN_IPV4_HEADER,
		    total - PLAIN_IPV4_HEADER, ip[9]))
		return false;
	packet->octets = total;
	memcpy(&addresses, ip + 12, 8);
	flow_key_ipv4(packet, addresses, load_be32(ip + PLAIN_IPV4_HEADER),
		flow_key_context(ip[9], ADDRESS_IPV4, vlan), tenant, secret);
	return true;
}

/* plain_decode.c: the same for IPv6. */
bool plain_ipv6(struct flow_packet *packet, struct flow_wide *wide, const uint8_t *ip, uint32_t l3,
	uint32_t room, uint16_t vlan, uint32_t tenant, const struct flow_secret *secret);

/* Where the network header of an Ethernet frame begins, behind at most one tag. */
struct plain_link {
	const uint8_t *ip;
	uint32_t room; /* captured bytes from there on */
	uint16_t ethertype;
	uint16_t vlan;
	bool tagged;
};

/* `captured` is at least PLAIN_L3 + PLAIN_VLAN_TAG. */
static inline struct plain_link
plain_link(const uint8_t *data, uint32_t captured)
{
	struct plain_link link = {.ip = data + PLAIN_L3,
		.room = captured - PLAIN_L3,
		.ethertype = load_be16(data + 12)};

	if (link.ethertype == ETHERTYPE_8021Q) {
		link.tagged = true;
		link.vlan = load_be16(link.ip) & 0xfff;
		link.ethertype = load_be16(link.ip + 2);
		link.ip += PLAIN_VLAN_TAG;
		link.room -= PLAIN_VLAN_TAG;
	}
	return link;
}

/* `start`: what payload offsets count from. */
static inline bool
plain_network(const uint8_t *start, const struct plain_link *link, uint16_t vlan, uint32_t tenant,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide)
{
	uint32_t l3 = (uint32_t)(link->ip - start);

	if (link->ethertype == ETHERTYPE_IPV4)
		return plain_ipv4(packet, link->ip, l3, link->room, vlan, tenant, secret);
	return link->ethertype == ETHERTYPE_IPV6 &&
	       plain_ipv6(packet, wide, link->ip, l3, link->room, vlan, tenant, secret);
}

/* plain_decode.c: behind two tags, or a plain frame inside ERSPAN type II or VXLAN over plain IPv4,
 * as span ports and their collectors send. The frame is long enough to be plain. */
bool plain_deep_decode(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide);

/* Ethernet only. True: everything of `packet` but candidate and frame is set, and `wide` for IPv6.
 * False: not plain, both are undefined. */
static inline bool
plain_decode(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_secret *secret, struct flow_packet *packet, struct flow_wide *wide)
{
	uint32_t tenant = (frame->observation_point & options->port_mask) << TENANT_PORT_SHIFT;
	struct plain_link link;

	if (frame->captured < PLAIN_SHORTEST + PLAIN_VLAN_TAG)
		return false;
	link = plain_link(frame->data, frame->captured);
	if (LIKELY(plain_network(frame->data, &link, link.vlan & options->vlan_mask, tenant, secret,
		    packet, wide)))
		return true;
	return link.ethertype != ETHERTYPE_ARP &&
	       plain_deep_decode(frame, options, secret, packet, wide);
}

/* The packet view of a frame that plain_decode() took: what decode_packet() would find. False: the
 * frame is in a tunnel, and nothing was written. */
bool plain_view(const struct frame_view *frame, const struct plain_options *options,
	const struct flow_packet *flow_packet, struct packet *packet);

#endif
