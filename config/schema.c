/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include "dataplane/log.h"

#include <string.h>

#define MEMBER(type, member)                                                                       \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define FIELD(member) MEMBER(config, member)
/* A list row: pointer and count of `type`, and its bound. */
#define LIST(type, array, count, max)                                                              \
	.offset = offsetof(struct type, array), .size = sizeof(*((struct type *)0)->array),        \
	.count_offset = offsetof(struct type, count), .items_max = (max)
#define DOC(text)   .documentation = text
#define NAMES(list) .names = list

#define ALL_DATASETS "flow, device, stream, alert, health"

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const spreading_names[] = {"auto", "rss", "software", NULL};
static const char *const timestamps_names[] = {"auto", "system", NULL};
static const char *const huge_page_names[] = {"auto", "on", "off", NULL};
static const char *const inspect_modes[] = {"all", "candidates", "off", NULL};
static const char *const zone_kinds[] = {
	"none", "camera", "core", "management", "office", "internet", NULL};
static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const security_protocols[] = {
	"plaintext", "ssl", "sasl_plaintext", "sasl_ssl", NULL};
static const char *const sasl_mechanisms[] = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};

static const char *const datasets[] = {
	[EVENT_FLOW] = "flow",
	[EVENT_DEVICE] = "device",
	[EVENT_STREAM] = "stream",
	[EVENT_ALERT] = "alert",
	[EVENT_HEALTH] = "health",
	[EVENT_DATASET_COUNT] = NULL,
};
static const char *const tenant_parts[] = {
	[TENANT_PART_VLAN] = "vlan",
	[TENANT_PART_TUNNEL] = "tunnel",
	[TENANT_PART_PORT] = "port",
	[TENANT_PART_COUNT] = NULL,
};

static const char *const rule_names[] = {
	[RULE_RESTRICTED_VENDOR_PRESENT] = "restricted-vendor-present",
	[RULE_CAMERA_ON_CORE_NETWORK] = "camera-on-core-network",
	[RULE_CAMERA_REACHES_CORE] = "camera-reaches-core",
	[RULE_UNEXPECTED_DESTINATION] = "unexpected-destination",
};

#define RULE(rule, name, severity_text, sensitive_text, about)                                     \
	{"rules." name ".enabled", SETTING_BOOL, FIELD(policy.rules[rule].enabled), "true",        \
		DOC("Judge this rule: " about ".")},                                               \
		{"rules." name ".severity", SETTING_COUNT, FIELD(policy.rules[rule].severity),     \
			severity_text, 0, 100,                                                     \
			DOC("Severity of its alerts (ECS event.severity).")},                      \
	{                                                                                          \
		"rules." name ".severity_sensitive", SETTING_COUNT,                                \
			FIELD(policy.rules[rule].severity_sensitive), sensitive_text, 0, 100,      \
			DOC("Severity at a site that is marked sensitive.")                        \
	}

