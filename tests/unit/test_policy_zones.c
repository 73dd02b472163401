/* SPDX-License-Identifier: Apache-2.0 */
/* Zone look-up against a naive one, and floods of random input against the bounds. */
#include "classifiers/destinations/zones.h"
#include "tests/unit/policy_world.h"

#include <malloc.h>
#include <time.h>

static struct world world;
static uint64_t random_state;

/* xorshift64*: the same numbers on every run. */
static uint64_t
random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* Few distinct bytes, so that networks nest, touch and repeat. */
static struct ip_address
random_address(bool ipv6, unsigned spread)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		uint64_t pick = random_next() % spread;

		bytes[i] = pick == 0 ? 0 : pick == 1 ? 0xff : (uint8_t)(pick * 0x55);
	}
	return ipv6 ? ip_from_ipv6(bytes) : ip_from_ipv4(bytes);
}

static struct network
random_network(void)
{
	bool ipv6 = random_next() & 1;
	unsigned bits = ipv6 ? 128 : 32;
	struct network network = {.ip = random_address(ipv6, 4),
		.prefix_length = (uint8_t)(random_next() % (bits + 1))};

	for (unsigned bit = network.prefix_length; bit < bits; bit++)
		network.ip.bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	return network;
}

static const struct config_zone *
naive_zone(const struct config *config, const struct ip_address *ip)
{
	const struct config_zone *best = NULL;
	int longest = -1;

	for (size_t z = 0; z < config->zone_count; z++)
		for (size_t n = 0; n < config->zones[z].network_count; n++) {
			const struct network *network = &config->zones[z].networks[n];

			if (network_contains(network, ip) && network->prefix_length > longest) {
				longest = network->prefix_length;
				best = &config->zones[z];
			}
		}
	return best;
}

/* The first, the last and the addresses just outside of a network. */
static void
compare_edges(const struct config *config, const struct zones *zones, const struct network *network)
{
	unsigned size = network->ip.family == ADDRESS_IPV4 ? 4 : 16;
	struct ip_address edges[4] = {network->ip, network->ip, network->ip, network->ip};

	for (unsigned bit = network->prefix_length; bit < size * 8; bit++)
		edges[1].bytes[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	edges[2] = edges[1];
	for (unsigned i = size; i-- > 0 && ++edges[2].bytes[i] == 0;)
		;
	for (unsigned i = size; i-- > 0 && edges[3].bytes[i]-- == 0;)
		;
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_PTR_EQUAL(
			zones_place(zones, &edges[i], 0).zone, naive_zone(config, &edges[i]));
}

static void
test_against_a_naive_lookup(void)
{
	enum { ZONES = 20, NETWORKS = 12, ROUNDS = 40, ADDRESSES = 500 };
	static struct network networks[ZONES][NETWORKS];
	static struct config_zone config_zones[ZONES];
	struct config config = {.zones = config_zones};

	random_state = 42;
	for (int round = 0; round < ROUNDS; round++) {
		struct zones *zones;

		config.zone_count = random_next() % (ZONES + 1);
		for (size_t z = 0; z < config.zone_count; z++) {
			config_zones[z].networks = networks[z];
			config_zones[z].network_count = random_next() % (NETWORKS + 1);
			for (size_t n = 0; n < config_zones[z].network_count; n++)
				networks[z][n] = random_network();
		}
		zones = zones_create(&config);
		CU_ASSERT_PTR_NOT_NULL_FATAL(zones);
		for (int i = 0; i < ADDRESSES; i++) {
			struct ip_address ip = random_address(i & 1, i % 5 ? 4 : 1000);

			CU_ASSERT_PTR_EQUAL(
				zones_place(zones, &ip, 0).zone, naive_zone(&config, &ip));
		}
		for (size_t z = 0; z < config.zone_count; z++)
			for (size_t n = 0; n < config_zones[z].network_count; n++)
				compare_edges(&config, zones, &networks[z][n]);
		zones_free(zones);
	}
}

static void
test_networks_before_vlans(void)
{
	static const struct {
		const char *ip;
		uint16_t vlan;
		const char *zone; /* "" none */
	} cases[] = {
		{"10.20.0.5", 10, "cameras"},
		{"192.168.1.1", 10, "servers"},
		{"192.168.1.1", 0, ""},
		{"192.168.1.1", 99, ""},
		{"192.168.1.1", 4095, ""},
		{"192.168.1.1", 65535, ""},
		{"203.0.113.7", 0, ""},
		{"2001:db8:20::1", 0, "cameras"},
		{"2001:db8:21::1", 20, "cameras"},
		{"", 20, "cameras"},
		{"", 0, ""},
	};

	world_site(&world);
	world_begin(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_address ip = world_ip(cases[i].ip);
		const struct config_zone *zone = policy_zone(world.policy, &ip, cases[i].vlan);

		CU_ASSERT_STRING_EQUAL(zone ? zone->name : "", cases[i].zone);
	}
	world_end(&world);
}

static void
test_the_first_zone_keeps_what_two_name(void)
{
	struct ip_address ip = world_ip("10.1.2.3"), none = {0};

	world_config(&world);
	world_zone(&world, "wide", ZONE_OFFICE, "10.0.0.0/8", 5);
	world_zone(&world, "first", ZONE_CAMERA, "10.1.0.0/16", 6);
	world_zone(&world, "second", ZONE_CORE, "10.1.0.0/16", 6);
	world_begin(&world);
	CU_ASSERT_STRING_EQUAL(policy_zone(world.policy, &ip, 0)->name, "first");
	CU_ASSERT_STRING_EQUAL(policy_zone(world.policy, &none, 6)->name, "first");
	world_end(&world);
}

static void
test_zone_of_a_device(void)
{
	struct device_record device;

	world_site(&world);
	world_begin(&world);
	device = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "fe80::5", CAMERA_MAC);
	device.vlan = 20;
	CU_ASSERT_STRING_EQUAL(policy_device_zone(world.policy, &device)->name, "cameras");
	device.ips[device.ip_count++] = world_ip("10.30.0.5");
	CU_ASSERT_STRING_EQUAL(policy_device_zone(world.policy, &device)->name, "desks");
	device.mac = world_mac("");
	device.ips[1] = world_ip("192.168.3.4");
	CU_ASSERT_PTR_NULL(policy_device_zone(world.policy, &device));
	device.ip_count = 255; /* never more than there is room for */
	CU_ASSERT_PTR_NULL(policy_device_zone(world.policy, &device));
	world_end(&world);
}

