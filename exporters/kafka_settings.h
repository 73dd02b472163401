/* SPDX-License-Identifier: Apache-2.0 */
/* Our settings as librdkafka's. */
#ifndef CAMSPAN_EXPORTERS_KAFKA_SETTINGS_H
#define CAMSPAN_EXPORTERS_KAFKA_SETTINGS_H

#include "config/config.h"

#include <librdkafka/rdkafka.h>

/* NULL with one line in `error` when they can never work together or a file cannot be read. */
rd_kafka_conf_t *kafka_settings(
	const struct config_kafka_exporter *config, char *error, size_t error_size);

#endif
