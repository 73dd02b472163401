/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery replies that are lists of type, length and value: Vivotek, Ubiquiti, Panasonic i-PRO.
 * One row tells where the list starts and which types matter. */
#include "classifiers/protocols/claim.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <string.h>

#define ITEMS_MAX 64
#define TYPES_MAX 8

enum meaning {
	MEANS_NOTHING,
	MEANS_MAC,
	MEANS_IP,
	MEANS_MAC_AND_IP,
	MEANS_MODEL,    /* the last one met counts */
	MEANS_ONE_BYTE, /* Vivotek: a value of one byte without a length */
};

struct item_type {
	uint16_t type;
	enum meaning meaning;
};

struct format {
	const char *protocol;
	uint16_t port;
	bool port_is_source; /* else destination */
	uint8_t magic_offset;
	uint8_t magic_length;
	const char *magic;
	uint8_t mac_offset; /* in the fixed part, 0: none */
	uint8_t list_offset;
	uint8_t type_size, length_size; /* bytes, big endian */
	struct item_type types[TYPES_MAX];
};

static const struct format formats[] = {
	{"vivotek-discovery", 10000, true, 1, 4, "\x4a\x5d\x8f\x1c", 0, 5, 1, 1,
		{{2, MEANS_MAC}, {3, MEANS_IP}, {4, MEANS_ONE_BYTE}, {9, MEANS_MODEL}}},
	{"ubiquiti-discovery", 10001, true, 0, 2, "\x02\x06", 0, 4, 1, 2,
		{{1, MEANS_MAC}, {2, MEANS_MAC_AND_IP}, {0x0c, MEANS_MODEL}, {0x15, MEANS_MODEL}}},
	{"ubiquiti-discovery", 10001, true, 0, 3, "\x01\0\0", 0, 4, 1, 2,
		{{1, MEANS_MAC}, {2, MEANS_MAC_AND_IP}, {0x0c, MEANS_MODEL}, {0x15, MEANS_MODEL}}},
	{"panasonic-setup", 10669, false, 0, 2, "\0\x01", 6, 53, 2, 2,
		{{0x20, MEANS_IP}, {0xa7, MEANS_MODEL}}},
};

struct reply {
	struct mac_address mac;
	struct ip_address ip;
	struct cursor model;
	unsigned known; /* items that were understood */
};

static uint16_t
read_number(struct cursor *bytes, uint8_t size)
{
	return size == 1 ? cursor_u8(bytes) : cursor_be16(bytes);
}

static enum meaning
meaning_of(const struct format *format, uint16_t type)
{
	for (int i = 0; i < TYPES_MAX && format->types[i].meaning != MEANS_NOTHING; i++)
		if (format->types[i].type == type)
			return format->types[i].meaning;
	return MEANS_NOTHING;
}

static void
take_value(struct reply *reply, enum meaning meaning, struct cursor value)
{
	size_t length = cursor_left(&value);
	bool has_mac = (meaning == MEANS_MAC && length == 6) ||
		       (meaning == MEANS_MAC_AND_IP && length == 10);
	bool has_ip = (meaning == MEANS_IP && length == 4) ||
		      (meaning == MEANS_MAC_AND_IP && length == 10);

	if (has_mac)
		memcpy(reply->mac.bytes, cursor_take(&value, 6), 6);
	if (has_ip)
		reply->ip = ip_from_ipv4(cursor_take(&value, 4));
	if (meaning == MEANS_MODEL && length > 0)
		reply->model = value;
	reply->known += has_mac || has_ip || meaning == MEANS_MODEL;
}

static void
read_list(const struct format *format, struct cursor *list, struct reply *reply)
{
	for (int i = 0; i < ITEMS_MAX && cursor_left(list) > 0; i++) {
		uint16_t type = read_number(list, format->type_size);
		enum meaning meaning = meaning_of(format, type);
		struct cursor value;

		if (meaning == MEANS_ONE_BYTE) {
			cursor_skip(list, 1);
			continue;
		}
		value = cursor_sub(list, read_number(list, format->length_size));
		if (!cursor_ok(&value))
			return;
		take_value(reply, meaning, value);
	}
}

static bool
fits(const struct inspection *in, const struct format *format)
{
	uint16_t port =
		format->port_is_source ? in->packet->source_port : in->packet->destination_port;

	return port == format->port && in->length > format->list_offset &&
	       memcmp(in->data + format->magic_offset, format->magic, format->magic_length) == 0;
}

static void
report_reply(const struct inspection *in, const struct format *format, const struct reply *reply,
	const struct report_sink *sink)
{
	struct claim claim = claim_of(in->packet, &reply->ip, &reply->mac);
	size_t length = cursor_left(&reply->model);
	const uint8_t *nul = length ? memchr(reply->model.at, '\0', length) : NULL;

	report_claim(in, &classifier_tlv_discovery, &claim, ATTRIBUTE_PROTOCOL, format->protocol,
		strlen(format->protocol), sink);
	report_claim(in, &classifier_tlv_discovery, &claim, ATTRIBUTE_PROTOCOL_MODEL,
		reply->model.at, nul ? (size_t)(nul - reply->model.at) : length, sink);
}

/* A reply is believed when its list held something that is understood: two or three magic bytes
 * alone could be anybody's. */
static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	(void)scratch;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *format = &formats[i];
		struct cursor bytes = cursor_make(in->data, in->length);
		struct reply reply = {0};

		if (!fits(in, format))
			continue;
		if (format->mac_offset != 0)
			memcpy(reply.mac.bytes, in->data + format->mac_offset, 6);
		cursor_skip(&bytes, format->list_offset);
		read_list(format, &bytes, &reply);
		if (reply.known < 2)
			continue;
		report_reply(in, format, &reply, sink);
		return CLASSIFIER_MORE;
	}
	return CLASSIFIER_NOT_MINE;
}

const struct classifier classifier_tlv_discovery = {
	.name = "tlv_discovery",
	.reference = "public descriptions: github.com/julienblitte/UniversalScanner; nmap "
		     "ubiquiti-discovery",
	.match = {{.layer = MATCH_UDP, .ports = {10000, 10001, 10669}}},
	.match_count = 1,
	.max_packets = 256,
	.inspect = inspect,
};
