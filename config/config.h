/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as the program uses it: plain values, filled from defaults and one YAML file by
 * the schema table (schema.c). A leaf: it includes records only. Immutable once loaded. */
#ifndef CAMSPAN_CONFIG_H
#define CAMSPAN_CONFIG_H

#include "dataplane/records/address.h"
#include "dataplane/records/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_NAME_SIZE 64
#define CONFIG_PATH_SIZE 256
#define CONFIG_TEXT_SIZE 512

enum spreading { SPREADING_AUTO, SPREADING_RSS, SPREADING_SOFTWARE };
enum timestamps { TIMESTAMPS_AUTO, TIMESTAMPS_SYSTEM };
enum huge_pages { HUGE_PAGES_AUTO, HUGE_PAGES_ON, HUGE_PAGES_OFF };
enum inspect_mode { INSPECT_ALL, INSPECT_CANDIDATES, INSPECT_OFF };
enum zone_kind {
	ZONE_NONE,
	ZONE_CAMERA,
	ZONE_CORE,
	ZONE_MANAGEMENT,
	ZONE_OFFICE,
	ZONE_INTERNET,
};

struct config_port {
	char device[CONFIG_PATH_SIZE]; /* "0000:03:00.0", "net_af_packet0,iface=span0", ... */
	bool promiscuous;
	bool deduplicate; /* copies of packets are removed */
};

/* Of the ports that deduplicate. */
struct config_deduplication {
	uint32_t window_ms;
	uint32_t entries;        /* packets remembered per worker; rounded up to a power of two */
	uint32_t compared_bytes; /* of a datagram, behind its transport header */
	bool across_ports;
	bool across_vlans;
	bool captures; /* replays too */
};

struct config_dataplane {
	enum huge_pages huge_pages;
	uint32_t memory_mib;           /* 0: derived from table sizes */
	char lcores[CONFIG_NAME_SIZE]; /* EAL list, "" derived: the first is for control */
	uint16_t workers;
	enum spreading spreading;
	uint16_t rx_lcores;  /* when packets are spread in software */
	uint32_t ring_slots; /* of each ring from an RX lcore to a worker */
	uint16_t sampling;   /* one in so many pairs of addresses, 1: all */
	enum timestamps timestamps;
	uint16_t rx_descriptors; /* per queue, 0: derived */
	uint32_t mbufs;          /* per worker, 0: derived */
	size_t port_count;
	struct config_port *ports;
	struct config_deduplication deduplication;
};

/* What takes part in telling networks apart: see enum tenant_kind in packet.h. */
enum tenant_part { TENANT_PART_VLAN, TENANT_PART_TUNNEL, TENANT_PART_PORT, TENANT_PART_COUNT };

struct config_flows {
	uint32_t ipv4_max; /* per worker; rounded up to a power of two of buckets */
	uint32_t ipv6_max;
	uint32_t idle_timeout_ms;
	uint32_t active_timeout_ms; /* at most 3,600,000 */
	bool tenant[TENANT_PART_COUNT];
};

struct config_inspection {
	enum inspect_mode mode;
	uint16_t max_packets;     /* of one flow with payload, camera classifiers */
	uint16_t dpi_max_packets; /* of one flow given to nDPI */
	uint32_t flows_max;       /* under inspection at a time, per worker */
	uint32_t stream_buffers;  /* TCP reassembly buffers per worker */
	uint16_t dpi_per_burst;   /* nDPI calls per burst of packets, then counted as skipped */
};

static inline bool
config_wants_dpi(const struct config_inspection *inspection)
{
	return inspection->mode != INSPECT_OFF && inspection->max_packets > 0;
}

struct config_devices {
	uint32_t max;
	uint32_t forget_after_s;   /* silent that long: forgotten */
	uint16_t router_addresses; /* IPv4 addresses behind one MAC that make it a router's */
};

struct config_streams {
	uint32_t max;
	uint32_t report_interval_s;
	uint32_t idle_timeout_s;
};

struct config_zone {
	char name[32];
	enum zone_kind kind;
	size_t network_count;
	struct network *networks;
	size_t vlan_count;
	uint16_t *vlans;
};

/* An allowed destination. Empty selectors match every device; of the targets (networks and domains)
 * one must match, and a port if ports are given. */
