/* SPDX-License-Identifier: Apache-2.0 */
/* RTP over UDP on any port, found by the continuity of its own header fields, without signalling.
 * Several sources of one flow (both directions, bundled audio and video) are metered apart. */
#include "classifiers/protocols/rtp_meter.h"
#include "classifiers/protocols/stream_ends.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <endian.h>
#include <string.h>

#define SOURCES_MAX 4 /* per flow; further ones pass unmeasured */
/* Packets with consecutive sequence numbers, one SSRC and payload type that make a source. More
 * where the timestamp has not moved yet (the packets of one large frame); fewer where a sender
 * report has named the SSRC. */
#define CONFIRM_PACKETS       5
#define CONFIRM_PACKETS_STILL 24
#define CONFIRM_PACKETS_NAMED 2
#define SEQUENCE_STEP_MAX     4                          /* loss tolerated while unconfirmed */
#define TIMESTAMP_STEP_MAX    (20u * RTP_VIDEO_CLOCK)    /* either way */
#define SOURCE_SILENT         (10 * INT64_C(1000000000)) /* gives its place to a new source */
#define PRECEDING_MAX         96 /* STUN, DTLS and path-opening packets before it is given up */
#define STRANGERS_MAX         24 /* other packets before the flow is given up */

#define RTCP_SENDER_REPORT 200
#define RTCP_BYE           203

struct rtp_source {
	int64_t reported; /* packet time of the last sample */
	uint8_t consecutive;
	bool used;
	bool from_initiator;
	bool timestamp_moved;
	bool confirmed;
	bool video_told;
	struct rtp_meter meter;
} __attribute__((aligned(64)));

struct rtp_flow {
	struct rtp_source sources[SOURCES_MAX];
	struct stream_ends ends;
	uint32_t named_ssrc; /* by a sender report */
	bool ssrc_named;
	bool confirmed;
	uint8_t strangers;
	uint8_t preceding;
};

_Static_assert(sizeof(struct rtp_flow) <= CLASSIFIER_SCRATCH_MAX, "scratch of one flow");

/* Types of RFC 3551 that are in use, and the dynamic range. */
static bool
payload_type_in_use(uint8_t type)
{
	static const uint64_t in_use = 0x000000079607fff9ull;

	return type >= 96 || (type < 64 && in_use >> type & 1);
}

/* Four instructions decide for most packets that are not RTP. */
static bool
looks_like_rtp(const uint8_t *data, uint32_t length)
{
	return length >= RTP_HEADER_SIZE && data[0] >> 6 == 2 &&
	       payload_type_in_use(data[1] & 0x7f);
}

/* What comes before RTP on the same ports: STUN (RFC 5389), DTLS (RFC 5764), and the four or eight
 * bytes with which clients open a path through NAT. */
static bool
may_precede_rtp(const uint8_t *data, uint32_t length)
{
	struct cursor cursor = cursor_make(data, length);
	uint32_t start = cursor_be32(&cursor);

	if (!cursor_ok(&cursor))
		return false;
	if (length <= 8)
		return start == 0xcefaedfe || start == 0;
	if (length >= 20 && cursor_be32(&cursor) == 0x2112a442)
		return true;
	return data[0] >= 20 && data[0] <= 23 && data[1] == 0xfe && data[2] >= 0xfd;
}

static bool
glance(const uint8_t *data, uint32_t length)
{
	return looks_like_rtp(data, length) || rtp_is_rtcp(data, length) ||
	       may_precede_rtp(data, length);
}

static void
send_sample(const struct rtp_flow *flow, const struct rtp_source *source, bool ended,
	const struct report_sink *sink)
{
	struct stream_sample sample = {.ended = ended};

	stream_ends_fill(&flow->ends, source->from_initiator, &sample);
	rtp_meter_sample(&source->meter, &sample);
	sample.transport =
		ip_is_multicast(&sample.destination.ip) ? STREAM_RTP_MULTICAST : STREAM_RTP_UDP;
	sink->sample(sink->context, &sample);
}

static void
tell_video(struct rtp_source *source, const struct inspection *in, const struct report_sink *sink)
{
	const char *codec = video_codec_name(source->meter.codec);

	source->video_told = true;
	report_source(in, &classifier_rtp, ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, codec,
		strlen(codec), sink);
	if (ip_is_unicast(&in->packet->destination))
		report_destination(in, &classifier_rtp, ATTRIBUTE_VIDEO_VIEWER, SIDE_TOOL, codec,
			strlen(codec), sink);
}

