/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/streams/stream_table.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND)

struct heard {
	unsigned reports, ended;
	struct stream_record last;
};

static void
hear(void *context, const struct stream_record *record)
{
	struct heard *heard = context;

	heard->reports++;
	heard->ended += record->ended;
	heard->last = *record;
}

static struct ip_address
ip(const char *text)
{
	struct ip_address parsed;

	CU_ASSERT_EQUAL_FATAL(ip_parse(text, &parsed), 0);
	return parsed;
}

static struct stream_table *
table_of(uint32_t max, struct heard *heard)
{
	struct config_streams config = {.max = max, .report_interval_s = 60, .idle_timeout_s = 30};
	struct stream_table *table;

	memset(heard, 0, sizeof(*heard));
	table = stream_table_create(&config, hear, heard);
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	return table;
}

/* Camera 10.0.0.1 to viewer 10.0.0.9: 10 s of 25 frames/s, 1 Mbit/s, 3 of 1000 packets lost. */
static struct stream_sample
udp_sample(void)
{
	return (struct stream_sample){
		.first = START,
		.last = START + 10 * SECOND,
		.source = {ip("10.0.0.1"), 6970},
		.destination = {ip("10.0.0.9"), 5000},
		.ssrc = 7,
		.clock_rate = 90000,
		.packets = 997,
		.wire_bytes = 1250000,
		.bytes = 1200000,
		.expected = 1000,
		.frames = 251,
		.first_frame = START,
		.last_frame = START + 10 * SECOND,
		.media_ticks = 900000,
		.payload_type = 96,
		.transport = STREAM_RTP_UDP,
	};
}

static struct stream_media
udp_media(void)
{
	return (struct stream_media){
		.time = START - SECOND,
		.server = {ip("10.0.0.1"), 554},
		.client = {ip("10.0.0.9"), 40000},
		.server_mac = {{2, 0, 0, 0, 0, 1}},
		.server_rtp_port = 6970,
		.client_rtp_port = 5000,
		.transport = STREAM_RTP_UDP,
		.codec = CODEC_H265,
		.payload_type = 96,
		.clock_rate = 90000,
		.width = 1920,
		.height = 1080,
		.path = "/stream1",
	};
}

static struct stream_sample
interleaved_sample(void)
{
	struct stream_sample sample = udp_sample();

	sample.source.port = 554;
	sample.destination.port = 40000;
	sample.channel = 2;
	sample.transport = STREAM_RTP_TCP_INTERLEAVED;
	return sample;
}

static struct stream_media
interleaved_media(void)
{
	struct stream_media media = udp_media();

	media.server_rtp_port = media.client_rtp_port = 0;
	media.channel = 2;
	media.transport = STREAM_RTP_TCP_INTERLEAVED;
	return media;
}

enum order { MEDIA_FIRST, SAMPLE_FIRST, SAMPLE_ONLY };

enum change {
	AS_IS,
	NO_SERVER_PORT,
	OTHER_SERVER_PORT,
	OTHER_CLIENT_PORT,
	OTHER_CHANNEL,
	OTHER_TENANT,
	STALE_MEDIA,
	MULTICAST,
	AUDIO_ANNOUNCED,
	METADATA_ANNOUNCED,
	STATIC_AUDIO,
	RECOGNISED,
	STATIC_JPEG,
};

static void
apply(enum change change, struct stream_media *media, struct stream_sample *sample)
{
	switch (change) {
	case AS_IS:
		break;
	case NO_SERVER_PORT:
		media->server_rtp_port = 0;
		break;
	case OTHER_SERVER_PORT:
		media->server_rtp_port = 7000;
		break;
	case OTHER_CLIENT_PORT:
		media->client_rtp_port = 5002;
		break;
	case OTHER_CHANNEL:
		media->channel = 0;
		break;
	case OTHER_TENANT:
		media->tenant = 1;
		break;
	case STALE_MEDIA:
		media->time = START - 3600 * SECOND;
		break;
	case MULTICAST:
		media->destination = sample->destination.ip = ip("239.1.1.1");
		media->transport = sample->transport = STREAM_RTP_MULTICAST;
		break;
	case AUDIO_ANNOUNCED:
		media->codec = CODEC_AUDIO;
		break;
	case METADATA_ANNOUNCED:
		media->codec = CODEC_METADATA;
		break;
	case STATIC_AUDIO:
		sample->payload_type = 8;
		break;
	case RECOGNISED:
		sample->codec = CODEC_H264;
		sample->width = 640;
		sample->height = 360;
		break;
	case STATIC_JPEG:
		sample->payload_type = 26;
		break;
	}
}

