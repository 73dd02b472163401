/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/feed.h"

#include "dataplane/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_AT_ONCE (1 << 20) /* of one burst; a longer frame is cut, as by a snap length */

struct feed {
	struct pipeline *pipeline;
	void (*done)(void *context);
	void *context;
	struct frame_view frames[PIPELINE_BURST];
	unsigned count;
	enum link_type link;
	uint64_t lost; /* before us, in files that are done; see feed_lost() */
	size_t used;
	uint8_t bytes[BYTES_AT_ONCE];
};

struct feed *
feed_create(struct pipeline *pipeline, void (*done)(void *context), void *context)
{
	struct feed *feed = malloc(sizeof(*feed));

	if (feed == NULL)
		return NULL;
	feed->pipeline = pipeline;
	feed->done = done;
	feed->context = context;
	feed->count = 0;
	feed->used = 0;
	feed->lost = 0;
	feed->link = LINK_UNSUPPORTED;
	return feed;
}

void
feed_free(struct feed *feed)
{
	free(feed);
}

static void
run_burst(struct feed *feed)
{
	if (feed->count == 0)
		return;
	pipeline_burst(feed->pipeline, feed->frames, feed->count, feed->link);
	feed->count = 0;
	feed->used = 0;
	feed->done(feed->context);
}

static void
add_packet(struct feed *feed, const struct capture_packet *captured)
{
	uint32_t length = captured->captured < BYTES_AT_ONCE ? captured->captured : BYTES_AT_ONCE;
	struct frame_view *frame;

	if (feed->count == PIPELINE_BURST || captured->link != feed->link ||
		feed->used + length > BYTES_AT_ONCE)
		run_burst(feed);
	feed->link = captured->link;
	frame = &feed->frames[feed->count++];
	memcpy(feed->bytes + feed->used, captured->data, length);
	*frame = (struct frame_view){
		.data = feed->bytes + feed->used,
		.captured = length,
		.wire_length = captured->wire_length,
		.time = captured->time,
	};
	feed->used += length;
}

int
feed_file(struct feed *feed, const char *path, const atomic_bool *stop, char *error)
{
	struct capture *capture = capture_open(path, error);
	struct capture_packet packet;
	struct progress progress;
	int got = 1;

	if (capture == NULL)
		return -EIO;
	progress_begin(&progress, path);
	while (!atomic_load_explicit(stop, memory_order_relaxed) &&
		(got = capture_next(capture, &packet)) == 1) {
		add_packet(feed, &packet);
		progress_step(&progress, packet.captured);
	}
	run_burst(feed);
	progress_end(&progress);
	if (got < 0)
		snprintf(error, CAPTURE_ERROR_SIZE, "%s", capture_error(capture));
	if (__builtin_add_overflow(feed->lost, capture_lost(capture), &feed->lost))
		feed->lost = UINT64_MAX;
	capture_close(capture);
	return got < 0 ? -EIO : 0;
}

uint64_t
feed_lost(const struct feed *feed)
{
	return feed->lost;
}
