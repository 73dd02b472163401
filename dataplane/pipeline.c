/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline.h"

#include "dataplane/flow_update.h"
#include "dataplane/likely.h"
#include "dataplane/plain_decode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Flows looked at by the expiry wheels per burst of 32 packets: enough to retire flows as fast as
 * packets can create them, and bounded so that a burst never waits long for it. */
#define EXPIRY_BUDGET       64
#define FIRST_LOOK          INT64_C(2000000000)
#define LOOKS_UNTIL_LONGEST 4 /* each look waits twice as long as the one before, up to 32 s */
#define TCP_LINGER          INT64_C(5000000000)

#define TIME_JUMP    INT64_C(3600000000000)
#define JUMP_PACKETS 4

#define INSPECTION_AHEAD 4 /* packets between the fetching of a state and its use */

#define MILLISECOND INT64_C(1000000)

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

_Static_assert(LOOKS_UNTIL_LONGEST <= FLOW_LOOKS_COUNT, "flow.timer counts them");
_Static_assert(PIPELINE_BURST <= 32, "struct burst numbers frames in 32 bits");

static bool
receive_record(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason)
{
	struct pipeline *pipeline = context;
	struct flow_record record;

	flow_to_record(flow, origin, wide, reason, &record);
	flow_contexts_describe(&pipeline->contexts, origin->context, &record);
	if (pipeline->inspector.dpi && record.application)
		dpi_name(pipeline->inspector.dpi, record.application, record.application_name);
	if (!pipeline->output.flow(pipeline->output.context, &record))
		return false;
	flow->flags |= FLOW_REPORTED;
	return true;
}

static void
release_flow(void *context, struct flow *flow)
{
	struct pipeline *pipeline = context;
	struct flow_table *table =
		flow->key.family == ADDRESS_IPV4 ? &pipeline->ipv4 : &pipeline->ipv6;

	flow_contexts_give_back(&pipeline->contexts, table->origins[flow - table->flows].context);
	inspector_end(&pipeline->inspector, flow);
}

static bool
is_watched(const struct watch_set *watch, const struct flow_record *record)
{
	return watch_set_has(watch, record->tenant, &record->initiator.ip) ||
	       watch_set_has(watch, record->tenant, &record->responder.ip);
}

static int64_t
next_look(struct flow *flow)
{
	unsigned looks = flow->timer & FLOW_LOOKS_COUNT;

	if (looks == LOOKS_UNTIL_LONGEST)
		return FIRST_LOOK << LOOKS_UNTIL_LONGEST;
	flow->timer++;
	return FIRST_LOOK << looks;
}

/* Tells policy of a watched connection while it lives: once when it is first seen, once more when
 * it was answered. The record counts nothing; the flow's next record does. */
static int64_t
look_at_flow(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide)
{
	struct pipeline *pipeline = context;
	const struct watch_set *watch =
		atomic_load_explicit(&pipeline->watch, memory_order_acquire);
	bool answered = flow->flags & FLOW_ANSWERED;
	bool told = flow->flags & FLOW_WATCHED;
	int64_t next = next_look(flow);
	struct flow_record record;

	if (watch == NULL || (flow->timer & FLOW_ANSWER_TOLD) || (told && !answered))
		return next;
	flow_to_record(flow, origin, wide, FLOW_UPDATE, &record);
	flow_contexts_describe(&pipeline->contexts, origin->context, &record);
	if (!is_watched(watch, &record))
		return next;
	memset(record.packets, 0, sizeof(record.packets));
	memset(record.bytes, 0, sizeof(record.bytes));
	if (!pipeline->output.flow(pipeline->output.context, &record))
		return next;
	flow->flags |= FLOW_REPORTED | FLOW_WATCHED;
	if (answered)
		flow->timer |= FLOW_ANSWER_TOLD;
	return next;
}

