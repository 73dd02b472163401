/* SPDX-License-Identifier: Apache-2.0 */
/* Events to Kafka: at least once, or counted as failed with a reason.
 *
 * The message time is left to the client: with the time of a replayed capture, brokers would
 * delete the messages as too old. */
#include "dataplane/log.h"
#include "exporters/exporters.h"
#include "exporters/kafka_settings.h"
#include "exporters/monotonic.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define CAUSES_MAX          32
#define LOG_INTERVAL_MS     60000 /* between two lines of one cause */
#define ROOM_WAIT_MS        100   /* for room in librdkafka's queue, then again */
#define PURGE_WAIT_MS       2000
#define RECREATE_BACKOFF_MS 1000
#define KEY_SIZE            (CONFIG_NAME_SIZE + 64 + 2)

struct cause {
	rd_kafka_resp_err_t code;
	uint64_t count; /* since its last log line */
	int64_t next_log;
};

/* A message taken back from a producer that is beyond repair. */
struct salvaged {
	struct salvaged *next;
	char *topic;
	size_t key_length;
	size_t length;
	char bytes[]; /* key, then value */
};

struct exporter_instance {
	const struct config *config;
	const struct exporter_run *run;
	struct exporter_counters *counters;
	rd_kafka_t *producer; /* NULL only when a new one could not be made */
	char topics[EVENT_DATASET_COUNT][CONFIG_NAME_SIZE + 16];
	bool unreachable;
	bool fatal;
	bool salvaging;
	int64_t next_recreate;
	struct salvaged *salvage;
	struct salvaged **salvage_end;
	size_t cause_count;
	struct cause causes[CAUSES_MAX];
};

static const struct {
	rd_kafka_resp_err_t code;
	const char *remedy;
} remedies[] = {
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
		"check export.kafka.brokers and the network; events wait in the queue"},
	{RD_KAFKA_RESP_ERR__TRANSPORT, "check that the broker runs and its port is open"},
	{RD_KAFKA_RESP_ERR__RESOLVE, "check the names in export.kafka.brokers"},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION,
		"check export.kafka.username, password_file and sasl_mechanism"},
	{RD_KAFKA_RESP_ERR__SSL, "check export.kafka.ca_file, certificate_file and key_file"},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
		"the brokers took it in neither at once nor within export.kafka.message_timeout"},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "create the topic or let the brokers create it"},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "create the topic or let the brokers create it"},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		"allow this user to write to and describe the topic"},
	{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
		"allow this user IdempotentWrite, or set export.kafka.idempotence to false"},
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "raise message.max.bytes of the topic"},
	{RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
		"the brokers are too old: set export.kafka.idempotence to false and "
		"broker_version_fallback"},
	{RD_KAFKA_RESP_ERR__QUEUE_FULL, "raise export.kafka.queue_messages"},
	{RD_KAFKA_RESP_ERR__PURGE_QUEUE,
		"not sent before the shutdown time-out; raise export.shutdown_timeout"},
	{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
		"not confirmed before the shutdown time-out; raise export.shutdown_timeout"},
};

static bool
kafka_enabled(const struct config *config)
{
	return config->export.kafka.enabled;
}

static bool
kafka_accepts(const struct config *config, enum event_dataset dataset)
{
	return config->export.kafka.datasets[dataset];
}

static const char *
remedy_of(rd_kafka_resp_err_t code)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (remedies[i].code == code)
			return remedies[i].remedy;
	return "see the brokers' logs";
}

static struct cause *
cause_of(struct exporter_instance *kafka, rd_kafka_resp_err_t code)
{
	for (size_t i = 0; i < kafka->cause_count; i++)
		if (kafka->causes[i].code == code)
			return &kafka->causes[i];
	if (kafka->cause_count == CAUSES_MAX)
		return &kafka->causes[CAUSES_MAX - 1]; /* rare ones share a line */
	kafka->causes[kafka->cause_count] = (struct cause){.code = code};
	return &kafka->causes[kafka->cause_count++];
}

/* One line per cause and minute, with how often it happened since the last. */
static void
note_cause(struct exporter_instance *kafka, rd_kafka_resp_err_t code, const char *what,
	const char *detail)
{
	struct cause *cause = cause_of(kafka, code);

	cause->count++;
	if (monotonic_now() < cause->next_log)
		return;
	log_error("kafka: %s: %s (%s, %llu times); %s", what, detail, rd_kafka_err2name(code),
		(unsigned long long)cause->count, remedy_of(code));
	cause->count = 0;
	cause->next_log = monotonic_in_ms(LOG_INTERVAL_MS);
}

static void
count_failed(struct exporter_instance *kafka, rd_kafka_resp_err_t code, const char *topic)
{
	char what[CONFIG_NAME_SIZE + 48];

	counter_add(&kafka->counters->failed, 1);
	snprintf(what, sizeof(what), "event for %s lost", topic);
	note_cause(kafka, code, what, rd_kafka_err2str(code));
}

