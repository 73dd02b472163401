/* SPDX-License-Identifier: Apache-2.0 */
/* Picture size from the headers that video carries in itself. */
#ifndef CAMSPAN_PROTOCOLS_VIDEO_PARAMETERS_H
#define CAMSPAN_PROTOCOLS_VIDEO_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIDEO_SIDE_MIN 16    /* pixels; what is smaller or larger is refused as absurd */
#define VIDEO_SIDE_MAX 16384 /* level 6.2 allows 16,888; no camera sends that */

struct video_size {
	uint16_t width;
	uint16_t height;
	float fps; /* from the VUI timing of an H.264 SPS, 0 unknown */
};

/* Each returns false and leaves `size` alone when the bytes are no such header or absurd.
 * The NAL units start with their NAL header and carry emulation prevention bytes. */
bool video_h264_sps(const uint8_t *nal, size_t length, struct video_size *size);
bool video_h265_sps(const uint8_t *nal, size_t length, struct video_size *size);
/* `jpeg` starts with SOI; the frame header must lie within `length`. */
bool video_jpeg_size(const uint8_t *jpeg, size_t length, struct video_size *size);

#endif
