/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tcp_stream.h"

#include <errno.h>
#include <string.h>

#define REPEATED_SYN_DISTANCE (1u << 24) /* bytes sent while a SYN may still be repeated */

int
tcp_buffers_init(struct tcp_buffers *buffers, uint32_t count, const struct memory_source *memory)
{
	*buffers = (struct tcp_buffers){.size = count, .free_count = count, .memory = memory};
	buffers->bytes = memory_allocate(memory, "TCP buffers", (size_t)count * STREAM_BUFFER_SIZE);
	buffers->free_list =
		memory_allocate(memory, "TCP buffer list", count * sizeof(*buffers->free_list));
	if (buffers->bytes == NULL || buffers->free_list == NULL) {
		tcp_buffers_free(buffers);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		buffers->free_list[i] = count - i;
	return 0;
}

void
tcp_buffers_free(struct tcp_buffers *buffers)
{
	if (buffers->bytes)
		buffers->memory->release(buffers->bytes);
	if (buffers->free_list)
		buffers->memory->release(buffers->free_list);
	*buffers = (struct tcp_buffers){0};
}

static uint8_t *
buffer_bytes(const struct tcp_stream *stream, struct tcp_buffers *buffers)
{
	return buffers->bytes + (size_t)(stream->buffer - 1) * STREAM_BUFFER_SIZE;
}

static bool
acquire_buffer(struct tcp_stream *stream, struct tcp_buffers *buffers)
{
	if (stream->buffer)
		return true;
	if (buffers->free_count == 0) {
		buffers->exhausted++;
		return false;
	}
	stream->buffer = buffers->free_list[--buffers->free_count];
	return true;
}

static void
release_buffer(struct tcp_stream *stream, struct tcp_buffers *buffers)
{
	if (stream->buffer)
		buffers->free_list[buffers->free_count++] = stream->buffer;
	stream->buffer = 0;
	stream->length = 0;
	stream->range_count = 0;
}

void
tcp_stream_end(struct tcp_stream *stream, struct tcp_buffers *buffers)
{
	release_buffer(stream, buffers);
	stream->started = false;
}

void
tcp_stream_start(struct tcp_stream *stream, uint32_t sequence)
{
	stream->wanted = sequence;
	stream->started = true;
}

void
tcp_stream_syn(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t sequence)
{
	/* Not far behind what is wanted: the SYN of this very connection again. */
	if (stream->started && stream->wanted - sequence < REPEATED_SYN_DISTANCE)
		return;
	if (stream->started) {
		release_buffer(stream, buffers);
		stream->gap = true;
	}
	tcp_stream_start(stream, sequence);
}

static void
note_gap(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t resume)
{
	release_buffer(stream, buffers);
	stream->wanted = resume;
	stream->gap = true;
	stream->far = false;
	buffers->gaps++;
}

/* Early bytes that the contiguous part has reached join it. */
static void
absorb_ranges(struct tcp_stream *stream)
{
	for (uint8_t i = 0; i < stream->range_count;) {
		if (stream->ranges[i].begin > stream->length) {
			i++;
			continue;
		}
		if (stream->ranges[i].end > stream->length)
			stream->length = stream->ranges[i].end;
		stream->ranges[i] = stream->ranges[--stream->range_count];
		i = 0; /* the joined part may have reached one looked at before */
	}
}

/* Moves the buffer on by `consumed` bytes, which may be more than it holds. */
static void
consume(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t consumed)
{
	uint8_t *bytes = buffer_bytes(stream, buffers);
	uint8_t kept = 0;
	uint16_t end = stream->length;

	if (consumed == 0)
		return;
	stream->wanted += consumed;
	for (uint8_t i = 0; i < stream->range_count; i++) {
		uint16_t begin = stream->ranges[i].begin;
		uint16_t stop = stream->ranges[i].end;

		if (stop <= consumed)
			continue;
		end = stop > end ? stop : end;
		stream->ranges[kept].begin = begin > consumed ? (uint16_t)(begin - consumed) : 0;
		stream->ranges[kept++].end = (uint16_t)(stop - consumed);
	}
	stream->range_count = kept;
	stream->length = stream->length > consumed ? (uint16_t)(stream->length - consumed) : 0;
	if (end > consumed)
		memmove(bytes, bytes + consumed, end - consumed);
	absorb_ranges(stream);
	if (stream->length == 0 && stream->range_count == 0)
		release_buffer(stream, buffers);
}

static void
deliver_buffer(struct tcp_stream *stream, struct tcp_buffers *buffers, tcp_deliver_fn deliver,
	void *context)
{
	uint32_t left = 0;

	/* Again only when a skip uncovered early bytes. */
	while (stream->length > left) {
		uint32_t offered = stream->length;
		uint32_t consumed =
			deliver(context, buffer_bytes(stream, buffers), offered, stream->gap);

		stream->gap = false;
		left = consumed < offered ? offered - consumed : 0;
		if (left == STREAM_BUFFER_SIZE)
			note_gap(stream, buffers, stream->wanted + STREAM_BUFFER_SIZE);
		else
			consume(stream, buffers, consumed);
	}
}

/* In-order bytes with an empty buffer: the common case, no copy but of what is left. */
static void
deliver_directly(struct tcp_stream *stream, struct tcp_buffers *buffers, const uint8_t *data,
	uint32_t length, tcp_deliver_fn deliver, void *context)
{
	uint32_t consumed = deliver(context, data, length, stream->gap);
	uint32_t left = consumed < length ? length - consumed : 0;

	stream->gap = false;
	stream->wanted += consumed;
	if (left == 0)
		return;
	if (left > STREAM_BUFFER_SIZE || !acquire_buffer(stream, buffers)) {
		note_gap(stream, buffers, stream->wanted + left);
		return;
	}
	memcpy(buffer_bytes(stream, buffers), data + consumed, left);
	stream->length = (uint16_t)left;
}

static bool
remember_range(struct tcp_stream *stream, uint32_t begin, uint32_t end)
{
	for (uint8_t i = 0; i < stream->range_count; i++) {
		if (begin > stream->ranges[i].end || end < stream->ranges[i].begin)
			continue;
		if (begin < stream->ranges[i].begin)
			stream->ranges[i].begin = (uint16_t)begin;
		if (end > stream->ranges[i].end)
			stream->ranges[i].end = (uint16_t)end;
		return true;
	}
	if (stream->range_count == TCP_STREAM_RANGES)
		return false;
	stream->ranges[stream->range_count].begin = (uint16_t)begin;
	stream->ranges[stream->range_count++].end = (uint16_t)end;
	return true;
}

/* The first early byte becomes the wanted one. Nothing to do without early bytes. */
static void
skip_hole(struct tcp_stream *stream, struct tcp_buffers *buffers, tcp_deliver_fn deliver,
	void *context)
{
	uint32_t first = STREAM_BUFFER_SIZE;

	for (uint8_t i = 0; i < stream->range_count; i++)
		if (stream->ranges[i].begin < first)
			first = stream->ranges[i].begin;
	if (first == STREAM_BUFFER_SIZE)
		return;
	buffers->gaps++;
	stream->gap = true;
	consume(stream, buffers, first);
	deliver_buffer(stream, buffers, deliver, context);
}

void
tcp_stream_segment(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t sequence,
	const uint8_t *data, uint32_t length, tcp_deliver_fn deliver, void *context)
{
	int32_t ahead;

	if (length == 0)
		return;
	if (!stream->started)
		tcp_stream_start(stream, sequence);
	ahead = (int32_t)(sequence - stream->wanted);
	if (ahead < 0) { /* retransmitted or skipped bytes */
		uint32_t behind = stream->wanted - sequence;

		if (behind >= length)
			return;
		data += behind;
		length -= behind;
		ahead = 0;
	}
	if (ahead == 0 && stream->buffer == 0) {
		deliver_directly(stream, buffers, data, length, deliver, context);
		return;
	}
	if ((uint32_t)ahead + length > STREAM_BUFFER_SIZE) {
		/* It cannot be kept until the hole is filled: go on from here, but not for one
		 * forged segment: the next one must follow it. */
		if (!stream->far || stream->far_next != sequence) {
			stream->far = true;
			stream->far_next = sequence + length;
			return;
		}
		note_gap(stream, buffers, stream->wanted + (uint32_t)ahead);
		deliver_directly(stream, buffers, data, length, deliver, context);
		return;
	}
	if (!acquire_buffer(stream, buffers)) {
		note_gap(stream, buffers, stream->wanted + (uint32_t)ahead);
		deliver_directly(stream, buffers, data, length, deliver, context);
		return;
	}
	memcpy(buffer_bytes(stream, buffers) + ahead, data, length);
	if ((uint32_t)ahead > stream->length) {
		if (!remember_range(stream, (uint32_t)ahead, (uint32_t)ahead + length))
			skip_hole(stream, buffers, deliver, context);
		return;
	}
	if ((uint32_t)ahead + length > stream->length)
		stream->length = (uint16_t)(ahead + (int32_t)length);
	absorb_ranges(stream);
	deliver_buffer(stream, buffers, deliver, context);
}

void
tcp_stream_acknowledged(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t sequence,
	tcp_deliver_fn deliver, void *context)
{
	if (stream->range_count == 0 || (int32_t)(sequence - stream->wanted - stream->length) <= 0)
		return;
	skip_hole(stream, buffers, deliver, context);
}
