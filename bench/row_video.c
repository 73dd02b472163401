/* SPDX-License-Identifier: Apache-2.0 */
/* The camera mix: RTP streams over UDP whose loss, order, jitter and frames are measured packet by
 * packet. */
#include "bench/generator.h"
#include "bench/rows.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define START         INT64_C(1700000000000000000)
#define SLICE_PACKETS 32768
#define WARM_PACKETS  65536
#define WARM_SECONDS  3 /* of video, in which streams are found and codecs told */

static const struct video_settings usual = {
	.frame_length = 1196, /* 1,200 with the FCS */
	.packets_per_picture = 16,
	.pictures_per_group = 50,
	.pictures_per_second = 25,
};

struct video_bench {
	struct video video;
	struct rig_worker *worker;
	int64_t step; /* packet time of a burst: the streams keep their own rate */
};

static void
run_packets(struct video_bench *bench, bool pipeline, uint64_t packets)
{
	struct rte_mbuf *mbufs[GENERATOR_BURST];
	int64_t now = bench->worker->pipeline.now;

	for (uint64_t sent = 0; sent < packets; sent += GENERATOR_BURST) {
		video_burst(&bench->video, mbufs);
		if (pipeline)
			rig_worker_packets(
				bench->worker, mbufs, GENERATOR_BURST, now += bench->step);
		else
			rte_pktmbuf_free_bulk(mbufs, GENERATOR_BURST);
	}
}

static void
run_turn(struct video_bench *bench, bool pipeline, struct tally *tally)
{
	struct turn turn = turn_begin(tally);
	struct slice slice;

	run_packets(bench, pipeline, WARM_PACKETS);
	while (turn_goes_on(&turn, tally)) {
		slice_begin(&slice);
		run_packets(bench, pipeline, SLICE_PACKETS);
		slice_end(&slice, tally, SLICE_PACKETS);
	}
	rig_worker_drain(bench->worker);
}

/* Every stream must be metered, or the figure means something else. */
static void
check_metering(const struct video_bench *bench, uint32_t streams)
{
	if (bench->worker->pipeline.inspector.in_use == streams)
		return;
	log_warning("%" PRIu32 " of %" PRIu32 " streams are measured",
		bench->worker->pipeline.inspector.in_use, streams);
}

static struct figure
measure_side(struct video_bench *bench, const struct bench_options *options, bool pipeline)
{
	struct series series = {0};
	struct figure figure;

	for (unsigned run = 0; run < options->runs; run++) {
		struct tally tally = {0};

		for (uint64_t done = 0; done < options->run_packets;
			done += TURN_SLICES * SLICE_PACKETS)
			run_turn(bench, pipeline, &tally);
		series_add(&series, &tally);
	}
	figure = series_figure(&series);
	print_figure(pipeline ? "pipeline" : "generator", &figure, &series);
	return figure;
}

int
row_video(struct rig *rig, const struct bench_options *options, struct results *results)
{
	struct video_settings settings = usual;
	struct video_bench bench = {0};
	double rate;

	settings.streams = options->video_streams;
	rate = video_rate(&settings);
	results->video.offered_mpps = rate / 1e6;
	printf("%" PRIu32 " RTP streams of 1,200 B, metered (%.1f Gb/s by their own clocks)\n",
		settings.streams, rate * (settings.frame_length + 24) * 8 / 1e9);
	rig->config->flows.ipv4_max = 65536;
	bench.worker = rig_worker_create(rig, 0, RIG_INSPECT_ALL);
	if (bench.worker == NULL || video_init(&bench.video, rig->pool, &settings) != 0)
		return -1;
	bench.worker->pipeline.now = START;
	bench.step = (int64_t)(1e9 * GENERATOR_BURST / rate);
	for (double left = rate * WARM_SECONDS; left > 0; left -= SLICE_PACKETS) {
		run_packets(&bench, true, SLICE_PACKETS);
		rig_worker_drain(bench.worker);
	}
	check_metering(&bench, settings.streams);
	/* One after the other: what the generator sends alone would be loss to the meters. */
	results->video.pipeline = measure_side(&bench, options, true);
	results->video.generator = measure_side(&bench, options, false);
	printf("  %.1f Mpps, %.0f Gb/s; %" PRIu64 " stream reports\n",
		figure_mpps(&results->video.pipeline),
		(settings.frame_length + 24) * 8 * figure_mpps(&results->video.pipeline) / 1e3,
		bench.worker->taken[REPORT_SAMPLE]);
	video_free(&bench.video);
	rig_worker_free(bench.worker);
	return 0;
}
