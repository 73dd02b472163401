/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control.h"

#include "classifiers/destinations/policy.h"
#include "classifiers/devices/device_table.h"
#include "classifiers/streams/stream_table.h"
#include "dataplane/log.h"
#include "dataplane/records/text.h"

#include <stdlib.h>
#include <string.h>

#define TICK_INTERVAL  INT64_C(200000000)
#define WATCH_INTERVAL INT64_C(1000000000)

struct control {
	struct control_settings settings;
	struct device_table *devices;
	struct stream_table *streams;
	struct policy *policy;
	int64_t last_tick;
	int64_t last_watch;
	bool watch_changed; /* a device became or ceased to be one that policy watches */
	uint64_t flow_events;
};

static void
send(struct control *control, const struct event *event)
{
	fanout_event(control->settings.fanout, event);
}

/* Cameras and recorders: whom the rules about destinations are for. */
static bool
is_watched_class(const struct device_record *device)
{
	return device->device_class == DEVICE_CAMERA || device->device_class == DEVICE_RECORDER ||
	       device->device_class == DEVICE_DOORBELL;
}

static void
device_changed(void *context, const struct device_record *device)
{
	struct control *control = context;
	const struct config_zone *zone = policy_device_zone(control->policy, device);
	struct device_record located = *device;
	struct event event = {.dataset = EVENT_DEVICE, .time = device->last_seen};

	snprintf(located.zone, sizeof(located.zone), "%s", zone ? zone->name : "");
	located.zone_kind = zone ? (uint8_t)zone->kind : ZONE_NONE;
	if (strcmp(located.zone, device->zone) != 0)
		device_table_set_zone(control->devices, located.id, located.zone,
			(enum zone_kind)located.zone_kind);
	event.device = &located;
	send(control, &event);
	policy_device(control->policy, &located);
	control->watch_changed |= is_watched_class(&located);
}

/* A host that is seen on two segments may be without its address for a moment, while it is told
 * from the router between them: then its own MAC names it, if that is a device that sends video. */
static const struct device_record *
sender_of(const struct control *control, const struct stream_record *stream)
{
	const struct device_record *device =
		device_table_find(control->devices, stream->tenant, &stream->camera.ip, NULL);

	if (device)
		return device;
	device = device_table_find(control->devices, stream->tenant, NULL, &stream->camera_mac);
	return device && is_watched_class(device) ? device : NULL;
}

static void
stream_changed(void *context, const struct stream_record *stream)
{
	struct control *control = context;
	const struct device_record *camera = sender_of(control, stream);
	struct stream_record owned = *stream;
	struct event event = {.dataset = EVENT_STREAM, .time = stream->last};

	if (camera)
		memcpy(owned.device_id, camera->id, sizeof(owned.device_id));
	event.stream = &owned;
	send(control, &event);
}

static void
alert_raised(void *context, const struct alert_record *alert)
{
	struct event event = {.dataset = EVENT_ALERT, .time = alert->last, .alert = alert};

	send(context, &event);
}

static bool
in_estate(void *context, const struct ip_address *ip)
{
	const struct control *control = context;
	const struct config_zone *zone = policy_zone(control->policy, ip, 0);

	return zone && zone->kind != ZONE_INTERNET;
}

struct control *
control_create(const struct control_settings *settings)
{
	const struct config *config = settings->config;
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	control->settings = *settings;
	control->devices =
		device_table_create(&config->devices, settings->knowledge, device_changed, control);
	control->streams = stream_table_create(&config->streams, stream_changed, control);
	control->policy = policy_create(config, alert_raised, control);
	if (control->devices && control->streams && control->policy) {
		device_table_set_estate(control->devices, in_estate, control);
		return control;
	}
	control_free(control);
	return NULL;
}

void
control_free(struct control *control)
{
	if (control == NULL)
		return;
	if (control->policy)
		policy_free(control->policy);
	if (control->streams)
		stream_table_free(control->streams);
	if (control->devices)
		device_table_free(control->devices);
	free(control);
}

