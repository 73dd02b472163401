/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/eal.h"

#include "dataplane/dedup.h"
#include "dataplane/kernel_port.h"
#include "dataplane/log.h"
#include "dataplane/port_pool.h"
#include "dataplane/report.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX  64
#define ARGUMENT_SIZE  2048 /* the map of 144 lcores is the longest */
#define REPLAY_MIB     96
#define BYTES_PER_FLOW 132 /* flow_table.h */
#define FIXED_MIB      64  /* EAL itself and DPI */

struct arguments {
	int count;
	char *vector[ARGUMENTS_MAX];
	char text[ARGUMENTS_MAX][ARGUMENT_SIZE];
};

static bool huge_pages_in_use;
static unsigned cpu_count; /* 0: the operator has chosen lcores */

/* What DPDK says: while it starts, its first complaint is kept for our own line; afterwards each is
 * a warning. */
static struct {
	FILE *stream;
	bool starting;
	char cause[256];
} eal_log;

__attribute__((format(printf, 2, 3))) static void
add(struct arguments *arguments, const char *format, ...)
{
	char *text = arguments->text[arguments->count];
	va_list list;

	va_start(list, format);
	vsnprintf(text, ARGUMENT_SIZE, format, list);
	va_end(list);
	arguments->vector[arguments->count++] = text;
}

/* Free pages of one size, in MiB. */
static uint64_t
free_huge_mib(unsigned page_kib)
{
	char path[96];
	uint64_t pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/free_hugepages",
		page_kib);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * page_kib / 1024;
}

static uint64_t
tables_mib(const struct config *config)
{
	uint64_t flows = config->flows.ipv4_max + (uint64_t)config->flows.ipv6_max;

	uint64_t dedup = dedup_memory(config);

	return config->dataplane.workers *
	       ((dedup + flows * BYTES_PER_FLOW + config->inspection.flows_max * UINT64_C(2048) +
			config->inspection.stream_buffers * UINT64_C(8192)) >>
		       20);
}

/* What EAL allocates, with huge pages or without. */
static uint64_t
packets_mib(const struct config *config, bool huge_pages)
{
	uint64_t rings =
		config->dataplane.workers * (uint64_t)REPORT_RING_SLOTS * sizeof(struct report);

	return ports_memory_mib(config, huge_pages) + (rings >> 20) + 1;
}

static int
decide_huge_pages(
	const struct config *config, enum eal_purpose purpose, char *error, size_t error_size)
{
	uint64_t need = packets_mib(config, true) + tables_mib(config) + FIXED_MIB;
	uint64_t have = free_huge_mib(2048) + free_huge_mib(1048576);

	huge_pages_in_use = config->dataplane.huge_pages != HUGE_PAGES_OFF && have >= need;
	if (huge_pages_in_use || purpose == EAL_PORTS)
		return 0;
	if (config->dataplane.huge_pages == HUGE_PAGES_ON) {
		snprintf(error, error_size,
			"dataplane.huge_pages is on, but %" PRIu64
			" MiB are free and about %" PRIu64
			" MiB are needed; reserve them (sysctl vm.nr_hugepages=%" PRIu64
			") or make the tables smaller",
			have, need, need / 2 + 1);
		return -1;
	}
	log_warning(
		"running without huge pages (%" PRIu64 " MiB free, about %" PRIu64
		" MiB needed): performance is not representative; sysctl vm.nr_hugepages=%" PRIu64
		" helps",
		have, need, need / 2 + 1);
	return 0;
}

/* The NUMA node of a CPU, 0 where the kernel does not tell. */
static int
socket_of_cpu(unsigned cpu)
{
	for (int node = 0; node < RTE_MAX_NUMA_NODES; node++) {
		char path[96];

		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpu%u", node, cpu);
		if (access(path, F_OK) == 0)
			return node;
	}
	return 0;
}

/* The CPUs that this process may use. */
static unsigned
find_cpus(struct layout_lcore cpus[CPU_SETSIZE])
{
	unsigned count = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[count++] = (struct layout_lcore){cpu, socket_of_cpu(cpu)};
	if (count == 0)
		cpus[count++] = (struct layout_lcore){0, 0};
	return count;
}

static int
socket_of_device(const char *device)
{
	char path[CONFIG_PATH_SIZE + 64];
	int length = (int)strcspn(device, ",");
	bool has_domain = strchr(device, ':') != memrchr(device, ':', (size_t)length);
	int node = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s%.*s/numa_node",
		has_domain ? "" : "0000:", length, device);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%d", &node) != 1)
		node = -1;
	fclose(file);
	return node;
}

