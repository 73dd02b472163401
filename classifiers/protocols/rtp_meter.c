/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/rtp_meter.h"

#include "classifiers/protocols/rtp_payload.h"
#include "dataplane/cursor.h"

/* RFC 3550 appendix A.1 */
#define MAX_DROPOUT  3000
#define MAX_MISORDER 100

#define WINDOW_BITS     64
#define NO_RESTART      UINT32_MAX
#define NANOSECONDS     INT64_C(1000000000)
#define SILENCE_MAX     (10 * NANOSECONDS) /* longer gaps say nothing of jitter */
#define VIDEO_PACKETS   16
#define CLOCK_FOUND_MIN (2 * NANOSECONDS) /* media needed to tell an audio clock from 90 kHz */

bool
rtp_parse(const uint8_t *data, uint32_t captured, uint32_t length, struct rtp_packet *packet)
{
	struct cursor cursor = cursor_make(data, captured);
	uint8_t first = cursor_u8(&cursor), second = cursor_u8(&cursor);
	uint32_t header = RTP_HEADER_SIZE + (first & 0x0fu) * 4, padding = 0;

	if (first >> 6 != 2 || length < header)
		return false;
	packet->payload_type = second & 0x7f;
	packet->marker = second >> 7;
	packet->sequence = cursor_be16(&cursor);
	packet->timestamp = cursor_be32(&cursor);
	packet->ssrc = cursor_be32(&cursor);
	if (first & 0x10) {
		cursor_skip(&cursor, (first & 0x0fu) * 4 + 2);
		header += 4 + cursor_be16(&cursor) * 4u;
	}
	if (!cursor_ok(&cursor) || length < header)
		return false;
	if ((first & 0x20) && captured == length) {
		padding = data[length - 1];
		if (padding == 0 || padding > length - header)
			return false;
	}
	packet->length = length;
	packet->payload_length = length - header - padding;
	packet->payload = captured > header ? data + header : NULL;
	packet->captured = captured > header ? captured - header : 0;
	if (packet->captured > packet->payload_length)
		packet->captured = packet->payload_length;
	return true;
}

bool
rtp_is_rtcp(const uint8_t *data, uint32_t length)
{
	return length >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

/* RFC 3551 table 4 and 5; what is dynamic is assumed to be video until its clock says otherwise. */
static uint32_t
static_clock(uint8_t payload_type)
{
	switch (payload_type) {
	case 6:
	case 16:
		return payload_type == 6 ? 16000 : 11025;
	case 10:
	case 11:
		return 44100;
	case 17:
		return 22050;
	case 14:
		return RTP_VIDEO_CLOCK;
	default:
		return payload_type < 20 ? 8000 : RTP_VIDEO_CLOCK;
	}
}

void
rtp_meter_start(struct rtp_meter *meter, const struct rtp_packet *packet)
{
	*meter = (struct rtp_meter){
		.first = packet->time,
		.last = packet->time,
		.base = packet->sequence,
		.highest = packet->sequence - 1u,
		.ssrc = packet->ssrc,
		.clock_rate = static_clock(packet->payload_type),
		.last_timestamp = packet->timestamp,
		.frame_timestamp = packet->timestamp,
		.restart_at = NO_RESTART,
		.payload_type = packet->payload_type,
		.clock_certain = packet->payload_type < 35,
		.codec_certain = packet->payload_type < 35,
		.codec = packet->payload_type == 26  ? CODEC_MJPEG
			 : packet->payload_type < 20 ? CODEC_AUDIO
						     : CODEC_UNKNOWN,
	};
}

void
rtp_meter_announce(struct rtp_meter *meter, enum video_codec codec, uint32_t clock_rate,
	uint16_t width, uint16_t height)
{
	if (codec != CODEC_UNKNOWN) {
		meter->codec = (uint8_t)codec;
		meter->codec_certain = true;
	}
	if (clock_rate != 0) {
		meter->clock_rate = clock_rate;
		meter->clock_certain = true;
	}
	if (meter->width == 0) {
		meter->width = width;
		meter->height = height;
	}
}

static void
restart(struct rtp_meter *meter, uint16_t sequence)
{
	/* The packet that announced the jump was counted when it came. */
	meter->expected_before += meter->highest - meter->base + 1;
	meter->base = sequence - 1u;
	meter->highest = sequence;
	meter->window = 3;
	meter->restart_at = NO_RESTART;
}

enum order { ORDER_NEXT, ORDER_LATE, ORDER_DUPLICATE, ORDER_STRAY };

/* RFC 3550 appendix A.1, with a window that tells a duplicate from a late packet. */
static enum order
update_sequence(struct rtp_meter *meter, uint16_t sequence)
{
	uint16_t ahead = (uint16_t)(sequence - (uint16_t)meter->highest), behind;

	if (ahead != 0 && ahead < MAX_DROPOUT) {
		meter->window = ahead < WINDOW_BITS ? meter->window << ahead | 1 : 1;
		meter->highest += ahead;
		meter->restart_at = NO_RESTART;
		return ORDER_NEXT;
	}
	behind = (uint16_t)-ahead;
	if (behind > MAX_MISORDER) {
		if (sequence == meter->restart_at) {
			restart(meter, sequence);
			return ORDER_NEXT;
		}
		if ((uint16_t)(sequence + 1) == meter->restart_at)
			return ORDER_DUPLICATE;
		meter->restart_at = (uint16_t)(sequence + 1);
		return ORDER_STRAY;
	}
	if (behind >= WINDOW_BITS)
		return ORDER_LATE;
	if (meter->window >> behind & 1)
		return ORDER_DUPLICATE;
	meter->window |= 1ull << behind;
	return ORDER_LATE;
}

/* RFC 3550 section 6.4.1 and appendix A.8. */
static void
update_jitter(struct rtp_meter *meter, const struct rtp_packet *packet)
{
	int64_t elapsed = packet->time - meter->last, difference;

	if (elapsed >= 0 && elapsed < SILENCE_MAX) {
		difference = elapsed * meter->clock_rate / NANOSECONDS -
			     (int32_t)(packet->timestamp - meter->last_timestamp);
		difference = difference < 0 ? -difference : difference;
		if (difference < (int64_t)meter->clock_rate * 10)
			meter->jitter += (uint32_t)difference - ((meter->jitter + 8) >> 4);
	}
	meter->last_timestamp = packet->timestamp;
}

static void
begin_frame(struct rtp_meter *meter, const struct rtp_packet *packet)
{
	int32_t step = (int32_t)(packet->timestamp - meter->frame_timestamp);

	if (meter->frames == 0)
		meter->first_frame = packet->time;
	else if (step < (int32_t)meter->clock_rate * 60 && step > -(int32_t)meter->clock_rate * 60)
		meter->media_ticks += step;
	meter->frames++;
	meter->last_frame = packet->time;
	meter->frame_timestamp = packet->timestamp;
	meter->frame_is_key = false;
}

static void
mark_keyframe(struct rtp_meter *meter)
{
	if (meter->frame_is_key)
		return;
	meter->frame_is_key = true;
	if (meter->keyframes++ > 0)
		meter->gop = meter->frames - meter->keyframe_at;
	meter->keyframe_at = meter->frames;
}

/* Video has a clock of 90 kHz; a source whose timestamps run at an audio rate is audio. */
static void
find_clock(struct rtp_meter *meter)
{
	static const uint32_t rates[] = {8000, 16000, 24000, 32000, 44100, 48000};
	int64_t elapsed = meter->last_frame - meter->first_frame, rate;

	if (elapsed < CLOCK_FOUND_MIN || meter->media_ticks <= 0)
		return;
	meter->clock_certain = true;
	rate = (int64_t)((double)meter->media_ticks * NANOSECONDS / (double)elapsed);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rate < rates[i] * 0.95 || rate > rates[i] * 1.05)
			continue;
		meter->clock_rate = rates[i];
		meter->jitter = 0;
		meter->codec = CODEC_AUDIO;
		meter->codec_certain = true;
	}
}