static void
report_progress(struct rtp_flow *flow, struct rtp_source *source, const struct inspection *in,
	const struct report_sink *sink)
{
	if (!source->video_told && rtp_meter_shows_video(&source->meter))
		tell_video(source, in, sink);
	if (in->packet->time - source->reported < RTP_REPORT_INTERVAL && source->reported != 0)
		return;
	source->reported = in->packet->time;
	stream_ends_set(&flow->ends, in);
	send_sample(flow, source, false, sink);
}

/* The source of this direction and SSRC; else a free place, or the place of an unconfirmed one. */
static struct rtp_source *
find_source(struct rtp_flow *flow, uint32_t ssrc, bool from_initiator)
{
	struct rtp_source *place = NULL;

	for (struct rtp_source *source = flow->sources; source < flow->sources + SOURCES_MAX;
		source++) {
		if (source->used && source->meter.ssrc == ssrc &&
			source->from_initiator == from_initiator)
			return source;
		if (!source->used && (place == NULL || place->used))
			place = source;
		else if (!source->confirmed && place == NULL)
			place = source;
	}
	if (place != NULL)
		place->used = false;
	return place;
}

/* Ends a source that has fallen silent, for a new one. */
static struct rtp_source *
make_room(struct rtp_flow *flow, int64_t now, const struct report_sink *sink)
{
	struct rtp_source *source = flow->sources;

	while (source < flow->sources + SOURCES_MAX && now - source->meter.last < SOURCE_SILENT)
		source++;
	if (source == flow->sources + SOURCES_MAX)
		return NULL;
	send_sample(flow, source, true, sink);
	source->used = false;
	return source;
}

static void
start_source(struct rtp_source *source, const struct rtp_packet *packet, bool from_initiator)
{
	*source = (struct rtp_source){.used = true, .from_initiator = from_initiator};
	rtp_meter_start(&source->meter, packet);
}

/* Does the packet follow the one before? Checked before the meter takes it. */
static bool
continues(struct rtp_source *source, const struct rtp_packet *packet)
{
	uint16_t step = (uint16_t)(packet->sequence - (uint16_t)source->meter.highest);
	uint32_t moved = packet->timestamp - source->meter.last_timestamp;

	if (source->meter.packets == 0)
		return true;
	if (step == 0 && moved == 0) /* a duplicate, as span ports send them */
		return true;
	if (step == 0 || step > SEQUENCE_STEP_MAX ||
		moved + TIMESTAMP_STEP_MAX > 2 * TIMESTAMP_STEP_MAX ||
		packet->payload_type != source->meter.payload_type)
		return false;
	source->timestamp_moved |= moved != 0;
	source->consecutive++;
	return true;
}

static bool
is_confirmed(const struct rtp_flow *flow, const struct rtp_source *source)
{
	if (flow->ssrc_named && flow->named_ssrc == source->meter.ssrc)
		return source->consecutive >= CONFIRM_PACKETS_NAMED;
	if (source->timestamp_moved)
		return source->consecutive >= CONFIRM_PACKETS - 1;
	return source->consecutive >= CONFIRM_PACKETS_STILL && source->meter.ssrc != 0 &&
	       source->meter.last_timestamp != 0;
}

static void
take_rtp(struct rtp_flow *flow, struct rtp_packet *packet, const struct inspection *in,
	const struct report_sink *sink)
{
	struct rtp_source *source = find_source(flow, packet->ssrc, in->from_initiator);

	if (source == NULL)
		source = make_room(flow, in->packet->time, sink);
	if (source == NULL)
		return;
	packet->time = in->packet->time;
	packet->wire_bytes = (uint32_t)(in->wire_bytes ? in->wire_bytes : in->packet->wire_length);
	if (!source->used) {
		flow->strangers += !flow->confirmed;
		start_source(source, packet, in->from_initiator);
	} else if (!source->confirmed && !continues(source, packet)) {
		flow->strangers += !flow->confirmed;
		start_source(source, packet, in->from_initiator);
	}
	rtp_meter_packet(&source->meter, packet);
	if (!source->confirmed && is_confirmed(flow, source))
		source->confirmed = flow->confirmed = true;
	if (source->confirmed)
		report_progress(flow, source, in, sink);
}

