/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/suspect.h"

#include <string.h>

struct suspect
suspect_from_device(const struct device_record *device)
{
	struct suspect suspect = {.tenant = device->tenant,
		.mac = device->mac,
		.ip_count = device->ip_count < DEVICE_IPS_MAX ? device->ip_count : DEVICE_IPS_MAX,
		.device_class = device->device_class,
		.status = device->status,
		.vlan = mac_is_set(&device->mac) ? device->vlan : 0,
		.confidence = device->confidence,
		.brand_confidence = device->brand_confidence,
		.first_seen = device->first_seen,
		.last_seen = device->last_seen};

	memcpy(suspect.id, device->id, sizeof(suspect.id));
	memcpy(suspect.brand, device->brand, sizeof(suspect.brand));
	memcpy(suspect.maker, device->maker, sizeof(suspect.maker));
	memcpy(suspect.model, device->model, sizeof(suspect.model));
	memcpy(suspect.ips, device->ips, sizeof(suspect.ips));
	return suspect;
}

bool
suspect_is_watched(const struct suspect *suspect, float min_confidence)
{
	switch (suspect->device_class) {
	case DEVICE_CAMERA:
	case DEVICE_RECORDER:
	case DEVICE_DOORBELL:
		return suspect->confidence >= min_confidence;
	default:
		return false;
	}
}

/* The latest address of a family; link-local ones tell no place. */
static const struct ip_address *
current_address(const struct suspect *suspect, enum address_family family)
{
	for (size_t i = 0; i < suspect->ip_count; i++)
		if (suspect->ips[i].family == family && !ip_is_link_local(&suspect->ips[i]))
			return &suspect->ips[i];
	return NULL;
}

struct place
suspect_place(const struct suspect *suspect, const struct zones *zones, struct ip_address *ip)
{
	static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
	struct ip_address none = {0};
	struct place best = zones_place(zones, &none, suspect->vlan);

	*ip = suspect->ip_count ? suspect->ips[0] : none;
	for (size_t i = 0; i < 2; i++) {
		const struct ip_address *current = current_address(suspect, families[i]);
		struct place place;

		if (current == NULL)
			continue;
		place = zones_place(zones, current, suspect->vlan);
		if (i == 0 || best.zone == NULL || best.by_vlan ||
			(place.zone && place.zone->kind == ZONE_CORE &&
				best.zone->kind != ZONE_CORE)) {
			best = place;
			*ip = *current;
		}
	}
	return best;
}

void
contact_facts_add(struct contact_facts *sum, const struct contact_facts *more)
{
	struct contact_facts total = more->last >= sum->last ? *more : *sum;

	total.answered = sum->answered || more->answered;
	total.direction_certain = sum->direction_certain || more->direction_certain;
	total.bytes_out = sum->bytes_out + more->bytes_out;
	total.bytes_in = sum->bytes_in + more->bytes_in;
	total.count = sum->count + more->count;
	total.first = sum->first < more->first ? sum->first : more->first;
	*sum = total;
}
