/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode.h"
#include "dataplane/fragment.h"
#include "tests/unit/encapsulate.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define SECOND INT64_C(1000000000)
#define START  INT64_C(1700000000000000000)

/* Fragments of a UDP datagram from port 1000 to 80: identification, offset and "more" are put in.
 */
#define FIRST4 "eth=0800 ip4=17 udp=80 data"
#define LATER4 "eth=0800 ip4=17 data"
#define FIRST6 "eth=86dd ip6=44 hex=1100000100000001 udp=80 data"
#define LATER6 "eth=86dd ip6=44 hex=1100001000000001 data"

struct piece {
	const char *recipe;
	uint16_t id;       /* IPv4 */
	uint16_t fragment; /* the field of the IPv4 header: 0x2000 more, offset in units of 8 */
	int32_t after;     /* milliseconds since the start */
	uint16_t port;     /* expected destination port */
};

#define PIECES_MAX 6

static const struct sequence {
	const char *name;
	struct piece pieces[PIECES_MAX];
	struct fragment_counters counters;
} sequences[] = {
	{"in order",
		{{FIRST4, 1, 0x2000, 0, 80}, {LATER4, 1, 0x2002, 1, 80},
			{LATER4, 1, 0x0004, 2, 80}},
		{.first = 1, .joined = 2}},
	{"the last one first, nothing is held back",
		{{LATER4, 1, 0x0002, 0, 0}, {FIRST4, 1, 0x2000, 1, 80}},
		{.first = 1, .unmatched = 1}},
	{"another datagram", {{FIRST4, 1, 0x2000, 0, 80}, {LATER4, 2, 0x0002, 1, 0}},
		{.first = 1, .unmatched = 1}},
	{"another VLAN",
		{{FIRST4, 1, 0x2000, 0, 80},
			{"eth=8100 hex=00050800 ip4=17 data", 1, 0x0002, 1, 0}},
		{.first = 1, .unmatched = 1}},
	{"another tenant",
		{{"eth=0800 ip4=17 udp=4789 hex=0800000000000100 " FIRST4, 1, 0x2000, 0, 80},
			{"eth=0800 ip4=17 udp=4789 hex=0800000000000200 " LATER4, 1, 0x0002, 1, 0},
			{"eth=0800 ip4=17 udp=4789 hex=0800000000000100 " LATER4, 1, 0x0002, 1,
				80}},
		{.first = 1, .joined = 1, .unmatched = 1}},
	{"just in time, and too late",
		{{FIRST4, 1, 0x2000, 0, 80}, {LATER4, 1, 0x0002, 29999, 80},
			{LATER4, 1, 0x0002, 30000, 0}},
		{.first = 1, .joined = 1, .unmatched = 1}},
	{"time went back", {{FIRST4, 1, 0x2000, 0, 80}, {LATER4, 1, 0x0002, -40000, 0}},
		{.first = 1, .unmatched = 1}},
	{"an identification used again",
		{{FIRST4, 1, 0x2000, 0, 80}, {"eth=0800 ip4=17 udp=443 data", 1, 0x2000, 5, 443},
			{LATER4, 1, 0x0002, 6, 443}},
		{.first = 2, .joined = 1}},
	{"IPv6", {{FIRST6, 0, 0, 0, 80}, {LATER6, 0, 0, 1, 80}}, {.first = 1, .joined = 1}},
	{"IPv6, behind an extension header",
		{{"eth=86dd ip6=44 hex=3c00000100000001 hex=1100010400000000 udp=80 data", 0, 0, 0,
			 80},
			{"eth=86dd ip6=44 hex=3c00001000000001 data", 0, 0, 1, 80}},
		{.first = 1, .joined = 1}},
	{"protocols without ports",
		{{"eth=0800 ip4=1 data", 1, 0x2000, 0, 0}, {"eth=0800 ip4=1 data", 1, 0x0002, 1, 0},
			{"eth=0800 ip4=50 data", 2, 0x0002, 1, 0}},
		{.first = 0}},
	{"TCP, eight bytes at first",
		{{"eth=0800 ip4=6 hex=03e8005001020304", 1, 0x2000, 0, 80},
			{"eth=0800 ip4=6 hex=0102030450021000", 1, 0x0001, 0, 80}},
		{.first = 1, .joined = 1}},
	{"TCP, options in the next one",
		{{"eth=0800 ip4=6 hex=03e80050010203040000000060021000 hex=0000000000000000", 1,
			 0x2000, 0, 80},
			{"eth=0800 ip4=6 hex=020405b400000000", 1, 0x0003, 0, 80}},
		{.first = 1, .joined = 1}},
};

