/* SPDX-License-Identifier: Apache-2.0 */
/* Joins what sessions announced (stream_media) with what was measured (stream_sample) into streams.
 * Owned by the control thread; not thread-safe. Bounded: the longest silent stream makes room. */
#ifndef CAMSPAN_STREAM_TABLE_H
#define CAMSPAN_STREAM_TABLE_H

#include "config/config.h"
#include "dataplane/records/evidence.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/stream_record.h"

struct stream_table;

/* A stream is new, has grown by one report interval, or ended. Audio and metadata are measured but
 * never reported as video streams. */
typedef void (*stream_changed_fn)(void *context, const struct stream_record *stream);

struct stream_table *stream_table_create(
	const struct config_streams *config, stream_changed_fn changed, void *context);
void stream_table_free(struct stream_table *table);
void stream_table_media(struct stream_table *table, const struct stream_media *media);
void stream_table_sample(struct stream_table *table, const struct stream_sample *sample);
/* Reports and ends streams that are silent; `all`: report and end everything (end of a replay). */
void stream_table_tick(struct stream_table *table, int64_t now, bool all);
void stream_table_health(const struct stream_table *table, struct health_record *health);

#endif
