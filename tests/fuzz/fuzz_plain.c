/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte for what the snap length cut off, three that shape the frame, then its bytes.
 * The shaping makes most inputs plain or nearly so: random bytes never are. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/plain_agrees.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPE_SIZE = 4, FRAME_MAX = 4096 };

static void
put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Writes types and lengths that fit, as far as the shape's bits ask for it. */
static void
shape_frame(uint8_t *frame, size_t size, const uint8_t *shape)
{
	size_t at = 14;

	if (size < 80)
		return;
	put16(frame + 12, shape[0] & 1 ? 0x8100 : shape[0] & 2 ? 0x86dd : 0x0800);
	if (shape[0] & 1) {
		put16(frame + 16, shape[0] & 2 ? 0x86dd : 0x0800);
		at += 4;
	}
	if (shape[0] & 2) {
		frame[at] = 0x60;
		put16(frame + at + 4, size - at - 40 + (shape[1] & 1));
		frame[at + 6] = shape[0] & 4 ? 6 : 17;
		at += 40;
	} else {
		frame[at] = shape[0] & 32 ? 0x46 : 0x45;
		put16(frame + at + 2, size - at + (shape[1] & 1));
		put16(frame + at + 6, shape[0] & 64 ? 0x2000 : 0x4000);
		frame[at + 9] = shape[0] & 4 ? 6 : 17;
		at += 20;
	}
	if (shape[0] & 8)
		put16(frame + at + 4, size - at - shape[2] % 4);
	if (shape[0] & 16)
		frame[at + 12] = 0x50;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_secret secret = {{3, 5, 7, 11, 13, 17}};
	struct decode_options options = {0};
	struct frame_view frame = {0};
	const char *difference;
	uint8_t *bytes;
	bool taken;

	if (size < SHAPE_SIZE || size > FRAME_MAX)
		return 0;
	/* A copy of the exact size: the sanitizers see every byte read behind it. */
	size -= SHAPE_SIZE;
	bytes = malloc(size ? size : 1);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data + SHAPE_SIZE, size);
	if (!(data[3] & 128))
		shape_frame(bytes, size, data + 1);
	frame.data = bytes;
	frame.captured = (uint32_t)size;
	frame.wire_length = frame.captured + data[0] / 128;
	options.ignore_vlans = data[0] & 1;
	options.by_port = data[0] & 2;
	frame.observation_point = data[0] >> 2;
	difference = plain_disagrees(&frame, &options, &secret, &taken);
	if (difference != NULL) {
		fprintf(stderr, "the decoders disagree: %s\n", difference);
		abort();
	}
	free(bytes);
	return 0;
}
