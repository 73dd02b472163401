/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a frame. Random bytes hardly ever get past the first header, so each input is also put
 * behind the outer headers of every tunnel. What is found must not depend on bytes behind the end
 * of the frame, nor on a VLAN tag, which also turns the short ways for usual frames off. */
#include "dataplane/spread_hash.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACS        "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define IPV4(proto) "\x08\x00\x45\0\x40\0\0\0\0\0\x40" proto "\0\0\x0a\0\0\1\x0a\0\0\2"
#define UDP(port)   IPV4("\x11") "\x10\0" port "\x10\0\0\0"
#define IPV6(next)                                                                                 \
	"\x86\xdd\x60\0\0\0\x40\0" next "\x40"                                                     \
	"0123456789abcdef0123456789ABCDEF"

#define PREFIX(bytes)                                                                              \
	{                                                                                          \
		MACS bytes, sizeof(MACS bytes) - 1                                                 \
	}

static const struct prefix {
	const char *bytes;
	size_t length;
} prefixes[] = {
	{"", 0},
	PREFIX("\x81\x00\x00\x01"),
	PREFIX("\x88\x47\0\0\x01\x40"),
	PREFIX("\x88\x64\x11\0\0\1\x40\0"),
	PREFIX("\x08\x00"),
	PREFIX(IPV4("\x04")),
	PREFIX(IPV4("\x2f")),
	PREFIX(IPV4("\x2f") "\x10\0\x88\xbe\0\0\0\1"),
	PREFIX(IPV4("\x2f") "\x10\0\x22\xeb\0\0\0\1"),
	PREFIX(UDP("\x12\xb5") "\x08\0\0\0"),
	PREFIX(UDP("\x12\xb5") "\x08\0\0\0\0\0\1\0" MACS "\x08\0\x45\0\0\x40"),
	PREFIX(IPV4("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\7\0\1\0\0\0\1" IPV4("\x11")),
	PREFIX(UDP("\x17\xc1")),
	PREFIX(UDP("\x17\xc1") "\x02\0\x65\x58"),
	PREFIX(UDP("\x08\x68") "\x34\xff\x40\0\0\0\0\1\0\0\0"),
	PREFIX("\x86\xdd"),
	PREFIX(IPV6("\x29")),
	PREFIX(IPV6("\x2c")),
	PREFIX(IPV6("\x00")),
};

static void
check(const struct spread_secret *secret, const uint8_t *frame, size_t size)
{
	/* Exactly as long as the frame, so that a sanitizer sees a read behind it. */
	uint8_t *exact = malloc(size ? size : 1);
	struct spread_hash first, second;

	if (exact == NULL)
		abort();
	memcpy(exact, frame, size);
	first = spread_hash(secret, exact, (uint32_t)size);
	second = spread_hash(secret, frame, (uint32_t)size);
	free(exact);
	if (first.value != second.value || first.basis != second.basis ||
		(size < 14) != (first.basis == SPREAD_NOTHING)) {
		fprintf(stderr, "not a function of the frame alone\n");
		abort();
	}
}

static void
check_tagged(const struct spread_secret *secret, const uint8_t *frame, size_t size)
{
	static uint8_t tagged[65536 + 4];
	static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x07};
	struct spread_hash bare = spread_hash(secret, frame, (uint32_t)size), with_tag;

	if (size < 14 || frame[12] == 0x81 || frame[12] == 0x88 || frame[12] == 0x91)
		return;
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, tag, 4);
	memcpy(tagged + 16, frame + 12, size - 12);
	with_tag = spread_hash(secret, tagged, (uint32_t)size + 4);
	if (bare.value != with_tag.value || bare.basis != with_tag.basis) {
		fprintf(stderr, "a VLAN tag changes what is found\n");
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct spread_secret secret = {{3, 5, 7, 11}};
	static uint8_t frame[65536];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t room = sizeof(frame) - prefixes[i].length;
		size_t taken = size < room ? size : room;

		memcpy(frame, prefixes[i].bytes, prefixes[i].length);
		memcpy(frame + prefixes[i].length, data, taken);
		check(&secret, frame, prefixes[i].length + taken);
		check_tagged(&secret, frame, prefixes[i].length + taken);
	}
	return 0;
}
