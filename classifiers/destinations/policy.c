/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts together: flows become contacts, contacts are judged now, later or when their
 * device turns out to be a camera. */
#include "classifiers/destinations/policy.h"
#include "classifiers/destinations/alerts.h"
#include "classifiers/destinations/allow.h"
#include "classifiers/destinations/contacts.h"
#include "classifiers/destinations/direction.h"
#include "classifiers/destinations/passive_names.h"
#include "classifiers/destinations/rules.h"
#include "classifiers/destinations/zones.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_MIN   16
#define MILLISECOND INT64_C(1000000)
/* A viewer's session ends no later than the media it asked for; its record follows within the idle
 * timeout and the time that records spend in rings. */
#define RECORD_DELAY (10000 * MILLISECOND)

struct policy {
	const struct config *config;
	struct hash_secret secret;
	struct zones *zones;
	struct allow_list *allow;
	struct passive_names names;
	struct contacts contacts;
	struct alerts alerts;
	struct rulebook rules;
	int64_t now;        /* of the last tick */
	int64_t wait;       /* how long UDP that may be solicited waits */
	uint64_t no_device; /* flows of public addresses that are no device */
	uint64_t not_contacts;
	uint64_t direction_unknown;
	uint64_t discovery_replies;
	uint64_t solicited;
};

static uint32_t
at_least(uint32_t value)
{
	return value > TABLE_MIN ? value : TABLE_MIN;
}

struct policy *
policy_create(const struct config *config, alert_fn alert, void *context)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	const struct config_policy *limits = &config->policy;

	if (policy == NULL)
		return NULL;
	policy->config = config;
	policy->wait = (int64_t)config->flows.idle_timeout_ms * MILLISECOND + RECORD_DELAY;
	policy->zones = zones_create(config);
	policy->allow = allow_create(config);
	if (policy->zones == NULL || policy->allow == NULL ||
		hash_secret_create(&policy->secret) != 0 ||
		passive_names_create(
			&policy->names, at_least(limits->names_max), &policy->secret) != 0 ||
		contacts_create(&policy->contacts, at_least(limits->contacts_max),
			at_least(limits->alerts_max), &policy->secret) != 0 ||
		alerts_create(&policy->alerts, config, &policy->contacts, &policy->secret, alert,
			context) != 0) {
		policy_free(policy);
		return NULL;
	}
	policy->rules = (struct rulebook){.config = config,
		.zones = policy->zones,
		.allow = policy->allow,
		.names = &policy->names,
		.alerts = &policy->alerts};
	return policy;
}

void
policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	alerts_destroy(&policy->alerts);
	contacts_destroy(&policy->contacts);
	passive_names_destroy(&policy->names);
	allow_free(policy->allow);
	zones_free(policy->zones);
	free(policy);
}

void
policy_evidence(struct policy *policy, const struct evidence *evidence)
{
	passive_names_learn(&policy->names, evidence);
}

static bool
is_watched(const struct policy *policy, const struct suspect *suspect)
{
	return suspect->id[0] && suspect_is_watched(suspect, policy->config->policy.min_confidence);
}

/* One end of a flow. */
struct flow_end {
	const struct endpoint *endpoint;
	const struct mac_address *mac;
	const struct device_record *device; /* NULL unknown */
	unsigned direction;                 /* index of what this end sends */
};

/* The flow's VLAN is a host's own only where its own MAC was seen: past a router both are others'.
 */
static uint16_t
own_vlan(const struct flow_record *flow, const struct flow_end *end)
{
	const struct device_record *device = end->device;

	if (device == NULL || !mac_is_set(&device->mac) || !mac_equal(&device->mac, end->mac))
		return 0;
	return flow->vlan;
}

static struct contact_facts
facts_of(const struct flow_record *flow, const struct flow_end *self, const struct flow_end *peer,
	const struct direction *direction)
{
	return (struct contact_facts){.client = self->endpoint->ip,
		.client_mac = *self->mac,
		.client_vlan = own_vlan(flow, self),
		.peer = *peer->endpoint,
		.peer_vlan = own_vlan(flow, peer),
		.peer_known = peer->device != NULL,
		.protocol = flow->protocol,
		.answered = flow->answered,
		.direction_certain = direction->trust == DIRECTION_CERTAIN,
		.maybe_solicited = may_be_solicited(flow->protocol, peer->endpoint->port),
		.bytes_out = flow->bytes[self->direction],
		.bytes_in = flow->bytes[peer->direction],
		.count = flow->first_record,
		.first = flow->start,
		.last = flow->end};
}

