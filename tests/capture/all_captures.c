/* SPDX-License-Identifier: Apache-2.0 */
/* Every labelled capture through a fresh pipeline with devices, streams, policy and the encoder of
 * events, in one process and without EAL: the packet balance holds, flow records add up to the
 * packets, every pool is whole again at the end, and nothing but a camera is called
 * one. Argument: the list of captures that cannot be read to their end. */
#include "classifiers/dispatch.h"
#include "dataplane/control.h"
#include "dataplane/feed.h"
#include "exporters/event.h"
#include "tests/capture/to_control.h"
#include "tests/unit/captures.h"

#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

#define EXIT_SKIPPED   77 /* meson's */
#define UNREADABLE_MAX 64
#define LIMIT_OF_FILE                                                                              \
	INT64_C(20000000000) /* CPU time: sanitizers and a loaded machine included                 \
			      */

/* What cannot be read to its end. */
struct unreadable {
	char name[400];
	uint64_t packets;
	char reason[128]; /* part of the error line */
	bool met;
};

/* Stands in for the exporters: encodes, counts, keeps nothing. */
struct fanout {
	struct event_encoder *encoder;
	uint64_t events[EVENT_DATASET_COUNT];
	uint64_t flow_packets;
	uint64_t video_devices; /* events that call a device a camera, recorder or doorbell */
	uint64_t bytes;
	bool broken; /* an event that is not one line of JSON */
};

struct world {
	struct config *config;
	struct knowledge *knowledge;
	struct dispatch *dispatch;
	struct decode_options decode;
	struct dpi *dpi; /* lent to one pipeline after the other: a module costs 20 ms */
	struct fanout fanout;
	struct unreadable unreadable[UNREADABLE_MAX];
	size_t unreadable_count;
	size_t files;
	size_t failures;
	uint64_t packets;
	int64_t slowest;
	char slowest_name[400];
};

/* One capture's. */
struct run {
	const char *name;
	struct world *world;
	struct pipeline pipeline;
	struct control *control;
	struct watch_set *watch;
	struct feed *feed;
	struct health_record health;
};

static bool
is_video_class(enum device_class device_class)
{
	return device_class == DEVICE_CAMERA || device_class == DEVICE_RECORDER ||
	       device_class == DEVICE_DOORBELL;
}

void
fanout_event(struct fanout *fanout, const struct event *event)
{
	size_t length = 0;
	const char *json =
		event_encode(fanout->encoder, event, ++fanout->events[event->dataset], &length);

	if (json == NULL || length < 2 || json[0] != '{' || json[length - 1] != '}' ||
		memchr(json, '\n', length) != NULL)
		fanout->broken = true;
	fanout->bytes += length;
	if (event->dataset == EVENT_DEVICE && is_video_class(event->device->device_class))
		fanout->video_devices++;
	if (event->dataset == EVENT_FLOW)
		fanout->flow_packets += event->flow->flow.packets[0] + event->flow->flow.packets[1];
}

void
fanout_health(const struct fanout *fanout, struct health_record *health)
{
	(void)fanout;
	(void)health;
}

static void __attribute__((format(printf, 3, 4)))
expect(struct run *run, bool holds, const char *format, ...)
{
	va_list arguments;

	if (holds)
		return;
	run->world->failures++;
	fprintf(stderr, "%s: ", run->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void
publish_watch(void *context, struct watch_set *watch)
{
	struct run *run = context;

	atomic_store(&run->pipeline.watch, watch);
	watch_set_free(run->watch);
	run->watch = watch;
}

static void
burst_done(void *context)
{
	struct run *run = context;

	control_tick(run->control, run->pipeline.now, false);
}

static bool
run_begin(struct run *run, struct world *world, const char *name)
{
	struct control_settings settings = {
		.config = world->config,
		.knowledge = world->knowledge,
		.fanout = &world->fanout,
		.publish = publish_watch,
		.publish_context = run,
	};
	struct pipeline_settings pipeline = {
		.config = world->config,
		.dispatch = world->dispatch,
		.decode = &world->decode,
		.dpi = world->dpi,
		.memory = &memory_from_system,
	};

	run->name = name;
	run->world = world;
	run->control = control_create(&settings);
	pipeline.output = to_control(run->control);
	run->feed = feed_create(&run->pipeline, burst_done, run);
	if (run->control && run->feed && pipeline_init(&run->pipeline, &pipeline) == 0)
		return true;
	expect(run, false, "out of memory");
	return false;
}

static void
run_end(struct run *run)
{
	feed_free(run->feed);
	run->pipeline.inspector.dpi = NULL;
	pipeline_free(&run->pipeline);
	control_free(run->control);
	watch_set_free(run->watch);
	free(run);
}

/* The packets of a file and how many of them belong to flows, by the decoder alone. */
static void
count_packets(struct world *world, const char *path, uint64_t *packets, uint64_t *of_flows)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct frame_view captured;

	*packets = *of_flows = 0;
	while (capture && capture_burst(capture, &captured, 1) == 1) {
		struct packet packet = {
			.data = captured.data,
			.captured = captured.captured,
			.wire_length = captured.wire_length,
			.time = captured.time,
		};
		enum packet_drop fate = decode_packet(&packet, captured.link, &world->decode);

		++*packets;
		*of_flows += fate == PACKET_DECODED &&
			     (packet.l3_kind == PACKET_L3_IPV4 || packet.l3_kind == PACKET_L3_IPV6);
	}
	capture_close(capture);
}

static struct unreadable *
find_unreadable(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->unreadable_count; i++)
		if (strcmp(world->unreadable[i].name, name) == 0)
			return &world->unreadable[i];
	return NULL;
}

