/* SPDX-License-Identifier: Apache-2.0 */
/* Two workers against one: each with a generator of its own on its own lcore, by turns alone and
 * together. */
#include "bench/establish.h"
#include "bench/generator.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdio.h>

#define WORKERS       2
#define SLICE_PACKETS 65536
#define WARM_PACKETS  131072

/* Of one lcore; a line apart from the other's. */
struct half {
	struct generator generator;
	struct rig_worker *worker;
	struct rig *rig;
	struct tally tally;
	double packet_ns;
	atomic_uint *ready; /* lcores that have warmed up; NULL: runs alone */
	bool establish;
} __attribute__((aligned(128)));

/* Both begin together; each goes on for half a slice after its own, so that nobody's slice ends
 * with the other core idle. */
static int
run_half(void *argument)
{
	struct half *half = argument;
	struct slice slice;
	double ns;

	if (half->establish) {
		establish_flows(half->rig, &half->generator, NULL, half->worker);
		return 0;
	}
	run_generated(half->worker, &half->generator, half->packet_ns, WARM_PACKETS);
	if (half->ready) {
		atomic_fetch_add(half->ready, 1);
		while (atomic_load(half->ready) < WORKERS)
			run_generated(
				half->worker, &half->generator, half->packet_ns, GENERATOR_BURST);
	}
	slice_begin(&slice);
	run_generated(half->worker, &half->generator, half->packet_ns, SLICE_PACKETS);
	ns = slice_end(&slice, &half->tally, SLICE_PACKETS);
	if (half->ready)
		run_generated(half->worker, &half->generator, half->packet_ns, SLICE_PACKETS / 2);
	if (ns > 0)
		half->packet_ns = ns / SLICE_PACKETS;
	return 0;
}

static void
run_both(struct half halves[WORKERS], unsigned lcore)
{
	rte_eal_remote_launch(run_half, &halves[1], lcore);
	run_half(&halves[0]);
	rte_eal_wait_lcore(lcore);
}

static void
add(struct tally *sum, struct half *half)
{
	sum->ns += half->tally.ns;
	sum->packets += half->tally.packets;
	sum->kept += half->tally.kept;
	sum->dropped += half->tally.dropped;
	half->tally = (struct tally){0};
	rig_worker_drain(half->worker);
}

static void
measure(struct half halves[WORKERS], const struct bench_options *options, unsigned lcore,
	struct series *one, struct series *two)
{
	unsigned slices = (unsigned)((options->run_packets + SLICE_PACKETS - 1) / SLICE_PACKETS);
	atomic_uint ready;

	for (unsigned run = 0; run < options->runs; run++) {
		struct tally alone = {0}, together = {0};

		for (unsigned slice = 0; slice < slices; slice++) {
			halves[0].ready = NULL;
			run_half(&halves[0]);
			add(&alone, &halves[0]);
			atomic_store(&ready, 0);
			halves[0].ready = halves[1].ready = &ready;
			run_both(halves, lcore);
			add(&together, &halves[0]);
			add(&together, &halves[1]);
		}
		series_add(one, &alone);
		series_add(two, &together);
	}
}

int
row_pair(struct rig *rig, const struct bench_options *options, struct results *results)
{
	static struct half halves[WORKERS];
	struct pair_result *result = &results->pair;
	struct series one = {0}, two = {0};
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);

	printf("two workers with %" PRIu32 " flows each, 64 B\n", options->pair_flows);
	rig->config->flows.ipv4_max = options->pair_flows;
	for (unsigned i = 0; i < WORKERS; i++) {
		halves[i] = (struct half){.rig = rig, .packet_ns = 50, .establish = true};
		generator_init(&halves[i].generator, rig->pool, options->pair_flows);
		halves[i].worker = rig_worker_create(rig, i, RIG_INSPECT_ALL);
		if (halves[i].worker == NULL)
			return -1;
	}
	run_both(halves, lcore);
	halves[0].establish = halves[1].establish = false;
	measure(halves, options, lcore, &one, &two);
	result->one = series_figure(&one);
	result->two = series_figure(&two);
	print_figure("one alone", &result->one, &one);
	print_figure("each of two", &result->two, &two);
	printf("  %.2f times the packets of one\n", 2 * figure_ratio(&result->one, &result->two));
	for (unsigned i = 0; i < WORKERS; i++)
		rig_worker_free(halves[i].worker);
	return 0;
}
