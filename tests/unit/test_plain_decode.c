/* SPDX-License-Identifier: Apache-2.0 */
/* The short decoder takes what is plain, and says what the general one says. */
#include "tests/unit/frames.h"
#include "tests/unit/plain_agrees.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static const struct flow_secret secret = {{3, 5, 7, 11, 13, 17}};
static const struct frame_end client = {1, 40000}, server = {2, 554};

/* Puts a tag of VLAN 7 behind the addresses. */
static void
add_tag(struct frame *frame)
{
	memmove(frame->bytes + 16, frame->bytes + 12, frame->length - 12);
	memcpy(frame->bytes + 12, "\x81\0\xe0\x07", 4);
	frame->length += 4;
}

static void
make_udp6(struct frame *frame)
{
	frame_ipv6(frame, 2, 1, 17, 12);
	frame_append(frame, "\x02\x2a\x9c\x40\0\x0c\0\0abcd", 12);
}

static void
make_tcp6(struct frame *frame)
{
	frame_ipv6(frame, 1, 2, 6, 20);
	frame_tcp_header(frame, client, server, 2, 1, 0);
}

static void
make_udp(struct frame *frame)
{
	frame_udp(frame, server, client, "payload", 7);
}

static void
make_tcp(struct frame *frame)
{
	frame_tcp(frame, client, server, 0x18, 1000, 1, "payload");
}

static void (*const makers[])(struct frame *) = {make_udp, make_tcp, make_udp6, make_tcp6};

/* Checked with exactly its bytes on the heap, so that the sanitizers see what is read behind. */
static bool
takes(const struct frame *frame)
{
	uint8_t *bytes = malloc(frame->length ? frame->length : 1);
	struct frame_view view = frame_view(frame, 1);
	const char *difference;
	bool taken;

	memcpy(bytes, frame->bytes, frame->length);
	view.data = bytes;
	/* Every choice of what makes a tenant, in turn. */
	view.observation_point = 5;
	for (unsigned choice = 0; choice < 8; choice++) {
		struct decode_options options = {.ignore_vlans = choice & 1,
			.by_port = choice & 2,
			.ignore_tunnels = choice & 4};

		difference = plain_disagrees(&view, &options, &secret, &taken);
		if (difference != NULL)
			break;
	}
	if (difference != NULL)
		fprintf(stderr, "differs in %s\n", difference);
	CU_ASSERT_PTR_NULL(difference);
	free(bytes);
	return taken;
}

static void
test_plain_frames_are_taken(void)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		struct frame frame;

		makers[i](&frame);
		frame_append(&frame, "padding", 7);
		CU_ASSERT_TRUE(takes(&frame));
		add_tag(&frame);
		CU_ASSERT_TRUE(takes(&frame));
		add_tag(&frame);
		CU_ASSERT_TRUE(takes(&frame)); /* the outer tag names a tenant */
		frame_put16(&frame, 12, 0x88a8);
		CU_ASSERT_TRUE(takes(&frame));
		frame_put16(&frame, 14, 0); /* a priority tag names none */
		CU_ASSERT_TRUE(takes(&frame));
		add_tag(&frame);
		CU_ASSERT_FALSE(takes(&frame));
	}
}

static void
test_others_are_declined(void)
{
	static const struct {
		const char *what;
		unsigned at;
		uint8_t value;
	} changes[] = {
		{"options", 14, 0x46},
		{"more fragments", 20, 0x20},
		{"later fragment", 21, 1},
		{"ICMP", 23, 1},
		{"GRE", 23, 47},
		{"longer than the frame", 16, 4},
		{"UDP longer than the datagram", 39, 200},
		{"UDP shorter than its header", 39, 7},
		{"ARP", 13, 6},
		{"802.3", 12, 0},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct frame frame;

		make_udp(&frame);
		frame.bytes[changes[i].at] = changes[i].value;
		if (takes(&frame))
			CU_FAIL(changes[i].what);
	}
}

static void
wrap(struct frame *frame, uint8_t protocol, const char *header)
{
	struct frame inner = *frame;

	frame_ipv4(frame, 8, 9, protocol, (uint16_t)(16 + inner.length));
	frame_append(frame, header, 16);
	if (protocol == 17)
		frame_put16(frame, 38, (uint16_t)(16 + inner.length));
	frame_append(frame, inner.bytes, inner.length);
}

static const char erspan[] = "\x10\0\x88\xbe\0\0\0\x01\x10\x05\x10\x07\0\0\0";
static const char vxlan[] = "\xc0\0\x12\xb5\0\0\0\0\x08\0\0\0\0\x12\x34";

static void
test_plain_frames_in_mirror_tunnels_are_taken(void)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		for (int tunnel = 0; tunnel < 4; tunnel++) {
			struct frame frame;

			makers[i](&frame);
			if (tunnel & 2)
				add_tag(&frame);
			wrap(&frame, tunnel & 1 ? 17 : 47, tunnel & 1 ? vxlan : erspan);
			CU_ASSERT_TRUE(takes(&frame));
			wrap(&frame, 47, erspan); /* two of them go the long way */
			CU_ASSERT_FALSE(takes(&frame));
		}
}

static void
test_every_cut_and_change(void)
{
	uint64_t taken = 0;

	srandom(7);
	for (int round = 0; round < 400000; round++) {
		struct frame frame;

		makers[round % 4](&frame);
		if (random() % 3 == 0)
			add_tag(&frame);
		if (round % 3 == 0)
			wrap(&frame, round & 1 ? 17 : 47, round & 1 ? vxlan : erspan);
		for (long i = random() % 3; i > 0; i--)
			frame.bytes[12 + random() % (frame.length - 12)] = (uint8_t)random();
		if (random() % 4 == 0)
			frame.length = (uint32_t)(random() % (frame.length + 1));
		else if (random() % 4 == 0)
			frame_append(&frame, "padding", 7);
		taken += takes(&frame);
	}
	CU_ASSERT_TRUE(taken > 100000);
	CU_ASSERT_TRUE(taken < 300000);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"plain frames are taken", test_plain_frames_are_taken},
		{"others are declined", test_others_are_declined},
		{"plain frames in mirror tunnels are taken",
			test_plain_frames_in_mirror_tunnels_are_taken},
		{"every cut and change", test_every_cut_and_change},
		CU_TEST_INFO_NULL,
	};

	return unit_run("plain decode", tests);
}
