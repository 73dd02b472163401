/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte for the link type, one for what the snap length cut off, then the frame. */
#include "dataplane/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/packet_invariants.h"

#include <stdio.h>
#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_options options = {.ethertypes = {0x8033, 0x88cc}, .ethertype_count = 2};
	struct packet packet = {0};

	if (size < 2)
		return 0;
	packet.data = data + 2;
	packet.captured = (uint32_t)(size - 2);
	packet.wire_length = packet.captured + data[1];
	if (decode_packet(&packet, (enum link_type)(data[0] % 5), &options) != PACKET_DECODED)
		return 0;
	if (packet_broken_invariant(&packet) != NULL) {
		fprintf(stderr, "not %s\n", packet_broken_invariant(&packet));
		abort();
	}
	return 0;
}
