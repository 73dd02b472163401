/* SPDX-License-Identifier: Apache-2.0 */
/* Vendor protocols that a port, a length and a few fixed bytes tell: one row for each message. Who
 * searches is a tool; only a message that devices alone send makes its sender a device. Messages
 * that both ends send are counted as a tool's: they accuse nobody. */
#include "classifiers/protocols/claim.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <string.h>

#define PARTS_MAX  2
#define FIELDS_MAX 4

enum port_end { PORT_EITHER, PORT_SOURCE, PORT_DESTINATION };

enum field_kind {
	FIELD_NONE,
	FIELD_MAC,
	FIELD_MAC_TEXT,
	FIELD_IP,      /* IPv4, network order */
	FIELD_IP_TEXT, /* up to the first NUL, as are the following */
	FIELD_SERIAL,
	FIELD_MODEL,
};

struct field {
	enum field_kind kind;
	uint16_t offset;
	uint8_t length;
};

struct part {
	uint8_t offset;
	uint8_t length;
	const char *bytes;
};

struct message {
	const char *protocol;
	enum evidence_side side; /* of the sender */
	enum port_end end;
	uint16_t port;
	uint16_t length_min;
	uint16_t length_max; /* 0: no limit */
	struct part parts[PARTS_MAX];
	uint8_t to[4]; /* destination address, 0.0.0.0: any */
	struct field fields[FIELDS_MAX];
};

#define TOOL   SIDE_TOOL
#define DEVICE SIDE_DEVICE

