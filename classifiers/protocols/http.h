/* SPDX-License-Identifier: Apache-2.0 */
/* State of one HTTP/1 connection, shared by http.c (heads), http_document.c (what pages and device
 * descriptions say) and http_video.c (motion JPEG). */
#ifndef CAMSPAN_PROTOCOLS_HTTP_H
#define CAMSPAN_PROTOCOLS_HTTP_H

#include "classifiers/protocols/rtsp.h"
#include "classifiers/protocols/stream_ends.h"
#include "classifiers/protocols/text_message.h"

#define HTTP_EXCHANGES_MAX 4 /* pipelined requests whose path is remembered */
#define HTTP_TOLD_MAX      16
#define HTTP_BOUNDARY_SIZE 48

/* What a direction sends next. */
enum http_state {
	HTTP_HEAD,
	HTTP_CHUNK,     /* the size line of a chunk */
	HTTP_TRAILER,   /* lines after the last chunk */
	HTTP_PART,      /* the head of a multipart part */
	HTTP_PART_BODY, /* of unknown length: up to the next boundary */
	HTTP_TO_END,    /* a body that ends with the connection, or nothing we follow */
	HTTP_SEARCH,    /* bytes were missed: the next head is looked for */
};

struct http_exchange {
	char path[96];
	bool head; /* HEAD: the reply has no body */
	bool connect;
};

/* Motion JPEG: parts of one reply, or replies to one path that a viewer polls. */
struct http_video {
	int64_t first;
	int64_t last;
	int64_t reported;
	uint64_t bytes;
	uint64_t wire_bytes;
	uint32_t frames;
	uint32_t path_hash;
	uint16_t width;
	uint16_t height;
	uint8_t size_tries;
	bool chunked;
	bool sized; /* the last part told its length */
	bool told;
	char boundary[HTTP_BOUNDARY_SIZE]; /* without leading dashes */
};

struct http_flow {
	bool tunnel; /* RTSP over HTTP: the rest is for rtsp */
	union {
		struct {
			struct http_exchange exchanges[HTTP_EXCHANGES_MAX];
			struct http_video video;
			struct stream_ends ends;
			struct wire_share share;
			uint32_t told[HTTP_TOLD_MAX]; /* hashes of facts reported already */
			uint16_t calls;
			uint8_t told_count;
			uint8_t states[2]; /* from the initiator, from the responder */
			bool forwards;     /* requests are for other servers: CONNECT or an absolute
					      target */
			uint8_t asked;     /* requests seen and replies seen, modulo 256 */
			uint8_t answered;
			bool established;
			bool client_is_initiator;
		};
		struct rtsp_flow rtsp;
	};
};

_Static_assert(sizeof(struct http_flow) <= CLASSIFIER_SCRATCH_MAX, "scratch of one flow");

/* Reports a fact about the packet's source once a flow. */
void http_tell(struct http_flow *flow, const struct inspection *in,
	enum evidence_attribute attribute, enum evidence_side side, struct text value,
	const struct report_sink *sink);

/* http_document.c. Which documents are worth waiting for. */
enum http_document { HTTP_NO_DOCUMENT, HTTP_PAGE, HTTP_XML };
enum http_document http_document_kind(struct text content_type);
/* True when what is wanted of the document is there already. */
bool http_document_ready(enum http_document kind, struct text document);
size_t http_document_limit(enum http_document kind);
void http_document_report(struct http_flow *flow, const struct inspection *in,
	enum http_document kind, struct text document, const struct report_sink *sink);

/* http_video.c */
bool http_is_jpeg_stream(struct text content_type);
void http_video_begin(struct http_flow *flow, struct text content_type, bool chunked);
/* Steps through parts: bytes done with, which may be more than `length`; 0: more are needed. */
uint32_t http_video_part(struct http_flow *flow, struct inspection *in, uint8_t *state,
	const uint8_t *data, uint32_t length, const struct report_sink *sink);
uint32_t http_video_part_body(
	struct http_flow *flow, uint8_t *state, const uint8_t *data, uint32_t length);
/* A whole picture as a reply. `length` bytes of `size` are at hand. */
void http_video_snapshot(struct http_flow *flow, const struct inspection *in, const char *path,
	const uint8_t *jpeg, uint32_t length, uint64_t size, const struct report_sink *sink);
void http_video_finish(struct http_flow *flow, const struct report_sink *sink);
uint32_t http_hash(const void *data, size_t length, uint32_t seed);

#endif