static void
end_source(
	struct rtp_flow *flow, uint32_t ssrc, bool from_initiator, const struct report_sink *sink)
{
	struct rtp_source *source = flow->sources;

	for (; source < flow->sources + SOURCES_MAX; source++)
		if (source->confirmed && source->used && source->meter.ssrc == ssrc &&
			source->from_initiator == from_initiator) {
			send_sample(flow, source, true, sink);
			*source = (struct rtp_source){0};
		}
}

/* A compound packet (RFC 3550 section 6.1): its reports name the sender, BYE ends a source. */
static void
take_rtcp(struct rtp_flow *flow, const struct inspection *in, const struct report_sink *sink)
{
	struct cursor cursor = cursor_make(in->data, in->length);

	while (cursor_left(&cursor) >= 8) {
		uint8_t first = cursor_u8(&cursor), type = cursor_u8(&cursor);
		struct cursor body = cursor_sub(&cursor, cursor_be16(&cursor) * 4u);
		uint32_t ssrc = cursor_be32(&body);

		if (first >> 6 != 2 || !cursor_ok(&body))
			return;
		if (type == RTCP_SENDER_REPORT) {
			flow->named_ssrc = ssrc;
			flow->ssrc_named = true;
		} else if (type == RTCP_BYE && (first & 0x1f) > 0) {
			end_source(flow, ssrc, in->from_initiator, sink);
		}
	}
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct rtp_flow *flow = scratch;
	struct rtp_packet packet;

	if (looks_like_rtp(in->data, in->length) &&
		rtp_parse(in->data, in->length, in->length + in->missing, &packet)) {
		take_rtp(flow, &packet, in, sink);
	} else if (rtp_is_rtcp(in->data, in->length)) {
		flow->strangers += !flow->confirmed;
		take_rtcp(flow, in, sink);
	} else {
		if (!flow->confirmed && (!may_precede_rtp(in->data, in->length) ||
						++flow->preceding > PRECEDING_MAX))
			return CLASSIFIER_NOT_MINE;
	}
	return flow->strangers > STRANGERS_MAX ? CLASSIFIER_NOT_MINE : CLASSIFIER_MORE;
}

/* The packets between two reports of a confirmed source, with the header that nearly all have: no
 * padding, extension or contributing source. */
static bool
meter(void *scratch, const struct meter_packet *in)
{
	struct rtp_source *source = &((struct rtp_flow *)scratch)->sources[0];
	struct rtp_packet packet = {
		.time = in->time,
		.payload = in->data + RTP_HEADER_SIZE,
		.captured = in->length - RTP_HEADER_SIZE,
		.payload_length = in->length - RTP_HEADER_SIZE,
		.length = in->length,
		.wire_bytes = in->wire_bytes,
	};
	uint32_t words[3];

	if (in->length < RTP_HEADER_SIZE || in->data[0] != 0x80 || !source->confirmed ||
		source->from_initiator != in->from_initiator || source->reported == 0 ||
		in->time - source->reported >= RTP_REPORT_INTERVAL)
		return false;
	if (!source->video_told && rtp_meter_shows_video(&source->meter))
		return false;
	memcpy(words, in->data, sizeof(words));
	packet.ssrc = be32toh(words[2]);
	packet.timestamp = be32toh(words[1]);
	packet.sequence = (uint16_t)be32toh(words[0]);
	packet.payload_type = in->data[1] & 0x7f;
	packet.marker = in->data[1] >> 7;
	if (packet.ssrc != source->meter.ssrc || !payload_type_in_use(packet.payload_type))
		return false;
	rtp_meter_packet(&source->meter, &packet);
	return true;
}

static void
finish(void *scratch, const struct report_sink *sink)
{
	struct rtp_flow *flow = scratch;

	for (int i = 0; i < SOURCES_MAX; i++)
		if (flow->sources[i].confirmed)
			send_sample(flow, &flow->sources[i], true, sink);
}

const struct classifier classifier_rtp = {
	.name = "rtp",
	.reference = "RFC 3550, RFC 3551, RFC 5761",
	.match = {{.layer = MATCH_UDP, .any_port = true}},
	.match_count = 1,
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.scratch_size = sizeof(struct rtp_flow),
	.glance = glance,
	.inspect = inspect,
	.meter = meter,
	.finish = finish,
};