const struct setting config_settings[] = {
	{"site.name", SETTING_NAME, FIELD(site.name), "default",
		DOC("Name of the site this sensor watches; in every event as labels.site.")},
	{"site.sensitive", SETTING_BOOL, FIELD(site.sensitive), "false",
		DOC("A sensitive site: rules use severity_sensitive.")},
	{"sensor.name", SETTING_NAME, FIELD(sensor_name), "",
		DOC("Name of this sensor in events (observer.name). Empty: the host name.")},
	{"log.level", SETTING_ENUM, FIELD(log_level), "info",
		DOC("Messages below this level are not written."), NAMES(log_levels)},
	{"health.interval", SETTING_SECONDS, FIELD(health_interval_s), "10s", 1, 3600,
		DOC("Time between health events: packet balance, table levels, losses.")},

	{"data.directory", SETTING_PATH, FIELD(data_directory), "",
		DOC("Vendor, fingerprint and destination data. Empty: the installed data, or "
		    "CAMSPAN_DATA of the environment.")},
	{"data.override_directory", SETTING_PATH, FIELD(data_override_directory), "",
		DOC("Your own data files; their rows win over the shipped ones. Empty: none.")},

	{"dataplane.huge_pages", SETTING_ENUM, FIELD(dataplane.huge_pages), "auto",
		DOC("auto: huge pages when they can be had; on: refuse to start without; off: "
		    "never (two to three times slower)."),
		NAMES(huge_page_names)},
	{"dataplane.memory", SETTING_MEMORY, FIELD(dataplane.memory_mib), "0", 0, 1048576,
		DOC("Memory of the packet path. 0: derived from the table sizes.")},
	{"dataplane.lcores", SETTING_CPUS, FIELD(dataplane.lcores), "",
		DOC("Cores to use, the first for control. Empty: those allowed, on the NUMA nodes "
		    "of "
		    "the ports first.")},
	{"dataplane.workers", SETTING_COUNT, FIELD(dataplane.workers), "1", 1, 127,
		DOC("Worker cores, each with its own flow table.")},
	{"dataplane.spreading", SETTING_ENUM, FIELD(dataplane.spreading), "auto",
		DOC("Who divides packets among workers. rss: the port, a queue for each worker, by "
		    "outer addresses. software: RX lcores, by the innermost addresses, which "
		    "mirror tunnels and ports with one queue need. auto: rss where every port "
		    "can, else software."),
		NAMES(spreading_names)},
	{"dataplane.rx_lcores", SETTING_COUNT, FIELD(dataplane.rx_lcores), "1", 1, 16,
		DOC("RX lcores when packets are spread in software.")},
	{"dataplane.ring_slots", SETTING_COUNT, FIELD(dataplane.ring_slots), "4096", 256, 65536,
		DOC("Packets that wait between an RX lcore and a worker: what absorbs a worker's "
		    "pauses. Rounded up to a power of two.")},
	{"dataplane.sampling", SETTING_COUNT, FIELD(dataplane.sampling), "1", 1, 10000,
		DOC("Inspect one in so many pairs of addresses, chosen anew at each start; 1: all. "
		    "Hosts of the others are not seen. Frames without IP are never left out.")},
	{"dataplane.timestamps", SETTING_ENUM, FIELD(dataplane.timestamps), "auto",
		DOC("auto: the port's timestamps where it has them and they agree with the "
		    "system's clock; system: the time at which a burst was taken."),
		NAMES(timestamps_names)},
	{"dataplane.rx_descriptors", SETTING_COUNT, FIELD(dataplane.rx_descriptors), "0", 0, 32768,
		DOC("Receive descriptors per queue: what absorbs bursts. 0: enough for 1 ms of "
		    "512-byte frames at line rate, at least 2048. As far as the port has them.")},
	{"dataplane.mbufs", SETTING_COUNT, FIELD(dataplane.mbufs), "0", 0, 16777216,
		DOC("Packet buffers per worker. 0: derived from the descriptors.")},
	{"dataplane.ports", SETTING_MAPPINGS,
		LIST(config, dataplane.ports, dataplane.port_count, 32),
		DOC("Ports that receive mirrored traffic.")},
	{"dataplane.ports[].device", SETTING_TEXT, MEMBER(config_port, device), NULL,
		DOC("DPDK device: a PCI address, net_af_packet0,iface=span0, "
		    "net_af_xdp0,iface=span0, ...")},
	{"dataplane.ports[].promiscuous", SETTING_BOOL, MEMBER(config_port, promiscuous), "true",
		DOC("Receive frames for every MAC; a span port needs it.")},
	{"dataplane.ports[].deduplicate", SETTING_BOOL, MEMBER(config_port, deduplicate), "false",
		DOC("Remove the copies of a packet that this port delivers more than once.")},
	{"dataplane.deduplication.window", SETTING_MILLISECONDS,
		FIELD(dataplane.deduplication.window_ms), "5ms", 1, 1000,
		DOC("A copy comes at most so long after the first.")},
	{"dataplane.deduplication.entries", SETTING_COUNT, FIELD(dataplane.deduplication.entries),
		"131072", 1024, 134217728,
		DOC("Packets remembered per worker (16 bytes each): four times what comes in a "
		    "window.")},
	{"dataplane.deduplication.compared_bytes", SETTING_COUNT,
		FIELD(dataplane.deduplication.compared_bytes), "65535", 64, 65535,
		DOC("How many bytes behind the transport header are compared. Fewer cost less on "
		    "long packets, and may take packets that differ only behind them for copies.")},
	{"dataplane.deduplication.across_ports", SETTING_BOOL,
		FIELD(dataplane.deduplication.across_ports), "true",
		DOC("Compare the packets of all ports that deduplicate; else of each by itself.")},
	{"dataplane.deduplication.across_vlans", SETTING_BOOL,
		FIELD(dataplane.deduplication.across_vlans), "true",
		DOC("Copies may be in different VLANs, before and after routing; flows of these "
		    "ports are then one over all VLANs. false: where VLANs have the same "
		    "addresses.")},
	{"dataplane.deduplication.captures", SETTING_BOOL, FIELD(dataplane.deduplication.captures),
		"false",
		DOC("Remove copies from replayed captures, whose packets count as the first "
		    "port's.")},

	{"flows.ipv4_max", SETTING_COUNT, FIELD(flows.ipv4_max), "1048576", 1024, 134217728,
		DOC("IPv4 flows per worker. Over it, the oldest is evicted and counted.")},
	{"flows.ipv6_max", SETTING_COUNT, FIELD(flows.ipv6_max), "262144", 1024, 134217728,
		DOC("IPv6 flows per worker.")},
	{"flows.idle_timeout", SETTING_MILLISECONDS, FIELD(flows.idle_timeout_ms), "60s", 1000,
		3600000, DOC("A flow silent that long has ended.")},
	{"flows.active_timeout", SETTING_MILLISECONDS, FIELD(flows.active_timeout_ms), "5m", 1000,
		3600000, DOC("A flow that goes on is reported at least this often.")},
	{"flows.tenant", SETTING_SET, FIELD(flows.tenant), "vlan, tunnel",
		DOC("What makes equal addresses different hosts: VLAN tags, the ids of tunnels, "
		    "the port that saw them. Without vlan, zones[].vlans match no flow."),
		NAMES(tenant_parts)},

	{"inspection.mode", SETTING_ENUM, FIELD(inspection.mode), "all",
		DOC("Which of the flows that no classifier recognises get general inspection "
		    "(nDPI): all, those that look like a camera protocol's by port or beginning, "
		    "none."),
		NAMES(inspect_modes)},
	{"inspection.max_packets", SETTING_COUNT, FIELD(inspection.max_packets), "64", 0, 65535,
		DOC("Packets with payload of one flow shown to the camera classifiers. 0: flows "
		    "and ARP only: no payload is looked at and no camera recognised.")},
	{"inspection.dpi_max_packets", SETTING_COUNT, FIELD(inspection.dpi_max_packets), "8", 0,
		255,
		DOC("Packets of one flow given to general inspection; a call costs up to 7 us.")},
	{"inspection.flows_max", SETTING_COUNT, FIELD(inspection.flows_max), "65536", 64, 16777216,
		DOC("Flows under inspection at a time, per worker (about 2 KiB each).")},
	{"inspection.stream_buffers", SETTING_COUNT, FIELD(inspection.stream_buffers), "4096", 16,
		1048576,
		DOC("Buffers for TCP data that a classifier waits to complete, per worker (8 KiB "
		    "each).")},
	{"inspection.dpi_per_burst", SETTING_COUNT, FIELD(inspection.dpi_per_burst), "4", 0, 1024,
		DOC("General inspection calls per burst of packets, live; fewer while a worker has "
		    "a backlog. Skipped ones are counted.")},

	{"devices.max", SETTING_COUNT, FIELD(devices.max), "65536", 16, 4194304,
		DOC("Devices remembered; over it the one silent longest makes room, counted.")},
	{"devices.forget_after", SETTING_SECONDS, FIELD(devices.forget_after_s), "30d", 60,
		31536000, DOC("A device silent that long is forgotten.")},
	{"devices.router_addresses", SETTING_COUNT, FIELD(devices.router_addresses), "8", 2, 4096,
		DOC("IPv4 addresses behind one MAC that make it a router's: its hosts are then "
		    "told apart by address.")},

	{"streams.max", SETTING_COUNT, FIELD(streams.max), "16384", 16, 1048576,
		DOC("Streams followed at a time; over it the one silent longest makes room.")},
	{"streams.report_interval", SETTING_SECONDS, FIELD(streams.report_interval_s), "60s", 1,
		3600, DOC("Time between reports of a running stream.")},
	{"streams.idle_timeout", SETTING_SECONDS, FIELD(streams.idle_timeout_s), "30s", 1, 3600,
		DOC("A stream silent that long has ended.")},

	{"zones", SETTING_MAPPINGS, LIST(config, zones, zone_count, 256),
		DOC("Parts of the site's network. The most specific network wins, then the "
		    "VLAN.")},
	{"zones[].name", SETTING_NAME, MEMBER(config_zone, name), NULL, DOC("Name, unique.")},
	{"zones[].kind", SETTING_ENUM, MEMBER(config_zone, kind), NULL,
		DOC("What the zone is for; the rules go by it. none: only a name for "
		    "destinations.allow."),
		NAMES(zone_kinds)},
	{"zones[].networks", SETTING_NETWORK, LIST(config_zone, networks, network_count, 1024),
		DOC("Its networks, IPv4 and IPv6.")},
	{"zones[].vlans", SETTING_COUNT, LIST(config_zone, vlans, vlan_count, 256), .minimum = 1,
		.maximum = 4094, DOC("Its VLAN ids.")},

	{"destinations.allow", SETTING_MAPPINGS, LIST(config, allow, allow_count, 1024),
		DOC("Destinations that cameras are expected to talk to. Everything else is an "
		    "unexpected destination.")},
	{"destinations.allow[].name", SETTING_TEXT, MEMBER(config_allow, name), "",
		DOC("What it is, for people.")},
	{"destinations.allow[].zone", SETTING_NAME, MEMBER(config_allow, zone), "",
		DOC("Only for devices in this zone. Empty: any.")},
	{"destinations.allow[].vendor", SETTING_NAME, MEMBER(config_allow, vendor), "",
		DOC("Only for devices of this brand or maker (vendor id). Empty: any.")},
	{"destinations.allow[].device", SETTING_DEVICE, MEMBER(config_allow, device), "",
		DOC("Only for this device. Empty: any.")},
	{"destinations.allow[].networks", SETTING_NETWORK,
		LIST(config_allow, networks, network_count, 256),
		DOC("Allowed networks or addresses.")},
	{"destinations.allow[].domains", SETTING_DOMAIN,
		LIST(config_allow, domains, domain_count, 256),
		DOC("Allowed names: example.com with all below it, =host.example.com exactly.")},
	{"destinations.allow[].ports", SETTING_COUNT, LIST(config_allow, ports, port_count, 64),
		.minimum = 1, .maximum = 65535, DOC("Allowed destination ports. Empty: any.")},
	{"destinations.allow[].protocol", SETTING_PROTOCOL, MEMBER(config_allow, protocol), "any",
		DOC("Allowed transport.")},

	{"policy.min_confidence", SETTING_REAL, FIELD(policy.min_confidence), "0.8", 0.5, 1,
		DOC("Least confidence of class (and vendor, where a rule needs it) to raise an "
		    "alert.")},
	{"policy.alerts_max", SETTING_COUNT, FIELD(policy.alerts_max), "65536", 16, 4194304,
		DOC("Alerts open at a time; over it the oldest is closed, counted.")},
	{"policy.contacts_max", SETTING_COUNT, FIELD(policy.contacts_max), "262144", 16, 16777216,
		DOC("Device-destination pairs remembered, also of devices not yet recognised.")},
	{"policy.names_max", SETTING_COUNT, FIELD(policy.names_max), "262144", 16, 16777216,
		DOC("Names of addresses remembered from DNS, TLS and HTTP.")},
	{"policy.update_interval", SETTING_SECONDS, FIELD(policy.update_interval_s), "5m", 1, 86400,
		DOC("Least time between two updates of one alert.")},
	{"policy.close_after", SETTING_SECONDS, FIELD(policy.close_after_s), "24h", 60, 31536000,
		DOC("An alert whose cause was not seen that long is closed.")},
	{"policy.allow_local_peers", SETTING_BOOL, FIELD(policy.allow_local_peers), "true",
		DOC("Peers inside a device's own zone are expected.")},

	RULE(RULE_RESTRICTED_VENDOR_PRESENT, "restricted-vendor-present", "70", "90",
		"a device whose maker or brand is restricted is on the network"),
	RULE(RULE_CAMERA_ON_CORE_NETWORK, "camera-on-core-network", "60", "80",
		"a camera is inside a zone of kind core"),
	RULE(RULE_CAMERA_REACHES_CORE, "camera-reaches-core", "70", "90",
		"a camera talks to a zone of kind core"),
	RULE(RULE_UNEXPECTED_DESTINATION, "unexpected-destination", "50", "70",
		"a camera talks to what destinations.allow does not list"),

	{"export.queue", SETTING_COUNT, FIELD(export.queue_events), "65536", 64, 16777216,
		DOC("Events waiting per exporter, on top of its own queue; over it events of that "
		    "exporter are lost and counted.")},
	{"export.shutdown_timeout", SETTING_MILLISECONDS, FIELD(export.shutdown_timeout_ms), "30s",
		0, 3600000,
		DOC("Time to deliver what is queued when the daemon stops. A replay waits as long "
		    "for an exporter that delivers nothing, then goes on without it.")},

	{"export.file.enabled", SETTING_BOOL, FIELD(export.file.enabled), "false",
		DOC("Write events as JSON lines.")},
	{"export.file.path", SETTING_PATH, FIELD(export.file.path), "/var/lib/camspan/events.jsonl",
		DOC("File to append to; - is standard output.")},
	{"export.file.datasets", SETTING_SET, FIELD(export.file.datasets), ALL_DATASETS,
		DOC("What to write."), NAMES(datasets)},

	{"export.state.enabled", SETTING_BOOL, FIELD(export.state.enabled), "true",
		DOC("Keep devices, streams and alerts in a local file that camspan(1) reads.")},
	{"export.state.path", SETTING_PATH, FIELD(export.state.path), "/var/lib/camspan/state.db",
		DOC("The state file (SQLite).")},
	{"export.state.keep_days", SETTING_COUNT, FIELD(export.state.keep_days), "90", 1, 3650,
		DOC("Days that ended streams and closed alerts stay in it.")},

	{"export.kafka.enabled", SETTING_BOOL, FIELD(export.kafka.enabled), "false",
		DOC("Send events to Kafka, acknowledged by all in-sync replicas.")},
	{"export.kafka.brokers", SETTING_TEXT, FIELD(export.kafka.brokers), "",
		DOC("Bootstrap brokers: host:port, separated by commas.")},
	{"export.kafka.topic_prefix", SETTING_NAME, FIELD(export.kafka.topic_prefix), "camspan",
		DOC("Topics are PREFIX.flow.v1, PREFIX.device.v1, ...")},
	{"export.kafka.compression", SETTING_CHOICE, FIELD(export.kafka.compression), "lz4",
		DOC("Compression of batches. zstd needs brokers from 2.1."), NAMES(compressions)},
	{"export.kafka.idempotence", SETTING_BOOL, FIELD(export.kafka.idempotence), "true",
		DOC("No duplicates by retries. Needs brokers from 0.11.")},
	{"export.kafka.queue_messages", SETTING_COUNT, FIELD(export.kafka.queue_messages),
		"1000000", 1000, 10000000,
		DOC("Messages kept while brokers are away, about 1 KiB each. The client library's "
		    "own 100000 lose data within seconds at estate rates.")},
	{"export.kafka.message_timeout", SETTING_MILLISECONDS,
		FIELD(export.kafka.message_timeout_ms), "24h", 1000, 2147483000,
		DOC("A message not delivered that long is lost, counted. The client library's own "
		    "5 minutes lose data in a longer outage.")},
	{"export.kafka.security_protocol", SETTING_CHOICE, FIELD(export.kafka.security_protocol),
		"plaintext", DOC("Protocol to the brokers."), NAMES(security_protocols)},
	{"export.kafka.sasl_mechanism", SETTING_CHOICE, FIELD(export.kafka.sasl_mechanism), "",
		DOC("SASL mechanism. Empty: no SASL."), NAMES(sasl_mechanisms)},
	{"export.kafka.username", SETTING_TEXT, FIELD(export.kafka.username), "",
		DOC("SASL user.")},
	{"export.kafka.password_file", SETTING_PATH, FIELD(export.kafka.password_file), "",
		DOC("File with the SASL password in its first line; mode 0600.")},
	{"export.kafka.ca_file", SETTING_PATH, FIELD(export.kafka.ca_file), "",
		DOC("CA certificates (PEM) that sign the brokers'. Empty: the system's.")},
	{"export.kafka.certificate_file", SETTING_PATH, FIELD(export.kafka.certificate_file), "",
		DOC("Client certificate (PEM). Empty: none.")},
	{"export.kafka.key_file", SETTING_PATH, FIELD(export.kafka.key_file), "",
		DOC("Key of the client certificate (PEM).")},
	{"export.kafka.broker_version_fallback", SETTING_VERSION,
		FIELD(export.kafka.broker_version_fallback), "",
		DOC("Version of brokers older than 0.10, which cannot say it, like 0.9.0.1. "
		    "Empty: ask the broker.")},
	{"export.kafka.datasets", SETTING_SET, FIELD(export.kafka.datasets), ALL_DATASETS,
		DOC("What to send."), NAMES(datasets)},

	{"export.redis.enabled", SETTING_BOOL, FIELD(export.redis.enabled), "false",
		DOC("Keep the site's live state in Redis.")},
	{"export.redis.address", SETTING_SERVER, FIELD(export.redis.address), "127.0.0.1:6379",
		DOC("The server.")},
	{"export.redis.username", SETTING_TEXT, FIELD(export.redis.username), "",
		DOC("ACL user. Empty: the default user.")},
	{"export.redis.password_file", SETTING_PATH, FIELD(export.redis.password_file), "",
		DOC("File with the password in its first line; mode 0600. Empty: none.")},
	{"export.redis.database", SETTING_COUNT, FIELD(export.redis.database), "0", 0, 65535,
		DOC("Database number; a cluster has only 0.")},
	{"export.redis.ttl", SETTING_SECONDS, FIELD(export.redis.ttl_s), "24h", 10, 31536000,
		DOC("Keys of a device or stream not seen that long expire.")},
	{"export.redis.pipeline", SETTING_COUNT, FIELD(export.redis.pipeline), "128", 1, 65536,
		DOC("Commands in flight.")},
	{"export.redis.alerts_kept", SETTING_COUNT, FIELD(export.redis.alerts_kept), "10000", 1,
		10000000, DOC("Length of the site's stream of alerts.")},
};

const size_t config_setting_count = sizeof(config_settings) / sizeof(config_settings[0]);

const struct setting *
setting_find(const char *path)
{
	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(config_settings[i].path, path) == 0)
			return &config_settings[i];
	return NULL;
}

bool
setting_is_section(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < config_setting_count; i++)
		if (strncmp(config_settings[i].path, path, length) == 0 &&
			config_settings[i].path[length] == '.')
			return true;
	return false;
}

bool
setting_is_child(const struct setting *setting, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(setting->path, prefix, length) == 0 &&
	       strchr(setting->path + length, '.') == NULL;
}

const char *
setting_key(const struct setting *setting)
{
	const char *dot = strrchr(setting->path, '.');

	return dot ? dot + 1 : setting->path;
}

const char *
zone_kind_name(enum zone_kind kind)
{
	return (size_t)kind < sizeof(zone_kinds) / sizeof(zone_kinds[0]) - 1 ? zone_kinds[kind]
									     : "unknown";
}

const char *
rule_name(enum rule_id rule)
{
	return (size_t)rule < RULE_COUNT ? rule_names[rule] : "unknown";
}
