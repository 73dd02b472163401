/* SPDX-License-Identifier: Apache-2.0 */
/* The claims about the packet path, measured: tables of medians, and one line of JSON at the end.
 */
#include "bench/rows.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <getopt.h>
#include <inttypes.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MBUFS     16383
#define MBUF_ROOM 1600

typedef int (*row_function)(
	struct rig *rig, const struct bench_options *options, struct results *results);

static const struct {
	const char *name;
	row_function measure;
} rows[] = {
	/* The churn first: only then is the memory of the process that of its flows. */
	{"churn", row_churn},
	{"flows", row_flows},
	{"video", row_video},
	{"dedup", row_dedup},
	{"pair", row_pair},
	{"stall", row_stall},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

void
print_figure(const char *name, const struct figure *figure, const struct series *series)
{
	unsigned slices = series->slices_kept + series->slices_dropped;

	if (figure->runs == 0) {
		printf("  %-14s nothing: all %u slices were interrupted\n", name, slices);
		return;
	}
	printf("  %-14s %6.1f ns a packet (%.1f to %.1f in %u runs; %u of %u slices dropped)\n",
		name, figure->median, figure->low, figure->high, figure->runs,
		series->slices_dropped, slices);
	fflush(stdout);
}

static void
print_flows(const struct results *results)
{
	static const char *const names[FLOW_ROWS] = {"64K", "1M", "8M"};

	printf("{\"flows\":{");
	for (int i = 0; i < FLOW_ROWS; i++)
		printf("%s\"%s\":{\"reference_ns\":%.2f,\"pipeline_ns\":%.2f,\"generator_ns\":%."
		       "2f}",
			i ? "," : "", names[i], results->flows[i].reference.median,
			results->flows[i].pipeline.median, results->flows[i].generator.median);
	printf("}");
}

void
print_json(const struct results *results)
{
	const struct churn_result *churn = &results->churn;
	const struct pair_result *pair = &results->pair;

	print_flows(results);
	printf(",\"video_ns\":%.2f,\"churn_mpps\":%.3f,\"dedup_ns\":%.2f,\"bytes_per_flow\":%.1f",
		results->video.pipeline.median, figure_mpps(&churn->all),
		results->dedup.on.median - results->dedup.off.median, churn->bytes_per_flow);
	printf(",\"video_generator_ns\":%.2f,\"churn_without_dpi_mpps\":%.3f",
		results->video.generator.median, figure_mpps(&churn->without_dpi));
	printf(",\"churn_live_flows\":%" PRIu64 ",\"churn_begun_per_second\":%.0f"
	       ",\"churn_evicted\":%" PRIu64 ",\"churn_balanced\":%s",
		churn->live, churn->begun_per_second, churn->evicted,
		churn->balanced ? "true" : "false");
	printf(",\"two_workers\":%.3f", 2 * figure_ratio(&pair->one, &pair->two));
	printf(",\"stall_us\":%.0f,\"stall_pushed_out\":%" PRIu64, results->stall.longest_us,
		results->stall.pushed_out);
	printf(",\"huge_pages\":%s}\n", rig_has_huge_pages() ? "true" : "false");
}

static const struct bench_options full = {
	.runs = 9,
	.run_packets = 1048576,
	.flow_counts = {1 << 16, 1 << 20, 1 << 23},
	.video_streams = 10000,
	.churn_flows = 10000000,
	.churn_life_ms = 10000,
	.pair_flows = 1 << 20,
	.scan_table = 1 << 20,
	.scan_flows = 10000000,
};

/* Shows that everything runs, in a second or two; measures nothing. */
static const struct bench_options smoke = {
	.runs = 1,
	.run_packets = 32768,
	.flow_counts = {1 << 10, 1 << 11, 1 << 12},
	.video_streams = 256,
	.churn_flows = 20000,
	.churn_life_ms = 600,
	.pair_flows = 1 << 10,
	.scan_table = 1 << 14,
	.scan_flows = 200000,
};

static int
usage(FILE *out)
{
	fputs("Usage: bench_pipeline [--json] [--runs N] [--packets N] [--smoke] [ROW...]\n\n"
	      "Rows: churn, flows, video, dedup, pair, stall; all without any. Medians of N runs "
	      "(9) of N "
	      "packets "
	      "(1048576).\n\n"
	      "  --json   ends with one line of JSON (rows that were not measured are 0)\n"
	      "  --smoke  a short run on small tables without huge pages: its figures mean "
	      "nothing\n",
		out);
	return out == stdout ? 0 : 2;
}

static bool
is_wanted(const char *name, char **wanted, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(wanted[i], name) == 0)
			return true;
	return count == 0;
}

static bool
is_row(const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return true;
	return false;
}

static int
measure(struct rig *rig, const struct bench_options *options, char **wanted, int count,
	struct results *results)
{
	int failed = 0;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!is_wanted(rows[i].name, wanted, count))
			continue;
		if (rows[i].measure(rig, options, results) != 0)
			failed = 1;
		putchar('\n');
		fflush(stdout);
	}
	return failed;
}

static int
run(const struct bench_options *options, char **wanted, int count, bool json, bool short_run)
{
	struct rig_settings settings = {
		.lcores = 1,
		/* The largest row: tables and reference at 8M, or a table of 10M with headroom. */
		.flows = short_run ? 200000 : 16u << 20,
		.mbufs = MBUFS,
		.mbuf_room = MBUF_ROOM,
		.no_huge_pages = short_run,
	};
	struct results results = {0};
	struct rig rig;
	int failed;

	if (rig_open(&rig, &settings) != 0)
		return 1;
	if (!rig_has_huge_pages())
		puts("WITHOUT HUGE PAGES OR IN A SMOKE RUN THESE FIGURES MEAN NOTHING\n");
	else if (eal_shares_cpus(2))
		puts("Fewer than two CPUs: two workers share one, that row means nothing\n");
	failed = measure(&rig, options, wanted, count, &results);
	if (json)
		print_json(&results);
	rig_close(&rig);
	return failed;
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {{"runs", required_argument, NULL, 'r'},
		{"packets", required_argument, NULL, 'p'}, {"json", no_argument, NULL, 'j'},
		{"smoke", no_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct bench_options options = full;
	bool json = false, short_run = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 1;

		if (option == 'h')
			return usage(stdout);
		if (option == '?' || value == 0 || (option == 'r' && value > MEASURE_RUNS_MAX))
			return usage(stderr);
		if (option == 's')
			options = smoke, short_run = true;
		else if (option == 'r')
			options.runs = (unsigned)value;
		else if (option == 'p')
			options.run_packets = value;
		else
			json = true;
	}
	for (int i = optind; i < argc; i++)
		if (!is_row(argv[i]))
			return usage(stderr);
	log_open("bench", LOG_LEVEL_INFO);
	return run(&options, argv + optind, argc - optind, json, short_run);
}
