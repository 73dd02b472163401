/* SPDX-License-Identifier: Apache-2.0 */
/* The file behind the embedded state: opening, repair, upserts. Not thread-safe. */
#ifndef CAMSPAN_EXPORTERS_STATE_DATABASE_H
#define CAMSPAN_EXPORTERS_STATE_DATABASE_H

#include "dataplane/records/alert_record.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/stream_record.h"

#include <stddef.h>
#include <stdint.h>

struct state_database;

/* Opens or makes the file. One of another schema version is rebuilt and a corrupt one is moved
 * aside, each with a log line. NULL with one line in `error`: not writable, or another program's.
 */
struct state_database *state_database_open(const char *path, char *error, size_t error_size);
/* An open transaction is given up. */
void state_database_close(struct state_database *database);

/* All return an SQLite result code. */
int state_database_begin(struct state_database *database);
int state_database_commit(struct state_database *database);
void state_database_rollback(struct state_database *database);
int state_database_meta(struct state_database *database, const char *key, const char *value);
int state_database_device(struct state_database *database, const struct device_record *device);
int state_database_stream(struct state_database *database, const struct stream_record *stream);
int state_database_alert(struct state_database *database, const struct alert_record *alert);
int state_database_health(struct state_database *database, int64_t time, const char *json);
/* Deletes what was last seen before `cutoff` (nanoseconds since the epoch). */
int state_database_prune(struct state_database *database, int64_t cutoff);

#endif