/* The pinned dossier of a flow's end, NULL for a public address that is no known device. */
static struct dossier *
dossier_of_end(struct policy *policy, const struct flow_record *flow, const struct flow_end *end)
{
	struct dossier *dossier;

	if (end->device) {
		dossier = dossier_of_device(&policy->contacts, end->device->id, true);
		dossier->suspect = suspect_from_device(end->device);
		if (flow->end > dossier->suspect.last_seen)
			dossier->suspect.last_seen = flow->end;
	} else {
		struct place place = zones_place(policy->zones, &end->endpoint->ip, 0);

		if (place.internet)
			return NULL;
		dossier = dossier_of_address(
			&policy->contacts, flow->tenant, &end->endpoint->ip, true);
	}
	dossier_pin(dossier);
	return dossier;
}

static int64_t
due_time(const struct policy *policy, int64_t time)
{
	return (time > policy->now ? time : policy->now) + policy->wait;
}

/* Judges at once, or when it is clear that nobody asked for it. */
static void
judge_or_wait(struct policy *policy, struct dossier *dossier, const struct contact_facts *facts,
	int64_t time)
{
	if (facts->maybe_solicited)
		contacts_add(
			&policy->contacts, dossier, CONTACT_PENDING, facts, due_time(policy, time));
	else
		rules_judge_contact(&policy->rules, dossier, facts, time);
}

static void
judge_client(struct policy *policy, const struct flow_record *flow, const struct flow_end *client,
	const struct flow_end *server, const struct direction *direction)
{
	struct contact_facts facts = facts_of(flow, client, server, direction);
	struct place peer_place = zones_place(policy->zones, &facts.peer.ip, facts.peer_vlan);
	struct dossier *dossier;

	if (is_discovery_reply(&facts, client->endpoint->port, &peer_place)) {
		policy->discovery_replies++;
		return;
	}
	dossier = dossier_of_end(policy, flow, client);
	if (dossier == NULL) {
		policy->no_device++;
		return;
	}
	if (is_watched(policy, &dossier->suspect))
		judge_or_wait(policy, dossier, &facts, flow->end);
	else
		contacts_add(&policy->contacts, dossier, CONTACT_REMEMBERED, &facts, 0);
	dossier_unpin(&policy->contacts, dossier);
}

/* Remembers who opened sessions to what is or may become a camera: media that goes back to them was
 * asked for. */
static void
note_session(struct policy *policy, const struct flow_record *flow, const struct flow_end *server,
	const struct flow_end *client, const struct direction *direction)
{
	struct contact_facts facts = facts_of(flow, server, client, direction);
	struct dossier *dossier;

	if (!flow->answered ||
		(server->device && (server->device->device_class == DEVICE_OTHER ||
					   server->device->device_class == DEVICE_VIEWER)))
		return;
	dossier = dossier_of_end(policy, flow, server);
	if (dossier == NULL)
		return;
	contacts_add(&policy->contacts, dossier, CONTACT_INBOUND, &facts, 0);
	dossier_unpin(&policy->contacts, dossier);
}

/* What a device is stays true as long as the device is seen. */
static void
keep_present(struct policy *policy, const struct device_record *device, int64_t time)
{
	static const enum rule_id rules[] = {
		RULE_RESTRICTED_VENDOR_PRESENT, RULE_CAMERA_ON_CORE_NETWORK};
	const struct dossier *dossier;

	if (device == NULL || policy->alerts.of_devices.used == 0)
		return;
	dossier = dossier_of_device(&policy->contacts, device->id, false);
	if (dossier == NULL || dossier->alerts == NULL)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct alert *alert = alerts_find(&policy->alerts, dossier, rules[i], "");

		if (alert)
			alerts_touch(&policy->alerts, alert, time);
	}
}

void
policy_flow(struct policy *policy, const struct flow_record *flow,
	const struct device_record *initiator, const struct device_record *responder)
{
	struct flow_end ends[2] = {{&flow->initiator, &flow->initiator_mac, initiator, 0},
		{&flow->responder, &flow->responder_mac, responder, 1}};
	struct direction direction;

	keep_present(policy, initiator, flow->end);
	/* A responder that did not answer was not seen. */
	if (flow->answered)
		keep_present(policy, responder, flow->end);
	if (!flow_tells_of_contact(flow, policy->zones)) {
		policy->not_contacts++;
		return;
	}
	direction = direction_judge(flow);
	if (direction.trust == DIRECTION_UNKNOWN) {
		policy->direction_unknown++;
		return;
	}
	note_session(policy, flow, &ends[!direction.swapped], &ends[direction.swapped], &direction);
	judge_client(policy, flow, &ends[direction.swapped], &ends[!direction.swapped], &direction);
}

