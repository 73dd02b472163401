/* SPDX-License-Identifier: Apache-2.0 */
/* The spreading mode as it runs: an RX lcore, rings, workers with their pipelines. The port is
 * net_null, which gives any number of buffers; they were filled with frames of many flows once.
 * Needs a CPU for the RX lcore and each worker. Prints medians of slices of 100 ms: packets by the
 * clock, and nanoseconds of CPU a packet, which others on the same CPUs do not count into. */
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLICES_MAX 1000
#define SLICE      100000000 /* ns */
#define FRAME_SIZE 128

#define MACS    "\x02\0\0\0\0\xaa\x02\0\0\0\0\xbb"
#define IPV4(p) MACS "\x08\0\x45\0\0\x72\0\0\0\0\x40" p "\0\0\x0a\x01\0\1\x0a\x02\0\2"
#define UDP     "\x02\x2a\x9c\x40\0\x16\0\0"
#define INNER   MACS "\x08\0\x45\0\0\x2a\0\0\0\0\x40\x11\0\0\x0a\x01\0\1\x0a\x02\0\2" UDP

static const struct kind {
	const char *name;
	const char *bytes;
	unsigned length;
} kinds[] = {
#define KIND(name, bytes)                                                                          \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1                                                     \
	}
	KIND("plain", IPV4("\x11") "\x02\x2a\x9c\x40\0\x5e\0\0"),
	KIND("erspan2", IPV4("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3" INNER),
	KIND("vxlan", IPV4("\x11") "\xd0\x01\x12\xb5\0\x5e\0\0\x08\0\0\0\0\0\x2a\0" INNER),
};

struct bench {
	const struct kind *kind;
	unsigned slices;
	unsigned flows;
	struct config *config;
	struct decode_options decode;
	struct ports ports;
	struct layout layout;
	struct crew crew;
	atomic_bool stop;
};

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* The last address of the frame is the flow's: its lower three bytes are the flow's number. */
static void
fill(struct rte_mempool *pool, void *context, void *object, unsigned index)
{
	const struct bench *bench = context;
	struct rte_mbuf *mbuf = object;
	uint8_t *data = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint32_t flow = (uint32_t)(index * UINT64_C(2654435761) >> 8) % bench->flows;
	uint8_t *address = data + bench->kind->length - 12;

	(void)pool;
	memset(data, 0, FRAME_SIZE);
	memcpy(data, bench->kind->bytes, bench->kind->length);
	address[1] = (uint8_t)(flow >> 16);
	address[2] = (uint8_t)(flow >> 8);
	address[3] = (uint8_t)flow;
}

static uint64_t
worked_on(const struct crew *crew)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < crew->worker_count; i++)
		sum += counter_read(&crew->workers[i]->packets);
	return sum;
}

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* CPU time of an lcore's thread, in ns. */
static double
cpu_time(unsigned lcore)
{
	char path[64], name[32], expected[32];
	struct dirent *entry;
	double time = 0;
	DIR *tasks = opendir("/proc/self/task");

	snprintf(expected, sizeof(expected), "rte-worker-%u\n", lcore);
	while (tasks && (entry = readdir(tasks)) != NULL) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(name, sizeof(name), file) == NULL)
			name[0] = '\0';
		fclose(file);
		if (strcmp(name, expected) != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/schedstat", entry->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%lf", &time) != 1)
			time = 0;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return time;
}

/* One side at one moment. */
struct look {
	uint64_t packets;
	double cpu;
};

static struct look
look_at_rx(const struct bench *bench)
{
	return (struct look){counter_read(&bench->crew.spreads[0].receiver.received[0]),
		cpu_time(bench->layout.rx[0].id)};
}

static struct look
look_at_workers(const struct bench *bench)
{
	struct look look = {worked_on(&bench->crew), 0};

	for (unsigned i = 0; i < bench->layout.worker_count; i++)
		look.cpu += cpu_time(bench->layout.workers[i].id);
	return look;
}

/* Of one side, slice by slice. */
struct series {
	double mpps[SLICES_MAX];
	double ns[SLICES_MAX];
};

static void
add_slice(struct series *series, unsigned at, struct look before, struct look after, double us)
{
	double packets = (double)(after.packets - before.packets);

	series->mpps[at] = packets / us;
	series->ns[at] = packets > 0 ? (after.cpu - before.cpu) / packets : 0;
}

static void
drop_report(void *context, const struct report *report)
{
	(void)context;
	(void)report;
}

