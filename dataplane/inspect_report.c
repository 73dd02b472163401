/* SPDX-License-Identifier: Apache-2.0 */
/* What inspection tells of flows and of itself. */
#include "dataplane/inspect.h"

#include <string.h>

void
inspector_name(const struct inspector *inspector, uint16_t application, char name[DPI_NAME_SIZE])
{
	const char *protocol;

	name[0] = '\0';
	if (application & APPLICATION_OF_CLASSIFIER) {
		protocol = classifier_table[application & ~APPLICATION_OF_CLASSIFIER]->protocol;
		memcpy(name, protocol, strlen(protocol) + 1); /* its length is tested */
	} else if (inspector->dpi && application) {
		dpi_name(inspector->dpi, application, name);
	}
}

static void
add_dpi_figures(const struct dpi *dpi, struct health_record *health)
{
	struct dpi_counters counters = dpi_counters(dpi);

	health_add(health, "inspection.dpi_packets", HEALTH_COUNTER, counters.packets);
	health_add(health, "inspection.dpi_detected", HEALTH_COUNTER, counters.detected);
	health_add(health, "inspection.dpi_gave_up", HEALTH_COUNTER, counters.gave_up);
	health_add(health, "inspection.dpi_flows_refused", HEALTH_COUNTER, counters.flows_refused);
	health_add(health, "inspection.dpi_memory", HEALTH_GAUGE, counters.memory_in_use);
	health_add(health, "inspection.dpi_memory_fallbacks", HEALTH_COUNTER,
		counters.memory_fallbacks);
}

void
inspector_health(const struct inspector *inspector, struct health_record *health)
{
	const struct inspector_counters *counters = &inspector->counters;

	health_add(health, "inspection.flows", HEALTH_COUNTER, counters->flows);
	health_add(health, "inspection.in_use", HEALTH_GAUGE, inspector->in_use);
	health_add(health, "inspection.cut_short", HEALTH_LOSS, counters->cut_short);
	health_add(health, "inspection.packets_skipped", HEALTH_LOSS, counters->packets_skipped);
	health_add(health, "inspection.evidence", HEALTH_COUNTER, counters->evidence);
	health_add(health, "inspection.evidence_repeated", HEALTH_COUNTER,
		counters->evidence_repeated);
	health_add(health, "inspection.dpi_skipped", HEALTH_COUNTER, counters->dpi_skipped);
	if (inspector->dpi)
		add_dpi_figures(inspector->dpi, health);
	health_add(health, "inspection.link_packets", HEALTH_COUNTER, counters->link_packets);
	health_add(health, "inspection.tcp_gaps", HEALTH_COUNTER, inspector->buffers.gaps);
	health_add(health, "inspection.tcp_buffers_exhausted", HEALTH_LOSS,
		inspector->buffers.exhausted);
}
