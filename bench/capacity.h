/* SPDX-License-Identifier: Apache-2.0 */
/* The capacity bench: how many packets a second of a kind of traffic the workers take without
 * losing one (RFC 2544 section 26.1), and what each stage of the path costs. */
#ifndef CAMSPAN_BENCH_CAPACITY_H
#define CAMSPAN_BENCH_CAPACITY_H

#include "bench/measure.h"
#include "bench/rig.h"
#include "bench/traffic.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CAPACITY_TRIALS_MAX   64
#define CAPACITY_PROFILES_MAX 8
#define CAPACITY_PAIRS_MAX    32

struct capacity_options {
	const char *profiles[CAPACITY_PROFILES_MAX];
	unsigned profile_count;
	const char *capture;   /* instead of profiles */
	const char *json_path; /* "-" is standard output; NULL: none */
	const char *svg_path;
	uint32_t workers;
	uint32_t flows; /* that the profiles use */
	uint32_t cameras;
	uint32_t ring; /* slots between generator and worker */
	double trial_s;
	double resolution; /* share of the rate at which the search ends */
	double max_mpps;   /* of all workers; 0: found out */
	uint64_t memory;   /* bytes for a capture */
	bool same_lcore;
	bool smoke;
};

/* One trial at one rate, over all pairs of lcores. */
struct trial {
	double offered_mpps; /* asked for */
	double sent_mpps;    /* that the generators managed */
	uint64_t sent;
	uint64_t ring_full; /* lost: the worker was not there in time */
	uint64_t no_buffer; /* lost: every packet buffer was in the ring or in work */
	double seconds;     /* undisturbed, which alone count; 0: none */
	unsigned disturbed; /* times that a lcore lost its CPU */
};

enum stage {
	STAGE_GENERATE,
	STAGE_DECODE,
	STAGE_FLOWS,
	STAGE_CLASSIFY,
	STAGE_DPI,
	STAGE_COUNT,
};

struct capacity_result {
	const char *profile;
	double frame_length;    /* mean, with FCS */
	double capacity_mpps;   /* 0: not searched or every rate lost */
	bool unquiet;           /* the search ended early: the machine was never quiet */
	bool generator_limited; /* the workers could take more than the generators make */
	unsigned trial_count;
	struct trial trials[CAPACITY_TRIALS_MAX];
	double stage_ns[STAGE_COUNT]; /* of one packet; 0: not measured */
	double total_ns;              /* without generation */
	uint64_t flow_records, facts, samples;
	uint64_t internal_losses; /* records and facts that found no room, packets not inspected */
	unsigned slices_dropped;
};

struct capacity {
	struct rig rig;
	struct capacity_options options;
	const atomic_bool *stop;
	bool shows_progress; /* standard error is a terminal */
	int64_t begun;
};

const char *stage_name(enum stage stage);

/* Both return 0, or -1 after a line in the log, or when *stop was set. */
int capacity_search(struct capacity *capacity, struct capacity_result *result);
int capacity_stages(struct capacity *capacity, struct capacity_result *result);

struct traffic *capacity_traffic(struct capacity *capacity, const char *profile, unsigned seed);
/* One line that is written over, on a terminal only; "" clears it. */
__attribute__((format(printf, 2, 3))) void capacity_progress(
	const struct capacity *capacity, const char *format, ...);

void capacity_print(
	const struct capacity *capacity, const struct capacity_result *results, unsigned count);
int capacity_write_json(const struct capacity *capacity, const struct capacity_result *results,
	unsigned count, FILE *out);
int capacity_write_svg(const struct capacity *capacity, const struct capacity_result *results,
	unsigned count, FILE *out);

#endif
