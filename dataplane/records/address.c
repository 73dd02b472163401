/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/records/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
ip_is_multicast(const struct ip_address *ip)
{
	if (ip->family == ADDRESS_IPV4)
		return (ip->bytes[0] & 0xf0) == 0xe0;
	return ip->family == ADDRESS_IPV6 && ip->bytes[0] == 0xff;
}

static bool
is_loopback_or_unspecified(const struct ip_address *ip)
{
	static const uint8_t zero[15];

	if (ip->family == ADDRESS_IPV4)
		return ip->bytes[0] == 0 || ip->bytes[0] == 127;
	return memcmp(ip->bytes, zero, 15) == 0 && ip->bytes[15] <= 1;
}

bool
ip_is_unicast(const struct ip_address *ip)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (ip->family == ADDRESS_NONE || ip_is_multicast(ip) || is_loopback_or_unspecified(ip))
		return false;
	return ip->family != ADDRESS_IPV4 || memcmp(ip->bytes, broadcast, 4) != 0;
}

bool
ip_is_link_local(const struct ip_address *ip)
{
	if (ip->family == ADDRESS_IPV4)
		return ip->bytes[0] == 169 && ip->bytes[1] == 254;
	return ip->family == ADDRESS_IPV6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool
ip_is_private(const struct ip_address *ip)
{
	const uint8_t *b = ip->bytes;

	if (ip_is_link_local(ip))
		return true;
	if (ip->family == ADDRESS_IPV6)
		return (b[0] & 0xfe) == 0xfc;
	if (ip->family != ADDRESS_IPV4)
		return false;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

/* Six a flow event: inet_ntop() takes many times as long. */
static void
ipv4_format(const uint8_t bytes[4], char *text)
{
	for (int i = 0; i < 4; i++) {
		unsigned value = bytes[i];

		if (value >= 100)
			*text++ = (char)('0' + value / 100);
		if (value >= 10)
			*text++ = (char)('0' + value / 10 % 10);
		*text++ = (char)('0' + value % 10);
		*text++ = i < 3 ? '.' : '\0';
	}
}

const char *
ip_format(const struct ip_address *ip, char *text)
{
	text[0] = '\0';
	if (ip->family == ADDRESS_IPV4)
		ipv4_format(ip->bytes, text);
	else if (ip->family == ADDRESS_IPV6)
		inet_ntop(AF_INET6, ip->bytes, text, ADDRESS_TEXT_SIZE);
	return text;
}

int
ip_parse(const char *text, struct ip_address *ip)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*ip = ip_from_ipv4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ip = ip_from_ipv6(bytes);
	else
		return -EINVAL;
	return 0;
}

static unsigned
address_bits(const struct ip_address *ip)
{
	return ip->family == ADDRESS_IPV4 ? 32 : 128;
}

static bool
prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0;
}

bool
network_contains(const struct network *network, const struct ip_address *ip)
{
	return network->ip.family == ip->family && ip->family != ADDRESS_NONE &&
	       prefix_equal(network->ip.bytes, ip->bytes, network->prefix_length);
}

static bool
host_bits_are_zero(const struct network *network)
{
	for (unsigned bit = network->prefix_length; bit < address_bits(&network->ip); bit++)
		if (network->ip.bytes[bit / 8] & (0x80 >> (bit % 8)))
			return false;
	return true;
}

int
network_parse(const char *text, struct network *network)
{
	char address[ADDRESS_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct network parsed;
	unsigned long bits;
	char *end;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	if (ip_parse(address, &parsed.ip) != 0)
		return -EINVAL;
	bits = address_bits(&parsed.ip);
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		bits = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || bits > address_bits(&parsed.ip))
			return -EINVAL;
	}
	parsed.prefix_length = (uint8_t)bits;
	if (!host_bits_are_zero(&parsed))
		return -EINVAL;
	*network = parsed;
	return 0;
}

const char *
network_format(const struct network *network, char *text)
{
	ip_format(&network->ip, text);
	snprintf(text + strlen(text), 5, "/%u", network->prefix_length);
	return text;
}

bool
mac_is_unicast(const struct mac_address *mac)
{
	return mac_is_set(mac) && (mac->bytes[0] & 1) == 0;
}

bool
mac_is_locally_administered(const struct mac_address *mac)
{
	return (mac->bytes[0] & 2) != 0;
}

const char *
mac_format(const struct mac_address *mac, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 6; i++) {
		text[i * 3] = digits[mac->bytes[i] >> 4];
		text[i * 3 + 1] = digits[mac->bytes[i] & 15];
		text[i * 3 + 2] = i < 5 ? ':' : '\0';
	}
	return text;
}

int
mac_parse(const char *text, struct mac_address *mac)
{
	struct mac_address parsed;
	unsigned value;
	int used;

	for (int i = 0; i < 6; i++) {
		if (sscanf(text, "%2x%n", &value, &used) != 1 || used != 2)
			return -EINVAL;
		parsed.bytes[i] = (uint8_t)value;
		text += 2;
		if (i < 5 && *text != ':' && *text != '-')
			return -EINVAL;
		if (i < 5)
			text++;
	}
	if (*text != '\0')
		return -EINVAL;
	*mac = parsed;
	return 0;
}