static struct endpoint
random_endpoint(void)
{
	uint64_t number = random_next();
	uint8_t bytes[16];

	for (size_t i = 0; i < 16; i++)
		bytes[i] = (uint8_t)random_next();
	if (number & 1)
		bytes[0] = 10;
	return (struct endpoint){.ip = number & 2 ? ip_from_ipv4(bytes) : ip_from_ipv6(bytes),
		.port = (uint16_t)(number >> 32)};
}

static void
random_flow(struct flow_record *flow)
{
	uint64_t bits = random_next();

	*flow = world_flow(&world, "10.20.0.5 40000", "10.0.0.9 1", TCP, bits & 1);
	flow->initiator = random_endpoint();
	flow->responder = random_endpoint();
	flow->protocol = bits & 2 ? TCP : bits & 4 ? UDP : (uint8_t)(bits >> 8);
	flow->initiator_certain = bits & 8;
	flow->tcp_flags[0] = (uint8_t)(bits >> 16);
	flow->tcp_flags[1] = (uint8_t)(bits >> 24);
	flow->icmp_type = (uint8_t)(bits >> 32);
	flow->vlan = (uint16_t)(bits >> 40);
	flow->first_record = bits & 16;
}

static void
random_name(struct evidence *evidence)
{
	static const enum evidence_attribute kinds[] = {
		ATTRIBUTE_DNS_NAME, ATTRIBUTE_TLS_SNI, ATTRIBUTE_HTTP_HOST};
	char text[64];
	int length = snprintf(text, sizeof(text), "h%llu.example%llu.com",
		(unsigned long long)random_next() % 100000, (unsigned long long)random_next() % 50);

	evidence->time = world.now;
	evidence->attribute = (uint8_t)kinds[random_next() % 3];
	evidence->side = (uint8_t)(random_next() % 3);
	evidence->subject.ip = random_endpoint().ip;
	evidence->peer.ip = random_endpoint().ip;
	evidence_set_value(evidence, text, (size_t)length);
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every table fills at most once; the memory stays what it was after creation. */
static void
test_floods_keep_memory_constant(void)
{
	enum { CAMERAS = 100, COUNT = 1000000 };
	static struct device_record devices[CAMERAS];
	static struct flow_record flow;
	static struct evidence evidence;
	double spent[2] = {0}, start;
	struct mallinfo2 before, after;

	world_site(&world);
	world.config.policy.alerts_max = 4096;
	world.config.policy.contacts_max = 16384;
	world.config.policy.names_max = 65536;
	world_allow(&world, "10.0.0.0/24", "example7.com", 0, 0);
	world_begin(&world);
	random_state = 7;
	for (int i = 0; i < CAMERAS; i++) {
		char id[DEVICE_ID_SIZE];

		snprintf(id, sizeof(id), "%016x", i);
		devices[i] = world_device(&world, id, i % 2 ? DEVICE_CAMERA : DEVICE_UNKNOWN,
			"10.20.0.5", CAMERA_MAC);
	}
	before = mallinfo2();
	for (int i = 0; i < COUNT; i++) {
		const struct device_record *device = &devices[random_next() % CAMERAS];

		random_flow(&flow);
		random_name(&evidence);
		world.now += SECOND / 1000;
		start = seconds_now();
		policy_evidence(world.policy, &evidence);
		spent[0] += seconds_now() - start;
		start = seconds_now();
		policy_flow(world.policy, &flow, i % 4 ? device : NULL, i % 4 == 1 ? device : NULL);
		spent[1] += seconds_now() - start;
		if (i % 1000 == 0)
			policy_tick(world.policy, world.now, false);
		if (i % 5000 == 0)
			policy_device(world.policy, device);
	}
	policy_tick(world.policy, world.now, true);
	after = mallinfo2();
	CU_ASSERT_EQUAL(before.uordblks + before.hblkhd, after.uordblks + after.hblkhd);
	CU_ASSERT_TRUE(world_figure(&world, "policy.names") <= 65536);
	CU_ASSERT_TRUE(world_figure(&world, "policy.contacts") <= 16384);
	CU_ASSERT_TRUE(world_figure(&world, "policy.alerts") <= 2 * 4096);
	CU_ASSERT_TRUE(world_figure(&world, "policy.names_evicted") > 0);
	CU_ASSERT_TRUE(world_figure(&world, "policy.contacts_evicted") > 0);
	printf("\n    %.0f ns per name, %.0f ns per flow (random, with the clock's own cost)\n",
		spent[0] * 1e9 / COUNT, spent[1] * 1e9 / COUNT);
	world_end(&world);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"against a naive look-up", test_against_a_naive_lookup},
		{"networks before VLANs", test_networks_before_vlans},
		{"the first zone keeps what two name", test_the_first_zone_keeps_what_two_name},
		{"zone of a device", test_zone_of_a_device},
		{"floods keep memory constant", test_floods_keep_memory_constant},
		CU_TEST_INFO_NULL,
	};

	return unit_run("policy zones", tests);
}
