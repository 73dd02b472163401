/* SPDX-License-Identifier: Apache-2.0 */
/* https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md */
#include "exporters/kafka_settings.h"

#include "dataplane/log.h"
#include "exporters/secret.h"

#include <stdio.h>
#include <string.h>

struct property {
	const char *name;
	const char *value; /* "" leaves librdkafka's default */
};

/* "0.9.0.1" as 9, "2.1" as 2001: enough to order brokers by. */
static unsigned
broker_version(const char *text)
{
	unsigned major = 0, minor = 0;

	sscanf(text, "%u.%u", &major, &minor);
	return major * 1000 + minor;
}

/* What an old broker would drop or refuse must be known at start, not found in missing data. */
static int
check_old_broker(const struct config_kafka_exporter *config, char *error, size_t error_size)
{
	const char *fallback = config->broker_version_fallback;
	unsigned version = broker_version(fallback);

	if (fallback[0] == '\0')
		return 0;
	if (config->idempotence && version < 11) {
		snprintf(error, error_size,
			"export.kafka.idempotence: brokers of version %s have no idempotent "
			"producer (0.11 and later do); set it to false",
			fallback);
		return -1;
	}
	if (strcmp(config->compression, "zstd") == 0 && version < 2001) {
		snprintf(error, error_size,
			"export.kafka.compression: brokers of version %s do not know zstd (2.1 and "
			"later do); use lz4, snappy, gzip or none",
			fallback);
		return -1;
	}
	if (version < 10)
		log_info("kafka: brokers of version %s keep no message time; events carry their "
			 "own in @timestamp",
			fallback);
	return 0;
}

static int
set_all(rd_kafka_conf_t *conf, const struct property *properties, size_t count, char *error,
	size_t error_size)
{
	char reason[256];

	for (size_t i = 0; i < count; i++) {
		if (properties[i].value[0] == '\0')
			continue;
		if (rd_kafka_conf_set(conf, properties[i].name, properties[i].value, reason,
			    sizeof(reason)) == RD_KAFKA_CONF_OK)
			continue;
		snprintf(error, error_size, "export.kafka: %s", reason);
		return -1;
	}
	return 0;
}

static int
set_password(rd_kafka_conf_t *conf, const char *path, char *error, size_t error_size)
{
	char password[SECRET_SIZE], reason[256];
	rd_kafka_conf_res_t result;
	int failure;

	if (path[0] == '\0')
		return 0;
	failure = secret_read(path, password, sizeof(password));
	if (failure != 0) {
		snprintf(error, error_size,
			"export.kafka.password_file: cannot use %s: %s; it holds the password in "
			"its first line",
			path, strerror(-failure));
		return -1;
	}
	result = rd_kafka_conf_set(conf, "sasl.password", password, reason, sizeof(reason));
	explicit_bzero(password, sizeof(password));
	explicit_bzero(reason, sizeof(reason)); /* may quote it */
	if (result == RD_KAFKA_CONF_OK)
		return 0;
	snprintf(error, error_size,
		"export.kafka.password_file: librdkafka refuses SASL; it is "
		"built without it");
	return -1;
}

rd_kafka_conf_t *
kafka_settings(const struct config_kafka_exporter *config, char *error, size_t error_size)
{
	rd_kafka_conf_t *conf;
	char queue[16], timeout[16];
	bool old = config->broker_version_fallback[0] != '\0';
	const struct property properties[] = {
		{"bootstrap.servers", config->brokers},
		{"client.id", "camspan"},
		{"acks", "all"},
		{"enable.idempotence", config->idempotence ? "true" : "false"},
		/* Without idempotence a retry behind a later batch reorders and duplicates. */
		{"max.in.flight", config->idempotence ? "" : "1"},
		{"compression.codec", config->compression},
		{"partitioner",
			"murmur2_random"}, /* as Java's, so that consumers can co-partition */
		{"queue.buffering.max.messages", queue},
		{"message.timeout.ms", timeout},
		{"linger.ms", "20"},
		{"reconnect.backoff.max.ms", "5000"},
		{"socket.keepalive.enable", "true"},
		{"log.connection.close", "false"}, /* brokers close idle connections: no news */
		{"security.protocol", config->security_protocol},
		{"sasl.mechanism", config->sasl_mechanism},
		{"sasl.username", config->username},
		{"ssl.ca.location", config->ca_file},
		{"ssl.certificate.location", config->certificate_file},
		{"ssl.key.location", config->key_file},
		{"api.version.request", old ? "false" : ""},
		{"broker.version.fallback", config->broker_version_fallback},
	};

	if (config->brokers[0] == '\0') {
		snprintf(error, error_size,
			"export.kafka.brokers: empty; give \"host:port\", several with commas");
		return NULL;
	}
	if (check_old_broker(config, error, error_size))
		return NULL;
	snprintf(queue, sizeof(queue), "%u", config->queue_messages);
	snprintf(timeout, sizeof(timeout), "%u", config->message_timeout_ms);
	conf = rd_kafka_conf_new();
	if (set_all(conf, properties, sizeof(properties) / sizeof(properties[0]), error,
		    error_size) ||
		set_password(conf, config->password_file, error, error_size)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	return conf;
}
