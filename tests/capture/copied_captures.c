/* SPDX-License-Identifier: Apache-2.0 */
/* Every labelled capture as a span port would deliver it twice: each packet comes again a
 * millisecond later as a switch or router sends it on, with other MACs, VLAN, TTL, DSCP and
 * checksums. With the copies removed nothing may differ from the capture alone: flows, streams,
 * devices, alerts. How many packets are copies is told by a plain comparison of bytes; captures
 * hold copies of their own, which must cost no stream anything either. */
#include "classifiers/dispatch.h"
#include "dataplane/control.h"
#include "dataplane/pipeline.h"
#include "tests/capture/copied_traffic.h"
#include "tests/capture/to_control.h"
#include "tests/unit/captures.h"

#include <inttypes.h>
#include <stdarg.h>

#define EXIT_SKIPPED 77 /* meson's */
#define BURST        31 /* full ones spare general inspection: those of one run, not of the other */
#define FLOW_SLOTS   (1 << 15)

/* What a run came to: one line for each device, stream and alert as last told, and the sums of each
 * flow's records. */
struct fanout {
	struct {
		char key[24];
		char text[512];
	} * lines;
	size_t count, room;
	struct flow_sum {
		uint64_t id;
		uint64_t packets[2], bytes[2];
		struct flow_record last;
		int64_t start;
	} * flows;
	size_t flow_count;
	bool full;
};

struct world {
	struct config *config;
	struct knowledge *knowledge;
	struct dispatch *dispatch;
	struct decode_options decode;
	struct dpi *dpi;
	size_t files, failures;
	size_t with_own_copies;
	uint64_t packets, copies, own_copies;
};

struct run {
	struct fanout fanout;
	struct pipeline pipeline;
	struct control *control;
	struct watch_set *watch;
};

static void
put_line(struct fanout *fanout, char kind, const char *id, const char *text)
{
	char key[24];
	size_t i = 0;

	snprintf(key, sizeof(key), "%c %s", kind, id);
	while (i < fanout->count && strcmp(fanout->lines[i].key, key) != 0)
		i++;
	if (i == fanout->room) {
		fanout->room = fanout->room ? 2 * fanout->room : 64;
		fanout->lines = realloc(fanout->lines, fanout->room * sizeof(*fanout->lines));
		if (fanout->lines == NULL)
			abort();
	}
	if (i == fanout->count)
		fanout->count++;
	snprintf(fanout->lines[i].key, sizeof(fanout->lines[i].key), "%s", key);
	snprintf(fanout->lines[i].text, sizeof(fanout->lines[i].text), "%s", text);
}

static void
put_flow(struct fanout *fanout, const struct flow_record *record)
{
	size_t slot = (record->id ^ record->id >> 40) % FLOW_SLOTS;
	struct flow_sum *sum;

	while (fanout->flows[slot].id != 0 && fanout->flows[slot].id != record->id)
		slot = (slot + 1) % FLOW_SLOTS;
	sum = &fanout->flows[slot];
	if (sum->id == 0) {
		sum->id = record->id;
		sum->start = record->start;
		fanout->full = ++fanout->flow_count > FLOW_SLOTS / 2;
	}
	for (int side = 0; side < 2; side++) {
		sum->packets[side] += record->packets[side];
		sum->bytes[side] += record->bytes[side];
	}
	sum->last = *record;
}

static void
put_device(struct fanout *fanout, const struct device_record *device)
{
	char text[512], mac[ADDRESS_TEXT_SIZE];

	snprintf(text, sizeof(text),
		"%s brand %s maker %s model %s firmware %s host %s mac %s vlan %u facts %u "
		"confidence %.3f first %" PRId64,
		device_class_name(device->device_class), device->brand, device->maker,
		device->model, device->firmware, device->hostname, mac_format(&device->mac, mac),
		device->vlan, device->fact_count, (double)device->confidence, device->first_seen);
	put_line(fanout, 'd', device->id, text);
}

