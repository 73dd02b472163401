/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/traffic.h"

#include "bench/conversation.h"
#include "bench/frames.h"
#include "bench/generator.h"
#include "bench/payloads.h"
#include "dataplane/capture.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS          256 /* of a mix; their order repeats */
#define FCS            4
#define CHURN_SHARE    8 /* one packet in so many begins a flow */
#define OFFICE_HOSTS   4096
#define OFFICE_OPEN    2048
#define SIGNAL_OPEN    256
#define SHORTEST_FRAME 60

enum component {
	PLAIN_64,
	IMIX_64,
	IMIX_594,
	IMIX_1518,
	VIDEO,
	SIGNALLING,
	OFFICE,
	CHURN,
	HOSTILE
};

struct share {
	enum component component;
	unsigned weight;
};

/* Simple IMIX is 7:4:1. The camera estate is counted by packets: video, office, signalling. */
static const struct {
	const char *name;
	struct share shares[4];
} mixes[] = {
	{"64", {{PLAIN_64, 1}}},
	{"imix", {{IMIX_64, 7}, {IMIX_594, 4}, {IMIX_1518, 1}}},
	{"camera", {{VIDEO, 80}, {OFFICE, 17}, {SIGNALLING, 3}}},
	{"churn", {{CHURN, 1}}},
	{"hostile", {{HOSTILE, 1}}},
};

const struct traffic_profile traffic_profiles[] = {
	{"64", "UDP frames of 64 B, random flows"},
	{"imix", "frames of 64, 594 and 1,518 B as 7:4:1, random flows"},
	{"camera", "RTP video 80 %, office TLS and HTTP 17 %, discovery, RTSP, DNS, DHCP 3 %"},
	{"churn", "64 B, one packet in eight begins a new flow"},
	{"hostile", "scans, damaged and cut headers, camera protocols with flipped bytes"},
};

const size_t traffic_profile_count = sizeof(traffic_profiles) / sizeof(traffic_profiles[0]);

struct stored_frame {
	uint64_t offset;
	uint32_t length;
};

struct traffic {
	struct traffic_settings settings;
	uint8_t order[SLOTS]; /* of components */
	unsigned slot;
	struct generator generator;
	struct video video;
	uint32_t stream;
	struct conversations signalling, office;
	uint32_t next_flow;
	uint64_t random;
	uint8_t *bytes; /* of a capture */
	struct stored_frame *stored;
	uint64_t stored_count, stored_next;
	uint64_t frames_sent, bytes_sent;
};

static uint32_t
next_random(struct traffic *traffic)
{
	uint64_t x = traffic->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	traffic->random = x;
	return (uint32_t)(x >> 16);
}

/* The shares, spread evenly and then shuffled, so that bursts differ. */
static void
order_slots(struct traffic *traffic, const struct share *shares)
{
	unsigned total = 0, filled = 0;

	for (int i = 0; i < 4; i++)
		total += shares[i].weight;
	for (int i = 0; i < 4; i++)
		for (unsigned n = 0; n < shares[i].weight * SLOTS / total; n++)
			traffic->order[filled++] = (uint8_t)shares[i].component;
	while (filled < SLOTS)
		traffic->order[filled++] = (uint8_t)shares[0].component;
	for (unsigned i = SLOTS - 1; i > 0; i--) {
		unsigned other = next_random(traffic) % (i + 1);
		uint8_t kept = traffic->order[i];

		traffic->order[i] = traffic->order[other];
		traffic->order[other] = kept;
	}
}

static int
prepare(struct traffic *traffic)
{
	struct video_settings video = {
		.streams = traffic->settings.cameras,
		.frame_length = 1196,
		.packets_per_picture = 16,
		.pictures_per_group = 50,
		.pictures_per_second = 25,
	};
	int error = video_init(&traffic->video, traffic->settings.pool, &video);

	generator_init(&traffic->generator, traffic->settings.pool, traffic->settings.flows);
	traffic->generator.random += traffic->settings.seed * 2654435761u;
	if (error == 0)
		error = conversations_signalling(
			&traffic->signalling, traffic->settings.cameras, SIGNAL_OPEN);
	if (error == 0)
		error = conversations_office(&traffic->office, OFFICE_HOSTS, OFFICE_OPEN);
	return error;
}