/* Either the whole file was read, or it is on the list and fails as the list says. */
static void
check_reading(struct run *run, const struct capture_label *label, int result, const char *error)
{
	struct unreadable *unreadable = find_unreadable(run->world, run->name);
	uint64_t received = run->pipeline.balance.received;

	if (unreadable == NULL) {
		expect(run, result == 0, "%s", error);
		expect(run, received == label->packets, "%" PRIu64 " packets, labelled %" PRIu64,
			received, label->packets);
		return;
	}
	unreadable->met = true;
	expect(run, result != 0 && strstr(error, unreadable->reason),
		"fails with \"%s\", not \"%s\"", error, unreadable->reason);
	expect(run, strncmp(error, label->path, strlen(label->path)) == 0 && !strchr(error, '\n'),
		"the error is not one line that names the file: %s", error);
	expect(run, received == unreadable->packets, "%" PRIu64 " packets, listed %" PRIu64,
		received, unreadable->packets);
}

static void
check_balance(struct run *run, uint64_t packets, uint64_t of_flows)
{
	const struct packet_balance *balance = &run->pipeline.balance;
	uint64_t fates = 0;

	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		fates += balance->fates[fate];
	expect(run, balance->received == fates,
		"received %" PRIu64 ", decoded and dropped %" PRIu64, balance->received, fates);
	expect(run, balance->received == packets, "received %" PRIu64 " of %" PRIu64 " read",
		balance->received, packets);
	expect(run, run->world->fanout.flow_packets == of_flows,
		"flow records count %" PRIu64 " packets of %" PRIu64 " with an IP header",
		run->world->fanout.flow_packets, of_flows);
}

static void
check_pools(struct run *run)
{
	const struct inspector *inspector = &run->pipeline.inspector;
	struct dpi_counters dpi = dpi_counters(inspector->dpi);

	expect(run, inspector->in_use == 0, "%u inspection states in use", inspector->in_use);
	expect(run, inspector->free_count == run->world->config->inspection.flows_max,
		"%u inspection states free", inspector->free_count);
	expect(run, inspector->buffers.free_count == inspector->buffers.size,
		"%u of %u stream buffers free", inspector->buffers.free_count,
		inspector->buffers.size);
	expect(run, dpi.flows_in_use == 0, "%" PRIu64 " flows still in nDPI", dpi.flows_in_use);
	expect(run, run->pipeline.ipv4.occupied == 0 && run->pipeline.ipv6.occupied == 0,
		"flows left in the tables");
	expect(run, run->pipeline.contexts.in_use == 0, "%u flow contexts in use",
		run->pipeline.contexts.in_use);
}

/* With tables as large as these no capture may lose a flow. */
static void
check_losses(struct run *run)
{
	for (size_t i = 0; i < run->health.figure_count; i++) {
		const struct health_figure *figure = &run->health.figures[i];

		expect(run,
			figure->kind != HEALTH_LOSS || figure->value == 0 ||
				strncmp(figure->name, "flow_table.", 11) != 0,
			"%s is %" PRIu64, figure->name, figure->value);
	}
	expect(run, run->health.figure_count < HEALTH_COUNTERS_MAX, "the health record is full");
	expect(run, !run->world->fanout.broken, "an event is not one line of JSON");
	expect(run, run->world->fanout.events[EVENT_HEALTH] == 1, "no health event");
}

/* Nobody is accused who is no camera, not even for a moment. */
static void
check_accusations(struct run *run, const char *category)
{
	const struct fanout *fanout = &run->world->fanout;

	if (strncmp(category, "CAM", 3) == 0)
		return;
	expect(run, fanout->video_devices == 0, "%s, but has cameras", category);
	expect(run, fanout->events[EVENT_ALERT] == 0, "%s, but raises alerts", category);
}

