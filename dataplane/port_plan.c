/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/log.h"
#include "dataplane/port.h"

#include <stdio.h>
#include <string.h>

/* Whether the ports by themselves can give each worker a share, and whole flows. */
static bool
rss_suffices(const struct ports *ports, unsigned workers)
{
	for (uint16_t i = 0; i < ports->count && workers > 1; i++) {
		const struct port *port = &ports->ports[i];

		if (port->queues_max < workers || port->hashes_nothing ||
			!port_keeps_flows_together(port))
			return false;
	}
	return true;
}

static bool
choose_software(
	const struct ports *ports, const struct config_dataplane *dataplane, unsigned lcore_count)
{
	unsigned needed = dataplane->workers + (unsigned)dataplane->rx_lcores;

	if (dataplane->spreading != SPREADING_AUTO)
		return dataplane->spreading == SPREADING_SOFTWARE;
	if (rss_suffices(ports, dataplane->workers))
		return false;
	if (lcore_count >= needed)
		return true;
	log_warning("the ports cannot spread packets among %u workers by themselves, and no lcore "
		    "is left that could: name %u in dataplane.lcores",
		dataplane->workers, needed + 1);
	return false;
}

static bool
is_on_a_port_node(const struct layout *layout, int socket)
{
	for (unsigned i = 0; i < layout->port_count; i++)
		if (layout->ports[i].socket == socket || layout->ports[i].socket < 0)
			return true;
	return false;
}

/* Those that read a port are told with the port. */
static void
tell_far_workers(const struct layout *layout)
{
	unsigned far = 0;

	for (unsigned i = 0; i < layout->worker_count; i++)
		far += !is_on_a_port_node(layout, layout->workers[i].socket);
	if (layout->software && far)
		log_warning("%u of %u workers are on a NUMA node without a port: each of their "
			    "packets crosses; choose dataplane.lcores on the ports' nodes",
			far, layout->worker_count);
}

static void
tell_idle(const struct layout *layout)
{
	unsigned idle = 0;

	for (unsigned i = 0; i < layout->rx_count; i++)
		idle += layout->rx_queues[i].count == 0;
	if (idle)
		log_warning("dataplane.rx_lcores: %u of %u have no queue to read: the ports have "
			    "no more",
			idle, layout->rx_count);
}

int
ports_plan(const struct ports *ports, const struct config *config,
	const struct layout_lcore *lcores, unsigned lcore_count, struct layout *layout, char *error,
	size_t error_size)
{
	const struct config_dataplane *dataplane = &config->dataplane;

	memset(layout, 0, sizeof(*layout));
	layout->software = choose_software(ports, dataplane, lcore_count);
	layout->worker_count = dataplane->workers;
	layout->rx_count = layout->software ? dataplane->rx_lcores : 0;
	layout->port_count = ports->count;
	for (uint16_t i = 0; i < ports->count; i++) {
		const struct port *port = &ports->ports[i];

		layout->ports[i] = (struct layout_port){
			.socket = port->socket,
			.queues_max = port->queues_max,
			.all_queues = port->all_queues,
			.spreads = port->spreading == PORT_RSS ||
				   port->spreading == PORT_RSS_ASYMMETRIC,
		};
	}
	if (layout_assign_lcores(layout, lcores, lcore_count) != 0) {
		snprintf(error, error_size,
			"dataplane.lcores names %u lcores, and %u are needed: one for control, %u "
			"to receive, %u workers",
			lcore_count + 1, 1u + layout->rx_count + layout->worker_count,
			layout->rx_count, layout->worker_count);
		return -1;
	}
	if (layout_assign_queues(layout) != 0) {
		snprintf(error, error_size, "the ports have more queues than %u lcores can read",
			layout->software ? layout->rx_count : layout->worker_count);
		return -1;
	}
	tell_idle(layout);
	tell_far_workers(layout);
	return 0;
}

/* A started port has not done what its driver said it could: its queues are set up anew, for RX
 * lcores, if there are any. */
static int
open_again(struct ports *ports, const struct config *config, const struct layout_lcore *lcores,
	unsigned lcore_count, struct layout *layout, char *error, size_t error_size)
{
	if (ports_plan(ports, config, lcores, lcore_count, layout, error, error_size) != 0)
		return -1;
	if (!layout->software)
		return 0;
	ports_pause(ports);
	return ports_start(ports, config, layout, error, error_size);
}

int
ports_open(struct ports *ports, const struct config *config, const struct layout_lcore *lcores,
	unsigned lcore_count, struct layout *layout, char *error, size_t error_size)
{
	bool sufficed;

	if (ports_find(ports, config, error, error_size) != 0 ||
		ports_plan(ports, config, lcores, lcore_count, layout, error, error_size) != 0)
		return -1;
	if (ports->count == 0)
		return 0;
	sufficed = rss_suffices(ports, layout->worker_count);
	if (ports_start(ports, config, layout, error, error_size) != 0)
		return -1;
	if (config->dataplane.spreading == SPREADING_AUTO && !layout->software && sufficed &&
		!rss_suffices(ports, layout->worker_count) &&
		open_again(ports, config, lcores, lcore_count, layout, error, error_size) != 0)
		return -1;
	ports_tell(ports, config, layout);
	return 0;
}
