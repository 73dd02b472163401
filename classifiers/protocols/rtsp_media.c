/* SPDX-License-Identifier: Apache-2.0 */
/* Media of an RTSP connection: what was set up, and the RTP frames interleaved in it. */
#include "classifiers/protocols/rtsp.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define FRAME_HEADER  4
#define FRAME_PEEK    256 /* bytes of a frame waited for: RTP header and parameter sets */
#define CHANNELS_SANE 32

static uint32_t
hash_text(struct text text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (uint8_t)text.at[i]) * 16777619u;
	return hash;
}

/* What follows scheme and authority: two names of one host must not keep a medium apart. */
static bool
cut_authority(struct text *uri)
{
	long scheme = text_find_nocase(*uri, "://");
	const char *slash;

	if (scheme < 0)
		return false;
	uri->at += scheme + 3;
	uri->length -= (size_t)scheme + 3;
	slash = uri->length ? memchr(uri->at, '/', uri->length) : NULL;
	*uri = slash ? (struct text){slash, uri->length - (size_t)(slash - uri->at)}
		     : (struct text){uri->at, 0};
	return true;
}

void
rtsp_remember_media(struct rtsp_flow *flow, const struct sdp *sdp)
{
	flow->media_count = 0;
	flow->setups = 0;
	for (size_t i = 0; i < sdp->media_count && i < RTSP_MEDIA_MAX; i++) {
		const struct sdp_media *from = &sdp->media[i];
		struct text control = from->control;
		bool absolute = cut_authority(&control);

		flow->media[flow->media_count++] = (struct rtsp_medium){
			.control_hash = hash_text(control),
			.control_length = (uint16_t)control.length,
			.control_absolute = absolute,
			.codec = from->codec,
			.payload_type = from->payload_type,
			.channel = RTSP_NO_CHANNEL,
			.width = from->width,
			.height = from->height,
			.clock_rate = from->clock_rate,
			.fps = from->fps,
		};
	}
}

int8_t
rtsp_medium_by_uri(const struct rtsp_flow *flow, struct text uri)
{
	cut_authority(&uri);
	for (int8_t i = 0; i < flow->media_count; i++) {
		const struct rtsp_medium *medium = &flow->media[i];
		struct text tail = uri;

		if (medium->control_length == 0 || medium->control_length > uri.length)
			continue;
		if (!medium->control_absolute) {
			tail.at += uri.length - medium->control_length;
			tail.length = medium->control_length;
		}
		if (tail.length == medium->control_length &&
			hash_text(tail) == medium->control_hash)
			return i;
	}
	return flow->media_count == 1 ? 0 : RTSP_NO_MEDIUM;
}

struct transport {
	uint64_t client_port;
	uint64_t server_port;
	uint64_t multicast_port;
	uint64_t channel;
	uint64_t ssrc;
	struct ip_address destination;
	bool tcp;
	bool multicast;
	bool record;
};

static struct ip_address
address_of(struct text text)
{
	char buffer[ADDRESS_TEXT_SIZE];
	struct ip_address ip = {0};

	text = text_trim(text);
	if (text.length == 0 || text.length >= sizeof(buffer))
		return ip;
	memcpy(buffer, text.at, text.length);
	buffer[text.length] = '\0';
	if (ip_parse(buffer, &ip) != 0)
		return (struct ip_address){0};
	return ip;
}

/* RFC 2326 section 12.39 */
static struct transport
parse_transport(struct text header)
{
	struct transport transport = {.channel = RTSP_NO_CHANNEL};
	struct text part, name, first = header;

	text_split(&header, ',', &first);
	while (text_split(&first, ';', &part)) {
		part = text_trim(part);
		if (!text_split(&part, '=', &name))
			continue;
		part = text_trim(part);
		if (text_find_nocase(name, "/TCP") >= 0)
			transport.tcp = true;
		else if (text_equal_nocase(name, "multicast"))
			transport.multicast = true;
		else if (text_equal_nocase(name, "interleaved"))
			transport.tcp = text_number(part, UINT8_MAX - 1, &transport.channel);
		else if (text_equal_nocase(name, "client_port"))
			text_number(part, UINT16_MAX, &transport.client_port);
		else if (text_equal_nocase(name, "server_port"))
			text_number(part, UINT16_MAX, &transport.server_port);
		else if (text_equal_nocase(name, "port"))
			text_number(part, UINT16_MAX, &transport.multicast_port);
		else if (text_equal_nocase(name, "ssrc"))
			text_hex(part, UINT32_MAX, &transport.ssrc);
		else if (text_equal_nocase(name, "destination"))
			transport.destination = address_of(part);
		else if (text_equal_nocase(name, "mode"))
			transport.record = text_find_nocase(part, "record") >= 0;
	}
	return transport;
}

