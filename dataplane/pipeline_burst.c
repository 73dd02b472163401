/* SPDX-License-Identifier: Apache-2.0 */
/* The hot path: one burst of frames through its stages. */
#include "dataplane/flow_update.h"
#include "dataplane/likely.h"
#include "dataplane/pipeline_private.h"
#include "dataplane/plain_decode.h"

#include <stdlib.h>
#include <string.h>

#define TIME_JUMP    INT64_C(3600000000000)
#define JUMP_PACKETS 4

#define INSPECTION_AHEAD 4 /* packets between the fetching of a state and its use */

/* The stages of one burst hand on what each packet means to its flow. The packet views beside are
 * filled for frames that are not plain, and for those of which somebody wants to see more. */
struct burst {
	const struct frame_view *frames;
	enum link_type link;
	unsigned count;  /* packets of flows */
	uint32_t viewed; /* bit n: packets[n] is filled */
	struct flow_packet flow_packets[PIPELINE_BURST] __attribute__((aligned(64)));
	struct flow_wide wide[PIPELINE_BURST];
	struct packet packets[PIPELINE_BURST];
};

_Static_assert(PIPELINE_BURST <= DEDUP_BURST, "copies are taken out burst by burst");
_Static_assert(PIPELINE_BURST <= 32, "struct burst numbers frames in 32 bits");

/* Timers follow packet time. A lone packet from far ahead would end every flow, and one capture
 * after a later one would find all timers in the future: a jump counts once several packets in a
 * row agree on it. Then the wheels start anew from there. Live time never jumps (clock.h). */
static __attribute__((noinline)) void
follow_time(struct pipeline *pipeline, int64_t time)
{
	int64_t ahead = time - pipeline->now;

	if (ahead > -TIME_JUMP && ahead < TIME_JUMP) {
		pipeline->strange_times = 0;
		if (ahead > 0)
			pipeline->now = time;
		return;
	}
	if (pipeline->now != 0 && ++pipeline->strange_times < JUMP_PACKETS)
		return;
	pipeline->strange_times = 0;
	pipeline->now = time;
	if (ahead < 0) {
		flow_expiry_restart(&pipeline->ipv4, time);
		flow_expiry_restart(&pipeline->ipv6, time);
	}
}

static const struct flow_table *
table_of(const struct pipeline *pipeline, const struct flow_packet *packet)
{
	return packet->ipv6 ? &pipeline->ipv6 : &pipeline->ipv4;
}

/* Tags, wherever in the packet, are no part of the key where copies come with others. */
static const struct decode_options *
options_of(const struct pipeline *pipeline, const struct packet *packet)
{
	return dedup_leaves_vlan_out(&pipeline->dedup, packet->observation_point)
		       ? &pipeline->decode_across_vlans
		       : pipeline->decode;
}

/* The packet view behind a flow packet. */
static const struct packet *
view(const struct pipeline *pipeline, struct burst *burst, const struct flow_packet *flow_packet)
{
	struct packet *packet = &burst->packets[flow_packet->frame];
	const struct frame_view *frame = &burst->frames[flow_packet->frame];

	if (burst->viewed & 1u << flow_packet->frame)
		return packet;
	burst->viewed |= 1u << flow_packet->frame;
	if (plain_view(frame, &pipeline->plain, flow_packet, packet))
		return packet;
	packet_from_frame(packet, frame);
	if (decode_packet(packet, burst->link, options_of(pipeline, packet)) != PACKET_DECODED)
		abort(); /* plain_decode() takes nothing that the decoder would drop */
	return packet;
}

static inline void
count_tunnel(struct tunnel_counters *tunnels, const struct packet *packet)
{
	tunnels->too_deep += packet->tunnel_end == TUNNEL_END_TOO_DEEP;
	tunnels->not_understood += packet->tunnel_end == TUNNEL_END_NOT_UNDERSTOOD;
}

/* A frame that is not plain. Returns true if it belongs to a flow. */
static __attribute__((noinline)) bool
decode_frame(struct pipeline *pipeline, struct burst *burst, unsigned i,
	struct flow_packet *flow_packet, struct flow_wide *wide)
{
	struct packet *packet = &burst->packets[i];
	enum packet_drop fate;

