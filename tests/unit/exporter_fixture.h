/* SPDX-License-Identifier: Apache-2.0 */
/* One exporter under test, driven without threads, and a directory of its own. */
#ifndef CAMSPAN_TESTS_EXPORTER_FIXTURE_H
#define CAMSPAN_TESTS_EXPORTER_FIXTURE_H

#include "exporters/event.h"
#include "exporters/exporters.h"
#include "exporters/monotonic.h"
#include "exporters/shared_event.h"
#include "tests/unit/sample_events.h"

#include <stdlib.h>
#include <unistd.h>

struct exporter_fixture {
	const struct exporter *exporter;
	struct config *config;
	struct event_encoder *encoder;
	struct exporter_run run;
	struct exporter_counters counters;
	struct exporter_instance *instance;
	uint64_t sequences[EVENT_DATASET_COUNT];
	char directory[64];
	char error[512];
};

static inline void
fixture_init(struct exporter_fixture *fixture, const struct exporter *exporter)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->exporter = exporter;
	fixture->config = sample_config();
	fixture->encoder = event_encoder_create(fixture->config);
	atomic_init(&fixture->run.deadline, INT64_MAX);
	snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/camspan-test-XXXXXX");
	if (fixture->encoder == NULL || mkdtemp(fixture->directory) == NULL)
		abort();
}

static inline bool
fixture_open(struct exporter_fixture *fixture)
{
	fixture->error[0] = '\0';
	fixture->instance = fixture->exporter->open(fixture->config, &fixture->run,
		&fixture->counters, fixture->error, sizeof(fixture->error));
	return fixture->instance != NULL;
}

static inline void
fixture_close(struct exporter_fixture *fixture)
{
	if (fixture->instance != NULL)
		fixture->exporter->close(fixture->instance);
	fixture->instance = NULL;
}

/* Also removes the directory and what is in it. */
static inline void
fixture_end(struct exporter_fixture *fixture)
{
	char command[128];

	fixture_close(fixture);
	event_encoder_free(fixture->encoder);
	config_free(fixture->config);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
	if (system(command) != 0)
		perror(command);
}

static inline bool
fixture_write(struct exporter_fixture *fixture, const struct event *event)
{
	uint64_t sequence = ++fixture->sequences[event->dataset];
	char id[EVENT_ID_SIZE];
	size_t length;
	const char *json = event_encode(fixture->encoder, event, sequence, &length);
	struct exported_event *shared = shared_event_create(event,
		event_id_format(fixture->encoder, event->dataset, sequence, id), sequence, json,
		length, 1);
	bool written = fixture->exporter->write(fixture->instance, shared);

	counter_add(&fixture->counters.accepted, 1);
	shared_event_release(shared);
	return written;
}

static inline bool
fixture_write_flow(struct exporter_fixture *fixture, unsigned n)
{
	struct flow_event flow = sample_flow(n);

	return fixture_write(fixture, &(struct event){EVENT_FLOW, SAMPLE_TIME, .flow = &flow});
}

#endif
