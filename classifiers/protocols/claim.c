/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/claim.h"

#include <string.h>

#define HAS_SOURCE_MAC (PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC)

struct claim
claim_of(const struct packet *packet, const struct ip_address *ip, const struct mac_address *mac)
{
	struct claim claim = {.side = SIDE_DEVICE};
	bool names_ip = ip_is_unicast(ip);
	bool names_mac = mac_is_unicast(mac);
	bool frame_mac_known = (packet->flags & HAS_SOURCE_MAC) != 0;
	bool same_ip = names_ip && ip_equal(ip, &packet->source);
	bool same_mac = names_mac && frame_mac_known && mac_equal(mac, &packet->source_mac);

	if (names_ip)
		claim.ip = *ip;
	/* Anybody may write an address of another into a packet, and its MAC into the body. What a
	 * router passed on looks the same: its word is kept for the address and binds no MAC. */
	if (names_mac && (same_mac || !same_ip))
		claim.mac = *mac;
	if ((names_ip || names_mac) && !same_mac && (!same_ip || (names_mac && frame_mac_known))) {
		claim.side = SIDE_PEER;
		return claim;
	}
	if (!names_ip)
		claim.ip = packet->source;
	if (!names_mac && frame_mac_known)
		claim.mac = packet->source_mac;
	return claim;
}

void
report_claim(const struct inspection *in, const struct classifier *classifier,
	const struct claim *claim, enum evidence_attribute attribute, const void *value,
	size_t length, const struct report_sink *sink)
{
	report_subject(in, classifier, attribute, claim->side, &claim->ip, &claim->mac, value,
		length, sink);
}

bool
claim_ip(const void *text, size_t length, struct ip_address *ip)
{
	char copy[ADDRESS_TEXT_SIZE];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return ip_parse(copy, ip) == 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
claim_mac(const void *text, size_t length, struct mac_address *mac)
{
	const char *at = text;
	bool separated = length == 17;
	struct mac_address parsed;

	if (!separated && length != 12)
		return false;
	for (int i = 0; i < 6; i++) {
		int high = hex_digit(at[0]), low = hex_digit(at[1]);

		if (high < 0 || low < 0)
			return false;
		parsed.bytes[i] = (uint8_t)(high << 4 | low);
		at += 2;
		if (separated && i < 5 && *at != ':' && *at != '-')
			return false;
		at += separated && i < 5;
	}
	*mac = parsed;
	return true;
}

bool
url_has_credentials(const char *url, size_t length)
{
	const char *authority = length ? memmem(url, length, "://", 3) : NULL;
	size_t left;
	const char *slash;

	if (authority == NULL)
		return false;
	authority += 3;
	left = (size_t)(url + length - authority);
	slash = memchr(authority, '/', left);
	return memchr(authority, '@', slash ? (size_t)(slash - authority) : left) != NULL;
}
