/* SPDX-License-Identifier: Apache-2.0 */
/* Measures one RTP source (RFC 3550) in constant memory: loss, order, jitter, frames, keyframes,
 * picture size. Runs on every video packet of a worker lcore. */
#ifndef CAMSPAN_PROTOCOLS_RTP_METER_H
#define CAMSPAN_PROTOCOLS_RTP_METER_H

#include "dataplane/records/stream_record.h"

#include <stdbool.h>
#include <stdint.h>

#define RTP_HEADER_SIZE     12
#define RTP_VIDEO_CLOCK     90000 /* every video payload format of RFC 3551 and later */
#define RTP_REPORT_INTERVAL (5 * INT64_C(1000000000)) /* packet time between samples */

/* One RTP packet; lengths are of the wire, `captured` is what of the payload can be read. */
struct rtp_packet {
	int64_t time; /* arrival, nanoseconds */
	const uint8_t *payload;
	uint32_t captured;
	uint32_t payload_length; /* without header and padding */
	uint32_t length;         /* RTP bytes with header and padding */
	uint32_t wire_bytes;
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	uint8_t payload_type;
	bool marker;
};

/* What the first packets of a source of unknown codec have in common. */
struct rtp_guess {
	uint32_t first_bytes;  /* set of payload[0] >> 3 */
	uint32_t second_bytes; /* set of payload[1] >> 3 */
	uint8_t packets;
	uint8_t h264; /* packets that could be it; UINT8_MAX: one could not */
	uint8_t h265;
};

struct rtp_meter {
	/* Every packet: two cache lines. */
	int64_t last;    /* arrival of the last packet */
	uint64_t window; /* bit n: highest sequence - n has arrived */
	uint64_t bytes;
	uint64_t wire_bytes;
	uint64_t payload_bytes;
	uint64_t packets; /* duplicates excluded */
	uint32_t highest; /* extended: cycles in the upper half */
	uint32_t ssrc;
	uint32_t clock_rate;
	uint32_t last_timestamp;  /* of the packet that arrived last */
	uint32_t frame_timestamp; /* of the newest frame */
	uint32_t jitter;          /* RFC 3550 A.8: ticks times 16 */
	uint32_t restart_at;      /* sequence that would confirm a restart; none: > UINT16_MAX */
	uint32_t frames;
	uint8_t payload_type;
	uint8_t codec; /* enum video_codec */
	bool codec_certain;
	bool frame_is_key;
	bool encrypted;
	bool clock_certain;
	/* Every frame. */
	int64_t last_frame;
	int64_t media_ticks; /* signed: B frames step back */
	/* Less often. */
	int64_t first; /* arrival of the first packet */
	int64_t first_frame;
	uint64_t expected_before; /* in the sequence runs before the last restart */
	uint32_t reordered;
	uint32_t duplicates;
	uint32_t keyframes;
	uint32_t keyframe_at; /* value of `frames` at the last keyframe */
	uint32_t gop;
	uint32_t base; /* extended sequence number of the current run's first packet */
	struct rtp_guess guess;
	uint16_t width;
	uint16_t height;
};

_Static_assert(sizeof(struct rtp_meter) <= 256, "several meters share one flow's scratch");

/* Reads the header of RFC 3550 section 5.1 with CSRC list, extension and padding; fills all but
 * time and wire_bytes. `length` is the packet's length on the wire, at least `captured`. False when
 * it is not RTP version 2 or what it claims does not fit. */
bool rtp_parse(const uint8_t *data, uint32_t captured, uint32_t length, struct rtp_packet *packet);
/* Payload types 72..76 with the marker bit are RTCP's 200..204 (RFC 5761 section 4). */
bool rtp_is_rtcp(const uint8_t *data, uint32_t length);

/* Starts with a packet, which must then be given to rtp_meter_packet() too. */
void rtp_meter_start(struct rtp_meter *meter, const struct rtp_packet *packet);
/* What the session description said; a zero clock rate or an unknown codec is left to be found. */
void rtp_meter_announce(struct rtp_meter *meter, enum video_codec codec, uint32_t clock_rate,
	uint16_t width, uint16_t height);
void rtp_meter_packet(struct rtp_meter *meter, const struct rtp_packet *packet);
/* Fills everything but endpoints, MACs, VLAN, tenant, channel, transport and `ended`. */
void rtp_meter_sample(const struct rtp_meter *meter, struct stream_sample *sample);
/* Video whose codec is known and that really flows: two frames and 16 packets. */
bool rtp_meter_shows_video(const struct rtp_meter *meter);

#endif