	packet_from_frame(packet, &burst->frames[i]);
	fate = decode_packet(packet, burst->link, options_of(pipeline, packet));
	pipeline->balance.fates[fate]++;
	if (fate != PACKET_DECODED)
		return false;
	count_tunnel(&pipeline->tunnels, packet);
	if (packet->l3_kind != PACKET_L3_IPV4 && packet->l3_kind != PACKET_L3_IPV6) {
		inspector_link_packet(&pipeline->inspector, packet);
		return false;
	}
	burst->viewed |= 1u << i;
	if (packet->flags & PACKET_IS_FRAGMENT)
		fragment_follow(&pipeline->fragments, packet);
	flow_packet_summarize(packet, &pipeline->secret, flow_packet, wide);
	return true;
}

/* Live all frames of a burst have one time. */
static void
count_received(struct pipeline *pipeline, const struct burst *burst, unsigned count)
{
	uint64_t bytes = 0, different = 0;

	for (unsigned i = 0; i < count; i++) {
		bytes += burst->frames[i].wire_length;
		different |= (uint64_t)(burst->frames[i].time ^ burst->frames[0].time);
	}
	for (unsigned i = 0; i < count; i++) {
		int64_t ahead = burst->frames[i].time - pipeline->now;

		if (LIKELY(ahead >= 0 && ahead < TIME_JUMP && pipeline->strange_times == 0))
			pipeline->now += ahead;
		else
			follow_time(pipeline, burst->frames[i].time);
		if (LIKELY(different == 0 && pipeline->strange_times == 0))
			break;
	}
	pipeline->balance.received += count;
	pipeline->balance.received_bytes += bytes;
}

/* Decodes all and fetches the buckets of their flows; what has no flow is done here. */
static void
decode_stage(struct pipeline *pipeline, struct burst *burst, unsigned count)
{
	/* A copy that no store can change: it stays in registers. */
	const struct flow_secret secret = pipeline->secret;
	const struct plain_options options = pipeline->plain;
	bool ethernet = burst->link == LINK_ETHERNET;
	struct flow_packet *flow_packet = burst->flow_packets;
	struct flow_wide *wide = burst->wide;
	uint64_t plain = 0;

	for (unsigned i = 0; i < count; i++) {
		if (LIKELY(ethernet &&
			    plain_decode(&burst->frames[i], &options, &secret, flow_packet, wide)))
			plain++;
		else if (!decode_frame(pipeline, burst, i, flow_packet, wide))
			continue;
		flow_packet->frame = (uint8_t)i;
		__builtin_prefetch(
			flow_table_bucket(table_of(pipeline, flow_packet), flow_packet->hash), 0,
			3);
		flow_packet++;
		wide++;
	}
	burst->count = (unsigned)(flow_packet - burst->flow_packets);
	pipeline->balance.fates[PACKET_DECODED] += plain;
}

/* Takes the copies out of the burst. Where they come in several VLANs the flow must be one over all
 * of them: of each direction the first copy is kept, and theirs are different VLANs. */
static void
dedup_stage(struct pipeline *pipeline, struct burst *burst)
{
	unsigned kept = dedup_burst(&pipeline->dedup,
		&(struct dedup_input){burst->frames, burst->packets, burst->viewed, burst->count},
		burst->flow_packets, burst->wide);

	pipeline->balance.fates[PACKET_DECODED] -= burst->count - kept;
	pipeline->balance.fates[DROP_DUPLICATE] += burst->count - kept;
	burst->count = kept;
	for (unsigned i = 0; i < kept; i++) {
		struct flow_packet *packet = &burst->flow_packets[i];

		if (!dedup_leaves_vlan_out(
			    &pipeline->dedup, burst->frames[packet->frame].observation_point) ||
			packet->key.vlan == 0)
			continue;
		flow_key_leave_vlan_out(packet, &pipeline->secret);
		__builtin_prefetch(
			flow_table_bucket(table_of(pipeline, packet), packet->hash), 0, 3);
	}
}

static void
match_stage(const struct pipeline *pipeline, struct burst *burst)
{
	for (unsigned i = 0; i < burst->count; i++) {
		struct flow_packet *packet = &burst->flow_packets[i];
		const struct flow_table *table = table_of(pipeline, packet);
		uint32_t index = flow_table_candidate(table, packet->hash);

		packet->candidate = index;
		if (index == FLOW_NONE)
			continue;
		__builtin_prefetch(&table->flows[index], 1, 3);
		if (packet->ipv6)
			__builtin_prefetch(&table->wide[index], 0, 3);
	}
}

