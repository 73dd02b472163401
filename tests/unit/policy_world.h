/* SPDX-License-Identifier: Apache-2.0 */
/* A small site for the tests of the policy: zones, devices and flows by short text, and a record of
 * every alert event. Each test program builds its own world. */
#ifndef CAMSPAN_TESTS_POLICY_WORLD_H
#define CAMSPAN_TESTS_POLICY_WORLD_H

#include "classifiers/destinations/policy.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND       INT64_C(1000000000)
#define MORNING      (INT64_C(1700000000) * SECOND)
#define WORLD_ALERTS 512
#define CAMERA_MAC   "02:00:00:00:00:05"
#define ROUTER_MAC   "02:00:00:00:00:fe"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58 };

struct world {
	struct config config;
	struct config_zone zones[8];
	struct network networks[32];
	uint16_t vlans[8];
	size_t network_count;
	size_t vlan_count;
	struct config_allow allow[8];
	struct network allow_networks[8];
	char allow_domains[8][128];
	uint16_t allow_ports[8];
	struct policy *policy;
	struct alert_record alerts[WORLD_ALERTS]; /* every event, in order */
	size_t alert_count;
	int64_t now;
	uint64_t next_flow;
};

static inline struct ip_address
world_ip(const char *text)
{
	struct ip_address ip = {0};

	if (text && text[0])
		CU_ASSERT_EQUAL_FATAL(ip_parse(text, &ip), 0);
	return ip;
}

/* "10.0.0.1 443" */
static inline struct endpoint
world_endpoint(const char *text)
{
	char address[ADDRESS_TEXT_SIZE] = "";
	unsigned port = 0;

	CU_ASSERT_FATAL(sscanf(text, "%45s %u", address, &port) >= 1);
	return (struct endpoint){.ip = world_ip(address), .port = (uint16_t)port};
}

static inline struct mac_address
world_mac(const char *text)
{
	struct mac_address mac = {0};

	if (text && text[0])
		CU_ASSERT_EQUAL_FATAL(mac_parse(text, &mac), 0);
	return mac;
}

static inline void
world_alert(void *context, const struct alert_record *alert)
{
	struct world *world = context;

	if (world->alert_count < WORLD_ALERTS)
		world->alerts[world->alert_count] = *alert;
	world->alert_count++;
}

/* `networks`: separated by blanks, "" none. `vlan`: 0 none. */
static inline void
world_zone(struct world *world, const char *name, enum zone_kind kind, const char *networks,
	uint16_t vlan)
{
	struct config_zone *zone = &world->zones[world->config.zone_count++];
	char text[64];
	int used;

	snprintf(zone->name, sizeof(zone->name), "%s", name);
	zone->kind = kind;
	zone->networks = &world->networks[world->network_count];
	for (; sscanf(networks, "%63s%n", text, &used) == 1; networks += used) {
		CU_ASSERT_EQUAL_FATAL(
			network_parse(text, &world->networks[world->network_count++]), 0);
		zone->network_count++;
	}
	if (vlan) {
		zone->vlans = &world->vlans[world->vlan_count];
		world->vlans[world->vlan_count++] = vlan;
		zone->vlan_count = 1;
	}
}

static inline void
world_config(struct world *world)
{
	struct config_policy *policy = &world->config.policy;

	memset(world, 0, sizeof(*world));
	world->now = MORNING;
	world->config.zones = world->zones;
	world->config.allow = world->allow;
	world->config.flows.idle_timeout_ms = 30000;
	world->config.flows.active_timeout_ms = 60000;
	world->config.devices.forget_after_s = 86400;
	policy->min_confidence = 0.8f;
	policy->alerts_max = 256;
	policy->contacts_max = 1024;
	policy->names_max = 1024;
	policy->update_interval_s = 60;
	policy->close_after_s = 3600;
	policy->allow_local_peers = true;
	for (int rule = 0; rule < RULE_COUNT; rule++)
		policy->rules[rule] = (struct config_rule){
			.enabled = true, .severity = 60, .severity_sensitive = 90};
}

/* cameras 10.20/16, 2001:db8:20::/48, VLAN 20; servers (core) 10.0/16, 2001:db8:1::/48, VLAN 10;
 * desks (office) 10.30/16, 198.51.100.0/24. */
