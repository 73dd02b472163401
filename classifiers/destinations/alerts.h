/* SPDX-License-Identifier: Apache-2.0 */
/* Open alerts and their life: opened at once, updated at most once per interval, closed when
 * silent, withdrawn or pushed out. One alert per rule, device and destination. */
#ifndef CAMSPAN_ALERTS_H
#define CAMSPAN_ALERTS_H

#include "classifiers/destinations/contacts.h"
#include "classifiers/destinations/policy.h"

/* Destinations of one device and rule that get an alert each; further ones share one. */
#define DESTINATIONS_PER_DEVICE 64

struct alert {
	struct lru_node node;
	struct dossier *dossier;
	struct alert *next; /* of the dossier */
	struct alert *previous;
	struct alert *changed_next;
	struct alert *changed_previous;
	bool changed; /* on the list of those with an update to send */
	enum rule_id rule;
	char destination[128];  /* what makes it this alert: a domain, an address, "*" or "" */
	bool direction_certain; /* who began is beyond doubt for at least one flow */
	bool peer_known;        /* of the last contact, see contact_facts */
	uint16_t peer_vlan;
	int64_t sent; /* last event */
	struct alert_record record;
};

struct alerts {
	/* Apart, so that a flood of destinations never pushes out what a device is. */
	struct lru_table of_devices;
	struct lru_table of_destinations;
	const struct hash_secret *secret;
	struct contacts *contacts; /* whose dossiers alerts hang on */
	struct alert *first_changed;
	alert_fn emit;
	void *context;
	int64_t update_interval;
	int64_t device_silence; /* after which a device's own alert closes, 0 never */
	int64_t destination_silence;
	uint64_t opened;
	uint64_t updated;
	uint64_t closed;
	uint64_t evicted;
	uint64_t folded; /* contacts that went into a shared alert */
};

/* Returns 0 or -ENOMEM. Borrows all it is given. */
int alerts_create(struct alerts *alerts, const struct config *config, struct contacts *contacts,
	const struct hash_secret *secret, alert_fn emit, void *context);
void alerts_destroy(struct alerts *alerts);

const char *alert_rule_id(enum rule_id rule);
bool alert_is_of_device(enum rule_id rule);

/* The open alert of this rule and destination, NULL if none. `destination` is "" for rules about
 * the device itself. */
struct alert *alerts_find(const struct alerts *alerts, const struct dossier *dossier,
	enum rule_id rule, const char *destination);
/* A new alert with identity, device and rule filled in; the caller completes the record and calls
 * alerts_announce(). What makes room is closed and counted. */
struct alert *alerts_open(
	struct alerts *alerts, struct dossier *dossier, enum rule_id rule, const char *destination);
void alerts_announce(struct alerts *alerts, struct alert *alert, int64_t now);
/* The record changed. `at_once`: too important to wait for the interval. */
void alerts_changed(struct alerts *alerts, struct alert *alert, bool at_once, int64_t now);
void alerts_touch(struct alerts *alerts, struct alert *alert, int64_t time);
/* Sends ALERT_CLOSED with `why` before the reason, and forgets the alert. */
void alerts_close(struct alerts *alerts, struct alert *alert, int64_t now, const char *why);
void alerts_tick(struct alerts *alerts, int64_t now, bool all);
void alerts_health(const struct alerts *alerts, struct health_record *health);

#endif
