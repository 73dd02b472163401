/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of exporters. */
#include "exporters/exporters.h"

const struct exporter *const exporter_table[] = {
	&file_exporter,
	&state_exporter,
	&kafka_exporter,
	&redis_exporter,
};

const size_t exporter_count = sizeof(exporter_table) / sizeof(exporter_table[0]);
