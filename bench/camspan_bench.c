/* SPDX-License-Identifier: Apache-2.0 */
/* camspan bench: how much traffic of a kind this machine takes. A program of its own because
 * camspan is free of DPDK and runs this one. */
#include "bench/capacity.h"
#include "dataplane/capture.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 130
#define MBUF_ROOM        2048
#define SPARE_MBUFS      8192 /* in work and in the caches of lcores */

static atomic_bool stopped; /* set by a signal */

static void
on_signal(int number)
{
	(void)number;
	atomic_store(&stopped, true);
}

static const char usage_text[] =
	"usage: camspan bench [OPTIONS]\n\n"
	"Measures how many packets a second this machine's workers take without losing one, and\n"
	"what each stage costs. Traffic is generated in memory; no port is touched.\n\n"
	"  -p, --profile LIST      kinds of traffic, separated by commas (all of them)\n"
	"  -r, --capture FILE      the frames of a capture, over and over, instead of a profile\n"
	"      --same-lcore        only the cost of a packet, on one core: for machines with few\n"
	"  -w, --workers N         workers, each with a generator on a CPU of its own (1)\n"
	"      --flows N           flows of 64, imix and churn, a power of two (1048576)\n"
	"      --cameras N         video streams of camera (10000)\n"
	"      --trial SECONDS     length of a trial (2); RFC 2544 wants 60\n"
	"      --resolution SHARE  the search ends at this share of the rate (0.01)\n"
	"      --max-rate MPPS     highest rate to try, of all workers together\n"
	"      --ring N            packets that may wait for a worker, a power of two (4096)\n"
	"      --memory MIB        for the frames of a capture (1024)\n"
	"      --json FILE         all results and trials as JSON; - is standard output\n"
	"      --svg FILE          the results as a drawing\n"
	"      --smoke             a run of a second to see that it works; its figures mean "
	"nothing\n"
	"  -h, --help              this text\n\n";

enum {
	OPTION_SAME = 256,
	OPTION_FLOWS,
	OPTION_CAMERAS,
	OPTION_TRIAL,
	OPTION_RESOLUTION,
	OPTION_RATE,
	OPTION_RING,
	OPTION_MEMORY,
	OPTION_JSON,
	OPTION_SVG,
	OPTION_SMOKE,
};

static const struct option long_options[] = {
	{"profile", required_argument, NULL, 'p'},
	{"capture", required_argument, NULL, 'r'},
	{"same-lcore", no_argument, NULL, OPTION_SAME},
	{"workers", required_argument, NULL, 'w'},
	{"flows", required_argument, NULL, OPTION_FLOWS},
	{"cameras", required_argument, NULL, OPTION_CAMERAS},
	{"trial", required_argument, NULL, OPTION_TRIAL},
	{"resolution", required_argument, NULL, OPTION_RESOLUTION},
	{"max-rate", required_argument, NULL, OPTION_RATE},
	{"ring", required_argument, NULL, OPTION_RING},
	{"memory", required_argument, NULL, OPTION_MEMORY},
	{"json", required_argument, NULL, OPTION_JSON},
	{"svg", required_argument, NULL, OPTION_SVG},
	{"smoke", no_argument, NULL, OPTION_SMOKE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int
print_help(void)
{
	fputs(usage_text, stdout);
	puts("Kinds of traffic:");
	for (size_t i = 0; i < traffic_profile_count; i++)
		printf("  %-9s %s\n", traffic_profiles[i].name, traffic_profiles[i].about);
	puts("\nExit codes: 0 measured, 1 failed, 2 wrong use, 130 interrupted. "
	     "Manual: camspan-bench(1).");
	return 0;
}

static int
wrong(const char *what, const char *value)
{
	fprintf(stderr, "camspan bench: %s%s; see camspan bench --help\n", what, value);
	return EXIT_USAGE;
}

static bool
is_profile(const char *name)
{
	for (size_t i = 0; i < traffic_profile_count; i++)
		if (strcmp(traffic_profiles[i].name, name) == 0)
			return true;
	return false;
}

static int
take_profiles(struct capacity_options *options, char *list)
{
	char *rest = NULL;

	options->profile_count = 0;
	for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		if (strcmp(name, "all") == 0)
			continue;
		if (!is_profile(name))
			return wrong("no such traffic: ", name);
		if (options->profile_count == CAPACITY_PROFILES_MAX)
			return wrong("too many kinds of traffic at ", name);
		options->profiles[options->profile_count++] = name;
	}
	return 0;
}

/* A number of [low, high]; a power of two where that is asked for. */
static int
take_count(uint32_t *value, const char *text, uint32_t low, uint32_t high, bool power)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || number < low || number > high ||
		(power && (number & (number - 1)) != 0))
		return wrong("not a number that will do: ", text);
	*value = (uint32_t)number;
	return 0;
}

