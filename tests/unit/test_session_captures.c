/* SPDX-License-Identifier: Apache-2.0 */
/* Real sessions: the figures are those of an independent analyser. */
#include "classifiers/table.h"
#include "tests/unit/session_feed.h"
#include "tests/unit/session_record.h"
#include "tests/unit/unit.h"

#include <math.h>

static struct session_record record;

static bool
play(const char *name)
{
	struct report_sink sink = record_sink(&record);
	const char *path = session_capture_path(name);
	struct session_feed *feed;

	if (path == NULL)
		return false;
	feed = session_feed_create(classifier_table, classifier_count, &sink);
	CU_ASSERT_TRUE(session_feed_file(feed, path) > 0);
	session_feed_free(feed);
	return true;
}

static double
rate(const struct stream_sample *sample)
{
	return (double)(sample->frames - 1) * 1e9 /
	       (double)(sample->last_frame - sample->first_frame);
}

static void
test_camera_session(void)
{
	const struct stream_sample *last;

	if (!play("ldobbelsteen__2ic80/rtsp.pcapng"))
		return;
	CU_ASSERT_TRUE(recorded_is(
		&record, "192.168.1.108", ATTRIBUTE_RTSP_REALM, "Login to 4H01D66PAJ2FA64"));
	CU_ASSERT_TRUE(
		recorded_is(&record, "192.168.1.108", ATTRIBUTE_RTSP_SERVER, "Rtsp Server/3.0"));
	CU_ASSERT_PTR_NULL(recorded(&record, "192.168.1.3", ATTRIBUTE_RTSP_SERVER));
	CU_ASSERT_EQUAL_FATAL(record.media_count, 1);
	CU_ASSERT_EQUAL(record.media[0].ssrc, 0x4dd55626);
	CU_ASSERT_EQUAL(record.media[0].width, 1920);
	CU_ASSERT_FATAL(record.sample_count > 0);
	last = &record.samples[record.sample_count - 1];
	CU_ASSERT_EQUAL(last->packets, 1569);
	CU_ASSERT_EQUAL(last->expected, 1569);
	CU_ASSERT_TRUE(fabs(rate(last) - 25) < 0.5);
}

static void
test_rtp_without_signalling(void)
{
	const struct stream_sample *last;

	if (!play("vzvca__rtp-pcap-replay/demo/h264.pcap"))
		return;
	CU_ASSERT_FATAL(record.sample_count > 0);
	last = &record.samples[record.sample_count - 1];
	CU_ASSERT_EQUAL(last->codec, CODEC_H264);
	CU_ASSERT_EQUAL(last->packets, 3896);
	CU_ASSERT_EQUAL(last->expected, 3897);
	CU_ASSERT_EQUAL(last->width, 640);
}

static void
test_interleaved_session(void)
{
	const struct stream_sample *last;

	if (!play("Artemish__e99_k3_controller/packet_captures/app_to_laptop.pcapng"))
		return;
	CU_ASSERT_FATAL(record.sample_count > 0);
	last = &record.samples[record.sample_count - 1];
	CU_ASSERT_EQUAL(last->codec, CODEC_MPEG4);
	CU_ASSERT_EQUAL(last->expected, last->packets);
	CU_ASSERT_TRUE(fabs(rate(last) - 30) < 0.5);
}

static void
test_device_of_a_control_protocol(void)
{
	if (!play("thirtythreeforty__neolink/crates/core/src/bc/samples/"
		  "EncryptionProtocol02_login.pcapng"))
		return;
	CU_ASSERT_TRUE(recorded_is(&record, "192.168.1.101", ATTRIBUTE_PROTOCOL, "baichuan"));
	CU_ASSERT_PTR_NULL(recorded(&record, "192.168.1.15", ATTRIBUTE_PROTOCOL));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"camera session", test_camera_session},
		{"rtp without signalling", test_rtp_without_signalling},
		{"interleaved session", test_interleaved_session},
		{"device of a control protocol", test_device_of_a_control_protocol},
		CU_TEST_INFO_NULL,
	};

	return unit_run("session_captures", tests);
}
