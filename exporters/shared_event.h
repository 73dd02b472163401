/* SPDX-License-Identifier: Apache-2.0 */
/* An exported event that several queues share: read-only, freed by whoever lets go last. */
#ifndef CAMSPAN_EXPORTERS_SHARED_EVENT_H
#define CAMSPAN_EXPORTERS_SHARED_EVENT_H

#include "dataplane/records/event.h"
#include "exporters/exporter.h"

/* Copies the record and its JSON into one block with `owners` references (at least 1). Returns
 * NULL when memory is short. */
struct exported_event *shared_event_create(const struct event *event, const char *id,
	uint64_t sequence, const char *json, size_t json_length, unsigned owners);
/* Gives one reference back; any thread. */
void shared_event_release(struct exported_event *event);

#endif
