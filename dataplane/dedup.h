/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of the copies that a span port delivers of one packet: ingress and egress of a switch,
 * one per VLAN, before and after routing. Two IP datagrams are copies when they agree in all that
 * neither a switch nor a router on the way changes, payload included, and come within the window.
 * The first one is kept.
 *
 * Left out of the comparison: everything before the IP header (MACs, and VLANs by configuration),
 * TTL and hop limit, IPv4 header checksum, DSCP and ECN, DF, IPv4 options, the IPv6 flow label, the
 * checksums of TCP, UDP, ICMP and SCTP (a capturing host may see them before its card fills them
 * in). The IPv4 identification is compared: it tells a retransmission from a copy.
 *
 * One per worker, in its pipeline. Packets are told by a keyed 64-bit fingerprint in a table of
 * fixed size; when it is full the oldest makes room, so that a flood costs missed copies, never a
 * packet that is none. Frames without IP are not compared: they belong to no flow, and a fact that
 * was told is not told again. */
#ifndef CAMSPAN_DEDUP_H
#define CAMSPAN_DEDUP_H

#include "config/config.h"
#include "dataplane/flow_packet.h"
#include "dataplane/memory.h"
#include "dataplane/records/health_record.h"

#define DEDUP_PORTS_MAX 32
#define DEDUP_WAYS      5
#define DEDUP_BURST     32

/* Keys by position: see dedup.c. */
enum { DEDUP_SECRET_WORDS = 160 };

/* Times are in ticks of 16.4 us, which come round in 19.5 hours. A packet would be taken for a copy
 * of one so long ago only if it agreed with it in everything, came to the window, and nothing else
 * had come to the bucket meanwhile. */
#define DEDUP_TICK_SHIFT 14

/* One cache line: what was seen, and when. Filled in turn, so that the oldest makes room. */
struct dedup_bucket {
	uint64_t print[DEDUP_WAYS]; /* fingerprints; 0: none */
	uint32_t time[DEDUP_WAYS];  /* packet time of the first of the copies */
	uint32_t next;              /* way */
} __attribute__((aligned(64)));

struct dedup {
	uint32_t ports; /* bit n: packets of observation point n are compared; 0: off */
	uint32_t compared_bytes;
	uint64_t context_mask; /* of port and VLAN: what of them is compared */
	uint64_t mask;         /* of buckets */
	uint32_t window;       /* ticks */
	struct dedup_bucket *buckets;
	uint64_t (*long_hash)(
		uint64_t sum, const uint8_t *at, uint32_t length, const uint64_t *secret);
	bool across_vlans;
	uint64_t crowded; /* forgotten inside their window: copies of them may be missed */
	uint64_t copies[DEDUP_PORTS_MAX];
	uint64_t secret[DEDUP_SECRET_WORDS];
	/* [ipv6][entry of the flow table]: VLAN of the flow's first packet, as keys of flows across
	 * VLANs have none. NULL: keys have them. */
	uint16_t *flow_vlans[2];
	char names[DEDUP_PORTS_MAX][24]; /* of the ports' health figures */
	const struct memory_source *memory;
};

/* The ports whose packets are compared, as a bit mask. In a replay every packet is one of the first
 * port. */
uint32_t dedup_ports_of(const struct config *config, bool replay);
/* Bytes that it takes per worker; 0 when no port is compared. */
uint64_t dedup_memory(const struct config *config);

/* What one burst is made of: flow packet n is of frames[flow_packet.frame]; of the frames whose bit
 * is set in `viewed` there is a packet view. The others are plain (plain_decode.h). */
struct dedup_input {
	const struct frame_view *frames;
	const struct packet *views;
	uint32_t viewed;
	unsigned count; /* flow packets, at most DEDUP_BURST */
};

/* No ports: off, nothing is allocated. `flows`: entries of the flow tables, IPv4 and IPv6. Returns
 * 0 or -errno; after an error dedup_free() is still due. */
int dedup_init(struct dedup *dedup, const struct config *config, uint32_t ports,
	const uint32_t flows[2], const struct memory_source *memory);
void dedup_free(struct dedup *dedup);

/* For tests: hashes as on a CPU without AVX2. Before the first packet. */
void dedup_use_portable_hash(struct dedup *dedup);

static inline bool
dedup_compares(const struct dedup *dedup, uint16_t port)
{
	return port < DEDUP_PORTS_MAX && dedup->ports >> port & 1;
}

/* Flows of this port's packets are one over all VLANs. */
static inline bool
dedup_leaves_vlan_out(const struct dedup *dedup, uint16_t port)
{
	return dedup->across_vlans && dedup_compares(dedup, port);
}

/* Takes the copies out of a burst: moves the others of `flow_packets` and `wide` together, in
 * order, and returns their number. Copies are counted. */
unsigned dedup_burst(struct dedup *dedup, const struct dedup_input *input,
	struct flow_packet *flow_packets, struct flow_wide *wide);

void dedup_health(const struct dedup *dedup, struct health_record *health);

#endif
