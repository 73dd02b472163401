/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread's work: reports of the workers in; devices, streams, policy; events out. It
 * runs as a loop in the daemon and between bursts in a replay; time is always an argument. */
#ifndef CAMSPAN_CONTROL_H
#define CAMSPAN_CONTROL_H

#include "classifiers/devices/knowledge.h"
#include "config/config.h"
#include "dataplane/records/health_record.h"
#include "dataplane/report.h"
#include "exporters/fanout.h"

struct control;

/* Tells the workers which addresses policy watches; takes ownership of the set. */
typedef void (*publish_watch_fn)(void *context, struct watch_set *watch);

struct control_settings {
	const struct config *config;
	const struct knowledge *knowledge;
	struct fanout *fanout;
	publish_watch_fn publish;
	void *publish_context;
	uint16_t sampling_interval; /* of what reaches the workers; 0, 1: all */
};

/* Everything in the settings is borrowed. Returns NULL when memory is short. */
struct control *control_create(const struct control_settings *settings);
void control_free(struct control *control);

/* A report_taker; `control` is a struct control. */
void control_report(void *control, const struct report *report);
/* Timers of all tables; cheap when nothing is due. `all`: the end, everything pending goes out. */
void control_tick(struct control *control, int64_t now, bool all);
/* Sends a health event; the caller has put the workers' part in. */
void control_health(struct control *control, struct health_record *health);

#endif