static void
test_joins(void)
{
	static const struct {
		const char *name;
		bool interleaved;
		enum order order;
		enum change change;
		bool reported;
		enum video_codec codec;
		uint16_t width;
		const char *path;
	} cases[] = {
		{"udp", false, MEDIA_FIRST, AS_IS, true, CODEC_H265, 1920, "/stream1"},
		{"sample first", false, SAMPLE_FIRST, AS_IS, true, CODEC_H265, 1920, "/stream1"},
		{"no server port", false, MEDIA_FIRST, NO_SERVER_PORT, true, CODEC_H265, 1920,
			"/stream1"},
		{"another server port", false, MEDIA_FIRST, OTHER_SERVER_PORT, true, CODEC_H265,
			1920, "/stream1"},
		{"another client port", false, MEDIA_FIRST, OTHER_CLIENT_PORT, false},
		{"another tenant", false, MEDIA_FIRST, OTHER_TENANT, false},
		{"an old session", false, MEDIA_FIRST, STALE_MEDIA, false},
		{"multicast", false, MEDIA_FIRST, MULTICAST, true, CODEC_H265, 1920, "/stream1"},
		{"interleaved", true, MEDIA_FIRST, AS_IS, true, CODEC_H265, 1920, "/stream1"},
		{"interleaved, sample first", true, SAMPLE_FIRST, AS_IS, true, CODEC_H265, 1920,
			"/stream1"},
		{"another channel", true, MEDIA_FIRST, OTHER_CHANNEL, false},
		{"audio", false, MEDIA_FIRST, AUDIO_ANNOUNCED, false},
		{"metadata", true, MEDIA_FIRST, METADATA_ANNOUNCED, false},
		{"static audio type", false, SAMPLE_ONLY, STATIC_AUDIO, false},
		{"unknown and unannounced", false, SAMPLE_ONLY, AS_IS, false},
		{"recognised", false, SAMPLE_ONLY, RECOGNISED, true, CODEC_H264, 640, ""},
		{"jpeg by its type", false, SAMPLE_ONLY, STATIC_JPEG, true, CODEC_MJPEG, 0, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool tcp = cases[i].interleaved;
		struct stream_media media = tcp ? interleaved_media() : udp_media();
		struct stream_sample sample = tcp ? interleaved_sample() : udp_sample();
		struct heard heard;
		struct stream_table *table = table_of(8, &heard);

		apply(cases[i].change, &media, &sample);
		if (cases[i].order == MEDIA_FIRST)
			stream_table_media(table, &media);
		stream_table_sample(table, &sample);
		if (cases[i].order == SAMPLE_FIRST)
			stream_table_media(table, &media);
		stream_table_tick(table, sample.last, true);
		if ((heard.ended == 1) != cases[i].reported)
			fprintf(stderr, "%s: %u reports\n", cases[i].name, heard.reports);
		CU_ASSERT_EQUAL(heard.ended, cases[i].reported);
		if (cases[i].reported) {
			CU_ASSERT_EQUAL(heard.last.codec, cases[i].codec);
			CU_ASSERT_EQUAL(heard.last.width, cases[i].width);
			CU_ASSERT_STRING_EQUAL(heard.last.path, cases[i].path);
		}
		stream_table_free(table);
	}
}

static void
test_figures(void)
{
	struct stream_media media = udp_media();
	struct stream_sample sample = udp_sample();
	struct heard heard;
	struct stream_table *table = table_of(8, &heard);
	char first_id[STREAM_ID_SIZE];

	stream_table_media(table, &media);
	stream_table_sample(table, &sample);
	CU_ASSERT_EQUAL(heard.reports, 1);
	CU_ASSERT_DOUBLE_EQUAL(heard.last.fps, 25, 0.01);
	CU_ASSERT_EQUAL(heard.last.bitrate, 1000000);
	CU_ASSERT_EQUAL(heard.last.lost, 3);
	CU_ASSERT_TRUE(mac_equal(&heard.last.camera_mac, &media.server_mac));
	memcpy(first_id, heard.last.id, sizeof(first_id));
	/* Broken media time: the frame rate comes from arrivals. More received than expected:
	 * nothing lost. */
	sample.media_ticks = 3;
	sample.packets = 1001;
	sample.ended = true;
	stream_table_sample(table, &sample);
	CU_ASSERT_EQUAL(heard.ended, 1);
	CU_ASSERT_DOUBLE_EQUAL(heard.last.fps, 25, 0.01);
	CU_ASSERT_EQUAL(heard.last.lost, 0);
	CU_ASSERT_STRING_EQUAL(heard.last.id, first_id);
	CU_ASSERT_EQUAL(strlen(first_id), 16);
	stream_table_free(table);
}

/* Reports when new and once an interval; a restarted meter goes on; silence ends a stream. */
static void
test_life(void)
{
	struct stream_media media = udp_media();
	struct stream_sample sample = udp_sample();
	struct heard heard;
	struct stream_table *table = table_of(8, &heard);

	stream_table_media(table, &media);
	sample.last = START + SECOND / 2;
	sample.packets = 5;
	stream_table_sample(table, &sample);
	CU_ASSERT_EQUAL(heard.reports, 0);
	for (int second = 5; second <= 125; second += 5) {
		sample.last = START + second * SECOND;
		sample.packets = sample.expected = (uint64_t)second * 100;
		stream_table_sample(table, &sample);
	}
	CU_ASSERT_EQUAL(heard.reports, 3); /* at 5, 65 and 125 s */
	sample.first = sample.last + SECOND;
	sample.last = sample.first + SECOND;
	sample.packets = sample.expected = 50;
	stream_table_sample(table, &sample);
	stream_table_tick(table, sample.last + 29 * SECOND, false);
	CU_ASSERT_EQUAL(heard.ended, 0);
	stream_table_tick(table, sample.last + 31 * SECOND, false);
	CU_ASSERT_EQUAL(heard.ended, 1);
	CU_ASSERT_EQUAL(heard.last.packets, 12550);
	CU_ASSERT_EQUAL(heard.last.first, START);
	CU_ASSERT_EQUAL(heard.last.lost, 0);
	stream_table_tick(table, INT64_MAX / 2, true);
	CU_ASSERT_EQUAL(heard.ended, 1);
	stream_table_free(table);
}

static uint64_t
figure(const struct stream_table *table, const char *name)
{
	static struct health_record health;

	health.figure_count = 0;
	stream_table_health(table, &health);
	for (size_t i = 0; i < health.figure_count; i++)
		if (strcmp(health.figures[i].name, name) == 0)
			return health.figures[i].value;
	CU_FAIL("no such figure");
	return 0;
}

static void
test_bounds(void)
{
	struct stream_media media = udp_media();
	struct stream_sample sample = udp_sample();
	struct heard heard;
	struct stream_table *table = table_of(4, &heard);

	sample.codec = CODEC_H264;
	for (uint16_t i = 0; i < 100; i++) {
		sample.ssrc = i;
		media.client_rtp_port = (uint16_t)(6000 + i);
		stream_table_sample(table, &sample);
		stream_table_media(table, &media);
	}
	CU_ASSERT_EQUAL(figure(table, "streams.measured"), 4);
	CU_ASSERT_EQUAL(figure(table, "streams.evicted"), 96);
	CU_ASSERT_EQUAL(figure(table, "streams.announced"), 8);
	CU_ASSERT_EQUAL(figure(table, "streams.media_evicted"), 192);
	CU_ASSERT_EQUAL(heard.ended, 96);
	stream_table_tick(table, sample.last, true);
	CU_ASSERT_EQUAL(heard.ended, 100);
	CU_ASSERT_EQUAL(figure(table, "streams.measured"), 0);
	stream_table_free(table);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"joins", test_joins},
		{"figures", test_figures},
		{"life", test_life},
		{"bounds", test_bounds},
		CU_TEST_INFO_NULL,
	};

	return unit_run("stream_table", tests);
}