static void
name_end(char id[DEVICE_ID_SIZE], const struct device_record *device)
{
	if (device)
		memcpy(id, device->id, DEVICE_ID_SIZE);
}

static void
flow_reported(struct control *control, const struct flow_record *flow)
{
	const struct device_record *initiator, *responder;
	struct flow_event named = {
		.flow = *flow, .sampling_interval = control->settings.sampling_interval};
	struct event event = {.dataset = EVENT_FLOW, .time = flow->end, .flow = &named};

	device_table_flow(control->devices, flow);
	initiator = device_table_find(
		control->devices, flow->tenant, &flow->initiator.ip, &flow->initiator_mac);
	responder = device_table_find(
		control->devices, flow->tenant, &flow->responder.ip, &flow->responder_mac);
	policy_flow(control->policy, flow, initiator, responder);
	if (flow->end_reason == FLOW_UPDATE)
		return;
	name_end(named.initiator_device, initiator);
	name_end(named.responder_device, responder);
	/* policy_name() borrows: copy each before the next call. */
	text_copy(named.initiator_domain, sizeof(named.initiator_domain),
		policy_name(
			control->policy, flow->tenant, &flow->responder.ip, &flow->initiator.ip));
	text_copy(named.responder_domain, sizeof(named.responder_domain),
		policy_name(
			control->policy, flow->tenant, &flow->initiator.ip, &flow->responder.ip));
	text_copy(
		named.direction, sizeof(named.direction), policy_direction(control->policy, flow));
	control->flow_events++;
	send(control, &event);
}

void
control_report(void *context, const struct report *report)
{
	struct control *control = context;

	switch (report->kind) {
	case REPORT_FLOW:
		flow_reported(control, &report->flow);
		break;
	case REPORT_EVIDENCE:
		device_table_evidence(control->devices, &report->evidence);
		policy_evidence(control->policy, &report->evidence);
		break;
	case REPORT_MEDIA:
		stream_table_media(control->streams, &report->media);
		break;
	case REPORT_SAMPLE:
		stream_table_sample(control->streams, &report->sample);
		break;
	}
}

static void
count_watched(void *context, const struct device_record *device)
{
	uint32_t *count = context;

	if (is_watched_class(device))
		*count += device->ip_count;
}

static void
watch_device(void *context, const struct device_record *device)
{
	struct watch_set *watch = context;

	if (!is_watched_class(device))
		return;
	for (unsigned i = 0; i < device->ip_count; i++)
		watch_set_add(watch, device->tenant, &device->ips[i]);
}

static void
publish_watch(struct control *control)
{
	struct watch_set *watch;
	uint32_t count = 0;

	/* As small as it can be: every new flow looks into it. */
	device_table_each(control->devices, count_watched, &count);
	watch = watch_set_create(count);
	/* Without memory for a new set the old one stays in force: alerts come later, not never. */
	if (watch == NULL)
		return;
	device_table_each(control->devices, watch_device, watch);
	control->settings.publish(control->settings.publish_context, watch);
	control->watch_changed = false;
}

void
control_tick(struct control *control, int64_t now, bool all)
{
	/* A replay may go back in time: that is due at once. */
	if (!all && now >= control->last_tick && now - control->last_tick < TICK_INTERVAL)
		return;
	control->last_tick = now;
	device_table_tick(control->devices, now, all);
	stream_table_tick(control->streams, now, all);
	policy_tick(control->policy, now, all);
	if (control->watch_changed &&
		(now - control->last_watch >= WATCH_INTERVAL || now < control->last_watch)) {
		control->last_watch = now;
		publish_watch(control);
	}
}

void
control_health(struct control *control, struct health_record *health)
{
	struct event event = {.dataset = EVENT_HEALTH, .time = health->time, .health = health};

	health_add(health, "control.flow_events", HEALTH_COUNTER, control->flow_events);
	device_table_health(control->devices, health);
	stream_table_health(control->streams, health);
	policy_health(control->policy, health);
	fanout_health(control->settings.fanout, health);
	send(control, &event);
}