static struct traffic *
allocate(const struct traffic_settings *settings)
{
	struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic == NULL)
		return NULL;
	traffic->settings = *settings;
	traffic->random = UINT64_C(0x853c49e6748fea9b) + settings->seed;
	traffic->next_flow = settings->flows;
	return traffic;
}

struct traffic *
traffic_create(const char *profile, const struct traffic_settings *settings)
{
	struct traffic *traffic;

	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++) {
		if (strcmp(mixes[i].name, profile) != 0)
			continue;
		traffic = allocate(settings);
		if (traffic == NULL)
			return NULL;
		order_slots(traffic, mixes[i].shares);
		if (prepare(traffic) == 0)
			return traffic;
		traffic_free(traffic);
	}
	return NULL;
}

void
traffic_free(struct traffic *traffic)
{
	if (traffic == NULL)
		return;
	video_free(&traffic->video);
	conversations_free(&traffic->signalling);
	conversations_free(&traffic->office);
	free(traffic->bytes);
	free(traffic->stored);
	free(traffic);
}

static bool
grow(struct traffic *traffic, uint64_t *bytes_room, uint64_t *frames_room, uint64_t bytes)
{
	uint8_t *larger;
	struct stored_frame *more;

	if (bytes > *bytes_room) {
		*bytes_room = *bytes_room ? *bytes_room * 2 : 1 << 22;
		larger = realloc(traffic->bytes, *bytes_room);
		if (larger == NULL)
			return false;
		traffic->bytes = larger;
	}
	if (traffic->stored_count == *frames_room) {
		*frames_room = *frames_room ? *frames_room * 2 : 4096;
		more = realloc(traffic->stored, *frames_room * sizeof(*more));
		if (more == NULL)
			return false;
		traffic->stored = more;
	}
	return true;
}

/* Frames longer than a buffer are cut, as by a snap length. */
static int
store(struct traffic *traffic, struct capture *capture, char *error)
{
	uint64_t bytes_room = 0, frames_room = 0, used = 0;
	struct frame_view packet;
	int got;

	while ((got = capture_burst(capture, &packet, 1)) == 1) {
		uint32_t length = packet.captured < traffic->settings.frame_room
					  ? packet.captured
					  : traffic->settings.frame_room;

		if (packet.link != LINK_ETHERNET || length == 0)
			continue;
		if (used + length > traffic->settings.capture_bytes_max) {
			snprintf(error, CAPTURE_ERROR_SIZE,
				"the capture is larger than %.0f MiB; cut it, or raise --memory",
				(double)traffic->settings.capture_bytes_max / 1048576);
			return -1;
		}
		if (!grow(traffic, &bytes_room, &frames_room, used + length)) {
			snprintf(error, CAPTURE_ERROR_SIZE, "no memory for the capture");
			return -1;
		}
		memcpy(traffic->bytes + used, packet.data, length);
		traffic->stored[traffic->stored_count++] = (struct stored_frame){used, length};
		used += length;
	}
	if (got < 0)
		snprintf(error, CAPTURE_ERROR_SIZE, "%s", capture_error(capture));
	else if (traffic->stored_count == 0)
		snprintf(error, CAPTURE_ERROR_SIZE, "the capture holds no Ethernet frame");
	return got < 0 || traffic->stored_count == 0 ? -1 : 0;
}

struct traffic *
traffic_from_capture(const char *path, const struct traffic_settings *settings, char *error)
{
	struct traffic *traffic = allocate(settings);
	struct capture *capture = traffic ? capture_open(path, error) : NULL;
	int failed = capture ? store(traffic, capture, error) : -1;

	if (capture)
		capture_close(capture);
	if (failed == 0)
		return traffic;
	traffic_free(traffic);
	return NULL;
}