static void
note_delivery(struct exporter_instance *kafka)
{
	counter_add(&kafka->counters->delivered, 1);
	if (!kafka->unreachable)
		return;
	kafka->unreachable = false;
	counter_add(&kafka->counters->reconnects, 1);
	log_info("kafka: brokers are reachable again");
}

static bool
keep_salvaged(struct exporter_instance *kafka, const rd_kafka_message_t *message)
{
	struct salvaged *kept = malloc(sizeof(*kept) + message->key_len + message->len);

	if (kept == NULL)
		return false;
	kept->topic = strdup(rd_kafka_topic_name(message->rkt));
	if (kept->topic == NULL) {
		free(kept);
		return false;
	}
	kept->next = NULL;
	kept->key_length = message->key_len;
	kept->length = message->len;
	if (message->key_len > 0)
		memcpy(kept->bytes, message->key, message->key_len);
	memcpy(kept->bytes + message->key_len, message->payload, message->len);
	*kafka->salvage_end = kept;
	kafka->salvage_end = &kept->next;
	return true;
}

/* Every message ends here, once. */
static void
on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
	struct exporter_instance *kafka = opaque;

	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		note_delivery(kafka);
		return;
	}
	/* The messages did no wrong when it is the producer that is beyond repair. */
	if (rd_kafka_fatal_error(producer, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka->fatal = true;
	if ((kafka->salvaging || kafka->fatal) && keep_salvaged(kafka, message))
		return;
	count_failed(kafka, message->err, rd_kafka_topic_name(message->rkt));
}

static void
on_error(rd_kafka_t *producer, int code, const char *reason, void *opaque)
{
	struct exporter_instance *kafka = opaque;
	char fatal[512];

	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		kafka->fatal = true;
		code = rd_kafka_fatal_error(producer, fatal, sizeof(fatal));
		note_cause(kafka, code, "the producer must be made anew", fatal);
		return;
	}
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		kafka->unreachable = true;
	note_cause(kafka, code, "connection", reason);
}

/* From any of librdkafka's threads. What matters comes through on_error() with a remedy. */
static void
on_log(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
	(void)producer;
	if (level <= LOG_CRIT)
		log_error("kafka: %s: %s", facility, text);
	else
		log_debug("kafka: %s: %s", facility, text);
}

static rd_kafka_t *
make_producer(struct exporter_instance *kafka, char *error, size_t error_size)
{
	rd_kafka_conf_t *conf = kafka_settings(&kafka->config->export.kafka, error, error_size);
	char reason[256];
	rd_kafka_t *producer;

	if (conf == NULL)
		return NULL;
	rd_kafka_conf_set_opaque(conf, kafka);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
	if (producer == NULL) {
		rd_kafka_conf_destroy(conf);
		snprintf(error, error_size, "export.kafka: %s", reason);
	}
	return producer;
}

static struct exporter_instance *
kafka_open(const struct config *config, const struct exporter_run *run,
	struct exporter_counters *counters, char *error, size_t error_size)
{
	struct exporter_instance *kafka = calloc(1, sizeof(*kafka));

	if (kafka == NULL) {
		snprintf(error, error_size, "export.kafka: no memory");
		return NULL;
	}
	kafka->config = config;
	kafka->run = run;
	kafka->counters = counters;
	kafka->salvage_end = &kafka->salvage;
	for (int i = 0; i < EVENT_DATASET_COUNT; i++)
		snprintf(kafka->topics[i], sizeof(kafka->topics[i]), "%s.%s.v1",
			config->export.kafka.topic_prefix, event_dataset_name(i));
	kafka->producer = make_producer(kafka, error, error_size);
	if (kafka->producer == NULL) {
		free(kafka);
		return NULL;
	}
	return kafka;
}

