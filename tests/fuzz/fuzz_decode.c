/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte for the link type, one for what the snap length cut off, one for the frame's
 * shape, one spare, then bytes. Half of the shapes are the bytes alone; the others put them inside
 * of, or let them overwrite parts of, a well-formed encapsulation, which random bytes never are. */
#include "dataplane/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/encapsulate.h"
#include "tests/unit/encapsulations.h"
#include "tests/unit/packet_invariants.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPE_SIZE = 4, INSIDE_MAX = 1024 };

static void
decode(const uint8_t *bytes, size_t size, enum link_type link, uint8_t cut)
{
	struct decode_options options = {.ethertypes = {0x8033, 0x88cc}, .ethertype_count = 2};
	struct packet packet = {0};
	uint8_t *exact = malloc(size ? size : 1);

	if (exact == NULL)
		return;
	memcpy(exact, bytes, size);
	packet.data = exact;
	packet.captured = (uint32_t)size;
	packet.wire_length = packet.captured + cut;
	if (decode_packet(&packet, link, &options) == PACKET_DECODED &&
		packet_broken_invariant(&packet) != NULL) {
		fprintf(stderr, "not %s\n", packet_broken_invariant(&packet));
		abort();
	}
	free(exact);
}

/* The bytes as what the tunnel carries: the recipe's own host datagram is cut off. */
static void
put_inside(struct encapsulation *frame, const char *recipe, const uint8_t *data, size_t size)
{
	char outer[ENCAPSULATE_SIZE];
	char *host;

	snprintf(outer, sizeof(outer), "%s", recipe);
	host = strstr(outer, " " HOST4);
	if (host == NULL)
		host = strstr(outer, " " HOST6);
	memcpy(encapsulation_prepend(frame, size), data, size);
	if (host != NULL && host != outer)
		*host = '\0';
	encapsulate(frame, outer);
}

/* Pairs of bytes: where, and what. */
static void
overwrite(struct encapsulation *frame, const char *recipe, const uint8_t *data, size_t size)
{
	encapsulate(frame, recipe);
	for (size_t i = 0; i + 1 < size && i < 16; i += 2)
		frame->room[ENCAPSULATE_SIZE - frame->length + data[i] % frame->length] =
			data[i + 1];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct encapsulation frame = {.length = 0};
	const char *recipe;
	uint8_t shape;

	if (size < SHAPE_SIZE)
		return 0;
	shape = data[2];
	recipe = encapsulation_cases[(shape & 0x7f) % ENCAPSULATION_CASES].recipe;
	if (shape & 0x80) {
		decode(data + SHAPE_SIZE, size - SHAPE_SIZE, (enum link_type)(data[0] % 5),
			data[1]);
		return 0;
	}
	if (data[3] & 1)
		put_inside(&frame, recipe, data + SHAPE_SIZE,
			size - SHAPE_SIZE < INSIDE_MAX ? size - SHAPE_SIZE : INSIDE_MAX);
	else
		overwrite(&frame, recipe, data + SHAPE_SIZE, size - SHAPE_SIZE);
	decode(encapsulation_bytes(&frame), frame.length, LINK_ETHERNET, data[1]);
	return 0;
}
