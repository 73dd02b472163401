/* SPDX-License-Identifier: Apache-2.0 */
/* Dahua's device searches: DHDiscover (JSON, port 37810) and the older binary one (port 5050). Only
 * a reply describes a device; a request marks the tool or recorder that searches or configures.
 * Both may carry password hashes and codes: nothing but the fields named here is looked at. */
#include "classifiers/protocols/claim.h"
#include "classifiers/protocols/json_scan.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <string.h>

#define DHDISCOVER_PORT 37810
#define DVRIP_PORT      5050
#define HEADER_SIZE     32  /* of DHDiscover, and of a binary request */
#define REPLY_SIZE      120 /* of the fixed part of a binary reply */
#define MAC_TEXT_LENGTH 17
#define MODEL_SIZE      16
#define PAIRS_MAX       128
#define LINES_MAX       16

struct field {
	const char *key;
	enum evidence_attribute attribute;
};

static const struct field json_fields[] = {
	{"Vendor", ATTRIBUTE_DHIP_VENDOR},
	{"DeviceType", ATTRIBUTE_DHIP_MODEL},
	{"DeviceClass", ATTRIBUTE_DHIP_CLASS},
	{"SerialNo", ATTRIBUTE_DHIP_SERIAL},
	{"Version", ATTRIBUTE_DHIP_FIRMWARE},
};

#define FIELD_COUNT (sizeof(json_fields) / sizeof(json_fields[0]))

struct reply {
	const char *method;
	size_t method_length;
	struct json_pair values[FIELD_COUNT];
	struct ip_address ip;
	struct mac_address mac;
};

static void
report_tool(const struct inspection *in, const char *protocol, const struct report_sink *sink)
{
	report_source(in, &classifier_dhip_discovery, ATTRIBUTE_PROTOCOL, SIDE_TOOL, protocol,
		strlen(protocol), sink);
}

static void
take_pair(struct reply *reply, const struct json_pair *pair)
{
	struct ip_address ip;

	if (json_key_is(pair, "method")) {
		reply->method = pair->value;
		reply->method_length = pair->value_length;
	} else if (json_key_is(pair, "mac")) {
		claim_mac(pair->value, pair->value_length, &reply->mac);
	} else if (json_key_is(pair, "IPAddress") && !ip_is_set(&reply->ip)) {
		/* Of IPv4Address or IPv6Address; the IPv6 one has a prefix length. */
		if (claim_ip(pair->value, pair->value_length, &ip) && ip.family == ADDRESS_IPV4)
			reply->ip = ip;
	}
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (pair->is_string && json_key_is(pair, json_fields[i].key))
			reply->values[i] = *pair;
}

static void
report_reply(const struct inspection *in, const struct reply *reply, const struct report_sink *sink)
{
	struct claim claim = claim_of(in->packet, &reply->ip, &reply->mac);
	char text[EVIDENCE_VALUE_SIZE];

	report_claim(in, &classifier_dhip_discovery, &claim, ATTRIBUTE_PROTOCOL, "dhdiscover",
		strlen("dhdiscover"), sink);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		report_claim(in, &classifier_dhip_discovery, &claim, json_fields[i].attribute, text,
			json_decode(reply->values[i].value, reply->values[i].value_length, text,
				sizeof(text)),
			sink);
}

static bool
method_is(const struct reply *reply, const char *method)
{
	return reply->method_length == strlen(method) &&
	       memcmp(reply->method, method, reply->method_length) == 0;
}

static enum classifier_verdict
inspect_json(struct inspection *in, const struct report_sink *sink)
{
	struct cursor text = cursor_make(in->data, in->length);
	struct reply reply = {0};
	struct json_pair pair;

	cursor_skip(&text, HEADER_SIZE);
	if (!cursor_ok(&text))
		return CLASSIFIER_NOT_MINE;
	for (int i = 0; i < PAIRS_MAX && json_scan_next(&text, &pair); i++)
		take_pair(&reply, &pair);
	if (method_is(&reply, "client.notifyDevInfo"))
		report_reply(in, &reply, sink);
	else if (reply.method_length > 0)
		report_tool(in, "dhdiscover", sink);
	return CLASSIFIER_MORE;
}

/* A fixed-size text field: up to its first NUL. */
static size_t
text_length(const uint8_t *field, size_t size)
{
	const uint8_t *nul = field ? memchr(field, '\0', size) : NULL;

	return nul ? (size_t)(nul - field) : field ? size : 0;
}

