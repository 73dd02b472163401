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
	if (shape[0] & 1 && shape[1] & 32) { /* two tags, the outer one of either kind */
		put16(frame + 12, shape[0] & 128 ? 0x88a8 : 0x8100);
		put16(frame + 16, 0x8100);
		at += 4;
	}
	if (shape[0] & 1) {
		put16(frame + at + 2, shape[0] & 2 ? 0x86dd : 0x0800);
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

/* Puts the frame into a mirror tunnel, as far as the shape asks for it. Returns the new size. */
static size_t
wrap_frame(uint8_t *bytes, size_t size, const uint8_t *shape)
{
	static const uint8_t erspan[] = {
		0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x10, 7, 0, 0, 0, 0};
	bool vxlan = shape[1] & 2;
	size_t outer = 14 + 20 + 16;

	if (!(shape[1] & 4))
		return size;
	memmove(bytes + outer, bytes, size);
	memset(bytes, 0, outer);
	put16(bytes + 12, 0x0800);
	bytes[14] = 0x45;
	put16(bytes + 16, 20 + 16 + size - (shape[1] >> 7));
	bytes[23] = vxlan ? 17 : 47;
	memcpy(bytes + 34, erspan, sizeof(erspan));
	if (vxlan) {
		put16(bytes + 36, shape[1] & 8 ? 4789 : 8472);
		put16(bytes + 38, 16 + size - (shape[1] >> 6 & 1));
		bytes[42] = 8;
	}
	bytes[34 + shape[2] % 16] ^= shape[1] & 16 ? shape[0] : 0;
	return outer + size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_secret secret = {{3, 5, 7, 11, 13, 17}};
	struct decode_options options = {0};
	struct frame_view frame = {0};
	const char *difference;
	uint8_t shaped[FRAME_MAX + 64];
	uint8_t *bytes;
	bool taken;

	if (size < SHAPE_SIZE || size > FRAME_MAX)
		return 0;
	/* A copy of the exact size: the sanitizers see every byte read behind it. */
	size -= SHAPE_SIZE;
	memcpy(shaped, data + SHAPE_SIZE, size);
	if (!(data[3] & 128)) {
		shape_frame(shaped, size, data + 1);
		size = wrap_frame(shaped, size, data + 1);
	}
	bytes = malloc(size ? size : 1);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, shaped, size);
	frame.data = bytes;
	frame.captured = (uint32_t)size;
	frame.wire_length = frame.captured + (data[0] & 128 ? data[1] * 300u : 0);
	options.ignore_vlans = data[0] & 1;
	options.by_port = data[0] & 2;
	options.ignore_tunnels = data[0] & 4;
	frame.observation_point = data[0] >> 3;
	difference =
		plain_disagrees(&frame, (data[0] & 127) == 127 ? NULL : &options, &secret, &taken);
	if (difference != NULL) {
		fprintf(stderr, "the decoders disagree: %s\n", difference);
		abort();
	}
	free(bytes);
	return 0;
}
