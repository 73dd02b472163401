/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode.h"
#include "tests/unit/encapsulate.h"
#include "tests/unit/encapsulations.h"
#include "tests/unit/packet_invariants.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_PORT 80

/* Decodes from a heap block of the exact size, so that ASan sees every byte read too far. */
static enum packet_drop
decode_exact(struct packet *packet, const uint8_t *bytes, size_t captured, size_t wire_length,
	const struct decode_options *options)
{
	uint8_t *block = malloc(captured ? captured : 1);
	enum packet_drop drop;

	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	memcpy(block, bytes, captured);
	memset(packet, 0xa5, sizeof(*packet));
	packet->data = block;
	packet->captured = (uint32_t)captured;
	packet->wire_length = (uint32_t)wire_length;
	packet->observation_point = 3;
	drop = decode_packet(packet, LINK_ETHERNET, options);
	if (drop == PACKET_DECODED && packet_broken_invariant(packet)) {
		fprintf(stderr, "%zu bytes: not %s\n", captured, packet_broken_invariant(packet));
		CU_FAIL("an invariant is broken");
	}
	CU_ASSERT_EQUAL(packet->captured, captured);
	CU_ASSERT_EQUAL(packet->wire_length, wire_length);
	free(block);
	packet->data = NULL;
	return drop;
}

static void
decode_recipe(struct packet *packet, const char *recipe, const struct decode_options *options)
{
	struct encapsulation frame = {.length = 0};
	enum packet_drop drop;

	encapsulate(&frame, recipe);
	drop = decode_exact(
		packet, encapsulation_bytes(&frame), frame.length, frame.length, options);
	if (drop != PACKET_DECODED)
		fprintf(stderr, "%s: %s\n", recipe, packet_drop_name(drop));
	CU_ASSERT_EQUAL_FATAL(drop, PACKET_DECODED);
}

static bool
is_hosts(const struct packet *packet)
{
	const char *source = packet->l3_kind == PACKET_L3_IPV4 ? "10.1.1.1" : "2001:db8::1";
	char text[ADDRESS_TEXT_SIZE];

	return packet->protocol == 17 && packet->source_port == 1000 &&
	       packet->destination_port == HOST_PORT && packet->payload_length == 12 &&
	       strcmp(ip_format(&packet->source, text), source) == 0;
}

static const char *
tunnel_names(const struct packet *packet)
{
	static char text[256];
	size_t length = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < packet->tunnel_count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
			i ? " " : "", tunnel_type_name(packet->tunnel[i].type));
	return text;
}

static bool
tenant_is(uint32_t tenant, uint32_t expected)
{
	if (expected >> TENANT_KIND_SHIFT == TENANT_DIGEST)
		return tenant >> TENANT_KIND_SHIFT == TENANT_DIGEST;
	return tenant == expected;
}

/* The MACs of the recipe's innermost Ethernet header end with the number of its word. */
static uint8_t
innermost_ethernet(const char *recipe)
{
	uint8_t number = 0, found = 0;

	for (const char *at = recipe; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncmp(at, "eth=", 4) == 0)
			found = number;
		number++;
	}
	return found;
}

static void
expect_case(const struct encapsulation_case *c, const struct packet *packet)
{
	bool good = is_hosts(packet) == !c->outside &&
		    strcmp(tunnel_names(packet), c->tunnels) == 0 &&
		    tenant_is(packet->tenant, c->tenant) && packet->tunnel_end == c->end &&
		    (c->outside || packet->key_vlan == c->vlan);

	if (!good)
		fprintf(stderr, "%s: %s, tunnels '%s', tenant %#x, VLAN %u, end %u\n", c->name,
			is_hosts(packet) ? "inside" : "outside", tunnel_names(packet),
			packet->tenant, packet->key_vlan, packet->tunnel_end);
	CU_ASSERT_TRUE(good);
	CU_ASSERT_EQUAL((packet->flags & PACKET_HAS_MACS) == 0, c->without_mac);
	CU_ASSERT_EQUAL(mac_is_set(&packet->source_mac), !c->without_mac);
	if (!c->without_mac && !c->outside)
		CU_ASSERT_EQUAL(packet->source_mac.bytes[5], innermost_ethernet(c->recipe));
}

