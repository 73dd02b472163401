/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet of an established flow costs in the pipeline, beside the reference loop: the same
 * generator, the same pool and pages, in turn in one process. Prints a table of medians. */
#include "bench/generator.h"
#include "bench/reference.h"
#include "classifiers/classifier.h"
#include "config/config.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"
#include "dataplane/pipeline.h"

#include <getopt.h>
#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS_MAX 99

struct bench {
	struct rte_mempool *pool;
	struct memory_source memory;
	struct config *config;
	struct dispatch *dispatch;
	unsigned runs;
	uint64_t packets; /* per run */
};

/* One measured size. */
struct row {
	uint32_t flows;
	double reference_ns;
	double pipeline_ns;
	double generator_ns;
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static bool
take_flow(void *context, const struct flow_record *record)
{
	(void)record;
	(*(uint64_t *)context)++;
	return true;
}

static bool
take_evidence(void *context, const struct evidence *evidence)
{
	(void)context;
	(void)evidence;
	return true;
}

static void
take_media(void *context, const struct stream_media *media)
{
	(void)context;
	(void)media;
}

static void
take_sample(void *context, const struct stream_sample *sample)
{
	(void)context;
	(void)sample;
}

static void
pipeline_packets(struct pipeline *pipeline, struct rte_mbuf **mbufs, int64_t now)
{
	struct frame_view frames[GENERATOR_BURST];

	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		frames[i].data = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);
		frames[i].time = now;
		frames[i].captured = mbufs[i]->data_len;
		frames[i].wire_length = mbufs[i]->pkt_len;
		frames[i].observation_point = 0;
	}
	pipeline_burst(pipeline, frames, GENERATOR_BURST, LINK_ETHERNET);
	rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
}

static double
time_generator(struct bench *bench, struct generator *generator)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	double begun = seconds();

	for (uint64_t sent = 0; sent < bench->packets; sent += GENERATOR_BURST) {
		generator_burst(generator, mbufs);
		rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
	}
	return (seconds() - begun) * 1e9 / (double)bench->packets;
}

static double
time_reference(struct bench *bench, struct generator *generator, struct reference *reference)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	double begun = seconds();

	for (uint64_t sent = 0; sent < bench->packets; sent += GENERATOR_BURST) {
		generator_burst(generator, mbufs);
		reference_burst(reference, mbufs, sent);
		rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
	}
	return (seconds() - begun) * 1e9 / (double)bench->packets;
}

/* Packet time moves as the clock would at this rate, so that the timers run as they do live. */
static double
time_pipeline(struct bench *bench, struct generator *generator, struct pipeline *pipeline)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	int64_t now = pipeline->now;
	double begun = seconds();

	for (uint64_t sent = 0; sent < bench->packets; sent += GENERATOR_BURST) {
		generator_burst(generator, mbufs);
		now += GENERATOR_BURST * 40;
		pipeline_packets(pipeline, mbufs, now);
	}
	return (seconds() - begun) * 1e9 / (double)bench->packets;
}

/* Every flow is seen often enough to be past inspection: so many at a time as can be inspected at
 * once. */
static void
establish(struct bench *bench, struct generator *generator, struct reference *reference,
	struct pipeline *pipeline)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	uint64_t flows = generator->flow_mask + UINT64_C(1);
	uint64_t together = bench->config->inspection.flows_max / GENERATOR_BURST * GENERATOR_BURST;
	unsigned rounds = bench->config->inspection.max_packets + 2u;

	for (uint64_t first = 0; first < flows; first += together) {
		uint64_t last = first + together < flows ? first + together : flows;

		for (unsigned round = 0; round < rounds; round++)
			for (uint64_t flow = first; flow < last; flow += GENERATOR_BURST) {
				generator_burst_from(generator, (uint32_t)flow, mbufs);
				if (round < 2)
					reference_burst(reference, mbufs, 0);
				pipeline_packets(pipeline, mbufs, pipeline->now + 10);
			}
	}
	if (pipeline->inspector.in_use > 0 || pipeline->inspector.counters.packets_skipped > 0)
		log_warning("%u flows are still inspected, %" PRIu64 " packets were not",
			pipeline->inspector.in_use, pipeline->inspector.counters.packets_skipped);
}