/* The CPUs of the ports' nodes first. The control thread keeps the first of all. */
static void
prefer_port_sockets(struct layout_lcore *cpus, unsigned count, const struct config *config)
{
	struct layout_port ports[LAYOUT_PORTS_MAX];
	unsigned port_count = 0;

	for (size_t i = 0; i < config->dataplane.port_count && i < LAYOUT_PORTS_MAX; i++)
		ports[port_count++].socket = socket_of_device(config->dataplane.ports[i].device);
	layout_prefer_sockets(cpus + 1, count - 1, ports, port_count);
}

/* How many lcores besides control may be put to work. */
static unsigned
lcores_wanted(const struct config *config)
{
	const struct config_dataplane *dataplane = &config->dataplane;
	bool may_spread = dataplane->spreading == SPREADING_SOFTWARE ||
			  (dataplane->spreading == SPREADING_AUTO && dataplane->workers > 1);

	unsigned wanted = dataplane->workers + (may_spread ? dataplane->rx_lcores : 0u);

	/* Whether the rest is enough is told when the ports are known. */
	return wanted < RTE_MAX_LCORE ? wanted : RTE_MAX_LCORE - 1;
}

/* lcore n on the n-th CPU; several share one when CPUs are few. */
static void
add_lcores(struct arguments *arguments, const struct config *config, unsigned wanted)
{
	char map[ARGUMENT_SIZE] = "";
	struct layout_lcore cpus[CPU_SETSIZE];
	size_t used = 0;

	cpu_count = 0;
	if (config->dataplane.lcores[0]) {
		add(arguments, "-l");
		add(arguments, "%s", config->dataplane.lcores);
		return;
	}
	cpu_count = find_cpus(cpus);
	prefer_port_sockets(cpus, cpu_count, config);
	for (unsigned lcore = 0; lcore <= wanted && used < sizeof(map); lcore++)
		used += (size_t)snprintf(map + used, sizeof(map) - used, "%s%u@%u",
			lcore ? "," : "", lcore, cpus[lcore % cpu_count].id);
	add(arguments, "--lcores");
	add(arguments, "%s", map);
}

/* A PCI address ("0000:03:00.0" or "03:00.0") is allowed; anything else is a virtual device. */
static bool
is_pci(const char *device)
{
	size_t digits = strspn(device, "0123456789abcdefABCDEF:");

	return digits >= 5 && device[digits] == '.' && isxdigit((unsigned char)device[digits + 1]);
}

static int
check_pci(const char *device, char *error, size_t error_size)
{
	char path[CONFIG_PATH_SIZE + 64];
	int length = (int)strcspn(device, ",");
	bool has_domain = strchr(device, ':') != memrchr(device, ':', (size_t)length);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s%.*s",
		has_domain ? "" : "0000:", length, device);
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(error, error_size, "port %s: there is no such PCI device", device);
	return -1;
}

/* Says in plain words what DPDK would say in many. */
static int
check_ports(const struct config *config, char *error, size_t error_size)
{
	if (config->dataplane.port_count > PORTS_MAX) {
		snprintf(error, error_size, "dataplane.ports: more than %d ports", PORTS_MAX);
		return -1;
	}
	for (size_t i = 0; i < config->dataplane.port_count; i++) {
		const char *device = config->dataplane.ports[i].device;

		if (is_pci(device) && check_pci(device, error, error_size) != 0)
			return -1;
		if (kernel_port_is(device) && kernel_port_check(device, error, error_size) != 0)
			return -1;
	}
	return 0;
}

static void
add_ports(struct arguments *arguments, const struct config *config, enum eal_purpose purpose)
{
	bool pci = purpose == EAL_PORTS && config->dataplane.port_count == 0;

	for (size_t i = 0; i < config->dataplane.port_count; i++) {
		char device[PORT_DEVICE_SIZE];

		port_device(config, i, device);
		pci |= is_pci(device);
		add(arguments, is_pci(device) ? "-a" : "--vdev");
		add(arguments, "%s", device);
	}
	if (!pci)
		add(arguments, "--no-pci");
}

static void
add_memory(struct arguments *arguments, const struct config *config, enum eal_purpose purpose)
{
	uint64_t mib = config->dataplane.memory_mib;

	if (purpose == EAL_REPLAY)
		mib = REPLAY_MIB;
	else if (mib == 0 && !huge_pages_in_use)
		mib = packets_mib(config, false) + FIXED_MIB;
	if (!huge_pages_in_use)
		add(arguments, "--no-huge");
	if (mib) {
		add(arguments, "-m");
		add(arguments, "%" PRIu64, mib);
	}
}

