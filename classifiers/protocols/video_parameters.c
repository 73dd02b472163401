/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/video_parameters.h"

#include "dataplane/cursor.h"

/* Bits of an RBSP: emulation prevention bytes are dropped while reading (H.264 section 7.4.1).
 * Like a cursor: a read past the end sets `failed` and returns zero. */
struct bit_reader {
	struct cursor bytes;
	uint32_t current; /* byte being read */
	unsigned left;    /* bits of it not yet read */
	unsigned zeroes;  /* zero bytes in a row before the next byte */
};

static struct bit_reader
bits_make(const uint8_t *data, size_t length)
{
	return (struct bit_reader){.bytes = cursor_make(data, length)};
}

static bool
bits_ok(const struct bit_reader *bits)
{
	return cursor_ok(&bits->bytes);
}

static void
bits_load(struct bit_reader *bits)
{
	uint8_t byte = cursor_u8(&bits->bytes);

	if (bits->zeroes >= 2 && byte == 3) {
		bits->zeroes = 0;
		byte = cursor_u8(&bits->bytes);
	}
	bits->zeroes = byte == 0 ? bits->zeroes + 1 : 0;
	bits->current = byte;
	bits->left = 8;
}

static uint32_t
bit(struct bit_reader *bits)
{
	if (bits->left == 0)
		bits_load(bits);
	bits->left--;
	return bits->current >> bits->left & 1;
}

/* At most 32 bits. */
static uint32_t
bits_read(struct bit_reader *bits, unsigned count)
{
	uint32_t value = 0;

	while (count-- > 0)
		value = value << 1 | bit(bits);
	return value;
}

static void
bits_skip(struct bit_reader *bits, unsigned count)
{
	while (count-- > 0 && bits_ok(bits))
		bit(bits);
}

/* ue(v), H.264 section 9.1. */
static uint32_t
exp_golomb(struct bit_reader *bits)
{
	unsigned zeroes = 0;

	while (bits_ok(bits) && bit(bits) == 0)
		if (++zeroes > 31) {
			bits->bytes.failed = true;
			return 0;
		}
	return (uint32_t)((1ull << zeroes) - 1 + bits_read(bits, zeroes));
}

/* se(v) */
static int32_t
signed_exp_golomb(struct bit_reader *bits)
{
	uint32_t code = exp_golomb(bits);

	return code & 1 ? (int32_t)(code / 2 + 1) : -(int32_t)(code / 2);
}

static bool
store_size(struct video_size *size, int64_t width, int64_t height, float fps)
{
	if (width < VIDEO_SIDE_MIN || height < VIDEO_SIDE_MIN || width > VIDEO_SIDE_MAX ||
		height > VIDEO_SIDE_MAX)
		return false;
	*size = (struct video_size){
		.width = (uint16_t)width, .height = (uint16_t)height, .fps = fps};
	return true;
}

/* H.264 section 7.3.2.1.1.1 */
static void
skip_scaling_list(struct bit_reader *bits, unsigned entries)
{
	int32_t last = 8, next = 8;

	for (unsigned i = 0; i < entries && bits_ok(bits); i++) {
		if (next != 0)
			next = (last + signed_exp_golomb(bits)) & 0xff;
		last = next == 0 ? last : next;
	}
}

static bool
profile_has_chroma(uint32_t profile)
{
	static const uint8_t profiles[] = {
		100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};

	for (size_t i = 0; i < sizeof(profiles); i++)
		if (profiles[i] == profile)
			return true;
	return false;
}

