/* SPDX-License-Identifier: Apache-2.0 */
/* What the removal of copies costs a packet that is none: two workers on one lcore by turns, with
 * deduplication and without. */
#include "bench/establish.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <stdio.h>

#define SLICE_PACKETS 32768
#define WARM_PACKETS  131072

struct dedup_side {
	struct generator generator;
	struct rig_worker *worker;
	double packet_ns;
	struct tally tally;
	struct series series;
};

static void
run_turn(struct dedup_side *side)
{
	struct turn turn = turn_begin(&side->tally);
	struct slice slice;

	run_generated(side->worker, &side->generator, side->packet_ns, WARM_PACKETS);
	while (turn_goes_on(&turn, &side->tally)) {
		double ns;

		slice_begin(&slice);
		run_generated(side->worker, &side->generator, side->packet_ns, SLICE_PACKETS);
		ns = slice_end(&slice, &side->tally, SLICE_PACKETS);
		if (ns > 0)
			side->packet_ns = ns / SLICE_PACKETS;
	}
	rig_worker_drain(side->worker);
}

static int
make_side(struct rig *rig, const struct bench_options *options, struct dedup_side *side,
	bool deduplicates)
{
	*side = (struct dedup_side){.packet_ns = 60};
	rig->deduplicates = deduplicates;
	side->worker = rig_worker_create(rig, deduplicates, RIG_INSPECT_ALL);
	rig->deduplicates = false;
	if (side->worker == NULL)
		return -1;
	generator_init(&side->generator, rig->pool, options->pair_flows);
	establish_flows(rig, &side->generator, NULL, side->worker);
	return 0;
}

/* A packet that is removed costs less than one that is counted. */
static void
check_copies(const struct dedup_side *side)
{
	const struct pipeline *pipeline = &side->worker->pipeline;

	if (pipeline->dedup.copies[0] > pipeline->balance.received / 1000)
		log_warning("%" PRIu64 " of %" PRIu64 " packets were taken for copies",
			pipeline->dedup.copies[0], pipeline->balance.received);
}

int
row_dedup(struct rig *rig, const struct bench_options *options, struct results *results)
{
	static struct dedup_side sides[2];
	struct dedup_result *result = &results->dedup;

	printf("deduplication with %" PRIu32 " established flows, 64 B, no copies\n",
		options->pair_flows);
	rig->config->flows.ipv4_max = options->pair_flows;
	if (make_side(rig, options, &sides[0], false) != 0 ||
		make_side(rig, options, &sides[1], true) != 0)
		return -1;
	for (unsigned run = 0; run < options->runs; run++) {
		sides[0].tally = sides[1].tally = (struct tally){0};
		for (uint64_t done = 0; done < options->run_packets;
			done += TURN_SLICES * SLICE_PACKETS)
			for (int side = 0; side < 2; side++)
				run_turn(&sides[side]);
		for (int side = 0; side < 2; side++)
			series_add(&sides[side].series, &sides[side].tally);
	}
	check_copies(&sides[1]);
	result->off = series_figure(&sides[0].series);
	result->on = series_figure(&sides[1].series);
	print_figure("off", &result->off, &sides[0].series);
	print_figure("on", &result->on, &sides[1].series);
	printf("  %.1f ns more\n", result->on.median - result->off.median);
	for (int side = 0; side < 2; side++)
		rig_worker_free(sides[side].worker);
	return 0;
}