static rd_kafka_resp_err_t
produce(struct exporter_instance *kafka, const char *topic, const void *key, size_t key_length,
	const void *value, size_t length)
{
	return rd_kafka_producev(kafka->producer, RD_KAFKA_V_TOPIC(topic),
		RD_KAFKA_V_KEY((void *)(uintptr_t)key, key_length),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value, length),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

static void
empty_producer(struct exporter_instance *kafka)
{
	int64_t patience = monotonic_in_ms(PURGE_WAIT_MS);

	rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (rd_kafka_outq_len(kafka->producer) > 0 && monotonic_now() < patience)
		rd_kafka_poll(kafka->producer, ROOM_WAIT_MS);
}

/* What librdkafka still holds after a purge got no report: it must not vanish from the sums. */
static void
count_unreported(struct exporter_instance *kafka, int outq_length)
{
	for (int i = 0; i < outq_length; i++)
		count_failed(kafka, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, "an unknown topic");
}

/* `give_up`: there will be no other producer. */
static void
send_salvaged(struct exporter_instance *kafka, bool give_up)
{
	struct salvaged *kept = kafka->salvage, *next;

	kafka->salvage = NULL;
	kafka->salvage_end = &kafka->salvage;
	for (; kept != NULL; kept = next) {
		rd_kafka_resp_err_t code =
			kafka->producer == NULL || give_up
				? RD_KAFKA_RESP_ERR__FATAL
				: produce(kafka, kept->topic, kept->bytes, kept->key_length,
					  kept->bytes + kept->key_length, kept->length);

		next = kept->next;
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			count_failed(kafka, code, kept->topic);
		free(kept->topic);
		free(kept);
	}
}

/* After a fatal error of the idempotent producer no message of it will ever be sent: a new one
 * takes over what is undelivered. What was in flight may arrive twice, with the same event.id. */
static void
recreate_producer(struct exporter_instance *kafka)
{
	char error[512];

	if (monotonic_now() < kafka->next_recreate)
		return;
	kafka->next_recreate = monotonic_in_ms(RECREATE_BACKOFF_MS);
	if (kafka->producer != NULL) {
		kafka->salvaging = true;
		empty_producer(kafka);
		count_unreported(kafka, rd_kafka_outq_len(kafka->producer));
		rd_kafka_destroy(kafka->producer);
		kafka->salvaging = false;
	}
	kafka->fatal = false;
	kafka->producer = make_producer(kafka, error, sizeof(error));
	if (kafka->producer == NULL)
		note_cause(kafka, RD_KAFKA_RESP_ERR__FATAL, "no new producer", error);
	else
		counter_add(&kafka->counters->reconnects, 1);
	send_salvaged(kafka, false);
}

static void
serve(struct exporter_instance *kafka, int wait_ms)
{
	if (kafka->producer != NULL)
		rd_kafka_poll(kafka->producer, wait_ms);
	if (kafka->fatal || kafka->producer == NULL)
		recreate_producer(kafka);
}

static size_t
make_key(const struct exporter_instance *kafka, const char *device, char key[KEY_SIZE])
{
	const char *site = kafka->config->site.name;
	int length = device[0] != '\0' ? snprintf(key, KEY_SIZE, "%s|%s", site, device)
				       : snprintf(key, KEY_SIZE, "%s", site);

	return (size_t)length;
}

static bool
kafka_write(struct exporter_instance *kafka, const struct exported_event *event)
{
	const char *topic = kafka->topics[event->dataset];
	char key[KEY_SIZE];
	size_t key_length = make_key(kafka, event->key, key);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__FATAL;

	for (;;) {
		if (kafka->producer != NULL)
			code = produce(
				kafka, topic, key, key_length, event->json, event->json_length);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
			return true;
		if (code == RD_KAFKA_RESP_ERR__FATAL)
			kafka->fatal = true;
		else if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			break;
		if (monotonic_now() > kafka->run->deadline)
			break;
		serve(kafka, ROOM_WAIT_MS);
	}
	count_failed(kafka, code, topic);
	return false;
}

static void
kafka_poll(struct exporter_instance *kafka)
{
	serve(kafka, 0);
}

static bool
has_undelivered(const struct exporter_instance *kafka)
{
	return kafka->salvage != NULL ||
	       (kafka->producer != NULL && rd_kafka_outq_len(kafka->producer) > 0);
}

static uint64_t
kafka_flush(struct exporter_instance *kafka, int timeout_ms)
{
	int64_t deadline = monotonic_in_ms(timeout_ms);
	uint64_t failed = counter_read(&kafka->counters->failed);
	int left;

	do {
		left = monotonic_left_ms(flush_deadline(kafka->run, deadline), ROOM_WAIT_MS);
		if (kafka->producer != NULL)
			rd_kafka_flush(kafka->producer, left);
		serve(kafka, kafka->fatal ? left : 0);
	} while (left > 0 && has_undelivered(kafka));
	if (kafka->producer != NULL) {
		empty_producer(kafka);
		count_unreported(kafka, rd_kafka_outq_len(kafka->producer));
	}
	send_salvaged(kafka, true);
	return counter_read(&kafka->counters->failed) - failed;
}

static void
kafka_close(struct exporter_instance *kafka)
{
	if (kafka->producer != NULL)
		rd_kafka_destroy(kafka->producer);
	free(kafka);
}

const struct exporter kafka_exporter = {
	.name = "kafka",
	.figures = EXPORTER_FIGURES("kafka"),
	.enabled = kafka_enabled,
	.accepts = kafka_accepts,
	.open = kafka_open,
	.write = kafka_write,
	.poll = kafka_poll,
	.flush = kafka_flush,
	.close = kafka_close,
};
