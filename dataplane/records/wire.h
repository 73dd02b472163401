/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that packets carry, and loads of what packets hold. Named as IANA names them. */
#ifndef CAMSPAN_RECORDS_WIRE_H
#define CAMSPAN_RECORDS_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum ip_protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_IGMP = 2,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_DCCP = 33,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_GRE = 47,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_DESTINATION_OPTIONS = 60,
	PROTOCOL_ETHERIP = 97,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MPLS = 137,
	PROTOCOL_ETHERNET = 143, /* RFC 8986 section 4.9 */
};

enum ethertype {
	ETHERTYPE_FIRST = 0x600, /* below: an IEEE 802.3 length */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_ETHERNET = 0x6558, /* transparent Ethernet bridging */
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_WCCP = 0x883e,
	ETHERTYPE_PPP = 0x880b,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_ERSPAN = 0x88be, /* type I and II */
	ETHERTYPE_ERSPAN3 = 0x22eb,
	ETHERTYPE_PBB = 0x88e7, /* IEEE 802.1ah I-TAG */
	ETHERTYPE_FABRICPATH = 0x8903,
	ETHERTYPE_CMD = 0x8909,   /* Cisco MetaData: security group tag */
	ETHERTYPE_VNTAG = 0x8926, /* Cisco fabric extenders */
	ETHERTYPE_ETAG = 0x893f,  /* IEEE 802.1BR */
	ETHERTYPE_QINQ = 0x9100,  /* before 802.1ad was a standard */
};

enum tcp_flag { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

enum tunnel_port {
	PORT_L2TP = 1701,
	PORT_GTPU = 2152,
	PORT_TEREDO = 3544,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_MPLS = 6635,
	PORT_VXLAN_LINUX = 8472, /* before the assignment */
};

/* The caller has seen to it that the bytes are there. */
static inline uint16_t
load_be16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static inline uint32_t
load_be32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

/* As they lie in memory: to be compared or hashed. */
static inline uint32_t
load_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t
load_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

#endif