static inline void
world_site(struct world *world)
{
	world_config(world);
	world_zone(world, "cameras", ZONE_CAMERA, "10.20.0.0/16 2001:db8:20::/48", 20);
	world_zone(world, "servers", ZONE_CORE, "10.0.0.0/16 2001:db8:1::/48", 10);
	world_zone(world, "desks", ZONE_OFFICE, "10.30.0.0/16 198.51.100.0/24", 0);
}

/* A row of the allow list; "" and 0 leave a part out. */
static inline struct config_allow *
world_allow(struct world *world, const char *network, const char *domain, uint16_t port,
	uint8_t protocol)
{
	size_t at = world->config.allow_count++;
	struct config_allow *row = &world->allow[at];

	row->protocol = protocol;
	if (network && network[0]) {
		CU_ASSERT_EQUAL_FATAL(network_parse(network, &world->allow_networks[at]), 0);
		row->networks = &world->allow_networks[at];
		row->network_count = 1;
	}
	if (domain && domain[0]) {
		snprintf(world->allow_domains[at], sizeof(world->allow_domains[at]), "%s", domain);
		row->domains = &world->allow_domains[at];
		row->domain_count = 1;
	}
	if (port) {
		world->allow_ports[at] = port;
		row->ports = &world->allow_ports[at];
		row->port_count = 1;
	}
	return row;
}

static inline void
world_begin(struct world *world)
{
	world->policy = policy_create(&world->config, world_alert, world);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world->policy);
}

static inline void
world_end(struct world *world)
{
	policy_free(world->policy);
	world->policy = NULL;
}

static inline struct device_record
world_device(const struct world *world, const char *id, enum device_class device_class,
	const char *ip, const char *mac)
{
	struct device_record device = {.device_class = (uint8_t)device_class,
		.confidence = 0.95f,
		.brand_confidence = 0.95f,
		.status = STATUS_ALLOWED,
		.first_seen = world->now,
		.last_seen = world->now};

	snprintf(device.id, sizeof(device.id), "%s", id);
	snprintf(device.brand, sizeof(device.brand), "axis");
	device.mac = world_mac(mac);
	if (ip[0]) {
		device.ips[0] = world_ip(ip);
		device.ip_count = 1;
	}
	return device;
}

/* A first and only record of a flow of 10 s that ends now: 1000 bytes out, 2000 in if answered. */
static inline struct flow_record
world_flow(struct world *world, const char *from, const char *to, uint8_t protocol, bool answered)
{
	return (struct flow_record){.id = ++world->next_flow,
		.start = world->now - 10 * SECOND,
		.end = world->now,
		.initiator = world_endpoint(from),
		.responder = world_endpoint(to),
		.protocol = protocol,
		.packets = {10, answered ? 10 : 0},
		.bytes = {1000, answered ? 2000 : 0},
		.answered = answered,
		.first_record = true,
		.initiator_certain = true,
		.end_reason = FLOW_END_IDLE_TIMEOUT};
}

/* `client` asked for `name` and got (or went to) `address`. */
static inline void
world_name(struct world *world, enum evidence_attribute attribute, const char *client,
	const char *name, const char *address)
{
	struct evidence evidence = {.time = world->now - 5 * SECOND, .attribute = attribute};
	bool client_speaks = attribute == ATTRIBUTE_TLS_SNI;

	evidence.side = client_speaks ? SIDE_TOOL : SIDE_PEER;
	evidence.subject.ip = world_ip(client_speaks ? client : address);
	evidence.peer.ip = world_ip(client_speaks ? address : client);
	evidence_set_value(&evidence, name, strlen(name));
	policy_evidence(world->policy, &evidence);
}

static inline void
world_tick(struct world *world, int64_t seconds)
{
	world->now += seconds * SECOND;
	policy_tick(world->policy, world->now, false);
}

static inline const struct alert_record *
world_last(const struct world *world)
{
	static const struct alert_record none;

	return world->alert_count ? &world->alerts[world->alert_count - 1] : &none;
}

static inline uint64_t
world_figure(const struct world *world, const char *name)
{
	static struct health_record health;

	health.figure_count = 0;
	policy_health(world->policy, &health);
	for (size_t i = 0; i < health.figure_count; i++)
		if (strcmp(health.figures[i].name, name) == 0)
			return health.figures[i].value;
	CU_FAIL("no such figure");
	return 0;
}

#endif
