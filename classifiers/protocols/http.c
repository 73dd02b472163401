/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1: who asked with what, what a server says of itself. Only a reply identifies a device, a
 * path counts only when it was answered (2xx, 401), and nothing of a reply counts when the server
 * answers for another. Credentials never leave the parser: no cookie, no Authorization, no query
 * value. */
#include "classifiers/protocols/http.h"

#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define HEAD_AND_BODY_MAX (STREAM_BUFFER_SIZE - 512) /* waited for; then what is there is read */
#define PICTURE_WAIT      1536
#define BODY_LENGTH_MAX   (1ull << 30) /* longer bodies are not followed */
#define CALLS_MAX         256          /* of a connection that carries no video */
#define SIZE_LINE_MAX     64

void
http_tell(struct http_flow *flow, const struct inspection *in, enum evidence_attribute attribute,
	enum evidence_side side, struct text value, const struct report_sink *sink)
{
	uint32_t hash = http_hash(value.at, value.length, (uint32_t)attribute << 8);

	if (value.length == 0 || flow->told_count == HTTP_TOLD_MAX)
		return;
	for (int i = 0; i < flow->told_count; i++)
		if (flow->told[i] == hash)
			return;
	flow->told[flow->told_count++] = hash;
	if (attribute == ATTRIBUTE_HTTP_HOST)
		report_destination(
			in, &classifier_http, attribute, side, value.at, value.length, sink);
	else
		report_source(in, &classifier_http, attribute, side, value.at, value.length, sink);
}

/* A name; addresses say nothing new. */
static struct text
host_name(struct text host)
{
	bool letter = false;
	struct text name = {NULL, 0};

	if (host.length == 0 || host.at[0] == '[' || !text_split(&host, ':', &name))
		return (struct text){NULL, 0};
	for (size_t i = 0; i < name.length; i++) {
		uint8_t byte = (uint8_t)name.at[i];

		if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z')
			letter = true;
		else if (!(byte >= '0' && byte <= '9') && strchr("-._", byte) == NULL)
			return (struct text){NULL, 0};
	}
	return letter ? name : (struct text){NULL, 0};
}

static bool
is_chunked(const struct text_message *message)
{
	return text_find_nocase(text_header(message, "Transfer-Encoding"), "chunked") >= 0;
}

static bool
content_length(const struct text_message *message, uint64_t *length)
{
	struct text value = text_header(message, "Content-Length");

	return value.length > 0 && text_number(value, BODY_LENGTH_MAX, length);
}

static struct http_exchange *
exchange_of_reply(struct http_flow *flow)
{
	uint8_t waiting = (uint8_t)(flow->asked - flow->answered);

	if (waiting == 0 || waiting > HTTP_EXCHANGES_MAX)
		return NULL;
	return &flow->exchanges[flow->answered % HTTP_EXCHANGES_MAX];
}

static uint32_t
take_request(struct http_flow *flow, const struct inspection *in,
	const struct text_message *message, uint8_t *state, const struct report_sink *sink)
{
	struct http_exchange *exchange = &flow->exchanges[flow->asked++ % HTTP_EXCHANGES_MAX];
	uint64_t body = 0;
	bool forwarded;

	flow->client_is_initiator = in->from_initiator;
	*exchange = (struct http_exchange){
		.head = text_equal(message->method, "HEAD"),
		.connect = text_equal(message->method, "CONNECT"),
	};
	forwarded = exchange->connect || text_starts_nocase(message->target, "http");
	flow->forwards |= forwarded;
	text_uri_path(message->target, exchange->path, sizeof(exchange->path));
	http_tell(flow, in, ATTRIBUTE_HTTP_USER_AGENT, SIDE_TOOL,
		text_header(message, "User-Agent"), sink);
	if (!forwarded)
		http_tell(flow, in, ATTRIBUTE_HTTP_HOST, SIDE_PEER,
			host_name(text_header(message, "Host")), sink);
	if (is_chunked(message))
		*state = HTTP_CHUNK;
	else
		content_length(message, &body);
	return (uint32_t)(message->length + body);
}

