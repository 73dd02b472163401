/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/rules.h"
#include "classifiers/destinations/reason.h"

#include <stdio.h>
#include <string.h>

#define DESTINATION_MANY "*"
/* An open alert outlives a confidence that wavers around the threshold. */
#define HYSTERESIS 0.1f

bool
rules_still_watched(const struct rulebook *rules, const struct suspect *suspect)
{
	return suspect_is_watched(suspect, rules->config->policy.min_confidence - HYSTERESIS);
}

static bool
is_camera(const struct suspect *suspect)
{
	return suspect->device_class == DEVICE_CAMERA || suspect->device_class == DEVICE_DOORBELL;
}

static bool
is_restricted(const struct suspect *suspect)
{
	return suspect->status == STATUS_RESTRICTED || suspect->status == STATUS_RESTRICTED_PRC;
}

/* Without certainty about who began, an alert weighs three quarters. */
static uint8_t
severity_of(const struct rulebook *rules, enum rule_id rule, bool certain)
{
	const struct config_rule *config = &rules->config->policy.rules[rule];
	unsigned severity =
		rules->config->site.sensitive ? config->severity_sensitive : config->severity;

	return (uint8_t)(certain ? severity : (severity * 3 + 3) / 4);
}

/* Copies what the record says of the device; true when something that a reader acts on changed. */
static bool
fill_device(struct alert_record *record, const struct suspect *suspect, const struct ip_address *ip)
{
	bool same = strcmp(record->device_brand, suspect->brand) == 0 &&
		    strcmp(record->device_maker, suspect->maker) == 0 &&
		    ip_equal(&record->device_ip, ip);

	memcpy(record->device_brand, suspect->brand, sizeof(record->device_brand));
	memcpy(record->device_maker, suspect->maker, sizeof(record->device_maker));
	record->device_mac = suspect->mac;
	record->device_ip = *ip;
	return !same;
}

/* A rule about the device holds: opens its alert, or updates it when the words or facts changed. */
static void
hold_device(struct rulebook *rules, struct dossier *dossier, enum rule_id rule,
	const struct place *place, const struct ip_address *ip, const char *reason, int64_t now)
{
	struct alert *alert = alerts_find(rules->alerts, dossier, rule, "");
	bool is_new = alert == NULL, changed;

	if (is_new) {
		alert = alerts_open(rules->alerts, dossier, rule, "");
		alert->direction_certain = true;
		alert->record.last = dossier->suspect.last_seen;
		alert->record.first = rule == RULE_RESTRICTED_VENDOR_PRESENT
					      ? dossier->suspect.first_seen
					      : dossier->suspect.last_seen;
		alert->record.severity = severity_of(rules, rule, true);
	}
	changed = fill_device(&alert->record, &dossier->suspect, ip);
	changed |= strcmp(alert->record.reason, reason) != 0;
	snprintf(alert->record.zone, sizeof(alert->record.zone), "%s", place_name(place));
	memcpy(alert->record.reason, reason, sizeof(alert->record.reason));
	alerts_touch(rules->alerts, alert, dossier->suspect.last_seen);
	if (is_new)
		alerts_announce(rules->alerts, alert, now);
	else if (changed)
		alerts_changed(rules->alerts, alert, false, now);
}

static void
drop_device(struct rulebook *rules, struct dossier *dossier, enum rule_id rule, const char *why,
	int64_t now)
{
	struct alert *alert = alerts_find(rules->alerts, dossier, rule, "");

	if (alert)
		alerts_close(rules->alerts, alert, now, why);
}

