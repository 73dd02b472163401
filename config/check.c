/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include "dataplane/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int __attribute__((format(printf, 2, 3)))
wrong(struct config_problem *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem->what, sizeof(problem->what), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static void __attribute__((format(printf, 2, 3)))
at(struct config_problem *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem->key, sizeof(problem->key), format, arguments);
	va_end(arguments);
}

static int
check_site(const struct config *config, struct config_problem *problem)
{
	if (config->site.name[0])
		return 0;
	at(problem, "site.name");
	return wrong(problem, "is empty; give the site a name");
}

static int
check_dataplane(const struct config *config, struct config_problem *problem)
{
	const struct config_dataplane *dataplane = &config->dataplane;

	for (size_t i = 0; i < dataplane->port_count; i++) {
		at(problem, "dataplane.ports[%zu].device", i);
		if (dataplane->ports[i].device[0] == '\0')
			return wrong(problem, "is empty; name a DPDK device, like "
					      "net_af_packet0,iface=span0");
		for (size_t j = 0; j < i; j++)
			if (strcmp(dataplane->ports[i].device, dataplane->ports[j].device) == 0)
				return wrong(problem,
					"is the same device as dataplane.ports[%zu]; remove one",
					j);
	}
	at(problem, "dataplane.mbufs");
	if (dataplane->mbufs != 0 && dataplane->mbufs < 1024)
		return wrong(problem, "%u is too few; use 0 (derived) or at least 1024",
			dataplane->mbufs);
	return 0;
}

static bool
network_equal(const struct network *a, const struct network *b)
{
	return a->prefix_length == b->prefix_length && ip_equal(&a->ip, &b->ip);
}

/* One network or VLAN in two zones would make a device's zone depend on their order. */
static int
check_zone_pair(
	const struct config *config, size_t index, size_t other, struct config_problem *problem)
{
	const struct config_zone *zone = &config->zones[index], *before = &config->zones[other];
	char text[ADDRESS_TEXT_SIZE + 4];

	at(problem, "zones[%zu].name", index);
	if (strcmp(zone->name, before->name) == 0)
		return wrong(problem, "%s is the name of zones[%zu] too; names must differ",
			zone->name, other);
	for (size_t i = 0; i < zone->network_count; i++)
		for (size_t j = 0; j < before->network_count; j++)
			if (network_equal(&zone->networks[i], &before->networks[j])) {
				at(problem, "zones[%zu].networks[%zu]", index, i);
				return wrong(problem,
					"%s is in zone %s too; keep it in one of the two",
					network_format(&zone->networks[i], text), before->name);
			}
	for (size_t i = 0; i < zone->vlan_count; i++)
		for (size_t j = 0; j < before->vlan_count; j++)
			if (zone->vlans[i] == before->vlans[j]) {
				at(problem, "zones[%zu].vlans[%zu]", index, i);
				return wrong(problem,
					"%u is in zone %s too; keep it in one of the two",
					zone->vlans[i], before->name);
			}
	return 0;
}

static int
check_zones(const struct config *config, struct config_problem *problem)
{
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_zone *zone = &config->zones[i];

		at(problem, "zones[%zu].name", i);
		if (zone->name[0] == '\0')
			return wrong(problem, "is empty; give the zone a name");
		at(problem, "zones[%zu]", i);
		if (zone->network_count + zone->vlan_count == 0)
			return wrong(
				problem, "has neither networks nor vlans; give it at least one");
		for (size_t j = 0; j < i; j++)
			if (check_zone_pair(config, i, j, problem) != 0)
				return -EINVAL;
	}
	return 0;
}

static bool
zone_exists(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if (strcmp(config->zones[i].name, name) == 0)
			return true;
	return false;
}

static int
check_destinations(const struct config *config, struct config_problem *problem)
{
	for (size_t i = 0; i < config->allow_count; i++) {
		const struct config_allow *allow = &config->allow[i];

		at(problem, "destinations.allow[%zu].zone", i);
		if (allow->zone[0] && !zone_exists(config, allow->zone))
			return wrong(problem,
				"%s is not the name of a zone; add it to zones or "
				"correct it",
				allow->zone);
		at(problem, "destinations.allow[%zu]", i);
		if (allow->network_count + allow->domain_count == 0)
			return wrong(problem, "has neither networks nor domains; give at least "
					      "one (0.0.0.0/0 and ::/0 are everywhere)");
	}
	return 0;
}

static bool
any_dataset(const bool *datasets)
{
	for (int i = 0; i < EVENT_DATASET_COUNT; i++)
		if (datasets[i])
			return true;
	return false;
}

static int
check_file(const struct config_export *export, struct config_problem *problem)
{
	at(problem, "export.file.path");
	if (export->file.enabled && export->file.path[0] == '\0')
		return wrong(problem, "is empty; name a file, or - for standard output");
	at(problem, "export.file.datasets");
	if (export->file.enabled && !any_dataset(export->file.datasets))
		return wrong(problem,
			"is empty; name at least one dataset or set export.file.enabled: false");
	at(problem, "export.state.path");
	if (export->state.enabled && export->state.path[0] == '\0')
		return wrong(problem, "is empty; name a file or set export.state.enabled: false");
	return 0;
}

