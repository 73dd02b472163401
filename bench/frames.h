/* SPDX-License-Identifier: Apache-2.0 */
/* A frame of each encapsulation that span ports deliver, all around the same datagram: UDP from
 * 10.1.0.1:554 to 10.2.0.2:40000. */
#ifndef CAMSPAN_BENCH_FRAMES_H
#define CAMSPAN_BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_frame {
	const char *name;
	const void *bytes;
	uint32_t length;
	bool plain; /* taken by plain_decode() */
};

extern const struct bench_frame bench_frames[];
extern const size_t bench_frame_count;

#endif