static uint32_t
begin_flow(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i)
{
	const struct flow_packet *flow_packet = &burst->flow_packets[i];
	const struct packet *packet = view(pipeline, burst, flow_packet);
	unsigned end = flow_packet->end;
	uint32_t index = flow_table_insert(
		table, &flow_packet->key, &burst->wide[i], flow_packet->hash, packet->time);
	struct flow_origin *origin = &table->origins[index];

	origin->context = flow_contexts_take(&pipeline->contexts, packet);
	if (pipeline->dedup.flow_vlans[flow_packet->ipv6])
		pipeline->dedup.flow_vlans[flow_packet->ipv6][index] = packet_vlan(packet);
	origin->mac[end] = packet->source_mac;
	origin->mac[!end] = packet->destination_mac;
	flow_decide_initiator(&table->flows[index], packet, end);
	if (flow_is_icmp(&table->flows[index].key))
		origin->application = (uint16_t)(packet->icmp_type << 8 | packet->icmp_code);
	flow_expiry_arm(table, index, packet->time + PIPELINE_FIRST_LOOK);
	return index;
}

/* A packet for a flow that is over: silent past its timeout, or a connection that ended and begins
 * again. Sends the old record and begins anew; if there is no room for the record the old flow goes
 * on, which merges two flows but loses nothing. */
static uint32_t
restart_flow(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i,
	uint32_t index, enum flow_end_reason reason)
{
	struct flow *flow = &table->flows[index];
	bool has_news = flow->packets[0] || flow->packets[1];

	if (has_news && !pipeline_receive_record(pipeline, flow, &table->origins[index],
				table->wide ? &table->wide[index] : NULL, reason)) {
		table->counters.records_deferred++;
		return index;
	}
	table->counters.expired++;
	flow_table_remove(table, index);
	return begin_flow(pipeline, table, burst, i);
}

