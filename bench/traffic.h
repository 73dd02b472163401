/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic profiles of the capacity bench: mixes of generated frames, or a capture in memory. */
#ifndef CAMSPAN_BENCH_TRAFFIC_H
#define CAMSPAN_BENCH_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_BURST 32

struct rte_mbuf;
struct rte_mempool;
struct traffic;

struct traffic_settings {
	struct rte_mempool *pool;
	uint32_t flows;      /* of 64, imix and churn; a power of two */
	uint32_t cameras;    /* RTP streams of camera */
	uint32_t frame_room; /* bytes that a packet buffer holds */
	uint64_t capture_bytes_max;
	unsigned seed; /* several generators of one profile differ in hosts */
};

struct traffic_profile {
	const char *name;
	const char *about;
};

extern const struct traffic_profile traffic_profiles[];
extern const size_t traffic_profile_count;

/* A profile by name. NULL: no such profile, or no memory. */
struct traffic *traffic_create(const char *profile, const struct traffic_settings *settings);
/* A capture file, over and over. NULL with one line in `error` (at least CAPTURE_ERROR_SIZE). */
struct traffic *traffic_from_capture(
	const char *path, const struct traffic_settings *settings, char *error);
void traffic_free(struct traffic *traffic);
/* The next TRAFFIC_BURST frames; the caller owns them. Returns 0, or -ENOBUFS: no buffer free. */
int traffic_burst(struct traffic *traffic, struct rte_mbuf *mbufs[TRAFFIC_BURST]);
/* Mean frame length of what was sent so far, with FCS. */
double traffic_frame_length(const struct traffic *traffic);

#endif
