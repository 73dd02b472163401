/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the worker and the house: the ring of records, and each kind of event as JSON. */
#include "bench/micro_suites.h"
#include "exporters/event.h"
#include "tests/unit/sample_events.h"

#include <stdio.h>

#define BATCH      32
#define BENCH_RING 63 /* a number that no worker has */

struct event_case {
	enum event_dataset dataset;
	char name[32];
};

static void
run_encode(struct micro_loop *loop, const void *argument)
{
	const struct event_case *test = argument;
	struct config *config = sample_config();
	struct event_encoder *encoder = event_encoder_create(config);
	struct flow_event flow = sample_flow(1);
	struct device_record device = sample_device(1);
	struct stream_record stream = sample_stream(1);
	struct alert_record alert = sample_alert(1);
	struct health_record health = sample_health();
	struct event event = {.dataset = test->dataset, .time = SAMPLE_TIME};
	const void *records[EVENT_DATASET_COUNT] = {&flow, &device, &stream, &alert, &health};
	uint64_t sequence = 0;
	size_t length;

	event.flow = records[test->dataset]; /* one pointer, whatever its name */
	while (micro_next(loop, 1))
		micro_use(event_encode(encoder, &event, ++sequence, &length));
	event_encoder_free(encoder);
	config_free(config);
}

static void
use_report(void *context, const struct report *report)
{
	(void)context;
	micro_use(report);
}

static void
run_ring(struct micro_loop *loop, const void *argument)
{
	struct flow_record record = sample_flow(1).flow;
	struct pipeline_output output;
	struct report_ring ring;

	(void)argument;
	if (report_ring_init(&ring, BENCH_RING, REPORT_RING_SLOTS, -1) != 0) {
		micro_skip(loop, "no memory for a ring");
		return;
	}
	output = report_ring_output(&ring);
	while (micro_next(loop, BATCH)) {
		for (unsigned i = 0; i < BATCH; i++)
			output.flow(output.context, &record);
		report_ring_receive(&ring, BATCH, use_report, NULL);
	}
	report_ring_free(&ring);
}

void
micro_add_events(const struct micro_lab *lab)
{
	static struct event_case cases[EVENT_DATASET_COUNT];

	(void)lab;
	micro_add("report_ring/flow", run_ring, NULL);
	for (int i = 0; i < EVENT_DATASET_COUNT; i++) {
		cases[i].dataset = (enum event_dataset)i;
		snprintf(cases[i].name, sizeof(cases[i].name), "event/%s",
			event_dataset_name(cases[i].dataset));
		micro_add(cases[i].name, run_encode, &cases[i]);
	}
}