static int
init_tables(struct pipeline *pipeline, const struct pipeline_settings *settings)
{
	const struct config_flows *flows = &settings->config->flows;
	struct flow_timeouts timeouts = {
		.idle = flows->idle_timeout_ms * MILLISECOND,
		.active = flows->active_timeout_ms * MILLISECOND,
		.tcp_linger = TCP_LINGER,
	};
	struct flow_receiver receiver = {pipeline, receive_record, release_flow, look_at_flow};
	uint64_t id_base = (uint64_t)settings->worker << 48;
	int error;

	if (timeouts.tcp_linger > timeouts.idle)
		timeouts.tcp_linger = timeouts.idle;
	error = flow_table_init(&pipeline->ipv4, flows->ipv4_max, false, &timeouts,
		&pipeline->secret, id_base + 1, &receiver, settings->memory);
	if (error)
		return error;
	return flow_table_init(&pipeline->ipv6, flows->ipv6_max, true, &timeouts, &pipeline->secret,
		id_base + (UINT64_C(1) << 47), &receiver, settings->memory);
}

int
pipeline_init(struct pipeline *pipeline, const struct pipeline_settings *settings)
{
	int error;

	memset(pipeline, 0, sizeof(*pipeline));
	pipeline->decode = settings->decode;
	pipeline->plain = plain_options_from(settings->decode);
	pipeline->output = settings->output;
	error = flow_secret_random(&pipeline->secret);
	if (error == 0)
		error = init_tables(pipeline, settings);
	if (error == 0)
		error = fragment_table_init(&pipeline->fragments, settings->memory);
	if (error == 0)
		error = flow_contexts_init(&pipeline->contexts, settings->memory);
	if (error == 0)
		error = inspector_init(&pipeline->inspector, &settings->config->inspection,
			settings->dispatch, settings->dpi, settings->replay, &settings->output.sink,
			settings->memory);
	if (error)
		pipeline_free(pipeline);
	return error;
}

void
pipeline_free(struct pipeline *pipeline)
{
	if (pipeline->inspector.memory)
		inspector_free(&pipeline->inspector);
	if (pipeline->fragments.memory)
		fragment_table_free(&pipeline->fragments);
	if (pipeline->contexts.memory)
		flow_contexts_free(&pipeline->contexts);
	if (pipeline->ipv4.memory)
		flow_table_free(&pipeline->ipv4);
	if (pipeline->ipv6.memory)
		flow_table_free(&pipeline->ipv6);
}

/* Timers follow packet time. A lone packet from far ahead would end every flow, and one capture
 * after a later one would find all timers in the future: a jump counts once several packets in a
 * row agree on it. Then the wheels start anew from there. Live time never jumps (clock.h). */
static void
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

