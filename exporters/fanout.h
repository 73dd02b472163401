/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the control thread to every exporter. All calls belong to the control thread. */
#ifndef CAMSPAN_FANOUT_H
#define CAMSPAN_FANOUT_H

#include "config/config.h"
#include "dataplane/records/event.h"
#include "dataplane/records/health_record.h"

#include <stdatomic.h>
#include <stdbool.h>

struct fanout;

/* Opens the enabled exporters and starts their threads. `replay`: waits for room in a queue as long
 * as its exporter delivers; one that delivers nothing for export.shutdown_timeout is given up. The
 * daemon counts a loss instead. `stop` (may be NULL) ends the patience of a replay. `config` and
 * `stop` must outlive it. Returns NULL with one line in `error`. */
struct fanout *fanout_open(const struct config *config, bool replay, const atomic_bool *stop,
	char *error, size_t error_size);
/* Gives the event its sequence number, encodes it once and queues it where it is accepted. */
void fanout_event(struct fanout *fanout, const struct event *event);
/* The daemon is about to send what is in its tables, which may be more than a queue holds: from now
 * on fanout_event() waits for room too. Starts export.shutdown_timeout, which fanout_close() ends.
 */
void fanout_wind_down(struct fanout *fanout);
void fanout_health(const struct fanout *fanout, struct health_record *health);
/* Delivers what is queued within `timeout_ms`, stops the threads, closes everything and frees.
 * Returns the number of events that some exporter did not deliver. */
uint64_t fanout_close(struct fanout *fanout, int timeout_ms);

#endif
