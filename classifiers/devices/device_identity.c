/* SPDX-License-Identifier: Apache-2.0 */
/* Whose facts are these? A MAC is a host's own until it proves to be a router's: then what was said
 * of the addresses behind it belongs to the addresses. */
#include "classifiers/devices/device_private.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
/* How long a word of ARP or DHCP outweighs the link-layer source of a packet. */
#define BINDING_LIFETIME (3600 * SECOND)
/* Addresses not seen for a day do not make a router: leases change. */
#define SEEN_LIFETIME (86400 * SECOND)
/* A MAC that sends for so many addresses of others is no address conflict but a router. */
#define FOREIGN_ADDRESSES 2

/* Gateway redundancy: virtual MACs that no host owns (RFC 5798; Cisco HSRP). */
static bool
is_gateway_mac(const struct mac_address *mac)
{
	static const uint8_t prefixes[][5] = {
		{0x00, 0x00, 0x5e, 0x00, 0x01},
		{0x00, 0x00, 0x5e, 0x00, 0x02},
		{0x00, 0x00, 0x0c, 0x07, 0xac},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (memcmp(mac->bytes, prefixes[i], sizeof(prefixes[i])) == 0)
			return true;
	return false;
}

/* 192.0.0.0/24 is public space by its numbers, yet the factory address of common cameras. */
bool
device_address_is_inside(const struct ip_address *ip)
{
	static const uint8_t factory[3] = {192, 0, 0};

	return ip_is_private(ip) || ip_is_link_local(ip) ||
	       memcmp(ip->bytes, factory, sizeof(factory)) == 0;
}

static struct identity
mac_identity(uint32_t tenant, const struct mac_address *mac)
{
	return (struct identity){.mac = *mac, .tenant = tenant};
}

static struct device *
address_device(struct device_table *table, uint32_t tenant, const struct ip_address *ip,
	int64_t time, bool create)
{
	struct device *device = device_find_address(table, tenant, ip);
	struct identity identity = {.tenant = tenant, .ip = *ip};

	if (!device)
		device = device_find_identity(table, &identity);
	if (!device && create)
		device = device_add(table, &identity, time);
	if (device)
		device_bind(table, device, ip, time, false);
	return device;
}

static struct ip_address
seen_key(const struct ip_address *ip)
{
	struct ip_address key = *ip;

	if (ip->family == ADDRESS_IPV6)
		memset(key.bytes + 8, 0, 8); /* hosts change the rest as they please: RFC 8981 */
	return key;
}

static struct seen_address *
note_seen(struct device *device, const struct ip_address *ip, int64_t time)
{
	struct ip_address key = seen_key(ip);
	struct seen_address *oldest = &device->seen[0];

	for (uint8_t i = 0; i < device->seen_count; i++) {
		struct seen_address *seen = &device->seen[i];

		if (ip_equal(&seen->ip, &key)) {
			seen->last_seen = time;
			return seen;
		}
		if (seen->last_seen < oldest->last_seen)
			oldest = seen;
	}
	if (device->seen_count < DEVICE_ADDRESSES_MAX)
		oldest = &device->seen[device->seen_count++];
	*oldest = (struct seen_address){.ip = key, .last_seen = time};
	return oldest;
}

/* One address says nothing; of several: too many for a host, or a part of the Internet beside the
 * inside or beside another part of it, or those that belong to other MACs. */
static bool
looks_like_router(const struct device_table *table, const struct device *device, int64_t time)
{
	const struct ip_address *outside = NULL;
	unsigned ipv4 = 0, ipv6 = 0, inside = 0, foreign = 0;
	bool far_apart = false;

	for (uint8_t i = 0; i < device->seen_count; i++) {
		const struct seen_address *seen = &device->seen[i];

		if (seen->last_seen < time - SEEN_LIFETIME || ip_is_link_local(&seen->ip))
			continue;
		foreign += seen->foreign;
		if (seen->ip.family == ADDRESS_IPV6) {
			ipv6++;
			continue;
		}
		ipv4++;
		if (device_address_is_inside(&seen->ip)) {
			inside++;
			continue;
		}
		if (outside && memcmp(outside->bytes, seen->ip.bytes, 2) != 0)
			far_apart = true;
		outside = &seen->ip;
	}
	return ipv4 > table->router_addresses || ipv6 > table->router_addresses || far_apart ||
	       (outside && inside > 0) || foreign >= FOREIGN_ADDRESSES;
}

static bool
owns(struct device *device, const struct ip_address *ip)
{
	const struct address_slot *slot = device_slot(device, ip);

	return slot && slot->bound_at != 0;
}

/* The MAC proved to be a router's: what was said of others' addresses is given to them. */
static void
split_router(struct device_table *table, struct device *router, int64_t time)
{
	router->router = router->gateway = true;
	table->counters.routers_found++;
	for (int i = 0; i < DEVICE_IPS_MAX; i++) {
		struct address_slot *slot = &router->slots[i];

		if (ip_is_set(&slot->ip) && slot->bound_at == 0)
			device_unbind(table, router, slot);
	}
	for (unsigned i = router->evidence_count; i-- > 0;) {
		struct ip_address ip;
		struct device *to;

		if (i >= router->evidence_count)
			continue; /* an earlier move took several facts */
		ip = router->notes[i].ip;
		if (!ip_is_set(&ip) || owns(router, &ip))
			continue;
		to = address_device(table, router->identity.tenant, &ip, time, true);
		/* Making room may have evicted the router itself: then there is nothing left. */
		if (!router->used)
			return;
		if (to != router)
			device_move_facts(table, router, to, &ip);
	}
	device_update(table, router);
}

static bool
binding_holds(struct device *owner, const struct ip_address *ip, int64_t time)
{
	const struct address_slot *slot = device_slot(owner, ip);

	return slot->bound_at != 0 && time - slot->bound_at < BINDING_LIFETIME;
}

/* What was known of the bare address belongs to the MAC that turned out to have it. */
static void
absorb_address_device(
	struct device_table *table, struct device *device, const struct ip_address *ip)
{
	struct identity identity = {.tenant = device->identity.tenant, .ip = *ip};
	struct device *bare = device_find_identity(table, &identity);

	if (!bare || bare == device)
		return;
	device_move_facts(table, bare, device, NULL);
	if (bare->record.first_seen < device->record.first_seen)
		device->record.first_seen = bare->record.first_seen;
	device_remove(table, bare);
	table->counters.merged++;
}

/* ARP, DHCP and discovery say that the MAC has the address. */
static struct device *
bind_strongly(struct device_table *table, struct device *device, const struct ip_address *ip,
	int64_t time)
{
	unsigned bound = 0;

	for (int i = 0; i < DEVICE_IPS_MAX; i++)
		bound += device->slots[i].bound_at != 0;
	/* A router that answers ARP for others (RFC 1027) does not own them all. */
	if (device->router && bound >= table->router_addresses && !device_slot(device, ip))
		return address_device(table, device->identity.tenant, ip, time, true);
	absorb_address_device(table, device, ip);
	device_bind(table, device, ip, time, true);
	return device;
}

static struct device *
resolve_behind(struct device_table *table, struct device *device, const struct ip_address *ip,
	int64_t time, bool create)
{
	uint32_t tenant = device->identity.tenant;
	struct device *owner = device_find_address(table, tenant, ip);
	struct seen_address *seen;

	if (owner == device) {
		note_seen(device, ip, time);
		device_bind(table, device, ip, time, false);
		return device;
	}
	if (device->router)
		return address_device(table, tenant, ip, time, create);
	seen = note_seen(device, ip, time);
	seen->foreign = owner && mac_is_set(&owner->identity.mac) && binding_holds(owner, ip, time);
	if (looks_like_router(table, device, time)) {
		split_router(table, device, time);
		return address_device(table, tenant, ip, time, create);
	}
	if (seen->foreign)
		return owner;
	absorb_address_device(table, device, ip);
	device_bind(table, device, ip, time, false);
	return device;
}

static bool
is_broadcast(const struct ip_address *ip)
{
	static const uint8_t all[4] = {255, 255, 255, 255};

	return ip->family == ADDRESS_IPV4 && memcmp(ip->bytes, all, sizeof(all)) == 0;
}

struct device *
device_resolve(struct device_table *table, const struct subject *subject, int64_t time,
	bool binding, bool create)
{
	bool has_ip = ip_is_unicast(&subject->ip);
	bool has_mac = mac_is_unicast(&subject->mac) && !is_gateway_mac(&subject->mac);
	struct identity identity;
	struct device *device;

	if (ip_is_multicast(&subject->ip) || is_broadcast(&subject->ip) || (!has_ip && !has_mac))
		return NULL;
	if (!has_mac)
		return address_device(table, subject->tenant, &subject->ip, time, create);
	identity = mac_identity(subject->tenant, &subject->mac);
	device = device_find_identity(table, &identity);
	if (!device) {
		device = device_add(table, &identity, time);
		device_add_oui(table, device, time);
		device_update(table, device);
	}
	if (subject->vlan)
		device->record.vlan = subject->vlan;
	if (!has_ip)
		return device;
	if (binding)
		return bind_strongly(table, device, &subject->ip, time);
	return resolve_behind(table, device, &subject->ip, time, create);
}
