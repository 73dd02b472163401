/* SPDX-License-Identifier: Apache-2.0 */
/* A capture in memory, and as a span port would deliver it twice. */
#ifndef CAMSPAN_TESTS_COPIED_TRAFFIC_H
#define CAMSPAN_TESTS_COPIED_TRAFFIC_H

#include "dataplane/decode.h"

struct stored {
	uint8_t *data;
	struct frame_view view;
	enum link_type link;
	bool copy;
};

struct traffic {
	struct stored *packets;
	size_t count;
};

/* The packets of a file, as far as it can be read. */
struct traffic traffic_read(const char *path);
void traffic_free(struct traffic *traffic);
/* Each packet again a millisecond later, as a switch or router sends it on; in order of time. */
struct traffic traffic_copy(const struct decode_options *decode, const struct traffic *traffic);
/* How many packets equal, in all that lasts on the way, one that was kept and is at most `window`
 * nanoseconds away: byte by byte, without fingerprints or tables. */
uint64_t traffic_count_copies(
	const struct decode_options *decode, const struct traffic *traffic, int64_t window);

#endif
