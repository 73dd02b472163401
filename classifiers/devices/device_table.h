/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence in, devices out. Owned by the control thread; not thread-safe.
 *
 * A device's identity is its MAC where that MAC is the host's own, else its tenant and address: a
 * MAC with more addresses behind it than a host has is a router's, and its facts go to the
 * addresses. */
#ifndef CAMSPAN_DEVICE_TABLE_H
#define CAMSPAN_DEVICE_TABLE_H

#include "config/config.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/evidence.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/health_record.h"

struct device_table;
struct knowledge;

/* A device is new or changed in a way worth telling (class, brand, maker, model, status, address,
 * or confidence by 0.05). `device` is borrowed for the call. */
typedef void (*device_changed_fn)(void *context, const struct device_record *device);

/* `knowledge` must outlive the table. Returns NULL when memory is short. */
struct device_table *device_table_create(const struct config_devices *config,
	const struct knowledge *knowledge, device_changed_fn changed, void *context);
/* Tells public addresses of the estate from the Internet; without it all are the Internet's, and
 * nothing there is judged without link-local evidence. */
typedef bool (*device_in_estate_fn)(void *context, const struct ip_address *ip);
void device_table_set_estate(
	struct device_table *table, device_in_estate_fn in_estate, void *context);
void device_table_free(struct device_table *table);

/* Adds a fact. Facts about multicast, broadcast and unspecified subjects are ignored. */
void device_table_evidence(struct device_table *table, const struct evidence *evidence);
/* Keeps last-seen times and MAC bindings current; never creates evidence for a class by itself. */
void device_table_flow(struct device_table *table, const struct flow_record *flow);
/* Reports what changed since the last call (rate-limited per device) and forgets what is idle.
 * `now` is packet time in a replay. `all`: report every pending change (end of a replay). */
void device_table_tick(struct device_table *table, int64_t now, bool all);

/* The device that has this address (or MAC when the address is unknown); NULL if none. The pointer
 * is valid until the next call that takes a non-const table. */
const struct device_record *device_table_find(struct device_table *table, uint32_t tenant,
	const struct ip_address *ip, const struct mac_address *mac);
/* Records the zone that destinations/ found; part of the device's record from then on. */
void device_table_set_zone(
	struct device_table *table, const char *device_id, const char *zone, enum zone_kind kind);
void device_table_each(struct device_table *table, device_changed_fn each, void *context);
void device_table_health(const struct device_table *table, struct health_record *health);

#endif
