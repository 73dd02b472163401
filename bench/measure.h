/* SPDX-License-Identifier: Apache-2.0 */
/* Honest times on a machine that others use too: work is timed in short slices, and a slice in
 * which the thread lost its CPU is dropped and counted. */
#ifndef CAMSPAN_BENCH_MEASURE_H
#define CAMSPAN_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#define MEASURE_RUNS_MAX 99

/* Of the calling thread. */
struct slice {
	int64_t begun;
	int64_t switches; /* involuntary context switches before it */
};

/* What the kept slices of one run add up to. */
struct tally {
	double ns;
	uint64_t packets;
	unsigned kept;
	unsigned dropped;
};

/* Medians of runs, with their spread. */
struct figure {
	double median;
	double low;
	double high;
	unsigned runs; /* 0: nothing could be measured */
};

struct series {
	double values[MEASURE_RUNS_MAX];
	unsigned count;
	unsigned slices_kept;
	unsigned slices_dropped;
};

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t measure_now(void);

void slice_begin(struct slice *slice);
/* Adds the slice to the tally, unless the thread was interrupted in it. Returns its nanoseconds, 0
 * when it was dropped. */
double slice_end(const struct slice *slice, struct tally *tally, uint64_t packets);

/* A turn of one side: so many slices, and again for those that were interrupted, within reason. */
#define TURN_SLICES 4
#define TURN_TRIES  16

struct turn {
	unsigned wanted; /* kept slices, at which it is over */
	unsigned tries;
};

static inline struct turn
turn_begin(const struct tally *tally)
{
	return (struct turn){.wanted = tally->kept + TURN_SLICES};
}

static inline bool
turn_goes_on(struct turn *turn, const struct tally *tally)
{
	return tally->kept < turn->wanted && turn->tries++ < TURN_TRIES;
}

/* The run's ns per packet; a run of which nothing was kept adds none. */
void series_add(struct series *series, const struct tally *run);
struct figure series_figure(const struct series *series);

/* 0 where one of them was not measured. */
double figure_ratio(const struct figure *a, const struct figure *b);
/* Millions of packets a second, of nanoseconds a packet. */
double figure_mpps(const struct figure *figure);

#endif
