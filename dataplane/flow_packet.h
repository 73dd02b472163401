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
	uint16_t l3;        /* offset of the IP header from the frame's start */
	uint16_t payload;   /* offset of the transport payload from the frame's start */
	uint16_t payload_length; /* captured */
	uint8_t frame;           /* its number in the burst */
	uint8_t end;             /* end of the key that sent it */
	uint8_t tcp_flags;       /* 0 for other protocols */
	uint8_t icmp_type;
	bool carries; /* transport payload on the wire, captured or not */
	bool ipv6;
};

_Static_assert(sizeof(struct flow_packet) <= 64, "a burst of them stays in the first-level cache");

#endif