static void
look_into_payload(struct rtp_meter *meter, const struct rtp_packet *packet)
{
	struct rtp_finding finding = {0};

	if (!meter->codec_certain) {
		struct rtp_verdict result =
			rtp_payload_guess(&meter->guess, packet->payload, packet->captured);

		if (result.codec != CODEC_UNKNOWN) {
			meter->codec = (uint8_t)result.codec;
			meter->codec_certain = meter->clock_certain = true;
			meter->encrypted = false;
		}
		if (result.decided)
			meter->encrypted = result.encrypted;
	}
	rtp_payload_look(meter->codec, packet->payload, packet->captured, &finding);
	if (finding.keyframe)
		mark_keyframe(meter);
	if (finding.size.width != 0) {
		meter->width = finding.size.width;
		meter->height = finding.size.height;
	}
}

void
rtp_meter_packet(struct rtp_meter *meter, const struct rtp_packet *packet)
{
	enum order order = update_sequence(meter, packet->sequence);

	if (order == ORDER_DUPLICATE) {
		meter->duplicates++;
		return;
	}
	meter->packets++;
	meter->bytes += packet->length;
	meter->wire_bytes += packet->wire_bytes;
	meter->payload_bytes += packet->payload_length;
	if (order == ORDER_LATE)
		meter->reordered++;
	update_jitter(meter, packet);
	meter->last = packet->time;
	if (order == ORDER_NEXT) {
		if (packet->timestamp != meter->frame_timestamp || meter->frames == 0)
			begin_frame(meter, packet);
		if (!meter->clock_certain)
			find_clock(meter);
	}
	if (packet->captured > 0 && packet->timestamp == meter->frame_timestamp)
		look_into_payload(meter, packet);
}

void
rtp_meter_sample(const struct rtp_meter *meter, struct stream_sample *sample)
{
	sample->first = meter->first;
	sample->last = meter->last;
	sample->ssrc = meter->ssrc;
	sample->clock_rate = meter->clock_rate;
	sample->packets = meter->packets;
	sample->bytes = meter->bytes;
	sample->wire_bytes = meter->wire_bytes;
	sample->payload_bytes = meter->payload_bytes;
	sample->expected = meter->expected_before + (meter->highest - meter->base + 1);
	sample->reordered = meter->reordered;
	sample->duplicates = meter->duplicates;
	sample->frames = meter->frames;
	sample->keyframes = meter->keyframes;
	sample->first_frame = meter->first_frame;
	sample->last_frame = meter->last_frame;
	sample->media_ticks = meter->media_ticks > 0 ? (uint64_t)meter->media_ticks : 0;
	sample->gop = meter->gop;
	sample->jitter_ms = meter->jitter / 16.0 * 1000 / meter->clock_rate;
	sample->width = meter->width;
	sample->height = meter->height;
	sample->payload_type = meter->payload_type;
	sample->codec = meter->codec;
	sample->encrypted = meter->encrypted;
}

bool
rtp_meter_shows_video(const struct rtp_meter *meter)
{
	return meter->codec != CODEC_UNKNOWN && meter->codec < CODEC_AUDIO && meter->frames >= 2 &&
	       meter->packets >= VIDEO_PACKETS;
}