static void
judge_vendor(struct rulebook *rules, struct dossier *dossier, const struct place *place,
	const struct ip_address *ip, int64_t now)
{
	const struct config_policy *policy = &rules->config->policy;
	const struct suspect *suspect = &dossier->suspect;
	char reason[REASON_SIZE];

	if (!policy->rules[RULE_RESTRICTED_VENDOR_PRESENT].enabled)
		return;
	if (!is_restricted(suspect)) {
		drop_device(rules, dossier, RULE_RESTRICTED_VENDOR_PRESENT,
			"its vendor is not restricted", now);
		return;
	}
	if (suspect->brand_confidence < policy->min_confidence - HYSTERESIS) {
		drop_device(rules, dossier, RULE_RESTRICTED_VENDOR_PRESENT,
			"its vendor is not certain enough any more", now);
		return;
	}
	if (suspect->brand_confidence < policy->min_confidence &&
		!alerts_find(rules->alerts, dossier, RULE_RESTRICTED_VENDOR_PRESENT, ""))
		return;
	reason_restricted(reason, suspect);
	hold_device(rules, dossier, RULE_RESTRICTED_VENDOR_PRESENT, place, ip, reason, now);
}

static void
judge_place(struct rulebook *rules, struct dossier *dossier, const struct place *place,
	const struct ip_address *ip, int64_t now)
{
	char reason[REASON_SIZE];

	if (!rules->config->policy.rules[RULE_CAMERA_ON_CORE_NETWORK].enabled)
		return;
	if (!is_camera(&dossier->suspect) || place->zone == NULL ||
		place->zone->kind != ZONE_CORE) {
		drop_device(rules, dossier, RULE_CAMERA_ON_CORE_NETWORK,
			"it is not in a core zone any more", now);
		return;
	}
	reason_on_core(reason, &dossier->suspect, place, ip);
	hold_device(rules, dossier, RULE_CAMERA_ON_CORE_NETWORK, place, ip, reason, now);
}

void
rules_judge_device(struct rulebook *rules, struct dossier *dossier, int64_t now)
{
	struct ip_address ip;
	struct place place = suspect_place(&dossier->suspect, rules->zones, &ip);

	judge_vendor(rules, dossier, &place, &ip, now);
	judge_place(rules, dossier, &place, &ip, now);
}

/* A contact with what it is judged against. */
struct hearing {
	struct contact_grounds grounds;
	struct allow_verdict verdict;
	struct name_claim claims[CLAIMS_MAX];
	const char *domain;   /* to show, "" none */
	const char *identity; /* that makes many addresses one destination, "" none */
};

/* Addresses of the device, the contact's own first: a name may be learnt over IPv4 for IPv6. */
static size_t
client_addresses(const struct suspect *suspect, const struct contact_facts *facts,
	struct ip_address clients[DEVICE_IPS_MAX + 1])
{
	size_t count = 1;

	clients[0] = facts->client;
	for (size_t i = 0; i < suspect->ip_count; i++)
		if (!ip_equal(&suspect->ips[i], &facts->client))
			clients[count++] = suspect->ips[i];
	return count;
}

/* Names what the device contacted. The claim that was not allowed goes into the words; the record
 * and the identity prefer what DNS answered to the device over what the device only says. */
static void
choose_name(struct rulebook *rules, struct hearing *hearing, const struct suspect *suspect,
	const struct contact_facts *facts)
{
	const struct allow_verdict *verdict = &hearing->verdict;
	const struct name_claim *claim;
	const char *answered;

	hearing->domain = hearing->identity = "";
	if (verdict->blamed < 0)
		return;
	claim = &hearing->claims[verdict->blamed];
	hearing->grounds.claim = claim;
	hearing->grounds.unconfirmed = verdict->unconfirmed;
	/* A name that would be allowed if it were true is not shown as if it were. */
	if (!verdict->unconfirmed)
		hearing->domain = claim->name;
	if (claim->confirmed) {
		hearing->identity = claim->own ? claim->name : "";
		return;
	}
	answered = passive_names_answered(
		rules->names, suspect->tenant, &facts->client, &facts->peer.ip);
	if (answered[0])
		hearing->domain = hearing->identity = answered;
}

static struct place
own_place(const struct rulebook *rules, const struct suspect *suspect,
	const struct contact_facts *facts)
{
	return zones_place(rules->zones, &facts->client,
		facts->client_vlan ? facts->client_vlan : suspect->vlan);
}

