/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/generator.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VIDEO_CLOCK 90000
#define RECORDERS   16 /* each receives its share of the streams */

enum {
	AT_TOTAL_LENGTH = 16,
	AT_SOURCE = 26,
	AT_DESTINATION = 30,
	AT_SOURCE_PORT = 34,
	AT_UDP_LENGTH = 38,
	AT_RTP = 42,
	AT_FU = 54,
};

/* Ethernet, IPv4, UDP to port 15000, RTP of payload type 96, FU indicator (type 28, of NRI 3). */
static const uint8_t frame_template[64] = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,
	0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 255, 0, 1, 0, 0, 0x3a, 0x98, 0, 0,
	0, 0, 0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7c, 0, 0x5a, 0xc3};

int
video_init(struct video *video, struct rte_mempool *pool, const struct video_settings *settings)
{
	*video = (struct video){
		.pool = pool,
		.settings = *settings,
		.streams = calloc(settings->streams, sizeof(struct video_stream)),
	};
	if (video->streams == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < settings->streams; i++)
		video->streams[i] = (struct video_stream){
			.address = rte_cpu_to_be_32(0x0a400000 + i),
			.ssrc = (i + 1) * 2654435761u,
			.timestamp = i * 12345u,
			.sequence = (uint16_t)(i * 257u),
			.port = (uint16_t)(20000 + i % 20000 * 2),
			/* Cameras do not send their key pictures together. */
			.picture = (uint8_t)(i % settings->pictures_per_group),
		};
	return 0;
}

void
video_free(struct video *video)
{
	free(video->streams);
	video->streams = NULL;
}

double
video_rate(const struct video_settings *settings)
{
	return (double)settings->streams * settings->pictures_per_second *
	       settings->packets_per_picture;
}

static inline void
put16(uint8_t *at, uint16_t value)
{
	value = rte_cpu_to_be_16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void
put32(uint8_t *at, uint32_t value)
{
	value = rte_cpu_to_be_32(value);
	memcpy(at, &value, sizeof(value));
}

/* Fragmentation unit header: first and last fragment, and the type of the picture: 5 is IDR. */
static inline uint8_t
fragment_header(const struct video *video, const struct video_stream *stream)
{
	uint8_t type = stream->picture == 0 ? 5 : 1;

	if (stream->position == 0)
		return 0x80 | type;
	return stream->position == video->settings.packets_per_picture - 1 ? 0x40 | type : type;
}

static inline void
advance(const struct video *video, struct video_stream *stream)
{
	stream->sequence++;
	if (++stream->position < video->settings.packets_per_picture)
		return;
	stream->position = 0;
	stream->timestamp += VIDEO_CLOCK / video->settings.pictures_per_second;
	if (++stream->picture == video->settings.pictures_per_group)
		stream->picture = 0;
}

void
video_write(struct video *video, struct video_stream *stream, uint8_t *frame)
{
	uint16_t length = video->settings.frame_length;
	bool last = stream->position == video->settings.packets_per_picture - 1;

	memcpy(frame, frame_template, sizeof(frame_template));
	put16(frame + AT_TOTAL_LENGTH, length - 14);
	memcpy(frame + AT_SOURCE, &stream->address, sizeof(stream->address));
	frame[AT_DESTINATION + 3] = (uint8_t)(1 + stream->port / 2 % RECORDERS);
	put16(frame + AT_SOURCE_PORT, stream->port);
	put16(frame + AT_UDP_LENGTH, length - 34);
	frame[AT_RTP + 1] = (uint8_t)(last ? 0x80 | 96 : 96);
	put16(frame + AT_RTP + 2, stream->sequence);
	put32(frame + AT_RTP + 4, stream->timestamp);
	put32(frame + AT_RTP + 8, stream->ssrc);
	frame[AT_FU + 1] = fragment_header(video, stream);
	advance(video, stream);
}

void
video_burst(struct video *video, struct rte_mbuf *mbufs[GENERATOR_BURST])
{
	if (rte_pktmbuf_alloc_bulk(video->pool, mbufs, GENERATOR_BURST) != 0)
		abort();
	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		video_write(
			video, &video->streams[video->next], rte_pktmbuf_mtod(mbufs[i], uint8_t *));
		mbufs[i]->data_len = video->settings.frame_length;
		mbufs[i]->pkt_len = video->settings.frame_length;
		if (++video->next == video->settings.streams)
			video->next = 0;
	}
}
