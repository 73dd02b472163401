/* SPDX-License-Identifier: Apache-2.0 */
/* Contacts that are not judged yet: of devices that are not known to be cameras, of cameras whose
 * UDP may have been asked for, and who opened sessions to a device.
 *
 * A dossier is the device (or, before a device is known, the address) that contacts and alerts hang
 * on. It exists as long as something hangs on it, so dossiers are bounded by contacts and alerts.
 */
#ifndef CAMSPAN_CONTACTS_H
#define CAMSPAN_CONTACTS_H

#include "classifiers/destinations/lru_table.h"
#include "classifiers/destinations/suspect.h"
#include "dataplane/records/health_record.h"

#define CONTACTS_PER_DOSSIER 128

struct alert;

enum contact_kind {
	CONTACT_REMEMBERED, /* the dossier is not known to be a camera */
	CONTACT_PENDING,    /* waits for a session of the peer that asked for it */
	CONTACT_INBOUND,    /* the peer opened a session to the dossier; any port, any protocol */
};

struct dossier {
	struct lru_node node;
	struct suspect suspect;    /* `id` is "" for an address without device */
	struct ip_address address; /* of a dossier without device */
	uint32_t tenant;
	uint32_t pins; /* in use by a caller: keep it even when nothing hangs on it */
	uint32_t contact_count;
	uint32_t alert_count;
	struct contact *contacts; /* the last used first */
	struct contact *oldest_contact;
	struct alert *alerts; /* owned by alerts.c */
};

struct contact {
	struct lru_node node;
	struct dossier *owner;
	struct contact *next; /* of the owner */
	struct contact *previous;
	struct contact *waits_next; /* pending ones, the first due first */
	struct contact *waits_previous;
	enum contact_kind kind;
	int64_t due;
	struct contact_facts facts;
};

struct contacts {
	struct lru_table table;
	struct lru_table dossiers;
	const struct hash_secret *secret;
	struct contact *first_due;
	struct contact *last_due;
	uint64_t evicted;       /* the table was full */
	uint64_t evicted_share; /* the dossier had more than its share */
};

/* `alerts_max` sizes the dossiers together with `capacity`. Returns 0 or -ENOMEM. */
int contacts_create(struct contacts *contacts, uint32_t capacity, uint32_t alerts_max,
	const struct hash_secret *secret);
void contacts_destroy(struct contacts *contacts);

/* The dossier of a device; added when `add`. Never NULL then. */
struct dossier *dossier_of_device(struct contacts *contacts, const char *device_id, bool add);
struct dossier *dossier_of_address(
	struct contacts *contacts, uint32_t tenant, const struct ip_address *ip, bool add);
void dossier_pin(struct dossier *dossier);
/* Every pin is followed by an unpin; the last one frees what nothing hangs on. */
void dossier_unpin(struct contacts *contacts, struct dossier *dossier);

/* Adds facts to the contact of this kind, peer, port and protocol, which is created if need be. */
void contacts_add(struct contacts *contacts, struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts, int64_t due);
void contacts_remove(struct contacts *contacts, struct contact *contact);
/* True when the peer had a session to the dossier at about the time of the facts. */
bool contacts_solicited(const struct contacts *contacts, const struct dossier *owner,
	const struct contact_facts *facts);
/* Moves what an address did to the device that it turned out to be. Contacts of another MAC stay:
 * the address had another owner then. */
void contacts_adopt(struct contacts *contacts, struct dossier *device, struct dossier *address);
void contacts_health(const struct contacts *contacts, struct health_record *health);

#endif
