/* SPDX-License-Identifier: Apache-2.0 */
/* One device and the table's indexes; shared by the files of the device table. */
#ifndef CAMSPAN_DEVICE_PRIVATE_H
#define CAMSPAN_DEVICE_PRIVATE_H

#include "classifiers/devices/device_table.h"
#include "classifiers/devices/knowledge.h"

#define DEVICE_NONE         UINT32_MAX
#define DEVICE_EVIDENCE_MAX DEVICE_FACTS_MAX
/* Addresses remembered behind one MAC; bounds config.router_addresses. */
#define DEVICE_ADDRESSES_MAX 32
/* Facts without weight are for reading only and leave room for the others. */
#define DEVICE_PLAIN_FACTS_MAX 12

/* Two lists in order of last sight: what is no camera, recorder or doorbell is evicted first. */
enum device_list { LIST_ANONYMOUS, LIST_IDENTIFIED, LIST_COUNT };

struct identity {
	struct mac_address mac; /* zero: the address identifies */
	uint8_t unused[2];
	uint32_t tenant;
	struct ip_address ip;
	uint8_t padding[3];
};

/* An address that leads to this device in the index by address. */
struct address_slot {
	struct ip_address ip;
	int64_t last_seen;
	int64_t bound_at; /* when ARP, DHCP or a discovery reply last said so, 0 never */
	uint32_t next;    /* in the index's chain */
};

/* An address seen behind the MAC, to tell a router from a host. */
struct seen_address {
	struct ip_address ip; /* IPv6: its /64 */
	int64_t last_seen;
	bool foreign; /* bound to another MAC */
};

/* What was last reported, to tell whether a change is worth telling. */
struct told {
	int64_t at;
	bool once;
	uint8_t device_class;
	uint8_t status;
	float confidence;
	float brand_confidence;
	uint64_t origin;    /* hash of brand and maker */
	uint64_t texts;     /* hash of model and zone */
	uint64_t addresses; /* hash of the addresses */
};

/* What scoring needs of a fact and the record does not show. */
struct fact_note {
	uint64_t key;         /* hash of attribute, side and value */
	struct ip_address ip; /* the address it was said of */
	bool any_video;
};

struct device {
	struct device_record record; /* first: the table hands out pointers to it */
	struct fact_note notes[DEVICE_EVIDENCE_MAX];
	struct identity identity;
	uint64_t identity_hash;
	struct address_slot slots[DEVICE_IPS_MAX];
	struct seen_address seen[DEVICE_ADDRESSES_MAX];
	struct told told;
	uint64_t channels; /* bit n: answered an RTSP path of video channel n+1 */
	uint32_t identity_next;
	uint32_t list_previous;
	uint32_t list_next;
	uint32_t pending_previous;
	uint32_t pending_next;
	uint8_t list; /* enum device_list */
	uint8_t evidence_count;
	uint8_t seen_count;
	bool used;
	bool pending;
	bool router;
	bool gateway; /* announced itself as an Internet gateway, or is a router by its addresses */
	uint8_t model_rank; /* how good the source of the best value is, 0 none */
	uint8_t firmware_rank;
	uint8_t serial_rank;
	uint8_t hostname_rank;
};

struct device_list_ends {
	uint32_t first; /* latest seen */
	uint32_t last;
	uint32_t count;
};

struct device_counters {
	uint64_t evidence;
	uint64_t evidence_ignored; /* of subjects that identify no device */
	uint64_t evicted_anonymous;
	uint64_t evicted_identified;
	uint64_t forgotten;
	uint64_t facts_dropped;
	uint64_t reports;
	uint64_t routers_found;
	uint64_t merged;
	uint64_t addresses_moved;
};

