/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules need to know of a device: a small copy of its record, so that what it did can be
 * judged later than the record was at hand. */
#ifndef CAMSPAN_SUSPECT_H
#define CAMSPAN_SUSPECT_H

#include "classifiers/destinations/zones.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/flow_record.h"

struct suspect {
	char id[DEVICE_ID_SIZE];
	char brand[VENDOR_ID_SIZE];
	char maker[VENDOR_ID_SIZE];
	char model[DEVICE_TEXT_SIZE];
	struct mac_address mac;
	struct ip_address ips[DEVICE_IPS_MAX]; /* latest first */
	uint8_t ip_count;
	uint8_t device_class; /* enum device_class */
	uint8_t status;       /* enum vendor_status */
	uint16_t vlan;        /* 0 unless the device was seen on it with its own MAC */
	float confidence;
	float brand_confidence;
	uint32_t tenant;
	int64_t first_seen;
	int64_t last_seen;
};

/* What a device and one peer did, from one flow record or summed over many. */
struct contact_facts {
	struct ip_address client; /* the device's address */
	struct mac_address client_mac;
	uint16_t client_vlan; /* 0 unless the device was seen on it with its own MAC */
	struct endpoint peer;
	uint16_t peer_vlan; /* likewise for the peer */
	bool peer_known;    /* the peer is a device of its own, so that peer_vlan can be trusted */
	uint8_t protocol;
	bool answered;
	bool direction_certain; /* the device began, without doubt */
	bool maybe_solicited;   /* could be what the peer asked for by another flow */
	uint64_t bytes_out;
	uint64_t bytes_in;
	uint64_t count; /* flows */
	int64_t first;
	int64_t last;
};

struct suspect suspect_from_device(const struct device_record *device);
/* Camera, recorder or doorbell, by at least this confidence. */
bool suspect_is_watched(const struct suspect *suspect, float min_confidence);
/* Where the device is: of its current IPv4 and its current IPv6 address the first that is in a
 * zone, a core zone before any other. `ip` receives the address that decides. */
struct place suspect_place(
	const struct suspect *suspect, const struct zones *zones, struct ip_address *ip);
/* Sums `more` into `sum`; the latest values win where only one can stay. */
void contact_facts_add(struct contact_facts *sum, const struct contact_facts *more);

#endif
