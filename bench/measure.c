/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

int64_t
measure_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t
involuntary_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

void
slice_begin(struct slice *slice)
{
	slice->switches = involuntary_switches();
	slice->begun = measure_now();
}

double
slice_end(const struct slice *slice, struct tally *tally, uint64_t packets)
{
	double ns = (double)(measure_now() - slice->begun);

	if (involuntary_switches() != slice->switches) {
		tally->dropped++;
		return 0;
	}
	tally->ns += ns;
	tally->packets += packets;
	tally->kept++;
	return ns;
}

void
series_add(struct series *series, const struct tally *run)
{
	series->slices_kept += run->kept;
	series->slices_dropped += run->dropped;
	if (run->packets > 0 && series->count < MEASURE_RUNS_MAX)
		series->values[series->count++] = run->ns / (double)run->packets;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figure
series_figure(const struct series *series)
{
	double sorted[MEASURE_RUNS_MAX];
	unsigned count = series->count;

	if (count == 0)
		return (struct figure){0};
	memcpy(sorted, series->values, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), compare);
	return (struct figure){
		.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
		.low = sorted[0],
		.high = sorted[count - 1],
		.runs = count,
	};
}

double
figure_ratio(const struct figure *a, const struct figure *b)
{
	return a->runs > 0 && b->runs > 0 ? a->median / b->median : 0;
}

double
figure_mpps(const struct figure *figure)
{
	return figure->runs > 0 ? 1e3 / figure->median : 0;
}
