/* SPDX-License-Identifier: Apache-2.0 */
/* From workers to the control thread: one ring per worker, records by value. A worker never waits:
 * a flow record without room stays in the flow table, anything else is dropped and counted. */
#ifndef CAMSPAN_REPORT_H
#define CAMSPAN_REPORT_H

#include "dataplane/counter.h"
#include "dataplane/pipeline.h"

#define REPORT_RING_SLOTS 65536 /* of the ring of a worker */

enum report_kind { REPORT_FLOW, REPORT_EVIDENCE, REPORT_MEDIA, REPORT_SAMPLE };

struct report {
	uint32_t kind; /* enum report_kind */
	union {
		struct flow_record flow;
		struct evidence evidence;
		struct stream_media media;
		struct stream_sample sample;
	};
};

struct rte_ring;

/* The worker's end. The counters are written by the worker only and read by anyone. */
struct report_ring {
	struct rte_ring *ring;
	struct counter sent;
	struct counter lost[REPORT_SAMPLE + 1]; /* by kind; flows are never lost here */
};

/* `slots` is rounded up to a power of two. Returns 0 or -ENOMEM. Needs EAL. */
int report_ring_init(struct report_ring *ring, unsigned worker, unsigned slots, int socket);
void report_ring_free(struct report_ring *ring);
/* An output that sends into this ring. */
struct pipeline_output report_ring_output(struct report_ring *ring);
/* The control thread's end: shows up to `limit` reports to `take`, where they lie in the ring, and
 * gives their room back. Returns how many. */
typedef void report_taker(void *context, const struct report *report);
unsigned report_ring_receive(
	struct report_ring *ring, unsigned limit, report_taker *take, void *context);
void report_ring_health(const struct report_ring *ring, struct health_record *health);

#endif
