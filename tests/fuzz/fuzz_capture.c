/* SPDX-License-Identifier: Apache-2.0 */
/* The input three times: as a capture file, which is what saved files are for; as a list of blocks
 * to make a pcapng file of; and as a list of packets to make a pcap file of: so that random bytes
 * come past the headers and the lengths too. */
#include "dataplane/capture.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MADE_MAX     8192
#define BLOCK_HEADER 2 /* what it is, how long its body is */
#define WHAT_TYPE    0x07
#define WHAT_WILD    0x08 /* the body as it comes: any interface, any length */
#define WHAT_LIE     0xf0 /* all set: its length or the length at its end is wrong */

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static const uint32_t types[WHAT_TYPE + 1] = {1, 6, 2, 3, 5, 6, 0x0a0d0d0a, 0x0bad};

struct maker {
	uint8_t bytes[MADE_MAX];
	size_t length;
	bool big_endian;
};

static void
put_u32(struct maker *maker, uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[maker->big_endian ? 3 - i : i] = (uint8_t)(value >> (8 * i));
}

static void
put_u16(struct maker *maker, uint8_t *at, uint16_t value)
{
	at[maker->big_endian] = (uint8_t)value;
	at[!maker->big_endian] = (uint8_t)(value >> 8);
}

/* An option in place of the bytes that stand there, if there is room. */
static void
put_option(struct maker *maker, uint8_t *body, size_t length, size_t at, uint16_t code,
	uint16_t value_length)
{
	if (length < at + 4)
		return;
	put_u16(maker, body + at, code);
	put_u16(maker, body + at + 2, value_length);
}

/* Makes of any body one that is mostly right: a link type, interface 0, a length that fits. */
static void
tame(struct maker *maker, uint32_t type, uint8_t *body, size_t length)
{
	static const uint16_t links[] = {1, 113, 276, 101, 105};

	if (length < 8)
		return;
	switch (type) {
	case 0x0a0d0d0a:
		put_u32(maker, body, 0x1a2b3c4d);
		put_u16(maker, body + 4, 1);
		put_u16(maker, body + 6, body[6] & 2);
		break;
	case 1:
		put_u16(maker, body, links[body[0] % 5]);
		put_option(maker, body, length, 8, body[1] & 1 ? 9 : 14, body[1] & 1 ? 1 : 8);
		put_option(maker, body, length, body[1] & 1 ? 16 : 20, 0, 0);
		break;
	case 3:
		put_u32(maker, body, (uint32_t)(body[0] % length));
		break;
	case 5:
		put_u32(maker, body, 0);
		put_option(maker, body, length, 12, 5 + (body[12] & 2), 8);
		put_option(maker, body, length, 24, 5 + (body[24] & 2), 8);
		break;
	case 2:
	case 6:
		memset(body, 0, 4);
		if (length >= 20)
			put_u32(maker, body + 12, (uint32_t)(body[12] % (length - 19)));
		break;
	default:
		break;
	}
}

static void
put_block(struct maker *maker, uint8_t what, const uint8_t *body, size_t length)
{
	uint32_t type = types[what & WHAT_TYPE], total = (uint32_t)(12 + length);
	uint8_t *at = maker->bytes + maker->length;
	bool lies = (what & WHAT_LIE) == WHAT_LIE;

	if (maker->length + total > MADE_MAX)
		return;
	if (type == 0x0a0d0d0a)
		maker->big_endian = length > 8 && body[8] & 1;
	put_u32(maker, at, type);
	put_u32(maker, at + 4, lies && length ? total + (uint32_t)(int8_t)body[0] : total);
	memcpy(at + 8, body, length);
	if (!(what & WHAT_WILD))
		tame(maker, type, at + 8, length);
	put_u32(maker, at + 8 + length, lies ? total + 4 : total);
	maker->length += total;
}

