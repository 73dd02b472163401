/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline with small tables, and what it delivered. */
#ifndef CAMSPAN_TESTS_PIPELINE_FIXTURE_H
#define CAMSPAN_TESTS_PIPELINE_FIXTURE_H

#include "dataplane/flow_update.h"
#include "dataplane/pipeline.h"
#include "tests/unit/frames.h"
#include "tests/unit/no_reports.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SECOND      INT64_C(1000000000)
#define START       (INT64_C(1700000000) * SECOND)
#define RECORDS_MAX 64

static struct {
	struct flow_record records[RECORDS_MAX];
	unsigned count;
	unsigned evidence, refused_evidence;
	bool full;
} out;

static struct pipeline pipeline;
static struct dispatch *dispatch;
static struct config *config;
static const struct frame_end client = {1, 40000}, server = {2, 554};

static inline bool
on_flow(void *context, const struct flow_record *record)
{
	(void)context;
	if (out.full)
		return false;
	out.records[out.count++ % RECORDS_MAX] = *record;
	return true;
}

static inline bool
on_evidence(void *context, const struct evidence *evidence)
{
	(void)context;
	(void)evidence;
	if (out.full) {
		out.refused_evidence++;
		return false;
	}
	out.evidence++;
	return true;
}

static inline void
begin_with(const struct decode_options *decode)
{
	struct pipeline_settings settings = {
		.output = {NULL, on_flow, {NULL, on_evidence, ignore_media, ignore_sample}},
		.memory = &memory_from_system,
	};

	memset(&out, 0, sizeof(out));
	config = config_defaults();
	config->flows.ipv4_max = config->flows.ipv6_max = 1024;
	config->inspection.flows_max = config->inspection.stream_buffers = 64;
	dispatch = dispatch_create();
	settings.config = config;
	settings.dispatch = dispatch;
	settings.decode = decode;
	CU_ASSERT_EQUAL_FATAL(pipeline_init(&pipeline, &settings), 0);
}

static inline void
begin(void)
{
	begin_with(NULL);
}

static inline void
end(void)
{
	pipeline_free(&pipeline);
	dispatch_free(dispatch);
	config_free(config);
}

static inline void
send(const struct frame *frame, int64_t time)
{
	struct frame_view view = frame_view(frame, time);

	pipeline_burst(&pipeline, &view, 1, LINK_ETHERNET);
}

static inline void
tcp(struct frame_end from, struct frame_end to, uint8_t flags, const char *payload, int64_t time)
{
	struct frame frame;

	frame_tcp(&frame, from, to, flags, 1000, 1, payload);
	send(&frame, time);
}

static inline void
udp(struct frame_end from, struct frame_end to, uint16_t length, int64_t time)
{
	static const uint8_t zeroes[1400];
	struct frame frame;

	frame_udp(&frame, from, to, zeroes, length);
	send(&frame, time);
}

static inline const struct flow_record *
only_record(void)
{
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 1);
	return &out.records[0];
}

#endif