/* Returns chroma_format_idc, or 4 for separate planes (which are cropped like monochrome). */
static uint32_t
h264_chroma(struct bit_reader *bits, uint32_t profile)
{
	uint32_t chroma = 1;
	bool separate_planes = false;

	if (!profile_has_chroma(profile))
		return chroma;
	chroma = exp_golomb(bits);
	if (chroma == 3)
		separate_planes = bit(bits);
	if (chroma > 3)
		bits->bytes.failed = true;
	exp_golomb(bits); /* bit_depth_luma_minus8 */
	exp_golomb(bits); /* bit_depth_chroma_minus8 */
	bit(bits);        /* qpprime_y_zero_transform_bypass_flag */
	if (bit(bits))
		for (unsigned i = 0; i < (chroma == 3 ? 12 : 8); i++)
			if (bit(bits))
				skip_scaling_list(bits, i < 6 ? 16 : 64);
	return separate_planes ? 4 : chroma;
}

static void
h264_skip_picture_order(struct bit_reader *bits)
{
	uint32_t type = exp_golomb(bits);

	if (type == 0) {
		exp_golomb(bits); /* log2_max_pic_order_cnt_lsb_minus4 */
	} else if (type == 1) {
		uint32_t cycle;

		bit(bits);
		signed_exp_golomb(bits);
		signed_exp_golomb(bits);
		cycle = exp_golomb(bits);
		if (cycle > 255)
			bits->bytes.failed = true;
		for (uint32_t i = 0; i < cycle && bits_ok(bits); i++)
			signed_exp_golomb(bits);
	} else if (type > 2) {
		bits->bytes.failed = true;
	}
}

/* Frame rate of the VUI (H.264 annex E); 0 when it has none or an absurd one. */
static float
h264_vui_rate(struct bit_reader *bits)
{
	uint32_t units, scale;
	float rate;

	if (!bit(bits))
		return 0;
	if (bit(bits) && bits_read(bits, 8) == 255) /* Extended_SAR */
		bits_skip(bits, 32);
	if (bit(bits)) /* overscan_info_present_flag */
		bit(bits);
	if (bit(bits)) { /* video_signal_type_present_flag */
		bits_skip(bits, 4);
		if (bit(bits))
			bits_skip(bits, 24);
	}
	if (bit(bits)) { /* chroma_loc_info_present_flag */
		exp_golomb(bits);
		exp_golomb(bits);
	}
	if (!bit(bits)) /* timing_info_present_flag */
		return 0;
	units = bits_read(bits, 32);
	scale = bits_read(bits, 32);
	if (!bits_ok(bits) || units == 0)
		return 0;
	rate = (float)scale / 2 / (float)units; /* two fields a frame */
	return rate >= 1 && rate <= 240 ? rate : 0;
}

bool
video_h264_sps(const uint8_t *nal, size_t length, struct video_size *size)
{
	struct bit_reader bits = bits_make(nal, length);
	uint32_t profile, chroma, width, height, frame_only, crop[4] = {0};
	int64_t unit_x, unit_y;

	if (length < 4 || (nal[0] & 0x9f) != 7)
		return false;
	bits_skip(&bits, 8);
	profile = bits_read(&bits, 8);
	bits_skip(&bits, 16); /* constraint flags, level */
	if (exp_golomb(&bits) > 31)
		return false;
	chroma = h264_chroma(&bits, profile);
	if (exp_golomb(&bits) > 12) /* log2_max_frame_num_minus4 */
		return false;
	h264_skip_picture_order(&bits);
	if (exp_golomb(&bits) > 16) /* max_num_ref_frames */
		return false;
	bit(&bits); /* gaps_in_frame_num_value_allowed_flag */
	width = exp_golomb(&bits);
	height = exp_golomb(&bits);
	frame_only = bit(&bits);
	if (!frame_only)
		bit(&bits); /* mb_adaptive_frame_field_flag */
	bit(&bits);         /* direct_8x8_inference_flag */
	if (bit(&bits))
		for (int i = 0; i < 4; i++)
			crop[i] = exp_golomb(&bits);
	if (!bits_ok(&bits) || width > 1024 || height > 1024)
		return false;
	/* Equations 7-19 to 7-22: cropping counts chroma samples, and frame lines in pairs. */
	unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
	unit_y = (chroma == 1 ? 2 : 1) * (frame_only ? 1 : 2);
	return store_size(size, (width + 1) * 16ll - unit_x * ((int64_t)crop[0] + crop[1]),
		(height + 1) * 16ll * (frame_only ? 1 : 2) - unit_y * ((int64_t)crop[2] + crop[3]),
		h264_vui_rate(&bits));
}