static int
check_secret_file(const char *key, const char *path, struct config_problem *problem)
{
	struct stat status;

	at(problem, "%s", key);
	/* Other failures are the exporter's to tell: -t may run as another user. */
	if (path[0] && stat(path, &status) != 0 && errno == ENOENT)
		return wrong(problem, "%s does not exist; create it or correct the path", path);
	return 0;
}

static int
check_kafka_login(const struct config_kafka_exporter *kafka, struct config_problem *problem)
{
	bool sasl = strncmp(kafka->security_protocol, "sasl_", 5) == 0;
	bool tls = strstr(kafka->security_protocol, "ssl") != NULL;

	at(problem, "export.kafka.sasl_mechanism");
	if (sasl && kafka->sasl_mechanism[0] == '\0')
		return wrong(problem, "is empty with security_protocol: %s; choose one",
			kafka->security_protocol);
	if (!sasl && kafka->sasl_mechanism[0])
		return wrong(problem,
			"%s is not used with security_protocol: %s; use "
			"sasl_ssl or sasl_plaintext",
			kafka->sasl_mechanism, kafka->security_protocol);
	at(problem, "export.kafka.username");
	if (sasl && kafka->username[0] == '\0')
		return wrong(problem, "is empty with security_protocol: %s; name the user",
			kafka->security_protocol);
	at(problem, "export.kafka.password_file");
	if (sasl && kafka->password_file[0] == '\0')
		return wrong(problem,
			"is empty with security_protocol: %s; name the file that holds the "
			"password",
			kafka->security_protocol);
	at(problem, "export.kafka.key_file");
	if ((kafka->certificate_file[0] == '\0') != (kafka->key_file[0] == '\0'))
		return wrong(problem, "and certificate_file go together; give both or neither");
	at(problem, "export.kafka.ca_file");
	if (!tls && (kafka->ca_file[0] || kafka->certificate_file[0]))
		return wrong(problem,
			"is not used with security_protocol: %s; use ssl or "
			"sasl_ssl",
			kafka->security_protocol);
	return 0;
}

/* Brokers that cannot tell their version (before 0.10) refuse idempotence and take zstd for
 * uncompressed without a word. */
static int
check_kafka_version(const struct config_kafka_exporter *kafka, struct config_problem *problem)
{
	if (kafka->broker_version_fallback[0] == '\0')
		return 0;
	at(problem, "export.kafka.idempotence");
	if (kafka->idempotence)
		return wrong(problem,
			"cannot be had from brokers of version %s; set idempotence: false",
			kafka->broker_version_fallback);
	at(problem, "export.kafka.compression");
	if (strcmp(kafka->compression, "zstd") == 0)
		return wrong(problem,
			"zstd is not known to brokers of version %s; use lz4, snappy or gzip",
			kafka->broker_version_fallback);
	return 0;
}

static int
check_kafka(const struct config_kafka_exporter *kafka, struct config_problem *problem)
{
	if (!kafka->enabled)
		return 0;
	at(problem, "export.kafka.brokers");
	if (kafka->brokers[0] == '\0')
		return wrong(problem, "is empty; name the bootstrap brokers, like "
				      "kafka1:9092,kafka2:9092");
	at(problem, "export.kafka.topic_prefix");
	if (kafka->topic_prefix[0] == '\0')
		return wrong(problem, "is empty; give the prefix of the topics");
	at(problem, "export.kafka.datasets");
	if (!any_dataset(kafka->datasets))
		return wrong(problem,
			"is empty; name at least one dataset or set export.kafka.enabled: false");
	if (check_kafka_login(kafka, problem) != 0 || check_kafka_version(kafka, problem) != 0)
		return -EINVAL;
	return check_secret_file("export.kafka.password_file", kafka->password_file, problem);
}

static int
check_redis(const struct config_redis_exporter *redis, struct config_problem *problem)
{
	if (!redis->enabled)
		return 0;
	at(problem, "export.redis.username");
	if (redis->username[0] && redis->password_file[0] == '\0')
		return wrong(problem, "%s has no password; name its file with password_file",
			redis->username);
	return check_secret_file("export.redis.password_file", redis->password_file, problem);
}

int
config_check(const struct config *config, struct config_problem *problem)
{
	if (check_site(config, problem) != 0 || check_dataplane(config, problem) != 0 ||
		check_zones(config, problem) != 0 || check_destinations(config, problem) != 0 ||
		check_file(&config->export, problem) != 0 ||
		check_kafka(&config->export.kafka, problem) != 0 ||
		check_redis(&config->export.redis, problem) != 0)
		return -EINVAL;
	return 0;
}

static void
warn_secret_file(const char *key, bool enabled, const char *path)
{
	struct stat status;

	if (enabled && path[0] && stat(path, &status) == 0 && (status.st_mode & S_IROTH))
		log_warning("%s: %s can be read by every user; chmod 0600 %s", key, path, path);
}

void
config_warn(const struct config *config)
{
	const struct config_kafka_exporter *kafka = &config->export.kafka;
	const struct config_redis_exporter *redis = &config->export.redis;

	warn_secret_file("export.kafka.password_file", kafka->enabled, kafka->password_file);
	warn_secret_file("export.redis.password_file", redis->enabled, redis->password_file);
	warn_secret_file("export.kafka.key_file", kafka->enabled, kafka->key_file);
}
