/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_update.h"

#include <string.h>

#define FIRST_EPHEMERAL_PORT 1024

/* Both ends of a well-known service are told apart by the port alone when the opening was missed.
 */
static bool
source_serves(const struct packet *packet)
{
	return packet->source_port < FIRST_EPHEMERAL_PORT &&
	       packet->destination_port >= FIRST_EPHEMERAL_PORT;
}

void
flow_decide_initiator(struct flow *flow, const struct packet *packet, unsigned end)
{
	bool source_began = true;
	bool certain = true;

	if (packet->protocol == PROTOCOL_TCP) {
		bool syn = packet->tcp_flags & TCP_SYN;

		certain = syn;
		source_began = syn ? !(packet->tcp_flags & TCP_ACK) : !source_serves(packet);
	} else if (packet->protocol == PROTOCOL_UDP && source_serves(packet)) {
		/* An answer whose question was not seen. */
		certain = false;
		source_began = false;
	}
	if ((source_began ? end : !end) == 1)
		flow->flags |= FLOW_INITIATOR_IS_1;
	if (certain)
		flow->flags |= FLOW_INITIATOR_CERTAIN;
}

#define ICMP_ECHO_REPLY   0
#define ICMPV6_ECHO_REPLY 129

/* An open port answers with SYN+ACK or data; a reset, with or without text, or an ICMP error is no
 * answer. Elsewhere it takes both sides: one side alone may talk into the void. */
static bool
is_answer(const struct flow *flow, const struct flow_packet *packet)
{
	bool from_initiator = flow_from_initiator(flow, packet->end);
	uint8_t flags = packet->tcp_flags;

	switch (flow->key.protocol) {
	case PROTOCOL_ICMP:
		return packet->icmp_type == ICMP_ECHO_REPLY && !from_initiator;
	case PROTOCOL_ICMPV6:
		return packet->icmp_type == ICMPV6_ECHO_REPLY && !from_initiator;
	case PROTOCOL_TCP:
		if (from_initiator || (flags & TCP_RST))
			return false;
		return (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) || packet->carries;
	default:
		return flow->packets[0] && flow->packets[1];
	}
}

static bool
closed_by_both(const struct flow *flow)
{
	return flow->tcp_flags[0] & flow->tcp_flags[1] & TCP_FIN;
}

bool
flow_count_rare(struct flow *flow, const struct flow_packet *packet)
{
	if (!(flow->flags & FLOW_ANSWERED) && is_answer(flow, packet))
		flow->flags |= FLOW_ANSWERED;
	if (flow->key.protocol != PROTOCOL_TCP)
		return false;
	if (flow->flags & FLOW_TCP_ENDED) {
		/* Data after a reset: it was forged, or meant nothing to the ends. */
		if (packet->carries && !(packet->tcp_flags & TCP_RST) && !closed_by_both(flow))
			flow->flags &= (uint8_t)~FLOW_TCP_ENDED;
		return false;
	}
	if (!(packet->tcp_flags & TCP_RST) && !closed_by_both(flow))
		return false;
	flow->flags |= FLOW_TCP_ENDED;
	return true;
}

/* The initiator's end. A datagram flow whose only speaker was taken for the server, by its port,
 * and that nobody else joined: the speaker began it, whatever its port. */
static unsigned
initiator_end(const struct flow *flow)
{
	unsigned end = (flow->flags & FLOW_INITIATOR_IS_1) != 0;
	bool guessed = !(flow->flags & (FLOW_INITIATOR_CERTAIN | FLOW_ANSWERED));

	if (flow->key.protocol == PROTOCOL_UDP && guessed && flow->packets[end] == 0 &&
		flow->packets[!end] > 0)
		return !end;
	return end;
}

static struct ip_address
end_address(const struct flow *flow, const struct flow_wide *wide, unsigned end)
{
	uint8_t bytes[4];

	if (wide)
		return ip_from_ipv6(wide->address[end]);
	memcpy(bytes, &flow->key.address[end], sizeof(bytes));
	return ip_from_ipv4(bytes);
}

void
flow_to_record(const struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason, struct flow_record *record)
{
	unsigned initiator = initiator_end(flow);
	unsigned responder = !initiator;

	*record = (struct flow_record){
		.start = flow->start,
		.end = flow->start + ((int64_t)flow->last << FLOW_TICK_SHIFT),
		.id = origin->id,
		.initiator = {end_address(flow, wide, initiator), flow->key.port[initiator]},
		.responder = {end_address(flow, wide, responder), flow->key.port[responder]},
		.initiator_mac = origin->mac[initiator],
		.responder_mac = origin->mac[responder],
		.packets = {flow->packets[initiator], flow->packets[responder]},
		.bytes = {flow->bytes[initiator], flow->bytes[responder]},
		.tcp_flags = {flow->tcp_flags[initiator], flow->tcp_flags[responder]},
		.tenant = flow->key.tenant,
		.vlan = flow->key.vlan,
		.icmp_type = flow_is_icmp(&flow->key) ? (uint8_t)(origin->application >> 8) : 0,
		.icmp_code = flow_is_icmp(&flow->key) ? (uint8_t)origin->application : 0,
		.protocol = flow->key.protocol,
		.end_reason = (uint8_t)reason,
		.inspected = flow->flags & FLOW_INSPECTED,
		.first_record = !(flow->flags & FLOW_REPORTED),
		.answered = flow->flags & FLOW_ANSWERED,
		.initiator_certain = flow->flags & FLOW_INITIATOR_CERTAIN,
	};
}
