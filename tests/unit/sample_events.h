/* SPDX-License-Identifier: Apache-2.0 */
/* Records with every field set, for tests of what leaves the house. `n` tells them apart. */
#ifndef CAMSPAN_TESTS_SAMPLE_EVENTS_H
#define CAMSPAN_TESTS_SAMPLE_EVENTS_H

#include "config/config.h"
#include "dataplane/records/event.h"
#include "dataplane/records/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_TIME INT64_C(1764000000123456789) /* 2025-11-24T16:00:00.123456789Z */

static inline struct config *
sample_config(void)
{
	struct config *config = config_defaults();

	if (config == NULL)
		abort();
	snprintf(config->site.name, sizeof(config->site.name), "hq");
	snprintf(config->sensor_name, sizeof(config->sensor_name), "span-1");
	config->export.file.enabled = false;
	config->export.state.enabled = false;
	config->export.kafka.enabled = false;
	config->export.redis.enabled = false;
	for (int i = 0; i < EVENT_DATASET_COUNT; i++)
		config->export.file.datasets[i] = config->export.kafka.datasets[i] = true;
	return config;
}

static inline struct ip_address
sample_ip(const char *text)
{
	struct ip_address ip;

	if (ip_parse(text, &ip) != 0)
		abort();
	return ip;
}

static inline struct mac_address
sample_mac(const char *text)
{
	struct mac_address mac;

	if (mac_parse(text, &mac) != 0)
		abort();
	return mac;
}

static inline struct flow_event
sample_flow(unsigned n)
{
	struct flow_event event = {
		.flow =
			{
				.start = SAMPLE_TIME,
				.end = SAMPLE_TIME + 1500000000,
				.id = 7 + n,
				.initiator = {sample_ip("10.1.20.31"),
					(uint16_t)(40000 + n % 20000)},
				.responder = {sample_ip("203.0.113.9"), 443},
				.initiator_mac = sample_mac("00:00:5e:00:53:23"),
				.responder_mac = sample_mac("00:00:5e:00:53:01"),
				.packets = {12, 10},
				.bytes = {3400, 8200},
				.tunnels = {.type = {TUNNEL_ERSPAN_II, TUNNEL_VXLAN},
					.id = 123,
					.source = {ADDRESS_IPV4, {192, 0, 2, 1}},
					.destination = {ADDRESS_IPV4, {192, 0, 2, 2}}},
				.tenant = 3,
				.outer_vlan = 200,
				.vlan = 20,
				.observation_point = 1,
				.protocol = 6,
				.tcp_flags = {0x1b, 0x1b},
				.end_reason = FLOW_END_DETECTED,
				.inspected = true,
				.first_record = true,
				.answered = true,
				.initiator_certain = true,
				.application_name = "tls",
			},
		.initiator_device = "0123456789abcdef",
		.responder_device = "fedcba9876543210",
		.initiator_domain = "camera-12.example.net",
		.responder_domain = "relay.example.com",
		.direction = "outbound",
	};

	return event;
}

static inline struct flow_event
sample_ping(void)
{
	struct flow_event event = sample_flow(0);

	event.flow.initiator = (struct endpoint){sample_ip("192.168.0.89"), 0};
	event.flow.responder = (struct endpoint){sample_ip("192.168.0.1"), 0};
	event.flow.protocol = 1;
	event.flow.icmp_type = 8;
	event.flow.first_record = false;
	event.sampling_interval = 4;
	return event;
}

