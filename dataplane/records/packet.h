/* SPDX-License-Identifier: Apache-2.0 */
/* A decoded packet: a view that borrows the packet's bytes for the length of one burst. Inside
 * tunnels it is the innermost packet. The decoder guarantees for every decoded packet: l2 <= l3 <=
 * l4 <= payload <= captured, and payload + payload_length <= captured. */
#ifndef CAMSPAN_RECORDS_PACKET_H
#define CAMSPAN_RECORDS_PACKET_H

#include "dataplane/records/address.h"

#include <stdbool.h>
#include <stdint.h>

#define PACKET_MAX_VLANS   4
#define PACKET_MAX_TUNNELS 4

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

/* Encapsulations that the decoder opens: id, name in events, what its id is. The numbers are part
 * of tenants: append only. */
#define TUNNEL_TYPES(X)                                                                            \
	X(ERSPAN_I, 1, "erspan-1", "none")                                                         \
	X(ERSPAN_II, 2, "erspan-2", "session")                                                     \
	X(ERSPAN_III, 3, "erspan-3", "session")                                                    \
	X(GRE, 4, "gre", "none")                                                                   \
	X(GRE_KEY, 5, "gre", "key (RFC 2890)")                                                     \
	X(NVGRE, 6, "nvgre", "virtual subnet (RFC 7637)")                                          \
	X(PPTP, 7, "pptp", "call, of one direction")                                               \
	X(VXLAN, 8, "vxlan", "network (RFC 7348), also of VXLAN-GPE")                              \
	X(GENEVE, 9, "geneve", "network (RFC 8926)")                                               \
	X(GTPU, 10, "gtp-u", "tunnel endpoint, of one direction")                                  \
	X(L2TP, 11, "l2tp", "tunnel and session, of one direction")                                \
	X(TEREDO, 12, "teredo", "none")                                                            \
	X(IPV4, 13, "ipv4-in-ip", "none")                                                          \
	X(IPV6, 14, "ipv6-in-ip", "none")                                                          \
	X(ETHERIP, 15, "etherip", "none")                                                          \
	X(ETHERNET, 16, "ethernet-in-ip", "none")                                                  \
	X(MPLS_UDP, 17, "mpls-in-udp", "none")                                                     \
	X(MPLS_IP, 18, "mpls-in-ip", "none")                                                       \
	X(MPLS, 19, "mpls", "label at the bottom of the stack, of one direction")                  \
	X(PPPOE, 20, "pppoe", "session")                                                           \
	X(PBB, 21, "pbb", "service (IEEE 802.1ah)")                                                \
	X(FABRICPATH, 22, "fabricpath", "none")

enum tunnel_type {
	TUNNEL_NONE = 0,
#define X(name, number, text, id) TUNNEL_##name = number,
	TUNNEL_TYPES(X)
#undef X
		TUNNEL_TYPE_COUNT
};

const char *tunnel_type_name(uint8_t type); /* "vxlan", "" for TUNNEL_NONE */

/* Whether both directions of a tunnel have the same id, and so have all packets of a flow in it. */
static inline bool
tunnel_has_shared_id(uint8_t type)
{
	switch (type) {
	case TUNNEL_ERSPAN_II:
	case TUNNEL_ERSPAN_III:
	case TUNNEL_GRE_KEY:
	case TUNNEL_NVGRE:
	case TUNNEL_VXLAN:
	case TUNNEL_GENEVE:
	case TUNNEL_PPPOE:
	case TUNNEL_PBB:
		return true;
	default:
		return false;
	}
}

/* Why the decoder went no deeper although the innermost packet is a tunnel's. Its flow is then that
 * of the tunnel. */
enum tunnel_end {
	TUNNEL_END_NONE,
	TUNNEL_END_TOO_DEEP,       /* PACKET_MAX_TUNNELS are open */
	TUNNEL_END_NOT_UNDERSTOOD, /* control, opaque, cut short or broken */
};

struct packet_tunnel {
	uint32_t id;
	uint16_t vlan;            /* tag of the datagram that carries it, 0 none */
	uint8_t type;             /* enum tunnel_type */
	struct ip_address source; /* of the datagram that carries it; none below IP (MPLS, PPPoE) */
	struct ip_address destination;
};

/* A tenant names the network that an address belongs to, so that equal addresses of two networks
 * are two hosts. 0: the network that the sensor itself is on.
 *
 *   bits 31..27  observation point, if flows.tenant has `port`, else 0
 *   bits 26..24  enum tenant_kind
 *   bits 23..0   id
 *
 * One tunnel, or the outer tags of a VLAN stack, are told exactly. Several of them at once (a VXLAN
 * in an ERSPAN session, a PPPoE session behind two tags), or one that does not fit, become a digest
 * of 24 bits of all of them: of 100 such networks, any two share one with a chance of 1 in 3000. */
enum tenant_kind {
	TENANT_NONE = 0,
	TENANT_VLANS = 1, /* the tags outside of the innermost, the innermost of them lowest */
	TENANT_VXLAN = 2,
	TENANT_GENEVE = 3,
	TENANT_NVGRE = 4,
	TENANT_GRE_KEY = 5,
	TENANT_OTHER = 6, /* enum tunnel_type << 16 | id, or the tag of the tunnel's carrier */
	TENANT_DIGEST = 7,
};

#define TENANT_ID_MASK    0xffffffu
#define TENANT_KIND_SHIFT 24
#define TENANT_PORT_SHIFT 27
#define TENANT_PORT_MAX   31u

static inline uint32_t
tenant_make(enum tenant_kind kind, uint32_t id)
{
	return (uint32_t)kind << TENANT_KIND_SHIFT | (id & TENANT_ID_MASK);
}

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
	uint16_t link; /* enum link_type, of a frame from a file */
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
	/* Tags of the innermost Ethernet header, outermost first, host order, 12 bits. */
	uint16_t vlan[PACKET_MAX_VLANS];
	uint16_t key_vlan; /* what of them is in the flow key beside the tenant */
	uint8_t vlan_count;
	uint8_t tunnel_count;
	uint8_t tunnel_end; /* enum tunnel_end */
	uint8_t l3_kind;    /* enum packet_l3 */
	uint8_t protocol;   /* IANA protocol number of the transport */
	uint8_t ttl;
	uint8_t flags;     /* enum packet_flag */
	uint8_t tcp_flags; /* low eight bits of the TCP flags field */
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint32_t tcp_sequence; /* host order */
	uint32_t tcp_acknowledgment;
	uint32_t fragment_id; /* identification of the datagram, if it is a fragment */
	uint32_t tenant;      /* see enum tenant_kind */
	/* Of the innermost Ethernet header; zero where a tunnel or a label hides the host's own. */
	struct mac_address source_mac;
	struct mac_address destination_mac;
	struct ip_address source;
	struct ip_address destination;
	struct packet_tunnel tunnel[PACKET_MAX_TUNNELS]; /* outermost first */
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
