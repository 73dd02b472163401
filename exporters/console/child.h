/* SPDX-License-Identifier: Apache-2.0 */
/* Runs camspand as a child: its standard output is kept, its standard error passes through. */
#ifndef CAMSPAN_CONSOLE_CHILD_H
#define CAMSPAN_CONSOLE_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define CHILD_OUTPUT_MAX 65536

struct child {
	sigset_t restore; /* signal mask to go back to */
	bool interrupted; /* a signal ended the run: it is pending until restored */
	char *output;     /* at most CHILD_OUTPUT_MAX bytes, NUL-terminated */
};

/* Blocks the signals that end a program, so that the caller can clean up first. */
void child_block_signals(struct child *child);
/* A signal that came meanwhile acts now. */
void child_restore_signals(struct child *child);
/* CAMSPAND of the environment, else camspand beside this program, else in the build tree around
 * it, else "camspand" for a search of PATH. */
void child_find_daemon(char *program, size_t size);
/* The same for camspan-bench: CAMSPAN_BENCH, beside this program, in libexec, in the build tree. */
void child_find_bench(char *program, size_t size);
/* Runs the command to its end, handing a signal on to it. Returns its exit code; 1 when it could
 * not be run or died, with one line on stderr. */
int child_run(struct child *child, char **arguments);
void child_free(struct child *child);

#endif