/* The sender of the media is the server, or the client that pushes. */
static void
fill_ends(struct stream_media *media, const struct inspection *in, bool pushed)
{
	const struct packet *packet = in->packet;
	struct endpoint source = {.ip = packet->source, .port = packet->source_port};
	struct endpoint destination = {.ip = packet->destination, .port = packet->destination_port};
	struct mac_address none = {0};

	media->server = pushed ? destination : source;
	media->client = pushed ? source : destination;
	if (packet->flags & PACKET_HAS_MACS) {
		media->server_mac = pushed ? packet->destination_mac : packet->source_mac;
		media->client_mac = pushed ? packet->source_mac : packet->destination_mac;
	} else if (packet->flags & PACKET_HAS_SOURCE_MAC) {
		media->server_mac = pushed ? none : packet->source_mac;
		media->client_mac = pushed ? packet->source_mac : none;
	}
}

static void
fill_medium(struct stream_media *media, struct rtsp_flow *flow, int8_t index, bool interleaved)
{
	struct rtsp_medium *medium;

	if (index < 0 || index >= flow->media_count)
		return;
	medium = &flow->media[index];
	medium->channel = interleaved ? media->channel : RTSP_NO_CHANNEL;
	media->codec = medium->codec;
	media->payload_type = medium->payload_type;
	media->clock_rate = medium->clock_rate;
	media->width = medium->width;
	media->height = medium->height;
	media->fps = medium->fps;
}

void
rtsp_report_setup(struct rtsp_flow *flow, const struct inspection *in, int8_t medium,
	struct text header, const struct report_sink *sink)
{
	struct transport transport = parse_transport(header);
	bool interleaved = transport.tcp && transport.channel != RTSP_NO_CHANNEL;
	struct stream_media media = {
		.time = in->packet->time,
		.vlan = packet_vlan(in->packet),
		.tenant = in->packet->tenant,
		.ssrc = (uint32_t)transport.ssrc,
		.channel = interleaved ? (uint8_t)transport.channel : 0,
	};

	flow->pushed |= transport.record;
	/* A SETUP that could not be matched by its URI: clients set media up in order. */
	if (medium == RTSP_NO_MEDIUM && flow->setups < flow->media_count)
		medium = (int8_t)flow->setups;
	if (flow->setups < UINT8_MAX)
		flow->setups++;
	fill_ends(&media, in, flow->pushed);
	fill_medium(&media, flow, medium, interleaved);
	media.transport = interleaved           ? STREAM_RTP_TCP_INTERLEAVED
			  : transport.multicast ? STREAM_RTP_MULTICAST
						: STREAM_RTP_UDP;
	if (!interleaved) {
		media.server_rtp_port =
			(uint16_t)(flow->pushed ? transport.client_port : transport.server_port);
		media.client_rtp_port =
			(uint16_t)(flow->pushed ? transport.server_port : transport.client_port);
		if (transport.multicast && transport.multicast_port != 0)
			media.client_rtp_port = (uint16_t)transport.multicast_port;
		if (!flow->pushed && !ip_equal(&transport.destination, &media.client.ip))
			media.destination = transport.destination;
	}
	memcpy(media.path, flow->path, sizeof(media.path));
	sink->media(sink->context, &media);
}

static void
send_sample(const struct rtsp_flow *flow, const struct rtsp_channel *channel, bool ended,
	const struct report_sink *sink)
{
	struct stream_sample sample = {
		.ended = ended,
		.channel = channel->channel,
		.transport = STREAM_RTP_TCP_INTERLEAVED,
	};

	stream_ends_fill(&flow->ends, channel->from_initiator, &sample);
	rtp_meter_sample(&channel->meter, &sample);
	sink->sample(sink->context, &sample);
}

void
rtsp_finish(struct rtsp_flow *flow, const struct report_sink *sink)
{
	for (int i = 0; i < RTSP_CHANNELS_MAX; i++)
		if (flow->channels[i].used)
			send_sample(flow, &flow->channels[i], true, sink);
}

static void
announce(const struct rtsp_flow *flow, struct rtsp_channel *channel)
{
	for (int i = 0; i < flow->media_count; i++) {
		const struct rtsp_medium *medium = &flow->media[i];

		if (medium->channel == channel->channel)
			rtp_meter_announce(&channel->meter, medium->codec, medium->clock_rate,
				medium->width, medium->height);
	}
}

