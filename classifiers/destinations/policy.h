/* SPDX-License-Identifier: Apache-2.0 */
/* Zones, expected destinations and rules: devices and flows in, alerts out. Owned by the control
 * thread; not thread-safe. Every table is bounded with a counter for what made room. */
#ifndef CAMSPAN_POLICY_H
#define CAMSPAN_POLICY_H

#include "config/config.h"
#include "dataplane/records/alert_record.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/event.h"
#include "dataplane/records/evidence.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/health_record.h"

struct policy;

typedef void (*alert_fn)(void *context, const struct alert_record *alert);

/* `config` is borrowed and must outlive the policy. Returns NULL when memory is short. */
struct policy *policy_create(const struct config *config, alert_fn alert, void *context);
void policy_free(struct policy *policy);

/* Passive names: DNS answers, TLS SNI and HTTP Host evidence; other attributes are ignored. */
void policy_evidence(struct policy *policy, const struct evidence *evidence);
/* A device is new or changed. Contacts seen before it was known to be a camera are judged now. */
void policy_device(struct policy *policy, const struct device_record *device);
/* Judges a flow record. The devices are those at its ends, NULL unknown; a device that is not (yet)
 * a camera has its contacts remembered, bounded. */
void policy_flow(struct policy *policy, const struct flow_record *flow,
	const struct device_record *initiator, const struct device_record *responder);
/* Sends pending updates and closes alerts that are silent. `all`: send every pending update. */
void policy_tick(struct policy *policy, int64_t now, bool all);

/* Zone of an address; NULL if none. The most specific network wins, then the VLAN (0: not known to
 * be on it). */
const struct config_zone *policy_zone(
	const struct policy *policy, const struct ip_address *ip, uint16_t vlan);
/* Zone of a device by its current addresses, or by its VLAN where it was seen there with its own
 * MAC (policy_zone() cannot know that: behind a router the VLAN is not the device's). */
const struct config_zone *policy_device_zone(
	const struct policy *policy, const struct device_record *device);
/* Best passive name of an address as `client` saw it, "" unknown. Borrowed until the next call. */
const char *policy_name(const struct policy *policy, uint32_t tenant,
	const struct ip_address *client, const struct ip_address *ip);
/* ECS network.direction from the zones of both ends. */
const char *policy_direction(const struct policy *policy, const struct flow_record *flow);
void policy_health(const struct policy *policy, struct health_record *health);

#endif