struct config_allow {
	char name[CONFIG_NAME_SIZE];
	char zone[32];                  /* devices in this zone */
	char vendor[24];                /* devices of this brand or maker */
	char device[ADDRESS_TEXT_SIZE]; /* device id, MAC or address */
	size_t network_count;
	struct network *networks;
	size_t domain_count;
	char (*domains)[128]; /* "example.com" with subdomains, "=host.example.com" exactly */
	size_t port_count;
	uint16_t *ports;
	uint8_t protocol; /* 0 any */
};

enum rule_id {
	RULE_RESTRICTED_VENDOR_PRESENT,
	RULE_CAMERA_ON_CORE_NETWORK,
	RULE_CAMERA_REACHES_CORE,
	RULE_UNEXPECTED_DESTINATION,
	RULE_COUNT
};

struct config_rule {
	bool enabled;
	uint8_t severity;           /* 0..100 */
	uint8_t severity_sensitive; /* at a sensitive site */
};

struct config_policy {
	float min_confidence; /* of class (and vendor, where a rule needs it) to accuse */
	uint32_t alerts_max;
	uint32_t contacts_max;      /* remembered device-destination pairs */
	uint32_t names_max;         /* passive names */
	uint32_t update_interval_s; /* at most one update per alert in this time */
	uint32_t close_after_s;
	bool allow_local_peers; /* peers inside the device's own zone are expected */
	struct config_rule rules[RULE_COUNT];
};

struct config_file_exporter {
	bool enabled;
	char path[CONFIG_PATH_SIZE]; /* "-" is stdout */
	bool datasets[EVENT_DATASET_COUNT];
};

struct config_state_exporter {
	bool enabled;
	char path[CONFIG_PATH_SIZE];
	uint32_t keep_days;
};

struct config_kafka_exporter {
	bool enabled;
	char brokers[CONFIG_TEXT_SIZE];
	char topic_prefix[CONFIG_NAME_SIZE];
	char compression[16];
	bool idempotence;
	uint32_t queue_messages;
	uint32_t message_timeout_ms;
	char security_protocol[24];
	char sasl_mechanism[24];
	char username[CONFIG_NAME_SIZE];
	char password_file[CONFIG_PATH_SIZE]; /* secrets are never in the configuration itself */
	char ca_file[CONFIG_PATH_SIZE];
	char certificate_file[CONFIG_PATH_SIZE];
	char key_file[CONFIG_PATH_SIZE];
	char broker_version_fallback[16]; /* for brokers older than 0.10, "" none */
	bool datasets[EVENT_DATASET_COUNT];
};

struct config_redis_exporter {
	bool enabled;
	char address[CONFIG_PATH_SIZE]; /* "host:port" or "unix:/path" */
	char username[CONFIG_NAME_SIZE];
	char password_file[CONFIG_PATH_SIZE];
	uint32_t database;
	uint32_t ttl_s;
	uint32_t pipeline; /* commands in flight */
	uint32_t alerts_kept;
};

struct config_export {
	uint32_t queue_events; /* bounded queue of each exporter */
	uint32_t shutdown_timeout_ms;
	struct config_file_exporter file;
	struct config_state_exporter state;
	struct config_kafka_exporter kafka;
	struct config_redis_exporter redis;
};

struct config {
	struct {
		char name[CONFIG_NAME_SIZE];
		bool sensitive;
	} site;
	char sensor_name[CONFIG_NAME_SIZE]; /* default: host name */
	int log_level;                      /* enum log_level */
	uint32_t health_interval_s;
	char data_directory[CONFIG_PATH_SIZE];          /* shipped knowledge */
	char data_override_directory[CONFIG_PATH_SIZE]; /* the operator's own, "" none */
	struct config_dataplane dataplane;
	struct config_flows flows;
	struct config_inspection inspection;
	struct config_devices devices;
	struct config_streams streams;
	size_t zone_count;
	struct config_zone *zones;
	size_t allow_count;
	struct config_allow *allow;
	struct config_policy policy;
	struct config_export export;
};

/* A configuration with every default; never NULL but when memory is short. */
struct config *config_defaults(void);
/* Loads a YAML file over the defaults. On failure returns NULL with one line in `error`:
 * "file:line: key: what is wrong; remedy". */
struct config *config_load(const char *path, char *error, size_t error_size);
void config_free(struct config *config);
/* The effective configuration as YAML that config_load() accepts. */
void config_print(const struct config *config, FILE *out);
/* The reference of every setting (Markdown), from the schema table. */
void config_print_reference(FILE *out);

const char *zone_kind_name(enum zone_kind kind);
const char *rule_name(enum rule_id rule); /* "camera-reaches-core" */

#endif
