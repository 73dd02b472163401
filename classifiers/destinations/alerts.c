/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/alerts.h"
#include "classifiers/destinations/reason.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

static const struct {
	const char *title; /* for people */
	bool of_device;
} rules[RULE_COUNT] = {
	[RULE_RESTRICTED_VENDOR_PRESENT] = {"Camera, recorder or doorbell of a restricted vendor",
		true},
	[RULE_CAMERA_ON_CORE_NETWORK] = {"Camera on a core network", true},
	[RULE_CAMERA_REACHES_CORE] = {"Camera opened a connection into a core network", false},
	[RULE_UNEXPECTED_DESTINATION] =
		{"Camera or recorder contacted a destination that is not expected", false},
};

bool
alert_is_of_device(enum rule_id rule)
{
	return rules[rule].of_device;
}

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int
alerts_create(struct alerts *alerts, const struct config *config, struct contacts *contacts,
	const struct hash_secret *secret, alert_fn emit, void *context)
{
	uint32_t capacity = config->policy.alerts_max ? config->policy.alerts_max : 1;
	int64_t record_gap = (int64_t)config->flows.active_timeout_ms * MILLISECOND +
			     (int64_t)config->flows.idle_timeout_ms * MILLISECOND;

	*alerts = (struct alerts){.secret = secret,
		.contacts = contacts,
		.emit = emit,
		.context = context,
		.update_interval = config->policy.update_interval_s * SECOND,
		.device_silence = config->devices.forget_after_s * SECOND,
		/* A flow that lives reports once per active timeout: silence is longer. */
		.destination_silence = longer(config->policy.close_after_s * SECOND, record_gap)};
	if (lru_table_create(&alerts->of_devices, capacity, sizeof(struct alert)) != 0)
		return -ENOMEM;
	if (lru_table_create(&alerts->of_destinations, capacity, sizeof(struct alert)) != 0) {
		lru_table_destroy(&alerts->of_devices);
		return -ENOMEM;
	}
	return 0;
}

void
alerts_destroy(struct alerts *alerts)
{
	lru_table_destroy(&alerts->of_devices);
	lru_table_destroy(&alerts->of_destinations);
}

static struct lru_table *
table_of(struct alerts *alerts, enum rule_id rule)
{
	return rules[rule].of_device ? &alerts->of_devices : &alerts->of_destinations;
}

/* Rule, device and destination as one text: what the id and the table's key are made from. */
static size_t
identity(enum rule_id rule, const char *device, const char *destination, char text[256])
{
	int length = snprintf(text, 256, "%s|%s|%s", rule_name(rule), device, destination);

	return length < 256 ? (size_t)length : 255;
}

struct alert *
alerts_find(const struct alerts *alerts, const struct dossier *dossier, enum rule_id rule,
	const char *destination)
{
	const struct lru_table *table =
		rules[rule].of_device ? &alerts->of_devices : &alerts->of_destinations;
	char key[256];
	size_t length = identity(rule, dossier->suspect.id, destination, key);
	struct alert *alert = lru_table_first(table, hash_bytes(alerts->secret, key, length));

	while (alert && (alert->rule != rule || alert->dossier != dossier ||
				strcmp(alert->destination, destination) != 0))
		alert = lru_table_next(alert);
	return alert;
}

static void
unlink_changed(struct alerts *alerts, struct alert *alert)
{
	if (!alert->changed)
		return;
	if (alert->changed_previous)
		alert->changed_previous->changed_next = alert->changed_next;
	else
		alerts->first_changed = alert->changed_next;
	if (alert->changed_next)
		alert->changed_next->changed_previous = alert->changed_previous;
	alert->changed_next = alert->changed_previous = NULL;
	alert->changed = false;
}

static void
link_changed(struct alerts *alerts, struct alert *alert)
{
	if (alert->changed)
		return;
	alert->changed = true;
	alert->changed_next = alerts->first_changed;
	if (alerts->first_changed)
		alerts->first_changed->changed_previous = alert;
	alerts->first_changed = alert;
}

static void
emit(struct alerts *alerts, struct alert *alert, enum alert_state state, int64_t now)
{
	unlink_changed(alerts, alert);
	alert->record.state = (uint8_t)state;
	alert->sent = now;
	alerts->emit(alerts->context, &alert->record);
}

static void
forget(struct alerts *alerts, struct alert *alert)
{
	struct dossier *dossier = alert->dossier;

	unlink_changed(alerts, alert);
	if (alert->previous)
		alert->previous->next = alert->next;
	else
		dossier->alerts = alert->next;
	if (alert->next)
		alert->next->previous = alert->previous;
	dossier->alert_count--;
	lru_table_remove(table_of(alerts, alert->rule), alert);
	dossier_pin(dossier);
	dossier_unpin(alerts->contacts, dossier);
}