/* profile_tier_level(1, sub_layers), H.265 section 7.3.3 */
static void
h265_skip_profile_tier_level(struct bit_reader *bits, unsigned sub_layers)
{
	bool profile[8] = {false}, level[8] = {false};

	bits_skip(bits, 96);
	for (unsigned i = 0; i < sub_layers; i++) {
		profile[i] = bit(bits);
		level[i] = bit(bits);
	}
	if (sub_layers > 0)
		bits_skip(bits, 2 * (8 - sub_layers));
	for (unsigned i = 0; i < sub_layers; i++)
		bits_skip(bits, (profile[i] ? 88 : 0) + (level[i] ? 8 : 0));
}

bool
video_h265_sps(const uint8_t *nal, size_t length, struct video_size *size)
{
	struct bit_reader bits = bits_make(nal, length);
	uint32_t sub_layers, chroma, width, height, window[4] = {0};
	int64_t unit_x, unit_y;
	bool separate_planes = false;

	if (length < 16 || (nal[0] & 0x80) || (nal[0] >> 1 & 0x3f) != 33)
		return false;
	bits_skip(&bits, 16 + 4); /* NAL header, sps_video_parameter_set_id */
	sub_layers = bits_read(&bits, 3);
	bit(&bits);
	if (sub_layers > 6)
		return false;
	h265_skip_profile_tier_level(&bits, sub_layers);
	if (exp_golomb(&bits) > 15) /* sps_seq_parameter_set_id */
		return false;
	chroma = exp_golomb(&bits);
	if (chroma == 3)
		separate_planes = bit(&bits);
	width = exp_golomb(&bits);
	height = exp_golomb(&bits);
	if (bit(&bits))
		for (int i = 0; i < 4; i++)
			window[i] = exp_golomb(&bits);
	if (!bits_ok(&bits) || chroma > 3)
		return false;
	/* Table 6-1: SubWidthC, SubHeightC */
	unit_x = !separate_planes && (chroma == 1 || chroma == 2) ? 2 : 1;
	unit_y = !separate_planes && chroma == 1 ? 2 : 1;
	return store_size(size, width - unit_x * ((int64_t)window[0] + window[1]),
		height - unit_y * ((int64_t)window[2] + window[3]), 0);
}

/* SOF0..SOF15 without DHT (c4), JPG (c8) and DAC (cc): ITU-T T.81 table B.1. */
static bool
is_frame_header(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

bool
video_jpeg_size(const uint8_t *jpeg, size_t length, struct video_size *size)
{
	struct cursor cursor = cursor_make(jpeg, length);

	if (cursor_be16(&cursor) != 0xffd8)
		return false;
	while (cursor_left(&cursor) >= 4) {
		uint8_t fill = cursor_u8(&cursor), marker = cursor_u8(&cursor);
		struct cursor segment;
		uint16_t segment_length, height, width;

		while (marker == 0xff && cursor_ok(&cursor))
			marker = cursor_u8(&cursor);
		segment_length = cursor_be16(&cursor);
		if (fill != 0xff || segment_length < 2 || marker == 0xda || marker < 0xc0)
			return false;
		if (!is_frame_header(marker)) {
			cursor_skip(&cursor, segment_length - 2u);
			continue;
		}
		segment = cursor_sub(&cursor, segment_length - 2u);
		cursor_skip(&segment, 1); /* sample precision */
		height = cursor_be16(&segment);
		width = cursor_be16(&segment);
		return cursor_ok(&segment) && store_size(size, width, height, 0);
	}
	return false;
}
