/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/contacts.h"

#include <errno.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
/* Media may go on after the session that asked for it was last seen, and start a little before its
 * first record when clocks of two ports differ. */
#define SOLICITED_AFTER  (300 * SECOND)
#define SOLICITED_BEFORE (2 * SECOND)

int
contacts_create(struct contacts *contacts, uint32_t capacity, uint32_t alerts_max,
	const struct hash_secret *secret)
{
	/* Device and destination alerts have a table each; one dossier may be pinned and bare. */
	uint64_t dossiers = (uint64_t)capacity + 2 * (uint64_t)alerts_max + 4;

	*contacts = (struct contacts){.secret = secret};
	if (dossiers > INT32_MAX)
		return -ENOMEM;
	if (lru_table_create(&contacts->table, capacity, sizeof(struct contact)) != 0)
		return -ENOMEM;
	if (lru_table_create(&contacts->dossiers, (uint32_t)dossiers, sizeof(struct dossier)) !=
		0) {
		contacts_destroy(contacts);
		return -ENOMEM;
	}
	return 0;
}

void
contacts_destroy(struct contacts *contacts)
{
	lru_table_destroy(&contacts->table);
	lru_table_destroy(&contacts->dossiers);
}

struct dossier *
dossier_of_device(struct contacts *contacts, const char *device_id, bool add)
{
	uint64_t hash = hash_bytes(contacts->secret, device_id, strlen(device_id));
	struct dossier *dossier = lru_table_first(&contacts->dossiers, hash);

	while (dossier && strcmp(dossier->suspect.id, device_id) != 0)
		dossier = lru_table_next(dossier);
	if (dossier == NULL && add) {
		dossier = lru_table_add(&contacts->dossiers, hash);
		memcpy(dossier->suspect.id, device_id, strlen(device_id) + 1);
	}
	return dossier;
}

struct dossier *
dossier_of_address(
	struct contacts *contacts, uint32_t tenant, const struct ip_address *ip, bool add)
{
	struct {
		uint32_t tenant;
		struct ip_address ip;
	} key;
	struct dossier *dossier;
	uint64_t hash;

	memset(&key, 0, sizeof(key));
	key.tenant = tenant;
	key.ip = *ip;
	hash = hash_bytes(contacts->secret, &key, sizeof(key));
	dossier = lru_table_first(&contacts->dossiers, hash);
	while (dossier && (dossier->suspect.id[0] || dossier->tenant != tenant ||
				  !ip_equal(&dossier->address, ip)))
		dossier = lru_table_next(dossier);
	if (dossier == NULL && add) {
		dossier = lru_table_add(&contacts->dossiers, hash);
		dossier->address = *ip;
		dossier->tenant = tenant;
	}
	return dossier;
}

void
dossier_pin(struct dossier *dossier)
{
	dossier->pins++;
}

void
dossier_unpin(struct contacts *contacts, struct dossier *dossier)
{
	dossier->pins--;
	if (dossier->pins == 0 && dossier->contact_count == 0 && dossier->alert_count == 0)
		lru_table_remove(&contacts->dossiers, dossier);
}

static bool
is_same_contact(const struct contact *contact, const struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts)
{
	return contact->owner == owner && contact->kind == kind &&
	       ip_equal(&contact->facts.peer.ip, &facts->peer.ip) &&
	       (kind == CONTACT_INBOUND || (contact->facts.peer.port == facts->peer.port &&
						   contact->facts.protocol == facts->protocol));
}

static uint64_t
contact_hash(const struct contacts *contacts, const struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts)
{
	struct {
		uint64_t owner;
		struct ip_address peer;
		uint16_t port;
		uint8_t protocol;
		uint8_t kind;
	} key;

	memset(&key, 0, sizeof(key));
	key.owner = owner->node.hash;
	key.peer = facts->peer.ip;
	key.kind = (uint8_t)kind;
	if (kind != CONTACT_INBOUND) {
		key.port = facts->peer.port;
		key.protocol = facts->protocol;
	}
	return hash_bytes(contacts->secret, &key, sizeof(key));
}

static struct contact *
find_contact(const struct contacts *contacts, const struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts)
{
	struct contact *contact =
		lru_table_first(&contacts->table, contact_hash(contacts, owner, kind, facts));

	while (contact && !is_same_contact(contact, owner, kind, facts))
		contact = lru_table_next(contact);
	return contact;
}

static void
start_waiting(struct contacts *contacts, struct contact *contact)
{
	contact->waits_previous = contacts->last_due;
	if (contacts->last_due)
		contacts->last_due->waits_next = contact;
	else
		contacts->first_due = contact;
	contacts->last_due = contact;
}

