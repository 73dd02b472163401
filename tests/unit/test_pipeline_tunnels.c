/* SPDX-License-Identifier: Apache-2.0 */
/* Given these encapsulated packets, these flows. */
#include "tests/unit/encapsulate.h"
#include "tests/unit/encapsulations.h"
#include "tests/unit/pipeline_fixture.h"

#define VXLAN_OF(network) "eth=0800 ip4=17 udp=4789 hex=08000000" network " "
#define GTPU_OF(endpoint) "eth=0800 ip4=17 udp=2152 hex=30ffLLLL" endpoint " "

/* Packets from the host and, with ANSWER, to it, each on a port. */
#define ANSWER 0x100

static const struct {
	const char *name;
	const char *recipes[4];
	uint16_t how[4]; /* observation point, ANSWER */
	struct decode_options options;
	unsigned flows;
	const char *tunnel; /* of the last record: the innermost */
	uint16_t vlan, outer_vlan;
} cases[] = {
	{"both directions of a VXLAN", {VXLAN_OF("00007b00") FRAME, VXLAN_OF("00007b00") FRAME},
		{0, ANSWER}, .flows = 1, .tunnel = "vxlan"},
	{"equal addresses in two VXLANs", {VXLAN_OF("00007b00") FRAME, VXLAN_OF("00007c00") FRAME},
		{0, ANSWER}, .flows = 2, .tunnel = "vxlan"},
	{"both directions of a GTP tunnel", {GTPU_OF("00000001") HOST4, GTPU_OF("00000002") HOST4},
		{0, ANSWER}, .flows = 1, .tunnel = "gtp-u"},
	{"one direction with a label", {"eth=8847 hex=000c81ff " HOST4, FRAME}, {0, ANSWER},
		.flows = 1, .tunnel = "mpls"},
	{"inside and outside of a tunnel", {"eth=0800 ip4=4 " HOST4, FRAME}, {0, ANSWER},
		.flows = 2},
	{"customers behind two tags",
		{"eth=88a8 hex=00018100 hex=00640800 " HOST4,
			"eth=88a8 hex=00028100 hex=00640800 " HOST4,
			"eth=88a8 hex=00028100 hex=00640800 " HOST4},
		{0, 0, ANSWER}, .flows = 2, .tunnel = "", .vlan = 100},
	{"VLANs are told apart",
		{"eth=8100 hex=00010800 " HOST4, "eth=8100 hex=00020800 " HOST4, FRAME}, {0},
		.flows = 3},
	{"VLANs are not, if so configured",
		{"eth=8100 hex=00010800 " HOST4, "eth=8100 hex=00020800 " HOST4, FRAME,
			"eth=88a8 hex=00018100 hex=00640800 " HOST4},
		{0, ANSWER}, {.ignore_vlans = true}, .flows = 1, .tunnel = ""},
	{"tunnels are not, if so configured",
		{VXLAN_OF("00007b00") FRAME, VXLAN_OF("00007c00") FRAME, FRAME}, {0, ANSWER},
		{.ignore_tunnels = true}, .flows = 1, .tunnel = "vxlan"},
	{"ports are not told apart", {FRAME, FRAME}, {1, 2}, .flows = 1, .tunnel = ""},
	{"ports are, if so configured", {FRAME, FRAME, FRAME}, {1, 2 | ANSWER, 2},
		{.by_port = true}, .flows = 2, .tunnel = ""},
};

static void
swap(uint8_t *a, uint8_t *b, size_t length)
{
	uint8_t kept[16];

	memcpy(kept, a, length);
	memcpy(a, b, length);
	memcpy(b, kept, length);
}

/* The host's datagram as its peer's answer. */
static void
turn_around(uint8_t *bytes, size_t length)
{
	static const uint8_t hosts[8] = {10, 1, 1, 1, 10, 1, 1, 2};
	uint8_t *at = memmem(bytes, length, hosts, sizeof(hosts));

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	swap(at, at + 4, 4);
	swap(at + 8, at + 10, 2);
}

static void
send_recipe(const char *recipe, uint16_t how, int64_t time)
{
	struct encapsulation frame = {.length = 0};
	struct frame_view view = {.time = time, .observation_point = how & 0xff};
	uint8_t *bytes;

	encapsulate(&frame, recipe);
	bytes = frame.room + ENCAPSULATE_SIZE - frame.length;
	if (how & ANSWER)
		turn_around(bytes, frame.length);
	view.data = bytes;
	view.captured = view.wire_length = (uint32_t)frame.length;
	pipeline_burst(&pipeline, &view, 1, LINK_ETHERNET);
}

