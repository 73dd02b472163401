/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded pool of devices, its indexes by identity and by address, and its lists. */
#include "classifiers/devices/device_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint32_t
index_of(const struct device_table *table, const struct device *device)
{
	return (uint32_t)(device - table->devices);
}

static uint64_t
hash_identity(const struct identity *identity)
{
	return XXH3_64bits(identity, sizeof(*identity));
}

static uint32_t
identity_bucket(const struct device_table *table, uint64_t hash)
{
	/* The public id is unkeyed, so the bucket is keyed: nobody outside chooses collisions. */
	return (uint32_t)XXH3_64bits_withSeed(&hash, sizeof(hash), table->seed) & table->mask;
}

static uint32_t
address_bucket(const struct device_table *table, uint32_t tenant, const struct ip_address *ip)
{
	return (uint32_t)XXH3_64bits_withSeed(ip, sizeof(*ip), table->seed ^ tenant) & table->mask;
}

static struct device *
find_hash(const struct device_table *table, uint64_t hash, const struct identity *identity)
{
	uint32_t at = table->by_identity[identity_bucket(table, hash)];

	while (at != DEVICE_NONE) {
		struct device *device = &table->devices[at];

		if (device->identity_hash == hash &&
			(!identity || memcmp(&device->identity, identity, sizeof(*identity)) == 0))
			return device;
		at = device->identity_next;
	}
	return NULL;
}

struct device *
device_find_identity(const struct device_table *table, const struct identity *identity)
{
	return find_hash(table, hash_identity(identity), identity);
}

struct device *
device_find_id(const struct device_table *table, const char *id)
{
	char *end;
	uint64_t hash = strtoull(id, &end, 16);

	return *end == '\0' && end == id + DEVICE_ID_SIZE - 1 ? find_hash(table, hash, NULL) : NULL;
}

struct device *
device_find_address(const struct device_table *table, uint32_t tenant, const struct ip_address *ip)
{
	uint32_t at = table->by_address[address_bucket(table, tenant, ip)];

	while (at != DEVICE_NONE) {
		struct device *device = &table->devices[at / DEVICE_IPS_MAX];
		const struct address_slot *slot = &device->slots[at % DEVICE_IPS_MAX];

		if (device->identity.tenant == tenant && ip_equal(&slot->ip, ip))
			return device;
		at = slot->next;
	}
	return NULL;
}

static uint32_t *
link_previous(struct device *device, bool pending)
{
	return pending ? &device->pending_previous : &device->list_previous;
}

static uint32_t *
link_next(struct device *device, bool pending)
{
	return pending ? &device->pending_next : &device->list_next;
}

static void
list_unlink(struct device_table *table, struct device_list_ends *list, struct device *device,
	bool pending)
{
	uint32_t previous = *link_previous(device, pending);
	uint32_t next = *link_next(device, pending);

	if (previous == DEVICE_NONE)
		list->first = next;
	else
		*link_next(&table->devices[previous], pending) = next;
	if (next == DEVICE_NONE)
		list->last = previous;
	else
		*link_previous(&table->devices[next], pending) = previous;
	list->count--;
}

static void
list_push(struct device_table *table, struct device_list_ends *list, struct device *device,
	bool pending)
{
	uint32_t index = index_of(table, device);

	*link_previous(device, pending) = DEVICE_NONE;
	*link_next(device, pending) = list->first;
	if (list->first == DEVICE_NONE)
		list->last = index;
	else
		*link_previous(&table->devices[list->first], pending) = index;
	list->first = index;
	list->count++;
}

void
device_touch(struct device_table *table, struct device *device, int64_t time)
{
	if (time > device->record.last_seen)
		device->record.last_seen = time;
	if (time < device->record.first_seen)
		device->record.first_seen = time;
	if (device_is_stale(table, device))
		device_set_pending(table, device, true);
	list_unlink(table, &table->lists[device->list], device, false);
	list_push(table, &table->lists[device->list], device, false);
}

void
device_relist(struct device_table *table, struct device *device)
{
	/* Not by a brand alone: anybody can send from a listed prefix or claim to be of a maker. */
	bool identified = device->record.device_class == DEVICE_CAMERA ||
			  device->record.device_class == DEVICE_RECORDER ||
			  device->record.device_class == DEVICE_DOORBELL;
	uint8_t list = identified ? LIST_IDENTIFIED : LIST_ANONYMOUS;

	if (list == device->list)
		return;
	list_unlink(table, &table->lists[device->list], device, false);
	device->list = list;
	list_push(table, &table->lists[device->list], device, false);
}

void
device_set_pending(struct device_table *table, struct device *device, bool pending)
{
	if (device->pending == pending)
		return;
	if (pending)
		list_push(table, &table->pending, device, true);
	else
		list_unlink(table, &table->pending, device, true);
	device->pending = pending;
}

static void
address_unlink(struct device_table *table, struct device *device, struct address_slot *slot)
{
	uint32_t wanted =
		index_of(table, device) * DEVICE_IPS_MAX + (uint32_t)(slot - device->slots);
	uint32_t *link =
		&table->by_address[address_bucket(table, device->identity.tenant, &slot->ip)];

	while (*link != wanted)
		link = &table->devices[*link / DEVICE_IPS_MAX].slots[*link % DEVICE_IPS_MAX].next;
	*link = slot->next;
}

