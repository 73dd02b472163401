/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks read is what they say: a message for every classifier that it takes for its
 * own, and frames of every encapsulation around the same datagram. */
#include "bench/frames.h"
#include "bench/payloads.h"
#include "dataplane/decode.h"
#include "tests/unit/no_reports.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool
count_evidence(void *context, const struct evidence *evidence)
{
	(void)evidence;
	(*(unsigned *)context)++;
	return true;
}

static void
test_every_classifier_has_one(void)
{
	for (size_t i = 0; i < classifier_count; i++) {
		if (payload_of(classifier_table[i]) == NULL)
			printf("\n    bench/payloads.c: none for %s ", classifier_table[i]->name);
		CU_ASSERT_PTR_NOT_NULL(payload_of(classifier_table[i]));
	}
	CU_ASSERT_EQUAL(payload_count, classifier_count);
}

static void
test_each_is_taken(void)
{
	static uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64)));

	for (size_t i = 0; i < payload_count; i++) {
		struct packet packet = payload_packet(&payloads[i]);
		unsigned facts = 0;
		struct report_sink sink = {&facts, count_evidence, ignore_media, ignore_sample};
		enum classifier_verdict verdict =
			payload_inspect(&payloads[i], &packet, scratch, &sink);

		if (verdict == CLASSIFIER_NOT_MINE)
			printf("\n    %s declines its own ", payloads[i].classifier->name);
		CU_ASSERT_NOT_EQUAL(verdict, CLASSIFIER_NOT_MINE);
		/* Those that need an answer or more packets first say nothing yet. */
		if (strcmp(payloads[i].classifier->name, "rtp") == 0 ||
			strcmp(payloads[i].classifier->name, "baichuan") == 0 ||
			strcmp(payloads[i].classifier->name, "dvrip") == 0)
			continue;
		if (facts == 0)
			printf("\n    %s finds nothing ", payloads[i].classifier->name);
		CU_ASSERT_TRUE(facts > 0);
	}
}

static void
test_frames_show_the_inner_flow(void)
{
	static const uint8_t camera[] = {10, 1, 0, 1}, viewer[] = {10, 2, 0, 2};
	struct ip_address source = ip_from_ipv4(camera), destination = ip_from_ipv4(viewer);

	for (size_t i = 0; i < bench_frame_count; i++) {
		struct frame_view frame = {
			.data = bench_frames[i].bytes,
			.captured = bench_frames[i].length,
			.wire_length = bench_frames[i].length,
		};
		struct packet packet;

		packet_from_frame(&packet, &frame);
		CU_ASSERT_EQUAL(decode_packet(&packet, LINK_ETHERNET, NULL), PACKET_DECODED);
		if (packet.l3_kind != PACKET_L3_IPV4)
			continue;
		if (!ip_equal(&packet.source, &source))
			printf("\n    %s is not opened ", bench_frames[i].name);
		CU_ASSERT_TRUE(ip_equal(&packet.source, &source));
		CU_ASSERT_TRUE(ip_equal(&packet.destination, &destination));
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"every classifier has one", test_every_classifier_has_one},
		{"each is taken", test_each_is_taken},
		{"frames show the inner flow", test_frames_show_the_inner_flow},
		CU_TEST_INFO_NULL,
	};

	return unit_run("payloads", tests);
}
