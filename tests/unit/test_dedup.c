/* SPDX-License-Identifier: Apache-2.0 */
/* Which packet is a copy of which: what may differ on the way, what tells two packets apart, and
 * for how long. */
#include "dataplane/dedup.h"
#include "dataplane/plain_decode.h"
#include "tests/unit/dedup_frames.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define START       INT64_C(1700000000000000000)
#define MILLISECOND INT64_C(1000000)

static const struct flow_secret secret = {{3, 5, 7, 11, 13, 17}};
static struct config *config;
static struct dedup dedup;

static void
begin(uint32_t ports)
{
	CU_ASSERT_EQUAL_FATAL(
		dedup_init(&dedup, config, ports, (uint32_t[2]){64, 64}, &memory_from_system), 0);
}

static void
end(void)
{
	dedup_free(&dedup);
	config_free(config);
	config = config_defaults();
}

enum fate { DROPPED, KEPT, COPY };

/* One packet as the pipeline would offer it; `plain` where it can be. The bytes are on the heap, so
 * that the sanitizers see what is read behind them. */
static enum fate
offer_any(const struct frame *frame, int64_t time, uint16_t port, bool plain, uint32_t wire_length)
{
	const struct decode_options options = {.ignore_vlans = dedup.across_vlans};
	const struct plain_options plain_options = {
		.vlan_mask = 0xfff, .tunnels = true, .tag_pairs = !dedup.across_vlans};
	uint8_t *bytes = malloc(frame->length + 1);
	struct frame_view view = frame_view(frame, time);
	struct flow_packet flow_packet = {0};
	struct flow_wide wide;
	struct packet packet;
	struct dedup_input input = {&view, &packet, 1, 1};
	enum fate fate = DROPPED;

	memcpy(bytes + 1, frame->bytes, frame->length);
	view.data = bytes + 1;
	view.observation_point = port;
	view.wire_length = wire_length > frame->length ? wire_length : frame->length;
	if (plain && plain_decode(&view, &plain_options, &secret, &flow_packet, &wide)) {
		input.viewed = 0;
		memset(&packet, 0xee, sizeof(packet));
		fate = KEPT;
	} else {
		packet_from_frame(&packet, &view);
		if (decode_packet(&packet, LINK_ETHERNET, &options) == PACKET_DECODED &&
			(packet.l3_kind == PACKET_L3_IPV4 || packet.l3_kind == PACKET_L3_IPV6)) {
			flow_packet_summarize(&packet, &secret, &flow_packet, &wide);
			fate = KEPT;
		}
	}
	flow_packet.frame = 0;
	if (fate == KEPT && dedup_burst(&dedup, &input, &flow_packet, &wide) == 0)
		fate = COPY;
	free(bytes);
	return fate;
}

static bool
offer(const struct frame *frame, int64_t time, uint16_t port, bool plain, uint32_t wire_length)
{
	enum fate fate = offer_any(frame, time, port, plain, wire_length);

	CU_ASSERT_NOT_EQUAL(fate, DROPPED);
	return fate == COPY;
}

static bool
send(const struct frame *frame, int64_t time)
{
	return offer(frame, time, 0, true, 0);
}

/* Whether the second is a copy of the first, a millisecond later. Both ways of decoding agree. */
static bool
is_copy(const struct frame *first, const struct frame *second)
{
	bool copies[4];

	for (unsigned i = 0; i < 4; i++) {
		begin(1);
		CU_ASSERT_FALSE(offer(first, START, 0, i & 1, 0));
		copies[i] = offer(second, START + MILLISECOND, 0, i & 2, 0);
		CU_ASSERT_EQUAL(copies[i], copies[0]);
		end();
	}
	return copies[0];
}

static void
test_the_same_packet_is_a_copy(void)
{
	for (unsigned i = 0; i < MAKERS; i++) {
		struct frame first, second;

		makers[i](&first);
		second = first;
		CU_ASSERT_TRUE(is_copy(&first, &second));
		add_tag(&second, 20);
		CU_ASSERT_TRUE(is_copy(&first, &second));
		add_tag(&second, 30);
		CU_ASSERT_TRUE(is_copy(&first, &second));
		frame_append(&second, "padding", 7);
		CU_ASSERT_TRUE(is_copy(&first, &second));
	}
}