static void
test_each_encapsulation(void)
{
	bool met[TUNNEL_TYPE_COUNT] = {false};
	struct packet packet;

	for (size_t i = 0; i < ENCAPSULATION_CASES; i++) {
		decode_recipe(&packet, encapsulation_cases[i].recipe, NULL);
		expect_case(&encapsulation_cases[i], &packet);
		for (unsigned n = 0; n < packet.tunnel_count; n++)
			met[packet.tunnel[n].type] = true;
	}
	for (int type = TUNNEL_NONE + 1; type < TUNNEL_TYPE_COUNT; type++)
		if (!met[type])
			fprintf(stderr, "no case for %s\n", tunnel_type_name((uint8_t)type));
	for (int type = TUNNEL_NONE + 1; type < TUNNEL_TYPE_COUNT; type++)
		CU_ASSERT_TRUE(met[type]);
}

/* Cut by the snap length and by the sender, at every byte. A frame cut by the snap length is the
 * host's, the tunnel's or dropped, but never a third one's. */
static void
test_every_cut(void)
{
	struct packet packet;

	for (size_t i = 0; i < ENCAPSULATION_CASES; i++) {
		struct encapsulation frame = {.length = 0};

		encapsulate(&frame, encapsulation_cases[i].recipe);
		for (size_t cut = 0; cut <= frame.length; cut++) {
			const uint8_t *bytes = encapsulation_bytes(&frame);

			if (decode_exact(&packet, bytes, cut, frame.length, NULL) == PACKET_DECODED)
				CU_ASSERT_TRUE(
					packet.flags & PACKET_TRUNCATED || cut == frame.length);
			decode_exact(&packet, bytes, cut, cut, NULL);
		}
	}
}

static void
test_random_mutations(void)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	struct packet packet;

	for (int round = 0; round < 100000; round++) {
		struct encapsulation frame = {.length = 0};
		size_t i = next_random(&random) % ENCAPSULATION_CASES;
		uint8_t *bytes;

		encapsulate(&frame, encapsulation_cases[i].recipe);
		bytes = frame.room + ENCAPSULATE_SIZE - frame.length;
		for (unsigned n = next_random(&random) % 4 + 1; n > 0; n--)
			bytes[next_random(&random) % frame.length] = (uint8_t)next_random(&random);
		decode_exact(&packet, bytes,
			next_random(&random) % 4 ? frame.length
						 : next_random(&random) % frame.length,
			frame.length, NULL);
	}
}

/* Headers without end: the decoder stops where it says. */
static void
test_nesting_bombs(void)
{
	static const char *const layers[] = {"ip4=4 ", "ip4=47 hex=00000800 ", "ip6=41 ",
		"ip4=47 hex=00006558 eth=0800 ", "ip4=17 udp=4789 hex=0800000000007b00 eth=0800 "};
	struct packet packet;

	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		char recipe[2048] = "eth=0800 ";

		if (layers[i][2] == '6')
			strcpy(recipe, "eth=86dd ");
		for (int n = 0; n < 20; n++)
			strcat(recipe, layers[i]);
		strcat(recipe, layers[i][2] == '6' ? HOST6 : HOST4);
		decode_recipe(&packet, recipe, NULL);
		CU_ASSERT_EQUAL(packet.tunnel_count, PACKET_MAX_TUNNELS);
		CU_ASSERT_EQUAL(packet.tunnel_end, TUNNEL_END_TOO_DEEP);
	}
}

static void
test_link_bombs(void)
{
	static const struct {
		const char *layer;
		enum packet_drop drop;
	} bombs[] = {
		{"hex=000c81ff hex=00000000 eth=8847 ", DROP_LINK_DEPTH}, /* pseudowires */
		{"hex=00001234 eth=88e7 ", DROP_LINK_DEPTH},
		{"hex=000000338926 ", DROP_LINK_DEPTH},
		{"hex=000a8100 ", DROP_VLAN_DEPTH},
		{"hex=0040 eth=8903 ", DROP_LINK_DEPTH},
	};
	static const char *const first[] = {
		"eth=8847 ", "eth=88e7 ", "eth=8926 ", "eth=8100 ", "eth=8903 "};
	struct packet packet;

	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		struct encapsulation frame = {.length = 0};
		char recipe[2048];

		strcpy(recipe, first[i]);
		for (int n = 0; n < 20; n++)
			strcat(recipe, bombs[i].layer);
		strcat(recipe, "data data");
		encapsulate(&frame, recipe);
		CU_ASSERT_EQUAL(decode_exact(&packet, encapsulation_bytes(&frame), frame.length,
					frame.length, NULL),
			bombs[i].drop);
	}
}

