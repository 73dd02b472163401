/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port_report.h"

#include "dataplane/eal.h"
#include "dataplane/log.h"
#include "dataplane/port.h"
#include "dataplane/port_rss.h"

#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct report {
	FILE *out;
	const struct config *config;
	struct ports ports;
	struct layout layout;
};

__attribute__((format(printf, 3, 4))) static void
line(FILE *out, const char *what, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(out, "  %-16s", what);
	vfprintf(out, format, list);
	fputc('\n', out);
	va_end(list);
}

static void
report_link(FILE *out, const struct port *port)
{
	const char *state = port->link_up ? "up" : "down";

	if (port->speed == 0 || !port->pci) /* software drivers invent one */
		line(out, "link", "%s, speed not told", state);
	else if (port->speed % 1000 == 0)
		line(out, "link", "%s, %u Gbit/s", state, port->speed / 1000);
	else
		line(out, "link", "%s, %u Mbit/s", state, port->speed);
	if (port->socket < 0)
		line(out, "NUMA node", "none in particular");
	else
		line(out, "NUMA node", "%d", port->socket);
}

/* A kernel interface has a ring of the kernel's, which the driver's limits say nothing of. */
static void
report_queues(FILE *out, const struct port *port)
{
	line(out, "receive queues", "%u used of %u", port->queues, port->queues_max);
	if (!port->pci) {
		line(out, "descriptors", "%u a queue", port->descriptors);
		return;
	}
	line(out, "descriptors", "%u a queue asked, %u given (%u to %u)", port->descriptors_asked,
		port->descriptors, port->descriptors_min, port->descriptors_max);
	if (port->speed)
		line(out, "buffered",
			"%" PRIu64 " us of 64-byte frames at line rate, %" PRIu64
			" us of 512-byte frames",
			port_buffered_us(port, 64), port_buffered_us(port, 512));
}

static void
report_rss(FILE *out, const struct port *port)
{
	switch (port->spreading) {
	case PORT_ONE_QUEUE:
		line(out, "RSS", "none: one queue gets all packets");
		break;
	case PORT_KERNEL_FANOUT:
		line(out, "RSS", "by the kernel, the same for both directions of a flow");
		break;
	case PORT_UNTOLD:
		line(out, "RSS", "not told by the driver; both directions may be apart");
		break;
	case PORT_RSS_ASYMMETRIC:
		line(out, "RSS", "key of %u bytes is not ours: both directions may be apart",
			port->key_length);
		break;
	case PORT_RSS:
		line(out, "RSS", "key of %u bytes, symmetric; table of %u; inner headers: %s",
			port->key_length, port->reta_size, port_rss_is_inner(port) ? "yes" : "no");
		break;
	}
	if (port->spreading == PORT_RSS && port->queues > 1)
		line(out, "RSS fields", "addresses%s",
			port_rss_uses_ports(port)
				? " and ports; later fragments, without ports, may be apart"
				: "");
}

static void
report_offloads(FILE *out, const struct port *port, const struct config *config)
{
	bool has_timestamps = port->offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	const char *timestamps = "none: the time at which a burst is taken";

	if (has_timestamps && config->dataplane.timestamps == TIMESTAMPS_SYSTEM)
		timestamps = "the port has them; not used (dataplane.timestamps)";
	else if (has_timestamps && port->clock.source == PORT_CLOCK_UTC)
		timestamps = "the port's, if they turn out to be UTC in nanoseconds";
	else if (has_timestamps)
		timestamps = "the port's, by its counter";
	line(out, "timestamps", "%s", timestamps);
	line(out, "VLAN tags", "%s",
		port->offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP
			? "stripping is not asked for; a tag that is stripped is put back"
			: "left in the frame");
	if (port->mtu)
		line(out, "frames", "up to an MTU of %u, in several buffers", port->mtu);
	else
		line(out, "frames", "up to the port's MTU%s",
			port->scatter ? ", in several buffers" : ", in one buffer");
}