/* Judges what was remembered of a device that is now known to be a camera. */
static void
replay_contacts(struct policy *policy, struct dossier *dossier, int64_t now)
{
	struct contact *next;

	for (struct contact *contact = dossier->contacts; contact; contact = next) {
		struct contact_facts facts = contact->facts;

		next = contact->next;
		if (contact->kind != CONTACT_REMEMBERED)
			continue;
		contacts_remove(&policy->contacts, contact);
		judge_or_wait(policy, dossier, &facts, now);
	}
}

static void
adopt_addresses(struct policy *policy, struct dossier *dossier, const struct device_record *device)
{
	for (size_t i = 0; i < dossier->suspect.ip_count; i++) {
		struct dossier *address = dossier_of_address(
			&policy->contacts, device->tenant, &device->ips[i], false);

		if (address)
			contacts_adopt(&policy->contacts, dossier, address);
	}
}

void
policy_device(struct policy *policy, const struct device_record *device)
{
	struct dossier *dossier = dossier_of_device(&policy->contacts, device->id, true);
	int64_t now = device->last_seen;

	dossier_pin(dossier);
	dossier->suspect = suspect_from_device(device);
	adopt_addresses(policy, dossier, device);
	if (is_watched(policy, &dossier->suspect)) {
		rules_judge_device(&policy->rules, dossier, now);
		rules_review(&policy->rules, dossier, now);
		replay_contacts(policy, dossier, now);
	} else if (!rules_still_watched(&policy->rules, &dossier->suspect)) {
		rules_withdraw(&policy->rules, dossier, now);
	}
	dossier_unpin(&policy->contacts, dossier);
}

/* Decides about UDP that waited for the session that asked for it. */
static void
settle(struct policy *policy, struct contact *contact, int64_t now)
{
	struct dossier *dossier = contact->owner;
	struct contact_facts facts = contact->facts;

	dossier_pin(dossier);
	contacts_remove(&policy->contacts, contact);
	if (contacts_solicited(&policy->contacts, dossier, &facts))
		policy->solicited++;
	else if (is_watched(policy, &dossier->suspect))
		rules_judge_contact(&policy->rules, dossier, &facts, now);
	else
		contacts_add(&policy->contacts, dossier, CONTACT_REMEMBERED, &facts, 0);
	dossier_unpin(&policy->contacts, dossier);
}

void
policy_tick(struct policy *policy, int64_t now, bool all)
{
	struct contact *contact;

	policy->now = now;
	while ((contact = policy->contacts.first_due) != NULL) {
		/* Far ahead: time ran backwards, between two captures of a replay. */
		bool ahead = contact->due > now && contact->due - now > 2 * policy->wait;

		if (!all && contact->due > now && !ahead)
			break;
		settle(policy, contact, now);
	}
	alerts_tick(&policy->alerts, now, all);
}

const struct config_zone *
policy_zone(const struct policy *policy, const struct ip_address *ip, uint16_t vlan)
{
	return zones_place(policy->zones, ip, vlan).zone;
}

const struct config_zone *
policy_device_zone(const struct policy *policy, const struct device_record *device)
{
	struct suspect suspect = suspect_from_device(device);
	struct ip_address ip;

	return suspect_place(&suspect, policy->zones, &ip).zone;
}

const char *
policy_name(const struct policy *policy, uint32_t tenant, const struct ip_address *client,
	const struct ip_address *ip)
{
	static const struct ip_address nobody;

	return passive_names_best(&policy->names, tenant, client ? client : &nobody, ip);
}

const char *
policy_direction(const struct policy *policy, const struct flow_record *flow)
{
	static const char *const names[2][2] = {{"internal", "outbound"}, {"inbound", "external"}};
	bool from, to;

	if (!ip_is_set(&flow->initiator.ip) || !ip_is_set(&flow->responder.ip))
		return "unknown";
	from = zones_place(policy->zones, &flow->initiator.ip, 0).internet;
	to = zones_place(policy->zones, &flow->responder.ip, 0).internet;
	return names[from][to];
}

void
policy_health(const struct policy *policy, struct health_record *health)
{
	passive_names_health(&policy->names, health);
	contacts_health(&policy->contacts, health);
	alerts_health(&policy->alerts, health);
	health_add(health, "policy.flows_not_contacts", HEALTH_COUNTER, policy->not_contacts);
	health_add(health, "policy.flows_no_device", HEALTH_COUNTER, policy->no_device);
	health_add(health, "policy.flows_direction_unknown", HEALTH_COUNTER,
		policy->direction_unknown);
	health_add(health, "policy.discovery_replies", HEALTH_COUNTER, policy->discovery_replies);
	health_add(health, "policy.solicited", HEALTH_COUNTER, policy->solicited);
	health_add(
		health, "policy.locality_unknown", HEALTH_COUNTER, policy->rules.locality_unknown);
}