static const struct {
	const char *what;
	void (*make)(struct frame *);
	unsigned at; /* byte of the frame */
	uint8_t change;
	bool copy;
} changes[] = {
	{"destination MAC", make_udp, 5, 1, true},
	{"source MAC", make_udp, 8, 1, true},
	{"DSCP", make_udp, IP + 1, 0xb8, true},
	{"ECN", make_udp, IP + 1, 3, true},
	{"identification", make_udp, IP + 5, 1, false},
	{"don't fragment", make_udp, IP + 6, 0x40, true},
	{"more fragments", make_later_fragment, IP + 6, 0x20, false},
	{"fragment offset", make_later_fragment, IP + 7, 2, false},
	{"middle of a datagram", make_later_fragment, IP + 20 + 7, 1, false},
	{"TTL", make_udp, IP + 8, 1, true},
	{"header checksum", make_udp, IP + 10, 0xff, true},
	{"source address", make_udp, IP + 15, 4, false},
	{"destination address", make_udp, IP + 19, 4, false},
	{"UDP source port", make_udp, IP + 21, 1, false},
	{"UDP destination port", make_udp, IP + 23, 1, false},
	{"UDP checksum", make_udp, IP + 26, 0xff, true},
	{"UDP checksum, low byte", make_udp, IP + 27, 0xff, true},
	{"RTP marker", make_udp, IP + 29, 0x80, false},
	{"RTP sequence", make_udp, IP + 31, 1, false},
	{"RTP timestamp", make_udp, IP + 35, 1, false},
	{"last byte", make_udp, IP + 28 + PAYLOAD - 1, 1, false},
	{"TCP source port", make_tcp, IP + 21, 1, false},
	{"TCP sequence", make_tcp, IP + 27, 1, false},
	{"TCP acknowledgement", make_tcp, IP + 31, 1, false},
	{"TCP flags", make_tcp, IP + 33, 1, false},
	{"TCP window", make_tcp, IP + 35, 1, false},
	{"TCP checksum", make_tcp, IP + 36, 0x55, true},
	{"TCP checksum, low byte", make_tcp, IP + 37, 0x55, true},
	{"TCP urgent pointer", make_tcp, IP + 39, 1, false},
	{"TCP payload", make_tcp, IP + 40, 1, false},
	{"traffic class", make_udp6, IP, 0x0b, true},
	{"flow label", make_udp6, IP + 3, 1, true},
	{"hop limit", make_udp6, IP + 7, 1, true},
	{"IPv6 source", make_udp6, IP + 23, 4, false},
	{"IPv6 source, first byte", make_udp6, IP + 8, 4, false},
	{"IPv6 destination", make_udp6, IP + 39, 4, false},
	{"IPv6 destination, first byte", make_udp6, IP + 24, 4, false},
	{"UDP checksum over IPv6", make_udp6, IP + 46, 1, true},
	{"RTP sequence over IPv6", make_udp6, IP + 51, 1, false},
	{"TCP sequence over IPv6", make_tcp6, IP + 47, 1, false},
	{"TCP checksum over IPv6", make_tcp6, IP + 56, 1, true},
	{"extension header", make_extension6, IP + 44, 1, false},
	{"behind an extension header", make_extension6, IP + 56, 1, false},
	{"fragment identification", make_later_fragment6, IP + 47, 1, false},
	{"ICMP code", make_icmp, IP + 21, 1, false},
	{"ICMP checksum", make_icmp, IP + 22, 1, true},
	{"ICMP sequence", make_icmp, IP + 27, 1, false},
	{"ICMPv6 checksum", make_icmp6, IP + 43, 1, true},
	{"ICMPv6 sequence", make_icmp6, IP + 47, 1, false},
	{"SCTP tag", make_sctp, IP + 24, 1, false},
	{"SCTP checksum", make_sctp, IP + 28, 1, true},
	{"SCTP data", make_sctp, IP + 32, 1, false},
	{"another protocol's first byte", make_other, IP + 20, 1, false},
};