static int
take_real(double *value, const char *text, double low, double high)
{
	char *end;

	*value = strtod(text, &end);
	return *end || end == text || !(*value >= low && *value <= high)
		       ? wrong("not a number that will do: ", text)
		       : 0;
}

static int
take_memory(struct capacity_options *options, const char *text)
{
	uint32_t mib = 0;
	int code = take_count(&mib, text, 1, 1 << 20, false);

	options->memory = (uint64_t)mib << 20;
	return code;
}

static void
make_smoke(struct capacity_options *options)
{
	options->smoke = true;
	options->flows = 1024;
	options->cameras = 64;
	options->trial_s = 0.02;
	options->resolution = 0.5;
}

static int
take(struct capacity_options *options, int option)
{
	switch (option) {
	case 'p':
		return take_profiles(options, optarg);
	case 'r':
		options->capture = optarg;
		return 0;
	case 'w':
		return take_count(&options->workers, optarg, 1, CAPACITY_PAIRS_MAX, false);
	case OPTION_SAME:
		options->same_lcore = true;
		return 0;
	case OPTION_FLOWS:
		return take_count(&options->flows, optarg, 1024, 1 << 27, true);
	case OPTION_CAMERAS:
		return take_count(&options->cameras, optarg, 1, 1 << 20, false);
	case OPTION_TRIAL:
		return take_real(&options->trial_s, optarg, 0.01, 3600);
	case OPTION_RESOLUTION:
		return take_real(&options->resolution, optarg, 0.0001, 0.5);
	case OPTION_RATE:
		return take_real(&options->max_mpps, optarg, 0.001, 10000);
	case OPTION_RING:
		return take_count(&options->ring, optarg, 64, 1 << 22, true);
	case OPTION_MEMORY:
		return take_memory(options, optarg);
	case OPTION_JSON:
		options->json_path = optarg;
		return 0;
	case OPTION_SVG:
		options->svg_path = optarg;
		return 0;
	default:
		make_smoke(options);
		return 0;
	}
}

/* -1: go on; else the exit code. */
static int
parse(struct capacity_options *options, int argc, char **argv)
{
	int option, code;

	*options = (struct capacity_options){.workers = 1,
		.flows = 1 << 20,
		.cameras = 10000,
		.ring = 4096,
		.trial_s = 2,
		.resolution = 0.01,
		.memory = UINT64_C(1) << 30};
	for (size_t i = 0; i < traffic_profile_count; i++)
		options->profiles[options->profile_count++] = traffic_profiles[i].name;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":p:r:w:h", long_options, NULL)) != -1) {
		if (option == 'h')
			return print_help();
		if (option == ':')
			return wrong("a value is missing after ", argv[optind - 1]);
		if (option == '?')
			return wrong("unknown option ", argv[optind - 1]);
		code = take(options, option);
		if (code)
			return code;
	}
	if (optind < argc)
		return wrong("unexpected argument ", argv[optind]);
	if (options->capture) {
		options->profiles[0] = options->capture;
		options->profile_count = 1;
	}
	return -1;
}

