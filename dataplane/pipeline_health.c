/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's account of its packet path. Read by the control thread while the worker goes on. */
#include "dataplane/pipeline.h"

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
	dedup_health(&pipeline->dedup, health);
	fragment_table_health(&pipeline->fragments, health);
	flow_contexts_health(&pipeline->contexts, health);
	health_add(health, "tunnels.too_deep", HEALTH_COUNTER, pipeline->tunnels.too_deep);
	health_add(
		health, "tunnels.not_understood", HEALTH_COUNTER, pipeline->tunnels.not_understood);
	inspector_health(&pipeline->inspector, health);
}
