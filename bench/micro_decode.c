/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to keys: the decoder by encapsulation, the short way for plain frames, key and hash.
 */
#include "bench/frames.h"
#include "bench/micro_suites.h"
#include "dataplane/decode.h"
#include "dataplane/flow_key.h"
#include "dataplane/plain_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32

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
	struct frame_view frame = view_of(test->frame);
	struct flow_packet flow_packet;
	struct flow_wide wide;

	if (!plain_decode(&frame, &flow_packet, &wide, &secret)) {
		micro_skip(loop, "is not plain");
		return;
	}
	while (micro_next(loop, BATCH))
		for (unsigned i = 0; i < BATCH; i++) {
			micro_use(&frame);
			plain_decode(&frame, &flow_packet, &wide, &secret);
			micro_use(&flow_packet);
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

void
micro_add_decode(const struct micro_lab *lab)
{
	static struct decode_case cases[2][16];

	for (size_t i = 0; i < bench_frame_count && i < 16; i++)
		for (int plain = 0; plain < (bench_frames[i].plain ? 2 : 1); plain++) {
			struct decode_case *test = &cases[plain][i];

			*test = (struct decode_case){
				.frame = &bench_frames[i], .options = &lab->rig->decode};
			snprintf(test->name, sizeof(test->name), "%s/%s",
				plain ? "plain_decode" : "decode", bench_frames[i].name);
			micro_add(test->name, plain ? run_plain : run_decode, test);
		}
	micro_add("key/hash", run_hash, NULL);
}