static void
hear(struct rulebook *rules, const struct suspect *suspect, const struct contact_facts *facts,
	struct hearing *hearing)
{
	struct ip_address clients[DEVICE_IPS_MAX + 1];
	struct name_question question = {.tenant = suspect->tenant,
		.clients = clients,
		.client_count = client_addresses(suspect, facts, clients),
		.address = &facts->peer.ip,
		.first = facts->first,
		.last = facts->last};
	const char *answers[CLAIMS_MAX];
	struct allow_case which = {
		.suspect = suspect, .facts = facts, .claims = hearing->claims, .answers = answers};

	memset(hearing, 0, sizeof(*hearing));
	hearing->grounds.own = own_place(rules, suspect, facts);
	hearing->grounds.peer = zones_place(rules->zones, &facts->peer.ip, facts->peer_vlan);
	which.own_zone = hearing->grounds.own.zone;
	which.claim_count = passive_names_ask(rules->names, &question, hearing->claims);
	which.answer_count = passive_names_answers(rules->names, &question, answers);
	hearing->verdict = allow_judge(rules->allow, &which);
	choose_name(rules, hearing, suspect, facts);
}

/* Peers of the device's own zone. Private space that no zone names is one zone for this, so that a
 * site without zones is not told that a camera talks to its recorder. */
static bool
is_local_peer(struct rulebook *rules, const struct contact_facts *facts,
	const struct contact_grounds *grounds)
{
	const struct place *own = &grounds->own, *peer = &grounds->peer;

	if (!rules->config->policy.allow_local_peers || peer->internet)
		return false;
	if (own->zone && own->zone->kind == ZONE_CORE)
		return false;
	if (own->zone == peer->zone)
		return true;
	/* The device's zone is known by VLAN only, and nothing tells where the peer is. */
	if (own->by_vlan && peer->zone == NULL && !facts->peer_known) {
		rules->locality_unknown++;
		return true;
	}
	return false;
}

/* RULE_COUNT: the contact is expected. */
static enum rule_id
broken_rule(struct rulebook *rules, const struct suspect *suspect,
	const struct contact_facts *facts, const struct hearing *hearing)
{
	const struct config_rule *config = rules->config->policy.rules;
	const struct config_zone *zone = hearing->grounds.peer.zone;

	if (hearing->verdict.row)
		return RULE_COUNT;
	if (zone && zone->kind == ZONE_CORE && is_camera(suspect) &&
		config[RULE_CAMERA_REACHES_CORE].enabled)
		return RULE_CAMERA_REACHES_CORE;
	if (!config[RULE_UNEXPECTED_DESTINATION].enabled ||
		is_local_peer(rules, facts, &hearing->grounds))
		return RULE_COUNT;
	return RULE_UNEXPECTED_DESTINATION;
}

static unsigned
destinations_of(const struct dossier *dossier, enum rule_id rule)
{
	unsigned count = 0;

	for (const struct alert *alert = dossier->alerts; alert; alert = alert->next)
		count += alert->rule == rule;
	return count;
}

/* The open alert that this contact belongs to, or a new one. An address that has an alert keeps it
 * when its name becomes known. Only a DNS answer to the device itself makes a name the identity: a
 * forged or borrowed one must not spread one peer over many alerts, or many over one. */
static struct alert *
alert_for(struct rulebook *rules, struct dossier *dossier, enum rule_id rule,
	const struct contact_facts *facts, struct hearing *hearing, bool *is_new)
{
	char address[ADDRESS_TEXT_SIZE];
	const char *destination = ip_format(&facts->peer.ip, address);
	struct alert *alert = alerts_find(rules->alerts, dossier, rule, destination);

	*is_new = false;
	if (alert)
		return alert;
	if (hearing->identity[0])
		destination = hearing->identity;
	alert = alerts_find(rules->alerts, dossier, rule, destination);
	if (alert)
		return alert;
	if (destinations_of(dossier, rule) >= DESTINATIONS_PER_DEVICE) {
		rules->alerts->folded++;
		hearing->grounds.folded = true;
		destination = DESTINATION_MANY;
		alert = alerts_find(rules->alerts, dossier, rule, destination);
		if (alert)
			return alert;
	}
	*is_new = true;
	return alerts_open(rules->alerts, dossier, rule, destination);
}

