/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table: packets of known flows at several sizes, flows that begin and end, early looks.
 */
#include "bench/micro_suites.h"
#include "dataplane/flow_table.h"
#include "dataplane/flow_update.h"

#include <inttypes.h>
#include <stdio.h>

#define BATCH       32
#define START       INT64_C(1700000000000000000)
#define SECOND      INT64_C(1000000000)
#define LOOK_EVERY  (32 * SECOND)
#define WHEEL_FLOWS 65536

enum { SIZES = 5 };

struct seen {
	uint64_t records;
	int64_t now; /* of the wheel that looks */
};

struct flow_case {
	const struct micro_lab *lab;
	uint32_t flows;
	char name[48];
};

static const struct flow_secret secret = {{1, 3, 5, 7, 9, 11}};

static bool
take_record(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason)
{
	(void)origin;
	(void)wide;
	(void)reason;
	micro_use(flow);
	((struct seen *)context)->records++;
	return true;
}

static void
forget_flow(void *context, struct flow *flow)
{
	(void)context;
	(void)flow;
}

static int64_t
look(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide)
{
	(void)context;
	(void)flow;
	(void)origin;
	(void)wide;
	return LOOK_EVERY;
}

/* The same of a flow that goes on: its last packet was just before. */
static int64_t
look_at_busy(void *context, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide)
{
	flow->start = ((const struct seen *)context)->now;
	return look(context, flow, origin, wide);
}

static bool
make_table(struct flow_table *table, const struct flow_case *test, uint32_t size, struct seen *seen)
{
	struct flow_timeouts timeouts = {
		.idle = 60 * SECOND, .active = 300 * SECOND, .tcp_linger = 5 * SECOND};
	struct flow_receiver receiver = {seen, take_record, forget_flow, look};

	return flow_table_init(table, size, false, &timeouts, &secret, 1, &receiver,
		       &test->lab->rig->memory) == 0;
}

static inline void
make_packet(struct flow_packet *packet, uint32_t flow)
{
	packet->octets = 46;
	packet->tcp_flags = 0;
	packet->icmp_type = 0;
	packet->carries = true;
	flow_key_ipv4(packet,
		__builtin_bswap32(0x0a000000 | (flow & 0xffffff)) | UINT64_C(0x010200c0) << 32,
		(0x8000 | flow >> 24) << 16 | 9, flow_key_context(PROTOCOL_UDP, ADDRESS_IPV4, 0), 0,
		&secret);
}

static void
begin_flow(struct flow_table *table, uint32_t flow, int64_t now)
{
	struct flow_packet packet;
	uint32_t index;

	make_packet(&packet, flow);
	index = flow_table_insert(table, &packet.key, NULL, packet.hash, now);
	flow_count(&table->flows[index], &packet, 0);
	flow_expiry_arm(table, index, now + LOOK_EVERY);
}

/* The stages of a burst: keys and hashes, buckets, entries, counting. */
static unsigned
count_burst(struct flow_table *table, const uint32_t flows[BATCH], uint32_t ticks)
{
	struct flow_packet packets[BATCH];
	unsigned missed = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		make_packet(&packets[i], flows[i]);
		__builtin_prefetch(flow_table_bucket(table, packets[i].hash));
	}
	for (unsigned i = 0; i < BATCH; i++) {
		packets[i].candidate = flow_table_candidate(table, packets[i].hash);
		if (packets[i].candidate != FLOW_NONE)
			__builtin_prefetch(&table->flows[packets[i].candidate], 1);
	}
	for (unsigned i = 0; i < BATCH; i++) {
		uint32_t index = packets[i].candidate;

		if (index == FLOW_NONE || !flow_table_holds(table, index, &packets[i].key, NULL))
			index = flow_table_find(table, &packets[i].key, NULL, packets[i].hash);
		if (index == FLOW_NONE)
			missed++;
		else
			flow_count(&table->flows[index], &packets[i], ticks);
	}
	return missed;
}