static void
stop_waiting(struct contacts *contacts, struct contact *contact)
{
	if (contact->waits_previous)
		contact->waits_previous->waits_next = contact->waits_next;
	else
		contacts->first_due = contact->waits_next;
	if (contact->waits_next)
		contact->waits_next->waits_previous = contact->waits_previous;
	else
		contacts->last_due = contact->waits_previous;
}

static void
link_to_owner(struct contact *contact)
{
	struct dossier *owner = contact->owner;

	contact->previous = NULL;
	contact->next = owner->contacts;
	if (owner->contacts)
		owner->contacts->previous = contact;
	else
		owner->oldest_contact = contact;
	owner->contacts = contact;
	owner->contact_count++;
}

static void
unlink_from_owner(struct contact *contact)
{
	struct dossier *owner = contact->owner;

	if (contact->previous)
		contact->previous->next = contact->next;
	else
		owner->contacts = contact->next;
	if (contact->next)
		contact->next->previous = contact->previous;
	else
		owner->oldest_contact = contact->previous;
	owner->contact_count--;
}

void
contacts_remove(struct contacts *contacts, struct contact *contact)
{
	struct dossier *owner = contact->owner;

	if (contact->kind == CONTACT_PENDING)
		stop_waiting(contacts, contact);
	unlink_from_owner(contact);
	lru_table_remove(&contacts->table, contact);
	dossier_pin(owner);
	dossier_unpin(contacts, owner);
}

static void
make_room(struct contacts *contacts, struct dossier *owner)
{
	if (owner->contact_count >= CONTACTS_PER_DOSSIER) {
		contacts_remove(contacts, owner->oldest_contact);
		contacts->evicted_share++;
	} else if (lru_table_full(&contacts->table)) {
		contacts_remove(contacts, (struct contact *)contacts->table.oldest);
		contacts->evicted++;
	}
}

static struct contact *
new_contact(struct contacts *contacts, struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts, int64_t due)
{
	struct contact *contact;

	make_room(contacts, owner);
	contact = lru_table_add(&contacts->table, contact_hash(contacts, owner, kind, facts));
	contact->owner = owner;
	contact->kind = kind;
	contact->facts = *facts;
	contact->due = due;
	link_to_owner(contact);
	if (kind == CONTACT_PENDING)
		start_waiting(contacts, contact);
	return contact;
}

void
contacts_add(struct contacts *contacts, struct dossier *owner, enum contact_kind kind,
	const struct contact_facts *facts, int64_t due)
{
	struct contact *contact = find_contact(contacts, owner, kind, facts);

	dossier_pin(owner);
	if (contact) {
		contact_facts_add(&contact->facts, facts);
		lru_table_touch(&contacts->table, contact);
		unlink_from_owner(contact);
		link_to_owner(contact);
	} else {
		new_contact(contacts, owner, kind, facts, due);
	}
	dossier_unpin(contacts, owner);
}

bool
contacts_solicited(const struct contacts *contacts, const struct dossier *owner,
	const struct contact_facts *facts)
{
	const struct contact *session = find_contact(contacts, owner, CONTACT_INBOUND, facts);

	return session && session->facts.answered &&
	       facts->first >= session->facts.first - SOLICITED_BEFORE &&
	       facts->first <= session->facts.last + SOLICITED_AFTER;
}

void
contacts_adopt(struct contacts *contacts, struct dossier *device, struct dossier *address)
{
	struct contact *next;

	dossier_pin(device);
	dossier_pin(address);
	for (struct contact *contact = address->contacts; contact; contact = next) {
		const struct mac_address *mac = &device->suspect.mac;

		next = contact->next;
		if (mac_is_set(mac) && !mac_equal(mac, &contact->facts.client_mac))
			continue;
		/* Out of the table first: the new place may need its room. */
		struct contact_facts facts = contact->facts;
		enum contact_kind kind = contact->kind;
		int64_t due = contact->due;

		contacts_remove(contacts, contact);
		contacts_add(contacts, device, kind, &facts, due);
	}
	dossier_unpin(contacts, address);
	dossier_unpin(contacts, device);
}

void
contacts_health(const struct contacts *contacts, struct health_record *health)
{
	health_add(health, "policy.contacts", HEALTH_GAUGE, contacts->table.used);
	health_add(health, "policy.contacts_evicted", HEALTH_LOSS, contacts->evicted);
	health_add(health, "policy.contacts_evicted_share", HEALTH_LOSS, contacts->evicted_share);
	health_add(health, "policy.dossiers", HEALTH_GAUGE, contacts->dossiers.used);
}
