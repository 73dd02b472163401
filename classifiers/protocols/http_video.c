/* SPDX-License-Identifier: Apache-2.0 */
/* Motion JPEG over HTTP: multipart/x-mixed-replace, or one path polled for pictures. */
#include "classifiers/protocols/http.h"
#include "classifiers/protocols/video_parameters.h"
#include "classifiers/table.h"

#include <string.h>

#define PART_HEAD_MAX  1024
#define JPEG_PEEK      1536 /* the frame header follows the tables */
#define SIZE_TRIES     4    /* pictures searched for their size */
#define SERIES_MIN     3    /* polled pictures that make a stream */
#define PICTURE_MAX    (16u << 20)
#define SEARCH_OVERLAP (HTTP_BOUNDARY_SIZE + 4) /* bytes kept in which a boundary may begin */

uint32_t
http_hash(const void *data, size_t length, uint32_t seed)
{
	const uint8_t *bytes = data;
	uint32_t hash = 2166136261u ^ seed; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

bool
http_is_jpeg_stream(struct text content_type)
{
	return text_starts_nocase(content_type, "multipart/x-mixed-replace");
}

void
http_video_begin(struct http_flow *flow, struct text content_type, bool chunked)
{
	struct http_video *video = &flow->video;
	long at = text_find_nocase(content_type, "boundary=");
	struct text boundary = {NULL, 0};

	*video = (struct http_video){.chunked = chunked};
	if (at >= 0) {
		content_type.at += at + 9;
		content_type.length -= (size_t)at + 9;
		text_split(&content_type, ';', &boundary);
		boundary = text_trim(boundary);
	}
	/* Some servers count the delimiter's dashes to the boundary, some quote it. */
	while (boundary.length > 0 && (boundary.at[0] == '-' || boundary.at[0] == '"'))
		boundary.at++, boundary.length--;
	while (boundary.length > 0 && boundary.at[boundary.length - 1] == '"')
		boundary.length--;
	if (boundary.length >= sizeof(video->boundary))
		boundary.length = sizeof(video->boundary) - 1;
	if (boundary.length > 0)
		memcpy(video->boundary, boundary.at, boundary.length);
}

static void
send_sample(const struct http_flow *flow, bool ended, const struct report_sink *sink)
{
	const struct http_video *video = &flow->video;
	struct stream_sample sample = {
		.first = video->first,
		.last = video->last,
		.packets = video->frames,
		.expected = video->frames,
		.bytes = video->bytes,
		.payload_bytes = video->bytes,
		.wire_bytes = video->wire_bytes,
		.frames = video->frames,
		.keyframes = video->frames,
		.first_frame = video->first,
		.last_frame = video->last,
		.gop = 1,
		.width = video->width,
		.height = video->height,
		.payload_type = 26,
		.transport = STREAM_HTTP_MJPEG,
		.codec = CODEC_MJPEG,
		.ended = ended,
	};

	stream_ends_fill(&flow->ends, !flow->client_is_initiator, &sample);
	sink->sample(sink->context, &sample);
}

static void
count_picture(struct http_flow *flow, const struct inspection *in, const uint8_t *jpeg,
	uint32_t length, uint64_t size, uint32_t needed, const struct report_sink *sink)
{
	static const char codec[] = "mjpeg";
	struct http_video *video = &flow->video;
	struct video_size picture;

	if (video->frames++ == 0)
		video->first = in->packet->time;
	video->last = in->packet->time;
	video->bytes += size;
	video->wire_bytes += wire_share_frame(
		&flow->share, (uint32_t)size, size > length ? (uint32_t)(size - length) : 0);
	if (video->width == 0 && video->size_tries < SIZE_TRIES) {
		video->size_tries++;
		if (video_jpeg_size(jpeg, length, &picture)) {
			video->width = picture.width;
			video->height = picture.height;
		}
	}
	if (video->frames < needed)
		return;
	if (!video->told) {
		video->told = true;
		report_source(in, &classifier_http, ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, codec,
			sizeof(codec) - 1, sink);
		report_destination(in, &classifier_http, ATTRIBUTE_VIDEO_VIEWER, SIDE_TOOL, codec,
			sizeof(codec) - 1, sink);
	}
	if (video->reported != 0 && in->packet->time - video->reported < RTP_REPORT_INTERVAL)
		return;
	video->reported = in->packet->time;
	send_sample(flow, false, sink);
}

/* Length of the part's head with its empty line; 0: it is not all there. */
static uint32_t
part_head_length(const uint8_t *data, uint32_t length)
{
	uint32_t limit = length < PART_HEAD_MAX ? length : PART_HEAD_MAX;

	for (uint32_t i = 0; i + 1 < limit; i++) {
		if (data[i] == '\n' && data[i + 1] == '\n')
			return i + 2;
		if (i + 2 < limit && data[i] == '\n' && data[i + 1] == '\r' && data[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

static uint64_t
part_content_length(struct text head)
{
	long at = text_find_nocase(head, "Content-Length:");
	uint64_t number = 0;

	if (at < 0)
		return 0;
	head.at += at + 15;
	head.length -= (size_t)at + 15;
	text_number(text_trim(head), PICTURE_MAX, &number);
	return number;
}

/* Is this the delimiter line of a part? Without a known boundary two dashes must do. */
static bool
is_delimiter(const struct http_video *video, const uint8_t *data, uint32_t length)
{
	size_t boundary = strlen(video->boundary);
	uint32_t dashes = 0;

	while (dashes < length && dashes < 8 && data[dashes] == '-')
		dashes++;
	return dashes >= 2 ? length - dashes >= boundary &&
				     memcmp(data + dashes, video->boundary, boundary) == 0
			   : dashes == 0 && boundary > 0 && length >= boundary &&
				     memcmp(data, video->boundary, boundary) == 0;
}

uint32_t
http_video_part(struct http_flow *flow, struct inspection *in, uint8_t *state, const uint8_t *data,
	uint32_t length, const struct report_sink *sink)
{
	struct http_video *video = &flow->video;
	uint32_t head, wait;
	uint64_t size;

	if (data[0] == '\r' || data[0] == '\n')
		return 1;
	head = part_head_length(data, length);
	if (head == 0 && length < PART_HEAD_MAX)
		return 0;
	if (head == 0 || !is_delimiter(video, data, length)) {
		*state = HTTP_PART_BODY;
		return 1;
	}
	size = part_content_length((struct text){(const char *)data, head});
	wait = size != 0 && size < JPEG_PEEK ? (uint32_t)size : JPEG_PEEK;
	if (video->width == 0 && video->size_tries < SIZE_TRIES && length - head < wait)
		return 0;
	if (length - head < 2)
		return 0;
	video->sized = size != 0;
	/* Parts that are no pictures (status texts, audio) are stepped over. */
	if (data[head] == 0xff && data[head + 1] == 0xd8)
		count_picture(
			flow, in, data + head, length - head, size ? size : length - head, 2, sink);
	/* Chunk headers lie among the bytes of a chunked body: its parts end at the boundary. */
	if (size == 0 || video->chunked) {
		*state = HTTP_PART_BODY;
		return head;
	}
	return head + (uint32_t)size;
}

uint32_t
http_video_part_body(struct http_flow *flow, uint8_t *state, const uint8_t *data, uint32_t length)
{
	struct http_video *video = &flow->video;
	char delimiter[HTTP_BOUNDARY_SIZE + 4] = "\n--";
	const uint8_t *found;
	uint32_t done = 0;

	strcat(delimiter, video->boundary);
	found = memmem(data, length, delimiter, strlen(delimiter));
	if (found != NULL) {
		*state = HTTP_PART;
		done = (uint32_t)(found - data) + 1;
	} else if (length > SEARCH_OVERLAP) {
		done = length - SEARCH_OVERLAP;
	}
	if (video->frames > 0 && !video->sized) {
		video->bytes += done;
		video->wire_bytes += wire_share_frame(&flow->share, done, 0);
	}
	return done;
}

void
http_video_snapshot(struct http_flow *flow, const struct inspection *in, const char *path,
	const uint8_t *jpeg, uint32_t length, uint64_t size, const struct report_sink *sink)
{
	uint32_t hash = http_hash(path, strlen(path), 1);

	/* A page full of pictures is no stream: they have paths of their own. */
	if (flow->video.frames > 0 && flow->video.path_hash != hash) {
		if (flow->video.frames >= SERIES_MIN)
			return;
		flow->video = (struct http_video){0};
	}
	flow->video.path_hash = hash;
	count_picture(flow, in, jpeg, length, size, SERIES_MIN, sink);
}

void
http_video_finish(struct http_flow *flow, const struct report_sink *sink)
{
	if (flow->video.reported != 0)
		send_sample(flow, true, sink);
}
