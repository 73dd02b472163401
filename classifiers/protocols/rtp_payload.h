/* SPDX-License-Identifier: Apache-2.0 */
/* What the first bytes of an RTP payload say: keyframe, picture size, codec. */
#ifndef CAMSPAN_PROTOCOLS_RTP_PAYLOAD_H
#define CAMSPAN_PROTOCOLS_RTP_PAYLOAD_H

#include "classifiers/protocols/rtp_meter.h"
#include "classifiers/protocols/video_parameters.h"

struct rtp_finding {
	struct video_size size; /* width 0: none */
	bool keyframe;          /* the payload belongs to a picture that needs no other */
};

struct rtp_verdict {
	enum video_codec codec; /* CODEC_UNKNOWN: not yet, or never */
	bool encrypted;         /* valid when decided */
	bool decided;           /* a round of packets is over; the next one begins */
};

void rtp_payload_look(enum video_codec codec, const uint8_t *payload, uint32_t length,
	struct rtp_finding *finding);
/* Adds one payload of a source without announced codec. */
struct rtp_verdict rtp_payload_guess(
	struct rtp_guess *guess, const uint8_t *payload, uint32_t length);

#endif