static void
stop(struct bench *bench)
{

	atomic_store(&bench->stop, true);
	while (!crew_has_drained(&bench->crew))
		for (unsigned i = 0; i < bench->crew.worker_count; i++)
			while (report_ring_receive(
				       &bench->crew.workers[i]->reports, 64, drop_report, NULL) > 0)
				;
	rte_eal_mp_wait_lcore();
}

static void
measure(struct bench *bench)
{
	static struct series rx, workers;
	static struct health_record health;
	const struct timespec nap = {.tv_nsec = SLICE};
	unsigned slices = bench->slices;

	for (unsigned i = 0; i < slices; i++) {
		int64_t begun = now();
		struct look rx_before = look_at_rx(bench), before = look_at_workers(bench);
		double us;

		nanosleep(&nap, NULL);
		us = (double)(now() - begun) / 1e3;
		add_slice(&rx, i, rx_before, look_at_rx(bench), us);
		add_slice(&workers, i, before, look_at_workers(bench), us);
	}
	stop(bench);
	crew_health(&bench->crew, &health);
	printf("%-8s %8u %10.2f %8.1f %10.2f %8.1f %12" PRIu64 " %12" PRIu64 "\n",
		bench->kind->name, bench->flows, median(rx.mpps, slices), median(rx.ns, slices),
		median(workers.mpps, slices), median(workers.ns, slices), health.balance.received,
		health.balance.fates[PACKET_DECODED]);
}

static int
start(struct bench *bench, char *error, size_t size)
{
	struct layout_lcore lcores[RTE_MAX_LCORE];
	unsigned count;

	if (eal_start(bench->config, EAL_LIVE, error, size) != 0)
		return 1;
	count = eal_lcores(lcores, RTE_MAX_LCORE);
	return ports_open(&bench->ports, bench->config, lcores, count, &bench->layout, error, size);
}

static int
run(struct bench *bench)
{
	struct dispatch *dispatch = dispatch_create();
	struct house house = {
		.config = bench->config, .dispatch = dispatch, .decode = &bench->decode};
	struct crew_settings settings = {.house = &house,
		.ports = &bench->ports,
		.layout = &bench->layout,
		.clock = clock_start(),
		.stop = &bench->stop};
	char error[512] = "no memory";

	if (dispatch == NULL || start(bench, error, sizeof(error)) != 0 ||
		crew_create(&bench->crew, &settings) != 0) {
		log_error("%s", error);
		return 1;
	}
	rte_mempool_obj_iter(bench->ports.pools[0].pool, fill, bench);
	printf("%-8s %8s %10s %8s %10s %8s %12s %12s\n", "frames", "flows", "RX Mpps", "ns CPU",
		"work Mpps", "ns CPU", "received", "decoded");
	crew_launch(&bench->crew);
	measure(bench);
	crew_free(&bench->crew);
	ports_stop(&bench->ports);
	dispatch_free(dispatch);
	eal_stop();
	return 0;
}

static int
configure(struct bench *bench, unsigned workers)
{
	static struct config_port port = {.device = "net_null0,size=128,copy=0"};

	bench->config = config_defaults();
	if (bench->config == NULL)
		return 1;
	bench->config->dataplane.spreading = SPREADING_SOFTWARE;
	bench->config->dataplane.workers = (uint16_t)workers;
	bench->config->dataplane.ports = &port;
	bench->config->dataplane.port_count = 1;
	bench->config->flows.ipv6_max = 1024;
	return 0;
}

static int
usage(void)
{
	fputs("Usage: bench_spread [--kind plain|erspan2|vxlan] [--workers N] [--flows N] "
	      "[--slices N]\n",
		stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"kind", required_argument, NULL, 'k'},
		{"workers", required_argument, NULL, 'w'}, {"flows", required_argument, NULL, 'f'},
		{"slices", required_argument, NULL, 's'}, {0}};
	static struct bench bench = {.kind = &kinds[0], .slices = 30, .flows = 4096};
	unsigned workers = 1;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		if (option == 'k') {
			bench.kind = NULL;
			for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
				if (strcmp(optarg, kinds[i].name) == 0)
					bench.kind = &kinds[i];
			if (bench.kind == NULL)
				return usage();
		} else if (option == 'w' && value > 0 && value < 64)
			workers = value;
		else if (option == 'f' && value > 0)
			bench.flows = value;
		else if (option == 's' && value > 0 && value <= SLICES_MAX)
			bench.slices = value;
		else
			return usage();
	}
	log_open("bench", LOG_LEVEL_WARNING);
	return configure(&bench, workers) || run(&bench);
}
