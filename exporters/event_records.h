/* SPDX-License-Identifier: Apache-2.0 */
/* The part of an event that depends on its dataset. Private to the encoder. */
#ifndef CAMSPAN_EXPORTERS_EVENT_RECORDS_H
#define CAMSPAN_EXPORTERS_EVENT_RECORDS_H

#include "dataplane/records/event.h"
#include "exporters/json.h"

#define ECS_TYPES_MAX 4

/* Where an event stands in the four levels of ECS categories. */
struct event_category {
	const char *kind;
	const char *categories[ECS_TYPES_MAX]; /* NULL ends the lists */
	const char *types[ECS_TYPES_MAX];
	uint8_t severity; /* alerts */
	int64_t start;    /* 0 none */
	int64_t end;
};

void event_categorise(const struct event *event, struct event_category *category);

void event_write_flow(
	struct json_writer *json, const struct flow_event *event, const char *community_id);
void event_write_device(struct json_writer *json, const struct device_record *device);
void event_write_stream(struct json_writer *json, const struct stream_record *stream);
void event_write_alert(struct json_writer *json, const struct alert_record *alert);
void event_write_health(struct json_writer *json, const struct health_record *health);

#endif
