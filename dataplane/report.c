/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/report.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_ring_elem.h>
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

static bool
send(struct report_ring *ring, struct report *report)
{
	if (rte_ring_sp_enqueue_elem(ring->ring, report, sizeof(*report)) != 0) {
		counter_add(&ring->lost[report->kind], 1);
		return false;
	}
	counter_add(&ring->sent, 1);
	return true;
}

static bool
send_flow(void *context, const struct flow_record *record)
{
	struct report_ring *ring = context;
	struct report report = {.kind = REPORT_FLOW, .flow = *record};

	/* The flow table keeps the flow and counts the deferral. */
	if (rte_ring_free_count(ring->ring) <= FLOW_RESERVE)
		return false;
	return send(ring, &report);
}

static bool
send_evidence(void *context, const struct evidence *evidence)
{
	return send(context, &(struct report){.kind = REPORT_EVIDENCE, .evidence = *evidence});
}

static void
send_media(void *context, const struct stream_media *media)
{
	send(context, &(struct report){.kind = REPORT_MEDIA, .media = *media});
}

static void
send_sample(void *context, const struct stream_sample *sample)
{
	send(context, &(struct report){.kind = REPORT_SAMPLE, .sample = *sample});
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
report_ring_receive(struct report_ring *ring, struct report *reports, unsigned limit)
{
	return rte_ring_sc_dequeue_burst_elem(ring->ring, reports, sizeof(*reports), limit, NULL);
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
