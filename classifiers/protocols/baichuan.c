/* SPDX-License-Identifier: Apache-2.0 */
/* Baichuan, the control protocol of Reolink and its relatives, on TCP 9000: little-endian headers
 * that start with 0x0abcdef0. The device is the one that listens and answers. */
#include "classifiers/protocols/listener.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define MAGIC           0x0abcdef0u
#define HEADER_LEGACY   20
#define HEADER_MODERN   24
#define CLASS_LEGACY    0x6514
#define CLASS_MODERN    0x6614 /* short header too */
#define CLASS_MODERN_2  0x6414
#define CLASS_MODERN_3  0x0000
#define MESSAGE_MAX     (4u << 20)
#define PORT            9000
#define MESSAGES_WANTED 2 /* sound headers, one of them the device's: one could be chance */
#define STRANGERS_MAX   4 /* calls without a header: the first message may be obfuscated */

struct baichuan_flow {
	uint8_t requests;
	uint8_t answers;
	uint8_t strangers;
};

/* Length of the message with its header; 0: more bytes are needed; -1: none. */
static int64_t
message_length(const uint8_t *data, uint32_t length)
{
	struct cursor cursor = cursor_make(data, length);
	uint32_t magic = cursor_le32(&cursor), body;
	uint16_t message_class;

	if (cursor_ok(&cursor) && magic != MAGIC)
		return -1;
	cursor_skip(&cursor, 4); /* message id */
	body = cursor_le32(&cursor);
	cursor_skip(&cursor, 6); /* channel, stream, response */
	message_class = cursor_le16(&cursor);
	if (!cursor_ok(&cursor))
		return 0;
	if (body > MESSAGE_MAX)
		return -1;
	switch (message_class) {
	case CLASS_LEGACY:
	case CLASS_MODERN:
		return HEADER_LEGACY + (int64_t)body;
	case CLASS_MODERN_2:
	case CLASS_MODERN_3:
		return HEADER_MODERN + (int64_t)body;
	default:
		return -1;
	}
}

/* After lost bytes the next header is looked for. */
static uint32_t
find_magic(const uint8_t *data, uint32_t length)
{
	static const uint8_t magic[] = {0xf0, 0xde, 0xbc, 0x0a};
	const uint8_t *found = memmem(data, length, magic, sizeof(magic));

	if (found != NULL)
		return (uint32_t)(found - data);
	return length > sizeof(magic) - 1 ? length - (uint32_t)(sizeof(magic) - 1) : 0;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	static const char name[] = "baichuan";
	struct baichuan_flow *flow = scratch;
	bool device = listener_sent(in, PORT);
	uint8_t *count = device ? &flow->answers : &flow->requests;

	while (in->consumed < in->length) {
		const uint8_t *data = in->data + in->consumed;
		uint32_t left = in->length - in->consumed;
		int64_t length = message_length(data, left);

		if (length == 0)
			break;
		if (length < 0) { /* bytes were missed, or it is none */
			if (flow->strangers++ >= STRANGERS_MAX)
				return CLASSIFIER_NOT_MINE;
			in->consumed += 1 + find_magic(data + 1, left - 1);
			continue;
		}
		if (*count < UINT8_MAX)
			(*count)++;
		in->consumed += (uint32_t)length;
	}
	in->recognized = flow->requests + flow->answers > 0;
	if (!device || flow->answers == 0 || flow->requests + flow->answers < MESSAGES_WANTED)
		return CLASSIFIER_MORE;
	report_source(in, &classifier_baichuan, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, name,
		sizeof(name) - 1, sink);
	return CLASSIFIER_DONE;
}

const struct classifier classifier_baichuan = {
	.name = "baichuan",
	.reference = "neolink: dissector/baichuan.lua",
	.protocol = "baichuan",
	.match = {{
		.layer = MATCH_TCP,
		.ports = {PORT},
		.magics = {{.length = 4, .bytes = {0xf0, 0xde, 0xbc, 0x0a}}},
	}},
	.match_count = 1,
	.max_packets = 64,
	.scratch_size = sizeof(struct baichuan_flow),
	.inspect = inspect,
};
