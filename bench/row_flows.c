/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet of an established flow costs, beside the reference loop: the same generator, pool
 * and pages, in short slices by turns. */
#include "bench/establish.h"
#include "bench/generator.h"
#include "bench/reference.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define SLICE_PACKETS 32768
/* Untimed packets before a turn, by which the caches hold this side's tables again as far as they
 * can: at 64K flows nearly all of them, at more flows they never do. */
#define WARM_PACKETS 196608

struct flow_bench {
	struct generator generator;
	struct reference *reference;
	struct rig_worker *worker;
	double packet_ns; /* packet time between packets: what one costs, as it would be live */
};

enum side { SIDE_GENERATOR, SIDE_REFERENCE, SIDE_PIPELINE, SIDE_COUNT };

static void
run_packets(struct flow_bench *bench, enum side side, uint64_t packets)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	int64_t now = bench->worker->pipeline.now;
	int64_t step = (int64_t)(bench->packet_ns * GENERATOR_BURST);

	for (uint64_t sent = 0; sent < packets; sent += GENERATOR_BURST) {
		generator_burst(&bench->generator, mbufs);
		if (side == SIDE_PIPELINE) {
			rig_worker_packets(bench->worker, mbufs, GENERATOR_BURST, now += step);
			continue;
		}
		if (side == SIDE_REFERENCE)
			reference_burst(bench->reference, mbufs, sent);
		rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
	}
}

static void
run_turn(struct flow_bench *bench, enum side side, struct tally *tally)
{
	struct turn turn = turn_begin(tally);
	struct slice slice;

	run_packets(bench, side, side == SIDE_GENERATOR ? GENERATOR_BURST : WARM_PACKETS);
	while (turn_goes_on(&turn, tally)) {
		double ns;

		slice_begin(&slice);
		run_packets(bench, side, SLICE_PACKETS);
		ns = slice_end(&slice, tally, SLICE_PACKETS);
		if (side == SIDE_PIPELINE && ns > 0)
			bench->packet_ns = ns / SLICE_PACKETS;
	}
	rig_worker_drain(bench->worker);
}

static void
measure_sides(struct flow_bench *bench, const struct bench_options *options,
	struct series series[SIDE_COUNT])
{

	for (unsigned run = 0; run < options->runs; run++) {
		struct tally tallies[SIDE_COUNT] = {0};

		for (uint64_t done = 0; done < options->run_packets;
			done += TURN_SLICES * SLICE_PACKETS)
			for (int side = 0; side < SIDE_COUNT; side++)
				run_turn(bench, side, &tallies[side]);
		for (int side = 0; side < SIDE_COUNT; side++)
			series_add(&series[side], &tallies[side]);
	}
}

/* A figure about established flows must be about those. */
static void
check_flows(const struct flow_bench *bench, uint64_t reference_missed)
{
	const struct flow_table_counters *counters = &bench->worker->pipeline.ipv4.counters;
	uint64_t flows = bench->generator.flow_mask + UINT64_C(1);

	if (reference_missed == 0 && counters->created == flows && counters->evicted == 0)
		return;
	log_warning("not all packets met a known flow: the reference missed %" PRIu64
		    ", the pipeline began %" PRIu64 " flows instead of %" PRIu64
		    " and evicted %" PRIu64,
		reference_missed, counters->created, flows, counters->evicted);
}

static int
measure_flows(struct rig *rig, const struct bench_options *options, struct flow_result *result)
{
	struct flow_bench bench = {.packet_ns = 50};
	struct series series[SIDE_COUNT] = {0};

	rig->config->flows.ipv4_max = result->flows;
	bench.reference = reference_create(result->flows, &rig->memory);
	bench.worker = bench.reference ? rig_worker_create(rig, 0, RIG_INSPECT_ALL) : NULL;
	if (bench.worker == NULL) {
		log_error("no memory for %" PRIu32 " flows", result->flows);
		return -1;
	}
	generator_init(&bench.generator, rig->pool, result->flows);
	establish_flows(rig, &bench.generator, bench.reference, bench.worker);
	measure_sides(&bench, options, series);
	check_flows(&bench, reference_misses(bench.reference) - result->flows);
	result->generator = series_figure(&series[SIDE_GENERATOR]);
	result->reference = series_figure(&series[SIDE_REFERENCE]);
	result->pipeline = series_figure(&series[SIDE_PIPELINE]);
	print_figure("generator", &result->generator, &series[SIDE_GENERATOR]);
	print_figure("reference", &result->reference, &series[SIDE_REFERENCE]);
	print_figure("pipeline", &result->pipeline, &series[SIDE_PIPELINE]);
	printf("  pipeline / reference %.2f; %.1f Mpps\n",
		result->pipeline.median / result->reference.median, 1e3 / result->pipeline.median);
	reference_free(bench.reference);
	rig_worker_free(bench.worker);
	return 0;
}

int
row_flows(struct rig *rig, const struct bench_options *options, struct results *results)
{
	for (int i = 0; i < FLOW_ROWS; i++) {
		results->flows[i].flows = options->flow_counts[i];
		printf("%" PRIu32 " established flows, 64 B\n", options->flow_counts[i]);
		if (measure_flows(rig, options, &results->flows[i]) != 0)
			return -1;
	}
	printf("  cost at %" PRIu32 " flows / at %" PRIu32 ": %.2f\n", results->flows[2].flows,
		results->flows[0].flows,
		figure_ratio(&results->flows[2].pipeline, &results->flows[0].pipeline));
	return 0;
}
