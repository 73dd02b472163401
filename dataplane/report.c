/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>
#include <stdio.h>

/* Room that flow records leave for facts and samples, which cannot wait. */
#define FLOW_RESERVE 1024

_Static_assert(sizeof(struct report) % 4 == 0, "rte_ring copies words");

int
report_ring_init(struct report_ring *ring, unsigned worker, unsigned slots, int socket)
{
	char name[32];

	snprintf(name, sizeof(name), "reports-%u", worker);
	*ring = (struct report_ring){
		.ring = rte_ring_create_elem(name, sizeof(struct report), rte_align32pow2(slots),
			socket, RING_F_SP_ENQ | RING_F_SC_DEQ),
	};
	return ring->ring ? 0 : -ENOMEM;
}

void
report_ring_free(struct report_ring *ring)
{
	rte_ring_free(ring->ring);
	ring->ring = NULL;
}

/* Room for one report in the ring, where it is written; NULL, and counted, when there is none. */
static struct report *
begin(struct report_ring *ring, enum report_kind kind)
{
	struct rte_ring_zc_data room;
	struct report *report;

	if (rte_ring_enqueue_zc_bulk_elem_start(ring->ring, sizeof(*report), 1, &room, NULL) == 0) {
		counter_add(&ring->lost[kind], 1);
		return NULL;
	}
	report = room.ptr1;
	report->kind = kind;
	return report;
}

static void
finish(struct report_ring *ring)
{
	rte_ring_enqueue_zc_elem_finish(ring->ring, 1);
	counter_add(&ring->sent, 1);
}

static bool
send_flow(void *context, const struct flow_record *record)
{
	struct report_ring *ring = context;
	struct report *report;

	/* The flow table keeps the flow and counts the deferral. */
	if (rte_ring_free_count(ring->ring) <= FLOW_RESERVE)
		return false;
	report = begin(ring, REPORT_FLOW);
	if (report == NULL)
		return false;
	report->flow = *record;
	finish(ring);
	return true;
}

static bool
send_evidence(void *context, const struct evidence *evidence)
{
	struct report *report = begin(context, REPORT_EVIDENCE);

	if (report == NULL)
		return false;
	report->evidence = *evidence;
	finish(context);
	return true;
}

static void
send_media(void *context, const struct stream_media *media)
{
	struct report *report = begin(context, REPORT_MEDIA);

	if (report == NULL)
		return;
	report->media = *media;
	finish(context);
}

static void
send_sample(void *context, const struct stream_sample *sample)
{
	struct report *report = begin(context, REPORT_SAMPLE);

	if (report == NULL)
		return;
	report->sample = *sample;
	finish(context);
}

struct pipeline_output
report_ring_output(struct report_ring *ring)
{
	return (struct pipeline_output){
		.context = ring,
		.flow = send_flow,
		.sink = {ring, send_evidence, send_media, send_sample},
	};
}

unsigned
report_ring_receive(struct report_ring *ring, unsigned limit, report_taker *take, void *context)
{
	struct rte_ring_zc_data found;
	unsigned count = rte_ring_dequeue_zc_burst_elem_start(
		ring->ring, sizeof(struct report), limit, &found, NULL);
	const struct report *first = found.ptr1, *second = found.ptr2;

	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		take(context, i < found.n1 ? &first[i] : &second[i - found.n1]);
	rte_ring_dequeue_zc_elem_finish(ring->ring, count);
	return count;
}

void
report_ring_health(const struct report_ring *ring, struct health_record *health)
{
	health_add(health, "reports.sent", HEALTH_COUNTER, counter_read(&ring->sent));
	health_add(health, "reports.queued", HEALTH_GAUGE, rte_ring_count(ring->ring));
	health_add(health, "reports.evidence_lost", HEALTH_LOSS,
		counter_read(&ring->lost[REPORT_EVIDENCE]));
	health_add(
		health, "reports.media_lost", HEALTH_LOSS, counter_read(&ring->lost[REPORT_MEDIA]));
	health_add(health, "reports.samples_lost", HEALTH_LOSS,
		counter_read(&ring->lost[REPORT_SAMPLE]));
}
