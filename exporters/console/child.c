/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

static void
fill_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaddset(set, ending_signals[i]);
}

void
child_block_signals(struct child *child)
{
	sigset_t set;

	*child = (struct child){.interrupted = false};
	fill_set(&set);
	sigprocmask(SIG_BLOCK, &set, &child->restore);
}

void
child_restore_signals(struct child *child)
{
	sigprocmask(SIG_SETMASK, &child->restore, NULL);
}

void
child_free(struct child *child)
{
	free(child->output);
	child->output = NULL;
}

/* `name` of the environment, else the first of `places` (from this program's folder) that is there,
 * else the last word of the first of them for a search of PATH. */
static void
find_program(const char *name, const char *const *places, size_t count, char *program, size_t size)
{
	const char *chosen = getenv(name);
	ssize_t length;
	char *slash;

	if (chosen && chosen[0]) {
		snprintf(program, size, "%s", chosen);
		return;
	}
	length = readlink("/proc/self/exe", program, size - 1);
	program[length > 0 ? length : 0] = '\0';
	slash = strrchr(program, '/');
	for (size_t i = 0; slash && i < count; i++) {
		snprintf(slash + 1, size - (size_t)(slash + 1 - program), "%s", places[i]);
		if (access(program, X_OK) == 0)
			return;
	}
	snprintf(program, size, "%s", places[0]);
}

void
child_find_daemon(char *program, size_t size)
{
	/* Beside, as installed (bin and sbin), as built. */
	static const char *const places[] = {
		"camspand", "../sbin/camspand", "../../dataplane/camspand"};

	find_program("CAMSPAND", places, 3, program, size);
}

void
child_find_bench(char *program, size_t size)
{
	static const char *const places[] = {
		"camspan-bench", "../libexec/camspan/camspan-bench", "../../bench/camspan-bench"};

	find_program("CAMSPAN_BENCH", places, 3, program, size);
}

/* In the new process. 127 is the shell's code for a command that is not there. */
static void
become(const struct child *child, char **arguments, int output, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	dup2(output, STDOUT_FILENO);
	sigprocmask(SIG_SETMASK, &child->restore, NULL);
	execvp(arguments[0], arguments);
	fprintf(stderr,
		"camspan: %s cannot be run: %s; install camspand beside camspan or name it "
		"with CAMSPAND\n",
		arguments[0], strerror(errno));
	_exit(127);
}

/* Takes what fits and drops the rest, so that the child never waits for room. */
static bool
read_output(struct child *child, int fd, size_t *length)
{
	char beyond[4096];
	size_t room = CHILD_OUTPUT_MAX - *length;
	ssize_t got = room > 0 ? read(fd, child->output + *length, room)
			       : read(fd, beyond, sizeof(beyond));

	if (got < 0)
		return errno == EINTR;
	if (room > 0)
		*length += (size_t)got;
	return got > 0;
}

/* Until the child closes its output. A signal is handed on and raised again: it stays pending here
 * until the caller has cleaned up. */
static void
follow(struct child *child, pid_t pid, int output, int signals)
{
	struct pollfd waits[] = {
		{.fd = output, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct signalfd_siginfo info;
	size_t length = 0;

	for (;;) {
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			break;
		if (waits[1].revents & POLLIN &&
			read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			child->interrupted = true;
			kill(pid, SIGTERM);
			raise((int)info.ssi_signo);
			waits[1].fd = -1;
		}
		if (waits[0].revents && !read_output(child, output, &length))
			break;
	}
	child->output[length] = '\0';
}

static int
wait_for(pid_t pid, const char *program)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 127 ? 1 : WEXITSTATUS(status);
	fprintf(stderr, "camspan: %s died of signal %d (%s)\n", program, WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	return 1;
}

int
child_run(struct child *child, char **arguments)
{
	pid_t parent = getpid(), pid;
	int pipe_ends[2], signals;
	sigset_t set;

	fill_set(&set);
	child->output = calloc(1, CHILD_OUTPUT_MAX + 1);
	if (child->output == NULL || pipe2(pipe_ends, O_CLOEXEC) != 0) {
		fprintf(stderr, "camspan: %s cannot be run: %s\n", arguments[0], strerror(errno));
		return 1;
	}
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pid = fork();
	if (pid == 0)
		become(child, arguments, pipe_ends[1], parent);
	close(pipe_ends[1]);
	if (pid > 0)
		follow(child, pid, pipe_ends[0], signals);
	else
		fprintf(stderr, "camspan: %s cannot be run: %s\n", arguments[0], strerror(errno));
	close(pipe_ends[0]);
	close(signals);
	return pid > 0 ? wait_for(pid, arguments[0]) : 1;
}