/* Whether the port would take a rule for one UDP flow. */
static bool
takes_rule(const struct port *port, const struct rte_flow_action *actions)
{
	const struct rte_flow_attr ingress = {.ingress = 1};
	const struct rte_flow_item_ipv4 address = {
		.hdr.src_addr = RTE_BE32(0x0a000001), .hdr.dst_addr = RTE_BE32(0x0a000002)};
	const struct rte_flow_item_ipv4 address_mask = {
		.hdr.src_addr = UINT32_MAX, .hdr.dst_addr = UINT32_MAX};
	const struct rte_flow_item_udp ports = {
		.hdr.src_port = RTE_BE16(5004), .hdr.dst_port = RTE_BE16(5004)};
	const struct rte_flow_item_udp ports_mask = {
		.hdr.src_port = UINT16_MAX, .hdr.dst_port = UINT16_MAX};
	const struct rte_flow_item pattern[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &address, .mask = &address_mask},
		{.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &ports, .mask = &ports_mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	struct rte_flow_error error;

	return rte_flow_validate(port->id, &ingress, pattern, actions, &error) == 0;
}

static void
report_rules(FILE *out, const struct port *port)
{
	static const char *const answers[] = {"no", "yes"};
	const struct rte_flow_action_mark mark = {.id = 1};
	const struct rte_flow_action_queue queue = {.index = 0};
	const struct rte_flow_action drop[] = {
		{.type = RTE_FLOW_ACTION_TYPE_DROP}, {.type = RTE_FLOW_ACTION_TYPE_END}};
	const struct rte_flow_action counted_drop[] = {{.type = RTE_FLOW_ACTION_TYPE_COUNT},
		{.type = RTE_FLOW_ACTION_TYPE_DROP}, {.type = RTE_FLOW_ACTION_TYPE_END}};
	const struct rte_flow_action marked[] = {{.type = RTE_FLOW_ACTION_TYPE_MARK, .conf = &mark},
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
		{.type = RTE_FLOW_ACTION_TYPE_END}};

	line(out, "rte_flow", "drop: %s, drop and count: %s, mark: %s; not used",
		answers[takes_rule(port, drop)], answers[takes_rule(port, counted_drop)],
		answers[takes_rule(port, marked)]);
}

static void
report_plan(struct report *report, const struct port *port)
{
	const struct layout *layout = &report->layout;

	if (layout->software)
		line(report->out, "camspand will",
			"read it by RX lcores, spread among %u workers by innermost addresses",
			layout->worker_count);
	else if (layout->worker_count == 1)
		line(report->out, "camspand will", "read it by its one worker");
	else
		line(report->out, "camspand will",
			"read %u queues by %u workers, spread by the port%s", port->queues,
			layout->worker_count,
			port_keeps_flows_together(port) ? "" : ": NOT both directions to one");
}

static void
report_port(struct report *report, const struct port *port)
{
	FILE *out = report->out;

	fprintf(out, "%s\n", port->name);
	line(out, "driver", "%s%s", port->driver, port->kernel ? ", a kernel interface" : "");
	report_link(out, port);
	report_queues(out, port);
	report_rss(out, port);
	report_offloads(out, port, report->config);
	report_rules(out, port);
	report_plan(report, port);
}

static int
run(struct report *report)
{
	struct layout_lcore lcores[RTE_MAX_LCORE];
	unsigned lcore_count = eal_lcores(lcores, RTE_MAX_LCORE);
	char error[512];

	if (ports_open(&report->ports, report->config, lcores, lcore_count, &report->layout, error,
		    sizeof(error)) != 0) {
		log_error("%s", error);
		return 1;
	}
	for (uint16_t i = 0; i < report->ports.count; i++)
		report_port(report, &report->ports.ports[i]);
	if (report->ports.count > 0)
		return 0;
	log_error("no port: bind one to vfio-pci (dpdk-devbind.py), or name kernel interfaces in "
		  "dataplane.ports and give -c FILE");
	return 1;
}

int
port_report_run(const struct config *config, FILE *out)
{
	struct report *report = calloc(1, sizeof(*report));
	int code;

	if (report == NULL)
		return 1;
	report->out = out;
	report->config = config;
	code = run(report);
	ports_stop(&report->ports);
	free(report);
	return code;
}