static void
tell_reply(struct http_flow *flow, const struct inspection *in, const struct text_message *message,
	const struct http_exchange *exchange, const struct report_sink *sink)
{
	struct text challenge, type = text_header(message, "Content-Type"), bare = type;
	size_t at = 0;

	http_tell(
		flow, in, ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, text_header(message, "Server"), sink);
	if (text_split(&type, ';', &bare))
		http_tell(
			flow, in, ATTRIBUTE_HTTP_CONTENT_TYPE, SIDE_DEVICE, text_trim(bare), sink);
	while (message->status == 401 &&
		text_header_next(message, "WWW-Authenticate", &at, &challenge))
		http_tell(flow, in, ATTRIBUTE_HTTP_REALM, SIDE_DEVICE, text_realm(challenge), sink);
	if (exchange != NULL && exchange->path[0] == '/' && exchange->path[1] != '\0' &&
		((message->status >= 200 && message->status < 300) || message->status == 401))
		http_tell(flow, in, ATTRIBUTE_HTTP_PATH, SIDE_DEVICE,
			(struct text){exchange->path, strlen(exchange->path)}, sink);
}

/* Where the body's bytes at hand are and how long the body, or its first chunk, is. */
struct body {
	struct text seen;
	uint64_t length;
	bool known; /* the length is */
	bool chunked;
	bool none;
};

/* "1a2b;extension\r\n": returns the line's length, 0 when it is not all there, -1: no size. */
static int32_t
chunk_size(const uint8_t *data, uint32_t length, uint64_t *size)
{
	uint32_t limit = length < SIZE_LINE_MAX ? length : SIZE_LINE_MAX;
	const uint8_t *end = limit ? memchr(data, '\n', limit) : NULL;

	if (end == NULL)
		return length < SIZE_LINE_MAX ? 0 : -1;
	if (!text_hex(
		    (struct text){(const char *)data, (size_t)(end - data)}, BODY_LENGTH_MAX, size))
		return -1;
	return (int32_t)(end - data) + 1;
}

static struct body
body_of(const struct text_message *message, const struct http_exchange *exchange,
	const uint8_t *data, uint32_t length)
{
	struct body body = {
		.seen = {(const char *)data + message->length, length - message->length}};
	int32_t line;

	body.none = message->status < 200 || message->status == 204 || message->status == 304 ||
		    (exchange != NULL && exchange->head);
	body.chunked = is_chunked(message);
	if (body.chunked) {
		line = chunk_size(
			(const uint8_t *)body.seen.at, (uint32_t)body.seen.length, &body.length);
		body.known = line > 0;
		if (line > 0) {
			body.seen.at += line;
			body.seen.length -= (uint32_t)line;
		}
	} else {
		body.known = content_length(message, &body.length);
	}
	if (body.known && body.seen.length > body.length)
		body.seen.length = body.length;
	return body;
}

static bool
must_wait(const struct text_message *message, const struct body *body, enum http_document kind,
	size_t limit, uint32_t length)
{
	if (limit == 0 || length >= HEAD_AND_BODY_MAX)
		return false;
	if (body->chunked && !body->known)
		return body->seen.length < SIZE_LINE_MAX;
	if (limit > HEAD_AND_BODY_MAX - message->length)
		limit = HEAD_AND_BODY_MAX - message->length;
	if (body->known && limit > body->length)
		limit = body->length;
	return body->seen.length < limit &&
	       (kind == HTTP_NO_DOCUMENT || !http_document_ready(kind, body->seen));
}

/* What is read of the body and how much of it is worth waiting for. */
struct interest {
	enum http_document document;
	bool picture;
	size_t limit;
};

static struct interest
interest_in(const struct text_message *message, const struct body *body, bool forwarded)
{
	struct text type = text_header(message, "Content-Type");
	struct text encoding = text_header(message, "Content-Encoding");
	struct interest interest = {0};

	if (forwarded || body->none || message->status != 200 ||
		(encoding.length > 0 && !text_equal_nocase(encoding, "identity")))
		return interest;
	interest.document = http_document_kind(type);
	interest.picture = text_starts_nocase(type, "image/jpeg") && body->known && !body->chunked;
	interest.limit = interest.picture ? PICTURE_WAIT : http_document_limit(interest.document);
	return interest;
}

static bool
begin_tunnel(struct http_flow *flow, const struct text_message *message)
{
	if (message->status != 200 || !text_starts_nocase(text_header(message, "Content-Type"),
					      "application/x-rtsp-tunnelled"))
		return false;
	*flow = (struct http_flow){.tunnel = true};
	flow->rtsp.established = true;
	return true;
}

