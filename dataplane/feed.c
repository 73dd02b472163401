/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/feed.h"

#include "dataplane/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feed {
	struct pipeline *pipeline;
	void (*done)(void *context);
	void *context;
	uint64_t lost; /* before us, in files that are done; see feed_lost() */
	struct frame_view frames[PIPELINE_BURST];
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
	feed->lost = 0;
	return feed;
}

void
feed_free(struct feed *feed)
{
	free(feed);
}

/* `count` frames in runs of one link type. */
static void
run_burst(struct feed *feed, unsigned count)
{
	unsigned last;

	for (unsigned first = 0; first < count; first = last) {
		const struct frame_view *frames = &feed->frames[first];

		for (last = first + 1; last < count && feed->frames[last].link == frames->link;)
			last++;
		pipeline_burst(feed->pipeline, frames, last - first, (enum link_type)frames->link);
		feed->done(feed->context);
	}
}

static uint64_t
bytes_of(const struct feed *feed, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += feed->frames[i].captured;
	return bytes;
}

int
feed_file(struct feed *feed, const char *path, const atomic_bool *stop, char *error)
{
	struct capture *capture = capture_open(path, error);
	struct progress progress;
	int got = 1;

	if (capture == NULL)
		return atomic_load(stop) ? 0 : -EIO; /* as below */
	progress_begin(&progress, path);
	while (!atomic_load_explicit(stop, memory_order_relaxed) &&
		(got = capture_burst(capture, feed->frames, PIPELINE_BURST)) > 0) {
		run_burst(feed, (unsigned)got);
		progress_step(&progress, (unsigned)got, bytes_of(feed, (unsigned)got));
	}
	progress_end(&progress);
	if (atomic_load_explicit(stop, memory_order_relaxed))
		got = 0; /* a signal that ends a read is no error of the file */
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
