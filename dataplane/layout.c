/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/layout.h"

#include <string.h>

static bool
is_port_socket(const struct layout_port *ports, unsigned port_count, int socket)
{
	for (unsigned i = 0; i < port_count; i++)
		if (ports[i].socket == socket)
			return true;
	return false;
}

void
layout_prefer_sockets(struct layout_lcore *lcores, unsigned count, const struct layout_port *ports,
	unsigned port_count)
{
	unsigned front = 0;

	for (unsigned i = 0; i < count; i++) {
		struct layout_lcore lcore = lcores[i];

		if (!is_port_socket(ports, port_count, lcore.socket))
			continue;
		memmove(&lcores[front + 1], &lcores[front], (i - front) * sizeof(lcore));
		lcores[front++] = lcore;
	}
}

/* Takes the first lcore of a socket that is left, or the first of any. */
static struct layout_lcore
take_lcore(const struct layout_lcore *lcores, unsigned count, bool *taken, int socket)
{
	unsigned chosen = count;

	for (unsigned i = 0; i < count; i++) {
		if (taken[i])
			continue;
		if (lcores[i].socket == socket) {
			chosen = i;
			break;
		}
		if (chosen == count)
			chosen = i;
	}
	taken[chosen] = true;
	return lcores[chosen];
}

static int
port_socket(const struct layout *layout, unsigned turn)
{
	return layout->port_count ? layout->ports[turn % layout->port_count].socket : -1;
}

int
layout_assign_lcores(struct layout *layout, const struct layout_lcore *lcores, unsigned count)
{
	bool taken[LAYOUT_WORKERS_MAX + LAYOUT_RX_MAX + 1] = {0};
	unsigned rx = layout->software ? layout->rx_count : 0;

	if (count > sizeof(taken) / sizeof(taken[0]))
		count = sizeof(taken) / sizeof(taken[0]);
	if (count < rx + layout->worker_count)
		return -1;
	for (unsigned i = 0; i < rx; i++)
		layout->rx[i] = take_lcore(lcores, count, taken, port_socket(layout, i));
	for (unsigned i = 0; i < layout->worker_count; i++)
		layout->workers[i] = take_lcore(lcores, count, taken, port_socket(layout, i));
	return 0;
}

/* What finds no room is missing in the sum, which layout_assign_queues() checks. */
static void
give_queue(struct layout *layout, struct rx_queues *queues, uint16_t port)
{
	uint16_t queue = layout->queues[port]++;

	if (queues->count < LAYOUT_QUEUES_MAX)
		queues->list[queues->count++] = (struct rx_queue){port, queue};
}

/* Queue n of every port is worker n's; a port that has more comes round again. */
static void
assign_to_workers(struct layout *layout)
{
	for (uint16_t port = 0; port < layout->port_count; port++) {
		const struct layout_port *it = &layout->ports[port];
		uint16_t wanted = layout->worker_count < it->queues_max ? layout->worker_count
									: it->queues_max;

		if (it->all_queues)
			wanted = it->queues_max;
		for (uint16_t queue = 0; queue < wanted; queue++)
			give_queue(
				layout, &layout->worker_queues[queue % layout->worker_count], port);
	}
}

/* The least busy RX lcore, of the port's socket if one is there. */
static struct rx_queues *
choose_rx(struct layout *layout, int socket)
{
	unsigned best = 0;

	for (unsigned i = 1; i < layout->rx_count; i++) {
		bool near = layout->rx[i].socket == socket;
		bool best_near = layout->rx[best].socket == socket;

		if (near != best_near ? near
				      : layout->rx_queues[i].count < layout->rx_queues[best].count)
			best = i;
	}
	return &layout->rx_queues[best];
}

/* The port that an idle RX lcore can help: of its socket first, with the fewest queues. */
static int
choose_port(const struct layout *layout, int socket)
{
	int best = -1;

	for (int i = 0; i < layout->port_count; i++) {
		const struct layout_port *port = &layout->ports[i];
		bool near = port->socket == socket;

		if (!port->spreads || port->all_queues || layout->queues[i] >= port->queues_max)
			continue;
		if (best >= 0) {
			bool best_near = layout->ports[best].socket == socket;

			if (near != best_near ? !near : layout->queues[i] >= layout->queues[best])
				continue;
		}
		best = i;
	}
	return best;
}

static void
assign_to_rx(struct layout *layout)
{
	for (uint16_t port = 0; port < layout->port_count; port++) {
		const struct layout_port *it = &layout->ports[port];
		uint16_t wanted = it->all_queues ? it->queues_max : 1;

		for (uint16_t queue = 0; queue < wanted; queue++)
			give_queue(layout, choose_rx(layout, it->socket), port);
	}
	for (unsigned i = 0; i < layout->rx_count; i++) {
		int port;

		if (layout->rx_queues[i].count > 0)
			continue;
		port = choose_port(layout, layout->rx[i].socket);
		if (port >= 0)
			give_queue(layout, &layout->rx_queues[i], (uint16_t)port);
	}
}

static bool
every_queue_is_read(const struct layout *layout)
{
	uint32_t queues = 0, read = 0;

	for (unsigned i = 0; i < layout->port_count; i++)
		queues += layout->queues[i];
	for (unsigned i = 0; i < layout->worker_count; i++)
		read += layout->worker_queues[i].count;
	for (unsigned i = 0; i < layout->rx_count; i++)
		read += layout->rx_queues[i].count;
	return queues == read;
}

int
layout_assign_queues(struct layout *layout)
{
	memset(layout->queues, 0, sizeof(layout->queues));
	memset(layout->worker_queues, 0, sizeof(layout->worker_queues));
	memset(layout->rx_queues, 0, sizeof(layout->rx_queues));
	if (layout->software)
		assign_to_rx(layout);
	else
		assign_to_workers(layout);
	return every_queue_is_read(layout) ? 0 : -1;
}

static bool
reads(const struct rx_queues *queues, unsigned port)
{
	for (unsigned i = 0; i < queues->count; i++)
		if (queues->list[i].port == port)
			return true;
	return false;
}

unsigned
layout_crossings(const struct layout *layout, unsigned port)
{
	int socket = layout->ports[port].socket;
	unsigned count = layout->software ? layout->rx_count : layout->worker_count;
	unsigned crossings = 0;

	if (socket < 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		const struct rx_queues *queues =
			layout->software ? &layout->rx_queues[i] : &layout->worker_queues[i];
		int own = layout->software ? layout->rx[i].socket : layout->workers[i].socket;

		crossings += own != socket && reads(queues, port);
	}
	return crossings;
}