static ssize_t
write_log(void *context, const char *text, size_t size)
{
	int length = (int)(size > 0 && text[size - 1] == '\n' ? size - 1 : size);

	(void)context;
	if (!eal_log.starting)
		log_warning("DPDK: %.*s", length, text);
	else if (eal_log.cause[0] == '\0' && rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR)
		snprintf(eal_log.cause, sizeof(eal_log.cause), "%.*s", length, text);
	return (ssize_t)size;
}

/* DPDK complains about one mistake in several lines, some of them printed past its own log. Only a
 * debugging operator wants to read them. */
static int
initialise(struct arguments *arguments)
{
	int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int result;

	fflush(stdout);
	eal_log.starting = true;
	for (int i = 0; i < 2; i++)
		if (nowhere >= 0 && saved[i] >= 0)
			dup2(nowhere, STDOUT_FILENO + i);
	result = rte_eal_init(arguments->count, arguments->vector);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		if (saved[i] < 0)
			continue;
		dup2(saved[i], STDOUT_FILENO + i);
		close(saved[i]);
	}
	if (nowhere >= 0)
		close(nowhere);
	eal_log.starting = false;
	if (result >= 0 && eal_log.cause[0])
		log_warning("DPDK: %s", eal_log.cause);
	return result;
}

static int
initialise_quietly(struct arguments *arguments)
{
	cookie_io_functions_t functions = {.write = write_log};

	eal_log.cause[0] = '\0';
	eal_log.stream = fopencookie(NULL, "w", functions);
	if (eal_log.stream == NULL)
		return rte_eal_init(arguments->count, arguments->vector);
	setvbuf(eal_log.stream, NULL, _IOLBF, 0);
	rte_openlog_stream(eal_log.stream);
	return initialise(arguments);
}

static void
collect_arguments(
	struct arguments *arguments, const struct config *config, enum eal_purpose purpose)
{
	bool live = purpose != EAL_REPLAY;

	arguments->count = 0;
	add(arguments, "camspand");
	/* Neither leaves files behind; the first insists on huge pages. */
	add(arguments, huge_pages_in_use ? "--in-memory" : "--no-shconf");
	add(arguments, "--no-telemetry");
	add(arguments, "--log-level=lib.*:error");
	add(arguments, "--log-level=%s", live ? "pmd.*:warning" : "pmd.*:error");
	add_lcores(arguments, config, live ? lcores_wanted(config) : 0);
	add_memory(arguments, config, purpose);
	if (live)
		add_ports(arguments, config, purpose);
	else
		add(arguments, "--no-pci");
}

int
eal_start(const struct config *config, enum eal_purpose purpose, char *error, size_t error_size)
{
	static struct arguments arguments; /* EAL keeps pointers into it */
	bool debug = config->log_level == LOG_LEVEL_DEBUG;

	huge_pages_in_use = false;
	if (purpose != EAL_REPLAY &&
		(check_ports(config, error, error_size) != 0 ||
			decide_huge_pages(config, purpose, error, error_size) != 0))
		return -1;
	collect_arguments(&arguments, config, purpose);
	if ((debug ? rte_eal_init(arguments.count, arguments.vector)
		   : initialise_quietly(&arguments)) >= 0)
		return 0;
	snprintf(error, error_size,
		"DPDK did not start: %s; check dataplane.ports, lcores and permissions; log.level "
		"debug shows all it says",
		eal_log.cause[0] ? eal_log.cause : rte_strerror(rte_errno));
	return -1;
}

void
eal_stop(void)
{
	rte_eal_cleanup();
	if (eal_log.stream) {
		rte_openlog_stream(NULL);
		fclose(eal_log.stream);
		eal_log.stream = NULL;
	}
}

unsigned
eal_lcores(struct layout_lcore *lcores, unsigned max)
{
	unsigned count = 0;
	unsigned lcore;

	RTE_LCORE_FOREACH_WORKER (lcore)
		if (count < max)
			lcores[count++] =
				(struct layout_lcore){lcore, (int)rte_lcore_to_socket_id(lcore)};
	return count;
}

bool
eal_shares_cpus(unsigned lcores)
{
	return cpu_count > 0 && lcores > cpu_count;
}

bool
eal_has_huge_pages(void)
{
	return huge_pages_in_use;
}

static void *
huge_allocate(const char *name, size_t size, int socket)
{
	return rte_zmalloc_socket(name, size, RTE_CACHE_LINE_SIZE, socket);
}

struct memory_source
eal_memory(int socket)
{
	if (!huge_pages_in_use)
		return memory_from_system;
	return (struct memory_source){huge_allocate, rte_free, socket};
}
