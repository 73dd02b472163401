/* SPDX-License-Identifier: Apache-2.0 */
/* Given packets and their copies, these flows: deduplication in the worker's path. */
#include "dataplane/flow_update.h"
#include "dataplane/pipeline.h"
#include "tests/unit/frames.h"
#include "tests/unit/no_reports.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define START       INT64_C(1700000000000000000)
#define MILLISECOND INT64_C(1000000)
#define RECORDS_MAX 16

static struct {
	struct flow_record records[RECORDS_MAX];
	unsigned count;
} out;

static struct pipeline pipeline;
static struct dispatch *dispatch;
static struct config *config;
static const struct frame_end camera = {1, 554}, viewer = {2, 40000};

static bool
on_flow(void *context, const struct flow_record *record)
{
	(void)context;
	out.records[out.count++ % RECORDS_MAX] = *record;
	return true;
}

static void
begin(uint32_t ports)
{
	struct pipeline_settings settings = {
		.output = {NULL, on_flow, no_reports},
		.memory = &memory_from_system,
		.config = config,
		.dispatch = dispatch,
		.deduplicated_ports = ports,
	};

	memset(&out, 0, sizeof(out));
	CU_ASSERT_EQUAL_FATAL(pipeline_init(&pipeline, &settings), 0);
}

static void
end(void)
{
	const struct packet_balance *balance = &pipeline.balance;
	uint64_t fates = 0;

	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		fates += balance->fates[fate];
	CU_ASSERT_EQUAL(balance->received, fates);
	pipeline_free(&pipeline);
}

/* `vlan` 0: untagged. */
static void
send(const struct frame *frame, uint16_t vlan, int64_t time)
{
	struct frame tagged = *frame;
	struct frame_view view;

	if (vlan) {
		memmove(tagged.bytes + 16, frame->bytes + 12, frame->length - 12);
		frame_put16(&tagged, 12, 0x8100);
		frame_put16(&tagged, 14, vlan);
		tagged.length += 4;
	}
	view = frame_view(&tagged, time);
	pipeline_burst(&pipeline, &view, 1, LINK_ETHERNET);
}

/* A router between VLAN 10, the viewer's, and VLAN 20, the camera's: each packet is seen first
 * where it comes from. */
static void
send_routed_conversation(bool ipv6)
{
	for (uint32_t i = 0; i < 3; i++) {
		bool answer = i == 1;
		struct frame_end from = answer ? camera : viewer, to = answer ? viewer : camera;
		uint8_t flags = i == 0 ? TCP_SYN : answer ? TCP_SYN | TCP_ACK : TCP_ACK;
		int64_t time = START + i * MILLISECOND;
		struct frame frame;

		if (ipv6) {
			frame_ipv6(&frame, from.host, to.host, 6, 20);
			frame_tcp_header(&frame, from, to, flags, 1000, 1);
		} else {
			frame_tcp(&frame, from, to, flags, 1000, 1, "");
		}
		send(&frame, answer ? 20 : 10, time);
		frame.bytes[11] = 99; /* now the router's, with one hop less */
		frame.bytes[14 + (ipv6 ? 7 : 8)]--;
		send(&frame, answer ? 10 : 20, time + MILLISECOND / 2);
	}
}

static void
test_a_routed_conversation_is_one_answered_flow(void)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct flow_record *record = &out.records[0];

		begin(1);
		send_routed_conversation(ipv6);
		CU_ASSERT_EQUAL(pipeline.balance.fates[DROP_DUPLICATE], 3);
		CU_ASSERT_EQUAL(pipeline.balance.fates[PACKET_DECODED], 3);
		CU_ASSERT_TRUE(pipeline_flush(&pipeline));
		CU_ASSERT_EQUAL_FATAL(out.count, 1);
		CU_ASSERT_TRUE(record->answered);
		CU_ASSERT_EQUAL(record->packets[0], 2);
		CU_ASSERT_EQUAL(record->packets[1], 1);
		CU_ASSERT_EQUAL(record->initiator.port, viewer.port);
		CU_ASSERT_EQUAL(record->initiator_mac.bytes[5], viewer.host);
		CU_ASSERT_EQUAL(record->vlan, 10);
		end();
	}
}

