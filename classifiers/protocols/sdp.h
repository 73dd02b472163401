/* SPDX-License-Identifier: Apache-2.0 */
/* Session descriptions (RFC 8866) as cameras write them: what names the device, and its media. */
#ifndef CAMSPAN_PROTOCOLS_SDP_H
#define CAMSPAN_PROTOCOLS_SDP_H

#include "classifiers/protocols/text_message.h"
#include "dataplane/records/stream_record.h"

#define SDP_MEDIA_MAX  6
#define SDP_VENDOR_MAX 6

struct sdp_media {
	struct text control; /* relative or absolute; points into the description */
	uint32_t clock_rate; /* 0 unknown */
	uint16_t width;      /* 0 unknown */
	uint16_t height;
	float fps; /* 0 unknown */
	uint8_t payload_type;
	uint8_t codec; /* enum video_codec */
	bool video;
};

struct sdp {
	struct text session;     /* s= */
	struct text information; /* i= of the session */
	struct text tool;        /* a=tool */
	size_t vendor_count;
	struct text vendor[SDP_VENDOR_MAX]; /* a= lines that no RFC knows, without "a=" */
	size_t media_count;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/* Reads what is there; a cut description gives what it holds. False when it does not begin with
 * v=0. */
bool sdp_parse(struct sdp *sdp, const void *description, size_t length);

#endif