static int
measure(struct bench *bench, struct row *row)
{
	uint64_t records = 0;
	struct pipeline_settings settings = {
		.config = bench->config,
		.dispatch = bench->dispatch,
		.memory = &bench->memory,
		.output = {&records, take_flow, {NULL, take_evidence, take_media, take_sample}},
	};
	struct pipeline *pipeline =
		memory_allocate(&bench->memory, "pipeline", sizeof(struct pipeline));
	struct reference *reference = reference_create(row->flows, &bench->memory);
	double reference_ns[RUNS_MAX], pipeline_ns[RUNS_MAX], generator_ns[RUNS_MAX];
	struct generator generator;

	bench->config->flows.ipv4_max = row->flows;
	if (pipeline == NULL || reference == NULL || pipeline_init(pipeline, &settings) != 0) {
		log_error("no memory for %" PRIu32 " flows", row->flows);
		return 1;
	}
	pipeline->now = INT64_C(1700000000000000000);
	generator_init(&generator, bench->pool, row->flows);
	establish(bench, &generator, reference, pipeline);
	for (unsigned run = 0; run < bench->runs; run++) {
		generator_ns[run] = time_generator(bench, &generator);
		reference_ns[run] = time_reference(bench, &generator, reference);
		pipeline_ns[run] = time_pipeline(bench, &generator, pipeline);
	}
	row->generator_ns = median(generator_ns, bench->runs);
	row->reference_ns = median(reference_ns, bench->runs);
	row->pipeline_ns = median(pipeline_ns, bench->runs);
	if (reference_hits(reference) < bench->packets * bench->runs * 99 / 100 ||
		pipeline->ipv4.counters.evicted > 0)
		log_warning("%" PRIu32
			    " flows: not all packets met a known flow (reference %" PRIu64
			    " hits, pipeline %" PRIu64 " evictions)",
			row->flows, reference_hits(reference), pipeline->ipv4.counters.evicted);
	pipeline_free(pipeline);
	bench->memory.release(pipeline);
	reference_free(reference);
	return 0;
}

static int
set_up(struct bench *bench)
{
	char error[512];

	bench->config = config_defaults();
	if (bench->config == NULL)
		return 1;
	bench->config->flows.ipv6_max = 1024;
	bench->config->dataplane.workers = 1;
	if (eal_start(bench->config, EAL_LIVE, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return 1;
	}
	bench->memory = eal_memory(-1);
	bench->dispatch = dispatch_create();
	bench->pool = rte_pktmbuf_pool_create("bench", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	return bench->dispatch == NULL || bench->pool == NULL;
}

static int
usage(void)
{
	fputs("Usage: bench_pipeline [--runs N] [--packets N] [--flows N]\n"
	      "Medians of N runs (9) of N packets (4000000) at N flows (65536, 1048576 and "
	      "8388608).\n",
		stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
		{"packets", required_argument, NULL, 'p'}, {"flows", required_argument, NULL, 'f'},
		{0}};
	struct row rows[] = {{.flows = 1 << 16}, {.flows = 1 << 20}, {.flows = 1 << 23}};
	struct bench bench = {.runs = 9, .packets = 4000000};
	unsigned count = 3;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		if (value == 0 || (option == 'r' && value > RUNS_MAX) ||
			(option == 'f' && (value & (value - 1)) != 0))
			return usage();
		if (option == 'r')
			bench.runs = (unsigned)value;
		else if (option == 'p')
			bench.packets = value;
		else if (option == 'f')
			rows[0].flows = (uint32_t)value, count = 1;
		else
			return usage();
	}
	log_open("bench", LOG_LEVEL_INFO);
	if (set_up(&bench) != 0)
		return 1;
	printf("%u runs of %" PRIu64 " packets of 64 B, medians, %s pages\n\n", bench.runs,
		bench.packets, eal_has_huge_pages() ? "huge" : "no huge");
	printf("%10s %14s %14s %14s %8s\n", "flows", "generator ns", "reference ns", "pipeline ns",
		"ratio");
	for (unsigned i = 0; i < count; i++) {
		if (measure(&bench, &rows[i]) != 0)
			return 1;
		printf("%10" PRIu32 " %14.1f %14.1f %14.1f %8.2f\n", rows[i].flows,
			rows[i].generator_ns, rows[i].reference_ns, rows[i].pipeline_ns,
			rows[i].pipeline_ns / rows[i].reference_ns);
	}
	eal_stop();
	return 0;
}
