/* SPDX-License-Identifier: Apache-2.0 */
/* State of one RTSP connection, shared by rtsp.c (messages) and rtsp_media.c (media). */
#ifndef CAMSPAN_PROTOCOLS_RTSP_H
#define CAMSPAN_PROTOCOLS_RTSP_H

#include "classifiers/protocols/rtp_meter.h"
#include "classifiers/protocols/sdp.h"
#include "classifiers/protocols/stream_ends.h"

#define RTSP_MEDIA_MAX    4
#define RTSP_CHANNELS_MAX 3 /* metered interleaved RTP channels */
#define RTSP_REQUESTS_MAX 6 /* unanswered requests remembered */
#define RTSP_NO_MEDIUM    INT8_MAX
#define RTSP_NO_CHANNEL   UINT8_MAX

enum rtsp_method {
	RTSP_OTHER,
	RTSP_DESCRIBE,
	RTSP_ANNOUNCE,
	RTSP_SETUP,
	RTSP_PLAY,
	RTSP_RECORD,
};

struct rtsp_request {
	uint32_t cseq;
	uint8_t method; /* enum rtsp_method */
	int8_t medium;  /* of a SETUP, RTSP_NO_MEDIUM unknown */
	bool pending;
	bool from_initiator;
};

struct rtsp_medium {
	uint32_t control_hash; /* of the control URI without scheme and authority */
	uint16_t control_length;
	bool control_absolute;
	uint8_t codec;
	uint8_t payload_type;
	uint8_t channel; /* interleaved, RTSP_NO_CHANNEL none */
	uint16_t width;
	uint16_t height;
	uint32_t clock_rate;
	float fps;
};

struct rtsp_channel {
	struct rtp_meter meter;
	int64_t reported;
	uint8_t channel;
	bool used;
	bool from_initiator;
	bool video_told;
};

struct rtsp_flow {
	struct rtsp_channel channels[RTSP_CHANNELS_MAX];
	struct rtsp_medium media[RTSP_MEDIA_MAX];
	struct rtsp_request requests[RTSP_REQUESTS_MAX];
	struct stream_ends ends;
	struct wire_share share[2]; /* of the initiator, of the responder */
	uint32_t searched;          /* bytes in which no message was found */
	uint32_t told;              /* attributes reported already, a bit each */
	uint8_t media_count;
	uint8_t setups;
	uint8_t next_request;
	bool established; /* a message or a media frame was seen */
	bool searching[2];
	bool pushed; /* ANNOUNCE or RECORD: the client sends the media */
	char path[96];
};

_Static_assert(sizeof(struct rtsp_flow) <= CLASSIFIER_SCRATCH_MAX - 16, "scratch of one flow");

/* The classifier's callbacks, for RTSP tunnelled in another protocol. */
enum classifier_verdict rtsp_inspect(
	struct inspection *in, struct rtsp_flow *flow, const struct report_sink *sink);
void rtsp_finish(struct rtsp_flow *flow, const struct report_sink *sink);

/* rtsp_media.c */
void rtsp_remember_media(struct rtsp_flow *flow, const struct sdp *sdp);
int8_t rtsp_medium_by_uri(const struct rtsp_flow *flow, struct text uri);
/* The answer to a SETUP. */
void rtsp_report_setup(struct rtsp_flow *flow, const struct inspection *in, int8_t medium,
	struct text transport, const struct report_sink *sink);
/* Takes the frame at `data`, which starts with '$' (RFC 2326 section 10.12). Returns the bytes it
 * is long, which may be more than `length`; 0 when more bytes are needed. */
uint32_t rtsp_take_frame(struct rtsp_flow *flow, const struct inspection *in, const uint8_t *data,
	uint32_t length, const struct report_sink *sink);
/* Could a media frame start here? Asked while searching: true only for what is surely one. */
bool rtsp_is_frame(const struct rtsp_flow *flow, const uint8_t *data, uint32_t length);

#endif