/* Adds the contact to the record. True when the alert got worse, which does not wait. */
static bool
fill_contact(struct rulebook *rules, struct alert *alert, const struct suspect *suspect,
	const struct contact_facts *facts, const struct hearing *hearing)
{
	struct alert_record *record = &alert->record;
	uint8_t outcome = facts->answered ? OUTCOME_CONNECTED : OUTCOME_ATTEMPTED;
	bool worse = outcome > record->outcome ||
		     (facts->direction_certain && !alert->direction_certain);
	struct contact_facts told = *facts;

	record->outcome = outcome > record->outcome ? outcome : record->outcome;
	alert->direction_certain |= facts->direction_certain;
	record->severity = severity_of(rules, alert->rule, alert->direction_certain);
	record->protocol = facts->protocol;
	record->destination = facts->peer;
	alert->peer_vlan = facts->peer_vlan;
	alert->peer_known = facts->peer_known;
	/* Kept when the name was forgotten, but never beside another address of a shared alert. */
	if (hearing->domain[0] || strcmp(alert->destination, DESTINATION_MANY) == 0)
		snprintf(record->destination_domain, sizeof(record->destination_domain), "%s",
			hearing->domain);
	snprintf(record->zone, sizeof(record->zone), "%s", place_name(&hearing->grounds.peer));
	record->bytes_out += facts->bytes_out;
	record->bytes_in += facts->bytes_in;
	record->count += facts->count;
	if (record->count == 0)
		record->count = 1; /* its first record went by before the device was known */
	if (record->first == 0 || facts->first < record->first)
		record->first = facts->first;
	fill_device(record, suspect, &facts->client);
	told.answered = record->outcome == OUTCOME_CONNECTED;
	told.direction_certain = alert->direction_certain;
	reason_contact(record->reason, suspect, &told, &hearing->grounds);
	return worse;
}

void
rules_judge_contact(struct rulebook *rules, struct dossier *dossier,
	const struct contact_facts *facts, int64_t now)
{
	const struct suspect *suspect = &dossier->suspect;
	struct hearing hearing;
	struct alert *alert;
	enum rule_id rule;
	bool is_new, worse;

	hear(rules, suspect, facts, &hearing);
	rule = broken_rule(rules, suspect, facts, &hearing);
	if (rule == RULE_COUNT)
		return;
	alert = alert_for(rules, dossier, rule, facts, &hearing, &is_new);
	worse = fill_contact(rules, alert, suspect, facts, &hearing);
	alerts_touch(rules->alerts, alert, facts->last);
	if (is_new)
		alerts_announce(rules->alerts, alert, now);
	else
		alerts_changed(rules->alerts, alert, worse, now);
}

void
rules_review(struct rulebook *rules, struct dossier *dossier, int64_t now)
{
	struct alert *next;

	for (struct alert *alert = dossier->alerts; alert; alert = next) {
		struct contact_facts facts = {.client = alert->record.device_ip,
			.peer = alert->record.destination,
			.peer_vlan = alert->peer_vlan,
			.peer_known = alert->peer_known,
			.protocol = alert->record.protocol,
			.first = alert->record.first,
			.last = alert->record.last};
		struct hearing hearing;

		next = alert->next;
		if (alert_is_of_device(alert->rule) ||
			strcmp(alert->destination, DESTINATION_MANY) == 0)
			continue;
		hear(rules, &dossier->suspect, &facts, &hearing);
		if (broken_rule(rules, &dossier->suspect, &facts, &hearing) != alert->rule)
			alerts_close(rules->alerts, alert, now,
				"by what is now known of the device the rule does not apply");
	}
}

void
rules_withdraw(struct rulebook *rules, struct dossier *dossier, int64_t now)
{
	const struct suspect *suspect = &dossier->suspect;
	char why[80];

	snprintf(why, sizeof(why), "the device is classed %s (%d %%) now",
		device_class_name((enum device_class)suspect->device_class),
		(int)(suspect->confidence * 100.0f + 0.5f));
	dossier_pin(dossier);
	while (dossier->alerts)
		alerts_close(rules->alerts, dossier->alerts, now, why);
	dossier_unpin(rules->alerts->contacts, dossier);
}