/* The last section of a binary reply: "SerialNo:...\r\n" among other lines. */
static void
report_serial(const struct inspection *in, const struct claim *claim, struct cursor lines,
	const struct report_sink *sink)
{
	static const char key[] = "SerialNo:";

	for (int i = 0; i < LINES_MAX && cursor_left(&lines) > 0; i++) {
		const uint8_t *newline = memchr(lines.at, '\n', cursor_left(&lines));
		size_t length = newline ? (size_t)(newline - lines.at) : cursor_left(&lines);
		size_t skip = strlen(key);

		if (cursor_starts_with(&lines, key) && length > skip)
			report_claim(in, &classifier_dhip_discovery, claim, ATTRIBUTE_DHIP_SERIAL,
				lines.at + skip, length - skip, sink);
		cursor_skip(&lines, newline ? length + 1 : length);
	}
}

/* Sections: the fixed part; MAC as text, then the full model name; lines of "key:value". */
static enum classifier_verdict
inspect_binary_reply(struct inspection *in, const struct report_sink *sink)
{
	struct cursor fixed = cursor_make(in->data, in->length);
	struct cursor names, lines;
	const uint8_t *model, *ip_bytes, *mac_text;
	size_t model_length, names_length, lines_length;
	struct mac_address mac = {{0}};
	struct ip_address ip;
	struct claim claim;

	cursor_skip(&fixed, 2);
	names_length = cursor_le16(&fixed);
	if (cursor_le32(&fixed) != 0x58) /* an answer */
		return CLASSIFIER_NOT_MINE;
	cursor_skip(&fixed, 12);
	lines_length = cursor_le16(&fixed);
	cursor_skip(&fixed, 18);
	model = cursor_take(&fixed, MODEL_SIZE);
	ip_bytes = cursor_take(&fixed, 4);
	cursor_skip(&fixed, REPLY_SIZE - 60);
	if (!cursor_ok(&fixed) || names_length < MAC_TEXT_LENGTH)
		return CLASSIFIER_NOT_MINE;
	names = cursor_sub(&fixed, names_length);
	lines = cursor_sub(&fixed, lines_length);
	mac_text = cursor_take(&names, MAC_TEXT_LENGTH);
	if (mac_text == NULL || !claim_mac(mac_text, MAC_TEXT_LENGTH, &mac))
		return CLASSIFIER_NOT_MINE;
	ip = ip_from_ipv4(ip_bytes);
	claim = claim_of(in->packet, &ip, &mac);
	model_length = text_length(model, MODEL_SIZE);
	if (cursor_left(&names) > 0) {
		model = names.at;
		model_length = text_length(names.at, cursor_left(&names));
	}
	report_claim(in, &classifier_dhip_discovery, &claim, ATTRIBUTE_PROTOCOL, "dvrip-discovery",
		strlen("dvrip-discovery"), sink);
	report_claim(in, &classifier_dhip_discovery, &claim, ATTRIBUTE_DHIP_MODEL, model,
		model_length, sink);
	report_serial(in, &claim, lines, sink);
	return CLASSIFIER_MORE;
}

static enum classifier_verdict
inspect_datagram(struct inspection *in, const struct report_sink *sink)
{
	struct cursor message = cursor_make(in->data, in->length);
	uint16_t start;

	if (in->length >= HEADER_SIZE && memcmp(in->data, "\x20\0\0\0DHIP", 8) == 0)
		return inspect_json(in, sink);
	start = cursor_be16(&message);
	if (start == 0xb300)
		return inspect_binary_reply(in, sink);
	cursor_skip(&message, 14);
	if (start == 0xa301 && in->length == HEADER_SIZE && cursor_u8(&message) == 2) {
		report_tool(in, "dvrip-discovery", sink);
		return CLASSIFIER_MORE;
	}
	return CLASSIFIER_NOT_MINE;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	enum classifier_verdict verdict = inspect_datagram(in, sink);

	(void)scratch;
	in->recognized = verdict != CLASSIFIER_NOT_MINE;
	return verdict;
}

const struct classifier classifier_dhip_discovery = {
	.name = "dhip_discovery",
	.reference = "public descriptions of DHDiscover: github.com/mcw0/DahuaConsole, "
		     "github.com/julienblitte/UniversalScanner",
	.protocol = "dhip",
	.match = {{.layer = MATCH_UDP,
		.ports = {DHDISCOVER_PORT, DVRIP_PORT},
		.magics = {{.length = 8, .bytes = {0x20, 0, 0, 0, 'D', 'H', 'I', 'P'}}}}},
	.match_count = 1,
	.max_packets = 512,
	.inspect = inspect,
};
