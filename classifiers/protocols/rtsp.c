/* SPDX-License-Identifier: Apache-2.0 */
/* RTSP: who asked, who answered, what was described and set up. Only an answer identifies a device,
 * and a path counts only when it was answered with success. */
#include "classifiers/protocols/rtsp.h"

#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define BODY_WAIT    6144  /* largest description waited for; of a longer one the start is read */
#define SEARCH_LIMIT 32768 /* bytes without a message before a flow is given up */
#define BODY_MAX     (16u << 20)

static enum rtsp_method
method_of(struct text method)
{
	static const struct {
		const char *name;
		enum rtsp_method method;
	} methods[] = {{"DESCRIBE", RTSP_DESCRIBE}, {"ANNOUNCE", RTSP_ANNOUNCE},
		{"SETUP", RTSP_SETUP}, {"PLAY", RTSP_PLAY}, {"RECORD", RTSP_RECORD}};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (text_equal_nocase(method, methods[i].name))
			return methods[i].method;
	return RTSP_OTHER;
}

/* One report of each attribute a flow: a bit per attribute, relative to the first of RTSP. */
static void
tell(struct rtsp_flow *flow, const struct inspection *in, enum evidence_attribute attribute,
	enum evidence_side side, struct text value, const struct report_sink *sink)
{
	uint32_t bit = 1u << (attribute - ATTRIBUTE_RTSP_SERVER);

	if (value.length == 0 || flow->told & bit)
		return;
	flow->told |= bit;
	report_source(in, &classifier_rtsp, attribute, side, value.at, value.length, sink);
}

static void
tell_description(struct rtsp_flow *flow, const struct inspection *in, const struct sdp *sdp,
	const struct report_sink *sink)
{
	tell(flow, in, ATTRIBUTE_SDP_SESSION, SIDE_DEVICE, sdp->session, sink);
	tell(flow, in, ATTRIBUTE_SDP_INFORMATION, SIDE_DEVICE, sdp->information, sink);
	tell(flow, in, ATTRIBUTE_SDP_TOOL, SIDE_DEVICE, sdp->tool, sink);
	if (flow->told & 1u << (ATTRIBUTE_SDP_ATTRIBUTE - ATTRIBUTE_RTSP_SERVER))
		return;
	for (size_t i = 0; i < sdp->vendor_count; i++)
		report_source(in, &classifier_rtsp, ATTRIBUTE_SDP_ATTRIBUTE, SIDE_DEVICE,
			sdp->vendor[i].at, sdp->vendor[i].length, sink);
	if (sdp->vendor_count > 0)
		flow->told |= 1u << (ATTRIBUTE_SDP_ATTRIBUTE - ATTRIBUTE_RTSP_SERVER);
}

static void
take_description(struct rtsp_flow *flow, const struct inspection *in, const uint8_t *body,
	uint32_t length, const struct report_sink *sink)
{
	struct sdp sdp;

	if (!sdp_parse(&sdp, body, length))
		return;
	rtsp_remember_media(flow, &sdp);
	tell_description(flow, in, &sdp, sink);
}

static uint32_t
cseq_of(const struct text_message *message)
{
	uint64_t number = 0;

	text_number(text_header(message, "CSeq"), UINT32_MAX, &number);
	return (uint32_t)number;
}

static void
take_request(struct rtsp_flow *flow, const struct inspection *in,
	const struct text_message *message, const struct report_sink *sink)
{
	enum rtsp_method method = method_of(message->method);
	struct rtsp_request *request = &flow->requests[flow->next_request++ % RTSP_REQUESTS_MAX];

	*request = (struct rtsp_request){
		.cseq = cseq_of(message),
		.method = (uint8_t)method,
		.medium = RTSP_NO_MEDIUM,
		.pending = true,
		.from_initiator = in->from_initiator,
	};
	if (method == RTSP_SETUP)
		request->medium = rtsp_medium_by_uri(flow, message->target);
	if (method == RTSP_ANNOUNCE || method == RTSP_RECORD)
		flow->pushed = true;
	if (method == RTSP_DESCRIBE || method == RTSP_ANNOUNCE ||
		(method != RTSP_OTHER && flow->path[0] == '\0'))
		text_uri_path(message->target, flow->path, sizeof(flow->path));
	tell(flow, in, ATTRIBUTE_RTSP_USER_AGENT, SIDE_TOOL, text_header(message, "User-Agent"),
		sink);
}

