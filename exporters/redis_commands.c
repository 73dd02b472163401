/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/redis_commands.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 64
#define NUMBER_SIZE   32

struct arguments {
	int count;
	int number_count;
	const char *values[ARGUMENTS_MAX];
	size_t lengths[ARGUMENTS_MAX];
	char numbers[ARGUMENTS_MAX / 2][NUMBER_SIZE];
};

static void
add(struct arguments *arguments, const char *value)
{
	arguments->values[arguments->count] = value;
	arguments->lengths[arguments->count++] = strlen(value);
}

static void
add_field(struct arguments *arguments, const char *name, const char *value)
{
	add(arguments, name);
	add(arguments, value);
}

static void
add_integer(struct arguments *arguments, const char *name, int64_t value)
{
	char *text = arguments->numbers[arguments->number_count++];

	snprintf(text, NUMBER_SIZE, "%lld", (long long)value);
	add_field(arguments, name, text);
}

/* Thousandths are all that is meant; integers keep a locale's comma out. */
static void
add_thousandths(struct arguments *arguments, const char *name, double value)
{
	char *text = arguments->numbers[arguments->number_count++];
	uint64_t thousandths = value > 0 && value < 1e12 ? (uint64_t)(value * 1000 + 0.5) : 0;

	snprintf(text, NUMBER_SIZE, "%llu.%03llu", (unsigned long long)(thousandths / 1000),
		(unsigned long long)(thousandths % 1000));
	add_field(arguments, name, text);
}

static void
add_json(struct arguments *arguments, const struct exported_event *event)
{
	add(arguments, "json");
	arguments->values[arguments->count] = event->json;
	arguments->lengths[arguments->count++] = event->json_length;
}

static char *
format(const struct arguments *arguments, size_t *length)
{
	char *command = NULL;
	int size = redisFormatCommandArgv(&command, arguments->count,
		(const char **)(uintptr_t)arguments->values, arguments->lengths);

	if (size < 0)
		return NULL;
	*length = (size_t)size;
	return command;
}

const char *
redis_key(char key[REDIS_KEY_SIZE], const char *site, const char *what, const char *id)
{
	snprintf(key, REDIS_KEY_SIZE, "camspan:{%s}:%s%s%s", site, what, id != NULL ? ":" : "",
		id != NULL ? id : "");
	return key;
}

/* Every field is written each time, empty where unknown, so that none is left from before. */
static char *
device_command(const char *site, const struct exported_event *event, size_t *length)
{
	const struct device_record *device = event->device;
	struct arguments arguments = {0};
	char key[REDIS_KEY_SIZE], mac[MAC_TEXT_SIZE] = "", ip[ADDRESS_TEXT_SIZE] = "";

	add(&arguments, "HSET");
	add(&arguments, redis_key(key, site, "device", device->id));
	add_field(&arguments, "id", device->id);
	add_field(&arguments, "mac", mac_is_set(&device->mac) ? mac_format(&device->mac, mac) : "");
	add_field(&arguments, "ip", device->ip_count > 0 ? ip_format(&device->ips[0], ip) : "");
	add_field(&arguments, "hostname", device->hostname);
	add_field(&arguments, "class", device_class_name(device->device_class));
	add_field(&arguments, "brand", device->brand);
	add_field(&arguments, "maker", device->maker);
	add_field(&arguments, "model", device->model);
	add_field(&arguments, "firmware", device->firmware);
	add_field(&arguments, "status", vendor_status_name(device->status));
	add_thousandths(&arguments, "confidence", device->confidence);
	add_field(&arguments, "zone", device->zone);
	add_integer(&arguments, "first_seen", device->first_seen);
	add_integer(&arguments, "last_seen", device->last_seen);
	add_json(&arguments, event);
	return format(&arguments, length);
}

static char *
stream_command(const char *site, const struct exported_event *event, size_t *length)
{
	const struct stream_record *stream = event->stream;
	struct arguments arguments = {0};
	char key[REDIS_KEY_SIZE], camera[ADDRESS_TEXT_SIZE], viewer[ADDRESS_TEXT_SIZE];

	add(&arguments, "HSET");
	add(&arguments, redis_key(key, site, "stream", stream->id));
	add_field(&arguments, "id", stream->id);
	add_field(&arguments, "device", stream->device_id);
	add_field(&arguments, "camera_ip", ip_format(&stream->camera.ip, camera));
	add_integer(&arguments, "camera_port", stream->camera.port);
	add_field(&arguments, "viewer_ip", ip_format(&stream->viewer.ip, viewer));
	add_integer(&arguments, "viewer_port", stream->viewer.port);
	add_field(&arguments, "transport", stream_transport_name(stream->transport));
	add_field(&arguments, "codec", video_codec_name(stream->codec));
	add_integer(&arguments, "width", stream->width);
	add_integer(&arguments, "height", stream->height);
	add_thousandths(&arguments, "fps", stream->fps);
	add_integer(&arguments, "bitrate", (int64_t)stream->bitrate);
	add_integer(&arguments, "lost", (int64_t)stream->lost);
	add_integer(&arguments, "ended", stream->ended);
	add_integer(&arguments, "first_seen", stream->first);
	add_integer(&arguments, "last_seen", stream->last);
	add_json(&arguments, event);
	return format(&arguments, length);
}

static char *
alert_command(const struct config *config, const struct exported_event *event, size_t *length)
{
	const struct alert_record *alert = event->alert;
	struct arguments arguments = {0};
	char key[REDIS_KEY_SIZE], kept[NUMBER_SIZE];

	snprintf(kept, sizeof(kept), "%u", config->export.redis.alerts_kept);
	add(&arguments, "XADD");
	add(&arguments, redis_key(key, config->site.name, "alerts", NULL));
	add(&arguments, "MAXLEN");
	add(&arguments, "~");
	add(&arguments, kept);
	add(&arguments, "*");
	add_field(&arguments, "event", event->id);
	add_field(&arguments, "alert", alert->id);
	add_field(&arguments, "rule", alert->rule_id);
	add_field(&arguments, "state", alert_state_name(alert->state));
	add_field(&arguments, "device", alert->device_id);
	add_integer(&arguments, "severity", alert->severity);
	add_json(&arguments, event);
	return format(&arguments, length);
}

char *
redis_command_of(const struct config *config, const struct exported_event *event, size_t *length)
{
	switch (event->dataset) {
	case EVENT_DEVICE:
		return device_command(config->site.name, event, length);
	case EVENT_STREAM:
		return stream_command(config->site.name, event, length);
	case EVENT_ALERT:
		return alert_command(config, event, length);
	case EVENT_FLOW:
	case EVENT_HEALTH:
	case EVENT_DATASET_COUNT:
		break;
	}
	return NULL;
}

const char *
redis_stream_event_id(const redisReply *element)
{
	const redisReply *fields;

	if (element->type != REDIS_REPLY_ARRAY || element->elements != 2)
		return NULL;
	fields = element->element[1];
	if (fields->type != REDIS_REPLY_ARRAY)
		return NULL;
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (fields->element[i]->type == REDIS_REPLY_STRING &&
			fields->element[i + 1]->type == REDIS_REPLY_STRING &&
			strcmp(fields->element[i]->str, "event") == 0)
			return fields->element[i + 1]->str;
	return NULL;
}
