/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline.h"

#include "dataplane/flow_update.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Flows looked at by the expiry wheels per burst of 32 packets: enough to retire flows as fast as
 * packets can create them, and bounded so that a burst never waits long for it. */
#define EXPIRY_BUDGET       64
#define FIRST_LOOK          INT64_C(2000000000)
#define LOOKS_UNTIL_LONGEST 4 /* each look waits twice as long as the one before, up to 32 s */
#define TCP_LINGER          INT64_C(5000000000)

#define TIME_JUMP    INT64_C(3600000000000)
#define JUMP_PACKETS 4

#define MILLISECOND INT64_C(1000000)

/* The stages of one burst. Arrays rather than one record per packet: each stage reads one of them.
 */
struct burst {
	struct flow_key key[PIPELINE_BURST];
	struct flow_wide wide[PIPELINE_BURST];
	uint64_t hash[PIPELINE_BURST];
	struct packet *packet[PIPELINE_BURST];
	struct flow_table *table[PIPELINE_BURST];
	uint8_t end[PIPELINE_BURST];
	unsigned count;
};

static bool
receive_record(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason)
{
	struct pipeline *pipeline = context;
	struct flow_record record;

	flow_to_record(flow, origin, wide, reason, &record);
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
	unsigned looks = flow->looks & FLOW_LOOKS_COUNT;

	if (looks == LOOKS_UNTIL_LONGEST)
		return FIRST_LOOK << LOOKS_UNTIL_LONGEST;
	flow->looks++;
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

	if (watch == NULL || (flow->looks & FLOW_ANSWER_TOLD) || (told && !answered))
		return next;
	flow_to_record(flow, origin, wide, FLOW_UPDATE, &record);
	if (!is_watched(watch, &record))
		return next;
	memset(record.packets, 0, sizeof(record.packets));
	memset(record.bytes, 0, sizeof(record.bytes));
	if (!pipeline->output.flow(pipeline->output.context, &record))
		return next;
	flow->flags |= FLOW_REPORTED | FLOW_WATCHED;
	if (answered)
		flow->looks |= FLOW_ANSWER_TOLD;
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
	pipeline->output = settings->output;
	error = flow_secret_random(&pipeline->secret);
	if (error == 0)
		error = init_tables(pipeline, settings);
	if (error == 0)
		error = inspector_init(&pipeline->inspector, &settings->config->inspection,
			settings->dispatch, settings->dpi, &settings->output.sink,
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

/* Decodes all; packets of flows go on to the next stages, others are done here. */
static void
decode_stage(struct pipeline *pipeline, struct packet *packets, unsigned count, enum link_type link,
	struct burst *burst)
{
	burst->count = 0;
	pipeline->balance.received += count;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		enum packet_drop fate = decode_packet(packet, link, pipeline->decode);

		pipeline->balance.received_bytes += packet->wire_length;
		pipeline->balance.fates[fate]++;
		follow_time(pipeline, packet->time);
		if (fate != PACKET_DECODED)
			continue;
		if (packet->l3_kind == PACKET_L3_IPV4 || packet->l3_kind == PACKET_L3_IPV6)
			burst->packet[burst->count++] = packet;
		else
			inspector_link_packet(&pipeline->inspector, packet);
	}
}

static void
hash_stage(struct pipeline *pipeline, struct burst *burst)
{
	for (unsigned i = 0; i < burst->count; i++) {
		const struct packet *packet = burst->packet[i];
		struct flow_table *table = &pipeline->ipv4;
		unsigned end;

		if (packet->l3_kind == PACKET_L3_IPV4) {
			end = flow_key_ipv4(packet, &burst->key[i]);
		} else {
			table = &pipeline->ipv6;
			end = flow_key_ipv6(
				packet, &pipeline->secret, &burst->key[i], &burst->wide[i]);
		}
		burst->end[i] = (uint8_t)end;
		burst->hash[i] = flow_key_hash(&burst->key[i], &pipeline->secret);
		burst->table[i] = table;
		__builtin_prefetch(flow_table_bucket(table, burst->hash[i]), 0, 3);
	}
}

static void
entry_stage(struct burst *burst)
{
	for (unsigned i = 0; i < burst->count; i++) {
		struct flow_table *table = burst->table[i];
		uint32_t index = flow_table_candidate(table, burst->hash[i]);

		if (index == FLOW_NONE)
			continue;
		__builtin_prefetch(&table->flows[index], 1, 3);
		if (table->wide)
			__builtin_prefetch(&table->wide[index], 0, 3);
	}
}

static uint32_t
begin_flow(const struct burst *burst, unsigned i)
{
	struct flow_table *table = burst->table[i];
	const struct packet *packet = burst->packet[i];
	unsigned end = burst->end[i];
	uint32_t index = flow_table_insert(
		table, &burst->key[i], &burst->wide[i], burst->hash[i], packet->time);
	struct flow_origin *origin;

	if (index == FLOW_NONE)
		return FLOW_NONE;
	origin = &table->origins[index];
	origin->observation_point = packet->observation_point;
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
restart_flow(struct pipeline *pipeline, const struct burst *burst, unsigned i, uint32_t index,
	enum flow_end_reason reason)
{
	struct flow_table *table = burst->table[i];
	struct flow *flow = &table->flows[index];
	bool has_news = flow->packets[0] || flow->packets[1];

	if (has_news && !receive_record(pipeline, flow, &table->origins[index],
				table->wide ? &table->wide[index] : NULL, reason)) {
		table->counters.records_deferred++;
		return index;
	}
	table->counters.expired++;
	flow_table_remove(table, index);
	return begin_flow(burst, i);
}

static inline bool
begins_again(const struct flow *flow, const struct packet *packet)
{
	return (flow->flags & FLOW_TCP_ENDED) &&
	       (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* When to look at a connection that has just ended. One that ended before its first look keeps that
 * look: policy must not wait until it has lingered. */
static int64_t
wake_after_end(const struct flow_table *table, const struct flow *flow, int64_t now)
{
	int64_t first_look = flow->start + FIRST_LOOK;
	int64_t deadline = flow_expiry_deadline(table, flow);

	return now < first_look && first_look < deadline ? first_look : deadline;
}

static void
update_flow(struct pipeline *pipeline, const struct burst *burst, unsigned i)
{
	struct flow_table *table = burst->table[i];
	const struct packet *packet = burst->packet[i];
	uint32_t index = flow_table_find(table, &burst->key[i], &burst->wide[i], burst->hash[i]);
	struct flow *flow;
	uint32_t ticks;

	if (index == FLOW_NONE) {
		index = begin_flow(burst, i);
		if (index == FLOW_NONE)
			return;
	}
	flow = &table->flows[index];
	ticks = flow_ticks(flow, packet->time);
	if (__builtin_expect(ticks > flow->last && ticks - flow->last > table->idle_ticks, 0)) {
		index = restart_flow(pipeline, burst, i, index, FLOW_END_IDLE_TIMEOUT);
	} else if (__builtin_expect(flow->flags & FLOW_TCP_ENDED, 0) &&
		   begins_again(flow, packet)) {
		index = restart_flow(pipeline, burst, i, index, FLOW_END_DETECTED);
	} else if (__builtin_expect(!(flow->packets[0] | flow->packets[1]), 0)) {
		flow->start = packet->time; /* first packet since a record */
		flow->last = 0;
	}
	if (index == FLOW_NONE)
		return;
	flow = &table->flows[index];
	if (flow_count(flow, packet, burst->end[i], flow_ticks(flow, packet->time)))
		flow_expiry_arm(table, index, wake_after_end(table, flow, packet->time));
	if (!(flow->flags & FLOW_INSPECTED) && packet->payload_length > 0)
		inspector_begin(&pipeline->inspector, flow, packet);
	if (flow->inspection)
		inspector_packet(&pipeline->inspector, flow, &table->origins[index], packet,
			flow_from_initiator(flow, burst->end[i]));
}

static void
run_timers(struct pipeline *pipeline)
{
	flow_expiry_run(&pipeline->ipv4, pipeline->now, EXPIRY_BUDGET);
	flow_expiry_run(&pipeline->ipv6, pipeline->now, EXPIRY_BUDGET);
}

void
pipeline_burst(
	struct pipeline *pipeline, struct packet *packets, unsigned count, enum link_type link)
{
	struct burst burst;

	inspector_burst(&pipeline->inspector);
	decode_stage(pipeline, packets, count, link, &burst);
	hash_stage(pipeline, &burst);
	entry_stage(&burst);
	for (unsigned i = 0; i < burst.count; i++)
		update_flow(pipeline, &burst, i);
	run_timers(pipeline);
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
	health_add(health, "flow_table.refused", HEALTH_LOSS, SUM(refused));
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
	inspector_health(&pipeline->inspector, health);
}