static void
test_what_may_differ(void)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct frame first, second;

		changes[i].make(&first);
		second = first;
		second.bytes[changes[i].at] ^= changes[i].change;
		if (is_copy(&first, &second) != changes[i].copy)
			CU_FAIL(changes[i].what);
	}
}

/* Whatever comes, no byte behind the packet is read, and both ways of decoding agree. */
static void
test_every_cut_and_change(void)
{
	unsigned copies = 0;

	srandom(7);
	begin(1);
	for (int round = 0; round < 100000; round++) {
		int64_t time = START + round * 20 * MILLISECOND;
		struct frame frame;
		enum fate first;

		makers[round % MAKERS](&frame);
		if (random() % 4 == 0)
			add_tag(&frame, (uint16_t)random());
		for (long i = random() % 3; i > 0; i--)
			frame.bytes[12 + random() % 60] = (uint8_t)random();
		if (random() % 2)
			frame.length = 14 + (uint32_t)random() % (frame.length - 13);
		first = offer_any(&frame, time, 0, random() & 1, frame.length + random() % 2);
		CU_ASSERT_NOT_EQUAL(first, COPY);
		copies += offer_any(&frame, time, 0, random() & 1, frame.length + 1) == COPY;
	}
	CU_ASSERT_TRUE(copies > 40000);
	end();
}

/* Whatever the length, no byte of the payload is left out: RTP packets differ nowhere else. */
static void
check_every_byte(bool portable)
{
	uint8_t payload[PAYLOAD];

	make_payload(payload);
	begin(1);
	if (portable)
		dedup_use_portable_hash(&dedup);
	for (uint16_t length = 1; length < PAYLOAD; length += length < 300 ? 1 : 29) {
		struct frame frame;
		int64_t time = START + length * 10 * MILLISECOND;

		frame_udp(&frame, camera, viewer, payload, length);
		CU_ASSERT_FALSE(send(&frame, time));
		for (uint16_t i = 0; i < length; i++) {
			frame.bytes[IP + 28 + i] ^= 1;
			if (send(&frame, time))
				CU_FAIL("a byte does not count");
			frame.bytes[IP + 28 + i] ^= 1;
		}
		CU_ASSERT_TRUE(send(&frame, time));
		frame_udp(&frame, camera, viewer, payload, (uint16_t)(length + 1));
		CU_ASSERT_FALSE(send(&frame, time));
	}
	end();
}

static void
test_every_byte_of_every_length_counts(void)
{
	check_every_byte(false);
	check_every_byte(true);
}

static void
test_compared_bytes_are_a_setting(void)
{
	struct frame frame;

	config->dataplane.deduplication.compared_bytes = 64;
	begin(1);
	make_udp(&frame);
	CU_ASSERT_FALSE(send(&frame, START));
	frame.bytes[IP + 28 + 64] ^= 1;
	CU_ASSERT_TRUE(send(&frame, START));
	frame.bytes[IP + 28 + 63] ^= 1;
	CU_ASSERT_FALSE(send(&frame, START));
	frame_put16(&frame, IP + 4, 4712);
	CU_ASSERT_FALSE(send(&frame, START));
	end();
}

/* A tag of four bytes pushes as many out of a cut frame: no copies, unless less is compared. */
static void
test_cut_packets(void)
{
	for (int compared = 0; compared < 2; compared++) {
		struct frame frame;
		uint32_t wire;

		if (compared)
			config->dataplane.deduplication.compared_bytes = 64;
		begin(1);
		make_udp(&frame);
		wire = frame.length;
		frame.length = 200;
		CU_ASSERT_FALSE(offer(&frame, START, 0, true, wire));
		CU_ASSERT_TRUE(offer(&frame, START, 0, true, wire));
		add_tag(&frame, 7);
		frame.length = 200;
		CU_ASSERT_EQUAL(offer(&frame, START, 0, true, wire + 4), compared);
		end();
	}
}

