/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline_private.h"

#include "dataplane/flow_update.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Timers that fire per burst of 32 packets, of each wheel: few, so that the records of what falls
 * due together do not fill the ring at once. A flow takes up to six in its life, so a wheel that
 * lags gets more: flows are retired as fast as packets can begin them, and a burst waits for it no
 * longer than some 50 us. */
#define EXPIRY_BUDGET        64
#define EXPIRY_BUDGET_BEHIND 256
/* Bursts without timers once a record found no room: there will be none at once. */
#define PAUSE_WITHOUT_ROOM  16
#define LOOKS_UNTIL_LONGEST 4 /* each look waits twice as long as the one before, up to 32 s */
#define TCP_LINGER          INT64_C(5000000000)

#define MILLISECOND INT64_C(1000000)

_Static_assert(LOOKS_UNTIL_LONGEST <= FLOW_LOOKS_COUNT, "flow.timer counts them");
static void
make_record(const struct pipeline *pipeline, const struct flow *flow,
	const struct flow_origin *origin, const struct flow_wide *wide, enum flow_end_reason reason,
	struct flow_record *record)
{
	const struct flow_table *table = wide ? &pipeline->ipv6 : &pipeline->ipv4;
	const uint16_t *vlans = pipeline->dedup.flow_vlans[wide != NULL];

	flow_to_record(flow, origin, wide, reason, record);
	flow_contexts_describe(&pipeline->contexts, origin->context, record);
	if (vlans)
		record->vlan = vlans[flow - table->flows];
}

bool
pipeline_receive_record(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason)
{
	struct pipeline *pipeline = context;
	struct flow_record record;

	make_record(pipeline, flow, origin, wide, reason, &record);
	if (!flow_is_icmp(&flow->key))
		inspector_name(&pipeline->inspector, origin->application, record.application_name);
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
is_watched(const struct watch_set *watch, const struct flow *flow, const struct flow_wide *wide)
{
	for (unsigned end = 0; end < 2; end++) {
		uint64_t words[2] = {flow->key.address[end], 0};

		if (wide)
			memcpy(words, wide->address[end], sizeof(words));
		if (watch_set_has(watch, flow->key.tenant, flow->key.family, words))
			return true;
	}
	return false;
}

static int64_t
next_look(struct flow *flow)
{
	unsigned looks = flow->timer & FLOW_LOOKS_COUNT;

	if (looks == LOOKS_UNTIL_LONGEST)
		return PIPELINE_FIRST_LOOK << LOOKS_UNTIL_LONGEST;
	flow->timer++;
	return PIPELINE_FIRST_LOOK << looks;
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
	if (!is_watched(watch, flow, wide))
		return next;
	make_record(pipeline, flow, origin, wide, FLOW_UPDATE, &record);
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
	struct flow_receiver receiver = {
		pipeline, pipeline_receive_record, release_flow, look_at_flow};
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
	if (settings->decode)
		pipeline->decode_across_vlans = *settings->decode;
	pipeline->decode_across_vlans.ignore_vlans = true;
	pipeline->plain = plain_options_from(settings->decode);
	/* The outer tag is in the tenant, from which nobody takes it out again. */
	pipeline->plain.tag_pairs = settings->deduplicated_ports == 0 ||
				    !settings->config->dataplane.deduplication.across_vlans;
	pipeline->output = settings->output;
	error = flow_secret_random(&pipeline->secret);
	if (error == 0)
		error = init_tables(pipeline, settings);
	if (error == 0)
		error = fragment_table_init(&pipeline->fragments, settings->memory);
	if (error == 0)
		error = flow_contexts_init(&pipeline->contexts, settings->memory);
	if (error == 0)
		error = dedup_init(&pipeline->dedup, settings->config, settings->deduplicated_ports,
			(uint32_t[2]){pipeline->ipv4.size, pipeline->ipv6.size}, settings->memory);
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
	dedup_free(&pipeline->dedup);
}

static void
run_wheel(struct pipeline *pipeline, struct flow_table *table)
{
	uint64_t deferred = table->counters.records_deferred;
	bool lags = flow_expiry_lags(table, pipeline->now);

	flow_expiry_run(table, pipeline->now, lags ? EXPIRY_BUDGET_BEHIND : EXPIRY_BUDGET);
	if (table->counters.records_deferred != deferred)
		pipeline->timers_paused = PAUSE_WITHOUT_ROOM;
}

void
pipeline_run_timers(struct pipeline *pipeline)
{
	if (pipeline->timers_paused > 0) {
		pipeline->timers_paused--;
		return;
	}
	run_wheel(pipeline, &pipeline->ipv4);
	run_wheel(pipeline, &pipeline->ipv6);
}

void
pipeline_idle(struct pipeline *pipeline, int64_t now)
{
	if (now > pipeline->now)
		pipeline->now = now;
	pipeline->timers_paused = 0;
	pipeline_run_timers(pipeline);
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
	dedup_health(&pipeline->dedup, health);
	inspector_health(&pipeline->inspector, health);
}
