/* SPDX-License-Identifier: Apache-2.0 */
/* The longest burst while a scan of single packets runs through a full table: each begins a flow
 * and ends another. First records are taken out of the ring, then nobody takes them and it stays
 * full. Established flows get a packet now and then, and must still be there at the end. */
#include "bench/generator.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define START         INT64_C(1700000000000000000)
#define BURST_TIME    4000 /* nanoseconds of packet time: 8 Mpps */
#define SLICE_BURSTS  512
#define ROUNDS        12 /* of packets that make a flow established */
#define SCAN_BURSTS   8  /* between two bursts of established flows */
#define STALL_SECONDS 1e-3

struct stall_bench {
	struct generator generator;
	struct rig_worker *worker;
	uint32_t established; /* flows 0.. */
	uint32_t turn;        /* the established flow whose turn is next */
	uint32_t scan;        /* number of the next flow of the scan */
	int64_t now;
	uint64_t longest; /* cycles of a burst, of the slice that runs */
};

struct stall_figure {
	uint64_t longest; /* cycles, of slices without an interruption */
	uint64_t bursts, stalls;
	unsigned dropped;
};

static void
send_burst(struct stall_bench *bench, uint32_t first)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	uint64_t begun, cycles;

	generator_burst_from(&bench->generator, first, mbufs);
	begun = rte_rdtsc();
	rig_worker_packets(bench->worker, mbufs, GENERATOR_BURST, bench->now += BURST_TIME);
	cycles = rte_rdtsc() - begun;
	if (cycles > bench->longest)
		bench->longest = cycles;
}

static void
send_established(struct stall_bench *bench)
{
	send_burst(bench, bench->turn);
	bench->turn += GENERATOR_BURST;
	if (bench->turn >= bench->established)
		bench->turn = 0;
}

static void
scan_slice(struct stall_bench *bench, struct stall_figure *figure)
{
	struct tally tally = {0};
	struct slice slice;

	bench->longest = 0;
	slice_begin(&slice);
	for (unsigned burst = 0; burst < SLICE_BURSTS; burst++) {
		if (burst % SCAN_BURSTS == 0)
			send_established(bench);
		send_burst(bench, bench->scan);
		bench->scan += GENERATOR_BURST;
	}
	if (slice_end(&slice, &tally, SLICE_BURSTS) == 0) {
		figure->dropped++;
		return;
	}
	figure->bursts += SLICE_BURSTS;
	figure->stalls += (double)bench->longest > STALL_SECONDS * (double)rte_get_tsc_hz();
	if (bench->longest > figure->longest)
		figure->longest = bench->longest;
}

static void
scan(struct stall_bench *bench, uint32_t flows, bool drains, const char *name,
	struct stall_figure *figure)
{
	uint32_t end = bench->scan + flows;

	*figure = (struct stall_figure){0};
	while (bench->scan < end) {
		scan_slice(bench, figure);
		if (drains)
			rig_worker_drain(bench->worker);
	}
	printf("  %-14s longest burst %.0f us; %" PRIu64 " of %" PRIu64
	       " slices with one over 1 ms; %u slices dropped\n",
		name, (double)figure->longest * 1e6 / (double)rte_get_tsc_hz(), figure->stalls,
		figure->bursts / SLICE_BURSTS, figure->dropped);
	fflush(stdout);
}

/* Sends each established flow once more: those that were pushed out begin anew. */
static uint64_t
count_pushed_out(struct stall_bench *bench)
{
	const struct flow_table_counters *counters = &bench->worker->pipeline.ipv4.counters;
	uint64_t created = counters->created;

	for (uint32_t flow = 0; flow < bench->established; flow += GENERATOR_BURST)
		send_burst(bench, flow);
	return counters->created - created;
}

static int
measure(struct stall_bench *bench, const struct bench_options *options, struct stall_result *result)
{
	const struct pipeline *pipeline = &bench->worker->pipeline;
	struct stall_figure drained, full;
	uint64_t decoded;

	for (unsigned round = 0; round < ROUNDS; round++)
		for (uint32_t flow = 0; flow < bench->established; flow += GENERATOR_BURST)
			send_burst(bench, flow);
	rig_worker_drain(bench->worker);
	scan(bench, options->scan_flows, true, "scan", &drained);
	scan(bench, options->scan_flows, false, "ring full", &full);
	result->pushed_out = count_pushed_out(bench);
	result->longest_us =
		(double)(drained.longest > full.longest ? drained.longest : full.longest) * 1e6 /
		(double)rte_get_tsc_hz();
	decoded = pipeline->balance.fates[PACKET_DECODED];
	printf("  %" PRIu64 " flows evicted, %" PRIu64 " records lost; %" PRIu64 " of %" PRIu32
	       " established flows pushed out; balance %s\n",
		pipeline->ipv4.counters.evicted, pipeline->ipv4.counters.records_lost,
		result->pushed_out, bench->established,
		decoded == pipeline->balance.received ? "holds" : "BROKEN");
	/* Without evictions nothing was measured. */
	return decoded == pipeline->balance.received && result->pushed_out == 0 &&
			       pipeline->ipv4.counters.evicted > 0
		       ? 0
		       : -1;
}

int
row_stall(struct rig *rig, const struct bench_options *options, struct results *results)
{
	struct stall_bench bench = {
		.established = options->scan_table / 16, .scan = options->scan_table, .now = START};
	int error;

	printf("a scan of %" PRIu32 " flows, twice, through a table of %" PRIu32 "\n",
		options->scan_flows, options->scan_table);
	rig->config->flows.ipv4_max = options->scan_table;
	bench.worker = rig_worker_create(rig, 0, RIG_INSPECT_ALL);
	if (bench.worker == NULL)
		return -1;
	generator_init(&bench.generator, rig->pool, UINT32_C(1) << 31);
	error = measure(&bench, options, &results->stall);
	rig_worker_free(bench.worker);
	return error;
}