/* Layouts are from public descriptions, named by the rows of the same source together. */
static const struct message messages[] = {
	/* github.com/julienblitte/UniversalScanner */
	{"bosch-autodetect", TOOL, PORT_DESTINATION, 1757, 12, 12,
		{{0, 4, "\x99\x39\xa4\x27"}, {8, 4, "\xff\x00\x06\xde"}}},
	{"bosch-autodetect", DEVICE, PORT_DESTINATION, 1758, 32, 32, {{0, 4, "\x99\x39\xa4\x27"}},
		{0}, {{FIELD_MAC, 8, 6}, {FIELD_IP, 16, 4}}},
	{"hanwha-discovery", TOOL, PORT_DESTINATION, 7701, 262, 0, {{0, 1, "\x01"}}},
	{"hanwha-discovery", DEVICE, PORT_DESTINATION, 7711, 262, 0, {{0, 1, "\x0b"}}, {0},
		{{FIELD_MAC_TEXT, 0x13, 17}, {FIELD_IP_TEXT, 0x25, 16}, {FIELD_MODEL, 0x6d, 10}}},
	{"vstarcam", TOOL, PORT_DESTINATION, 8600, 4, 4, {{0, 4, "DH\x01\x01"}}},
	{"vstarcam", DEVICE, PORT_SOURCE, 8600, 0x9c, 0, {{0, 4, "DH\x01\x08"}}, {0},
		{{FIELD_IP_TEXT, 4, 16}, {FIELD_MAC, 0x54, 6}, {FIELD_SERIAL, 0x5c, 32}}},
	{"foscam", TOOL, PORT_DESTINATION, 10000, 23, 27, {{0, 6, "MO_I\0\0"}}},
	/* the byte at 6 tells that the fields are enciphered */
	{"foscam", DEVICE, PORT_SOURCE, 10000, 0x57, 0, {{0, 7, "MO_I\x01\0\0"}}, {0},
		{{FIELD_SERIAL, 0x17, 13}, {FIELD_IP, 0x39, 4}}},
	{"foscam", DEVICE, PORT_SOURCE, 10000, 0x57, 0, {{0, 7, "MO_I\x01\0\x01"}}},
	{"360vision", TOOL, PORT_DESTINATION, 3600, 9, 10, {{0, 9, "DISCOVER\n"}}},
	{"360vision", DEVICE, PORT_EITHER, 3600, 20, 0, {{0, 14, "DISCOVER TYPE="}}},
	{"nicevision", TOOL, PORT_DESTINATION, 2007, 4, 0, {{0, 4, "NICE"}}},
	{"sony-setup", TOOL, PORT_DESTINATION, 2380, 14, 14,
		{{0, 14,
			"\x02"
			"ENQ:allinfo\xff\x03"}}},
	{"vivotek-discovery", TOOL, PORT_DESTINATION, 10000, 5, 5, {{1, 4, "\x4a\x5d\x8f\x1c"}}},
	{"ubiquiti-discovery", TOOL, PORT_DESTINATION, 10001, 4, 4, {{0, 4, "\x01\0\0\0"}}},
	{"ubiquiti-discovery", TOOL, PORT_DESTINATION, 10001, 4, 4, {{0, 4, "\x02\x08\0\0"}}},
	{"panasonic-setup", TOOL, PORT_DESTINATION, 10670, 52, 0,
		{{0, 2, "\0\x01"}, {4, 4, "\0\x0d\0\0"}}},
	/* EMVA GigE Vision control protocol: industrial cameras */
	{"gige-vision", TOOL, PORT_DESTINATION, 3956, 8, 8, {{0, 4, "\x42\x01\0\x02"}}},
	{"gige-vision", TOOL, PORT_DESTINATION, 3956, 8, 8, {{0, 4, "\x42\x11\0\x02"}}},
	{"gige-vision", DEVICE, PORT_SOURCE, 3956, 256, 256, {{0, 6, "\0\0\0\x03\0\xf8"}}, {0},
		{{FIELD_MAC, 0x12, 6}, {FIELD_IP, 0x2c, 4}, {FIELD_MODEL, 0x70, 32},
			{FIELD_SERIAL, 0xe0, 16}}},
	/* public descriptions of TVT's discovery: searches and replies have their own groups */
	{"tvt-mhed", TOOL, PORT_EITHER, 23456, 12, 0, {{0, 4, "MHED"}}, {234, 55, 55, 55}},
	{"tvt-mhed", DEVICE, PORT_EITHER, 23456, 12, 0, {{0, 4, "MHED"}}, {234, 55, 55, 56}},
	/* github.com/OpenIPC/python-dvr */
	{"xm-discovery", TOOL, PORT_DESTINATION, 34569, 20, 20,
		{{0, 1, "\xff"}, {14, 2, "\xfa\x05"}}},
	{"beward-discovery", TOOL, PORT_DESTINATION, 6666, 24, 0,
		{{0, 24, "u4aRnryQk5CN08/P08DAwMD/"}}},
	/* public descriptions of V380 */
	{"v380", TOOL, PORT_DESTINATION, 10008, 12, 0, {{0, 12, "NVDEVSEARCH^"}}},
	{"v380", DEVICE, PORT_EITHER, 10009, 16, 0, {{0, 12, "NVDEVRESULT^"}}},
	/* github.com/thirtythreeforty/neolink */
	{"reolink-discovery", TOOL, PORT_DESTINATION, 2000, 4, 4, {{0, 4, "\xaa\xaa\0\0"}}},
	/* github.com/AlexxIT/go2rtc: the form that is not obfuscated */
	{"tutk", TOOL, PORT_DESTINATION, 32761, 16, 0, {{0, 2, "\x04\x02"}}},
	{"tutk", DEVICE, PORT_SOURCE, 32761, 16, 0, {{0, 2, "\x04\x02"}}},
	/* github.com/jasonacox/tinytuya: devices announce themselves, applications ask on 7000 */
	{"tuya", TOOL, PORT_DESTINATION, 7000, 16, 0, {{0, 4, "\0\0\x66\x99"}}},
	{"tuya", DEVICE, PORT_DESTINATION, 6666, 16, 0, {{0, 4, "\0\0\x55\xaa"}}},
	{"tuya", DEVICE, PORT_DESTINATION, 6667, 16, 0, {{0, 4, "\0\0\x55\xaa"}}},
	{"tuya", DEVICE, PORT_DESTINATION, 6667, 16, 0, {{0, 4, "\0\0\x66\x99"}}},
	/* github.com/khoanguyen-3fc/dh-p2p: devices and applications speak alike */
	{"dahua-p2p", TOOL, PORT_DESTINATION, 8800, 16, 0, {{0, 7, "DHGET /"}}},
	{"dahua-p2p", TOOL, PORT_DESTINATION, 8800, 16, 0, {{0, 8, "DHPOST /"}}},
};

static bool
ports_fit(const struct packet *packet, const struct message *message)
{
	bool source = packet->source_port == message->port;
	bool destination = packet->destination_port == message->port;

	return (source && message->end != PORT_DESTINATION) ||
	       (destination && message->end != PORT_SOURCE);
}

