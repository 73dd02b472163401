/* SPDX-License-Identifier: Apache-2.0 */
/* The only C++ of the house: Google Benchmark has no C interface. */
#include "bench/micro.h"

#include <benchmark/benchmark.h>

static benchmark::State &
state_of(struct micro_loop *loop)
{
	return *reinterpret_cast<benchmark::State *>(loop);
}

void
micro_add(const char *name, micro_function run, const void *argument)
{
	benchmark::RegisterBenchmark(name, [run, argument](benchmark::State &state) {
		run(reinterpret_cast<struct micro_loop *>(&state), argument);
	});
}

int
micro_next(struct micro_loop *loop, uint64_t count)
{
	return state_of(loop).KeepRunningBatch(static_cast<benchmark::IterationCount>(count));
}

void
micro_pause(struct micro_loop *loop)
{
	state_of(loop).PauseTiming();
}

void
micro_resume(struct micro_loop *loop)
{
	state_of(loop).ResumeTiming();
}

void
micro_skip(struct micro_loop *loop, const char *why)
{
	state_of(loop).SkipWithError(why);
}

int
micro_run(int argc, char **argv)
{
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	benchmark::RunSpecifiedBenchmarks();
	benchmark::Shutdown();
	return 0;
}
