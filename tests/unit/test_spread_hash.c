/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever carries it, a conversation has one hash, and both of its directions have it. */
#include "dataplane/spread_hash.h"
#include "tests/unit/frames.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct spread_secret secret = {
	{0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0x27d4eb2f165667c5}};

static struct spread_hash
hash(const struct frame *frame)
{
	return spread_hash(&secret, frame->bytes, frame->length);
}

static void
plain(struct frame *frame, uint8_t from, uint8_t to)
{
	frame_udp(
		frame, (struct frame_end){from, 554}, (struct frame_end){to, 40000}, "payload", 7);
}

static void
wide(struct frame *frame, uint8_t from, uint8_t to)
{
	frame_ipv6(frame, from, to, 17, 8);
	frame_append(frame, "\x02\x2a\x9c\x40\0\x08\0\0", 8);
}

/* The bytes of an outer header up to the inner frame, whose first `skip` bytes are left out (14:
 * the tunnel carries IP). `ipv4` and `ipv6` say which inner frames the header is right for. */
struct carrier {
	const char *name;
	const char *bytes;
	uint32_t length;
	uint32_t skip;
	bool ipv4, ipv6;
};

#define MACS     "\x02\0\0\0\0\xaa\x02\0\0\0\0\xbb"
#define OUTER(p) MACS "\x08\0\x45\0\x05\0\0\0\0\0\x40" p "\0\0\xac\x10\0\1\xac\x10\0\2"
#define UDP(p)   OUTER("\x11") "\xd0\x01" p "\x04\0\0\0"
#define OUTER_6(next)                                                                              \
	MACS "\x86\xdd\x60\0\0\0\x40\0" next "\x40"                                                \
	     "0123456789abcdef0123456789ABCDEF"
#define CARRIER(name, bytes, skip, ipv4, ipv6)                                                     \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1, skip, ipv4, ipv6                                   \
	}

static const struct carrier carriers[] = {
	CARRIER("VLAN", MACS "\x81\0\0\x07\x08\0", 14, true, false),
	CARRIER("QinQ", MACS "\x88\xa8\0\x07\x81\0\0\x09\x86\xdd", 14, false, true),
	CARRIER("MPLS, IPv4", MACS "\x88\x47\0\x01\x00\x40\0\x02\x01\x40", 14, true, true),
	CARRIER("MPLS, pseudowire", MACS "\x88\x47\0\x02\x01\x40\0\0\0\0", 0, true, true),
	CARRIER("MPLS, Ethernet without a control word", MACS "\x88\x47\x11\x12\x01\x40", 0, false,
		false),
	CARRIER("PPPoE, IPv4", MACS "\x88\x64\x11\0\0\1\x04\0\0\x21", 14, true, false),
	CARRIER("PPPoE, IPv6", MACS "\x88\x64\x11\0\0\1\x04\0\0\x57", 14, false, true),
	CARRIER("IP in IP", OUTER("\x04"), 14, true, false),
	CARRIER("IPv6 in IPv4", OUTER("\x29"), 14, false, true),
	CARRIER("IPv6 in IPv6", OUTER_6("\x29"), 14, false, true),
	CARRIER("GRE, IPv4", OUTER("\x2f") "\0\0\x08\0", 14, true, false),
	CARRIER("GRE with checksum, key and sequence",
		OUTER("\x2f") "\xb0\0\x65\x58"
			      "ccccKKKKssss",
		0, true, true),
	CARRIER("ERSPAN I", OUTER("\x2f") "\0\0\x88\xbe", 0, true, true),
	CARRIER("ERSPAN II", OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3", 0, true,
		true),
	CARRIER("ERSPAN III",
		OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\x07\0\x2a"
			      "tttt\0\0\0\0",
		0, true, true),
	CARRIER("ERSPAN III with a platform header",
		OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\x07\0\x2a"
			      "tttt\0\0\0\1"
			      "platform",
		0, true, true),
	CARRIER("ERSPAN II over IPv6",
		OUTER_6("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3", 0, true, true),
	CARRIER("VXLAN", UDP("\x12\xb5") "\x08\0\0\0\0\0\x2a\0", 0, true, true),
	CARRIER("VXLAN on Linux' port", UDP("\x21\x18") "\x08\0\0\0\0\0\x2a\0", 0, true, true),
	CARRIER("Geneve with options", UDP("\x17\xc1") "\x02\0\x65\x58\0\0\x2a\0optiondata!!", 0,
		false, false),
	CARRIER("Geneve", UDP("\x17\xc1") "\x01\0\x65\x58\0\0\x2a\0optn", 0, true, true),
	CARRIER("GTP-U", UDP("\x08\x68") "\x30\xff\0\x40\0\0\0\1", 14, true, true),
	CARRIER("GTP-U with an extension",
		UDP("\x08\x68") "\x34\xff\0\x40\0\0\0\1\0\0\0\x85\x01\x10\x09\0", 14, true, true),
	CARRIER("GTP-U from its port",
		OUTER("\x11") "\x08\x68\xd0\x01\x04\0\0\0\x30\xff\0\x40\0\0\0\1", 14, true, true),
	CARRIER("Teredo", UDP("\x0d\xd8") "", 14, false, true),
	CARRIER("Teredo with authentication and origin",
		UDP("\x0d\xd8") "\0\1\0\0nonceval\0"
				"\0\0ppaaaa",
		14, false, true),
	CARRIER("ERSPAN III that carries IP",
		OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\x07\0\x2a"
			      "tttt\0\0\x08\0",
		14, true, true),
	CARRIER("VLAN in VXLAN", UDP("\x12\xb5") "\x08\0\0\0\0\0\x2a\0" MACS "\x81\0\0\x05\x08\0",
		14, true, false),
	CARRIER("ERSPAN II of VXLAN",
		OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3" UDP(
			"\x12\xb5") "\x08\0\0\0\0\0\x2a\0",
		0, true, true),
};