static void
test_the_window(void)
{
	static const struct {
		int64_t after; /* microseconds */
		bool copy;
	} cases[] = {{0, true}, {1, true}, {4900, true}, {5100, false}, {60000000, false},
		{-4900, true}, {-5100, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int64_t base = 0; base < 40; base++) {
			struct frame frame;
			int64_t time = START + base * 1000;

			begin(1);
			make_udp(&frame);
			CU_ASSERT_FALSE(send(&frame, time));
			CU_ASSERT_EQUAL(send(&frame, time + cases[i].after * 1000), cases[i].copy);
			end();
		}
}

/* The ticks come round every 2^32: nothing happens there. */
static void
test_ticks_come_round(void)
{
	const int64_t round = INT64_C(1) << (32 + DEDUP_TICK_SHIFT);
	struct frame frame;

	begin(1);
	make_udp(&frame);
	for (int64_t before = -10; before <= 10; before++) {
		int64_t time = 100 * round + before * 10 * MILLISECOND - MILLISECOND / 2;

		CU_ASSERT_FALSE(send(&frame, time));
		CU_ASSERT_TRUE(send(&frame, time + MILLISECOND));
	}
	end();
}

/* What repeats for ever is not silenced for ever. */
static void
test_one_in_each_window_counts(void)
{
	unsigned kept = 0;
	struct frame frame;

	begin(1);
	make_udp(&frame);
	for (int i = 0; i < 1000; i++)
		kept += !send(&frame, START + i * MILLISECOND);
	CU_ASSERT_TRUE(kept >= 1000 / 6 && kept <= 1000 / 5 + 1);
	CU_ASSERT_EQUAL(dedup.copies[0], 1000 - kept);
	end();
}

/* A capture after a later one: its packets are neither taken for copies nor past finding. */
static void
test_time_may_jump_back(void)
{
	struct frame frame;

	begin(1);
	make_udp(&frame);
	for (int i = 0; i < 4; i++) {
		int64_t time = START - i * INT64_C(86400000000000);

		CU_ASSERT_FALSE(send(&frame, time));
		CU_ASSERT_TRUE(send(&frame, time + MILLISECOND));
	}
	end();
}

static void
test_a_flood_removes_nothing(void)
{
	struct frame frame;

	config->dataplane.deduplication.entries = 1024;
	begin(1);
	make_tcp(&frame);
	for (uint32_t i = 0; i < 200000; i++) {
		frame_put32(&frame, IP + 24, i);
		if (send(&frame, START + i * 10))
			CU_FAIL("taken for a copy");
	}
	CU_ASSERT_TRUE(dedup.crowded > 190000);
	CU_ASSERT_TRUE(send(&frame, START + 200000 * 10)); /* the newest are found all the same */
	end();
}

/* As many as the table is made for are all found. */
static void
test_a_burst_of_copies_is_found(void)
{
	enum { PACKETS = 4096 };
	struct frame frame;
	unsigned missed = 0;

	config->dataplane.deduplication.entries = 4 * PACKETS;
	begin(1);
	make_tcp(&frame);
	for (int copy = 0; copy < 3; copy++)
		for (uint32_t i = 0; i < PACKETS; i++) {
			frame_put32(&frame, IP + 24, i * 1460);
			missed += send(&frame, START + copy * MILLISECOND + i) != (copy > 0);
		}
	CU_ASSERT_TRUE(missed <= PACKETS / 50);
	CU_ASSERT_EQUAL(dedup.copies[0], 2 * PACKETS - missed);
	end();
}

static void
test_ports(void)
{
	static const struct {
		uint32_t ports;
		bool across;
		uint16_t first, second;
		bool copy;
	} cases[] = {
		{1, true, 0, 0, true},
		{1, true, 1, 1, false}, /* not of this port */
		{1, true, 0, 1, false},
		{3, true, 0, 1, true},
		{3, false, 0, 1, false},
		{3, false, 1, 1, true},
		{1u << 31, true, 31, 31, true},
		{UINT32_MAX, true, 32, 32, false},
		{UINT32_MAX, true, UINT16_MAX, UINT16_MAX, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct health_record *health = calloc(1, sizeof(*health));
		struct frame frame;

		config->dataplane.deduplication.across_ports = cases[i].across;
		begin(cases[i].ports);
		make_udp(&frame);
		CU_ASSERT_FALSE(offer(&frame, START, cases[i].first, true, 0));
		CU_ASSERT_EQUAL(offer(&frame, START, cases[i].second, true, 0), cases[i].copy);
		dedup_health(&dedup, health);
		CU_ASSERT_EQUAL(
			health->figure_count, 1 + (unsigned)__builtin_popcount(cases[i].ports));
		for (unsigned port = 0; port < DEDUP_PORTS_MAX; port++)
			CU_ASSERT_EQUAL(
				dedup.copies[port], cases[i].copy && port == cases[i].second);
		free(health);
		end();
	}
}

static void
test_vlans_can_be_compared(void)
{
	struct frame frame, tagged;

	config->dataplane.deduplication.across_vlans = false;
	begin(1);
	make_udp(&frame);
	tagged = frame;
	add_tag(&tagged, 10);
	CU_ASSERT_FALSE(send(&frame, START));
	CU_ASSERT_FALSE(send(&tagged, START));
	CU_ASSERT_TRUE(send(&frame, START));
	CU_ASSERT_TRUE(send(&tagged, START));
	CU_ASSERT_PTR_NULL(dedup.flow_vlans[0]);
	end();
}

/* Others of a burst keep their order, with what belongs to them. */
static void
test_a_burst_closes_up(void)
{
	struct frame frames[DEDUP_BURST];
	struct frame_view views[DEDUP_BURST];
	struct packet packets[DEDUP_BURST];
	struct flow_packet flow_packets[DEDUP_BURST];
	struct flow_wide wide[DEDUP_BURST];
	struct dedup_input input = {views, packets, 0, DEDUP_BURST};
	const struct plain_options plain_options = plain_options_from(NULL);

	begin(1);
	for (uint8_t i = 0; i < DEDUP_BURST; i++) {
		make_udp6(&frames[i]);
		frames[i].bytes[IP + 39] = i / 3; /* each comes three times */
		views[i] = frame_view(&frames[i], START);
		CU_ASSERT_TRUE_FATAL(plain_decode(
			&views[i], &plain_options, &secret, &flow_packets[i], &wide[i]));
		flow_packets[i].frame = i;
	}
	CU_ASSERT_EQUAL_FATAL(dedup_burst(&dedup, &input, flow_packets, wide), 11);
	for (unsigned i = 0; i < 11; i++) {
		const struct flow_wide *addresses = &wide[i];

		CU_ASSERT_EQUAL(flow_packets[i].frame, i * 3);
		CU_ASSERT_TRUE(addresses->address[0][15] == i || addresses->address[1][15] == i);
	}
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"the same packet is a copy", test_the_same_packet_is_a_copy},
		{"what may differ", test_what_may_differ},
		{"every cut and change", test_every_cut_and_change},
		{"every byte of every length counts", test_every_byte_of_every_length_counts},
		{"compared bytes are a setting", test_compared_bytes_are_a_setting},
		{"cut packets", test_cut_packets},
		{"the window", test_the_window},
		{"ticks come round", test_ticks_come_round},
		{"one in each window counts", test_one_in_each_window_counts},
		{"time may jump back", test_time_may_jump_back},
		{"a flood removes nothing", test_a_flood_removes_nothing},
		{"a burst of copies is found", test_a_burst_of_copies_is_found},
		{"ports", test_ports},
		{"VLANs can be compared", test_vlans_can_be_compared},
		{"a burst closes up", test_a_burst_closes_up},
		CU_TEST_INFO_NULL,
	};
	int status;

	config = config_defaults();
	status = unit_run("dedup", tests);
	config_free(config);
	return status;
}
