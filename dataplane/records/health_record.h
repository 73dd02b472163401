/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor's account of itself. Every counter is cumulative since start. */
#ifndef CAMSPAN_RECORDS_HEALTH_RECORD_H
#define CAMSPAN_RECORDS_HEALTH_RECORD_H

#include <stddef.h>
#include <stdint.h>

/* What can become of a packet that was received: decoded, or one of these. received = decoded +
 * these. */
#define PACKET_DROPS(X)                                                                            \
	X(LINK_UNSUPPORTED, "link_unsupported", "link type that the decoder does not know")        \
	X(LINK_TRUNCATED, "link_truncated", "shorter than its link header")                        \
	X(VLAN_DEPTH, "vlan_depth", "more VLAN tags than are decoded")                             \
	X(LINK_DEPTH, "link_depth", "more tags or labels below IP than are opened")                \
	X(NOT_INSPECTED, "not_ip", "an ethertype that is neither IP, ARP nor a camera protocol")   \
	X(ARP_MALFORMED, "arp_malformed", "ARP shorter than it claims, or not for IPv4")           \
	X(IP_TRUNCATED, "ip_truncated", "shorter than its IP header")                              \
	X(IP_VERSION, "ip_version", "version field does not match")                                \
	X(IP_HEADER_LENGTH, "ip_header_length", "IPv4 header length under 20 or over the packet")  \
	X(IP_TOTAL_LENGTH, "ip_total_length", "total length smaller than the header")              \
	X(IPV6_EXTENSIONS, "ipv6_extensions", "extension headers truncated, looping or too many")  \
	X(L4_TRUNCATED, "l4_truncated", "transport header cut short")                              \
	X(L4_HEADER_LENGTH, "l4_header_length", "TCP data offset or UDP length impossible")        \
	X(NOT_SAMPLED, "not_sampled", "left out by sampling, as configured")                       \
	X(DUPLICATE, "duplicate", "a copy of a packet that was decoded")

enum packet_drop {
	PACKET_DECODED = 0,
#define X(id, name, meaning) DROP_##id,
	PACKET_DROPS(X)
#undef X
		PACKET_DROP_COUNT
};

const char *packet_drop_name(enum packet_drop drop); /* "decoded" for PACKET_DECODED */
const char *packet_drop_meaning(enum packet_drop drop);

struct packet_balance {
	uint64_t received;
	uint64_t received_bytes;           /* wire bytes */
	uint64_t fates[PACKET_DROP_COUNT]; /* [PACKET_DECODED] = decoded */
};

/* Some 170 of the house, three of each of 127 workers. */
#define HEALTH_COUNTERS_MAX 640

enum health_kind {
	HEALTH_COUNTER, /* only grows */
	HEALTH_GAUGE,   /* a level */
	HEALTH_LOSS,    /* a counter whose growth means that something was lost */
};

/* One named figure: "flow_table.evicted". Names are lower case, dotted by module. */
struct health_figure {
	const char *name; /* static or owned by the producer for the life of the process */
	uint64_t value;
	uint8_t kind; /* enum health_kind */
};

struct health_record {
	int64_t time;
	int64_t uptime; /* nanoseconds */
	struct packet_balance balance;
	uint64_t nic_missed; /* the port's own counters */
	uint64_t nic_no_mbuf;
	uint64_t nic_errors;
	size_t figure_count;
	struct health_figure figures[HEALTH_COUNTERS_MAX];
};

/* Adds a figure; one that is there already grows by the value, so that workers add up. The record
 * keeps its first HEALTH_COUNTERS_MAX figures. */
void health_add(
	struct health_record *record, const char *name, enum health_kind kind, uint64_t value);

/* Adds another record's balance and figures. */
void health_add_record(struct health_record *record, const struct health_record *part);

#endif
