/* SPDX-License-Identifier: Apache-2.0 */
/* The lcore loop: bursts from the worker's queues, or from the rings of the RX lcores, through its
 * pipeline. */
#ifndef CAMSPAN_WORKER_H
#define CAMSPAN_WORKER_H

#include "dataplane/clock.h"
#include "dataplane/pipeline.h"
#include "dataplane/receiver.h"
#include "dataplane/report.h"
#include "dataplane/spread.h"

#include <stdatomic.h>

struct rte_mbuf;
struct rte_rcu_qsbr;

/* Names of a worker's own figures; empty: it is the only one, and has none. */
struct worker_names {
	char packets[32];
	char bytes[32];
	char ring_full[32];
};

/* A burst whose lines are on their way while the one before is worked on. */
struct worker_batch {
	unsigned count;
	struct rte_mbuf *mbufs[PIPELINE_BURST];
};

/* A worker's figures, made by itself between two bursts, so that they agree with each other: what
 * was received is what was decoded and dropped. Of three records the control thread may read the
 * last given while the worker writes a late answer and its last account. */
#define WORKER_ACCOUNTS 3

struct worker_account {
	_Atomic unsigned asked; /* by the control thread, how often */
	_Atomic unsigned given; /* the last one answered: in records[given % WORKER_ACCOUNTS] */
	atomic_bool final;      /* the worker has ended: no more will come */
	struct health_record records[WORKER_ACCOUNTS];
};

struct worker {
	struct pipeline pipeline;
	struct memory_source memory; /* on the node of the worker's lcore */
	struct report_ring reports;
	struct receiver receiver; /* has no queue when packets come from RX lcores */
	uint16_t source_count;
	struct spread *sources[LAYOUT_RX_MAX];
	struct rte_ring *rings[LAYOUT_RX_MAX]; /* the worker's of each source */
	unsigned next_ring;
	struct worker_batch batches[2];
	unsigned batch; /* the one to work on */
	struct counter packets;
	struct counter bytes; /* on the wire */
	struct worker_names names;
	struct rte_rcu_qsbr *quiescence; /* the worker reports here that it holds no snapshot */
	uint16_t number;
	bool naps; /* sleeps when nothing comes: kernel ports, or a CPU that others need too */
	struct steady_clock clock;
	struct worker_account account;
	const atomic_bool *stop;
	atomic_bool drained; /* all flows were handed over after the stop */
};

/* One more RX lcore hands packets to this worker. Before either runs. */
void worker_add_source(struct worker *worker, struct spread *spread);

/* Frees packets that were taken and not worked on: a worker that never ran, or did not end. */
void worker_drop_batches(struct worker *worker);

/* One round over all queues and rings. Returns the packets taken. */
unsigned worker_round(struct worker *worker, int64_t now);
/* The function of an lcore: runs until *stop and the RX lcores' end, then ends its flows and waits
 * for room as long as it takes: the control thread drains the ring meanwhile. */
int worker_run(void *worker);

/* Asks for the figures of pipeline, reports and the worker itself. Not again before they came or
 * the wait was given up. Control thread. */
void worker_ask(struct worker *worker);
/* True once they are there. */
bool worker_has_answered(const struct worker *worker);
/* The last ones given. */
const struct health_record *worker_answer(const struct worker *worker);

#endif
