/* SPDX-License-Identifier: Apache-2.0 */
/* Video streams: what a session description promised, what a meter saw, and the record of both. */
#ifndef CAMSPAN_RECORDS_STREAM_RECORD_H
#define CAMSPAN_RECORDS_STREAM_RECORD_H

#include "dataplane/records/address.h"

#include <stdbool.h>
#include <stdint.h>

enum video_codec {
	CODEC_UNKNOWN,
	CODEC_H264,
	CODEC_H265,
	CODEC_MJPEG,
	CODEC_MPEG4,
	CODEC_AUDIO,    /* any audio: measured, never shown as video */
	CODEC_METADATA, /* ONVIF metadata and other application media */
};

enum stream_transport {
	STREAM_RTP_UDP,
	STREAM_RTP_TCP_INTERLEAVED, /* RFC 2326 section 10.12 */
	STREAM_RTP_MULTICAST,
	STREAM_HTTP_MJPEG,
	STREAM_VENDOR, /* a vendor's own framing (Baichuan, DVRIP) */
	STREAM_ENCRYPTED,
};

/* One medium of an RTSP session, from its DESCRIBE and SETUP replies. */
struct stream_media {
	int64_t time;
	struct endpoint server; /* the RTSP server: port is its RTSP port */
	struct endpoint client;
	struct mac_address server_mac;
	struct mac_address client_mac;
	struct ip_address destination; /* multicast group or third party, if the reply names one */
	uint16_t vlan;
	uint32_t tenant;
	uint16_t server_rtp_port; /* UDP; 0 for interleaved */
	uint16_t client_rtp_port;
	uint8_t channel;   /* interleaved RTP channel */
	uint8_t transport; /* enum stream_transport */
	uint8_t codec;     /* enum video_codec */
	uint8_t payload_type;
	uint32_t clock_rate; /* Hz */
	uint32_t ssrc;       /* 0 when not announced */
	uint16_t width;      /* from sprop-parameter-sets or attributes; 0 unknown */
	uint16_t height;
	float fps;     /* announced, 0 unknown */
	char path[96]; /* request URI path without credentials and query values */
};

/* Cumulative measurements of one RTP source between two endpoints (RFC 3550). */
struct stream_sample {
	int64_t first; /* nanoseconds since the epoch */
	int64_t last;
	struct endpoint source; /* sender of the RTP packets */
	struct endpoint destination;
	struct mac_address source_mac;
	struct mac_address destination_mac;
	uint16_t vlan;
	uint32_t tenant;
	uint32_t ssrc;
	uint32_t clock_rate; /* assumed or announced, Hz */
	uint64_t packets;
	uint64_t bytes;         /* RTP bytes with header */
	uint64_t wire_bytes;    /* bytes of the packets on the wire, attributed to this source */
	uint64_t payload_bytes; /* RTP payload */
	uint64_t expected;      /* from sequence numbers */
	uint64_t reordered;
	uint64_t duplicates;
	uint64_t frames; /* video: access units, by timestamp */
	uint64_t keyframes;
	int64_t first_frame; /* time of the first and last frame start, for the frame rate */
	int64_t last_frame;
	uint64_t media_ticks; /* RTP timestamp distance from the first to the last frame */
	uint32_t gop;         /* frames between the last two keyframes, 0 unknown */
	double jitter_ms;     /* RFC 3550 section 6.4.1 */
	uint16_t width;       /* from parameter sets in the stream, 0 unknown */
	uint16_t height;
	uint8_t payload_type;
	uint8_t channel;   /* interleaved */
	uint8_t transport; /* enum stream_transport */
	uint8_t codec;     /* enum video_codec, CODEC_UNKNOWN if neither announced nor recognised */
	bool encrypted;
	bool ended;
};

#define STREAM_ID_SIZE 17

/* What is known of one stream; the output of classifiers/streams. */
struct stream_record {
	char id[STREAM_ID_SIZE];        /* stable for the endpoints, SSRC or path, and transport */
	char device_id[STREAM_ID_SIZE]; /* the camera's device id, "" unknown */
	int64_t first;
	int64_t last;
	struct endpoint camera;
	struct endpoint viewer;
	struct mac_address camera_mac;
	struct mac_address viewer_mac;
	uint16_t vlan;
	uint32_t tenant;
	uint8_t transport;
	uint8_t codec;
	uint16_t width;
	uint16_t height;
	double fps;
	uint64_t bitrate; /* bit/s on the wire over the stream's life */
	uint64_t packets;
	uint64_t bytes;
	uint64_t lost; /* expected - received, never below 0 */
	uint64_t reordered;
	double jitter_ms;
	uint32_t gop;
	bool encrypted;
	bool ended;
	char path[96];
};

const char *video_codec_name(enum video_codec codec);               /* "h264", ... "unknown" */
const char *stream_transport_name(enum stream_transport transport); /* "rtp-udp", ... */

#endif
