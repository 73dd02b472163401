/* SPDX-License-Identifier: Apache-2.0 */
/* A flow as it leaves the flow table: terms of RFC 7011 and RFC 7012 (biflow: RFC 5103). */
#ifndef CAMSPAN_RECORDS_FLOW_RECORD_H
#define CAMSPAN_RECORDS_FLOW_RECORD_H

#include "dataplane/records/address.h"
#include "dataplane/records/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* IPFIX flowEndReason (RFC 5102 section 5.11.3), plus UPDATE for a report of a flow that lives on.
 */
enum flow_end_reason {
	FLOW_UPDATE = 0,
	FLOW_END_IDLE_TIMEOUT = 1,
	FLOW_END_ACTIVE_TIMEOUT = 2,
	FLOW_END_DETECTED = 3, /* TCP FIN both ways or RST */
	FLOW_END_FORCED = 4,   /* shutdown or end of capture */
	FLOW_END_LACK_OF_RESOURCES = 5,
};

/* The encapsulations around the packets of a flow, as those of its first packet. */
struct flow_tunnels {
	uint8_t type[PACKET_MAX_TUNNELS]; /* enum tunnel_type, outermost first */
	uint32_t id;                      /* of the innermost, if tunnel_has_shared_id() */
	struct ip_address source;         /* of the innermost that has addresses */
	struct ip_address destination;
	uint16_t unused;
};

/* Direction 0 is the initiator's (RFC 5103 biflow source), 1 the responder's. Counters are deltas
 * since the previous record of the same flow, so that sums over records are right. */
struct flow_record {
	int64_t start; /* first packet of this record, nanoseconds since the epoch */
	int64_t end;   /* last packet of this record */
	uint64_t id;   /* unique per run; the same for all records of one flow */
	struct endpoint initiator;
	struct endpoint responder;
	struct mac_address initiator_mac; /* zero when unknown */
	struct mac_address responder_mac;
	uint64_t packets[2];
	uint64_t bytes[2]; /* IP bytes on the wire, padding excluded (octetDeltaCount) */
	struct flow_tunnels tunnels;
	uint32_t tenant;
	uint16_t vlan;       /* innermost tag */
	uint16_t outer_vlan; /* outermost tag of several, else 0 */
	uint16_t observation_point;
	uint8_t protocol; /* IANA */
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t tcp_flags[2]; /* union per direction */
	uint8_t end_reason;   /* enum flow_end_reason */
	bool inspected;       /* payload was inspected from its first packet */
	bool first_record;    /* no earlier record of this flow was sent */
	/* Evidence of an answer: TCP: SYN+ACK or data from the responder; others: any packet from
	 * the responder. Set in every record once it is true. */
	bool answered;
	/* False when the first packet seen leaves it open who began (capture started mid-flow). */
	bool initiator_certain;
	char application_name[24]; /* by a classifier or nDPI, in lower case, "" unknown */
};

const char *flow_end_reason_name(enum flow_end_reason reason);
/* IANA keyword in lower case ("tcp"), or the number as text in `buffer` (at least 4 bytes). */
const char *ip_protocol_name(uint8_t protocol, char *buffer);

#endif
