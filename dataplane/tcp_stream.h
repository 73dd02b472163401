/* SPDX-License-Identifier: Apache-2.0 */
/* In-order bytes of one direction of a TCP connection, for classifiers. Segments that arrive in
 * order pass through without a copy; only what a classifier left, or what came too early, is kept,
 * in a bounded buffer of a bounded pool. What a classifier skips is never waited for. */
#ifndef CAMSPAN_TCP_STREAM_H
#define CAMSPAN_TCP_STREAM_H

#include "classifiers/classifier.h"
#include "dataplane/memory.h"

#include <stdbool.h>
#include <stdint.h>

#define TCP_STREAM_RANGES 4 /* islands of early bytes remembered */

struct tcp_stream {
	uint32_t wanted; /* sequence number of the first byte not consumed */
	uint32_t buffer; /* number in the pool + 1, 0: none */
	uint16_t length; /* contiguous bytes in the buffer from `wanted` on */
	uint8_t range_count;
	bool started;
	bool gap; /* bytes were lost since the last call of the classifier */
	bool far; /* a segment beyond the buffer came; `far_next` would follow it */
	uint32_t far_next;
	struct {
		uint16_t begin, end; /* offsets in the buffer */
	} ranges[TCP_STREAM_RANGES];
};

struct tcp_buffers {
	uint8_t *bytes;
	uint32_t *free_list;
	uint32_t free_count;
	uint32_t size;
	const struct memory_source *memory;
	uint64_t exhausted; /* a stream had to drop bytes because no buffer was free */
	uint64_t gaps;      /* bytes missed: lost on the wire or the span, or a full buffer */
};

/* Hands over contiguous bytes; returns how many are done with (may exceed length: skip). */
typedef uint32_t (*tcp_deliver_fn)(void *context, const uint8_t *data, uint32_t length, bool gap);

int tcp_buffers_init(
	struct tcp_buffers *buffers, uint32_t count, const struct memory_source *memory);
void tcp_buffers_free(struct tcp_buffers *buffers);

/* The sequence number of the next byte is known (SYN). */
void tcp_stream_start(struct tcp_stream *stream, uint32_t sequence);
/* A SYN was seen: the stream starts there, unless it has and this is a repetition. */
void tcp_stream_syn(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t sequence);
/* One segment. `deliver` is called with all contiguous bytes that are new. */
void tcp_stream_segment(struct tcp_stream *stream, struct tcp_buffers *buffers, uint32_t sequence,
	const uint8_t *data, uint32_t length, tcp_deliver_fn deliver, void *context);
/* The receiver acknowledged `sequence`: what is missing before it was lost on the span, not on the
 * wire. Delivers what came after the hole. */
void tcp_stream_acknowledged(struct tcp_stream *stream, struct tcp_buffers *buffers,
	uint32_t sequence, tcp_deliver_fn deliver, void *context);
/* Gives the buffer back. */
void tcp_stream_end(struct tcp_stream *stream, struct tcp_buffers *buffers);

#endif