/* Decodes and follows; the last IPv4 header gets identification and fragment fields. */
static void
follow(struct fragment_table *table, const struct piece *piece, struct packet *packet)
{
	struct encapsulation frame = {.length = 0};
	const char *last = piece->recipe;
	uint8_t *bytes;

	encapsulate(&frame, piece->recipe);
	bytes = frame.room + ENCAPSULATE_SIZE - frame.length;
	for (const char *at = piece->recipe; (at = strstr(at, "ip4=")); at++)
		last = at;
	if (piece->id) {
		struct encapsulation tail = {.length = 0};

		encapsulate(&tail, last);
		bytes += frame.length - tail.length;
		encapsulation_put16(bytes + 4, piece->id);
		encapsulation_put16(bytes + 6, piece->fragment);
	}
	*packet = (struct packet){
		.data = encapsulation_bytes(&frame),
		.captured = (uint32_t)frame.length,
		.wire_length = (uint32_t)frame.length,
		.time = START + piece->after * (SECOND / 1000),
	};
	CU_ASSERT_EQUAL_FATAL(decode_packet(packet, LINK_ETHERNET, NULL), PACKET_DECODED);
	CU_ASSERT_TRUE(packet->flags & PACKET_IS_FRAGMENT);
	fragment_follow(table, packet);
	packet->data = NULL;
}

static void
test_sequences(void)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		const struct sequence *sequence = &sequences[i];
		struct fragment_table table;
		struct packet packet;

		CU_ASSERT_EQUAL_FATAL(fragment_table_init(&table, &memory_from_system), 0);
		for (unsigned n = 0; n < PIECES_MAX && sequence->pieces[n].recipe; n++) {
			follow(&table, &sequence->pieces[n], &packet);
			if (packet.destination_port != sequence->pieces[n].port)
				fprintf(stderr, "%s, piece %u: port %u\n", sequence->name, n,
					packet.destination_port);
			CU_ASSERT_EQUAL(packet.destination_port, sequence->pieces[n].port);
			if (packet.destination_port)
				CU_ASSERT_EQUAL(packet.source_port, 1000);
		}
		if (memcmp(&table.counters, &sequence->counters, sizeof(table.counters)) != 0)
			fprintf(stderr, "%s: other counters\n", sequence->name);
		CU_ASSERT_EQUAL(
			memcmp(&table.counters, &sequence->counters, sizeof(table.counters)), 0);
		fragment_table_free(&table);
	}
}

/* A flood of first fragments costs others their ports, counted, and nothing else. */
static void
test_flood(void)
{
	struct fragment_table table;
	struct packet packet;

	CU_ASSERT_EQUAL_FATAL(fragment_table_init(&table, &memory_from_system), 0);
	for (uint32_t i = 1; i <= 60000; i++)
		follow(&table, &(struct piece){FIRST4, (uint16_t)i, 0x2000, (int32_t)i / 100, 80},
			&packet);
	CU_ASSERT_EQUAL(table.counters.first, 60000);
	CU_ASSERT_EQUAL(table.counters.replaced, 60000 - 8192);
	follow(&table, &(struct piece){LATER4, 60000, 0x0002, 600, 80}, &packet);
	CU_ASSERT_EQUAL(packet.destination_port, 80);
	follow(&table, &(struct piece){LATER4, 1, 0x0002, 600, 0}, &packet);
	CU_ASSERT_EQUAL(packet.destination_port, 0);
	CU_ASSERT_EQUAL(table.counters.unmatched, 1);
	/* After half a minute all of it is free again. */
	for (uint32_t i = 1; i <= 1000; i++)
		follow(&table, &(struct piece){FIRST4, (uint16_t)i, 0x2000, 40000, 80}, &packet);
	CU_ASSERT_EQUAL(table.counters.replaced, 60000 - 8192);
	fragment_table_free(&table);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"sequences", test_sequences},
		{"a flood", test_flood},
		CU_TEST_INFO_NULL,
	};

	return unit_run("fragment", tests);
}
