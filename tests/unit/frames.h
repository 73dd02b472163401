/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-made Ethernet frames for tests. */
#ifndef CAMSPAN_TESTS_FRAMES_H
#define CAMSPAN_TESTS_FRAMES_H

#include "dataplane/records/packet.h"

#include <string.h>

struct frame {
	uint8_t bytes[1600];
	uint32_t length;
};

/* One side of a conversation: MAC 02:00:00:00:00:host, address 10.0.0.host or 2001:db8::host. */
struct frame_end {
	uint8_t host;
	uint16_t port;
};

static inline void
frame_put16(struct frame *frame, uint32_t at, uint16_t value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

static inline void
frame_put32(struct frame *frame, uint32_t at, uint32_t value)
{
	frame_put16(frame, at, (uint16_t)(value >> 16));
	frame_put16(frame, at + 2, (uint16_t)value);
}

static inline void
frame_link(struct frame *frame, uint8_t from, uint8_t to, uint16_t ethertype)
{
	memset(frame, 0, sizeof(*frame));
	frame->bytes[0] = frame->bytes[6] = 0x02;
	frame->bytes[5] = to;
	frame->bytes[11] = from;
	frame_put16(frame, 12, ethertype);
	frame->length = 14;
}

/* An IPv4 header for `payload` bytes; the length grows by the header only. */
static inline void
frame_ipv4(struct frame *frame, uint8_t from, uint8_t to, uint8_t protocol, uint16_t payload)
{
	uint32_t at = 14;

	frame_link(frame, from, to, 0x0800);
	frame->bytes[at] = 0x45;
	frame_put16(frame, at + 2, (uint16_t)(20 + payload));
	frame->bytes[at + 8] = 64;
	frame->bytes[at + 9] = protocol;
	frame->bytes[at + 12] = frame->bytes[at + 16] = 10;
	frame->bytes[at + 15] = from;
	frame->bytes[at + 19] = to;
	frame->length = at + 20;
}

static inline void
frame_ipv6(struct frame *frame, uint8_t from, uint8_t to, uint8_t protocol, uint16_t payload)
{
	static const uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb8};
	uint32_t at = 14;

	frame_link(frame, from, to, 0x86dd);
	frame->bytes[at] = 0x60;
	frame_put16(frame, at + 4, payload);
	frame->bytes[at + 6] = protocol;
	frame->bytes[at + 7] = 64;
	memcpy(frame->bytes + at + 8, prefix, 4);
	memcpy(frame->bytes + at + 24, prefix, 4);
	frame->bytes[at + 23] = from;
	frame->bytes[at + 39] = to;
	frame->length = at + 40;
}

static inline void
frame_append(struct frame *frame, const void *bytes, uint32_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static inline void
frame_udp(struct frame *frame, struct frame_end from, struct frame_end to, const void *payload,
	uint16_t length)
{
	frame_ipv4(frame, from.host, to.host, 17, (uint16_t)(8 + length));
	frame_put16(frame, frame->length, from.port);
	frame_put16(frame, frame->length + 2, to.port);
	frame_put16(frame, frame->length + 4, (uint16_t)(8 + length));
	frame->length += 8;
	frame_append(frame, payload, length);
}

static inline void
frame_tcp_header(struct frame *frame, struct frame_end from, struct frame_end to, uint8_t flags,
	uint32_t sequence, uint32_t acknowledgment)
{
	frame_put16(frame, frame->length, from.port);
	frame_put16(frame, frame->length + 2, to.port);
	frame_put32(frame, frame->length + 4, sequence);
	frame_put32(frame, frame->length + 8, acknowledgment);
	frame->bytes[frame->length + 12] = 5 << 4;
	frame->bytes[frame->length + 13] = flags;
	frame->length += 20;
}

static inline void
frame_tcp(struct frame *frame, struct frame_end from, struct frame_end to, uint8_t flags,
	uint32_t sequence, uint32_t acknowledgment, const char *payload)
{
	uint16_t length = (uint16_t)strlen(payload);

	frame_ipv4(frame, from.host, to.host, 6, (uint16_t)(20 + length));
	frame_tcp_header(frame, from, to, flags, sequence, acknowledgment);
	frame_append(frame, payload, length);
}

/* The packet that a source would hand to the decoder. */
static inline struct frame_view
frame_view(const struct frame *frame, int64_t time)
{
	return (struct frame_view){
		.data = frame->bytes,
		.captured = frame->length,
		.wire_length = frame->length,
		.time = time,
	};
}

#endif