static void
carry(struct frame *frame, const struct carrier *carrier, const struct frame *inner)
{
	memset(frame, 0, sizeof(*frame));
	frame_append(frame, carrier->bytes, carrier->length);
	frame_append(frame, inner->bytes + carrier->skip, inner->length - carrier->skip);
}

static bool
same_in(const struct carrier *carrier, void (*make)(struct frame *, uint8_t, uint8_t))
{
	struct frame inner, there, back;
	struct spread_hash bare, hash_there, hash_back;

	make(&inner, 7, 9);
	bare = hash(&inner);
	carry(&there, carrier, &inner);
	make(&inner, 9, 7);
	carry(&back, carrier, &inner);
	hash_there = hash(&there);
	hash_back = hash(&back);
	return hash_there.value == bare.value && hash_back.value == bare.value &&
	       hash_there.basis == bare.basis && hash(&inner).value == bare.value;
}

static void
test_inner_pair(void)
{
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		const struct carrier *carrier = &carriers[i];

		if ((carrier->ipv4 && !same_in(carrier, plain)) ||
			(carrier->ipv6 && !same_in(carrier, wide))) {
			printf("\n%s", carrier->name);
			CU_FAIL("a tunnel changes the hash");
		}
	}
}

/* Cut anywhere, it goes by the innermost pair that is whole; never by bytes that are not there. */
static void
test_cut_short(void)
{
	struct frame inner, frame;

	plain(&inner, 7, 9);
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		uint64_t whole;
		uint8_t basis = SPREAD_NOTHING;

		carry(&frame, &carriers[i], &inner);
		whole = hash(&frame).value;
		for (uint32_t length = 0; length <= frame.length; length++) {
			uint8_t *exact = malloc(length ? length : 1);
			struct spread_hash cut;

			memcpy(exact, frame.bytes, length);
			cut = spread_hash(&secret, exact, length);
			free(exact);
			CU_ASSERT_EQUAL(cut.basis == SPREAD_NOTHING, length < 14);
			CU_ASSERT(cut.basis >= basis ||
				  basis == SPREAD_IPV6 /* of an outer header */);
			basis = (uint8_t)cut.basis;
			if (length == frame.length)
				CU_ASSERT_EQUAL(cut.value, whole);
		}
	}
}

