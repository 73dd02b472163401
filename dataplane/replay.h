/* SPDX-License-Identifier: Apache-2.0 */
/* Captures through one pipeline on this thread: packet time, no losses, the same result every time.
 */
#ifndef CAMSPAN_REPLAY_H
#define CAMSPAN_REPLAY_H

#include "dataplane/house.h"

#include <stdatomic.h>

/* Replays the files in order and prints the packet balance to `out`. Needs EAL. Returns 0, or 1
 * when something could not be read (each file's cause is logged; the others are still replayed) or
 * the pipeline could not be made. *stop ends it early, as if the captures ended there. */
int replay_run(const struct house *house, const char *const *captures, size_t count,
	const atomic_bool *stop, FILE *out);

#endif