static void
put_stream(struct fanout *fanout, const struct stream_record *stream)
{
	char text[512];

	snprintf(text, sizeof(text),
		"camera %s %u viewer port %u packets %" PRIu64 " bytes %" PRIu64 " lost %" PRIu64
		" reordered %" PRIu64 " codec %u %ux%u %.2f fps jitter %.3f",
		stream->device_id, stream->camera.port, stream->viewer.port, stream->packets,
		stream->bytes, stream->lost, stream->reordered, stream->codec, stream->width,
		stream->height, stream->fps, stream->jitter_ms);
	put_line(fanout, 's', stream->id, text);
}

static void
put_alert(struct fanout *fanout, const struct alert_record *alert)
{
	char text[512];

	snprintf(text, sizeof(text),
		"%s device %s outcome %s port %u out %" PRIu64 " in %" PRIu64 " count %" PRIu64,
		alert->rule_id, alert->device_id, alert_outcome_name(alert->outcome),
		alert->destination.port, alert->bytes_out, alert->bytes_in, alert->count);
	put_line(fanout, 'a', alert->id, text);
}

void
fanout_event(struct fanout *fanout, const struct event *event)
{
	if (event->dataset == EVENT_FLOW)
		put_flow(fanout, &event->flow->flow);
	else if (event->dataset == EVENT_DEVICE)
		put_device(fanout, event->device);
	else if (event->dataset == EVENT_STREAM)
		put_stream(fanout, event->stream);
	else if (event->dataset == EVENT_ALERT)
		put_alert(fanout, event->alert);
}

void
fanout_health(const struct fanout *fanout, struct health_record *health)
{
	(void)fanout;
	(void)health;
}

static void
publish_watch(void *context, struct watch_set *watch)
{
	struct run *run = context;

	atomic_store(&run->pipeline.watch, watch);
	watch_set_free(run->watch);
	run->watch = watch;
}

static struct run *
run_begin(struct world *world, bool deduplicate)
{
	struct run *run = calloc(1, sizeof(*run));
	struct control_settings settings = {
		.config = world->config,
		.knowledge = world->knowledge,
		.publish = publish_watch,
		.publish_context = run,
	};
	struct pipeline_settings pipeline = {
		.config = world->config,
		.dispatch = world->dispatch,
		.decode = &world->decode,
		.dpi = world->dpi,
		.memory = &memory_from_system,
		.deduplicated_ports = deduplicate,
	};

	if (run == NULL)
		abort();
	settings.fanout = &run->fanout;
	run->fanout.flows = calloc(FLOW_SLOTS, sizeof(*run->fanout.flows));
	run->control = control_create(&settings);
	pipeline.output = to_control(run->control);
	if (run->fanout.flows == NULL || run->control == NULL ||
		pipeline_init(&run->pipeline, &pipeline) != 0)
		abort();
	return run;
}

static void
run_end(struct run *run)
{
	run->pipeline.inspector.dpi = NULL;
	pipeline_free(&run->pipeline);
	control_free(run->control);
	watch_set_free(run->watch);
	free(run->fanout.flows);
	free(run->fanout.lines);
	free(run);
}

/* Without `copies` their place in time is kept, so that timers run at the same packet times. */
static struct run *
run_traffic(struct world *world, const struct traffic *traffic, bool deduplicate, bool copies)
{
	struct run *run = run_begin(world, deduplicate);
	struct frame_view frames[BURST];

	for (size_t i = 0; i < traffic->count;) {
		enum link_type link = traffic->packets[i].link;
		unsigned seen = 0, count = 0;

		for (; i < traffic->count && seen < BURST && traffic->packets[i].link == link;
			seen++) {
			const struct stored *packet = &traffic->packets[i++];

			if (copies || !packet->copy)
				frames[count++] = packet->view;
		}
		pipeline_burst(&run->pipeline, frames, count, link);
		pipeline_idle(&run->pipeline, traffic->packets[i - 1].view.time);
		control_tick(run->control, run->pipeline.now, false);
	}
	while (!pipeline_flush(&run->pipeline))
		;
	control_tick(run->control, run->pipeline.now, true);
	return run;
}