/* The packet view behind a flow packet. */
static const struct packet *
view(const struct pipeline *pipeline, struct burst *burst, const struct flow_packet *flow_packet)
{
	struct packet *packet = &burst->packets[flow_packet->frame];

	if (burst->viewed & 1u << flow_packet->frame)
		return packet;
	burst->viewed |= 1u << flow_packet->frame;
	packet_from_frame(packet, &burst->frames[flow_packet->frame]);
	if (decode_packet(packet, burst->link, pipeline->decode) != PACKET_DECODED)
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
static bool
decode_frame(struct pipeline *pipeline, struct burst *burst, unsigned i,
	struct flow_packet *flow_packet, struct flow_wide *wide)
{
	struct packet *packet = &burst->packets[i];
	enum packet_drop fate;

	packet_from_frame(packet, &burst->frames[i]);
	fate = decode_packet(packet, burst->link, pipeline->decode);
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
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		bytes += burst->frames[i].wire_length;
		if (burst->frames[i].time != pipeline->now || pipeline->strange_times > 0)
			follow_time(pipeline, burst->frames[i].time);
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
			    plain_decode(&burst->frames[i], options, &secret, flow_packet, wide)))
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
	origin->mac[end] = packet->source_mac;
	origin->mac[!end] = packet->destination_mac;
	flow_decide_initiator(&table->flows[index], packet, end);
	if (flow_is_icmp(&table->flows[index].key))
		origin->application = (uint16_t)(packet->icmp_type << 8 | packet->icmp_code);
	flow_expiry_arm(table, index, packet->time + FIRST_LOOK);
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

	if (has_news && !receive_record(pipeline, flow, &table->origins[index],
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
	return ticks - flow->last > table->idle_ticks || (flow->flags & FLOW_TCP_ENDED) ||
	       !(flow->packets[0] | flow->packets[1]);
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

	if (!(flow->flags & FLOW_INSPECTED) && packet->payload_length > 0)
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
	if (flow->inspection || (!(flow->flags & FLOW_INSPECTED) && packet->payload_length > 0))
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

static void
run_timers(struct pipeline *pipeline)
{
	flow_expiry_run(&pipeline->ipv4, pipeline->now, EXPIRY_BUDGET);
	flow_expiry_run(&pipeline->ipv6, pipeline->now, EXPIRY_BUDGET);
}

void
pipeline_burst(struct pipeline *pipeline, const struct frame_view *frames, unsigned count,
	enum link_type link)
{
	uint64_t begun = pipeline->ipv4.counters.created;
	struct burst burst;

	burst.frames = frames;
	burst.link = link;
	burst.count = 0;
	burst.viewed = 0;
	inspector_burst(&pipeline->inspector, count == PIPELINE_BURST);
	count_received(pipeline, &burst, count);
	decode_stage(pipeline, &burst, count);
	match_stage(pipeline, &burst);
	update_stage(pipeline, &burst);
	run_timers(pipeline);
	if (pipeline->ipv4.counters.created != begun)
		flow_table_prefetch_free(&pipeline->ipv4);
}

void
pipeline_idle(struct pipeline *pipeline, int64_t now)
{
	if (now > pipeline->now)
		pipeline->now = now;
	run_timers(pipeline);
}

bool
pipeline_flush(struct pipeline *pipeline)
{
	return flow_expiry_flush(&pipeline->ipv4) && flow_expiry_flush(&pipeline->ipv6);
}

static void
add_balance(struct packet_balance *sum, const struct packet_balance *part)
{
	sum->received += part->received;
	sum->received_bytes += part->received_bytes;
	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		sum->fates[fate] += part->fates[fate];
}

/* Figures of both families are summed: operators size one machine, not two tables. */
static void
add_tables(const struct pipeline *pipeline, struct health_record *health)
{
	const struct flow_table *a = &pipeline->ipv4;
	const struct flow_table *b = &pipeline->ipv6;

#define SUM(field) (a->counters.field + b->counters.field)
	health_add(health, "flow_table.ipv4.size", HEALTH_GAUGE, a->size);
	health_add(health, "flow_table.ipv4.occupied", HEALTH_GAUGE, a->occupied);
	health_add(health, "flow_table.ipv6.size", HEALTH_GAUGE, b->size);
	health_add(health, "flow_table.ipv6.occupied", HEALTH_GAUGE, b->occupied);
	health_add(health, "flow_table.created", HEALTH_COUNTER, SUM(created));
	health_add(health, "flow_table.expired", HEALTH_COUNTER, SUM(expired));
	health_add(health, "flow_table.evicted", HEALTH_LOSS, SUM(evicted));
	health_add(health, "flow_table.overflow_buckets", HEALTH_GAUGE, SUM(overflow_buckets));
	health_add(health, "flow_table.overflow_exhausted", HEALTH_LOSS, SUM(overflow_exhausted));
	health_add(health, "flow_table.records_deferred", HEALTH_COUNTER, SUM(records_deferred));
	health_add(health, "flow_table.records_lost", HEALTH_LOSS, SUM(records_lost));
#undef SUM
}

void
pipeline_health(const struct pipeline *pipeline, struct health_record *health)
{
	add_balance(&health->balance, &pipeline->balance);
	add_tables(pipeline, health);
	fragment_table_health(&pipeline->fragments, health);
	flow_contexts_health(&pipeline->contexts, health);
	health_add(health, "tunnels.too_deep", HEALTH_COUNTER, pipeline->tunnels.too_deep);
	health_add(
		health, "tunnels.not_understood", HEALTH_COUNTER, pipeline->tunnels.not_understood);
	inspector_health(&pipeline->inspector, health);
}
