/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHOW_EVERY      INT64_C(500000000)
#define CHECK_EVERY     4096         /* packets */
#define RECORD_OVERHEAD UINT64_C(16) /* bytes of a pcap record header; pcapng's differ little */

static int64_t
monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void
progress_begin(struct progress *progress, const char *path)
{
	struct stat file;

	*progress = (struct progress){.path = path, .active = isatty(STDERR_FILENO)};
	if (!progress->active)
		return;
	if (stat(path, &file) == 0 && S_ISREG(file.st_mode))
		progress->total = file.st_size;
	progress->begun = progress->shown = monotonic();
}

static void
show(const struct progress *progress, int64_t now)
{
	double seconds = (double)(now - progress->begun) / 1e9;
	double share = progress->total ? (double)progress->bytes / (double)progress->total : 0;

	fprintf(stderr, "\r\033[K%s: %" PRIu64 " packets, %.0f/s", progress->path,
		progress->packets, (double)progress->packets / seconds);
	if (share > 0 && share <= 1)
		fprintf(stderr, ", %.0f %%, %.0f s left", share * 100, seconds / share - seconds);
	fflush(stderr);
}

void
progress_step(struct progress *progress, unsigned packets, uint64_t bytes)
{
	int64_t now;

	if (!progress->active)
		return;
	progress->packets += packets;
	progress->bytes += (int64_t)(bytes + packets * RECORD_OVERHEAD);
	if (progress->packets < progress->check_at)
		return;
	progress->check_at = progress->packets + CHECK_EVERY;
	now = monotonic();
	if (now - progress->shown < SHOW_EVERY)
		return;
	progress->shown = now;
	show(progress, now);
}

void
progress_end(struct progress *progress)
{
	if (progress->active && progress->shown != progress->begun)
		fputs("\r\033[K", stderr);
}
