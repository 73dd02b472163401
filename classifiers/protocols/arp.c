/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns an address on the link: the sender pair of an ARP packet (RFC 826). */
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define HARDWARE_ETHERNET 1
#define ARP_FOR_IPV4      0x0800
#define OPERATION_REQUEST 1
#define OPERATION_REPLY   2

/* The claim is believed only of the host that sent the frame: a body that names another MAC is a
 * proxy's or a forger's, and without a link header nothing confirms it. */
static bool
frame_is_from(const struct packet *packet, const struct mac_address *mac)
{
	return (packet->flags & (PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC)) != 0 &&
	       mac_equal(&packet->source_mac, mac);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct cursor body = cursor_make(in->data, in->length);
	bool ethernet = cursor_be16(&body) == HARDWARE_ETHERNET;
	bool ipv4 = cursor_be16(&body) == ARP_FOR_IPV4;
	bool sizes = cursor_be16(&body) == 0x0604;
	uint16_t operation = cursor_be16(&body);
	const uint8_t *mac_bytes = cursor_take(&body, 6);
	const uint8_t *ip_bytes = cursor_take(&body, 4);
	char text[ADDRESS_TEXT_SIZE];
	struct mac_address mac;
	struct ip_address ip;

	(void)scratch;
	cursor_skip(&body, 10); /* the target pair, which the sender only believes */
	if (!cursor_ok(&body) || !ethernet || !ipv4 || !sizes)
		return CLASSIFIER_NOT_MINE;
	if (operation != OPERATION_REQUEST && operation != OPERATION_REPLY)
		return CLASSIFIER_MORE;
	memcpy(mac.bytes, mac_bytes, sizeof(mac.bytes));
	ip = ip_from_ipv4(ip_bytes);
	/* An address probe has sender 0.0.0.0 (RFC 5227 section 2.1). */
	if (!ip_is_unicast(&ip) || !mac_is_unicast(&mac) || !frame_is_from(in->packet, &mac))
		return CLASSIFIER_MORE;
	ip_format(&ip, text);
	report_subject(in, &classifier_arp, ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, &ip, &mac, text,
		strlen(text), sink);
	return CLASSIFIER_MORE;
}

const struct classifier classifier_arp = {
	.name = "arp",
	.reference = "RFC 826, RFC 5227",
	.match = {{.layer = MATCH_ETHERTYPE, .ports = {0x0806}}},
	.match_count = 1,
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.inspect = inspect,
};