struct traffic *
capacity_traffic(struct capacity *capacity, const char *profile, unsigned seed)
{
	struct traffic_settings settings = {
		.pool = capacity->rig.pool,
		.flows = capacity->options.flows,
		.cameras = capacity->options.cameras,
		.frame_room = MBUF_ROOM,
		.capture_bytes_max = capacity->options.memory,
		.seed = seed,
	};
	char error[CAPTURE_ERROR_SIZE] = "no memory for the capture";
	struct traffic *traffic = capacity->options.capture
					  ? traffic_from_capture(profile, &settings, error)
					  : traffic_create(profile, &settings);

	if (traffic == NULL && capacity->options.capture)
		log_error("%s", error);
	else if (traffic == NULL)
		log_error("no memory for traffic");
	return traffic;
}

static int
measure(struct capacity *capacity, struct capacity_result *results, unsigned *done)
{
	const struct capacity_options *options = &capacity->options;

	for (unsigned i = 0; i < options->profile_count; i++) {
		results[i].profile = options->profiles[i];
		if (!options->same_lcore && capacity_search(capacity, &results[i]) != 0)
			return -1;
		if (capacity_stages(capacity, &results[i]) != 0)
			return -1;
		*done = i + 1;
	}
	return 0;
}

static int
write_file(const struct capacity *capacity, const struct capacity_result *results, unsigned count,
	const char *path,
	int (*write)(const struct capacity *, const struct capacity_result *, unsigned, FILE *))
{
	bool standard = strcmp(path, "-") == 0;
	FILE *out = standard ? stdout : fopen(path, "w");
	int failed;

	if (out == NULL) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	failed = write(capacity, results, count, out);
	if ((standard ? fflush(out) : fclose(out)) != 0 || failed) {
		log_error("%s: cannot be written", path);
		return -1;
	}
	return 0;
}

/* What was measured until an interruption is shown too. */
static int
deliver(const struct capacity *capacity, const struct capacity_result *results, unsigned count)
{
	const struct capacity_options *options = &capacity->options;
	bool json_only = options->json_path && strcmp(options->json_path, "-") == 0;
	int failed = 0;

	if (count > 0 && !json_only)
		capacity_print(capacity, results, count);
	if (options->json_path)
		failed |= write_file(
			capacity, results, count, options->json_path, capacity_write_json);
	if (options->svg_path && count > 0)
		failed |=
			write_file(capacity, results, count, options->svg_path, capacity_write_svg);
	return failed;
}

static int
open_rig(struct capacity *capacity)
{
	const struct capacity_options *options = &capacity->options;
	uint32_t workers = options->workers;
	struct rig_settings settings = {
		.lcores = (uint16_t)(options->same_lcore ? 1 : 2 * workers - 1),
		/* The stages have three tables at a time, a search one per worker. */
		.flows = (uint64_t)options->flows * 2 * (workers > 3 ? workers : 3),
		.mbufs = (options->ring + SPARE_MBUFS) * workers,
		.mbuf_room = MBUF_ROOM,
		.no_huge_pages = options->smoke,
	};

	if (rig_open(&capacity->rig, &settings) != 0)
		return -1;
	/* Twice the flows of a profile: churn and hostile traffic begin more. */
	capacity->rig.config->flows.ipv4_max = options->flows * 2;
	if (!options->same_lcore && eal_shares_cpus(2 * workers))
		log_warning("generators and workers share CPUs: the rates mean nothing; use fewer "
			    "workers or --same-lcore");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct capacity_result results[CAPACITY_PROFILES_MAX];
	static struct capacity capacity;
	struct sigaction action = {.sa_handler = on_signal};
	unsigned done = 0;
	int code = parse(&capacity.options, argc, argv);
	int failed;

	if (code >= 0)
		return code;
	log_open("camspan bench", LOG_LEVEL_INFO);
	capacity.stop = &stopped;
	capacity.shows_progress = isatty(STDERR_FILENO);
	if (open_rig(&capacity) != 0)
		return EXIT_FAILURE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	failed = measure(&capacity, results, &done);
	capacity_progress(&capacity, "%s", "");
	failed |= deliver(&capacity, results, done);
	rig_close(&capacity.rig);
	if (atomic_load(&stopped)) {
		fputs("camspan bench: interrupted\n", stderr);
		return EXIT_INTERRUPTED;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
