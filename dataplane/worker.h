/* SPDX-License-Identifier: Apache-2.0 */
/* The lcore loop: bursts from the worker's queue of every port through its pipeline. */
#ifndef CAMSPAN_WORKER_H
#define CAMSPAN_WORKER_H

#include "dataplane/clock.h"
#include "dataplane/pipeline.h"
#include "dataplane/port.h"
#include "dataplane/report.h"

#include <stdatomic.h>

struct rte_rcu_qsbr;

struct worker {
	struct pipeline pipeline;
	struct report_ring reports;
	const struct ports *ports;
	struct rte_rcu_qsbr *quiescence; /* the worker reports here that it holds no snapshot */
	uint16_t number;
	bool naps; /* sleeps when nothing comes: kernel ports, or a CPU that others need too */
	struct steady_clock clock;
	const atomic_bool *stop;
	atomic_bool drained; /* all flows were handed over after the stop */
};

/* The function of an lcore: runs until *stop, then ends its flows and waits for room as long as it
 * takes: the control thread drains the ring meanwhile. */
int worker_run(void *worker);

#endif