struct device_table {
	const struct knowledge *knowledge;
	device_changed_fn changed;
	void *context;
	device_in_estate_fn in_estate; /* NULL: none known */
	void *estate;
	uint32_t max;
	uint32_t router_addresses;
	int64_t forget_after; /* nanoseconds */
	int64_t retell_after;
	struct device *devices;
	uint32_t used_ever; /* devices[0 .. used_ever) were in use at some time */
	uint32_t free_first;
	uint32_t mask; /* of both indexes */
	uint32_t *by_identity;
	uint32_t *by_address; /* device * DEVICE_IPS_MAX + slot */
	uint64_t seed;
	struct device_list_ends lists[LIST_COUNT];
	struct device_list_ends pending;
	uint32_t unsettled; /* the device whose verdict is to be made again, or DEVICE_NONE */
	struct device_counters counters;
};

/* device_index.c */
struct device *device_find_identity(
	const struct device_table *table, const struct identity *identity);
struct device *device_find_id(const struct device_table *table, const char *id);
struct device *device_find_address(
	const struct device_table *table, uint32_t tenant, const struct ip_address *ip);
/* A new device; evicts the least recently seen one when the table is full. */
struct device *device_add(
	struct device_table *table, const struct identity *identity, int64_t time);
void device_remove(struct device_table *table, struct device *device);
void device_touch(struct device_table *table, struct device *device, int64_t time);
/* Chooses the list that the device belongs to after its verdict changed. */
void device_relist(struct device_table *table, struct device *device);
void device_set_pending(struct device_table *table, struct device *device, bool pending);
/* Makes `ip` lead to `device`; takes it from whoever had it. */
void device_bind(struct device_table *table, struct device *device, const struct ip_address *ip,
	int64_t time, bool strong);
void device_unbind(struct device_table *table, struct device *device, struct address_slot *slot);
struct address_slot *device_slot(struct device *device, const struct ip_address *ip);

/* device_identity.c: the device that a subject's facts belong to; NULL when it identifies none.
 * `create` false: only one that is known. */
struct device *device_resolve(struct device_table *table, const struct subject *subject,
	int64_t time, bool binding, bool create);
/* Private or link-local, or a factory address of cameras. */
bool device_address_is_inside(const struct ip_address *ip);

/* device_facts.c */
void device_add_fact(struct device_table *table, struct device *device,
	const struct evidence *evidence, const struct fingerprint *fingerprint);
/* True when the device has a fact from equal evidence, which is counted once more. */
bool device_repeat_fact(struct device *device, const struct evidence *evidence, uint64_t key);
uint64_t device_fact_key(const struct evidence *evidence);
void device_add_oui(struct device_table *table, struct device *device, int64_t time);
/* Moves the facts of `from` that were said of `ip` (NULL: all) to `to`. */
void device_move_facts(struct device_table *table, struct device *from, struct device *to,
	const struct ip_address *ip);

/* device_values.c: model, firmware, serial and host name. */
void device_take_values(
	const struct device_table *table, struct device *device, const struct evidence *evidence);
void device_clear_values(struct device *device);
/* 1-based video channel that an RTSP path names, 0 none. */
unsigned device_path_channel(const char *path);

/* device_score.c: class, brand, maker, status and confidence from the facts. */
void device_score(const struct device_table *table, struct device *device);
/* False for what the device may only pass on for another. */
bool device_fact_counts(const struct device *device, unsigned index);
bool device_is_video(const struct device_record *record);

/* device_vendors.c: brand, maker and status, of a device whose class is known. */
void device_score_vendors(const struct device_table *table, struct device *device);

/* device_table.c: facts or addresses of the device changed. Its verdict is made when it is asked
 * for or when another device changes: one packet tells many facts of one host. */
void device_update(struct device_table *table, struct device *device);
/* Makes the verdict that is due, and notes whether there is something to tell. */
void device_settle(struct device_table *table);
/* Told, but so long ago that whoever listens would soon take it for gone. */
bool device_is_stale(const struct device_table *table, const struct device *device);
bool device_is_telling(const struct device *device);
void device_report(struct device_table *table, struct device *device);

#endif