/* Random hosts and one of the frames or messages there are, often damaged. */
static uint16_t
write_hostile(struct traffic *traffic, uint8_t *frame)
{
	uint32_t random = next_random(traffic);
	uint32_t kind = random % (bench_frame_count + payload_count + 2);
	uint16_t length;

	if (kind < bench_frame_count) {
		length = (uint16_t)bench_frames[kind].length;
		memcpy(frame, bench_frames[kind].bytes, length);
	} else {
		length = conversations_write(&traffic->signalling, frame);
	}
	random = next_random(traffic);
	memcpy(frame + 27, &random, 3); /* part of the source address of plain IPv4 */
	random = next_random(traffic);
	if (random & 1)
		frame[12 + (random >> 8) % (length - 12u)] ^= (uint8_t)(random >> 24);
	if ((random & 6) == 0)
		length = (uint16_t)(14 + (random >> 8) % (length - 14u));
	return length;
}

static uint16_t
write_video(struct traffic *traffic, uint8_t *frame)
{
	video_write(&traffic->video, &traffic->video.streams[traffic->stream], frame);
	if (++traffic->stream == traffic->settings.cameras)
		traffic->stream = 0;
	return traffic->video.settings.frame_length;
}

static uint16_t
write_sized(struct traffic *traffic, uint8_t *frame, uint16_t length)
{
	generator_write(next_random(traffic) & traffic->generator.flow_mask, frame, length);
	return length;
}

/* New flows in order; between them packets of the newest ones. */
static uint16_t
write_churn(struct traffic *traffic, uint8_t *frame)
{
	uint32_t random = next_random(traffic);
	uint32_t flow =
		random % CHURN_SHARE == 0
			? traffic->next_flow++
			: traffic->next_flow - 1 - ((random >> 3) & traffic->generator.flow_mask);

	generator_write(flow, frame, SHORTEST_FRAME);
	return SHORTEST_FRAME;
}

static uint16_t
write_component(struct traffic *traffic, enum component component, uint8_t *frame)
{
	switch (component) {
	case IMIX_594:
		return write_sized(traffic, frame, 590);
	case IMIX_1518:
		return write_sized(traffic, frame, 1514);
	case VIDEO:
		return write_video(traffic, frame);
	case SIGNALLING:
		return conversations_write(&traffic->signalling, frame);
	case OFFICE:
		return conversations_write(&traffic->office, frame);
	case CHURN:
		return write_churn(traffic, frame);
	case HOSTILE:
		return write_hostile(traffic, frame);
	default:
		return write_sized(traffic, frame, SHORTEST_FRAME);
	}
}

static uint16_t
write_stored(struct traffic *traffic, uint8_t *frame)
{
	const struct stored_frame *stored = &traffic->stored[traffic->stored_next];

	if (++traffic->stored_next == traffic->stored_count)
		traffic->stored_next = 0;
	memcpy(frame, traffic->bytes + stored->offset, stored->length);
	return (uint16_t)stored->length;
}

int
traffic_burst(struct traffic *traffic, struct rte_mbuf *mbufs[TRAFFIC_BURST])
{
	if (rte_pktmbuf_alloc_bulk(traffic->settings.pool, mbufs, TRAFFIC_BURST) != 0)
		return -ENOBUFS;
	for (unsigned i = 0; i < TRAFFIC_BURST; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], uint8_t *);
		uint16_t length;

		if (traffic->stored)
			length = write_stored(traffic, frame);
		else
			length = write_component(
				traffic, traffic->order[traffic->slot++ % SLOTS], frame);
		mbufs[i]->data_len = length;
		mbufs[i]->pkt_len = length;
		traffic->bytes_sent += length + FCS;
	}
	traffic->frames_sent += TRAFFIC_BURST;
	return 0;
}

double
traffic_frame_length(const struct traffic *traffic)
{
	return traffic->frames_sent ? (double)traffic->bytes_sent / (double)traffic->frames_sent
				    : 0;
}
