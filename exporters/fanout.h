/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the control thread to every exporter. All calls belong to the control thread. */
#ifndef CAMSPAN_FANOUT_H
#define CAMSPAN_FANOUT_H

#include "config/config.h"
#include "dataplane/records/event.h"
#include "dataplane/records/health_record.h"

struct fanout;

/* Opens the enabled exporters and starts their threads. `wait_when_full`: a replay waits for room
 * in a queue, the daemon counts a loss. Returns NULL with one line in `error`. */
struct fanout *fanout_open(
	const struct config *config, bool wait_when_full, char *error, size_t error_size);
/* Gives the event its sequence number, encodes it once and queues it where it is accepted. */
void fanout_event(struct fanout *fanout, const struct event *event);
void fanout_health(const struct fanout *fanout, struct health_record *health);
/* Delivers what is queued within `timeout_ms`, stops the threads, closes everything and frees.
 * Returns the number of events that some exporter did not deliver. */
uint64_t fanout_close(struct fanout *fanout, int timeout_ms);

#endif
