/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: camspand -c FILE                    run on the ports of the configuration\n"
	"       camspand -r CAPTURE [-r ...] [...]  replay capture files, print the packet "
	"balance\n"
	"       camspand -t -c FILE                 test a configuration\n"
	"       camspand --ports [-c FILE]          say what the ports can and how they are used\n"
	"\n"
	"camspand listens to mirrored traffic, finds surveillance cameras and who made them,\n"
	"measures their streams and reports where they connect to. It never sends a packet.\n"
	"\n"
	"  -c, --config FILE      configuration (YAML); see camspan.yaml(5)\n"
	"  -r, --read CAPTURE     replay a pcap or pcapng file on its own time; may be repeated\n"
	"  -o, --output FILE      write events as JSON lines; - is standard output\n"
	"      --state FILE       keep devices, streams and alerts in this file (SQLite)\n"
	"  -t, --test             check the configuration and the data files, then exit\n"
	"      --ports            start the ports, report on each, then exit\n"
	"      --print-config     print the configuration in force, with defaults, then exit\n"
	"      --print-reference  print the reference of all settings (Markdown), then exit\n"
	"  -h, --help             this text\n"
	"  -V, --version          version\n"
	"\n"
	"Exit codes: 0 done; 1 something could not be read or delivered; 2 usage or "
	"configuration.\n"
	"Look at results with camspan(1): camspan read office.pcap\n";

enum { OPTION_STATE = 256, OPTION_PORTS, OPTION_PRINT_CONFIG, OPTION_PRINT_REFERENCE };

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"read", required_argument, NULL, 'r'},
	{"output", required_argument, NULL, 'o'},
	{"state", required_argument, NULL, OPTION_STATE},
	{"test", no_argument, NULL, 't'},
	{"ports", no_argument, NULL, OPTION_PORTS},
	{"print-config", no_argument, NULL, OPTION_PRINT_CONFIG},
	{"print-reference", no_argument, NULL, OPTION_PRINT_REFERENCE},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int
usage_error(const char *what)
{
	fprintf(stderr, "camspand: %s; try camspand --help\n", what);
	return EXIT_USAGE;
}

static int
check(const struct options *options, int argc)
{
	if (optind < argc)
		return usage_error("captures are given with -r, one each");
	if (options->print_config || options->reference)
		return -1;
	if (options->test && options->config_path == NULL)
		return usage_error("-t needs a configuration: -c FILE");
	if (options->test && options->capture_count)
		return usage_error("-t tests and -r replays: give one of them");
	if (options->ports && (options->test || options->capture_count))
		return usage_error("--ports goes with neither -t nor -r");
	if (options->config_path == NULL && options->capture_count == 0 && !options->ports)
		return usage_error("nothing to do: give -c FILE or -r CAPTURE");
	return -1;
}

int
options_parse(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){.captures = calloc((size_t)argc, sizeof(char *))};
	if (options->captures == NULL)
		return usage_error("out of memory");
	while ((option = getopt_long(argc, argv, "c:r:o:thV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case 'r':
			options->captures[options->capture_count++] = optarg;
			break;
		case 'o':
			options->events_path = optarg;
			break;
		case 't':
			options->test = true;
			break;
		case OPTION_PORTS:
			options->ports = true;
			break;
		case OPTION_STATE:
			options->state_path = optarg;
			break;
		case OPTION_PRINT_CONFIG:
			options->print_config = true;
			break;
		case OPTION_PRINT_REFERENCE:
			options->reference = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("camspand " CAMSPAN_VERSION);
			return EXIT_SUCCESS;
		default: /* getopt has told what is wrong */
			fputs("Try camspand --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	return check(options, argc);
}
