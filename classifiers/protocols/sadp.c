/* SPDX-License-Identifier: Apache-2.0 */
/* Hikvision's Search Active Devices Protocol, as XML over UDP and as raw Ethernet frames. Only a
 * reply describes a device; a request marks the tool (or recorder) that searches. Replies may also
 * carry password-reset codes and keys: nothing but the fields named here is looked at. */
#include "classifiers/protocols/claim.h"
#include "classifiers/protocols/xml_scan.h"
#include "classifiers/table.h"

#define SADP_PORT      37020
#define SADP_ETHERTYPE 0x8033

#define FRAME_MARKER     0x21
#define FRAME_REPLY      1
#define FRAME_FROM_TOOL  0x42
#define FRAME_ONLINE     0x02 /* the device says that it is there */
#define FRAME_LAST_KNOWN 0x11

struct field {
	const char *element;
	enum evidence_attribute attribute;
};

static const struct field fields[] = {
	{"DeviceDescription", ATTRIBUTE_SADP_MODEL},
	{"DeviceSN", ATTRIBUTE_SADP_SERIAL},
	{"SoftwareVersion", ATTRIBUTE_SADP_FIRMWARE},
	{"OEMInfo", ATTRIBUTE_SADP_OEM},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

struct reply {
	struct xml_item values[FIELD_COUNT];
	struct ip_address ip;
	struct mac_address mac;
};

static void
take_value(struct reply *reply, const struct xml_item *element, const struct xml_item *value)
{
	if (xml_name_is(element, "IPv4Address"))
		claim_ip(value->text, value->length, &reply->ip);
	else if (xml_name_is(element, "MAC"))
		claim_mac(value->text, value->length, &reply->mac);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (xml_name_is(element, fields[i].element))
			reply->values[i] = *value;
}

/* Devices fill fields that they have nothing for. */
static bool
says_nothing(const char *value)
{
	return strcmp(value, "N/A") == 0 || strcmp(value, "NULL") == 0;
}

static void
report_device(const struct inspection *in, const struct ip_address *ip,
	const struct mac_address *mac, const struct reply *reply, const struct report_sink *sink)
{
	struct claim claim = claim_of(in->packet, ip, mac);
	char text[EVIDENCE_VALUE_SIZE];

	report_claim(in, &classifier_sadp, &claim, ATTRIBUTE_PROTOCOL, "sadp", 4, sink);
	for (size_t i = 0; reply && i < FIELD_COUNT; i++) {
		size_t length = xml_decode(
			reply->values[i].text, reply->values[i].length, text, sizeof(text));

		if (!says_nothing(text))
			report_claim(in, &classifier_sadp, &claim, fields[i].attribute, text,
				length, sink);
	}
}

static void
report_tool(const struct inspection *in, const struct report_sink *sink)
{
	report_source(in, &classifier_sadp, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "sadp", 4, sink);
}

static enum classifier_verdict
inspect_xml(struct inspection *in, const struct report_sink *sink)
{
	struct xml_scan scan = xml_scan_make(in->data, in->length);
	struct xml_item item, opened = {.text = ""};
	struct reply reply = {0};
	bool named = false;

	if (xml_scan_next(&scan, &item) != XML_OPEN)
		return CLASSIFIER_NOT_MINE;
	if (xml_name_is(&item, "Probe")) {
		report_tool(in, sink);
		return CLASSIFIER_MORE;
	}
	if (!xml_name_is(&item, "ProbeMatch"))
		return CLASSIFIER_NOT_MINE;
	while (xml_scan_next(&scan, &item) != XML_END) {
		if (item.kind == XML_TEXT) {
			take_value(&reply, &opened, &item);
			named |= xml_name_is(&opened, "DeviceSN") || xml_name_is(&opened, "MAC");
		}
		opened = item.kind == XML_OPEN ? item : (struct xml_item){.text = ""};
	}
	/* Only the answer to an inquiry describes the device; others just report success. */
	report_device(in, &reply.ip, &reply.mac, named ? &reply : NULL, sink);
	return CLASSIFIER_MORE;
}

/* The fixed header; what follows it is undocumented. */
static enum classifier_verdict
inspect_frame(struct inspection *in, const struct report_sink *sink)
{
	struct cursor frame = cursor_make(in->data, in->length);
	uint8_t marker = cursor_u8(&frame);
	uint8_t direction = cursor_u8(&frame);
	uint16_t origin = cursor_be16(&frame);
	uint32_t counter = cursor_be32(&frame);
	uint16_t sizes = cursor_be16(&frame); /* of a MAC and an IPv4 address */
	uint8_t type = cursor_u8(&frame);
	const uint8_t *mac_bytes, *ip_bytes;
	struct mac_address mac;
	struct ip_address ip;

	(void)counter;
	cursor_skip(&frame, 3); /* parameter, checksum */
	mac_bytes = cursor_take(&frame, 6);
	ip_bytes = cursor_take(&frame, 4);
	if (!cursor_ok(&frame) || marker != FRAME_MARKER || sizes != 0x0604 || type == 0 ||
		type > FRAME_LAST_KNOWN)
		return CLASSIFIER_NOT_MINE;
	if ((origin & 0xff) == FRAME_FROM_TOOL) {
		report_tool(in, sink);
	} else if (direction == FRAME_REPLY || type == FRAME_ONLINE) {
		memcpy(mac.bytes, mac_bytes, sizeof(mac.bytes));
		ip = ip_from_ipv4(ip_bytes);
		report_device(in, &ip, &mac, NULL, sink);
	}
	return CLASSIFIER_MORE;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	enum classifier_verdict verdict = in->packet->ethertype == SADP_ETHERTYPE
						  ? inspect_frame(in, sink)
						  : inspect_xml(in, sink);

	(void)scratch;
	in->recognized = verdict != CLASSIFIER_NOT_MINE;
	return verdict;
}

const struct classifier classifier_sadp = {
	.name = "sadp",
	.reference = "public descriptions of SADP: github.com/MatrixEditor/hiktools",
	.protocol = "sadp",
	.match = {{.layer = MATCH_UDP, .ports = {SADP_PORT}},
		{.layer = MATCH_ETHERTYPE, .ports = {SADP_ETHERTYPE}}},
	.match_count = 2,
	.max_packets = 512,
	.inspect = inspect,
};