void
alerts_close(struct alerts *alerts, struct alert *alert, int64_t now, const char *why)
{
	char was[sizeof(alert->record.reason)];

	memcpy(was, alert->record.reason, sizeof(was));
	reason_set(alert->record.reason, "closed: %s; was: %s", why, was);
	emit(alerts, alert, ALERT_CLOSED, now);
	alerts->closed++;
	forget(alerts, alert);
}

static void
fill_identity(struct alert *alert, const struct suspect *suspect)
{
	struct alert_record *record = &alert->record;
	char text[256];
	size_t length = identity(alert->rule, suspect->id, alert->destination, text);

	/* Not keyed: the id must be the same after a restart. */
	snprintf(record->id, sizeof(record->id), "%016llx",
		(unsigned long long)XXH3_64bits(text, length));
	snprintf(record->rule_id, sizeof(record->rule_id), "%s", rule_name(alert->rule));
	snprintf(record->rule_name, sizeof(record->rule_name), "%s", rules[alert->rule].title);
	memcpy(record->device_id, suspect->id, sizeof(record->device_id));
}

struct alert *
alerts_open(
	struct alerts *alerts, struct dossier *dossier, enum rule_id rule, const char *destination)
{
	struct lru_table *table = table_of(alerts, rule);
	struct alert *alert;
	char key[256];
	size_t length = identity(rule, dossier->suspect.id, destination, key);

	dossier_pin(dossier);
	if (lru_table_full(table)) {
		struct alert *oldest = (struct alert *)table->oldest;

		alerts->evicted++;
		alerts_close(alerts, oldest, oldest->record.last, "the table of alerts is full");
	}
	alert = lru_table_add(table, hash_bytes(alerts->secret, key, length));
	alert->dossier = dossier;
	alert->rule = rule;
	snprintf(alert->destination, sizeof(alert->destination), "%s", destination);
	alert->next = dossier->alerts;
	if (dossier->alerts)
		dossier->alerts->previous = alert;
	dossier->alerts = alert;
	dossier->alert_count++;
	fill_identity(alert, &dossier->suspect);
	dossier_unpin(alerts->contacts, dossier);
	return alert;
}

void
alerts_announce(struct alerts *alerts, struct alert *alert, int64_t now)
{
	alerts->opened++;
	emit(alerts, alert, ALERT_OPENED, now);
}

void
alerts_changed(struct alerts *alerts, struct alert *alert, bool at_once, int64_t now)
{
	if (!at_once) {
		link_changed(alerts, alert);
		return;
	}
	alerts->updated++;
	emit(alerts, alert, ALERT_UPDATED, now);
}

void
alerts_touch(struct alerts *alerts, struct alert *alert, int64_t time)
{
	if (time > alert->record.last)
		alert->record.last = time;
	lru_table_touch(table_of(alerts, alert->rule), alert);
}

static void
send_changes(struct alerts *alerts, int64_t now, bool all)
{
	struct alert *next;

	for (struct alert *alert = alerts->first_changed; alert; alert = next) {
		next = alert->changed_next;
		/* Time runs backwards between two captures of a replay. */
		if (!all && now >= alert->sent && now - alert->sent < alerts->update_interval)
			continue;
		alerts->updated++;
		emit(alerts, alert, ALERT_UPDATED, now);
	}
}

/* The table is in order of last use, so the first that is not silent ends the walk. */
static void
close_silent(struct alerts *alerts, struct lru_table *table, int64_t silence, int64_t now)
{
	char why[64];

	while (table->oldest) {
		struct alert *alert = (struct alert *)table->oldest;

		if (now - alert->record.last < silence)
			return;
		snprintf(why, sizeof(why), "silent for %lld s", (long long)(silence / SECOND));
		alerts_close(alerts, alert, now, why);
	}
}

void
alerts_tick(struct alerts *alerts, int64_t now, bool all)
{
	send_changes(alerts, now, all);
	close_silent(alerts, &alerts->of_destinations, alerts->destination_silence, now);
	if (alerts->device_silence > 0)
		close_silent(alerts, &alerts->of_devices, alerts->device_silence, now);
}

void
alerts_health(const struct alerts *alerts, struct health_record *health)
{
	health_add(health, "policy.alerts", HEALTH_GAUGE,
		alerts->of_devices.used + alerts->of_destinations.used);
	health_add(health, "policy.alerts_opened", HEALTH_COUNTER, alerts->opened);
	health_add(health, "policy.alerts_updated", HEALTH_COUNTER, alerts->updated);
	health_add(health, "policy.alerts_closed", HEALTH_COUNTER, alerts->closed);
	health_add(health, "policy.alerts_evicted", HEALTH_COUNTER, alerts->evicted);
	health_add(health, "policy.alerts_folded", HEALTH_COUNTER, alerts->folded);
}
