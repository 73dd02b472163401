/* SPDX-License-Identifier: Apache-2.0 */
/* A server as a child process, with pipes to its stdin and stdout. */
#ifndef CAMSPAN_TESTS_CHILD_H
#define CAMSPAN_TESTS_CHILD_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	pid_t pid;
	FILE *in;
	FILE *out;
};

static inline struct child
child_start(char *const argv[])
{
	int to[2], from[2];
	struct child child = {0};

	if (pipe(to) != 0 || pipe(from) != 0 || (child.pid = fork()) < 0)
		abort();
	if (child.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	child.in = fdopen(to[1], "w");
	child.out = fdopen(from[0], "r");
	return child;
}

static inline void
child_stop(struct child *child, int signal_number)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, signal_number);
	waitpid(child->pid, NULL, 0);
	fclose(child->in);
	fclose(child->out);
	child->pid = 0;
}

#endif