static const char *
innermost(const struct flow_record *record)
{
	const char *name = "";

	for (unsigned i = 0; i < PACKET_MAX_TUNNELS && record->tunnels.type[i]; i++)
		name = tunnel_type_name(record->tunnels.type[i]);
	return name;
}

static void
test_networks(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t packets = 0, sent = 0;

		begin_with(&cases[i].options);
		for (; sent < 4 && cases[i].recipes[sent]; sent++)
			send_recipe(
				cases[i].recipes[sent], cases[i].how[sent], START + (int64_t)sent);
		CU_ASSERT_TRUE(pipeline_flush(&pipeline));
		if (out.count != cases[i].flows)
			fprintf(stderr, "%s: %u flows\n", cases[i].name, out.count);
		CU_ASSERT_EQUAL(out.count, cases[i].flows);
		for (unsigned n = 0; n < out.count; n++)
			packets += out.records[n].packets[0] + out.records[n].packets[1];
		CU_ASSERT_EQUAL(packets, sent);
		if (cases[i].tunnel && strcmp(innermost(&out.records[0]), cases[i].tunnel) != 0) {
			fprintf(stderr, "%s: %s\n", cases[i].name, innermost(&out.records[0]));
			CU_FAIL("another tunnel");
		}
		if (cases[i].vlan)
			CU_ASSERT_EQUAL(out.records[0].vlan, cases[i].vlan);
		CU_ASSERT_EQUAL(pipeline.contexts.in_use, 0);
		end();
	}
}

static void
test_a_record_tells_the_tunnel(void)
{
	const struct flow_record *record;

	begin();
	send_recipe("eth=88a8 hex=00c88100 hex=00640800 ip4=47 " ERSPAN2
		    "eth=88a8 hex=00018100 hex=00020800 ip4=17 " VXLAN FRAME,
		3, START);
	record = only_record();
	CU_ASSERT_EQUAL(record->tunnels.type[0], TUNNEL_ERSPAN_II);
	CU_ASSERT_EQUAL(record->tunnels.type[1], TUNNEL_VXLAN);
	CU_ASSERT_EQUAL(record->tunnels.id, 123);
	CU_ASSERT_EQUAL(record->tunnels.source.bytes[0], 192);
	CU_ASSERT_EQUAL(record->tunnels.destination.bytes[0], 198);
	CU_ASSERT_EQUAL(record->observation_point, 3);
	CU_ASSERT_EQUAL(record->outer_vlan, 0);
	CU_ASSERT_EQUAL(record->bytes[0], 40); /* the host's datagram */
	end();
	begin();
	send_recipe("eth=88a8 hex=00c88100 hex=00640800 " HOST4, 0, START);
	record = only_record();
	CU_ASSERT_EQUAL(record->outer_vlan, 200);
	CU_ASSERT_EQUAL(record->vlan, 100);
	end();
	begin(); /* control messages are the tunnel's own flow */
	send_recipe("eth=0800 ip4=17 udp=2152 hex=3201LLLL00000000 data", 0, START);
	CU_ASSERT_EQUAL(only_record()->responder.port, 2152);
	CU_ASSERT_EQUAL(pipeline.tunnels.not_understood, 1);
	end();
}

static void
test_fragments_are_one_flow(void)
{
	static const uint16_t fields[] = {0x2000, 0x2002, 0x0004};
	const struct flow_record *record;

	begin();
	for (size_t i = 0; i < 3; i++) {
		struct encapsulation frame = {.length = 0};
		struct frame_view view = {.time = START};
		uint8_t *bytes;

		encapsulate(&frame, i ? "eth=0800 ip4=17 data" : FRAME);
		bytes = frame.room + ENCAPSULATE_SIZE - frame.length;
		encapsulation_put16(bytes + 20, fields[i]);
		view.data = bytes;
		view.captured = view.wire_length = (uint32_t)frame.length;
		pipeline_burst(&pipeline, &view, 1, LINK_ETHERNET);
	}
	record = only_record();
	CU_ASSERT_EQUAL(record->packets[0], 3);
	CU_ASSERT_EQUAL(record->bytes[0], 40 + 32 + 32);
	CU_ASSERT_EQUAL(record->responder.port, 80);
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"networks with equal addresses", test_networks},
		{"a record tells the tunnel", test_a_record_tells_the_tunnel},
		{"fragments are one flow", test_fragments_are_one_flow},
		CU_TEST_INFO_NULL,
	};

	return unit_run("pipeline tunnels", tests);
}
