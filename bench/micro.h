/* SPDX-License-Identifier: Apache-2.0 */
/* Google Benchmark for C: a benchmark is a C function that loops while micro_next() tells it to. */
#ifndef CAMSPAN_BENCH_MICRO_H
#define CAMSPAN_BENCH_MICRO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct micro_loop;

/* What a benchmark gets besides its argument. */
typedef void (*micro_function)(struct micro_loop *loop, const void *argument);

/* `argument` is borrowed until micro_run() has returned. */
void micro_add(const char *name, micro_function run, const void *argument);
/* Nonzero: do `count` more operations. Times are of one operation. */
int micro_next(struct micro_loop *loop, uint64_t count);
/* What happens between the two is not timed. Costs half a microsecond. */
void micro_pause(struct micro_loop *loop);
void micro_resume(struct micro_loop *loop);
/* The benchmark cannot run: shown instead of figures. */
void micro_skip(struct micro_loop *loop, const char *why);
/* Takes Google Benchmark's arguments out of argv, runs what was added and is not filtered out.
 * Returns the exit code. */
int micro_run(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