static inline bool
begins_again(const struct flow *flow, const struct flow_packet *packet)
{
	return (flow->flags & FLOW_TCP_ENDED) &&
	       (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* The flow that goes on with this packet, which may be a new one in place of one that is over. */
static uint32_t
resume_flow(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i,
	uint32_t index, int64_t time)
{
	struct flow *flow = &table->flows[index];
	uint32_t ticks = flow_ticks(flow, time);

	if (ticks > flow->last && ticks - flow->last > table->idle_ticks)
		return restart_flow(pipeline, table, burst, i, index, FLOW_END_IDLE_TIMEOUT);
	if (begins_again(flow, &burst->flow_packets[i]))
		return restart_flow(pipeline, table, burst, i, index, FLOW_END_DETECTED);
	if (!(flow->packets[0] | flow->packets[1])) {
		flow->start = time; /* first packet since a record */
		flow->last = 0;
	}
	return index;
}

/* Something other than counting may be due before the packet is counted: the flow was silent too
 * long, is over, or begins its next record; or the packet is older than the one before. */
static inline bool
needs_resuming(const struct flow_table *table, const struct flow *flow, uint64_t ticks)
{
	return ticks - flow->last > table->idle_ticks || ticks > UINT32_MAX ||
	       (flow->flags & FLOW_TCP_ENDED) || !(flow->packets[0] | flow->packets[1]);
}

static uint32_t
find_flow(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i)
{
	const struct flow_packet *packet = &burst->flow_packets[i];
	uint32_t index = packet->candidate;

	if (LIKELY(index != FLOW_NONE && flow_table_holds(table, index, &packet->key,
						 packet->ipv6 ? &burst->wide[i] : NULL)))
		return index;
	index = flow_table_find(
		table, &packet->key, packet->ipv6 ? &burst->wide[i] : NULL, packet->hash);
	return index != FLOW_NONE ? index : begin_flow(pipeline, table, burst, i);
}

static void
inspect(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i,
	uint32_t index)
{
	const struct packet *packet = view(pipeline, burst, &burst->flow_packets[i]);
	struct flow *flow = &table->flows[index];

	if (inspector_wants(&pipeline->inspector, flow) && packet->payload_length > 0)
		inspector_begin(&pipeline->inspector, flow, packet);
	if (flow->inspection)
		inspector_packet(&pipeline->inspector, flow, &table->origins[index], packet,
			flow_from_initiator(flow, burst->flow_packets[i].end));
}

/* Most packets of an inspected flow are those of a video stream, whose meter needs no header. */
static bool
meter(struct pipeline *pipeline, const struct burst *burst, const struct flow_packet *packet,
	const struct flow *flow)
{
	const struct frame_view *frame = &burst->frames[packet->frame];
	struct meter_packet metered = {
		.data = frame->data + packet->payload,
		.length = packet->payload_length,
		.wire_bytes = frame->wire_length,
		.time = frame->time,
		.from_initiator = flow_from_initiator(flow, packet->end),
	};

	/* What is viewed already went the long way: it may be cut or a fragment. */
	return !(burst->viewed & 1u << packet->frame) &&
	       inspector_meter(&pipeline->inspector, flow, &metered);
}

static inline void
update_flow(struct pipeline *pipeline, struct flow_table *table, struct burst *burst, unsigned i)
{
	const struct flow_packet *packet = &burst->flow_packets[i];
	int64_t time = burst->frames[packet->frame].time;
	uint32_t index = find_flow(pipeline, table, burst, i);
	struct flow *flow = &table->flows[index];
	uint64_t ticks = (uint64_t)((time - flow->start) >> FLOW_TICK_SHIFT);

	if (UNLIKELY(needs_resuming(table, flow, ticks))) {
		index = resume_flow(pipeline, table, burst, i, index, time);
		flow = &table->flows[index];
		ticks = flow_ticks(flow, time);
		ticks = ticks > flow->last ? ticks : flow->last;
	}
	/* One that ended before its first look keeps that look: policy must not wait. */
	if (UNLIKELY(flow_count(flow, packet, (uint32_t)ticks)) && (flow->timer & FLOW_LOOKS_COUNT))
		flow_expiry_arm(table, index, flow_expiry_deadline(table, flow));
	if (flow->inspection && meter(pipeline, burst, packet, flow))
		return;
	if (flow->inspection ||
		(packet->payload_length > 0 && inspector_wants(&pipeline->inspector, flow)))
		inspect(pipeline, table, burst, i, index);
}

/* The entry's line has come by now, or soon will. */
static inline void
prefetch_inspection(const struct pipeline *pipeline, const struct burst *burst, unsigned i)
{
	const struct flow_packet *packet;
	const struct flow *flow;

	if (i >= burst->count)
		return;
	packet = &burst->flow_packets[i];
	if (packet->candidate == FLOW_NONE)
		return;
	flow = &table_of(pipeline, packet)->flows[packet->candidate];
	if (flow->inspection)
		inspector_prefetch(&pipeline->inspector, flow);
}

static void
update_stage(struct pipeline *pipeline, struct burst *burst)
{
	for (unsigned i = 0; i < burst->count; i++) {
		prefetch_inspection(pipeline, burst, i + INSPECTION_AHEAD);
		if (burst->flow_packets[i].ipv6)
			update_flow(pipeline, &pipeline->ipv6, burst, i);
		else
			update_flow(pipeline, &pipeline->ipv4, burst, i);
	}
}

void
pipeline_burst(struct pipeline *pipeline, const struct frame_view *frames, unsigned count,
	enum link_type link)
{
	uint64_t begun[] = {pipeline->ipv4.counters.created, pipeline->ipv6.counters.created};
	struct burst burst;

	burst.frames = frames;
	burst.link = link;
	burst.count = 0;
	burst.viewed = 0;
	inspector_burst(&pipeline->inspector, count == PIPELINE_BURST);
	count_received(pipeline, &burst, count);
	decode_stage(pipeline, &burst, count);
	if (UNLIKELY(pipeline->dedup.ports))
		dedup_stage(pipeline, &burst);
	match_stage(pipeline, &burst);
	update_stage(pipeline, &burst);
	pipeline_run_timers(pipeline);
	if (pipeline->ipv4.counters.created != begun[0])
		flow_table_prefetch_free(&pipeline->ipv4);
	if (pipeline->ipv6.counters.created != begun[1])
		flow_table_prefetch_free(&pipeline->ipv6);
}
