/* SPDX-License-Identifier: Apache-2.0 */
/* PPPP, the peer-to-peer platform (CS2 Network and kin) of many camera makers. Logging in to a
 * master server and answering a search in the LAN are a device's acts, and both name its UID;
 * searching and asking a server for a UID are an application's. */
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <stdio.h>

#define SERVER_PORT 32100
#define LAN_PORT    32108
#define MAGIC       0xf1
#define PREFIX_SIZE 8
#define CHECK_SIZE  8

enum message_type {
	DEVICE_LOGIN = 0x10,
	DEVICE_LOGIN_CRC = 0x12,
	DEVICE_LOGIN_KEY = 0x14,
	DEVICE_LOGIN_DSK = 0x16,
	P2P_REQUEST = 0x20,
	P2P_REQUEST_DSK = 0x26,
	LAN_SEARCH = 0x30,
	LAN_SEARCH_EXTENDED = 0x32,
	PUNCH = 0x41,
	P2P_READY = 0x42,
};

/* Upper-case letters and digits, padded with NULs. Returns the length, 0 for anything else. */
static size_t
code_length(const uint8_t *code, size_t size)
{
	size_t length = 0;

	while (length < size && ((code[length] >= 'A' && code[length] <= 'Z') ||
					(code[length] >= '0' && code[length] <= '9')))
		length++;
	for (size_t i = length; i < size; i++)
		if (code[i] != '\0')
			return 0;
	return length;
}

/* "PREFIX-123456-CHECK". Returns its length, 0 when the body starts with no UID. */
static size_t
read_uid(struct cursor body, char *text, size_t size)
{
	const uint8_t *prefix = cursor_take(&body, PREFIX_SIZE);
	uint32_t number = cursor_be32(&body);
	const uint8_t *check = cursor_take(&body, CHECK_SIZE);
	size_t prefix_length, check_length;

	if (!cursor_ok(&body))
		return 0;
	prefix_length = code_length(prefix, PREFIX_SIZE);
	check_length = code_length(check, CHECK_SIZE);
	if (prefix_length == 0 || check_length == 0)
		return 0;
	return (size_t)snprintf(text, size, "%.*s-%06u-%.*s", (int)prefix_length,
		(const char *)prefix, number, (int)check_length, (const char *)check);
}

static void
report(const struct inspection *in, enum evidence_side side, const struct cursor *body,
	const struct report_sink *sink)
{
	char uid[PREFIX_SIZE + CHECK_SIZE + 16];

	report_source(in, &classifier_pppp, ATTRIBUTE_PROTOCOL, side, "pppp", 4, sink);
	if (side == SIDE_DEVICE)
		report_source(in, &classifier_pppp, ATTRIBUTE_PROTOCOL_SERIAL, side, uid,
			read_uid(*body, uid, sizeof(uid)), sink);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct cursor body = cursor_make(in->data, in->length);
	uint8_t magic = cursor_u8(&body);
	uint8_t type = cursor_u8(&body);
	uint16_t length = cursor_be16(&body);
	char uid[PREFIX_SIZE + CHECK_SIZE + 16];

	(void)scratch;
	if (!cursor_ok(&body) || magic != MAGIC || length != cursor_left(&body) + in->missing)
		return CLASSIFIER_NOT_MINE;
	in->recognized = true;
	switch (type) {
	case DEVICE_LOGIN:
	case DEVICE_LOGIN_CRC: /* the UID is enciphered */
	case DEVICE_LOGIN_DSK:
		report(in, SIDE_DEVICE, &body, sink);
		break;
	case DEVICE_LOGIN_KEY:
		if (in->packet->destination_port == SERVER_PORT &&
			read_uid(body, uid, sizeof(uid)) > 0)
			report(in, SIDE_DEVICE, &body, sink);
		break;
	case PUNCH:
	case P2P_READY:
		/* Applications send these too, but not from the port that devices listen on. */
		if (in->packet->source_port == LAN_PORT && read_uid(body, uid, sizeof(uid)) > 0)
			report(in, SIDE_DEVICE, &body, sink);
		break;
	case P2P_REQUEST:
	case P2P_REQUEST_DSK:
	case LAN_SEARCH:
	case LAN_SEARCH_EXTENDED:
		report(in, SIDE_TOOL, &body, sink);
		break;
	default:
		break;
	}
	return CLASSIFIER_MORE;
}

const struct classifier classifier_pppp = {
	.name = "pppp",
	.reference = "public descriptions: github.com/pmarrapese/iot, "
		     "github.com/fbertone/32100-dissector",
	.protocol = "pppp",
	.match = {{.layer = MATCH_UDP, .ports = {SERVER_PORT, LAN_PORT}}},
	.match_count = 1,
	.max_packets = 64,
	.inspect = inspect,
};
