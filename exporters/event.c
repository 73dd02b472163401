/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/event.h"

#include "exporters/community_id.h"
#include "exporters/event_records.h"
#include "exporters/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ECS_VERSION  "8.11.0"
#define RUN_ID_BYTES 8
#define PRODUCT      "camspan"

struct event_encoder {
	const struct config *config;
	struct json_writer *json;
	struct community_id_hasher *hasher;
	char run_id[RUN_ID_BYTES * 2 + 1]; /* random per run: makes event ids unique across runs */
};

static void
make_run_id(char *run_id)
{
	uint64_t random;
	struct timespec now;

	/* Early in boot there may be no entropy yet; the clock still tells two runs apart. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		clock_gettime(CLOCK_REALTIME, &now);
		random = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	}
	snprintf(run_id, RUN_ID_BYTES * 2 + 1, "%016llx", (unsigned long long)random);
}

struct event_encoder *
event_encoder_create(const struct config *config)
{
	struct event_encoder *encoder = calloc(1, sizeof(*encoder));

	if (encoder == NULL)
		return NULL;
	encoder->config = config;
	encoder->json = json_writer_create();
	encoder->hasher = community_id_create();
	if (encoder->json == NULL || encoder->hasher == NULL) {
		event_encoder_free(encoder);
		return NULL;
	}
	make_run_id(encoder->run_id);
	return encoder;
}

void
event_encoder_free(struct event_encoder *encoder)
{
	if (encoder == NULL)
		return;
	community_id_free(encoder->hasher);
	json_writer_free(encoder->json);
	free(encoder);
}

const char *
event_id_format(const struct event_encoder *encoder, enum event_dataset dataset, uint64_t sequence,
	char *text)
{
	snprintf(text, EVENT_ID_SIZE, "%s-%s-%llu", encoder->run_id, event_dataset_name(dataset),
		(unsigned long long)sequence);
	return text;
}

static void
write_names(struct json_writer *json, const char *key, const char *const names[ECS_TYPES_MAX])
{
	if (names[0] == NULL)
		return;
	json_put_array(json, key);
	for (size_t i = 0; i < ECS_TYPES_MAX && names[i] != NULL; i++)
		json_put_text(json, NULL, names[i]);
	json_put_close_array(json);
}

static void
write_event_fields(struct event_encoder *encoder, const struct event *event, uint64_t sequence)
{
	struct json_writer *json = encoder->json;
	const char *dataset = event_dataset_name(event->dataset);
	struct event_category category = {0};
	char text[80];

	event_categorise(event, &category);
	json_put_object(json, "event");
	json_put_text(json, "kind", category.kind);
	write_names(json, "category", category.categories);
	write_names(json, "type", category.types);
	snprintf(text, sizeof(text), PRODUCT ".%s", dataset);
	json_put_text(json, "dataset", text);
	json_put_text(json, "module", PRODUCT);
	json_put_text(json, "id", event_id_format(encoder, event->dataset, sequence, text));
	json_put_unsigned(json, "sequence", sequence);
	if (event->dataset == EVENT_ALERT)
		json_put_unsigned(json, "severity", category.severity);
	json_put_time(json, "start", category.start);
	json_put_time(json, "end", category.end);
	if (category.start != 0 && category.end >= category.start)
		json_put_unsigned(
			json, "duration", (uint64_t)category.end - (uint64_t)category.start);
	json_put_close_object(json);
}

static void
write_origin(struct event_encoder *encoder)
{
	struct json_writer *json = encoder->json;
	const struct config *config = encoder->config;

	json_put_object(json, "ecs");
	json_put_text(json, "version", ECS_VERSION);
	json_put_close_object(json);
	json_put_object(json, "agent");
	json_put_text(json, "type", PRODUCT);
	json_put_text(json, "version", CAMSPAN_VERSION);
	json_put_text(json, "ephemeral_id", encoder->run_id);
	json_put_close_object(json);
	json_put_object(json, "observer");
	json_put_text(json, "name", config->sensor_name);
	json_put_text(json, "product", PRODUCT);
	json_put_text(json, "type", "sensor");
	json_put_text(json, "version", CAMSPAN_VERSION);
	json_put_close_object(json);
	if (config->site.name[0] != '\0') {
		json_put_object(json, "labels");
		json_put_text(json, "site", config->site.name);
		json_put_close_object(json);
	}
}

static void
write_timestamp(struct json_writer *json, int64_t time)
{
	char text[TIME_TEXT_SIZE];

	time_format(time, text); /* required by ECS, so written even for time 0 */
	json_put_text(json, "@timestamp", text);
}

const char *
event_encode(
	struct event_encoder *encoder, const struct event *event, uint64_t sequence, size_t *length)
{
	struct json_writer *json = encoder->json;
	char community_id[COMMUNITY_ID_SIZE];

	json_writer_begin(json);
	write_timestamp(json, event->time);
	write_event_fields(encoder, event, sequence);
	write_origin(encoder);
	switch (event->dataset) {
	case EVENT_FLOW:
		event_write_flow(json, event->flow,
			community_id_format(encoder->hasher, &event->flow->flow, community_id));
		break;
	case EVENT_DEVICE:
		event_write_device(json, event->device);
		break;
	case EVENT_STREAM:
		event_write_stream(json, event->stream);
		break;
	case EVENT_ALERT:
		event_write_alert(json, event->alert);
		break;
	case EVENT_HEALTH:
		event_write_health(json, event->health);
		break;
	case EVENT_DATASET_COUNT:
		break;
	}
	return json_writer_end(json, length);
}