static uint32_t
take_body(struct http_flow *flow, const struct text_message *message, const struct body *body,
	uint8_t *state)
{
	struct text type = text_header(message, "Content-Type");

	if (body->none)
		return (uint32_t)message->length;
	if (http_is_jpeg_stream(type) && message->status == 200) {
		http_video_begin(flow, type, body->chunked);
		/* A chunked stream is searched for its delimiters, which follow chunk sizes. */
		*state = body->chunked ? HTTP_PART_BODY : HTTP_PART;
		return (uint32_t)message->length;
	}
	if (body->chunked) {
		*state = HTTP_CHUNK;
		return (uint32_t)message->length;
	}
	if (!body->known)
		*state = HTTP_TO_END;
	return (uint32_t)(message->length + (body->known ? body->length : 0));
}

/* Bytes of the reply done with, which may be more than `length`; 0: wait; -1: leave the flow. */
static int64_t
take_reply(struct http_flow *flow, struct inspection *in, const struct text_message *message,
	const uint8_t *data, uint32_t length, uint8_t *state, const struct report_sink *sink)
{
	struct http_exchange *exchange = exchange_of_reply(flow);
	bool forwarded = flow->forwards || text_header(message, "Via").length > 0;
	struct body body = body_of(message, exchange, data, length);
	struct interest interest = interest_in(message, &body, forwarded);

	if (must_wait(message, &body, interest.document, interest.limit, length))
		return 0;
	flow->client_is_initiator = !in->from_initiator;
	if (!forwarded)
		tell_reply(flow, in, message, exchange, sink);
	if (interest.document != HTTP_NO_DOCUMENT)
		http_document_report(flow, in, interest.document, body.seen, sink);
	if (interest.picture)
		http_video_snapshot(flow, in, exchange ? exchange->path : "",
			(const uint8_t *)body.seen.at, (uint32_t)body.seen.length, body.length,
			sink);
	if (message->status == 101 || (exchange != NULL && exchange->connect))
		return -1;
	if (message->status >= 200 && exchange != NULL)
		flow->answered++;
	if (begin_tunnel(flow, message))
		return (int64_t)message->length;
	return take_body(flow, message, &body, state);
}

/* Finds the next line that starts a message; the last bytes are kept, one may start in them. */
static uint32_t
search(const uint8_t *data, uint32_t length, uint8_t *state)
{
	static const char *const starts[] = {"HTTP/1.", "GET /", "POST /", "HEAD /", "PUT /"};

	for (uint32_t at = 0; at + 16 < length; at++) {
		struct cursor cursor = cursor_make(data + at, length - at);

		for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
			if (cursor_starts_with(&cursor, starts[i])) {
				*state = HTTP_HEAD;
				return at;
			}
	}
	return length > 16 ? length - 16 : 0;
}

static int64_t
take_head(struct http_flow *flow, struct inspection *in, const uint8_t *data, uint32_t length,
	uint8_t *state, const struct report_sink *sink)
{
	struct text_message message;

	if (data[0] == '\r' || data[0] == '\n')
		return 1;
	switch (text_message_parse(&message, "HTTP", data, length)) {
	case TEXT_NEED_MORE:
		return 0;
	case TEXT_NOT_MINE:
		if (!flow->established)
			return -2;
		*state = HTTP_SEARCH;
		return 1;
	case TEXT_COMPLETE:
		break;
	}
	flow->established = true;
	if (message.reply)
		return take_reply(flow, in, &message, data, length, state, sink);
	return take_request(flow, in, &message, state, sink);
}

static int64_t
take_chunk(const uint8_t *data, uint32_t length, uint8_t *state)
{
	uint64_t size;
	int32_t line;

	if (data[0] == '\r' || data[0] == '\n')
		return 1;
	line = chunk_size(data, length, &size);
	if (line < 0) {
		*state = HTTP_SEARCH;
		return 1;
	}
	if (line > 0 && size == 0)
		*state = HTTP_TRAILER;
	return line == 0 ? 0 : line + (int64_t)size;
}

/* Trailer fields up to an empty line. */
static int64_t
take_trailer(const uint8_t *data, uint32_t length, uint8_t *state)
{
	const uint8_t *end = memchr(data, '\n', length);

	if (end == NULL)
		return length > SIZE_LINE_MAX ? length : 0;
	if (end == data || (end == data + 1 && data[0] == '\r'))
		*state = HTTP_HEAD;
	return end - data + 1;
}

