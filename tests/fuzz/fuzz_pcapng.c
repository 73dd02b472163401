/* SPDX-License-Identifier: Apache-2.0 */
/* The input twice: as a pcapng file, which is what saved files are for, and as a list of blocks to
 * make one of, so that random bytes come past the section header and the lengths too. */
#include "dataplane/pcapng.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MADE_MAX     8192
#define BLOCK_HEADER 2 /* what it is, how long its body is */
#define WHAT_TYPE    0x07
#define WHAT_WILD    0x08 /* the body as it comes: any interface, any length */
#define WHAT_LIE     0xf0 /* all set: its length or the length at its end is wrong */

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

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
read_file(const uint8_t *bytes, size_t size)
{
	FILE *file = size ? fmemopen((void *)bytes, size, "rb") : NULL;
	char reason[CAPTURE_ERROR_SIZE];
	struct capture_packet packet;
	struct pcapng *pcapng;
	uint64_t captured = 0;
	int result;

	if (file == NULL)
		return;
	pcapng = pcapng_open(file, reason);
	while (pcapng && (result = pcapng_next(pcapng, &packet)) == 1) {
		uint8_t *copy = malloc(packet.captured + 1);

		require(copy != NULL);
		memcpy(copy, packet.data, packet.captured); /* all of it can be read */
		free(copy);
		captured += packet.captured;
		require(packet.wire_length >= packet.captured && packet.link <= LINK_UNSUPPORTED);
		require(packet.time >= 0 && packet.time <= CAPTURE_TIME_MAX);
	}
	require(captured <= size);
	require(!pcapng || (result < 0) == (pcapng_reason(pcapng)[0] != '\0'));
	require(pcapng || (reason[0] != '\0' && strchr(reason, '\n') == NULL));
	pcapng_free(pcapng);
	fclose(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maker maker;

	read_file(data, size);
	make_file(&maker, data, size);
	read_file(maker.bytes, maker.length);
	return 0;
}
