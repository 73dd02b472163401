/* SPDX-License-Identifier: Apache-2.0 */
/* What each stage costs: the same traffic through ever more of the path, on one lcore, in short
 * slices by turns. A stage is the difference to the one before. */
#include "bench/capacity.h"
#include "dataplane/flow_key.h"
#include "dataplane/log.h"
#include "dataplane/plain_decode.h"

#include <rte_mbuf.h>
#include <stdlib.h>

#define START         INT64_C(1700000000000000000)
#define SLICE_PACKETS 16384
#define WARM_SLICES   4
#define RUNS          9
#define TURNS         4 /* of each side in a run */

static const struct flow_secret secret = {{1, 3, 5, 7, 9, 11}};

struct side {
	struct traffic *traffic;   /* its own: each sees whole conversations */
	struct rig_worker *worker; /* NULL: no flows */
	enum stage stage;
	double packet_ns; /* packet time between packets: what one costs */
	struct tally tally;
	struct series series;
};

const char *
stage_name(enum stage stage)
{
	static const char *const names[STAGE_COUNT] = {
		"generate", "decode", "flows", "classify", "ndpi"};

	return names[stage];
}

/* As the pipeline reads a frame: the short way where it can, else the whole decoder. */
static void
decode_burst(const struct rig *rig, struct rte_mbuf **mbufs)
{
	const struct plain_options plain = plain_options_from(&rig->decode);
	struct flow_packet flow_packet;
	struct flow_wide wide;
	struct packet packet;

	for (unsigned i = 0; i < TRAFFIC_BURST; i++) {
		struct frame_view frame = {
			.data = rte_pktmbuf_mtod(mbufs[i], const uint8_t *),
			.captured = mbufs[i]->data_len,
			.wire_length = mbufs[i]->pkt_len,
			.time = START,
		};

		if (plain_decode(&frame, &plain, &secret, &flow_packet, &wide))
			continue;
		packet_from_frame(&packet, &frame);
		if (decode_packet(&packet, LINK_ETHERNET, &rig->decode) == PACKET_DECODED &&
			(packet.l3_kind == PACKET_L3_IPV4 || packet.l3_kind == PACKET_L3_IPV6))
			flow_packet_summarize(&packet, &secret, &flow_packet, &wide);
		__asm__ volatile("" : : "r"(&flow_packet) : "memory");
	}
}

static void
run_packets(const struct rig *rig, struct side *side, uint64_t packets)
{
	struct rte_mbuf *mbufs[TRAFFIC_BURST];
	int64_t step = (int64_t)(side->packet_ns * TRAFFIC_BURST);
	int64_t now =
		side->worker && side->worker->pipeline.now ? side->worker->pipeline.now : START;

	for (uint64_t sent = 0; sent < packets; sent += TRAFFIC_BURST) {
		if (traffic_burst(side->traffic, mbufs) != 0)
			abort();
		if (side->worker) {
			rig_worker_packets(side->worker, mbufs, TRAFFIC_BURST, now += step);
			continue;
		}
		if (side->stage == STAGE_DECODE)
			decode_burst(rig, mbufs);
		rte_pktmbuf_free_bulk(mbufs, TRAFFIC_BURST);
	}
}

static void
run_turn(const struct rig *rig, struct side *side)
{
	struct turn turn = turn_begin(&side->tally);
	struct slice slice;

	for (unsigned i = 0; i < WARM_SLICES; i++) {
		run_packets(rig, side, SLICE_PACKETS);
		if (side->worker)
			rig_worker_drain(side->worker);
	}
	while (turn_goes_on(&turn, &side->tally)) {
		double ns;

		slice_begin(&slice);
		run_packets(rig, side, SLICE_PACKETS);
		ns = slice_end(&slice, &side->tally, SLICE_PACKETS);
		if (ns > 0)
			side->packet_ns = ns / SLICE_PACKETS;
		if (side->worker)
			rig_worker_drain(side->worker);
	}
}

static void
measure(struct capacity *capacity, struct side sides[STAGE_COUNT], struct capacity_result *result)
{
	unsigned runs = capacity->options.smoke ? 1 : RUNS;

	for (unsigned run = 0; run < runs && !atomic_load(capacity->stop); run++) {
		capacity_progress(
			capacity, "%s: stages, run %u of %u", result->profile, run + 1, runs);
		for (int i = 0; i < STAGE_COUNT; i++)
			sides[i].tally = (struct tally){0};
		for (unsigned turn = 0; turn < (capacity->options.smoke ? 1 : TURNS); turn++)
			for (int i = 0; i < STAGE_COUNT; i++)
				run_turn(&capacity->rig, &sides[i]);
		for (int i = 0; i < STAGE_COUNT; i++)
			series_add(&sides[i].series, &sides[i].tally);
	}
	capacity_progress(capacity, "%s", "");
}

static void
take_differences(struct side sides[STAGE_COUNT], struct capacity_result *result)
{
	double before = 0;

	for (int i = 0; i < STAGE_COUNT; i++) {
		struct figure figure = series_figure(&sides[i].series);

		result->slices_dropped += sides[i].series.slices_dropped;
		if (figure.runs == 0)
			continue;
		/* Two medians may differ the wrong way where a stage costs nothing. */
		result->stage_ns[i] = figure.median > before ? figure.median - before : 0;
		before = figure.median;
	}
	result->total_ns = before - result->stage_ns[STAGE_GENERATE];
	result->frame_length = traffic_frame_length(sides[STAGE_DPI].traffic);
}

static int
make_side(struct capacity *capacity, struct side *side, enum stage stage, const char *profile)
{
	static const enum rig_inspection inspection[STAGE_COUNT] = {
		[STAGE_FLOWS] = RIG_INSPECT_NOTHING,
		[STAGE_CLASSIFY] = RIG_INSPECT_CLASSIFIERS,
		[STAGE_DPI] = RIG_INSPECT_ALL,
	};

	*side = (struct side){.stage = stage, .packet_ns = 50};
	side->traffic = capacity_traffic(capacity, profile, 0);
	if (side->traffic == NULL)
		return -1;
	if (stage < STAGE_FLOWS)
		return 0;
	side->worker = rig_worker_create(&capacity->rig, stage, inspection[stage]);
	return side->worker ? 0 : -1;
}

int
capacity_stages(struct capacity *capacity, struct capacity_result *result)
{
	static struct side sides[STAGE_COUNT];
	int failed = 0;

	for (int i = 0; i < STAGE_COUNT; i++)
		sides[i] = (struct side){0};
	for (int i = 0; failed == 0 && i < STAGE_COUNT; i++)
		failed = make_side(capacity, &sides[i], i, result->profile);
	if (failed == 0) {
		measure(capacity, sides, result);
		take_differences(sides, result);
	}
	for (int i = 0; i < STAGE_COUNT; i++) {
		/* Without classifiers nobody counts the packets that belong to no flow. */
		if (sides[i].worker && i != STAGE_FLOWS && failed == 0)
			failed = rig_worker_balance(sides[i].worker);
		if (sides[i].worker)
			rig_worker_free(sides[i].worker);
		traffic_free(sides[i].traffic);
	}
	return failed || atomic_load(capacity->stop) ? -1 : 0;
}