/* A long chain of extension headers before each of four tunnels: offsets stay in 16 bits. */
static void
test_headers_without_end(void)
{
	static uint8_t bytes[65000];
	struct packet packet;
	size_t at = 14;

	memset(bytes, 0, sizeof(bytes));
	bytes[12] = 0x86;
	bytes[13] = 0xdd;
	while (at + 40 + 8 * 2048 < sizeof(bytes)) {
		bytes[at] = 0x60;
		bytes[at + 4] = bytes[at + 5] = 0xff;
		bytes[at + 6] = 60;
		at += 40;
		for (int n = 0; n < 8; n++, at += 2048) {
			bytes[at] = n < 7 ? 60 : 41;
			bytes[at + 1] = 255;
		}
	}
	CU_ASSERT_EQUAL(
		decode_exact(&packet, bytes, sizeof(bytes), sizeof(bytes), NULL), PACKET_DECODED);
	CU_ASSERT_EQUAL(packet.tunnel_end, TUNNEL_END_NOT_UNDERSTOOD);
	CU_ASSERT_EQUAL(packet.tunnel_count, 0);
}

static void
test_outer_addresses_and_ids(void)
{
	char text[ADDRESS_TEXT_SIZE];
	struct packet packet;

	decode_recipe(&packet,
		"eth=0800 ip4=47 " ERSPAN2 "eth=0800 ip4=17 udp=2152 "
		"hex=30ffLLLL12345678 " HOST4,
		NULL);
	CU_ASSERT_EQUAL_FATAL(packet.tunnel_count, 2);
	CU_ASSERT_EQUAL(packet.tunnel[0].id, 7);
	CU_ASSERT_EQUAL(packet.tunnel[1].id, 0x12345678);
	CU_ASSERT_STRING_EQUAL(ip_format(&packet.tunnel[0].source, text), "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(ip_format(&packet.tunnel[0].destination, text), "198.51.100.1");
	CU_ASSERT_STRING_EQUAL(ip_format(&packet.tunnel[1].source, text), "192.0.2.5");
	decode_recipe(&packet, "eth=8847 hex=0006403f hex=000c81ff " HOST4, NULL);
	CU_ASSERT_EQUAL(packet.tunnel[0].id, 200);
	CU_ASSERT_FALSE(ip_is_set(&packet.tunnel[0].source));
}

/* Pairs of frames of one conversation, or of hosts with equal addresses in different networks. */
static void
test_tenants(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"eth=0800 ip4=17 " VXLAN FRAME,
			"eth=8100 hex=00050800 ip4=17 udp=8472 hex=0800000000007b00 " FRAME, true},
		{"eth=0800 ip4=17 " VXLAN FRAME,
			"eth=0800 ip4=17 udp=4789 hex=0800000000007c00 " FRAME, false},
		{"eth=0800 ip4=17 " VXLAN FRAME,
			"eth=0800 ip4=17 udp=6081 hex=0000655800007b00 " FRAME, false},
		{"eth=0800 ip4=17 udp=2152 hex=30ffLLLL00000001 " HOST4,
			"eth=0800 ip4=17 udp=2152 hex=30ffLLLL00000002 " HOST4, true},
		{"eth=8847 hex=000c81ff " HOST4, FRAME, true},
		{"eth=8903 hex=0040 " FRAME, FRAME, true},
		{"eth=0800 ip4=4 " HOST4, FRAME, false},
		{"eth=0800 ip4=4 " HOST4, "eth=8100 hex=00050800 ip4=4 " HOST4, false},
		{"eth=8100 hex=00060800 ip4=4 " HOST4, "eth=8100 hex=00050800 ip4=4 " HOST4, false},
		{"eth=8100 hex=00018100 hex=00640800 " HOST4,
			"eth=8100 hex=00028100 hex=00640800 " HOST4, false},
		{"eth=8100 hex=00018864 hex=1100002aLLLL hex=0021 " HOST4,
			"eth=8100 hex=00028864 hex=1100002aLLLL hex=0021 " HOST4, true},
		{"eth=8100 hex=00018100 hex=00078864 hex=1100002aLLLL hex=0021 " HOST4,
			"eth=8100 hex=00028100 hex=00078864 hex=1100002aLLLL hex=0021 " HOST4,
			false},
		{"eth=0800 ip4=47 hex=2000080001000005 " HOST4,
			"eth=0800 ip4=47 hex=2000080002000005 " HOST4, false},
		{"eth=0800 ip4=47 hex=20006558 hex=12345601 " FRAME,
			"eth=0800 ip4=47 hex=20006558 hex=12345602 " FRAME, true},
	};
	struct packet a, b;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		decode_recipe(&a, pairs[i].a, NULL);
		decode_recipe(&b, pairs[i].b, NULL);
		if ((a.tenant == b.tenant) != pairs[i].same)
			fprintf(stderr, "%s: %#x\n%s: %#x\n", pairs[i].a, a.tenant, pairs[i].b,
				b.tenant);
		CU_ASSERT_EQUAL(a.tenant == b.tenant, pairs[i].same);
	}
}