static int64_t
cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void
check_time(struct run *run, int64_t spent)
{
	struct world *world = run->world;

	expect(run, spent < LIMIT_OF_FILE, "took %.1f s of CPU time", (double)spent / 1e9);
	if (spent <= world->slowest)
		return;
	world->slowest = spent;
	snprintf(world->slowest_name, sizeof(world->slowest_name), "%s", run->name);
}

static void
replay_capture(void *context, const struct capture_label *label)
{
	static const atomic_bool never;
	struct world *world = context;
	struct event_encoder *encoder = world->fanout.encoder;
	struct run *run = calloc(1, sizeof(*run));
	char error[CAPTURE_ERROR_SIZE] = "";
	uint64_t packets, of_flows;
	int64_t begun = cpu_time();
	int result;

	world->fanout = (struct fanout){.encoder = encoder};
	world->files++;
	if (run == NULL || !run_begin(run, world, label->name))
		exit(EXIT_FAILURE);
	result = feed_file(run->feed, label->path, &never, error);
	while (!pipeline_flush(&run->pipeline))
		;
	control_tick(run->control, run->pipeline.now, true);
	run->health.time = run->pipeline.now;
	pipeline_health(&run->pipeline, &run->health);
	control_health(run->control, &run->health);
	count_packets(world, label->path, &packets, &of_flows);
	check_reading(run, label, result, error);
	check_balance(run, packets, of_flows);
	check_pools(run);
	check_losses(run);
	check_accusations(run, label->category);
	check_time(run, cpu_time() - begun);
	world->packets += packets;
	run_end(run);
}

static bool
read_unreadable(struct world *world, const char *path)
{
	char line[1024], *rest, *name, *packets, *reason;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), file) && world->unreadable_count < UNREADABLE_MAX) {
		struct unreadable *unreadable = &world->unreadable[world->unreadable_count];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		rest = line;
		name = strsep(&rest, "\t");
		packets = strsep(&rest, "\t");
		reason = strsep(&rest, "\n");
		if (packets == NULL || reason == NULL)
			continue;
		snprintf(unreadable->name, sizeof(unreadable->name), "%s", name);
		snprintf(unreadable->reason, sizeof(unreadable->reason), "%s", reason);
		unreadable->packets = strtoull(packets, NULL, 10);
		world->unreadable_count++;
	}
	fclose(file);
	return true;
}

/* Small tables: most of the time of a short capture would go into clearing large ones. */
static bool
world_begin(struct world *world)
{
	char error[1024] = "out of memory";
	struct config *config = config_defaults();

	world->config = config;
	config->flows.ipv4_max = 8192;
	config->flows.ipv6_max = 8192;
	config->inspection.flows_max = 1024;
	config->inspection.stream_buffers = 128;
	config->devices.max = 1024;
	config->streams.max = 256;
	config->policy.alerts_max = 256;
	config->policy.contacts_max = 1024;
	config->policy.names_max = 2048;
	world->knowledge = knowledge_load(config->data_directory, "", error, sizeof(error));
	world->dispatch = dispatch_create();
	world->fanout.encoder = event_encoder_create(config);
	world->dpi = dpi_create(config->inspection.flows_max, config->inspection.dpi_max_packets);
	if (world->knowledge && world->dispatch && world->dpi && world->fanout.encoder &&
		inspector_ethertypes(&world->decode) == 0)
		return true;
	fprintf(stderr, "%s\n", error);
	return false;
}

static void
world_end(struct world *world)
{
	event_encoder_free(world->fanout.encoder);
	dpi_free(world->dpi);
	dispatch_free(world->dispatch);
	knowledge_free(world->knowledge);
	config_free(world->config);
}

int
main(int argc, char **argv)
{
	static struct world world;

	if (argc != 2 || !read_unreadable(&world, argv[1]) || !world_begin(&world))
		return EXIT_FAILURE;
	captures_each(replay_capture, &world);
	world_end(&world);
	if (world.files == 0)
		return EXIT_SKIPPED;
	for (size_t i = 0; i < world.unreadable_count; i++) {
		if (world.unreadable[i].met)
			continue;
		world.failures++;
		fprintf(stderr, "%s: listed as unreadable, but not labelled\n",
			world.unreadable[i].name);
	}
	printf("%zu captures, %" PRIu64 " packets, %zu failures; most CPU time %.2f s: %s\n",
		world.files, world.packets, world.failures, (double)world.slowest / 1e9,
		world.slowest_name);
	return world.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
