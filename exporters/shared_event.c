/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/shared_event.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One block: this, the record's copy, the JSON with its NUL. */
struct shared_event {
	struct exported_event event; /* first, so that a pointer to it is a pointer to this */
	atomic_uint owners;
	_Alignas(max_align_t) unsigned char rest[];
};

static size_t
record_size(enum event_dataset dataset)
{
	switch (dataset) {
	case EVENT_DEVICE:
		return sizeof(struct device_record);
	case EVENT_STREAM:
		return sizeof(struct stream_record);
	case EVENT_ALERT:
		return sizeof(struct alert_record);
	case EVENT_FLOW:
	case EVENT_HEALTH:
	case EVENT_DATASET_COUNT:
		break;
	}
	return 0;
}

/* The device that an event is about; a flow between two of them is its initiator's. */
static const char *
subject_device(const struct event *event)
{
	switch (event->dataset) {
	case EVENT_FLOW:
		return event->flow->initiator_device[0] ? event->flow->initiator_device
							: event->flow->responder_device;
	case EVENT_DEVICE:
		return event->device->id;
	case EVENT_STREAM:
		return event->stream->device_id;
	case EVENT_ALERT:
		return event->alert->device_id;
	case EVENT_HEALTH:
	case EVENT_DATASET_COUNT:
		break;
	}
	return "";
}

struct exported_event *
shared_event_create(const struct event *event, const char *id, uint64_t sequence, const char *json,
	size_t json_length, unsigned owners)
{
	size_t record = record_size(event->dataset);
	struct shared_event *shared = malloc(sizeof(*shared) + record + json_length + 1);
	struct exported_event *exported;
	char *text;

	if (shared == NULL)
		return NULL;
	atomic_init(&shared->owners, owners);
	text = (char *)shared->rest + record;
	memcpy(text, json, json_length);
	text[json_length] = '\0';
	exported = &shared->event;
	memset(exported, 0, sizeof(*exported));
	exported->dataset = event->dataset;
	exported->time = event->time;
	exported->sequence = sequence;
	exported->json = text;
	exported->json_length = json_length;
	snprintf(exported->id, sizeof(exported->id), "%s", id);
	snprintf(exported->key, sizeof(exported->key), "%s", subject_device(event));
	if (record > 0) {
		/* Every member of the union is a pointer to the record. */
		memcpy(shared->rest, event->device, record);
		exported->device = (struct device_record *)shared->rest;
	}
	return exported;
}

void
shared_event_release(struct exported_event *event)
{
	struct shared_event *shared = (struct shared_event *)event;

	if (atomic_fetch_sub_explicit(&shared->owners, 1, memory_order_acq_rel) == 1)
		free(shared);
}