/* One step from the front of `data`: bytes done with; 0: more are needed; -1: done; -2: not HTTP.
 */
static int64_t
step(struct http_flow *flow, struct inspection *in, const uint8_t *data, uint32_t length,
	const struct report_sink *sink)
{
	uint8_t *state = &flow->states[!in->from_initiator];
	int64_t done;

	switch (*state) {
	case HTTP_HEAD:
		return take_head(flow, in, data, length, state, sink);
	case HTTP_CHUNK:
		return take_chunk(data, length, state);
	case HTTP_TRAILER:
		return take_trailer(data, length, state);
	case HTTP_PART:
		return http_video_part(flow, in, state, data, length, sink);
	case HTTP_PART_BODY:
		return http_video_part_body(flow, state, data, length);
	case HTTP_SEARCH:
		done = search(data, length, state);
		if (done > 0 || *state == HTTP_SEARCH)
			return done;
		return take_head(flow, in, data, length, state, sink);
	default:
		return length;
	}
}

static void
after_gap(struct http_flow *flow, const struct inspection *in)
{
	uint8_t *state = &flow->states[!in->from_initiator];

	if (*state == HTTP_PART || *state == HTTP_PART_BODY)
		*state = HTTP_PART_BODY;
	else if (*state != HTTP_TO_END && flow->established)
		*state = HTTP_SEARCH;
	/* Replies can no longer be told whose they are. */
	flow->asked = flow->answered = 0;
}

static bool
carries_video(const struct http_flow *flow)
{
	uint8_t client = flow->states[0], server = flow->states[1];

	return flow->video.frames > 0 || client == HTTP_PART || client == HTTP_PART_BODY ||
	       server == HTTP_PART || server == HTTP_PART_BODY;
}

static enum classifier_verdict
inspect_stream(struct inspection *in, struct http_flow *flow, const struct report_sink *sink)
{
	if (in->length == 0)
		return CLASSIFIER_MORE;
	if (flow->tunnel)
		return rtsp_inspect(in, &flow->rtsp, sink);
	if (in->gap)
		after_gap(flow, in);
	stream_ends_set(&flow->ends, in);
	if (carries_video(flow) && in->from_initiator != flow->client_is_initiator)
		wire_share_packet(&flow->share, in->packet);
	while (in->consumed < in->length) {
		int64_t done =
			step(flow, in, in->data + in->consumed, in->length - in->consumed, sink);

		if (done < 0)
			return done == -1 ? CLASSIFIER_DONE : CLASSIFIER_NOT_MINE;
		if (done == 0)
			break;
		in->consumed += (uint32_t)done;
		if (flow->tunnel)
			return rtsp_inspect(in, &flow->rtsp, sink);
	}
	if (flow->calls < UINT16_MAX)
		flow->calls++;
	return flow->calls > CALLS_MAX && !carries_video(flow) ? CLASSIFIER_DONE : CLASSIFIER_MORE;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct http_flow *flow = scratch;
	enum classifier_verdict verdict = inspect_stream(in, flow, sink);

	in->recognized = flow->established || flow->tunnel;
	return verdict;
}

static void
finish(void *scratch, const struct report_sink *sink)
{
	struct http_flow *flow = scratch;

	if (flow->tunnel)
		rtsp_finish(&flow->rtsp, sink);
	else
		http_video_finish(flow, sink);
}

const struct classifier classifier_http = {
	.name = "http",
	.reference = "RFC 9110, RFC 9112, RFC 2046 section 5.1",
	.protocol = "http",
	.match = {{
		.layer = MATCH_TCP,
		.ports = {80, 8080, 8000, 81, 88, 8081, 8899, 2020, 49152},
		.magics =
			{
				{.length = 5, .bytes = "GET /"},
				{.length = 5, .bytes = "POST "},
				{.length = 5, .bytes = "HEAD "},
				{.length = 5, .bytes = "PUT /"},
				{.length = 7, .bytes = "HTTP/1."},
				{.length = 8, .bytes = "OPTIONS "},
				{.length = 8, .bytes = "CONNECT "},
				{.length = 8, .bytes = "GET http"},
			},
	}},
	.match_count = 1,
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.scratch_size = sizeof(struct http_flow),
	.inspect = inspect,
	.finish = finish,
};
