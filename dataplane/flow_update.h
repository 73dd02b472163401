/* SPDX-License-Identifier: Apache-2.0 */
/* What one packet does to its flow, and how a flow becomes a record. */
#ifndef CAMSPAN_FLOW_UPDATE_H
#define CAMSPAN_FLOW_UPDATE_H

#include "dataplane/flow_packet.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/wire.h"

/* Ticks from the flow's start to `time`; a clock that goes back counts as no time. */
static inline uint32_t
flow_ticks(const struct flow *flow, int64_t time)
{
	int64_t ticks = (time - flow->start) >> FLOW_TICK_SHIFT;

	return ticks < 0 ? 0 : ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static inline bool
flow_from_initiator(const struct flow *flow, unsigned end)
{
	return end == ((flow->flags & FLOW_INITIATOR_IS_1) != 0);
}

static inline bool
flow_is_icmp(const struct flow_key *key)
{
	return key->protocol == PROTOCOL_ICMP || key->protocol == PROTOCOL_ICMPV6;
}

/* Who began, from the first packet: RFC 5103 section 5. */
void flow_decide_initiator(struct flow *flow, const struct packet *packet, unsigned end);

/* What flow_count() leaves to it. */
bool flow_count_rare(struct flow *flow, const struct flow_packet *packet);

/* Counts a packet; `last` is the flow's new last. Returns true when it ended a TCP connection. */
static inline bool
flow_count(struct flow *flow, const struct flow_packet *packet, uint32_t last)
{
	unsigned end = packet->end;
	uint8_t state = flow->flags & (FLOW_ANSWERED | FLOW_TCP_ENDED);

	flow->last = last;
	flow->packets[end]++;
	flow->bytes[end] += packet->octets;
	flow->tcp_flags[end] |= packet->tcp_flags;
	/* An answered flow that goes on, or a datagram to somebody who has not spoken. */
	if (state == FLOW_ANSWERED && !(packet->tcp_flags & (TCP_FIN | TCP_RST)))
		return false;
	if (state == 0 && flow->key.protocol == PROTOCOL_UDP && flow->packets[!end] == 0)
		return false;
	return flow_count_rare(flow, packet);
}

/* The record of what was counted since the last one, but for what flow_contexts_describe() writes.
 * `wide` is NULL for IPv4. */
void flow_to_record(const struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason, struct flow_record *record);

#endif
