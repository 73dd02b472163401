/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of bench_pipeline: each measures one claim about the packet path, prints it and keeps it
 * for the line of JSON. */
#ifndef CAMSPAN_BENCH_ROWS_H
#define CAMSPAN_BENCH_ROWS_H

#include "bench/measure.h"
#include "bench/rig.h"

#include <stdint.h>

#define FLOW_ROWS 3

struct bench_options {
	unsigned runs;
	uint64_t run_packets; /* of each side in a run */
	uint32_t flow_counts[FLOW_ROWS];
	uint32_t video_streams;
	uint32_t churn_flows;   /* live at a time */
	uint32_t churn_life_ms; /* of each */
	uint32_t pair_flows;    /* of each of two workers; of deduplication */
	uint32_t scan_table;    /* flows that the table of the scan holds */
	uint32_t scan_flows;    /* of each scan */
};

struct flow_result {
	uint32_t flows;
	struct figure generator, reference, pipeline;
};

struct video_result {
	struct figure pipeline, generator;
	double offered_mpps; /* what the streams send by their own clocks */
};

struct churn_result {
	struct figure all;         /* everything on, ns per packet */
	struct figure without_dpi; /* no nDPI */
	double begun_per_second;
	uint64_t live; /* flows in the table at the end */
	uint64_t evicted;
	uint64_t inspections_cut;
	double bytes_per_flow;
	bool balanced;
};

struct dedup_result {
	struct figure off, on;
};

struct pair_result {
	struct figure one, two; /* ns per packet of one worker, alone and beside another */
};

struct stall_result {
	double longest_us;   /* of a burst, in slices without an interruption */
	uint64_t pushed_out; /* established flows that a scan ended */
};

struct results {
	struct flow_result flows[FLOW_ROWS];
	struct video_result video;
	struct churn_result churn;
	struct dedup_result dedup;
	struct pair_result pair;
	struct stall_result stall;
};

/* Each returns 0, or -1 after a line in the log. */
int row_flows(struct rig *rig, const struct bench_options *options, struct results *results);
int row_video(struct rig *rig, const struct bench_options *options, struct results *results);
int row_churn(struct rig *rig, const struct bench_options *options, struct results *results);
int row_dedup(struct rig *rig, const struct bench_options *options, struct results *results);
int row_stall(struct rig *rig, const struct bench_options *options, struct results *results);
int row_pair(struct rig *rig, const struct bench_options *options, struct results *results);

/* "  pipeline   52.1 ns (51.8 to 53.0, 9 runs; 3 of 72 slices dropped)" */
void print_figure(const char *name, const struct figure *figure, const struct series *series);
void print_json(const struct results *results);

#endif
