/* SPDX-License-Identifier: Apache-2.0 */
/* Payload formats: H.264 RFC 6184, H.265 RFC 7798, JPEG RFC 2435, MPEG-4 visual RFC 6416. */
#include "classifiers/protocols/rtp_payload.h"

#include "dataplane/cursor.h"

#define AGGREGATED_MAX 16 /* NAL units looked at in one aggregation packet */

#define H264_SLICE  1
#define H264_IDR    5
#define H264_SPS    7
#define H264_FILLER 12
#define H264_STAP_A 24
#define H264_FU_A   28

#define H265_IRAP_FIRST 16 /* BLA, IDR, CRA: pictures that a decoder can start with */
#define H265_IRAP_LAST  21
#define H265_SPS        33
#define H265_AP         48
#define H265_FU         49

/* A codec is believed after that many payloads without one that it forbids: encrypted bytes pass
 * the H.264 rules one time in eight, the H.265 rules less often still. */
#define GUESS_H264 12
#define GUESS_H265 6
/* Of 48 encrypted payloads the first bytes fall into 25 of 32 classes on average; a payload header
 * or a coded sample takes few. */
#define GUESS_PACKETS           48
#define GUESS_ENCRYPTED_CLASSES 18

static void
h264_nal(const uint8_t *nal, size_t length, struct rtp_finding *finding)
{
	unsigned type = nal[0] & 0x1f;

	if (type == H264_IDR)
		finding->keyframe = true;
	else if (type == H264_SPS)
		video_h264_sps(nal, length, &finding->size);
}

static void
h265_nal(const uint8_t *nal, size_t length, struct rtp_finding *finding)
{
	unsigned type = nal[0] >> 1 & 0x3f;

	if (type >= H265_IRAP_FIRST && type <= H265_IRAP_LAST)
		finding->keyframe = true;
	else if (type == H265_SPS)
		video_h265_sps(nal, length, &finding->size);
}

/* STAP-A (RFC 6184 section 5.7.1) and AP (RFC 7798 section 4.4.2) without DONL. */
static void
each_aggregated(const uint8_t *units, size_t length,
	void (*look)(const uint8_t *, size_t, struct rtp_finding *), struct rtp_finding *finding)
{
	struct cursor cursor = cursor_make(units, length);

	for (int i = 0; i < AGGREGATED_MAX && cursor_left(&cursor) > 2; i++) {
		size_t size = cursor_be16(&cursor);
		struct cursor nal = cursor_sub(
			&cursor, size < cursor_left(&cursor) ? size : cursor_left(&cursor));

		if (cursor_left(&nal) > 0)
			look(nal.at, cursor_left(&nal), finding);
	}
}

static void
look_h264(const uint8_t *payload, uint32_t length, struct rtp_finding *finding)
{
	unsigned type = payload[0] & 0x1f;

	if (type == H264_FU_A)
		finding->keyframe = length > 1 && (payload[1] & 0x1f) == H264_IDR;
	else if (type == H264_STAP_A)
		each_aggregated(payload + 1, length - 1, h264_nal, finding);
	else
		h264_nal(payload, length, finding);
}

static void
look_h265(const uint8_t *payload, uint32_t length, struct rtp_finding *finding)
{
	unsigned type = payload[0] >> 1 & 0x3f;

	if (length < 3)
		return;
	if (type == H265_FU)
		finding->keyframe = (payload[2] & 0x3f) >= H265_IRAP_FIRST &&
				    (payload[2] & 0x3f) <= H265_IRAP_LAST;
	else if (type == H265_AP)
		each_aggregated(payload + 2, length - 2, h265_nal, finding);
	else
		h265_nal(payload, length, finding);
}

/* RFC 2435 section 3.1: sizes in units of eight pixels, 0 for what does not fit. */
static void
look_jpeg(const uint8_t *payload, uint32_t length, struct rtp_finding *finding)
{
	if (length < 8)
		return;
	finding->keyframe = true;
	if (payload[1] == 0 && payload[2] == 0 && payload[3] == 0 && payload[6] > 1 &&
		payload[7] > 1)
		finding->size =
			(struct video_size){.width = payload[6] * 8, .height = payload[7] * 8};
}

/* ISO/IEC 14496-2: video object plane with vop_coding_type I. */
static void
look_mpeg4(const uint8_t *payload, uint32_t length, struct rtp_finding *finding)
{
	static const uint8_t plane[] = {0, 0, 1, 0xb6};

	for (uint32_t i = 0; i + sizeof(plane) < length && i < 64; i++)
		if (memcmp(payload + i, plane, sizeof(plane)) == 0) {
			finding->keyframe = payload[i + 4] >> 6 == 0;
			return;
		}
}

