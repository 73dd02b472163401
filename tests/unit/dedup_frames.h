/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of every kind that deduplication reads differently. */
#ifndef CAMSPAN_TESTS_DEDUP_FRAMES_H
#define CAMSPAN_TESTS_DEDUP_FRAMES_H

#include "tests/unit/frames.h"

#define IP      14 /* offset of the network header */
#define PAYLOAD 1100

static const struct frame_end camera = {1, 5004}, viewer = {2, 40000};

static inline void
add_tag(struct frame *frame, uint16_t vlan)
{
	memmove(frame->bytes + 16, frame->bytes + 12, frame->length - 12);
	frame_put16(frame, 12, 0x8100);
	frame_put16(frame, 14, vlan);
	frame->length += 4;
}

/* RTP: version, marker and type, sequence, timestamp, SSRC; then video that looks random. */
static inline void
make_payload(uint8_t payload[PAYLOAD])
{
	static const uint8_t header[12] = {0x80, 96, 0x12, 0x34, 0, 0, 0, 9, 1, 2, 3, 4};

	for (unsigned i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 167 + (i >> 8));
	memcpy(payload, header, sizeof(header));
}

static inline void
make_udp(struct frame *frame)
{
	uint8_t payload[PAYLOAD];

	make_payload(payload);
	frame_udp(frame, camera, viewer, payload, PAYLOAD);
	frame_put16(frame, IP + 4, 0x4711);
	frame_put16(frame, IP + 10, 0xabcd);
	frame_put16(frame, IP + 26, 0x1357);
}

static inline void
make_tcp(struct frame *frame)
{
	frame_tcp(frame, camera, viewer, 0x18, 1000, 5000, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
}

static inline void
make_udp6(struct frame *frame)
{
	uint8_t payload[PAYLOAD];

	make_payload(payload);
	frame_ipv6(frame, 1, 2, 17, 8 + PAYLOAD);
	frame_append(frame, "\x13\x8c\x9c\x40\x04\x54\0\0", 8);
	frame_append(frame, payload, PAYLOAD);
}

static inline void
make_tcp6(struct frame *frame)
{
	frame_ipv6(frame, 1, 2, 6, 20);
	frame_tcp_header(frame, camera, viewer, 0x10, 7, 8);
}

static inline void
make_icmp(struct frame *frame)
{
	frame_ipv4(frame, 1, 2, 1, 16);
	frame_append(frame, "\x08\0\xaa\xbb\0\1\0\2payloads", 16);
}

static inline void
make_icmp6(struct frame *frame)
{
	frame_ipv6(frame, 1, 2, 58, 16);
	frame_append(frame, "\x80\0\xaa\xbb\0\1\0\2payloads", 16);
}

static inline void
make_sctp(struct frame *frame)
{
	frame_ipv4(frame, 1, 2, 132, 20);
	frame_append(frame, "\x10\0\x20\0vtagcrc.datadata", 20);
}

static inline void
make_other(struct frame *frame)
{
	frame_ipv4(frame, 1, 2, 253, 12); /* for experiments */
	frame_append(frame, "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b", 12);
}

static inline void
make_later_fragment(struct frame *frame)
{
	frame_ipv4(frame, 1, 2, 17, 40);
	frame_put16(frame, IP + 4, 77);
	frame_put16(frame, IP + 6, 185);
	frame_append(frame, "forty bytes of the middle of a datagram.", 40);
}

/* A destination option header, as any extension. */
static inline void
make_extension6(struct frame *frame)
{
	frame_ipv6(frame, 1, 2, 60, 24);
	frame_append(frame, "\x11\0\x01\x04\0\0\0\0\x13\x8c\x9c\x40\0\x10\0\0payloads", 24);
}

static inline void
make_later_fragment6(struct frame *frame)
{
	frame_ipv6(frame, 1, 2, 44, 24);
	frame_append(frame, "\x11\0\0\x08\0\0\0\x07the middle of it", 24);
}

static void (*const makers[])(struct frame *) = {make_udp, make_tcp, make_udp6, make_tcp6,
	make_icmp, make_icmp6, make_sctp, make_other, make_later_fragment, make_extension6,
	make_later_fragment6};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

#endif
