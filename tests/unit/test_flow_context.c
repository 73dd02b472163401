/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_context.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct packet
vxlan_packet(uint8_t from, uint32_t network)
{
	struct packet packet = {.observation_point = 2, .vlan = {10, 20}, .vlan_count = 2};

	packet.tunnel_count = 2;
	packet.tunnel[0] = (struct packet_tunnel){.type = TUNNEL_MPLS, .id = network * 3};
	packet.tunnel[1] = (struct packet_tunnel){.type = TUNNEL_VXLAN,
		.id = network,
		.source = {ADDRESS_IPV4, {192, 0, 2, from}},
		.destination = {ADDRESS_IPV4, {192, 0, 2, 99}}};
	return packet;
}

static void
test_plain_flows_need_none(void)
{
	struct packet packet = {.observation_point = 5, .vlan = {10}, .vlan_count = 1};
	struct flow_record record = {0};
	struct flow_contexts contexts;
	uint16_t number;

	CU_ASSERT_EQUAL_FATAL(flow_contexts_init(&contexts, &memory_from_system), 0);
	number = flow_contexts_take(&contexts, &packet);
	CU_ASSERT_EQUAL(contexts.in_use, 0);
	flow_contexts_describe(&contexts, number, &record);
	CU_ASSERT_EQUAL(record.observation_point, 5);
	CU_ASSERT_EQUAL(record.outer_vlan, 0);
	CU_ASSERT_EQUAL(record.tunnels.type[0], TUNNEL_NONE);
	flow_contexts_give_back(&contexts, number);
	flow_contexts_free(&contexts);
}

static void
test_flows_share_one(void)
{
	struct packet a = vxlan_packet(1, 7), b = vxlan_packet(2, 7);
	struct flow_record record = {0};
	struct flow_contexts contexts;
	uint16_t first;

	CU_ASSERT_EQUAL_FATAL(flow_contexts_init(&contexts, &memory_from_system), 0);
	first = flow_contexts_take(&contexts, &a);
	a.tunnel[0].id++; /* a label: no part of it */
	CU_ASSERT_EQUAL(flow_contexts_take(&contexts, &a), first);
	CU_ASSERT_NOT_EQUAL(flow_contexts_take(&contexts, &b), first);
	CU_ASSERT_EQUAL(contexts.in_use, 2);
	flow_contexts_describe(&contexts, first, &record);
	CU_ASSERT_EQUAL(record.observation_point, 2);
	CU_ASSERT_EQUAL(record.outer_vlan, 10);
	CU_ASSERT_EQUAL(record.tunnels.type[0], TUNNEL_MPLS);
	CU_ASSERT_EQUAL(record.tunnels.type[1], TUNNEL_VXLAN);
	CU_ASSERT_EQUAL(record.tunnels.id, 7);
	CU_ASSERT_EQUAL(record.tunnels.source.bytes[3], 1);
	flow_contexts_give_back(&contexts, first);
	CU_ASSERT_EQUAL(contexts.in_use, 2);
	flow_contexts_give_back(&contexts, first);
	CU_ASSERT_EQUAL(contexts.in_use, 1);
	flow_contexts_free(&contexts);
}

static void
test_full_and_free_again(void)
{
	static uint16_t numbers[FLOW_CONTEXTS];
	struct flow_contexts contexts;
	struct packet packet;

	CU_ASSERT_EQUAL_FATAL(flow_contexts_init(&contexts, &memory_from_system), 0);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < FLOW_CONTEXTS; i++) {
			packet = vxlan_packet(1, i);
			numbers[i] = flow_contexts_take(&contexts, &packet);
			CU_ASSERT_TRUE(numbers[i] >= FLOW_CONTEXT_FIRST);
		}
		packet = vxlan_packet(1, FLOW_CONTEXTS);
		CU_ASSERT_EQUAL(flow_contexts_take(&contexts, &packet), 2);
		CU_ASSERT_EQUAL(contexts.refused, (uint64_t)round + 1);
		packet = vxlan_packet(1, 77);
		CU_ASSERT_EQUAL(flow_contexts_take(&contexts, &packet), numbers[77]);
		flow_contexts_give_back(&contexts, numbers[77]);
		for (uint32_t i = 0; i < FLOW_CONTEXTS; i++)
			flow_contexts_give_back(&contexts, numbers[(i * 7919) % FLOW_CONTEXTS]);
		CU_ASSERT_EQUAL(contexts.in_use, 0);
	}
	flow_contexts_free(&contexts);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"plain flows need none", test_plain_flows_need_none},
		{"flows share one", test_flows_share_one},
		{"full, and free again", test_full_and_free_again},
		CU_TEST_INFO_NULL,
	};

	return unit_run("flow context", tests);
}
