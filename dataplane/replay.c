/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/replay.h"

#include "dataplane/control.h"
#include "dataplane/feed.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_SLOTS    16384
#define REPORTS_AT_ONCE 256

struct replay {
	const struct house *house;
	struct pipeline pipeline;
	struct report_ring reports;
	struct control *control;
	struct watch_set *watch;
	struct feed *feed;
};

static void
publish_watch(void *context, struct watch_set *watch)
{
	struct replay *replay = context;

	atomic_store(&replay->pipeline.watch, watch);
	watch_set_free(replay->watch);
	replay->watch = watch;
}

static void
drain_reports(struct replay *replay)
{
	while (report_ring_receive(
		       &replay->reports, REPORTS_AT_ONCE, control_report, replay->control) > 0)
		;
}

static void
burst_done(void *context)
{
	struct replay *replay = context;

	drain_reports(replay);
	control_tick(replay->control, replay->pipeline.now, false);
}

static bool
set_up(struct replay *replay, const struct house *house)
{
	struct control_settings settings = {
		.config = house->config,
		.knowledge = house->knowledge,
		.fanout = house->fanout,
		.publish = publish_watch,
		.publish_context = replay,
	};
	struct pipeline_settings pipeline = {
		.config = house->config,
		.dispatch = house->dispatch,
		.decode = house->decode,
		.memory = &memory_from_system,
		.deduplicated_ports = dedup_ports_of(house->config, true),
		.replay = true,
	};
	int error;

	replay->house = house;
	replay->feed = feed_create(&replay->pipeline, burst_done, replay);
	replay->control = control_create(&settings);
	if (replay->feed == NULL || replay->control == NULL ||
		report_ring_init(&replay->reports, 0, REPORT_SLOTS, -1) != 0) {
		log_error("out of memory");
		return false;
	}
	pipeline.output = report_ring_output(&replay->reports);
	if (config_wants_dpi(&house->config->inspection)) {
		pipeline.dpi = dpi_create(house->config->inspection.flows_max,
			house->config->inspection.dpi_max_packets);
		if (pipeline.dpi == NULL)
			return false; /* told by dpi_create() */
	}
	error = pipeline_init(&replay->pipeline, &pipeline);
	if (error) {
		dpi_free(pipeline.dpi);
		log_error("no memory for the flow tables: %s", strerror(-error));
	}
	return error == 0;
}

static void
tear_down(struct replay *replay)
{
	pipeline_free(&replay->pipeline);
	control_free(replay->control);
	report_ring_free(&replay->reports);
	watch_set_free(replay->watch);
	feed_free(replay->feed);
	free(replay);
}

/* Everything still in the tables goes out, in the order in which later parts need earlier ones. */
static void
finish(struct replay *replay, struct health_record *health)
{
	while (!pipeline_flush(&replay->pipeline))
		drain_reports(replay);
	drain_reports(replay);
	control_tick(replay->control, replay->pipeline.now, true);
	health->time = replay->pipeline.now;
	pipeline_health(&replay->pipeline, health);
	report_ring_health(&replay->reports, health);
	if (feed_lost(replay->feed) > 0)
		health_add(health, "replay.lost_in_capture", HEALTH_LOSS, feed_lost(replay->feed));
	control_health(replay->control, health);
}

/* `lost` packets are in no sum: they never reached the files. */
static void
print_balance(const struct packet_balance *balance, uint64_t lost, FILE *out)
{
	uint64_t decoded = balance->fates[PACKET_DECODED];

	fprintf(out, "packets: %" PRIu64 " received = %" PRIu64 " decoded + %" PRIu64 " dropped",
		balance->received, decoded, balance->received - decoded);
	for (int fate = PACKET_DECODED + 1; fate < PACKET_DROP_COUNT; fate++)
		if (balance->fates[fate])
			fprintf(out, ", %s %" PRIu64, packet_drop_name(fate), balance->fates[fate]);
	fputc('\n', out);
	if (lost > 0)
		fprintf(out,
			"lost while capturing: %" PRIu64 " packets, by the captures' own count\n",
			lost);
}

int
replay_run(const struct house *house, const char *const *captures, size_t count,
	const atomic_bool *stop, FILE *out)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct health_record *health = calloc(1, sizeof(*health));
	char error[CAPTURE_ERROR_SIZE];
	int failed = 0;

	if (replay == NULL || health == NULL || !set_up(replay, house)) {
		free(health);
		if (replay)
			tear_down(replay);
		return 1;
	}
	for (size_t i = 0; i < count && !atomic_load(stop); i++) {
		if (feed_file(replay->feed, captures[i], stop, error) == 0)
			continue;
		log_error("%s", error);
		failed = 1;
	}
	finish(replay, health);
	print_balance(&health->balance, feed_lost(replay->feed), out);
	tear_down(replay);
	free(health);
	return failed;
}
