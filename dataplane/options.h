/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of camspand. */
#ifndef CAMSPAN_OPTIONS_H
#define CAMSPAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define EXIT_USAGE 2

struct options {
	const char *config_path;
	const char *events_path; /* -o: JSON lines, "-" is stdout */
	const char *state_path;  /* --state */
	const char **captures;   /* -r, in order; point into argv */
	size_t capture_count;
	bool test;
	bool ports;        /* -t */
	bool print_config; /* --print-config */
	bool reference;    /* --print-reference */
};

/* Returns -1 to go on, else the exit code: --help and --version (0) or a usage error (2), told on
 * stderr. `options->captures` is allocated; the process keeps it. */
int options_parse(int argc, char **argv, struct options *options);

#endif
