/* SPDX-License-Identifier: Apache-2.0 */
/* Events as ECS 8 JSON: one encoder for every exporter. docs/events.md is its reference. */
#ifndef CAMSPAN_EVENT_ENCODER_H
#define CAMSPAN_EVENT_ENCODER_H

#include "config/config.h"
#include "dataplane/records/event.h"

#define EVENT_ID_SIZE 48

struct event_encoder;

/* `config` gives site and sensor names; borrowed. Returns NULL when memory is short. */
struct event_encoder *event_encoder_create(const struct config *config);
void event_encoder_free(struct event_encoder *encoder);
/* The JSON of an event, one line without newline; valid until the next call. NULL when memory is
 * short. */
const char *event_encode(struct event_encoder *encoder, const struct event *event,
	uint64_t sequence, size_t *length);
/* The event.id of such an event, unique across runs; `text` holds EVENT_ID_SIZE; returns text. */
const char *event_id_format(const struct event_encoder *encoder, enum event_dataset dataset,
	uint64_t sequence, char *text);

#endif