static void
run_known(struct micro_loop *loop, const void *argument)
{
	const struct flow_case *test = argument;
	uint64_t random = 88172645463325252u;
	struct seen seen = {0};
	struct flow_table table;
	uint32_t flows[BATCH];
	unsigned missed = 0;

	if (!make_table(&table, test, test->flows, &seen)) {
		micro_skip(loop, "no memory for so many flows");
		return;
	}
	for (uint32_t flow = 0; flow < test->flows; flow++)
		begin_flow(&table, flow, START);
	while (micro_next(loop, BATCH)) {
		for (unsigned i = 0; i < BATCH; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			flows[i] = (uint32_t)random & (test->flows - 1);
		}
		missed += count_burst(&table, flows, 1);
	}
	if (missed > 0 || seen.records > 0)
		micro_skip(loop, "not all flows were known");
	flow_table_free(&table);
}

/* In a table that stays at its level: as many end by timeout as begin. */
static void
run_life(struct micro_loop *loop, const void *argument)
{
	const struct flow_case *test = argument;
	struct seen seen = {0};
	struct flow_table table;
	int64_t now = START, step = 60 * SECOND / test->flows;
	uint32_t flow = 0;

	if (!make_table(&table, test, test->flows + test->flows / 8, &seen)) {
		micro_skip(loop, "no memory for so many flows");
		return;
	}
	for (; flow < test->flows; flow++) {
		begin_flow(&table, flow, now += step);
		flow_expiry_run(&table, now, 64);
	}
	while (micro_next(loop, BATCH)) {
		for (unsigned i = 0; i < BATCH; i++)
			begin_flow(&table, flow++, now += step);
		flow_table_prefetch_free(&table);
		flow_expiry_run(&table, now, 64);
	}
	flow_table_free(&table);
}

/* A full table: each new flow ends another. */
static void
run_evict(struct micro_loop *loop, const void *argument)
{
	const struct flow_case *test = argument;
	struct seen seen = {0};
	struct flow_table table;
	int64_t now = START;
	uint32_t flow = 0;

	if (!make_table(&table, test, test->flows, &seen)) {
		micro_skip(loop, "no memory for so many flows");
		return;
	}
	for (; flow < test->flows; flow++)
		begin_flow(&table, flow, now += 100);
	while (micro_next(loop, BATCH))
		for (unsigned i = 0; i < BATCH; i++)
			begin_flow(&table, flow++, now += 100);
	flow_table_free(&table);
}

/* Looks at flows that live on: what the wheel costs an idle table. */
static void
run_wheel(struct micro_loop *loop, const void *argument)
{
	const struct flow_case *test = argument;
	struct seen seen = {0};
	struct flow_table table;
	int64_t now = START;

	if (!make_table(&table, test, test->flows, &seen)) {
		micro_skip(loop, "no memory for so many flows");
		return;
	}
	table.receiver.look = look_at_busy;
	for (uint32_t flow = 0; flow < test->flows; flow++)
		begin_flow(&table, flow, now += LOOK_EVERY / test->flows);
	while (micro_next(loop, BATCH)) {
		uint32_t done = 0;

		while (done < BATCH && table.occupied == test->flows) {
			now += LOOK_EVERY / test->flows * (BATCH - done);
			seen.now = now;
			done += flow_expiry_run(&table, now, BATCH - done);
		}
	}
	if (table.occupied != test->flows)
		micro_skip(loop, "flows ended");
	flow_table_free(&table);
}

static void
add(const struct micro_lab *lab, struct flow_case *test, const char *what, uint32_t flows,
	micro_function run)
{
	*test = (struct flow_case){.lab = lab, .flows = flows};
	snprintf(test->name, sizeof(test->name), "flow/%s/%" PRIu32 "K", what, flows / 1024);
	micro_add(test->name, run, test);
}

void
micro_add_flow(const struct micro_lab *lab)
{
	static const uint32_t sizes[SIZES] = {1 << 10, 1 << 16, 1 << 20, 1 << 22, 1 << 24};
	static struct flow_case known[SIZES], life, evict, wheel;
	uint32_t churned = lab->smoke ? 1 << 12 : 1 << 20;

	for (int i = 0; i < (lab->smoke ? 1 : SIZES); i++)
		add(lab, &known[i], "known", sizes[i], run_known);
	add(lab, &life, "begin_and_end", churned, run_life);
	add(lab, &evict, "begin_by_eviction", churned, run_evict);
	add(lab, &wheel, "look", lab->smoke ? 1 << 12 : WHEEL_FLOWS, run_wheel);
}
