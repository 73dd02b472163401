/* SPDX-License-Identifier: Apache-2.0 */
/* Network addresses as plain values: no DPDK, no libc socket types, comparable with memcmp. */
#ifndef CAMSPAN_RECORDS_ADDRESS_H
#define CAMSPAN_RECORDS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAC_TEXT_SIZE     18 /* "aa:bb:cc:dd:ee:ff" and NUL */
#define ADDRESS_TEXT_SIZE 46 /* longest IPv6 text and NUL */

struct mac_address {
	uint8_t bytes[6];
};

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

/* Bytes are in network order; IPv4 uses the first four. Bytes past the family's length are zero, so
 * that two equal addresses are equal under memcmp. */
struct ip_address {
	uint8_t family; /* enum address_family */
	uint8_t bytes[16];
};

struct endpoint {
	struct ip_address ip;
	uint16_t port; /* host order; 0 where there is none */
};

struct network {
	struct ip_address ip;
	uint8_t prefix_length;
};

static inline struct ip_address
ip_from_ipv4(const uint8_t bytes[4])
{
	struct ip_address ip = {.family = ADDRESS_IPV4};

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

static inline struct ip_address
ip_from_ipv6(const uint8_t bytes[16])
{
	struct ip_address ip = {.family = ADDRESS_IPV6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

static inline bool
ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static inline bool
ip_is_set(const struct ip_address *ip)
{
	return ip->family != ADDRESS_NONE;
}

/* Multicast, broadcast, unspecified and loopback identify no device. */
bool ip_is_unicast(const struct ip_address *ip);
/* RFC 1918, RFC 4193, RFC 6598 and link-local space. */
bool ip_is_private(const struct ip_address *ip);
bool ip_is_link_local(const struct ip_address *ip);
bool ip_is_multicast(const struct ip_address *ip);
/* Text forms per RFC 5952. `text` must hold ADDRESS_TEXT_SIZE; returns text ("" for no address). */
const char *ip_format(const struct ip_address *ip, char *text);
/* Returns 0, or -EINVAL; `text` must be NUL-terminated. */
int ip_parse(const char *text, struct ip_address *ip);

bool network_contains(const struct network *network, const struct ip_address *ip);
/* "10.0.0.0/8", "2001:db8::/32" or a bare address (full prefix). Host bits must be zero.
 * Returns 0, or -EINVAL. */
int network_parse(const char *text, struct network *network);
/* `text` must hold ADDRESS_TEXT_SIZE + 4; returns text. */
const char *network_format(const struct network *network, char *text);

static inline bool
mac_equal(const struct mac_address *a, const struct mac_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool
mac_is_set(const struct mac_address *mac)
{
	static const struct mac_address zero;

	return !mac_equal(mac, &zero);
}

/* Group (multicast, broadcast) addresses and the zero address identify no device. */
bool mac_is_unicast(const struct mac_address *mac);
bool mac_is_locally_administered(const struct mac_address *mac);
const char *mac_format(const struct mac_address *mac, char *text);
int mac_parse(const char *text, struct mac_address *mac);

#endif
