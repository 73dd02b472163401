/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocols of Dahua (DVRIP and, as JSON, DHIP; TCP 37777) and of Xiongmai (TCP 34567).
 * Both call theirs DVRIP; the headers have nothing in common. Only the device's answer counts. */
#include "classifiers/protocols/listener.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define DAHUA_PORT      37777
#define XIONGMAI_PORT   34567
#define DAHUA_HEADER    32
#define XIONGMAI_HEADER 20
#define MESSAGE_MAX     (4u << 20)
#define STRANGERS_MAX   2

enum dialect { DIALECT_NONE, DIALECT_DHIP, DIALECT_DVRIP, DIALECT_XIONGMAI };

struct dvrip_flow {
	uint8_t sound[2]; /* messages of client and device */
	uint8_t dialect;
	uint8_t strangers;
};

struct message {
	enum dialect dialect;
	uint32_t length;
	bool answer; /* its header says so; DHIP's does not tell */
};

/* Dahua's binary commands: a0 login, a1 keepalive, f6 JSON; b0 and b1 answer. */
static bool
parse_dvrip(struct cursor cursor, struct message *message)
{
	uint8_t command = cursor_u8(&cursor);

	cursor_skip(&cursor, 3);
	*message = (struct message){
		.dialect = DIALECT_DVRIP,
		.length = DAHUA_HEADER + cursor_le32(&cursor),
		.answer = command == 0xb0 || command == 0xb1,
	};
	return command == 0xa0 || command == 0xa1 || command == 0xb0 || command == 0xb1 ||
	       command == 0xf6;
}

static bool
parse_dhip(struct cursor cursor, struct message *message)
{
	static const uint8_t magic[] = {0x20, 0, 0, 0, 'D', 'H', 'I', 'P'};
	const uint8_t *start = cursor_take(&cursor, sizeof(magic));

	cursor_skip(&cursor, 8); /* session, id */
	*message = (struct message){
		.dialect = DIALECT_DHIP,
		.length = DAHUA_HEADER + cursor_le32(&cursor),
		.answer = true,
	};
	return start != NULL && memcmp(start, magic, sizeof(magic)) == 0;
}

/* Every message but media carries JSON; only those prove the protocol. */
static bool
parse_xiongmai(struct cursor cursor, struct message *message)
{
	bool magic = cursor_u8(&cursor) == 0xff;
	uint8_t version = cursor_u8(&cursor);
	bool reserved = cursor_be16(&cursor) == 0;

	cursor_skip(&cursor, 12); /* session, sequence, parts, message id */
	*message = (struct message){
		.dialect = DIALECT_XIONGMAI,
		.length = XIONGMAI_HEADER + cursor_le32(&cursor),
		.answer = version == 1,
	};
	return magic && version <= 1 && reserved && cursor_u8(&cursor) == '{';
}

/* False when the bytes are no message; message->length 0 when more are needed. */
static bool
parse(const struct inspection *in, const uint8_t *data, uint32_t length, struct message *message)
{
	struct cursor cursor = cursor_make(data, length);
	bool dahua_port =
		in->packet->source_port == DAHUA_PORT || in->packet->destination_port == DAHUA_PORT;

	*message = (struct message){0};
	if (length < (data[0] == 0xff ? XIONGMAI_HEADER + 1 : DAHUA_HEADER))
		return true;
	return (parse_dhip(cursor, message) || (dahua_port && parse_dvrip(cursor, message)) ||
		       parse_xiongmai(cursor, message)) &&
	       message->length <= MESSAGE_MAX;
}

static const char *
dialect_name(enum dialect dialect)
{
	switch (dialect) {
	case DIALECT_DHIP:
		return "dhip";
	case DIALECT_DVRIP:
		return "dvrip";
	case DIALECT_XIONGMAI:
		return "xm-dvrip";
	default:
		return "";
	}
}

static bool
sent_by_device(const struct inspection *in)
{
	uint16_t port = in->packet->source_port == XIONGMAI_PORT ||
					in->packet->destination_port == XIONGMAI_PORT
				? XIONGMAI_PORT
				: DAHUA_PORT;

	return listener_sent(in, port);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct dvrip_flow *flow = scratch;
	bool device = sent_by_device(in);
	const char *name;

	while (in->consumed < in->length) {
		struct message message;

		if (!parse(in, in->data + in->consumed, in->length - in->consumed, &message)) {
			/* Without a magic to search for, the rest of the segment is passed. */
			in->consumed = in->length;
			if (flow->strangers++ >= STRANGERS_MAX)
				return CLASSIFIER_NOT_MINE;
			break;
		}
		if (message.length == 0)
			break;
		in->consumed += message.length;
		if (flow->dialect != message.dialect)
			*flow = (struct dvrip_flow){.dialect = (uint8_t)message.dialect};
		if (!device || message.answer || message.dialect == DIALECT_DVRIP)
			flow->sound[device]++;
	}
	in->recognized = flow->sound[0] + flow->sound[1] > 0;
	if (!device || flow->sound[1] == 0 || flow->sound[0] + flow->sound[1] < 2)
		return CLASSIFIER_MORE;
	name = dialect_name(flow->dialect);
	report_source(
		in, &classifier_dvrip, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, name, strlen(name), sink);
	return CLASSIFIER_DONE;
}

const struct classifier classifier_dvrip = {
	.name = "dvrip",
	.reference = "DahuaConsole: net.py; python-dvr: dvrip.py",
	.protocol = "dvrip",
	.match = {{
		.layer = MATCH_TCP,
		.ports = {DAHUA_PORT, XIONGMAI_PORT},
		.magics = {{.length = 8, .bytes = {0x20, 0, 0, 0, 'D', 'H', 'I', 'P'}}},
	}},
	.match_count = 1,
	.max_packets = 64,
	.scratch_size = sizeof(struct dvrip_flow),
	.inspect = inspect,
};
