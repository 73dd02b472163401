/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a long file on stderr, only on a terminal: packets, rate, share done, time left. */
#ifndef CAMSPAN_PROGRESS_H
#define CAMSPAN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *path;
	int64_t total; /* bytes of the file, 0 unknown */
	int64_t bytes;
	uint64_t packets;
	int64_t begun; /* monotonic nanoseconds */
	int64_t shown;
	uint64_t check_at; /* packets: the clock is not read for each burst */
	bool active;       /* stderr is a terminal */
};

void progress_begin(struct progress *progress, const char *path);
/* After each burst: how many packets, and their captured bytes. */
void progress_step(struct progress *progress, unsigned packets, uint64_t bytes);
void progress_end(struct progress *progress); /* clears the line */

#endif
