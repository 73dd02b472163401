/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of an exporter. Each runs on an export thread of its own behind a bounded queue; a
 * slow or dead one hurts only itself.
 *
 * Threads: open() and close() run on the control thread, before and after the export thread; all
 * others on the export thread, never in parallel for one instance. */
#ifndef CAMSPAN_EXPORTER_H
#define CAMSPAN_EXPORTER_H

#include "config/config.h"
#include "dataplane/records/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One event on its way: encoded once, then shared read-only by every exporter's queue. */
struct exported_event {
	enum event_dataset dataset;
	int64_t time;
	uint64_t sequence;  /* gapless per run and dataset, from 1 */
	char key[64];       /* device id the event is about, or "" */
	char id[48];        /* event.id: unique across runs */
	size_t json_length; /* without NUL */
	const char *json;   /* one line, no newline, NUL-terminated */
	/* A copy of the record for exporters that store fields. Flow and health events carry none.
	 */
	union {
		struct device_record *device;
		struct stream_record *stream;
		struct alert_record *alert;
	};
};

/* Losses and work of one exporter, relaxed atomics that any thread reads. `accepted`, `in_flight`
 * and `queue_full` are the fanout's, the others the implementation's. */
struct exporter_counters {
	_Atomic uint64_t accepted;   /* taken from the queue */
	_Atomic uint64_t delivered;  /* confirmed by the other side */
	_Atomic uint64_t failed;     /* given up on, with a log line per cause */
	_Atomic uint64_t queue_full; /* never entered the queue (counted by the control thread) */
	_Atomic uint64_t reconnects;
	_Atomic uint64_t in_flight; /* accepted, not yet delivered or failed (gauge) */
};

/* What an exporter is told of the run; its own, outlives the instance. */
struct exporter_run {
	bool replay; /* of captures: event times lie in the past */
	/* CLOCK_MONOTONIC nanoseconds after which a write() must not wait any more; INT64_MAX until
	 * the shutdown begins or the exporter is given up. It may move up, never back. */
	_Atomic int64_t deadline;
};

struct exporter_instance; /* the implementation's own */

/* What every exporter reports of itself in the health record. */
enum exporter_figure {
	FIGURE_ACCEPTED,
	FIGURE_DELIVERED,
	FIGURE_FAILED,
	FIGURE_QUEUE_FULL,
	FIGURE_QUEUE_DEPTH,
	FIGURE_IN_FLIGHT,
	FIGURE_RECONNECTS,
	EXPORTER_FIGURE_COUNT
};

/* Their names, static as a health record wants them. */
#define EXPORTER_FIGURES(name)                                                                     \
	{                                                                                          \
		[FIGURE_ACCEPTED] = "export." name ".accepted",                                    \
		[FIGURE_DELIVERED] = "export." name ".delivered",                                  \
		[FIGURE_FAILED] = "export." name ".failed",                                        \
		[FIGURE_QUEUE_FULL] = "export." name ".queue_full",                                \
		[FIGURE_QUEUE_DEPTH] = "export." name ".queue_depth",                              \
		[FIGURE_IN_FLIGHT] = "export." name ".in_flight",                                  \
		[FIGURE_RECONNECTS] = "export." name ".reconnects",                                \
	}

struct exporter {
	const char *name; /* "kafka": also the configuration section */
	const char *figures[EXPORTER_FIGURE_COUNT];
	/* True when the configuration asks for this exporter. */
	bool (*enabled)(const struct config *config);
	bool (*accepts)(const struct config *config, enum event_dataset dataset);
	/* Must not wait for a remote side: an unreachable server is a state, not an error. Returns
	 * NULL with one line in `error` (what, where, remedy) when it can never work: unwritable
	 * path, bad option. */
	struct exporter_instance *(*open)(const struct config *config,
		const struct exporter_run *run, struct exporter_counters *counters, char *error,
		size_t error_size);
	/* Takes one event. May block as long as its own queue is full and the run's deadline has
	 * not passed; false: failed (counted). */
	bool (*write)(struct exporter_instance *instance, const struct exported_event *event);
	/* Called when the queue is empty and at least every 100 ms: serve callbacks, flush buffers,
	 * reconnect. Must return within about 100 ms. */
	void (*poll)(struct exporter_instance *instance);
	/* Pushes everything out, within `timeout_ms` and the run's deadline. Returns the number of
	 * events that could not be delivered (they are counted as failed). */
	uint64_t (*flush)(struct exporter_instance *instance, int timeout_ms);
	void (*close)(struct exporter_instance *instance);
};

extern const struct exporter *const exporter_table[];
extern const size_t exporter_count;

#endif
