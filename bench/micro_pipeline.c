/* SPDX-License-Identifier: Apache-2.0 */
/* Whole bursts through a worker's pipeline, generation included. */
#include "bench/establish.h"
#include "bench/generator.h"
#include "bench/micro_suites.h"

#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define DRAIN_EVERY 256 /* bursts */

struct pipeline_case {
	const struct micro_lab *lab;
	uint32_t flows;
	char name[48];
};

static void
run_generator(struct micro_loop *loop, const void *argument)
{
	const struct pipeline_case *test = argument;
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	struct generator generator;

	generator_init(&generator, test->lab->rig->pool, test->flows);
	while (micro_next(loop, GENERATOR_BURST)) {
		generator_burst(&generator, mbufs);
		rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
	}
}

static void
run_pipeline(struct micro_loop *loop, const void *argument)
{
	const struct pipeline_case *test = argument;
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	struct generator generator;
	struct rig_worker *worker;
	unsigned bursts = 0;

	test->lab->rig->config->flows.ipv4_max = test->flows;
	worker = rig_worker_create(test->lab->rig, 0, RIG_INSPECT_ALL);
	if (worker == NULL) {
		micro_skip(loop, "no memory for so many flows");
		return;
	}
	generator_init(&generator, test->lab->rig->pool, test->flows);
	establish_flows(test->lab->rig, &generator, NULL, worker);
	while (micro_next(loop, GENERATOR_BURST)) {
		generator_burst(&generator, mbufs);
		rig_worker_packets(worker, mbufs, GENERATOR_BURST,
			worker->pipeline.now + GENERATOR_BURST * 50);
		if (++bursts % DRAIN_EVERY == 0)
			rig_worker_drain(worker);
	}
	rig_worker_free(worker);
}

void
micro_add_pipeline(const struct micro_lab *lab)
{
	static const uint32_t sizes[] = {1 << 10, 1 << 16, 1 << 20};
	static struct pipeline_case cases[3];

	for (unsigned i = 0; i < (lab->smoke ? 1 : 3); i++) {
		cases[i] = (struct pipeline_case){.lab = lab, .flows = sizes[i]};
		snprintf(cases[i].name, sizeof(cases[i].name), "pipeline/established/%" PRIu32 "K",
			sizes[i] / 1024);
		micro_add(cases[i].name, run_pipeline, &cases[i]);
	}
	micro_add("generator/alloc_write_free", run_generator, &cases[0]);
}
