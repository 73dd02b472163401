/* SPDX-License-Identifier: Apache-2.0 */
/* WS-Discovery: what an ONVIF device (and any other) says of itself in Hello, ProbeMatch and
 * ResolveMatch. Probe and Resolve mark the host that searches. */
#include "classifiers/protocols/claim.h"
#include "classifiers/protocols/xml_scan.h"
#include "classifiers/table.h"

#include <strings.h>

#define WSD_PORT    3702
#define SCOPES_MAX  32
#define XADDRS_MAX  8
#define TEXT_SIZE   (EVIDENCE_VALUE_SIZE * 3) /* %-encoded: three bytes stand for one */
#define ONVIF_SCOPE "onvif://www.onvif.org/"

/* What one Hello or match says; the texts are raw. */
struct target {
	struct xml_item types;
	struct xml_item scopes;
	struct xml_item addresses; /* XAddrs */
};

/* Takes the next word of a list that is separated by blanks. */
static bool
next_word(struct xml_item *list, struct xml_item *word)
{
	while (list->length > 0 && (uint8_t)*list->text <= ' ')
		list->text++, list->length--;
	*word = *list;
	word->length = 0;
	while (list->length > 0 && (uint8_t)*list->text > ' ')
		list->text++, list->length--, word->length++;
	return word->length > 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoding in place (RFC 3986 section 2.1). Returns the new length. */
static size_t
percent_decode(char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && length - i > 2) {
			high = hex_value(text[i + 1]);
			low = hex_value(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			text[used++] = (char)(high << 4 | low);
			i += 2;
		} else {
			text[used++] = text[i];
		}
	}
	return used;
}

/* The address in "scheme://address[:port]/..."; false for a name. */
static bool
xaddr_ip(const struct xml_item *xaddr, struct ip_address *ip)
{
	const char *host = memmem(xaddr->text, xaddr->length, "://", 3);
	const char *past = xaddr->text + xaddr->length;
	size_t length = 0;

	if (host == NULL)
		return false;
	host += 3;
	if (host < past && *host == '[') {
		host++;
		while (host + length < past && host[length] != ']' && host[length] != '%')
			length++;
	} else {
		while (host + length < past && host[length] != ':' && host[length] != '/')
			length++;
	}
	return claim_ip(host, length, ip);
}

/* Whose words they are: the sender's if any service address is its own, or if none can be compared
 * with it; else those of the host with the first address. Discovery proxies and recorders pass on
 * what others said. */
static struct claim
find_speaker(const struct packet *packet, struct xml_item addresses)
{
	static const struct mac_address no_mac;
	struct ip_address ip, other = {0};
	struct xml_item xaddr;

	for (int i = 0; i < XADDRS_MAX && next_word(&addresses, &xaddr); i++) {
		if (!xaddr_ip(&xaddr, &ip) || ip.family != packet->source.family)
			continue;
		if (ip_equal(&ip, &packet->source))
			return claim_of(packet, &ip, &no_mac);
		if (!ip_is_set(&other) && ip_is_unicast(&ip))
			other = ip;
	}
	return claim_of(packet, &other, &no_mac);
}

static void
report_scope(const struct inspection *in, const struct claim *claim, const struct xml_item *scope,
	const struct report_sink *sink)
{
	enum evidence_attribute attribute = ATTRIBUTE_WSD_SCOPE;
	size_t prefix = strlen(ONVIF_SCOPE);
	char text[TEXT_SIZE];
	const char *value = text;
	size_t length =
		percent_decode(text, xml_decode(scope->text, scope->length, text, TEXT_SIZE));

	if (length > prefix && strncasecmp(text, ONVIF_SCOPE, prefix) == 0) {
		const char *kind = text + prefix;

		if (length - prefix >= 5 && strncasecmp(kind, "name/", 5) == 0) {
			attribute = ATTRIBUTE_WSD_SCOPE_NAME;
			value = kind + 5;
		} else if (length - prefix >= 9 && strncasecmp(kind, "hardware/", 9) == 0) {
			attribute = ATTRIBUTE_WSD_SCOPE_HARDWARE;
			value = kind + 9;
		}
	}
	report_claim(in, &classifier_wsd, claim, attribute, value, length - (size_t)(value - text),
		sink);
}

static void
report_target(
	const struct inspection *in, const struct target *target, const struct report_sink *sink)
{
	struct claim claim = find_speaker(in->packet, target->addresses);
	struct xml_item list, word;
	char text[TEXT_SIZE];

	report_claim(in, &classifier_wsd, &claim, ATTRIBUTE_WSD_TYPES, text,
		xml_decode(target->types.text, target->types.length, text, sizeof(text)), sink);
	list = target->scopes;
	for (int i = 0; i < SCOPES_MAX && next_word(&list, &word); i++)
		report_scope(in, &claim, &word, sink);
	list = target->addresses;
	for (int i = 0; i < XADDRS_MAX && next_word(&list, &word); i++)
		if (!url_has_credentials(word.text, word.length))
			report_claim(in, &classifier_wsd, &claim, ATTRIBUTE_WSD_XADDR, text,
				xml_decode(word.text, word.length, text, sizeof(text)), sink);
}

static bool
is_target(const struct xml_item *item)
{
	return xml_name_is(item, "ProbeMatch") || xml_name_is(item, "ResolveMatch") ||
	       xml_name_is(item, "Hello");
}

/* Reads to the end of the Hello or match that was just opened, or to the end of the document: a
 * reply cut off by fragmentation still tells what came before. */
static struct target
read_target(struct xml_scan *scan)
{
	struct target target = {0};
	struct xml_item item, opened = {0};

	while (xml_scan_next(scan, &item) != XML_END) {
		if (item.kind == XML_CLOSE && is_target(&item))
			break;
		if (item.kind == XML_TEXT && xml_name_is(&opened, "Types"))
			target.types = item;
		else if (item.kind == XML_TEXT && xml_name_is(&opened, "Scopes"))
			target.scopes = item;
		else if (item.kind == XML_TEXT && xml_name_is(&opened, "XAddrs"))
			target.addresses = item;
		opened = item.kind == XML_OPEN ? item : (struct xml_item){.text = ""};
	}
	return target;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct xml_scan scan = xml_scan_make(in->data, in->length);
	struct xml_item item;

	(void)scratch;
	if (xml_scan_next(&scan, &item) != XML_OPEN || !xml_name_is(&item, "Envelope"))
		return CLASSIFIER_NOT_MINE;
	while (xml_scan_next(&scan, &item) != XML_END) {
		if (item.kind != XML_OPEN)
			continue;
		if (is_target(&item)) {
			struct target target = read_target(&scan);

			in->recognized = true;
			report_target(in, &target, sink);
		} else if (xml_name_is(&item, "Probe") || xml_name_is(&item, "Resolve")) {
			in->recognized = true;
			report_source(in, &classifier_wsd, ATTRIBUTE_PROTOCOL, SIDE_TOOL,
				"ws-discovery", strlen("ws-discovery"), sink);
			break;
		}
	}
	return CLASSIFIER_MORE;
}

const struct classifier classifier_wsd = {
	.name = "wsd",
	.reference = "OASIS WS-Discovery 1.1; ONVIF Core Specification, Device Discovery",
	.protocol = "wsd",
	.match = {{.layer = MATCH_UDP, .ports = {WSD_PORT}}},
	.match_count = 1,
	.max_packets = 512,
	.inspect = inspect,
};