static bool
address_fits(const struct packet *packet, const uint8_t to[4])
{
	static const uint8_t any[4];

	return memcmp(to, any, 4) == 0 || (packet->destination.family == ADDRESS_IPV4 &&
						  memcmp(packet->destination.bytes, to, 4) == 0);
}

static bool
part_fits(const struct inspection *in, const struct part *part)
{
	return in->length >= (uint32_t)part->offset + part->length &&
	       memcmp(in->data + part->offset, part->bytes, part->length) == 0;
}

static bool
fits(const struct inspection *in, const struct message *message)
{
	if (in->length < message->length_min ||
		(message->length_max != 0 && in->length > message->length_max) ||
		!ports_fit(in->packet, message) || !address_fits(in->packet, message->to))
		return false;
	for (int i = 0; i < PARTS_MAX && message->parts[i].length > 0; i++)
		if (!part_fits(in, &message->parts[i]))
			return false;
	return true;
}

static struct cursor
field_at(const struct inspection *in, const struct field *field)
{
	struct cursor bytes = cursor_make(in->data, in->length);

	cursor_skip(&bytes, field->offset);
	return cursor_sub(&bytes, field->length);
}

static size_t
text_length(const struct cursor *text)
{
	size_t left = cursor_left(text);
	const uint8_t *nul = left ? memchr(text->at, '\0', left) : NULL;

	return nul ? (size_t)(nul - text->at) : left;
}

static struct claim
read_claim(const struct inspection *in, const struct message *message)
{
	struct mac_address mac = {{0}};
	struct ip_address ip = {0};

	for (int i = 0; i < FIELDS_MAX; i++) {
		const struct field *field = &message->fields[i];
		struct cursor bytes = field_at(in, field);

		if (!cursor_ok(&bytes))
			continue;
		if (field->kind == FIELD_MAC && cursor_left(&bytes) == 6)
			memcpy(mac.bytes, bytes.at, 6);
		else if (field->kind == FIELD_MAC_TEXT)
			claim_mac(bytes.at, text_length(&bytes), &mac);
		else if (field->kind == FIELD_IP && cursor_left(&bytes) == 4)
			ip = ip_from_ipv4(bytes.at);
		else if (field->kind == FIELD_IP_TEXT)
			claim_ip(bytes.at, text_length(&bytes), &ip);
	}
	return claim_of(in->packet, &ip, &mac);
}

static void
report_device(
	const struct inspection *in, const struct message *message, const struct report_sink *sink)
{
	struct claim claim = read_claim(in, message);

	report_claim(in, &classifier_magic_protocols, &claim, ATTRIBUTE_PROTOCOL, message->protocol,
		strlen(message->protocol), sink);
	for (int i = 0; i < FIELDS_MAX; i++) {
		const struct field *field = &message->fields[i];
		struct cursor text = field_at(in, field);

		if (field->kind == FIELD_SERIAL)
			report_claim(in, &classifier_magic_protocols, &claim,
				ATTRIBUTE_PROTOCOL_SERIAL, text.at, text_length(&text), sink);
		else if (field->kind == FIELD_MODEL)
			report_claim(in, &classifier_magic_protocols, &claim,
				ATTRIBUTE_PROTOCOL_MODEL, text.at, text_length(&text), sink);
	}
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	(void)scratch;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const struct message *message = &messages[i];

		if (!fits(in, message))
			continue;
		if (message->side == SIDE_DEVICE)
			report_device(in, message, sink);
		else
			report_source(in, &classifier_magic_protocols, ATTRIBUTE_PROTOCOL,
				message->side, message->protocol, strlen(message->protocol), sink);
		return CLASSIFIER_MORE;
	}
	return CLASSIFIER_NOT_MINE;
}

const struct classifier classifier_magic_protocols = {
	.name = "magic_protocols",
	.reference = "public descriptions, named in the table",
	.match = {{.layer = MATCH_UDP,
			  .ports = {1757, 1758, 2000, 2007, 2380, 3600, 3956, 6666, 6667, 7000,
				  7701, 7711, 8600, 8800, 10000, 10001}},
		{.layer = MATCH_UDP, .ports = {10008, 10009, 10670, 23456, 32761, 34569}}},
	.match_count = 2,
	.max_packets = 256,
	.inspect = inspect,
};
