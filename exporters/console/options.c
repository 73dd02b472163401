/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/options.h"

#include "dataplane/records/device_record.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { LONG_STATE = 256, LONG_JSON, LONG_ALL, LONG_CLASS, LONG_BRAND };

static const struct {
	int code;
	unsigned flag;
} needs[] = {
	{'c', OPTION_CONFIG},
	{'o', OPTION_OUTPUT},
	{LONG_STATE, OPTION_STATE},
	{LONG_JSON, OPTION_JSON},
	{LONG_ALL, OPTION_ALL},
	{LONG_CLASS, OPTION_FILTER},
	{LONG_BRAND, OPTION_FILTER},
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"output", required_argument, NULL, 'o'},
	{"state", required_argument, NULL, LONG_STATE},
	{"json", no_argument, NULL, LONG_JSON},
	{"all", no_argument, NULL, LONG_ALL},
	{"class", required_argument, NULL, LONG_CLASS},
	{"brand", required_argument, NULL, LONG_BRAND},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool
is_allowed(int code, unsigned allowed)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].code == code)
			return (needs[i].flag & allowed) != 0;
	return true;
}

static int
usage(const char *command, const char *what, const char *option)
{
	fprintf(stderr, "camspan %s: %s%s; see camspan %s --help\n", command, what, option,
		command);
	return -EINVAL;
}

static int
add_filter(const char *command, const char *value, const char **values, size_t *count)
{
	if (*count == OPTIONS_FILTER_MAX)
		return usage(command, "too many filters at ", value);
	values[(*count)++] = value;
	return 0;
}

static int
add_class(struct options *options, const char *command, const char *value)
{
	if (device_class_by_name(value) == DEVICE_UNKNOWN && strcmp(value, "unknown") != 0) {
		fprintf(stderr,
			"camspan %s: %s is not a class; use camera, recorder, doorbell, viewer, "
			"other or unknown\n",
			command, value);
		return -EINVAL;
	}
	return add_filter(command, value, options->classes, &options->class_count);
}

static int
take(struct options *options, const char *command, int code)
{
	switch (code) {
	case 'c':
		options->config_path = optarg;
		return 0;
	case 'o':
		options->output_path = optarg;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	case LONG_STATE:
		options->state_path = optarg;
		return 0;
	case LONG_JSON:
		options->json = true;
		return 0;
	case LONG_ALL:
		options->all = true;
		return 0;
	case LONG_CLASS:
		return add_class(options, command, optarg);
	default:
		return add_filter(command, optarg, options->brands, &options->brand_count);
	}
}

int
options_parse(struct options *options, int argc, char **argv, unsigned allowed)
{
	const char *command = argv[0];
	int code;

	*options = (struct options){0};
	opterr = 0;
	optind = 1;
	while ((code = getopt_long(argc, argv, ":c:o:h", long_options, NULL)) != -1) {
		if (code == ':')
			return usage(command, "a value is missing after ", argv[optind - 1]);
		if (code == '?' || !is_allowed(code, allowed))
			return usage(command, "unknown option ", argv[optind - 1]);
		if (take(options, command, code) != 0)
			return -EINVAL;
	}
	options->operands = argv + optind;
	options->operand_count = argc - optind;
	return 0;
}

int
options_state_path(const struct options *options, char *path, size_t path_size)
{
	char error[1024] = "out of memory";
	struct config *config;

	if (options->state_path) {
		snprintf(path, path_size, "%s", options->state_path);
		return 0;
	}
	config = options->config_path ? config_load(options->config_path, error, sizeof(error))
				      : config_defaults();
	if (config == NULL) {
		fprintf(stderr, "camspan: %s\n", error);
		return -EINVAL;
	}
	snprintf(path, path_size, "%s", config->export.state.path);
	config_free(config);
	return 0;
}
