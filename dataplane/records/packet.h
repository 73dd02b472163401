/* SPDX-License-Identifier: Apache-2.0 */
/* A decoded packet: a view that borrows the packet's bytes for the length of one burst.
 * The decoder guarantees for every decoded packet: l2 <= l3 <= l4 <= payload <= captured, and
 * payload + payload_length <= captured. */
#ifndef CAMSPAN_RECORDS_PACKET_H
#define CAMSPAN_RECORDS_PACKET_H

#include "dataplane/records/address.h"

#include <stdint.h>

#define PACKET_MAX_VLANS 4

/* Link types that a source may deliver; values are ours, mapped from DLT_* by the capture source.
 */
enum link_type {
	LINK_ETHERNET,
	LINK_LINUX_COOKED_V1, /* DLT_LINUX_SLL */
	LINK_LINUX_COOKED_V2, /* DLT_LINUX_SLL2 */
	LINK_RAW_IP,          /* DLT_RAW, DLT_IPV4, DLT_IPV6, and LINKTYPE_RAW */
	LINK_UNSUPPORTED,
};

enum packet_flag {
	PACKET_HAS_MACS = 1 << 0,       /* both MACs are valid */
	PACKET_HAS_SOURCE_MAC = 1 << 1, /* only the source is known (Linux cooked) */
	PACKET_IS_FRAGMENT = 1 << 2,    /* any fragment of an IP datagram */
	PACKET_LATER_FRAGMENT = 1 << 3, /* not the first fragment: no ports, no payload */
	PACKET_TRUNCATED = 1 << 4,      /* the capture holds less than the wire did */
};

enum packet_l3 {
	PACKET_L3_NONE, /* not IP: see ethertype; payload is what follows the ethertype */
	PACKET_L3_ARP,
	PACKET_L3_IPV4,
	PACKET_L3_IPV6,
};

/* One frame as a source hands it over: half a cache line, valid for one burst. */
struct frame_view {
	const uint8_t *data;  /* first byte of the link header */
	int64_t time;         /* nanoseconds since the epoch, UTC */
	uint32_t captured;    /* bytes at data */
	uint32_t wire_length; /* bytes on the wire, >= captured */
	uint16_t observation_point;
};

struct packet {
	const uint8_t *data;  /* first byte of the link header */
	uint32_t captured;    /* bytes at data */
	uint32_t wire_length; /* bytes on the wire, >= captured */
	int64_t time;         /* nanoseconds since the epoch, UTC */
	uint16_t l3;          /* offsets from data */
	uint16_t l4;
	uint16_t payload;
	uint16_t payload_length;      /* captured transport payload, padding excluded */
	uint32_t payload_wire_length; /* what the IP header promises; > payload_length if truncated
				       */
	uint16_t ethertype;           /* innermost, host order */
	uint16_t observation_point;   /* index of the port (RFC 7011 section 2) */
	uint16_t source_port;         /* host order; ICMP: 0 */
	uint16_t destination_port;
	uint16_t vlan[PACKET_MAX_VLANS]; /* VLAN ids outermost first, host order, 12 bits */
	uint8_t vlan_count;
	uint8_t l3_kind;  /* enum packet_l3 */
	uint8_t protocol; /* IANA protocol number of the transport */
	uint8_t ttl;
	uint8_t flags;     /* enum packet_flag */
	uint8_t tcp_flags; /* low eight bits of the TCP flags field */
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint32_t tcp_sequence; /* host order */
	uint32_t tcp_acknowledgment;
	uint32_t tenant; /* 0: none; later: interned tunnel context */
	struct mac_address source_mac;
	struct mac_address destination_mac;
	struct ip_address source;
	struct ip_address destination;
};

/* What a source knows of a packet; decode_packet() finds the rest. */
static inline void
packet_from_frame(struct packet *packet, const struct frame_view *frame)
{
	packet->data = frame->data;
	packet->captured = frame->captured;
	packet->wire_length = frame->wire_length;
	packet->time = frame->time;
	packet->observation_point = frame->observation_point;
	packet->tenant = 0;
}

static inline const uint8_t *
packet_payload(const struct packet *packet)
{
	return packet->data + packet->payload;
}

/* The VLAN that names the network a host is on: the innermost tag, 0 if untagged. */
static inline uint16_t
packet_vlan(const struct packet *packet)
{
	return packet->vlan_count ? packet->vlan[packet->vlan_count - 1] : 0;
}

#endif
