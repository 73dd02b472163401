/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/sdp.h"

#include "classifiers/protocols/video_parameters.h"

#include <string.h>

#define LINES_MAX         256
#define PARAMETER_SET_MAX 256 /* bytes of one decoded parameter set; more is no SPS */

/* RFC 4648 base64 without line breaks; stops at padding or at any other byte. */
static size_t
base64_decode(struct text text, uint8_t *out, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned held = 0;
	size_t used = 0;

	for (size_t i = 0; i < text.length && used < size; i++) {
		const char *digit = text.at[i] ? strchr(digits, text.at[i]) : NULL;

		if (digit == NULL)
			break;
		bits = bits << 6 | (uint32_t)(digit - digits);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		out[used++] = (uint8_t)(bits >> held);
	}
	return used;
}

static enum video_codec
codec_by_name(struct text name, bool video, bool audio)
{
	static const struct {
		const char *name;
		enum video_codec codec;
	} codecs[] = {{"H264", CODEC_H264}, {"H265", CODEC_H265}, {"HEVC", CODEC_H265},
		{"JPEG", CODEC_MJPEG}, {"MP4V-ES", CODEC_MPEG4}};

	for (size_t i = 0; video && i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (text_equal_nocase(name, codecs[i].name))
			return codecs[i].codec;
	return audio ? CODEC_AUDIO : video ? CODEC_UNKNOWN : CODEC_METADATA;
}

/* m=<media> <port> <proto> <fmt> ...: the first format counts. */
static struct sdp_media *
add_media(struct sdp *sdp, struct text value)
{
	struct sdp_media *media;
	struct text kind = {NULL, 0}, port, protocol, format;
	uint64_t number = 0;
	bool audio;

	if (sdp->media_count == SDP_MEDIA_MAX)
		return NULL;
	media = &sdp->media[sdp->media_count++];
	text_split(&value, ' ', &kind);
	if (text_split(&value, ' ', &port) && text_split(&value, ' ', &protocol) &&
		text_split(&value, ' ', &format))
		text_number(format, 127, &number);
	media->video = text_equal_nocase(kind, "video");
	audio = text_equal_nocase(kind, "audio");
	media->payload_type = (uint8_t)number;
	media->codec = media->video && number == 26
			       ? CODEC_MJPEG
			       : codec_by_name((struct text){NULL, 0}, media->video, audio);
	if (number < 35)
		media->clock_rate = media->video ? 90000 : audio && number < 10 ? 8000 : 0;
	return media;
}

/* a=rtpmap:<type> <encoding>/<clock>; only of the medium's first format. */
static void
take_rtpmap(struct sdp_media *media, struct text value)
{
	struct text type, name;
	uint64_t number;

	if (!text_split(&value, ' ', &type) || !text_number(type, 127, &number) ||
		number != media->payload_type)
		return;
	value = text_trim(value);
	if (!text_split(&value, '/', &name))
		return;
	media->codec = (uint8_t)codec_by_name(name, media->video, media->codec == CODEC_AUDIO);
	if (text_number(value, 1000000, &number))
		media->clock_rate = (uint32_t)number;
}

/* sprop-parameter-sets of H.264 (a list), sprop-sps of H.265. */
static void
take_parameter_sets(struct sdp_media *media, struct text list)
{
	uint8_t nal[PARAMETER_SET_MAX];
	struct video_size size;
	struct text set;

	for (int i = 0; i < 8 && text_split(&list, ',', &set); i++) {
		size_t length = base64_decode(text_trim(set), nal, sizeof(nal));

		if (!(media->codec == CODEC_H265 ? video_h265_sps(nal, length, &size)
						 : video_h264_sps(nal, length, &size)))
			continue;
		media->width = size.width;
		media->height = size.height;
		if (media->fps == 0)
			media->fps = size.fps;
		return;
	}
}

static void
take_fmtp(struct sdp_media *media, struct text value)
{
	struct text part, name;

	if (!text_split(&value, ' ', &part))
		return;
	while (text_split(&value, ';', &part)) {
		part = text_trim(part);
		if (!text_split(&part, '=', &name))
			continue;
		if (text_equal_nocase(name, "sprop-parameter-sets") ||
			text_equal_nocase(name, "sprop-sps"))
			take_parameter_sets(media, part);
	}
}

/* Two numbers with anything that is no digit between them: "1920,1080", "704, 576", "240-160". */
static void
take_size(struct sdp_media *media, struct text value)
{
	uint64_t width, height;
	size_t i = 0;

	if (media->width != 0 || !text_number(value, VIDEO_SIDE_MAX, &width))
		return;
	while (i < value.length && value.at[i] >= '0' && value.at[i] <= '9')
		i++;
	while (i < value.length && (value.at[i] < '0' || value.at[i] > '9'))
		i++;
	value.at += i;
	value.length -= i;
	if (!text_number(value, VIDEO_SIDE_MAX, &height) || width < VIDEO_SIDE_MIN ||
		height < VIDEO_SIDE_MIN)
		return;
	media->width = (uint16_t)width;
	media->height = (uint16_t)height;
}

static void
take_rate(struct sdp_media *media, struct text value)
{
	struct text whole;
	uint64_t units = 0, thousandths = 0;

	if (!text_split(&value, '.', &whole) || !text_number(whole, 240, &units))
		return;
	if (value.length > 3)
		value.length = 3;
	if (text_number(value, 999, &thousandths))
		for (size_t i = value.length; i < 3; i++)
			thousandths *= 10;
	if (units * 1000 + thousandths >= 500)
		media->fps = (float)units + (float)thousandths / 1000;
}

static bool
is_vendor_attribute(struct text name)
{
	static const char *const known[] = {"control", "range", "rtpmap", "fmtp", "tool", "type",
		"charset", "sdplang", "lang", "framerate", "framesize", "quality", "ptime",
		"maxptime", "recvonly", "sendonly", "sendrecv", "inactive", "orient", "cat",
		"keywds", "x-dimensions", "x-framerate", "cliprect", "rtcp", "rtcp-mux", "rtcp-fb",
		"rtcp-unicast", "source-filter", "ssrc", "mid", "group", "setup", "connection",
		"crypto", "key-mgmt", "fingerprint", "candidate", "ice-ufrag", "ice-pwd",
		"ice-options", "extmap", "msid", "etag", "mimetype", "length", "bitrate",
		"ts-refclk", "mediaclk", "clock-domain", "x-qt-text-nam", "x-qt-text-inf"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_equal_nocase(name, known[i]))
			return false;
	return name.length > 0;
}

static void
take_media_attribute(struct sdp_media *media, struct text name, struct text value)
{
	if (text_equal_nocase(name, "control"))
		media->control = text_trim(value);
	else if (text_equal_nocase(name, "rtpmap"))
		take_rtpmap(media, value);
	else if (text_equal_nocase(name, "fmtp"))
		take_fmtp(media, value);
	else if (text_equal_nocase(name, "x-dimensions"))
		take_size(media, text_trim(value));
	else if (text_equal_nocase(name, "framerate") || text_equal_nocase(name, "x-framerate"))
		take_rate(media, text_trim(value));
	else if (text_equal_nocase(name, "framesize")) {
		struct text type;

		if (text_split(&value, ' ', &type))
			take_size(media, text_trim(value));
	}
}

static void
take_attribute(struct sdp *sdp, struct sdp_media *media, struct text line)
{
	struct text value = line, name = {NULL, 0};

	text_split(&value, ':', &name);
	if (text_equal_nocase(name, "tool"))
		sdp->tool = text_trim(value);
	else if (is_vendor_attribute(name) && sdp->vendor_count < SDP_VENDOR_MAX)
		sdp->vendor[sdp->vendor_count++] = line;
	if (media != NULL)
		take_media_attribute(media, name, value);
}

static void
take_line(struct sdp *sdp, struct sdp_media **media, struct text line)
{
	char type = line.at[0];
	struct text value = {line.at + 2, line.length - 2};

	if (type == 's' && *media == NULL)
		sdp->session = value;
	else if (type == 'i' && *media == NULL)
		sdp->information = value;
	else if (type == 'm')
		*media = add_media(sdp, value);
	else if (type == 'a' && (*media != NULL || sdp->media_count == 0))
		take_attribute(sdp, *media, value);
}

bool
sdp_parse(struct sdp *sdp, const void *description, size_t length)
{
	struct text rest = {description, length}, line;
	struct sdp_media *media = NULL;

	*sdp = (struct sdp){0};
	if (!text_starts_nocase(rest, "v=0"))
		return false;
	for (int lines = 0; lines < LINES_MAX && text_split(&rest, '\n', &line); lines++) {
		line = text_trim(line);
		if (line.length > 2 && line.at[1] == '=')
			take_line(sdp, &media, line);
	}
	return true;
}
