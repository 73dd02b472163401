/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic traffic on the same lcore: both sides of a comparison get the same packets from the
 * same pool. */
#ifndef CAMSPAN_BENCH_GENERATOR_H
#define CAMSPAN_BENCH_GENERATOR_H

#include <stdint.h>

#define GENERATOR_BURST 32

struct rte_mbuf;
struct rte_mempool;

/* 64 B frames of UDP flows that are numbered: 32 bits of source address and port. */
struct generator {
	struct rte_mempool *pool;
	uint32_t flow_mask; /* flows - 1; flows is a power of two */
	uint64_t random;
	uint32_t serial; /* number of the next packet */
};

void generator_init(struct generator *generator, struct rte_mempool *pool, uint32_t flows);
/* One burst of frames of random flows; the caller frees them. Aborts when the pool is empty: the
 * benchmark would measure nothing. */
void generator_burst(struct generator *generator, struct rte_mbuf *mbufs[GENERATOR_BURST]);
/* The same for flows first..first+31, to make each flow known once. */
void generator_burst_from(
	struct generator *generator, uint32_t first, struct rte_mbuf *mbufs[GENERATOR_BURST]);
/* `begins` new flows, numbered from `next` on, and the rest random ones of the `active` flows
 * before them. */
void generator_burst_churn(struct generator *generator, uint32_t next, unsigned begins,
	uint32_t active, struct rte_mbuf *mbufs[GENERATOR_BURST]);

/* One frame of a flow, of any length from 60 up, into at least 64 bytes; what is behind them stays.
 */
void generator_write(uint32_t flow, uint8_t *frame, uint16_t length);

/* RTP streams of H.264 (RFC 6184, FU-A), one frame of Ethernet each time; streams take turns, so
 * that no two packets of a burst are of one stream. */
struct video_stream {
	uint32_t address; /* of the camera, network order */
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	uint16_t port;
	uint8_t position; /* packet within the picture */
	uint8_t picture;  /* within the group of pictures */
};

struct video_settings {
	uint32_t streams;
	uint16_t frame_length;       /* of Ethernet, without FCS */
	uint8_t packets_per_picture; /* at least 2 */
	uint8_t pictures_per_group;
	uint16_t pictures_per_second;
};

struct video {
	struct rte_mempool *pool;
	struct video_settings settings;
	struct video_stream *streams;
	uint32_t next;
};

/* Returns 0 or -ENOMEM. */
int video_init(
	struct video *video, struct rte_mempool *pool, const struct video_settings *settings);
void video_free(struct video *video);
void video_burst(struct video *video, struct rte_mbuf *mbufs[GENERATOR_BURST]);
/* Writes the next packet of a stream into `frame`, which holds at least 64 bytes; its payload
 * beyond them is whatever was there. */
void video_write(struct video *video, struct video_stream *stream, uint8_t *frame);
/* Packets a second of all streams. */
double video_rate(const struct video_settings *settings);

#endif