static void __attribute__((format(printf, 3, 4)))
fail(struct world *world, const char *name, const char *format, ...)
{
	va_list arguments;

	world->failures++;
	fprintf(stderr, "%s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static bool
flow_equal(const struct flow_sum *a, const struct flow_sum *b)
{
	const struct flow_record *x = &a->last, *y = &b->last;

	return a->id == b->id && a->start == b->start && x->end == y->end &&
	       memcmp(a->packets, b->packets, sizeof(a->packets)) == 0 &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 &&
	       ip_equal(&x->initiator.ip, &y->initiator.ip) &&
	       ip_equal(&x->responder.ip, &y->responder.ip) &&
	       x->initiator.port == y->initiator.port && x->responder.port == y->responder.port &&
	       mac_equal(&x->initiator_mac, &y->initiator_mac) &&
	       mac_equal(&x->responder_mac, &y->responder_mac) && x->vlan == y->vlan &&
	       x->protocol == y->protocol && x->answered == y->answered &&
	       x->end_reason == y->end_reason &&
	       strcmp(x->application_name, y->application_name) == 0 &&
	       x->initiator_certain == y->initiator_certain &&
	       memcmp(x->tcp_flags, y->tcp_flags, sizeof(x->tcp_flags)) == 0;
}

static void
fail_flow(struct world *world, const char *name, const struct flow_sum *a, const struct flow_sum *b)
{
	fail(world, name,
		"flow %" PRIx64 " differs: packets %" PRIu64 "+%" PRIu64 " and %" PRIu64 "+%" PRIu64
		", ports %u-%u and %u-%u, from %" PRId64 " to %" PRId64 " and %" PRId64
		" to %" PRId64 ", VLAN %u and %u, end %u and %u, application %s and %s",
		a->id, a->packets[0], a->packets[1], b->packets[0], b->packets[1],
		a->last.initiator.port, a->last.responder.port, b->last.initiator.port,
		b->last.responder.port, a->start, a->last.end, b->start, b->last.end, a->last.vlan,
		b->last.vlan, a->last.end_reason, b->last.end_reason, a->last.application_name,
		b->last.application_name);
}

static void
compare(struct world *world, const char *name, const struct fanout *alone,
	const struct fanout *twice)
{
	if (alone->flow_count != twice->flow_count || alone->full)
		fail(world, name, "%zu flows alone, %zu with copies", alone->flow_count,
			twice->flow_count);
	for (size_t i = 0; i < FLOW_SLOTS; i++)
		if (!flow_equal(&alone->flows[i], &twice->flows[i])) {
			fail_flow(world, name, &alone->flows[i], &twice->flows[i]);
			break;
		}
	if (alone->count != twice->count)
		fail(world, name, "%zu devices, streams and alerts alone, %zu with copies",
			alone->count, twice->count);
	for (size_t i = 0; i < alone->count; i++) {
		size_t k = 0;

		while (k < twice->count && strcmp(alone->lines[i].key, twice->lines[k].key) != 0)
			k++;
		if (k == twice->count || strcmp(alone->lines[i].text, twice->lines[k].text) != 0)
			fail(world, name, "%s:\n  alone: %s\n  twice: %s", alone->lines[i].key,
				alone->lines[i].text,
				k == twice->count ? "-" : twice->lines[k].text);
	}
}

/* What was captured twice may look lost or doubled without deduplication, never the other way. */
static void
compare_streams(struct world *world, const char *name, const struct fanout *plain,
	const struct fanout *alone)
{
	for (size_t i = 0; i < plain->count; i++) {
		size_t k = 0;

		if (plain->lines[i].key[0] != 's')
			continue;
		while (k < alone->count && strcmp(plain->lines[i].key, alone->lines[k].key) != 0)
			k++;
		if (k == alone->count || strcmp(plain->lines[i].text, alone->lines[k].text) != 0)
			fail(world, name, "%s:\n  without: %s\n  with:    %s", plain->lines[i].key,
				plain->lines[i].text,
				k == alone->count ? "-" : alone->lines[k].text);
	}
}

static void
check_count(struct world *world, const char *name, struct run *run, uint64_t expected)
{
	const struct packet_balance *balance = &run->pipeline.balance;
	uint64_t fates = 0;

	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		fates += balance->fates[fate];
	if (fates != balance->received)
		fail(world, name, "received %" PRIu64 ", decoded and dropped %" PRIu64,
			balance->received, fates);
	if (balance->fates[DROP_DUPLICATE] != expected)
		fail(world, name, "%" PRIu64 " packets dropped, %" PRIu64 " are copies",
			balance->fates[DROP_DUPLICATE], expected);
}

/* The copy of a copy may come after the window of the first, and count. The copy of a first
 * fragment makes later ones find it for a millisecond longer. */
static bool
is_comparable(const struct run *alone, const struct run *twice, uint64_t own)
{
	return own == 0 && twice->pipeline.fragments.counters.joined ==
				   2 * alone->pipeline.fragments.counters.joined;
}

static void
check_capture(void *context, const struct capture_label *label)
{
	struct world *world = context;
	struct traffic traffic = traffic_read(label->path);
	struct traffic doubled = traffic_copy(&world->decode, &traffic);
	int64_t window = world->config->dataplane.deduplication.window_ms * INT64_C(1000000);
	uint64_t own = traffic_count_copies(&world->decode, &traffic, window);
	uint64_t all = traffic_count_copies(&world->decode, &doubled, window);
	struct run *plain = run_traffic(world, &doubled, false, false);
	struct run *alone = run_traffic(world, &doubled, true, false);
	struct run *twice = run_traffic(world, &doubled, true, true);

	check_count(world, label->name, plain, 0);
	check_count(world, label->name, alone, own);
	check_count(world, label->name, twice, all);
	if (is_comparable(alone, twice, own))
		compare(world, label->name, &alone->fanout, &twice->fanout);
	compare_streams(world, label->name, &plain->fanout, &alone->fanout);
	world->files++;
	world->packets += traffic.count;
	world->copies += all;
	world->own_copies += own;
	world->with_own_copies += own > 0;
	run_end(plain);
	run_end(alone);
	run_end(twice);
	traffic_free(&traffic);
	traffic_free(&doubled);
}

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
	config->inspection.dpi_per_burst = 1024; /* no budget that a copy could use up */
	config->devices.max = 1024;
	config->streams.max = 256;
	config->policy.alerts_max = 256;
	config->policy.contacts_max = 1024;
	config->policy.names_max = 2048;
	world->knowledge = knowledge_load(config->data_directory, "", error, sizeof(error));
	world->dispatch = dispatch_create();
	world->dpi = dpi_create(config->inspection.flows_max, config->inspection.dpi_max_packets);
	if (world->knowledge && world->dispatch && world->dpi &&
		inspector_ethertypes(&world->decode) == 0)
		return true;
	fprintf(stderr, "%s\n", error);
	return false;
}

int
main(void)
{
	static struct world world;

	if (!world_begin(&world))
		return EXIT_FAILURE;
	captures_each(check_capture, &world);
	dpi_free(world.dpi);
	dispatch_free(world.dispatch);
	knowledge_free(world.knowledge);
	config_free(world.config);
	if (world.files == 0)
		return EXIT_SKIPPED;
	printf("%zu captures, %" PRIu64 " packets; with copies of all %" PRIu64
	       " copies removed; %" PRIu64 " copies in %zu captures as they are; %zu failures\n",
		world.files, world.packets, world.copies, world.own_copies, world.with_own_copies,
		world.failures);
	return world.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