static struct rtsp_channel *
find_channel(struct rtsp_flow *flow, uint8_t number, bool from_initiator,
	const struct rtp_packet *packet, const struct report_sink *sink)
{
	struct rtsp_channel *channel = flow->channels;
	const struct rtsp_channel *end = flow->channels + RTSP_CHANNELS_MAX;

	while (channel < end && channel->used &&
		(channel->channel != number || channel->from_initiator != from_initiator))
		channel++;
	if (channel == end)
		return NULL;
	if (channel->used && channel->meter.ssrc == packet->ssrc)
		return channel;
	if (channel->used)
		send_sample(flow, channel, true, sink);
	*channel = (struct rtsp_channel){
		.used = true, .channel = number, .from_initiator = from_initiator};
	rtp_meter_start(&channel->meter, packet);
	announce(flow, channel);
	return channel;
}

static void
report_progress(struct rtsp_flow *flow, struct rtsp_channel *channel, const struct inspection *in,
	const struct report_sink *sink)
{
	const char *codec = video_codec_name(channel->meter.codec);

	if (!channel->video_told && rtp_meter_shows_video(&channel->meter)) {
		channel->video_told = true;
		report_source(in, &classifier_rtsp, ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, codec,
			strlen(codec), sink);
		report_destination(in, &classifier_rtsp, ATTRIBUTE_VIDEO_VIEWER, SIDE_TOOL, codec,
			strlen(codec), sink);
	}
	if (channel->reported != 0 && in->packet->time - channel->reported < RTP_REPORT_INTERVAL)
		return;
	channel->reported = in->packet->time;
	send_sample(flow, channel, false, sink);
}

uint32_t
rtsp_take_frame(struct rtsp_flow *flow, const struct inspection *in, const uint8_t *data,
	uint32_t length, const struct report_sink *sink)
{
	struct cursor cursor = cursor_make(data, length);
	struct rtp_packet packet;
	struct rtsp_channel *channel;
	uint32_t size, seen, whole;
	uint8_t number;

	cursor_skip(&cursor, 1);
	number = cursor_u8(&cursor);
	size = cursor_be16(&cursor);
	seen = size < FRAME_PEEK ? size : FRAME_PEEK;
	if (!cursor_ok(&cursor) || cursor_left(&cursor) < seen)
		return 0;
	whole = FRAME_HEADER + size;
	if (cursor_left(&cursor) > seen)
		seen = cursor_left(&cursor) < size ? (uint32_t)cursor_left(&cursor) : size;
	packet.wire_bytes = wire_share_frame(
		&flow->share[!in->from_initiator], whole, whole > length ? whole - length : 0);
	if (size < RTP_HEADER_SIZE || rtp_is_rtcp(cursor.at, seen) ||
		!rtp_parse(cursor.at, seen, size, &packet))
		return whole;
	packet.time = in->packet->time;
	channel = find_channel(flow, number, in->from_initiator, &packet, sink);
	if (channel == NULL)
		return whole;
	rtp_meter_packet(&channel->meter, &packet);
	report_progress(flow, channel, in, sink);
	return whole;
}

static bool
is_known_source(const struct rtsp_flow *flow, uint8_t number, uint32_t ssrc)
{
	for (int i = 0; i < RTSP_CHANNELS_MAX; i++)
		if (flow->channels[i].used && flow->channels[i].channel == number &&
			flow->channels[i].meter.ssrc == ssrc)
			return true;
	return false;
}

bool
rtsp_is_frame(const struct rtsp_flow *flow, const uint8_t *data, uint32_t length)
{
	struct cursor cursor = cursor_make(data, length);
	uint8_t dollar = cursor_u8(&cursor), number = cursor_u8(&cursor);
	uint16_t size = cursor_be16(&cursor);
	struct rtp_packet packet;

	if (dollar != '$' || number >= CHANNELS_SANE || size < RTP_HEADER_SIZE ||
		cursor_left(&cursor) < RTP_HEADER_SIZE || cursor.at[0] >> 6 != 2)
		return false;
	if (!rtp_parse(cursor.at,
		    cursor_left(&cursor) < size ? (uint32_t)cursor_left(&cursor) : size, size,
		    &packet))
		return false;
	if (is_known_source(flow, number, packet.ssrc))
		return true;
	/* Unknown: only if the next frame follows where this one ends. */
	return cursor_skip(&cursor, size) && cursor_left(&cursor) >= FRAME_HEADER &&
	       cursor.at[0] == '$' && cursor.at[1] < CHANNELS_SANE;
}
