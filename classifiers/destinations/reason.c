/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PERCENT(confidence) ((int)((confidence)*100.0f + 0.5f))

/* Removes a UTF-8 sequence that the end of the buffer cut in two. */
static void
trim_partial_character(char *text)
{
	size_t length = strlen(text), lead = length;

	while (lead > 0 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0)
		return;
	unsigned char first = (unsigned char)text[lead - 1];
	size_t needs = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (length - (lead - 1) < needs)
		text[lead - 1] = '\0';
}

void
reason_set(char reason[REASON_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, REASON_SIZE, format, arguments);
	va_end(arguments);
	trim_partial_character(reason);
}

void
reason_restricted(char reason[REASON_SIZE], const struct suspect *suspect)
{
	const char *vendor = suspect->maker[0] ? suspect->maker : suspect->brand;
	bool rebadged = suspect->brand[0] && strcmp(suspect->brand, vendor) != 0;

	reason_set(reason, "%s (%d %%)%s%s made by %s (%d %%), whose status is %s%s%s",
		device_class_name((enum device_class)suspect->device_class),
		PERCENT(suspect->confidence), rebadged ? " sold as " : "",
		rebadged ? suspect->brand : "", vendor, PERCENT(suspect->brand_confidence),
		vendor_status_name((enum vendor_status)suspect->status),
		suspect->model[0] ? "; model " : "", suspect->model);
}

void
reason_on_core(char reason[REASON_SIZE], const struct suspect *suspect, const struct place *place,
	const struct ip_address *ip)
{
	char address[ADDRESS_TEXT_SIZE], vlan[16] = "";

	if (place->by_vlan)
		snprintf(vlan, sizeof(vlan), "VLAN %u", suspect->vlan);
	reason_set(reason, "%s (%d %%) at %s is in zone %s, a core zone, by its %s",
		device_class_name((enum device_class)suspect->device_class),
		PERCENT(suspect->confidence), ip_format(ip, address), place->zone->name,
		place->by_vlan ? vlan : "address");
}

static const char *
name_origin(const struct contact_grounds *grounds)
{
	const struct name_claim *claim = grounds->claim;

	if (grounds->unconfirmed)
		return " only by its own claim, no DNS answer seen";
	if (!claim->own)
		return claim->confirmed ? " by others' DNS" : " by others' claim";
	return claim->confirmed ? " by DNS" : " by its own claim";
}

void
reason_contact(char reason[REASON_SIZE], const struct suspect *suspect,
	const struct contact_facts *facts, const struct contact_grounds *grounds)
{
	char address[ADDRESS_TEXT_SIZE], number[4], port[8] = "", name[112] = "";
	const struct name_claim *claim = grounds->claim;
	bool core = grounds->peer.zone && grounds->peer.zone->kind == ZONE_CORE;

	if (facts->peer.port)
		snprintf(port, sizeof(port), " %u", facts->peer.port);
	if (claim)
		snprintf(name, sizeof(name), " (%.56s%s)", claim->name, name_origin(grounds));
	reason_set(reason, "%s (%d %%) in %s began %s%s to %s in %s%s, %s%s%s, no allow row%s",
		device_class_name((enum device_class)suspect->device_class),
		PERCENT(suspect->confidence), place_name(&grounds->own),
		ip_protocol_name(facts->protocol, number), port,
		ip_format(&facts->peer.ip, address), place_name(&grounds->peer),
		core ? " (core)" : "", facts->answered ? "answered" : "no answer",
		facts->direction_certain ? "" : ", who began judged from ports or flags",
		grounds->folded ? ", one of too many destinations to list" : "", name);
}
