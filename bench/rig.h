/* SPDX-License-Identifier: Apache-2.0 */
/* What every benchmark of the packet path stands on: EAL, huge pages, packet buffers, and worker
 * pipelines set up as the daemon sets them up. */
#ifndef CAMSPAN_BENCH_RIG_H
#define CAMSPAN_BENCH_RIG_H

#include "config/config.h"
#include "dataplane/memory.h"
#include "dataplane/pipeline.h"
#include "dataplane/report.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;
struct watch_set;

struct rig_settings {
	uint16_t lcores;    /* besides the main one */
	uint64_t flows;     /* of the largest set of tables at one time: what memory is asked for */
	uint32_t mbufs;     /* packet buffers */
	uint32_t mbuf_room; /* bytes of a frame, at most */
	bool no_huge_pages; /* a smoke run: its figures mean nothing */
};

struct rig {
	struct config *config;
	struct memory_source memory;
	struct dispatch *dispatch;
	struct dispatch *no_dispatch; /* that finds no classifier for anything */
	struct decode_options decode;
	struct watch_set *watch;
	struct rte_mempool *pool;
	bool deduplicates; /* workers that are created remove copies */
};

/* One worker without its loop: pipeline, nDPI, ring of records. */
struct rig_worker {
	struct pipeline pipeline;
	struct report_ring reports;
	uint64_t taken[REPORT_SAMPLE + 1]; /* reports by kind */
	uint64_t flow_packets;             /* summed over the flow records taken */
	uint64_t flow_bytes;
	const struct memory_source *memory;
	struct config bare_config; /* of a worker that inspects nothing */
};

enum rig_inspection {
	RIG_INSPECT_ALL,         /* classifiers and nDPI: the default of the daemon */
	RIG_INSPECT_CLASSIFIERS, /* no nDPI */
	RIG_INSPECT_NOTHING,     /* flows only */
};

/* Returns 0, or -1 after a line in the log. */
int rig_open(struct rig *rig, const struct rig_settings *settings);
void rig_close(struct rig *rig);
bool rig_has_huge_pages(void);

/* As the daemon does, with rig->config: inspection, watched addresses, a ring for records. NULL
 * after a line in the log. `number` names its ring: one at a time has it. */
struct rig_worker *rig_worker_create(
	struct rig *rig, unsigned number, enum rig_inspection inspection);
void rig_worker_free(struct rig_worker *worker);
/* Packets through the pipeline and back to their pool; the time of all is `now`. */
void rig_worker_packets(
	struct rig_worker *worker, struct rte_mbuf **mbufs, unsigned count, int64_t now);
/* What the control thread does first: takes every record out of the ring. */
void rig_worker_drain(struct rig_worker *worker);
/* At most `limit` of them. */
void rig_worker_drain_some(struct rig_worker *worker, unsigned limit);
/* Ends every flow, then compares what came in with what the records say. Returns 0, or -1 after a
 * line in the log that names the difference. */
int rig_worker_balance(struct rig_worker *worker);

/* Resident memory of this process with its huge pages, in bytes. */
uint64_t rig_memory_in_use(void);

#endif
