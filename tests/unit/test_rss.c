/* SPDX-License-Identifier: Apache-2.0 */
/* The software Toeplitz hash against the vectors of Microsoft's "Verifying the RSS Hash
 * Calculation", and our key against random flows. */
#include "dataplane/rss.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t microsoft_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41,
	0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01,
	0xfa};

static const struct vector {
	int family;
	const char *destination;
	uint16_t destination_port;
	const char *source;
	uint16_t source_port;
	uint32_t addresses, with_ports;
} vectors[] = {
	{AF_INET, "161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178},
	{AF_INET, "65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea},
	{AF_INET, "12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a},
	{AF_INET, "209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f},
	{AF_INET, "202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2},
	{AF_INET6, "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5,
		0x40207d3d},
	{AF_INET6, "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461c,
		0xdde51bbf},
	{AF_INET6, "fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
		0x4b61e985, 0x02d1feef},
};

static void
test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *vector = &vectors[i];
		size_t size = vector->family == AF_INET ? 4 : 16;
		uint8_t input[36];

		CU_ASSERT_EQUAL(inet_pton(vector->family, vector->source, input), 1);
		CU_ASSERT_EQUAL(inet_pton(vector->family, vector->destination, input + size), 1);
		input[2 * size] = (uint8_t)(vector->source_port >> 8);
		input[2 * size + 1] = (uint8_t)vector->source_port;
		input[2 * size + 2] = (uint8_t)(vector->destination_port >> 8);
		input[2 * size + 3] = (uint8_t)vector->destination_port;
		CU_ASSERT_EQUAL(
			rss_toeplitz(microsoft_key, 40, input, 2 * size), vector->addresses);
		CU_ASSERT_EQUAL(
			rss_toeplitz(microsoft_key, 40, input, 2 * size + 4), vector->with_ports);
	}
}

/* A random flow of addresses of `size` bytes, and the same of the other direction. */
static void
random_flow(uint64_t *state, size_t size, uint8_t there[36], uint8_t back[36])
{
	for (size_t i = 0; i < 2 * size + 4; i++)
		there[i] = (uint8_t)(next_random(state) >> 24);
	memcpy(back, there + size, size);
	memcpy(back + size, there, size);
	memcpy(back + 2 * size, there + 2 * size + 2, 2);
	memcpy(back + 2 * size + 2, there + 2 * size, 2);
}

/* One queue for both directions: whatever the port's table, key length and number of queues. */
static void
test_both_directions(void)
{
	static const size_t key_lengths[] = {40, 48, 52, 64};
	static const uint16_t tables[] = {64, 128, 256, 512, 2048};
	uint64_t state = 0x9e3779b97f4a7c15;
	uint8_t key[RSS_KEY_MAX], there[36], back[36];
	unsigned differing = 0;

	for (unsigned flow = 0; flow < 2000; flow++) {
		size_t size = flow % 2 ? 4 : 16;
		size_t input = 2 * size + (flow % 4 < 2 ? 4 : 0); /* with ports or without */
		size_t length = key_lengths[flow % 4];
		uint32_t a, b;

		random_flow(&state, size, there, back);
		rss_symmetric_key(key, length);
		a = rss_toeplitz(key, length, there, input);
		b = rss_toeplitz(key, length, back, input);
		for (size_t table = 0; table < sizeof(tables) / sizeof(tables[0]); table++)
			for (uint16_t queues = 1; queues <= 64; queues++)
				CU_ASSERT_EQUAL(rss_queue(a, tables[table], queues),
					rss_queue(b, tables[table], queues));
		differing += rss_toeplitz(microsoft_key, 40, there, input) !=
			     rss_toeplitz(microsoft_key, 40, back, input);
	}
	CU_ASSERT(differing > 1900); /* the usual key does not do this */
}

static void
test_key_is_recognised(void)
{
	uint8_t key[52];

	rss_symmetric_key(key, sizeof(key));
	CU_ASSERT_TRUE(rss_key_is_symmetric(key, 52));
	CU_ASSERT_TRUE(rss_key_is_symmetric(key, 40));
	CU_ASSERT_FALSE(rss_key_is_symmetric(key, 39));
	key[51] ^= 1;
	CU_ASSERT_FALSE(rss_key_is_symmetric(key, 52));
	CU_ASSERT_FALSE(rss_key_is_symmetric(microsoft_key, 40));
}

/* 250 cameras of a network with one recorder: no queue gets twice its share. */
static void
test_cameras_spread(void)
{
	uint8_t key[40], input[8] = {10, 1, 0, 0, 10, 2, 0, 9};

	rss_symmetric_key(key, sizeof(key));
	for (uint16_t queues = 2; queues <= 16; queues *= 2) {
		unsigned counts[16] = {0};

		for (unsigned host = 1; host <= 250; host++) {
			input[3] = (uint8_t)host;
			counts[rss_queue(rss_toeplitz(key, 40, input, 8), 128, queues)]++;
		}
		for (unsigned i = 0; i < queues; i++)
			CU_ASSERT(counts[i] < 2 * 250u / queues);
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"Microsoft's vectors", test_vectors},
		{"both directions have one queue under our key", test_both_directions},
		{"a symmetric key is recognised", test_key_is_recognised},
		{"cameras of one network use all queues", test_cameras_spread},
		CU_TEST_INFO_NULL,
	};

	return unit_run("rss", tests);
}