void
rtp_payload_look(enum video_codec codec, const uint8_t *payload, uint32_t length,
	struct rtp_finding *finding)
{
	if (length == 0)
		return;
	switch (codec) {
	case CODEC_H264:
		look_h264(payload, length, finding);
		break;
	case CODEC_H265:
		look_h265(payload, length, finding);
		break;
	case CODEC_MJPEG:
		look_jpeg(payload, length, finding);
		break;
	case CODEC_MPEG4:
		look_mpeg4(payload, length, finding);
		break;
	default:
		break;
	}
}

static bool
is_plain_h264(unsigned type)
{
	return type == H264_SLICE || (type >= H264_IDR && type <= H264_FILLER);
}

static bool
stap_fits(const uint8_t *payload, uint32_t length)
{
	struct cursor cursor = cursor_make(payload + 1, length - 1);

	do {
		size_t size = cursor_be16(&cursor);
		const uint8_t *nal = cursor_take(&cursor, size);

		if (nal == NULL || size == 0 || (nal[0] & 0x80) || !is_plain_h264(nal[0] & 0x1f))
			return false;
	} while (cursor_left(&cursor) > 0);
	return true;
}

static bool
could_be_h264(const uint8_t *payload, uint32_t length)
{
	unsigned type = payload[0] & 0x1f;

	if (length < 2 || payload[0] & 0x80)
		return false;
	if (type == H264_FU_A) /* start and end at once is forbidden, so is the reserved bit */
		return (payload[1] & 0x20) == 0 && (payload[1] & 0xc0) != 0xc0 &&
		       is_plain_h264(payload[1] & 0x1f);
	if (type == H264_STAP_A)
		return stap_fits(payload, length);
	if (type == H264_IDR && !(payload[0] & 0x60)) /* nal_ref_idc of an IDR is never 0 */
		return false;
	return is_plain_h264(type);
}

static bool
could_be_h265(const uint8_t *payload, uint32_t length)
{
	unsigned type = payload[0] >> 1 & 0x3f;

	/* forbidden bit 0, layer 0, temporal id 1..3 */
	if (length < 3 || payload[0] & 0x81 || payload[1] == 0 || payload[1] > 3)
		return false;
	if (type == H265_FU)
		return (payload[2] & 0xc0) != 0xc0 && (payload[2] & 0x3f) <= 40;
	return type <= 9 || (type >= H265_IRAP_FIRST && type <= H265_IRAP_LAST) ||
	       (type >= 32 && type <= 40) || type == H265_AP;
}

static void
count_match(uint8_t *count, bool matches)
{
	if (!matches)
		*count = UINT8_MAX;
	else if (*count < UINT8_MAX - 1)
		(*count)++;
}

static bool
is_mpeg4_header(const uint8_t *payload, uint32_t length)
{
	/* visual_object_sequence_start_code or video_object_layer with a start code each */
	return length > 4 && payload[0] == 0 && payload[1] == 0 && payload[2] == 1 &&
	       (payload[3] == 0xb0 || payload[3] == 0xb5 || (payload[3] & 0xf0) == 0x20);
}

struct rtp_verdict
rtp_payload_guess(struct rtp_guess *guess, const uint8_t *payload, uint32_t length)
{
	struct rtp_finding finding = {0};
	bool classes;

	if (length < 2)
		return (struct rtp_verdict){0};
	count_match(&guess->h264, guess->h264 != UINT8_MAX && could_be_h264(payload, length));
	count_match(&guess->h265, guess->h265 != UINT8_MAX && could_be_h265(payload, length));
	guess->first_bytes |= 1u << (payload[0] >> 3);
	guess->second_bytes |= 1u << (payload[1] >> 3);
	guess->packets++;
	if (guess->h264 != UINT8_MAX) {
		look_h264(payload, length, &finding);
		if (guess->h264 >= GUESS_H264 || finding.size.width != 0)
			return (struct rtp_verdict){.codec = CODEC_H264};
	}
	if (guess->h265 != UINT8_MAX) {
		look_h265(payload, length, &finding);
		if (guess->h265 >= GUESS_H265 || finding.size.width != 0)
			return (struct rtp_verdict){.codec = CODEC_H265};
	}
	if (is_mpeg4_header(payload, length))
		return (struct rtp_verdict){.codec = CODEC_MPEG4};
	if (guess->packets < GUESS_PACKETS)
		return (struct rtp_verdict){0};
	classes = __builtin_popcount(guess->first_bytes) >= GUESS_ENCRYPTED_CLASSES &&
		  __builtin_popcount(guess->second_bytes) >= GUESS_ENCRYPTED_CLASSES;
	*guess = (struct rtp_guess){0};
	return (struct rtp_verdict){.encrypted = classes, .decided = true};
}
