/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of every command: one parser, each command names the options it takes. */
#ifndef CAMSPAN_CONSOLE_OPTIONS_H
#define CAMSPAN_CONSOLE_OPTIONS_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_FILTER_MAX 16

enum exit_code { EXIT_FOUND = 0, EXIT_NOTHING = 1, EXIT_USAGE = 2 };

enum option_flag {
	OPTION_CONFIG = 1 << 0, /* -c FILE */
	OPTION_STATE = 1 << 1,  /* --state PATH */
	OPTION_JSON = 1 << 2,
	OPTION_ALL = 1 << 3,
	OPTION_FILTER = 1 << 4, /* --class, --brand */
	OPTION_OUTPUT = 1 << 5, /* -o EVENTS.jsonl */
};

struct options {
	const char *config_path;
	const char *state_path;
	const char *output_path;
	bool json;
	bool all;
	bool help;
	size_t class_count;
	const char *classes[OPTIONS_FILTER_MAX];
	size_t brand_count;
	const char *brands[OPTIONS_FILTER_MAX];
	int operand_count;
	char **operands; /* borrowed from argv */
};

/* argv[0] is the command. Returns 0, or -EINVAL after one line on stderr. */
int options_parse(struct options *options, int argc, char **argv, unsigned allowed);
/* The state file that the options mean: --state, else that of -c, else the default. Returns 0, or
 * -EINVAL after one line on stderr. */
int options_state_path(const struct options *options, char *path, size_t path_size);

#endif
