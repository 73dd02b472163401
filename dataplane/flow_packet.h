/* SPDX-License-Identifier: Apache-2.0 */
/* What one packet means to its flow: all that an established flow needs of it. A packet view
 * (struct packet) is made only for those who look at headers or payload. */
#ifndef CAMSPAN_FLOW_PACKET_H
#define CAMSPAN_FLOW_PACKET_H

#include "dataplane/flow.h"

#include <stddef.h>
#include <string.h>

struct flow_packet {
	struct flow_key key;
	uint64_t hash;
	uint32_t octets;    /* IP bytes on the wire, padding excluded (IPFIX octetDeltaCount) */
	uint32_t candidate; /* entry of the table whose tag matches */
	/* One word, written at once: see flow_packet_describe(). */
	uint16_t l3;             /* offset of the IP header from the frame's start */
	uint16_t payload;        /* offset of the transport payload from the frame's start */
	uint16_t payload_length; /* captured */
	uint8_t tcp_flags;       /* 0 for other protocols */
	uint8_t icmp_type;
	uint8_t end; /* end of the key that sent it */
	bool ipv6;
	bool carries;  /* transport payload on the wire, captured or not */
	uint8_t frame; /* its number in the burst */
};

_Static_assert(
	offsetof(struct flow_packet, end) == offsetof(struct flow_packet, l3) + 8, "one word");
_Static_assert(sizeof(struct flow_packet) <= 64, "a burst of them stays in the first-level cache");

/* Eight narrow stores a packet would be half of the decoder's time. Not for ICMP. */
static inline void
flow_packet_describe(struct flow_packet *packet, uint32_t l3, uint32_t payload,
	uint32_t payload_length, uint8_t tcp_flags)
{
	uint64_t word = (uint64_t)l3 | (uint64_t)payload << 16 | (uint64_t)payload_length << 32 |
			(uint64_t)tcp_flags << 48;

	memcpy(&packet->l3, &word, sizeof(word));
}

#endif