static struct rtsp_request *
request_of(struct rtsp_flow *flow, const struct text_message *reply, bool from_initiator)
{
	uint32_t cseq = cseq_of(reply);

	for (int i = 0; i < RTSP_REQUESTS_MAX; i++) {
		struct rtsp_request *request = &flow->requests[i];

		if (request->pending && request->cseq == cseq &&
			request->from_initiator != from_initiator)
			return request;
	}
	return NULL;
}

static void
tell_realms(struct rtsp_flow *flow, const struct inspection *in, const struct text_message *message,
	const struct report_sink *sink)
{
	size_t at = 0;
	struct text challenge;

	while (text_header_next(message, "WWW-Authenticate", &at, &challenge))
		tell(flow, in, ATTRIBUTE_RTSP_REALM, SIDE_DEVICE, text_realm(challenge), sink);
}

static void
tell_path(struct rtsp_flow *flow, const struct inspection *in, const struct report_sink *sink)
{
	struct text path = {flow->path, strnlen(flow->path, sizeof(flow->path))};

	if (!flow->pushed && path.length > 1)
		tell(flow, in, ATTRIBUTE_RTSP_PATH, SIDE_DEVICE, path, sink);
}

/* A reply tells its method even when the request was missed: only DESCRIBE is answered with a
 * description, only SETUP with a transport. */
static void
take_reply(struct rtsp_flow *flow, const struct inspection *in, const struct text_message *message,
	const struct report_sink *sink)
{
	struct rtsp_request *request = request_of(flow, message, in->from_initiator);
	enum rtsp_method method = request ? request->method : RTSP_OTHER;
	struct text transport = text_header(message, "Transport"), base;
	bool success = message->status >= 200 && message->status < 300;

	tell(flow, in, ATTRIBUTE_RTSP_SERVER, SIDE_DEVICE, text_header(message, "Server"), sink);
	if (message->status == 401)
		tell_realms(flow, in, message, sink);
	if (success) {
		tell(flow, in, ATTRIBUTE_RTSP_PUBLIC, SIDE_DEVICE, text_header(message, "Public"),
			sink);
		base = text_header(message, "Content-Base");
		if (flow->path[0] == '\0' && base.length > 0)
			text_uri_path(base, flow->path, sizeof(flow->path));
		if (transport.length > 0)
			rtsp_report_setup(flow, in, request ? request->medium : RTSP_NO_MEDIUM,
				transport, sink);
		if (method == RTSP_DESCRIBE || method == RTSP_SETUP || method == RTSP_PLAY ||
			base.length > 0)
			tell_path(flow, in, sink);
	}
	if (request)
		request->pending = false;
}

static bool
has_description(const struct text_message *message)
{
	if (message->reply && (message->status < 200 || message->status >= 300))
		return false;
	return text_starts_nocase(text_header(message, "Content-Type"), "application/sdp") &&
	       (message->reply || method_of(message->method) == RTSP_ANNOUNCE);
}

/* Bytes of the message at `data`, which may be more than `length`; 0: wait for more. */
static uint32_t
take_message(struct rtsp_flow *flow, const struct inspection *in, const uint8_t *data,
	uint32_t length, const struct text_message *message, const struct report_sink *sink)
{
	uint64_t body = 0;
	uint32_t available = length - (uint32_t)message->length;
	bool description = has_description(message);

	text_number(text_header(message, "Content-Length"), BODY_MAX, &body);
	if (description && available < body && available < BODY_WAIT)
		return 0;
	if (message->reply)
		take_reply(flow, in, message, sink);
	else
		take_request(flow, in, message, sink);
	if (description)
		take_description(flow, in, data + message->length,
			available < body ? available : (uint32_t)body, sink);
	return (uint32_t)(message->length + body);
}