static void
make_file(struct maker *maker, const uint8_t *data, size_t size)
{
	static const uint8_t section[16], interface[8];

	maker->length = 0;
	put_block(maker, 6, section, sizeof(section));
	put_block(maker, 0, interface, sizeof(interface));
	while (size >= BLOCK_HEADER) {
		size_t length = data[1] & ~3U;

		if (length > size - BLOCK_HEADER)
			length = (size - BLOCK_HEADER) & ~(size_t)3;
		put_block(maker, data[0], data + BLOCK_HEADER, length);
		data += BLOCK_HEADER + length;
		size -= BLOCK_HEADER + length;
	}
}

/* A pcap file of any format; what follows is one packet after the other. */
static void
make_pcap(struct maker *maker, const uint8_t *data, size_t size)
{
	static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
	static const uint8_t links[] = {1, 113, 101, 105};
	uint8_t *header = maker->bytes;
	size_t packet_header = data[0] % 3 == 2 ? 24 : 16;

	memset(header, 0, 24);
	maker->big_endian = data[0] & 0x80;
	put_u32(maker, header, magics[data[0] % 3]);
	put_u16(maker, header + 4, 2);
	put_u16(maker, header + 6, data[1] % 5);
	put_u32(maker, header + 20, links[data[1] >> 6]);
	maker->length = 24;
	for (data += 2, size -= 2; size >= 2; data += 2, size -= 2) {
		size_t length = data[0] % 64;
		bool lies = data[0] >= 0xfc;
		uint8_t *at = maker->bytes + maker->length;

		if (length > size - 2 || maker->length + packet_header + length > MADE_MAX)
			break;
		memset(at, data[1], packet_header); /* any time */
		put_u32(maker, at + 8, (uint32_t)(lies ? length + data[1] : length));
		put_u32(maker, at + 12, (uint32_t)(length + data[1] % 3));
		memcpy(at + packet_header, data + 2, length);
		maker->length += packet_header + length;
		data += length;
		size -= length;
	}
}

/* Gives a few bytes at a time, so that the window moves amid everything. */
struct memory {
	const uint8_t *bytes;
	size_t left, at_once;
};

static ssize_t
read_memory(void *context, void *to, size_t size)
{
	struct memory *memory = context;
	size_t length = memory->left < memory->at_once ? memory->left : memory->at_once;

	length = length < size ? length : size;
	memcpy(to, memory->bytes, length);
	memory->bytes += length;
	memory->left -= length;
	return (ssize_t)length;
}

/* All of a burst can be read at its end. */
static uint64_t
check_burst(const struct frame_view *packets, unsigned count)
{
	uint64_t captured = 0;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *copy = malloc(packets[i].captured + 1);

		require(copy != NULL);
		memcpy(copy, packets[i].data, packets[i].captured);
		free(copy);
		captured += packets[i].captured;
		require(packets[i].wire_length >= packets[i].captured);
		require(packets[i].link <= LINK_UNSUPPORTED);
		require(packets[i].time >= 0 && packets[i].time <= CAPTURE_TIME_MAX);
	}
	return captured;
}

static void
read_file(const uint8_t *bytes, size_t size, size_t at_once)
{
	struct memory memory = {bytes, size, at_once};
	struct frame_view packets[4];
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open_stream("input", read_memory, &memory, error);
	uint64_t captured = 0, count = 0;
	int got;

	if (capture == NULL) {
		require(strncmp(error, "input: ", 7) == 0 && strchr(error, '\n') == NULL);
		return;
	}
	while ((got = capture_burst(capture, packets, 4)) > 0) {
		captured += check_burst(packets, (unsigned)got);
		count += (unsigned)got;
	}
	require(captured <= size && count == capture_count(capture));
	require((got < 0) == (capture_error(capture)[0] != '\0'));
	require(capture_burst(capture, packets, 4) == got);
	capture_close(capture);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maker maker;
	size_t at_once = size ? 1 + data[size - 1] : 1;

	read_file(data, size, at_once);
	make_file(&maker, data, size);
	read_file(maker.bytes, maker.length, at_once);
	if (size < 2)
		return 0;
	make_pcap(&maker, data, size);
	read_file(maker.bytes, maker.length, at_once);
	return 0;
}