static void
test_vlans_can_stay_apart(void)
{
	config->dataplane.deduplication.across_vlans = false;
	begin(1);
	send_routed_conversation(false);
	send_routed_conversation(false);
	CU_ASSERT_EQUAL(pipeline.balance.fates[DROP_DUPLICATE], 6);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(out.records[i].answered);
		CU_ASSERT_EQUAL(out.records[i].packets[0], 2);
		CU_ASSERT_EQUAL(out.records[i].vlan, i ? 20 : 10);
	}
	end();
	config->dataplane.deduplication.across_vlans = true;
}

/* An entry of the flow table is used again: its VLAN is the new flow's. */
static void
test_the_vlan_is_that_of_the_flow(void)
{
	struct frame frame;

	begin(1);
	for (uint16_t i = 0; i < 3; i++) {
		frame_udp(&frame, camera, viewer, &i, sizeof(i));
		send(&frame, i * 7, START + i * INT64_C(3600000000000));
	}
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 3);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(out.records[i].vlan, i * 7);
	end();
}

static void
test_off_by_default(void)
{
	struct frame frame;

	CU_ASSERT_EQUAL(dedup_ports_of(config, false), 0);
	begin(0);
	frame_udp(&frame, camera, viewer, "x", 1);
	send(&frame, 0, START);
	send(&frame, 0, START);
	send(&frame, 10, START);
	CU_ASSERT_EQUAL(pipeline.balance.fates[PACKET_DECODED], 3);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(out.count, 2);
	end();
}

/* In no flow, and told once anyway: ARP passes. What was dropped has its reason already. */
static void
test_only_flows_are_compared(void)
{
	struct frame arp, other;

	begin(1);
	frame_link(&arp, 1, 0xff, 0x0806);
	frame_append(&arp, "\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2", 28);
	frame_link(&other, 1, 2, 0x1234);
	frame_append(&other, "unknown", 7);
	for (int i = 0; i < 2; i++) {
		send(&arp, 0, START);
		send(&other, 0, START);
	}
	CU_ASSERT_EQUAL(pipeline.balance.fates[PACKET_DECODED], 2);
	CU_ASSERT_EQUAL(pipeline.balance.fates[DROP_NOT_INSPECTED], 2);
	CU_ASSERT_EQUAL(pipeline.balance.fates[DROP_DUPLICATE], 0);
	end();
}

static void
test_the_configuration_names_ports(void)
{
	struct config_port ports[] = {{.deduplicate = false}, {.deduplicate = true}};
	struct config_dataplane *dataplane = &config->dataplane;

	CU_ASSERT_EQUAL(dedup_ports_of(config, false), 0);
	CU_ASSERT_EQUAL(dedup_ports_of(config, true), 0);
	CU_ASSERT_EQUAL(dedup_memory(config), 0);
	dataplane->ports = ports;
	dataplane->port_count = 2;
	CU_ASSERT_EQUAL(dedup_ports_of(config, false), 2);
	CU_ASSERT_EQUAL(dedup_ports_of(config, true), 0);
	CU_ASSERT_TRUE(dedup_memory(config) >= dataplane->deduplication.entries * 12);
	ports[0].deduplicate = true;
	CU_ASSERT_EQUAL(dedup_ports_of(config, true), 1);
	dataplane->ports = NULL;
	dataplane->port_count = 0;
	dataplane->deduplication.captures = true;
	CU_ASSERT_EQUAL(dedup_ports_of(config, true), 1);
	CU_ASSERT_EQUAL(dedup_ports_of(config, false), 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a routed conversation is one answered flow",
			test_a_routed_conversation_is_one_answered_flow},
		{"VLANs can stay apart", test_vlans_can_stay_apart},
		{"the VLAN is that of the flow", test_the_vlan_is_that_of_the_flow},
		{"off by default", test_off_by_default},
		{"only flows are compared", test_only_flows_are_compared},
		{"the configuration names ports", test_the_configuration_names_ports},
		CU_TEST_INFO_NULL,
	};
	int status;

	config = config_defaults();
	config->flows.ipv4_max = config->flows.ipv6_max = 1024;
	config->inspection.flows_max = config->inspection.stream_buffers = 64;
	dispatch = dispatch_create();
	status = unit_run("dedup flows", tests);
	dispatch_free(dispatch);
	config_free(config);
	return status;
}
