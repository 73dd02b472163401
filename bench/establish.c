/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/establish.h"

#include "bench/reference.h"
#include "dataplane/log.h"

#include <inttypes.h>

#define START        INT64_C(1700000000000000000)
#define ESTABLISH_NS (32 * INT64_C(1000000000)) /* packet time of one pass over all flows */
#define PASSES       4                          /* the early looks at a flow are over after 62 s */

void
establish_flows(struct rig *rig, struct generator *generator, struct reference *reference,
	struct rig_worker *worker)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	uint64_t flows = generator->flow_mask + UINT64_C(1);
	/* And a few that began before there was a backlog. */
	uint64_t inspected = rig->config->inspection.flows_max + 4096;
	int64_t step = ESTABLISH_NS / (int64_t)(flows / GENERATOR_BURST);
	int64_t now = worker->pipeline.now ? worker->pipeline.now : START;

	for (unsigned pass = 0; pass < PASSES; pass++)
		for (uint64_t flow = 0; flow < flows; flow += GENERATOR_BURST) {
			generator_burst_from(generator, (uint32_t)flow, mbufs);
			if (reference)
				reference_burst(reference, mbufs, 0);
			rig_worker_packets(worker, mbufs, GENERATOR_BURST, now += step);
			rig_worker_drain(worker);
		}
	/* The oldest flows are still inspected: with a backlog they keep their states. */
	inspected = inspected < flows ? inspected : flows;
	for (unsigned round = 0; worker->pipeline.inspector.in_use > 0 &&
				 round < rig->config->inspection.max_packets + 2u;
		round++)
		for (uint64_t flow = 0; flow < inspected; flow += GENERATOR_BURST) {
			generator_burst_from(generator, (uint32_t)flow, mbufs);
			rig_worker_packets(worker, mbufs, GENERATOR_BURST, now += 1000);
		}
	if (worker->pipeline.inspector.in_use > 0)
		log_warning(
			"%" PRIu32 " flows are still inspected", worker->pipeline.inspector.in_use);
}

void
run_generated(
	struct rig_worker *worker, struct generator *generator, double packet_ns, uint64_t packets)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	int64_t step = (int64_t)(packet_ns * GENERATOR_BURST);
	int64_t now = worker->pipeline.now;

	for (uint64_t sent = 0; sent < packets; sent += GENERATOR_BURST) {
		generator_burst(generator, mbufs);
		rig_worker_packets(worker, mbufs, GENERATOR_BURST, now += step);
	}
}