static inline struct device_record
sample_device(unsigned n)
{
	struct device_record device = {
		.first_seen = SAMPLE_TIME - 60000000000,
		.last_seen = SAMPLE_TIME,
		.mac = sample_mac("00:00:5e:00:53:23"),
		.ips = {sample_ip("10.1.20.31"), sample_ip("fe80::200:5eff:fe00:5323")},
		.ip_count = 2,
		.device_class = DEVICE_CAMERA,
		.status = STATUS_RESTRICTED,
		.vlan = 20,
		.tenant = 3,
		.confidence = 0.98f,
		.brand_confidence = 0.9f,
		.status_reason = "maker hikvision: named by an order (vendors.tsv:7)",
		.class_account = {.prior = -4,
			.factor = 1,
			.supports = {[CHANNEL_DISCOVERY] = {4.5f, 4.5f}}},
		.vendor_account = {.prior = -1.5f,
			.factor = 1,
			.supports_id = "hikvision",
			.opposes_id = "dahua",
			.supports = {[CHANNEL_OUI] = {1.5f, 1.5f},
				[CHANNEL_DISCOVERY] = {3.25f, 3.25f}},
			.opposes = {[CHANNEL_HTTP] = {0.5f, 0.5f}}},
		.hostname = "camera-12",
		.brand = "ezviz",
		.maker = "hikvision",
		.model = "CS-C6N",
		.firmware = "V5.3.0 build 210101",
		.serial = "D12345678",
		.zone = "cameras",
		.zone_kind = ZONE_CAMERA,
		.fact_count = 2,
		.facts_dropped = 1,
		.facts =
			{
				{.first_seen = SAMPLE_TIME - 50000000000,
					.last_seen = SAMPLE_TIME - 1000000000,
					.count = 4,
					.attribute = ATTRIBUTE_SADP_MODEL,
					.side = SIDE_DEVICE,
					.channel = CHANNEL_DISCOVERY,
					.weight_class = 4.5f,
					.weight_vendor = 3.25f,
					.says_brand = "ezviz",
					.says_maker = "hikvision",
					.says_class = DEVICE_CAMERA,
					.value = "CS-C6N",
					.source = "fingerprints.tsv:12"},
				{.first_seen = SAMPLE_TIME - 60000000000,
					.last_seen = SAMPLE_TIME,
					.count = 900,
					.attribute = ATTRIBUTE_OUI,
					.side = SIDE_PEER,
					.channel = CHANNEL_OUI,
					.weight_vendor = 1.5f,
					.says_maker = "hikvision",
					.value = "00:00:5e",
					.source = "ouis.tsv:3"},
			},
	};

	snprintf(device.id, sizeof(device.id), "%016x", n + 1);
	return device;
}

static inline struct stream_record
sample_stream(unsigned n)
{
	struct stream_record stream = {
		.device_id = "0000000000000001",
		.first = SAMPLE_TIME - 20000000000,
		.last = SAMPLE_TIME,
		.camera = {sample_ip("10.1.20.31"), 6970},
		.viewer = {sample_ip("10.1.30.5"), 50002},
		.camera_mac = sample_mac("00:00:5e:00:53:23"),
		.viewer_mac = sample_mac("00:00:5e:00:53:42"),
		.vlan = 20,
		.tenant = 3,
		.transport = STREAM_RTP_UDP,
		.codec = CODEC_H264,
		.width = 1280,
		.height = 720,
		.fps = 24.97,
		.bitrate = 2100000,
		.packets = 5000,
		.bytes = 5250000,
		.lost = 3,
		.reordered = 1,
		.jitter_ms = 1.125,
		.gop = 50,
		.path = "/Streaming/Channels/101",
	};

	snprintf(stream.id, sizeof(stream.id), "%016x", 0x100 + n);
	return stream;
}

static inline struct alert_record
sample_alert(unsigned n)
{
	struct alert_record alert = {
		.rule_id = "unexpected-destination",
		.rule_name = "A camera talks to a destination that is not expected",
		.device_id = "0000000000000001",
		.device_brand = "ezviz",
		.device_maker = "hikvision",
		.device_mac = sample_mac("00:00:5e:00:53:23"),
		.device_ip = sample_ip("10.1.20.31"),
		.severity = 70,
		.state = ALERT_OPENED,
		.outcome = OUTCOME_CONNECTED,
		.protocol = 6,
		.destination = {sample_ip("203.0.113.9"), 443},
		.destination_domain = "relay.example.com",
		.zone = "internet",
		.bytes_out = 3400,
		.bytes_in = 8200,
		.count = 1,
		.first = SAMPLE_TIME - 5000000000,
		.last = SAMPLE_TIME,
		.reason =
			"camera of ezviz (made by hikvision) sent 3400 bytes to relay.example.com",
	};

	snprintf(alert.id, sizeof(alert.id), "%016x", 0x200 + n);
	return alert;
}

static inline struct health_record
sample_health(void)
{
	struct health_record health = {
		.time = SAMPLE_TIME,
		.uptime = 60000000000,
		.balance = {.received = 1000, .received_bytes = 640000},
	};

	health.balance.fates[PACKET_DECODED] = 998;
	health.balance.fates[DROP_IP_TRUNCATED] = 2;
	health_add(&health, "flow_table.inserted", HEALTH_COUNTER, 120);
	health_add(&health, "flow_table.occupied", HEALTH_GAUGE, 17);
	health_add(&health, "flow_table.evicted", HEALTH_LOSS, 0);
	return health;
}

#endif