static bool
starts_message(const uint8_t *data, uint32_t length)
{
	static const char *const starts[] = {"RTSP/1.0 ", "RTSP/2.0 ", "OPTIONS rtsp", "SETUP rtsp",
		"DESCRIBE rtsp", "PLAY rtsp", "TEARDOWN rtsp", "GET_PARAMETER rtsp"};
	struct cursor cursor = cursor_make(data, length);

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (cursor_starts_with(&cursor, starts[i]))
			return true;
	return false;
}

/* Moves to the next message or frame. The last bytes are kept: one may start in them. */
static uint32_t
search(struct rtsp_flow *flow, bool responder, const uint8_t *data, uint32_t length)
{
	uint32_t at = 0;

	for (; at + RTP_HEADER_SIZE + 8 < length; at++)
		if (rtsp_is_frame(flow, data + at, length - at) ||
			starts_message(data + at, length - at)) {
			flow->searching[responder] = false;
			break;
		}
	flow->searched += at;
	return at;
}

/* One step from the front of `data`: bytes done with, 0 when more are needed, -1: not RTSP. */
static int64_t
step(struct rtsp_flow *flow, const struct inspection *in, const uint8_t *data, uint32_t length,
	const struct report_sink *sink)
{
	bool responder = !in->from_initiator;
	struct text_message message;

	if (flow->searching[responder]) {
		uint32_t passed = search(flow, responder, data, length);

		if (passed > 0 || flow->searching[responder])
			return passed;
	}
	if (data[0] == '\r' || data[0] == '\n')
		return 1;
	if (data[0] == '$' && (flow->established || rtsp_is_frame(flow, data, length))) {
		flow->established = true;
		return rtsp_take_frame(flow, in, data, length, sink);
	}
	switch (text_message_parse(&message, "RTSP", data, length)) {
	case TEXT_COMPLETE:
		flow->established = true;
		return take_message(flow, in, data, length, &message, sink);
	case TEXT_NEED_MORE:
		return 0;
	default:
		break;
	}
	/* Readable text of another protocol is none of ours; the middle of a media frame may be. */
	if (!flow->established && data[0] != '$' && data[0] >= ' ' && data[0] < 0x7f)
		return -1;
	flow->searching[responder] = true;
	return search(flow, responder, data, length);
}

enum classifier_verdict
rtsp_inspect(struct inspection *in, struct rtsp_flow *flow, const struct report_sink *sink)
{
	if (in->length == 0)
		return CLASSIFIER_MORE;
	if (in->gap)
		flow->searching[!in->from_initiator] = true;
	stream_ends_set(&flow->ends, in);
	wire_share_packet(&flow->share[!in->from_initiator], in->packet);
	while (in->consumed < in->length) {
		int64_t done =
			step(flow, in, in->data + in->consumed, in->length - in->consumed, sink);

		if (done < 0)
			return CLASSIFIER_NOT_MINE;
		if (done == 0)
			break;
		in->consumed += (uint32_t)done;
	}
	return !flow->established && flow->searched > SEARCH_LIMIT ? CLASSIFIER_NOT_MINE
								   : CLASSIFIER_MORE;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct rtsp_flow *flow = scratch;
	enum classifier_verdict verdict = rtsp_inspect(in, flow, sink);

	in->recognized = flow->established;
	return verdict;
}

static void
finish(void *scratch, const struct report_sink *sink)
{
	rtsp_finish(scratch, sink);
}

const struct classifier classifier_rtsp = {
	.name = "rtsp",
	.reference = "RFC 2326, RFC 7826, RFC 8866",
	.protocol = "rtsp",
	.match = {{
		.layer = MATCH_TCP,
		.ports = {554, 8554, 10554, 5554, 1554, 7070},
		.magics =
			{
				{.length = 8, .bytes = "OPTIONS "},
				{.length = 8, .bytes = "DESCRIBE"},
				{.length = 8, .bytes = "ANNOUNCE"},
				{.length = 8, .bytes = "SETUP rt"},
				{.length = 8, .bytes = "PLAY rts"},
				{.length = 7, .bytes = "RTSP/1."},
				{.length = 8, .bytes = "GET_PARA"},
				{.length = 8, .bytes = "SET_PARA"},
			},
	}},
	.match_count = 1,
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.scratch_size = sizeof(struct rtsp_flow),
	.inspect = inspect,
	.finish = finish,
};
