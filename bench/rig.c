/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rig.h"

#include "classifiers/classifier.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>

#define MBUF_CACHE    256
#define WATCHED       1024 /* addresses that policy wants to hear of */
#define IPV6_FLOWS    1024
#define MBUF_OVERHEAD 256
#define USUAL_MBUF    2432

static struct watch_set *
make_watch(void)
{
	struct watch_set *watch = watch_set_create(WATCHED);

	for (uint32_t i = 0; watch && i < WATCHED; i++) {
		uint8_t address[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
		struct ip_address ip = ip_from_ipv4(address);

		watch_set_add(watch, 0, &ip);
	}
	return watch;
}

static struct config *
make_config(const struct rig_settings *settings)
{
	struct config *config = config_defaults();
	uint64_t bytes;

	if (config == NULL)
		return NULL;
	bytes = settings->mbufs *
		(uint64_t)(settings->mbuf_room + RTE_PKTMBUF_HEADROOM + MBUF_OVERHEAD);
	config->dataplane.workers = settings->lcores;
	config->dataplane.mbufs =
		(uint32_t)(bytes / USUAL_MBUF / (settings->lcores ? settings->lcores : 1)) + 1;
	config->dataplane.huge_pages = settings->no_huge_pages ? HUGE_PAGES_OFF : HUGE_PAGES_AUTO;
	config->flows.ipv4_max =
		(uint32_t)(settings->flows / (settings->lcores ? settings->lcores : 1));
	config->flows.ipv6_max = IPV6_FLOWS;
	return config;
}

int
rig_open(struct rig *rig, const struct rig_settings *settings)
{
	char error[512];

	*rig = (struct rig){.config = make_config(settings)};
	if (rig->config == NULL)
		return -1;
	if (eal_start(rig->config, EAL_LIVE, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return -1;
	}
	rig->memory = eal_memory(-1);
	rig->dispatch = dispatch_create();
	rig->no_dispatch = dispatch_create_for(classifier_table, 0);
	rig->watch = make_watch();
	rig->pool = rte_pktmbuf_pool_create("bench", settings->mbufs, MBUF_CACHE, 0,
		(uint16_t)(settings->mbuf_room + RTE_PKTMBUF_HEADROOM), -1);
	if (rig->dispatch && rig->no_dispatch && rig->watch && rig->pool &&
		inspector_ethertypes(&rig->decode) == 0)
		return 0;
	log_error("no memory for %" PRIu32 " packet buffers", settings->mbufs);
	return -1;
}

void
rig_close(struct rig *rig)
{
	rte_mempool_free(rig->pool);
	watch_set_free(rig->watch);
	dispatch_free(rig->dispatch);
	dispatch_free(rig->no_dispatch);
	config_free(rig->config);
	eal_stop();
}

bool
rig_has_huge_pages(void)
{
	return eal_has_huge_pages();
}

static int
init_worker(
	struct rig *rig, struct rig_worker *worker, unsigned number, enum rig_inspection inspection)
{
	bool bare = inspection == RIG_INSPECT_NOTHING;
	const struct config_inspection *config = &rig->config->inspection;
	struct pipeline_settings settings = {
		.config = bare ? &worker->bare_config : rig->config,
		.dispatch = bare ? rig->no_dispatch : rig->dispatch,
		.decode = &rig->decode,
		.memory = &rig->memory,
		.worker = (uint16_t)number,
		.deduplicated_ports = rig->deduplicates ? 1 : 0,
	};
	int error = report_ring_init(&worker->reports, number, REPORT_RING_SLOTS, -1);

	if (error)
		return error;
	worker->bare_config = *rig->config;
	worker->bare_config.inspection.max_packets = 1;
	settings.output = report_ring_output(&worker->reports);
	if (inspection == RIG_INSPECT_ALL) {
		settings.dpi = dpi_create(config->flows_max, config->dpi_max_packets);
		if (settings.dpi == NULL)
			return -ENOMEM;
	}
	error = pipeline_init(&worker->pipeline, &settings);
	if (error) {
		dpi_free(settings.dpi);
		return error;
	}
	worker->pipeline.watch = rig->watch;
	return 0;
}

struct rig_worker *
rig_worker_create(struct rig *rig, unsigned number, enum rig_inspection inspection)
{
	struct rig_worker *worker =
		memory_allocate(&rig->memory, "bench worker", sizeof(struct rig_worker));
	int error = worker ? init_worker(rig, worker, number, inspection) : -ENOMEM;

	if (error == 0) {
		worker->memory = &rig->memory;
		return worker;
	}
	log_error("no memory for a worker with %" PRIu32 " flows", rig->config->flows.ipv4_max);
	if (worker) {
		report_ring_free(&worker->reports);
		rig->memory.release(worker);
	}
	return NULL;
}

void
rig_worker_free(struct rig_worker *worker)
{
	pipeline_free(&worker->pipeline);
	report_ring_free(&worker->reports);
	worker->memory->release(worker);
}

void
rig_worker_packets(struct rig_worker *worker, struct rte_mbuf **mbufs, unsigned count, int64_t now)
{
	struct frame_view frames[PIPELINE_BURST];

	for (unsigned i = 0; i < count; i++) {
		frames[i].data = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);
		frames[i].time = now;
		frames[i].captured = mbufs[i]->data_len;
		frames[i].wire_length = mbufs[i]->pkt_len;
		frames[i].observation_point = 0;
	}
	pipeline_burst(&worker->pipeline, frames, count, LINK_ETHERNET);
	rte_pktmbuf_free_bulk(mbufs, count);
}

static void
take_report(void *context, const struct report *report)
{
	struct rig_worker *worker = context;

	worker->taken[report->kind]++;
	if (report->kind != REPORT_FLOW)
		return;
	worker->flow_packets += report->flow.packets[0] + report->flow.packets[1];
	worker->flow_bytes += report->flow.bytes[0] + report->flow.bytes[1];
}

void
rig_worker_drain_some(struct rig_worker *worker, unsigned limit)
{
	report_ring_receive(&worker->reports, limit, take_report, worker);
}

void
rig_worker_drain(struct rig_worker *worker)
{
	rig_worker_drain_some(worker, UINT32_MAX);
}

/* Packets that belong to flows: decoded ones, less those of the link layer. */
static uint64_t
packets_of_flows(const struct pipeline *pipeline)
{
	return pipeline->balance.fates[PACKET_DECODED] - pipeline->inspector.counters.link_packets;
}

int
rig_worker_balance(struct rig_worker *worker)
{
	const struct pipeline *pipeline = &worker->pipeline;
	uint64_t accounted = 0, lost;

	while (!pipeline_flush(&worker->pipeline))
		rig_worker_drain(worker);
	rig_worker_drain(worker);
	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		accounted += pipeline->balance.fates[fate];
	if (accounted != pipeline->balance.received) {
		log_error("%" PRIu64 " packets came in, %" PRIu64 " have a fate",
			pipeline->balance.received, accounted);
		return -1;
	}
	lost = pipeline->ipv4.counters.records_lost + pipeline->ipv6.counters.records_lost;
	if (lost > 0)
		log_warning("%" PRIu64 " flow records were lost", lost);
	if (lost > 0 || worker->flow_packets == packets_of_flows(pipeline))
		return 0;
	log_error("%" PRIu64 " packets of flows came in, the records tell of %" PRIu64,
		packets_of_flows(pipeline), worker->flow_packets);
	return -1;
}

uint64_t
rig_memory_in_use(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	uint64_t total = 0, kib;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %" SCNu64, &kib) == 1 ||
			sscanf(line, "HugetlbPages: %" SCNu64, &kib) == 1)
			total += kib * 1024;
	if (file)
		fclose(file);
	return total;
}