static void
test_what_takes_part(void)
{
	static const char *const recipe =
		"eth=0800 ip4=17 " VXLAN "eth=8100 hex=00c88100 hex=00640800 " HOST4;
	struct decode_options without_vlans = {.ignore_vlans = true};
	struct decode_options without_tunnels = {.ignore_tunnels = true};
	struct decode_options port_only = {
		.ignore_vlans = true, .ignore_tunnels = true, .by_port = true};
	struct packet packet;

	decode_recipe(&packet, recipe, &without_vlans);
	CU_ASSERT_EQUAL(packet.tenant, KIND(VXLAN, 123));
	CU_ASSERT_EQUAL(packet.key_vlan, 0);
	CU_ASSERT_EQUAL(packet_vlan(&packet), 100);
	decode_recipe(&packet, recipe, &without_tunnels);
	CU_ASSERT_EQUAL(packet.tenant, KIND(VLANS, 200));
	CU_ASSERT_EQUAL(packet.key_vlan, 100);
	decode_recipe(&packet, recipe, &port_only);
	CU_ASSERT_EQUAL(packet.tenant, 3u << TENANT_PORT_SHIFT);
	CU_ASSERT_EQUAL(packet.key_vlan, 0);
	decode_recipe(&packet, FRAME, &port_only);
	CU_ASSERT_EQUAL(packet.tenant, 3u << TENANT_PORT_SHIFT);
}

/* A tunnel's first fragment shows the host's packet; the later ones are the tunnel's. */
static void
test_fragmented_carrier(void)
{
	struct encapsulation frame = {.length = 0};
	struct packet packet;
	uint8_t *bytes;

	encapsulate(&frame, "eth=0800 ip4=17 " VXLAN FRAME);
	bytes = frame.room + ENCAPSULATE_SIZE - frame.length;
	bytes[20] = 0x20; /* more fragments */
	bytes[17] -= 8;   /* of which this one is eight bytes short */
	CU_ASSERT_EQUAL(decode_exact(&packet, bytes, frame.length - 8, frame.length - 8, NULL),
		PACKET_DECODED);
	CU_ASSERT_EQUAL(packet.tunnel_count, 1);
	CU_ASSERT_EQUAL(packet.destination_port, HOST_PORT);
	CU_ASSERT_EQUAL(packet.payload_length, 4);
	CU_ASSERT_EQUAL(packet.payload_wire_length, 12);
	CU_ASSERT_TRUE(packet.flags & PACKET_TRUNCATED);
	CU_ASSERT_FALSE(packet.flags & PACKET_IS_FRAGMENT);
	bytes[21] = 1;
	CU_ASSERT_EQUAL(
		decode_exact(&packet, bytes, frame.length, frame.length, NULL), PACKET_DECODED);
	CU_ASSERT_EQUAL(packet.tunnel_count, 0);
	CU_ASSERT_TRUE(packet.flags & PACKET_LATER_FRAGMENT);
}

static void
test_tunnel_ports(void)
{
	unsigned count = 0;

	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		bool known = false;

		for (unsigned i = 0; i < DECODE_TUNNEL_PORTS; i++)
			known |= decode_tunnel_ports[i] == port;
		CU_ASSERT_EQUAL(decode_may_be_tunnel(port << 16 | 53), known);
		CU_ASSERT_EQUAL(decode_may_be_tunnel(53 << 16 | port), known);
		count += known;
	}
	CU_ASSERT_EQUAL(count, DECODE_TUNNEL_PORTS);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"each encapsulation", test_each_encapsulation},
		{"every cut", test_every_cut},
		{"random mutations", test_random_mutations},
		{"nesting bombs", test_nesting_bombs},
		{"bombs below IP", test_link_bombs},
		{"headers without end", test_headers_without_end},
		{"outer addresses and ids", test_outer_addresses_and_ids},
		{"tenants", test_tenants},
		{"what takes part in a tenant", test_what_takes_part},
		{"a fragmented carrier", test_fragmented_carrier},
		{"tunnel ports", test_tunnel_ports},
		CU_TEST_INFO_NULL,
	};

	return unit_run("decode tunnels", tests);
}
