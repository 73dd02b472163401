/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the house: one event of one dataset. Encoded once, shared by every exporter. */
#ifndef CAMSPAN_RECORDS_EVENT_H
#define CAMSPAN_RECORDS_EVENT_H

#include "dataplane/records/alert_record.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/stream_record.h"

enum event_dataset {
	EVENT_FLOW,
	EVENT_DEVICE,
	EVENT_STREAM,
	EVENT_ALERT,
	EVENT_HEALTH,
	EVENT_DATASET_COUNT
};

/* A flow with what the control thread knows of its ends. */
struct flow_event {
	struct flow_record flow;
	char initiator_device[DEVICE_ID_SIZE]; /* "" not a known device */
	char responder_device[DEVICE_ID_SIZE];
	char initiator_domain[128]; /* passive name, "" unknown */
	char responder_domain[128];
	char direction[10]; /* ECS network.direction: internal, inbound, outbound, external, unknown
			     */
	uint16_t sampling_interval; /* one in so many pairs of addresses was looked at; 0, 1: all */
};

/* A view: `record` points at the producer's structure of that dataset and is borrowed for the call.
 */
struct event {
	enum event_dataset dataset;
	int64_t time; /* packet time in a replay, clock otherwise */
	union {
		const struct flow_event *flow;
		const struct device_record *device;
		const struct stream_record *stream;
		const struct alert_record *alert;
		const struct health_record *health;
	};
};

const char *event_dataset_name(enum event_dataset dataset); /* "flow", ... */

#endif
