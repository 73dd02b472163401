/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of a device: each says what was seen, which data row gave it meaning, and its weight.
 * The strongest are kept. */
#include "classifiers/devices/device_private.h"
#include "dataplane/records/text.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* What somebody else says of the subject counts half of what it says itself. */
#define PEER_SHARE 0.5f

static float
weight_of(const struct device_fact *fact)
{
	return fact->weight_class + fact->weight_vendor;
}

uint64_t
device_fact_key(const struct evidence *evidence)
{
	uint64_t seed = (uint64_t)evidence->attribute << 8 | evidence->side;

	return XXH3_64bits_withSeed(
		evidence->value, strnlen(evidence->value, EVIDENCE_VALUE_SIZE), seed);
}

bool
device_repeat_fact(struct device *device, const struct evidence *evidence, uint64_t key)
{
	bool found = false;

	for (uint8_t i = 0; i < device->evidence_count; i++) {
		struct device_fact *fact = &device->record.facts[i];

		if (device->notes[i].key != key || fact->attribute != evidence->attribute ||
			fact->side != evidence->side)
			continue;
		found = true;
		fact->count++;
		if (evidence->time > fact->last_seen)
			fact->last_seen = evidence->time;
		if (ip_is_set(&evidence->subject.ip))
			device->notes[i].ip = evidence->subject.ip;
	}
	return found;
}

/* Where a fact of this weight may stand: a free place, the place of the weakest fact below it, or
 * nowhere (DEVICE_EVIDENCE_MAX). Of equally empty facts the oldest gives way. */
static unsigned
find_place(const struct device *device, float weight)
{
	const struct device_fact *facts = device->record.facts;
	unsigned weakest = DEVICE_EVIDENCE_MAX;
	unsigned plain = 0;

	for (unsigned i = 0; i < device->evidence_count; i++) {
		bool is_plain = weight_of(&facts[i]) == 0;
		bool weaker = weakest == DEVICE_EVIDENCE_MAX ||
			      weight_of(&facts[i]) < weight_of(&facts[weakest]) ||
			      (is_plain && weight_of(&facts[weakest]) == 0 &&
				      facts[i].last_seen < facts[weakest].last_seen);

		plain += is_plain;
		if (weaker)
			weakest = i;
	}
	if (weight == 0 && plain >= DEVICE_PLAIN_FACTS_MAX)
		return weakest;
	if (device->evidence_count < DEVICE_EVIDENCE_MAX)
		return device->evidence_count;
	if (weight > weight_of(&facts[weakest]) || (weight == 0 && weight_of(&facts[weakest]) == 0))
		return weakest;
	return DEVICE_EVIDENCE_MAX;
}

static void
place_fact(struct device_table *table, struct device *device, const struct device_fact *fact,
	const struct fact_note *note)
{
	unsigned place = find_place(device, weight_of(fact));

	if (place < device->evidence_count || place == DEVICE_EVIDENCE_MAX) {
		device->record.facts_dropped++;
		table->counters.facts_dropped++;
	}
	if (place == DEVICE_EVIDENCE_MAX)
		return;
	if (place == device->evidence_count)
		device->evidence_count++;
	device->record.facts[place] = *fact;
	device->notes[place] = *note;
}

static bool
is_name_asked_for(uint8_t attribute)
{
	enum evidence_channel channel =
		evidence_attribute_channel((enum evidence_attribute)attribute);

	return channel == CHANNEL_DNS || channel == CHANNEL_NAMES;
}

/* Names asked for by DNS and named in TLS and HTTP are one thing: where the host goes. */
static enum evidence_channel
counting_channel(uint8_t attribute)
{
	return is_name_asked_for(attribute)
		       ? CHANNEL_DNS
		       : evidence_attribute_channel((enum evidence_attribute)attribute);
}