static void
forget_ip(struct device_record *record, const struct ip_address *ip)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < record->ip_count; i++)
		if (!ip_equal(&record->ips[i], ip))
			record->ips[kept++] = record->ips[i];
	record->ip_count = kept;
}

void
device_unbind(struct device_table *table, struct device *device, struct address_slot *slot)
{
	address_unlink(table, device, slot);
	forget_ip(&device->record, &slot->ip);
	*slot = (struct address_slot){.next = DEVICE_NONE};
}

struct address_slot *
device_slot(struct device *device, const struct ip_address *ip)
{
	for (int i = 0; i < DEVICE_IPS_MAX; i++)
		if (ip_equal(&device->slots[i].ip, ip))
			return &device->slots[i];
	return NULL;
}

static struct address_slot *
free_slot(struct device_table *table, struct device *device)
{
	struct address_slot *oldest = &device->slots[0];

	for (int i = 0; i < DEVICE_IPS_MAX; i++) {
		struct address_slot *slot = &device->slots[i];

		if (!ip_is_set(&slot->ip))
			return slot;
		if (slot->last_seen < oldest->last_seen)
			oldest = slot;
	}
	device_unbind(table, device, oldest);
	return oldest;
}

void
device_bind(struct device_table *table, struct device *device, const struct ip_address *ip,
	int64_t time, bool strong)
{
	struct device *owner = device_find_address(table, device->identity.tenant, ip);
	struct device_record *record = &device->record;
	struct address_slot *slot;
	uint32_t *bucket;

	if (owner && owner != device) {
		device_unbind(table, owner, device_slot(owner, ip));
		table->counters.addresses_moved++;
		device_update(table, owner);
	}
	slot = device_slot(device, ip);
	if (!slot) {
		slot = free_slot(table, device);
		bucket = &table->by_address[address_bucket(table, device->identity.tenant, ip)];
		*slot = (struct address_slot){.ip = *ip, .next = *bucket};
		*bucket =
			index_of(table, device) * DEVICE_IPS_MAX + (uint32_t)(slot - device->slots);
		memmove(record->ips + 1, record->ips, sizeof(record->ips) - sizeof(record->ips[0]));
		record->ips[0] = *ip;
		record->ip_count += record->ip_count < DEVICE_IPS_MAX;
		device_update(table, device);
	}
	if (time > slot->last_seen)
		slot->last_seen = time;
	if (!strong || time <= slot->bound_at)
		return;
	if (slot->bound_at == 0)
		device_update(table, device); /* it is of the estate */
	slot->bound_at = time;
}

void
device_remove(struct device_table *table, struct device *device)
{
	uint32_t index = index_of(table, device);
	uint32_t *link = &table->by_identity[identity_bucket(table, device->identity_hash)];

	if (table->unsettled == index)
		table->unsettled = DEVICE_NONE;
	device_set_pending(table, device, false);
	for (int i = 0; i < DEVICE_IPS_MAX; i++)
		if (ip_is_set(&device->slots[i].ip))
			device_unbind(table, device, &device->slots[i]);
	while (*link != index)
		link = &table->devices[*link].identity_next;
	*link = device->identity_next;
	list_unlink(table, &table->lists[device->list], device, false);
	device->used = false;
	device->identity_next = table->free_first;
	table->free_first = index;
}

static struct device *
take_place(struct device_table *table)
{
	struct device *device;

	if (table->free_first == DEVICE_NONE && table->used_ever == table->max) {
		bool anonymous;

		device_settle(table); /* who goes depends on what it is */
		anonymous = table->lists[LIST_ANONYMOUS].count > 0;
		device = &table->devices[table->lists[anonymous ? LIST_ANONYMOUS : LIST_IDENTIFIED]
						 .last];
		if (anonymous)
			table->counters.evicted_anonymous++;
		else
			table->counters.evicted_identified++;
		if (device->pending)
			device_report(table, device);
		device_remove(table, device);
	}
	if (table->free_first == DEVICE_NONE)
		return &table->devices[table->used_ever++];
	device = &table->devices[table->free_first];
	table->free_first = device->identity_next;
	return device;
}

struct device *
device_add(struct device_table *table, const struct identity *identity, int64_t time)
{
	struct device *device = take_place(table);
	struct device_record *record = &device->record;
	uint32_t *bucket;

	/* The facts are 10 KiB: only those in use are ever read, so they are not cleared. */
	memset(record, 0, offsetof(struct device_record, facts));
	memset(&device->identity, 0, sizeof(*device) - offsetof(struct device, identity));
	device->identity = *identity;
	device->identity_hash = hash_identity(identity);
	for (int i = 0; i < DEVICE_IPS_MAX; i++)
		device->slots[i].next = DEVICE_NONE;
	device->used = true;
	snprintf(record->id, sizeof(record->id), "%016llx",
		(unsigned long long)device->identity_hash);
	record->first_seen = record->last_seen = time;
	record->mac = identity->mac;
	record->tenant = identity->tenant;
	bucket = &table->by_identity[identity_bucket(table, device->identity_hash)];
	device->identity_next = *bucket;
	*bucket = index_of(table, device);
	list_push(table, &table->lists[LIST_ANONYMOUS], device, false);
	return device;
}