static void
test_outer_pair_of_the_unreadable(void)
{
	static const struct carrier erspan = CARRIER("ERSPAN II",
		OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3", 0, true, true);
	static const struct carrier other = CARRIER("another site",
		MACS "\x08\0\x45\0\x05\0\0\0\0\0\x40\x2f\0\0\xac\x10\0\5\xac\x10\0\2\x10\0\x88\xbe"
		     "\0\0\0\1"
		     "\x10\x07\0\x2a\0\0\0\3",
		0, true, true);
	struct frame arp, inner, frame, from_other;

	frame_link(&arp, 7, 9, 0x0806);
	frame_append(&arp, "arp arp arp arp arp arp arp", 28);
	CU_ASSERT_EQUAL(hash(&arp).basis, SPREAD_MACS);
	carry(&frame, &erspan, &arp);
	carry(&from_other, &other, &arp);
	CU_ASSERT_EQUAL(hash(&frame).basis, SPREAD_IPV4);
	CU_ASSERT_NOT_EQUAL(hash(&frame).value, hash(&from_other).value);
	/* A later fragment of the tunnel holds no inner header, whatever its bytes look like. */
	plain(&inner, 7, 9);
	carry(&frame, &erspan, &inner);
	frame.bytes[14 + 7] = 1;
	carry(&from_other, &erspan, &arp);
	CU_ASSERT_EQUAL(hash(&frame).value, hash(&from_other).value);
}

/* A port is a hint. A datagram to it whose content does not fit is no tunnel, and its flow must not
 * be scattered by bytes that are no addresses. */
static void
test_no_tunnel_after_all(void)
{
	struct frame inner, first, second;

	for (unsigned length = 0x100; length <= 0x1000; length += 0x100) {
		const struct carrier vxlan =
			CARRIER("VXLAN", UDP("\x12\xb5") "\x08\0\0\0\0\0\x2a\0", 0, true, true);
		bool fits = length + 14 + 8 + 8 <= 0x400;

		plain(&inner, 7, 9);
		frame_put16(&inner, 16, (uint16_t)length);
		carry(&first, &vxlan, &inner);
		plain(&inner, 1, 2);
		frame_put16(&inner, 16, (uint16_t)length);
		carry(&second, &vxlan, &inner);
		CU_ASSERT_EQUAL(hash(&first).value != hash(&second).value, fits);
	}
}

/* All fragments of a datagram are with its flow. */
static void
test_fragments(void)
{
	struct frame whole, later;

	plain(&whole, 7, 9);
	plain(&later, 7, 9);
	later.bytes[14 + 6] = 0x20; /* more fragments, offset 185 */
	later.bytes[14 + 7] = 0xb9;
	memset(later.bytes + 34, 0xee, 8);
	CU_ASSERT_EQUAL(hash(&whole).value, hash(&later).value);
	wide(&whole, 7, 9);
	frame_ipv6(&later, 7, 9, 44, 16);
	frame_append(&later, "\x11\0\x05\xa8\0\0\0\1noportshere", 16);
	CU_ASSERT_EQUAL(hash(&whole).value, hash(&later).value);
}

static void
test_macs_both_ways(void)
{
	struct frame there, back, other;

	frame_link(&there, 1, 2, 0x88cc);
	frame_link(&back, 2, 1, 0x88cc);
	frame_link(&other, 1, 3, 0x88cc);
	CU_ASSERT_EQUAL(hash(&there).value, hash(&back).value);
	CU_ASSERT_NOT_EQUAL(hash(&there).value, hash(&other).value);
	/* An 802.3 frame has a length where others have an ethertype. */
	frame_link(&there, 1, 2, 0x0027);
	frame_link(&back, 2, 1, 0x0100);
	CU_ASSERT_EQUAL(hash(&there).value, hash(&back).value);
}

static void
test_secret_matters(void)
{
	struct spread_secret another = secret;
	struct frame frame;

	plain(&frame, 1, 2);
	another.word[1] += 2;
	CU_ASSERT_NOT_EQUAL(
		hash(&frame).value, spread_hash(&another, frame.bytes, frame.length).value);
	CU_ASSERT_EQUAL(spread_secret_random(&another), 0);
	CU_ASSERT(another.word[0] & 1 && another.word[0] != secret.word[0]);
}

/* 200 cameras of one network and one recorder, the usual site, spread evenly. */
static void
test_even(void)
{
	for (uint32_t workers = 2; workers <= 16; workers++) {
		unsigned counts[16] = {0}, sampled = 0;
		double expected = 16.0 * 250 / workers;

		for (unsigned i = 0; i < 16 * 250; i++) {
			struct frame frame;
			struct spread_hash it;

			plain(&frame, (uint8_t)(i % 250), 251);
			frame.bytes[14 + 14] = (uint8_t)(i / 250); /* 10.0.0.0 to 10.0.15.249 */
			it = hash(&frame);
			CU_ASSERT_FATAL(spread_choose(it.value, workers) < workers);
			counts[spread_choose(it.value, workers)]++;
			sampled += (unsigned)spread_is_sampled(it.value, workers);
		}
		for (unsigned i = 0; i < workers; i++)
			CU_ASSERT_DOUBLE_EQUAL(counts[i], expected, 5 * sqrt(expected));
		CU_ASSERT_DOUBLE_EQUAL(sampled, expected, 5 * sqrt(expected));
	}
	CU_ASSERT_TRUE(spread_is_sampled(UINT64_MAX, 1));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"the inner pair decides, in every tunnel and both ways", test_inner_pair},
		{"frames cut short", test_cut_short},
		{"what cannot be read goes by its outer pair", test_outer_pair_of_the_unreadable},
		{"a port is only a hint", test_no_tunnel_after_all},
		{"fragments go with their flow", test_fragments},
		{"frames without IP go by their MACs", test_macs_both_ways},
		{"the secret decides", test_secret_matters},
		{"cameras of one network spread evenly", test_even},
		CU_TEST_INFO_NULL,
	};

	return unit_run("spread hash", tests);
}
