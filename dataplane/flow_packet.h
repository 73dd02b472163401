/* SPDX-License-Identifier: Apache-2.0 */
/* What one packet means to its flow: all that an established flow needs of it. A packet view
 * (struct packet) is made only for those who look at headers or payload. */
#ifndef CAMSPAN_FLOW_PACKET_H
#define CAMSPAN_FLOW_PACKET_H

#include "dataplane/flow.h"

struct flow_packet {
	struct flow_key key;
	uint64_t hash;
	uint32_t octets;    /* IP bytes on the wire, padding excluded (IPFIX octetDeltaCount) */
	uint32_t candidate; /* entry of the table whose tag matches */
	/* Where things are in the frame. Written as one word: narrow stores show in the decoder's
	 * time. */
	union {
		struct {
			uint16_t l3;             /* offset of the IP header */
			uint16_t payload;        /* offset of the transport payload */
			uint16_t payload_length; /* captured */
			uint8_t tcp_flags;       /* 0 for other protocols */
			uint8_t icmp_type;
		};
		uint64_t layout;
	};
	uint8_t end; /* end of the key that sent it */
	bool ipv6;
	bool carries;  /* transport payload on the wire, captured or not */
	uint8_t frame; /* its number in the burst */
};

_Static_assert(sizeof(struct flow_packet) <= 64, "a burst of them stays in the first-level cache");

/* Not for ICMP. Offsets count from the frame's start. */
static inline void
flow_packet_set_layout(struct flow_packet *packet, uint32_t l3, uint32_t payload,
	uint32_t payload_length, uint8_t tcp_flags)
{
	packet->layout = (uint64_t)l3 | (uint64_t)payload << 16 | (uint64_t)payload_length << 32 |
			 (uint64_t)tcp_flags << 48;
}

#endif