static void
set_meaning(struct device_fact *fact, struct fact_note *note, const struct fingerprint *fingerprint)
{
	bool asks = fact->side == SIDE_TOOL && !is_name_asked_for(fact->attribute);
	float share = fact->side == SIDE_PEER ? PEER_SHARE : 1;

	text_copy(fact->source, sizeof(fact->source), fingerprint->source);
	/* What an application of the vendor does too tells only where the host goes. */
	if (fingerprint->any_side)
		fact->channel = CHANNEL_DNS;
	/* A request says what the asking program is for, never what the host was sold as. */
	if (asks && fingerprint->device_class != DEVICE_VIEWER &&
		fingerprint->device_class != DEVICE_OTHER)
		return;
	fact->says_class = (uint8_t)fingerprint->device_class;
	fact->weight_class = fingerprint->weight_class * share;
	note->any_video = fingerprint->any_video;
	if (asks)
		return;
	fact->weight_vendor = fingerprint->weight_vendor * share;
	text_copy(fact->says_brand, sizeof(fact->says_brand), fingerprint->brand);
	text_copy(fact->says_maker, sizeof(fact->says_maker), fingerprint->maker);
}

void
device_add_fact(struct device_table *table, struct device *device, const struct evidence *evidence,
	const struct fingerprint *fingerprint)
{
	struct device_fact fact = {
		.first_seen = evidence->time,
		.last_seen = evidence->time,
		.count = 1,
		.attribute = evidence->attribute,
		.side = evidence->side,
		.classifier = evidence->classifier,
		.channel = (uint8_t)counting_channel(evidence->attribute),
	};
	struct fact_note note = {.key = device_fact_key(evidence), .ip = evidence->subject.ip};

	text_copy(fact.value, sizeof(fact.value), evidence->value);
	if (fingerprint)
		set_meaning(&fact, &note, fingerprint);
	/* RFC 6970: an Internet gateway forwards ports to others. */
	if (fact.side == SIDE_DEVICE && strstr(evidence->value, "InternetGatewayDevice"))
		device->gateway = true;
	place_fact(table, device, &fact, &note);
}

void
device_add_oui(struct device_table *table, struct device *device, int64_t time)
{
	const struct mac_address *mac = &device->identity.mac;
	struct evidence evidence = {.time = time, .attribute = ATTRIBUTE_OUI, .side = SIDE_DEVICE};
	const struct fingerprint *fingerprint;
	char text[MAC_TEXT_SIZE];

	/* Locally administered addresses are nobody's registration: IEEE 802, 8.2. */
	if (mac_is_locally_administered(mac))
		return;
	fingerprint = knowledge_oui(table->knowledge, mac);
	if (!fingerprint)
		return;
	mac_format(mac, text);
	snprintf(evidence.value, sizeof(evidence.value), "%.8s %.64s", text, fingerprint->meaning);
	device_add_fact(table, device, &evidence, fingerprint);
}

static void
move_one(struct device_table *table, struct device *from, struct device *to, unsigned index)
{
	const struct device_fact *fact = &from->record.facts[index];
	struct evidence evidence = {
		.time = fact->last_seen, .attribute = fact->attribute, .side = fact->side};

	evidence_set_value(&evidence, fact->value, strlen(fact->value));
	if (fact->attribute == ATTRIBUTE_OUI)
		return; /* belongs to the MAC */
	for (unsigned i = 0; i < to->evidence_count; i++)
		if (to->notes[i].key == from->notes[index].key &&
			strcmp(to->record.facts[i].source, fact->source) == 0)
			return;
	place_fact(table, to, fact, &from->notes[index]);
	device_take_values(table, to, &evidence);
}

void
device_move_facts(struct device_table *table, struct device *from, struct device *to,
	const struct ip_address *ip)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < from->evidence_count; i++) {
		if (!ip || ip_equal(&from->notes[i].ip, ip)) {
			move_one(table, from, to, i);
			continue;
		}
		if (kept != i) {
			from->record.facts[kept] = from->record.facts[i];
			from->notes[kept] = from->notes[i];
		}
		kept++;
	}
	from->evidence_count = (uint8_t)kept;
	device_clear_values(from);
	for (unsigned i = 0; i < kept; i++) {
		const struct device_fact *fact = &from->record.facts[i];
		struct evidence evidence = {.attribute = fact->attribute, .side = fact->side};

		evidence_set_value(&evidence, fact->value, strlen(fact->value));
		device_take_values(table, from, &evidence);
	}
	device_update(table, to);
	device_update(table, from);
}
