/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of all zones, nested or not, are flattened once into ranges that do not overlap; a
 * look-up is one binary search. */
#include "classifiers/destinations/zones.h"

#include <stdlib.h>
#include <string.h>

#define VLAN_COUNT 4096
#define DEPTH_MAX  130 /* nested prefixes of different lengths: at most 129 */

typedef unsigned __int128 address_value;

struct prefix {
	address_value first;
	address_value last;
	uint8_t length;
	size_t order; /* in the configuration */
	const struct config_zone *zone;
};

/* From `first` up to the next range's `first`. */
struct range {
	address_value first;
	const struct prefix *prefix; /* NULL: no zone */
};

struct family {
	struct prefix *prefixes;
	size_t prefix_count;
	struct range *ranges;
	size_t range_count;
};

struct zones {
	struct family ipv4;
	struct family ipv6;
	const struct config_zone *vlans[VLAN_COUNT];
};

static address_value
value_of(const struct ip_address *ip)
{
	unsigned size = ip->family == ADDRESS_IPV4 ? 4 : 16;
	address_value value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | ip->bytes[i];
	return value;
}

static int
compare_prefixes(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void
add_prefix(struct zones *zones, const struct network *network, const struct config_zone *zone,
	size_t order)
{
	bool ipv4 = network->ip.family == ADDRESS_IPV4;
	struct family *family = ipv4 ? &zones->ipv4 : &zones->ipv6;
	unsigned bits = ipv4 ? 32 : 128;
	unsigned host = bits - network->prefix_length;
	address_value hosts = host == 128 ? ~(address_value)0 : ((address_value)1 << host) - 1;
	address_value first = value_of(&network->ip) & ~hosts;

	family->prefixes[family->prefix_count++] = (struct prefix){.first = first,
		.last = first + hosts,
		.length = network->prefix_length,
		.order = order,
		.zone = zone};
}

static void
add_range(struct family *family, address_value first, const struct prefix *prefix)
{
	if (family->range_count && family->ranges[family->range_count - 1].first == first)
		family->range_count--;
	family->ranges[family->range_count++] = (struct range){.first = first, .prefix = prefix};
}

/* Sweeps over the sorted networks; `open` holds those around the current address, widest first. */
static void
flatten(struct family *family)
{
	const struct prefix *open[DEPTH_MAX];
	size_t depth = 0;

	qsort(family->prefixes, family->prefix_count, sizeof(struct prefix), compare_prefixes);
	for (size_t i = 0; i <= family->prefix_count; i++) {
		const struct prefix *next = i < family->prefix_count ? &family->prefixes[i] : NULL;

		while (depth && (next == NULL || open[depth - 1]->last < next->first)) {
			address_value after = open[--depth]->last + 1;

			/* Zero: the range ends with the last address there is. */
			if (after != 0)
				add_range(family, after, depth ? open[depth - 1] : NULL);
		}
		if (next == NULL || (depth && open[depth - 1]->first == next->first &&
					    open[depth - 1]->length == next->length))
			continue;
		add_range(family, next->first, next);
		open[depth++] = next;
	}
}

static bool
allocate_family(struct family *family, size_t networks)
{
	family->prefixes = calloc(networks + 1, sizeof(struct prefix));
	family->ranges = calloc(networks * 2 + 1, sizeof(struct range));
	return family->prefixes && family->ranges;
}

struct zones *
zones_create(const struct config *config)
{
	struct zones *zones = calloc(1, sizeof(*zones));
	size_t networks = 0;

	if (zones == NULL)
		return NULL;
	for (size_t i = 0; i < config->zone_count; i++)
		networks += config->zones[i].network_count;
	if (!allocate_family(&zones->ipv4, networks) || !allocate_family(&zones->ipv6, networks)) {
		zones_free(zones);
		return NULL;
	}
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_zone *zone = &config->zones[i];

		for (size_t n = 0; n < zone->network_count; n++)
			add_prefix(zones, &zone->networks[n], zone, i);
		for (size_t v = 0; v < zone->vlan_count; v++)
			if (zone->vlans[v] < VLAN_COUNT && zones->vlans[zone->vlans[v]] == NULL)
				zones->vlans[zone->vlans[v]] = zone;
	}
	flatten(&zones->ipv4);
	flatten(&zones->ipv6);
	return zones;
}

void
zones_free(struct zones *zones)
{
	if (zones == NULL)
		return;
	free(zones->ipv4.prefixes);
	free(zones->ipv4.ranges);
	free(zones->ipv6.prefixes);
	free(zones->ipv6.ranges);
	free(zones);
}

static const struct prefix *
find_prefix(const struct zones *zones, const struct ip_address *ip)
{
	const struct family *family = ip->family == ADDRESS_IPV4 ? &zones->ipv4 : &zones->ipv6;
	address_value value = value_of(ip);
	size_t low = 0, high = family->range_count;

	if (ip->family == ADDRESS_NONE)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (family->ranges[middle].first <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? family->ranges[low - 1].prefix : NULL;
}

struct place
zones_place(const struct zones *zones, const struct ip_address *ip, uint16_t vlan)
{
	const struct prefix *prefix = find_prefix(zones, ip);
	struct place place = {.zone = prefix ? prefix->zone : NULL};

	if (place.zone == NULL && vlan != 0 && vlan < VLAN_COUNT) {
		place.zone = zones->vlans[vlan];
		place.by_vlan = place.zone != NULL;
	}
	if (place.zone)
		place.internet = place.zone->kind == ZONE_INTERNET;
	else
		place.internet = ip_is_unicast(ip) && !ip_is_private(ip);
	return place;
}

const char *
place_name(const struct place *place)
{
	if (place->zone)
		return place->zone->name;
	return place->internet ? "internet" : "unknown local";
}

bool
zones_is_broadcast(const struct zones *zones, const struct ip_address *ip)
{
	const struct prefix *prefix;

	if (ip->family != ADDRESS_IPV4)
		return false;
	prefix = find_prefix(zones, ip);
	/* RFC 3021: a /31 has no broadcast address. */
	return prefix && prefix->length < 31 && prefix->last == value_of(ip);
}
