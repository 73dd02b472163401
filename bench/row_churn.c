/* SPDX-License-Identifier: Apache-2.0 */
/* Flow churn: so many flows live, a tenth of them new in each second. Each lives ten seconds (a
 * fraction in a smoke run): in the first half it gets packets, in the second it waits for its idle
 * timeout. Packet time moves as
 * fast as packets are really done, so that timers, records and evictions come as they would live.
 */
#include "bench/generator.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define START INT64_C(1700000000000000000)
/* Short enough that the records of a slice find room in the ring: up to 64 a burst. */
#define SLICE_PACKETS 16384
#define SPARE         32 /* one in so many: flows do not end to the second */

struct churn_bench {
	struct generator generator;
	struct rig_worker *worker;
	uint32_t next;       /* number of the next new flow */
	uint32_t active;     /* flows that get packets */
	double begin_per_ns; /* new flows, of packet time */
	double packet_ns;    /* packet time between packets: what one costs */
	double owed;         /* new flows that are due */
};

static void
run_packets(struct churn_bench *bench, uint64_t packets)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	double step = bench->packet_ns * GENERATOR_BURST;
	double now = 0;
	int64_t start = bench->worker->pipeline.now;

	for (uint64_t sent = 0; sent < packets; sent += GENERATOR_BURST) {
		unsigned begins;

		now += step;
		bench->owed += step * bench->begin_per_ns;
		begins = bench->owed < GENERATOR_BURST ? (unsigned)bench->owed : GENERATOR_BURST;
		bench->owed -= begins;
		generator_burst_churn(&bench->generator, bench->next, begins, bench->active, mbufs);
		bench->next += begins;
		rig_worker_packets(bench->worker, mbufs, GENERATOR_BURST, start + (int64_t)now);
	}
}

static void
run_slice(struct churn_bench *bench, struct tally *tally)
{
	struct slice slice;
	double ns;

	slice_begin(&slice);
	run_packets(bench, SLICE_PACKETS);
	ns = slice_end(&slice, tally, SLICE_PACKETS);
	/* Smoothed: a slice in which many timers fell due must not set the pace of the next. */
	if (ns > 0)
		bench->packet_ns += (ns / SLICE_PACKETS - bench->packet_ns) / 8;
	rig_worker_drain(bench->worker);
}

/* A life of flows and more, then a tenth of a life for each run. */
static void
measure(struct churn_bench *bench, const struct bench_options *options, struct series *series)
{
	int64_t life = options->churn_life_ms * INT64_C(1000000);
	int64_t steady = bench->worker->pipeline.now + life + life / 2;
	struct tally warm = {0};

	while (bench->worker->pipeline.now < steady)
		run_slice(bench, &warm);
	for (unsigned run = 0; run < options->runs; run++) {
		int64_t end = bench->worker->pipeline.now + life / 10;
		struct tally tally = {0};

		while (bench->worker->pipeline.now < end)
			run_slice(bench, &tally);
		series_add(series, &tally);
	}
}

/* As many flows as live at a time, begun at the pace at which they will be. */
static void
begin_flows(struct churn_bench *bench, uint32_t flows)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	double step = GENERATOR_BURST / bench->begin_per_ns;
	int64_t now = START;

	for (; bench->next < flows; bench->next += GENERATOR_BURST) {
		generator_burst_from(&bench->generator, bench->next, mbufs);
		rig_worker_packets(bench->worker, mbufs, GENERATOR_BURST, now += (int64_t)step);
		rig_worker_drain(bench->worker);
	}
}

static void
tell(const struct churn_bench *bench, struct churn_result *result)
{
	const struct pipeline *pipeline = &bench->worker->pipeline;
	const struct flow_table_counters *counters = &pipeline->ipv4.counters;

	result->live = pipeline->ipv4.occupied;
	result->evicted = counters->evicted;
	result->inspections_cut = pipeline->inspector.counters.cut_short;
	result->begun_per_second = bench->begin_per_ns * 1e9;
	printf("  %" PRIu64 " flows live, %.2f M begin each second; %" PRIu64 " evicted, %" PRIu64
	       " records deferred, %" PRIu64 " lost\n",
		result->live, result->begun_per_second / 1e6, counters->evicted,
		counters->records_deferred, counters->records_lost);
	printf("  %" PRIu64 " of %" PRIu64 " inspections cut short, %" PRIu64
	       " calls of nDPI left out\n",
		pipeline->inspector.counters.cut_short, pipeline->inspector.counters.flows,
		pipeline->inspector.counters.dpi_skipped);
}

static int
churn(struct rig *rig, const struct bench_options *options, enum rig_inspection inspection,
	struct churn_result *result, struct figure *figure, const char *name)
{
	struct churn_bench bench = {
		.begin_per_ns = options->churn_flows / (options->churn_life_ms * 1e6),
		.active = options->churn_flows / 2 + options->churn_flows / SPARE,
		.packet_ns = 120,
	};
	struct series series = {0};

	bench.worker = rig_worker_create(rig, 0, inspection);
	if (bench.worker == NULL)
		return -1;
	generator_init(&bench.generator, rig->pool, 1);
	begin_flows(&bench, options->churn_flows);
	result->bytes_per_flow = (double)rig_memory_in_use() / options->churn_flows;
	measure(&bench, options, &series);
	*figure = series_figure(&series);
	print_figure(name, figure, &series);
	tell(&bench, result);
	result->balanced = rig_worker_balance(bench.worker) == 0;
	rig_worker_free(bench.worker);
	return 0;
}

int
row_churn(struct rig *rig, const struct bench_options *options, struct results *results)
{
	struct churn_result *result = &results->churn;
	uint32_t idle = rig->config->flows.idle_timeout_ms;
	bool balanced;
	int error;

	printf("%" PRIu32 " live flows that live %.1f s, 64 B\n", options->churn_flows,
		options->churn_life_ms / 1e3);
	rig->config->flows.ipv4_max = options->churn_flows + options->churn_flows / SPARE;
	rig->config->flows.idle_timeout_ms = options->churn_life_ms / 2;
	error = churn(rig, options, RIG_INSPECT_CLASSIFIERS, result, &result->without_dpi,
		"without nDPI");
	balanced = result->balanced;
	if (error == 0)
		error = churn(rig, options, RIG_INSPECT_ALL, result, &result->all, "everything on");
	result->balanced &= balanced;
	rig->config->flows.idle_timeout_ms = idle;
	if (error)
		return -1;
	printf("  %.2f Mpps, balance %s; %.0f bytes a flow, whole process\n",
		figure_mpps(&result->all), result->balanced ? "holds" : "BROKEN",
		result->bytes_per_flow);
	return result->balanced ? 0 : -1;
}
