/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files into a pipeline, in bursts of one link type, on the caller's thread. Free of DPDK.
 */
#ifndef CAMSPAN_FEED_H
#define CAMSPAN_FEED_H

#include "dataplane/capture.h"
#include "dataplane/pipeline.h"

#include <stdatomic.h>

struct feed;

/* `done` runs after each burst, when the pipeline's output may be taken. The pipeline is borrowed.
 * Returns NULL when memory is short. */
struct feed *feed_create(struct pipeline *pipeline, void (*done)(void *context), void *context);
void feed_free(struct feed *feed);

/* Everything of a file up to its end, to *stop, or to what cannot be read. Returns 0, or -EIO with
 * one line in `error` (at least CAPTURE_ERROR_SIZE); what came before it has been fed. */
int feed_file(struct feed *feed, const char *path, const atomic_bool *stop, char *error);

/* Packets that were lost before they came into the files fed so far, as these say. */
uint64_t feed_lost(const struct feed *feed);

#endif
