/* SPDX-License-Identifier: Apache-2.0 */
/* camspan bench: becomes camspan-bench, which needs DPDK and has options of its own. */
#include "exporters/console/child.h"
#include "exporters/console/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
command_bench(char **argv)
{
	char program[PATH_MAX];

	child_find_bench(program, sizeof(program));
	argv[0] = program;
	execvp(program, argv);
	fprintf(stderr,
		"camspan: %s cannot be run: %s; install camspan-bench or name it with "
		"CAMSPAN_BENCH\n",
		program, strerror(errno));
	return EXIT_NOTHING;
}
