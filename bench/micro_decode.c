/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to keys: the decoder by encapsulation, the short way for plain frames, key and hash.
 */
#include "bench/frames.h"
#include "bench/micro_suites.h"
#include "dataplane/decode.h"
#include "dataplane/flow_key.h"
#include "dataplane/plain_decode.h"
#include "dataplane/spread_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH     32
#define CASES_MAX 32

struct decode_case {
	const struct bench_frame *frame;
	const struct decode_options *options;
	char name[48];
};

static const struct flow_secret secret = {{1, 3, 5, 7, 9, 11}};

static struct frame_view
view_of(const struct bench_frame *frame)
{
	return (struct frame_view){
		.data = frame->bytes,
		.captured = frame->length,
		.wire_length = frame->length,
		.time = 1,
	};
}

/* A packet view, and from it what the flow table wants. */
static void
run_decode(struct micro_loop *loop, const void *argument)
{
	const struct decode_case *test = argument;
	struct frame_view frame = view_of(test->frame);
	struct flow_packet flow_packet;
	struct flow_wide wide;
	struct packet packet;

	packet_from_frame(&packet, &frame);
	if (decode_packet(&packet, LINK_ETHERNET, test->options) != PACKET_DECODED) {
		micro_skip(loop, "is not decoded");
		return;
	}
	while (micro_next(loop, BATCH))
		for (unsigned i = 0; i < BATCH; i++) {
			packet_from_frame(&packet, &frame);
			decode_packet(&packet, LINK_ETHERNET, test->options);
			if (packet.l3_kind == PACKET_L3_IPV4 || packet.l3_kind == PACKET_L3_IPV6)
				flow_packet_summarize(&packet, &secret, &flow_packet, &wide);
			micro_use(&packet);
			micro_use(&flow_packet);
		}
}

static void
run_plain(struct micro_loop *loop, const void *argument)
{
	const struct decode_case *test = argument;
	const struct plain_options plain = plain_options_from(test->options);
	struct frame_view frame = view_of(test->frame);
	struct flow_packet flow_packet;
	struct flow_wide wide;

	if (!plain_decode(&frame, &plain, &secret, &flow_packet, &wide)) {
		micro_skip(loop, "is not plain");
		return;
	}
	while (micro_next(loop, BATCH))
		for (unsigned i = 0; i < BATCH; i++) {
			micro_use(&frame);
			plain_decode(&frame, &plain, &secret, &flow_packet, &wide);
			micro_use(&flow_packet);
		}
}

/* What an RX lcore does with a frame to choose its worker. */
static void
run_spread_hash(struct micro_loop *loop, const void *argument)
{
	const struct decode_case *test = argument;
	const struct spread_secret spread_secret = {{1, 3, 5, 7}};
	uint64_t sum = 0;

	while (micro_next(loop, BATCH))
		for (unsigned i = 0; i < BATCH; i++) {
			sum += spread_hash(&spread_secret, test->frame->bytes, test->frame->length)
				       .value;
			micro_use(&sum);
		}
}

static void
run_hash(struct micro_loop *loop, const void *argument)
{
	struct flow_key keys[BATCH] = {0};
	uint64_t sum = 0;

	(void)argument;
	for (unsigned i = 0; i < BATCH; i++)
		keys[i].address[0] = i;
	while (micro_next(loop, BATCH)) {
		for (unsigned i = 0; i < BATCH; i++)
			sum += flow_key_hash(&keys[i], &secret);
		micro_use(&sum);
	}
}

static void
add(struct decode_case *test, const struct micro_lab *lab, const struct bench_frame *frame,
	const char *what, micro_function run)
{
	*test = (struct decode_case){.frame = frame, .options = &lab->rig->decode};
	snprintf(test->name, sizeof(test->name), "%s/%s", what, frame->name);
	micro_add(test->name, run, test);
}

void
micro_add_decode(const struct micro_lab *lab)
{
	static struct decode_case cases[3][CASES_MAX];

	for (size_t i = 0; i < bench_frame_count && i < CASES_MAX; i++) {
		add(&cases[0][i], lab, &bench_frames[i], "decode", run_decode);
		if (bench_frames[i].plain)
			add(&cases[1][i], lab, &bench_frames[i], "plain_decode", run_plain);
		add(&cases[2][i], lab, &bench_frames[i], "spread_hash", run_spread_hash);
	}
	micro_add("key/hash", run_hash, NULL);
}
