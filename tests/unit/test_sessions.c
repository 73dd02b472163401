/* SPDX-License-Identifier: Apache-2.0 */
/* Given these bytes of a session, these facts and no others. 10.0.0.1 is the client. */
#include "classifiers/protocols/text_message.h"
#include "classifiers/protocols/video_parameters.h"
#include "classifiers/table.h"
#include "tests/unit/session_feed.h"
#include "tests/unit/session_record.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define CLIENT "10.0.0.1"
#define SERVER "10.0.0.2"

static struct session_record record;

static struct session_feed *
start(void)
{
	struct report_sink sink = record_sink(&record);

	return session_feed_create(classifier_table, classifier_count, &sink);
}

/* `cut`: bytes a segment, 0 for all in one. */
static void
say(struct session_feed *feed, bool client, uint16_t port, const char *text, size_t cut)
{
	size_t length = strlen(text);

	for (size_t at = 0; at < length;) {
		size_t step = cut && cut < length - at ? cut : length - at;

		session_feed_bytes(feed, true, client, port, text + at, step, 0, 1000000);
		at += step;
	}
}

static const char describe[] = "DESCRIBE rtsp://admin:s3cret@10.0.0.2:554/cam/realmonitor?channel=1"
			       "&pwd=hunter2 RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: Viewer/1\r\n"
			       "Authorization: Basic YWRtaW46czNjcmV0\r\n\r\n";
static const char description[] =
	"RTSP/1.0 200 OK\r\nCSeq: 2\r\nServer: Rtsp Server/3.0\r\n"
	"Content-Type: application/sdp\r\nContent-Length: 338\r\n\r\n"
	"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Media Server\r\nt=0 0\r\n"
	"a=packetization-supported:DH\r\n"
	"m=video 0 RTP/AVP 96\r\na=control:trackID=0\r\na=framerate:25.000000\r\n"
	"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=420029; "
	"sprop-parameter-sets=Z00AKZpkA8ARPyzUBAQFAAADA+gAAOpgBA==,aO48gA==\r\n"
	"m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n";

static void
play_session(struct session_feed *feed, size_t cut, const char *status)
{
	char reply[1024];

	snprintf(reply, sizeof(reply), "%s", description);
	memcpy(reply + 9, status, 3);
	say(feed, true, 554, describe, cut);
	say(feed, false, 554, reply, cut);
	say(feed, true, 554,
		"SETUP rtsp://10.0.0.2/cam/realmonitor?channel=1/trackID=1 RTSP/1.0\r\nCSeq: 3\r\n"
		"Transport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n"
		"SETUP rtsp://10.0.0.2/cam/realmonitor?channel=1/trackID=0 RTSP/1.0\r\nCSeq: 4\r\n"
		"Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n",
		cut);
	say(feed, false, 554,
		"RTSP/1.0 200 OK\r\nCSeq: 3\r\nTransport: RTP/AVP;unicast;client_port=5000-5001;"
		"server_port=6000-6001;ssrc= d6d6627\r\n\r\n"
		"RTSP/1.0 200 OK\nCSeq: 4\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;"
		"ssrc=30A98EE7\n\n",
		cut);
}

static void
test_rtsp_session(void)
{
	static const size_t cuts[] = {0, 1, 7, 100};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct session_feed *feed = start();

		play_session(feed, cuts[i], "200");
		CU_ASSERT_TRUE(
			recorded_is(&record, SERVER, ATTRIBUTE_RTSP_SERVER, "Rtsp Server/3.0"));
		CU_ASSERT_TRUE(recorded_is(&record, CLIENT, ATTRIBUTE_RTSP_USER_AGENT, "Viewer/1"));
		CU_ASSERT_TRUE(recorded_is(
			&record, SERVER, ATTRIBUTE_RTSP_PATH, "/cam/realmonitor?channel&pwd"));
		CU_ASSERT_TRUE(recorded_is(
			&record, SERVER, ATTRIBUTE_SDP_ATTRIBUTE, "packetization-supported:DH"));
		CU_ASSERT_PTR_NULL(recorded(&record, CLIENT, ATTRIBUTE_RTSP_SERVER));
		CU_ASSERT_EQUAL_FATAL(record.media_count, 2);
		CU_ASSERT_EQUAL(record.media[0].codec, CODEC_AUDIO);
		CU_ASSERT_EQUAL(record.media[0].ssrc, 0x0d6d6627);
		CU_ASSERT_EQUAL(record.media[0].server_rtp_port, 6000);
		CU_ASSERT_EQUAL(record.media[1].codec, CODEC_H264);
		CU_ASSERT_EQUAL(record.media[1].width, 1920);
		CU_ASSERT_EQUAL(record.media[1].height, 1080);
		CU_ASSERT_EQUAL(record.media[1].transport, STREAM_RTP_TCP_INTERLEAVED);
		session_feed_free(feed);
		CU_ASSERT_FALSE(recorded_anywhere(&record, "s3cret"));
		CU_ASSERT_FALSE(recorded_anywhere(&record, "hunter2"));
		CU_ASSERT_FALSE(recorded_anywhere(&record, "YWRtaW4"));
	}
}

static void
test_failed_describe_gives_no_path(void)
{
	struct session_feed *feed = start();

	play_session(feed, 0, "404");
	CU_ASSERT_PTR_NULL(recorded(&record, SERVER, ATTRIBUTE_SDP_SESSION));
	session_feed_free(feed);
}

/* An H.264 FU-A packet of 100 bytes in an interleaved frame, or bare. */
static size_t
rtp_frame(uint8_t *out, uint16_t sequence, uint32_t timestamp, bool interleaved)
{
	uint8_t *rtp = out;

	memset(out, 0x5a, 128);
	if (interleaved) {
		memcpy(out, "$\0\0\x64", 4);
		rtp += 4;
	}
	memcpy(rtp, "\x80\x60", 2);
	rtp[2] = (uint8_t)(sequence >> 8);
	rtp[3] = (uint8_t)sequence;
	for (int i = 0; i < 4; i++)
		rtp[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
	memcpy(rtp + 8, "\x30\xa9\x8e\xe7\x41\x9a", 6);
	return interleaved ? 104 : 100;
}

static void
test_interleaved_frames_survive_a_gap(void)
{
	struct session_feed *feed = start();
	uint8_t frame[256];
	struct stream_sample *last;

	play_session(feed, 0, "200");
	for (uint16_t i = 0; i < 100; i++) {
		size_t length = rtp_frame(frame, i, i * 3600u, true);

		/* Packet 50 is missing, and half of packet 51. */
		if (i == 50)
			continue;
		if (i == 51)
			session_feed_bytes(feed, true, false, 554, frame + 60, length - 60,
				(uint32_t)length + 60, 1000000 + i * 40000000ll);
		else
			session_feed_bytes(
				feed, true, false, 554, frame, length, 0, 1000000 + i * 40000000ll);
	}
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_VIDEO_SOURCE, "h264"));
	CU_ASSERT_TRUE(recorded_is(&record, CLIENT, ATTRIBUTE_VIDEO_VIEWER, "h264"));
	session_feed_free(feed);
	CU_ASSERT_FATAL(record.sample_count > 0);
	last = &record.samples[record.sample_count - 1];
	CU_ASSERT_TRUE(last->ended);
	CU_ASSERT_EQUAL(last->packets, 98);
	CU_ASSERT_EQUAL(last->expected, 100);
	CU_ASSERT_EQUAL(last->frames, 98);
	CU_ASSERT_EQUAL(last->width, 1920);
	CU_ASSERT_EQUAL(last->ssrc, 0x30a98ee7);
}

static void
test_rtp_without_signalling(void)
{
	struct session_feed *feed = start();
	uint8_t packet[256];
	struct stream_sample *last;

	for (uint32_t i = 0; i < 300; i++) {
		size_t length = rtp_frame(packet, (uint16_t)(65500 + i), i / 2 * 3600, false);

		if (i == 100)
			continue;
		session_feed_bytes(feed, false, false, 6000, packet, length, 0, i * 20000000ll);
		if (i == 40) /* as a span port doubles it */
			session_feed_bytes(
				feed, false, false, 6000, packet, length, 0, i * 20000000ll);
	}
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_VIDEO_SOURCE, "h264"));
	session_feed_free(feed);
	CU_ASSERT_FATAL(record.sample_count >= 2);
	last = &record.samples[record.sample_count - 1];
	CU_ASSERT_EQUAL(last->packets, 299);
	CU_ASSERT_EQUAL(last->expected, 300);
	CU_ASSERT_EQUAL(last->duplicates, 1);
	CU_ASSERT_EQUAL(last->frames, 150);
	CU_ASSERT_EQUAL(last->codec, CODEC_H264);
	CU_ASSERT_EQUAL(last->media_ticks, 149 * 3600);
}

static void
test_noise_is_no_rtp(void)
{
	uint8_t packet[200];

	srandom(1);
	for (int kind = 0; kind < 4; kind++) {
		struct session_feed *feed = start();

		for (int i = 0; i < 2000; i++) {
			for (size_t b = 0; b < sizeof(packet); b++)
				packet[b] = (uint8_t)random();
			if (kind >= 1) /* version and type of RTP */
				memcpy(packet, "\x80\x60", 2);
			if (kind >= 2) /* and its SSRC */
				memset(packet + 8, 7, 4);
			if (kind >= 3) { /* and its sequence, but no timestamps */
				packet[2] = (uint8_t)(i >> 8);
				packet[3] = (uint8_t)i;
			}
			session_feed_bytes(feed, false, i & 1 && kind == 0, 6000, packet,
				sizeof(packet), 0, i * 1000000ll);
		}
		session_feed_free(feed);
		CU_ASSERT_EQUAL(record.sample_count, 0);
		CU_ASSERT_EQUAL(record.evidence_count, 0);
	}
}

static void
test_http_exchange(void)
{
	static const size_t cuts[] = {0, 5, 13};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct session_feed *feed = start();

		say(feed, true, 80,
			"GET /doc/page/login.asp?user=admin&pwd=hunter2 HTTP/1.1\r\n"
			"Host: cam.example.com:80\r\nUser-Agent: Mozilla/5.0\r\n"
			"Cookie: session=s3cret\r\n\r\nGET /none HTTP/1.1\r\nHost: "
			"10.0.0.2\r\n\r\n",
			cuts[i]);
		say(feed, false, 80,
			"HTTP/1.1 200 OK\r\nServer: App-webs/\r\nContent-Type: text/html\r\n"
			"Transfer-Encoding: chunked\r\n\r\n29\r\n"
			"<html><title>Tom &amp; Cam</title></html>\r\n\r\n0\r\n\r\n"
			"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc"
			"HTTP/1.1 401 Unauthorized\r\n"
			"WWW-Authenticate: Digest realm=\"IP Camera(12345)\", nonce=\"x\"\r\n"
			"Content-Length: 0\r\n\r\n",
			cuts[i]);
		CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_HTTP_SERVER, "App-webs/"));
		CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_HTTP_TITLE, "Tom & Cam"));
		CU_ASSERT_TRUE(
			recorded_is(&record, SERVER, ATTRIBUTE_HTTP_HOST, "cam.example.com"));
		CU_ASSERT_TRUE(recorded_is(
			&record, SERVER, ATTRIBUTE_HTTP_PATH, "/doc/page/login.asp?user&pwd"));
		CU_ASSERT_TRUE(
			recorded_is(&record, SERVER, ATTRIBUTE_HTTP_REALM, "IP Camera(12345)"));
		CU_ASSERT_TRUE(
			recorded_is(&record, CLIENT, ATTRIBUTE_HTTP_USER_AGENT, "Mozilla/5.0"));
		CU_ASSERT_FALSE(recorded_anywhere(&record, "/none"));
		CU_ASSERT_FALSE(recorded_anywhere(&record, "hunter2"));
		CU_ASSERT_FALSE(recorded_anywhere(&record, "s3cret"));
		session_feed_free(feed);
	}
}

static void
test_proxy_is_not_the_server(void)
{
	struct session_feed *feed = start();

	say(feed, true, 8080, "GET http://cam.example.com/ISAPI/System HTTP/1.1\r\n\r\n", 0);
	say(feed, false, 8080, "HTTP/1.1 200 OK\r\nServer: App-webs/\r\nContent-Length: 0\r\n\r\n",
		0);
	CU_ASSERT_EQUAL(record.evidence_count, 0);
	session_feed_free(feed);
}

static void
test_onvif_and_upnp_documents(void)
{
	struct session_feed *feed = start();

	say(feed, false, 80,
		"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: "
		"205\r\n\r\n"
		"<s:Envelope xmlns:s='x'><s:Body><t:GetDeviceInformationResponse><t:Manufacturer>"
		"Acme</t:Manufacturer><t:Model>C1</t:Model><t:SerialNumber>42</t:SerialNumber>"
		"</t:GetDeviceInformationResponse></s:Body></s:Envelope>",
		11);
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_ONVIF_MANUFACTURER, "Acme"));
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_ONVIF_MODEL, "C1"));
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_ONVIF_SERIAL, "42"));
	session_feed_free(feed);
}

static void
test_motion_jpeg(void)
{
	static const char jpeg[] = "\xff\xd8\xff\xc0\x00\x11\x08\x01\xe0\x02\x80\x03"
				   "\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9";
	struct session_feed *feed = start();
	char part[512];

	say(feed, false, 80,
		"HTTP/1.0 200 OK\r\n"
		"Content-Type: multipart/x-mixed-replace; boundary=--frame\r\n\r\n",
		0);
	for (int i = 0; i < 30; i++) {
		int head = snprintf(part, sizeof(part),
			"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 200\r\n\r\n");

		memset(part + head, 'x', 202);
		memcpy(part + head, jpeg, sizeof(jpeg) - 1);
		memcpy(part + head + 200, "\r\n", 2);
		session_feed_bytes(
			feed, true, false, 80, part, (size_t)head + 202, 0, 1 + i * 100000000ll);
	}
	session_feed_free(feed);
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_VIDEO_SOURCE, "mjpeg"));
	CU_ASSERT_FATAL(record.sample_count > 0);
	CU_ASSERT_EQUAL(record.samples[record.sample_count - 1].frames, 30);
	CU_ASSERT_EQUAL(record.samples[record.sample_count - 1].width, 640);
	CU_ASSERT_EQUAL(record.samples[record.sample_count - 1].height, 480);
}

static void
test_paths_hide_secrets(void)
{
	static const char *const cases[][2] = {
		{"rtsp://u:p@h:554/Streaming/Channels/101?profile=1",
			"/Streaming/Channels/101?profile"},
		{"rtsp://u:p/w@h/a", "/a"},
		{"rtsp://h", "/"},
		{"/user=admin_password=a_b=c_channel=1_stream=0.sdp",
			"/user=_password=_channel=_stream="},
		{"/stok=abc/ds", "/stok=/ds"},
		{"/a?c2VjcmV0", "/a"},
		{"/a/b/", "/a/b/"},
	};
	char path[96];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_uri_path((struct text){cases[i][0], strlen(cases[i][0])}, path, sizeof(path));
		CU_ASSERT_STRING_EQUAL(path, cases[i][1]);
	}
}

static void
test_vendor_protocols(void)
{
	static const uint8_t ask[20] = {0xf0, 0xde, 0xbc, 0x0a, 1, [18] = 0x14, [19] = 0x65};
	static const uint8_t xiongmai[] = "\xff\x01\0\0\1\0\0\0\0\0\0\0\0\0\xe9\3\2\0\0\0{}";
	struct session_feed *feed = start();

	session_feed_bytes(feed, true, true, 9000, ask, sizeof(ask), 0, 1);
	CU_ASSERT_EQUAL(record.evidence_count, 0);
	session_feed_bytes(feed, true, false, 9000, ask, sizeof(ask), 0, 2);
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_PROTOCOL, "baichuan"));
	CU_ASSERT_PTR_NULL(recorded(&record, CLIENT, ATTRIBUTE_PROTOCOL));
	session_feed_free(feed);
	feed = start();
	session_feed_bytes(feed, true, false, 34567, xiongmai, 22, 0, 1);
	session_feed_bytes(feed, true, false, 34567, xiongmai, 22, 0, 2);
	CU_ASSERT_TRUE(recorded_is(&record, SERVER, ATTRIBUTE_PROTOCOL, "xm-dvrip"));
	session_feed_free(feed);
}

static void
test_truncated_parameter_sets_are_refused(void)
{
	static const uint8_t sps[] = {0x67, 0x42, 0xc0, 0x16, 0xb6, 0x80, 0xa0, 0x3d, 0xa1, 0, 0, 3,
		0, 1, 0, 0, 3, 0, 0x1e, 0x8f, 0x16, 0x2e, 0xa0};
	struct video_size size;

	CU_ASSERT_TRUE(video_h264_sps(sps, sizeof(sps), &size));
	CU_ASSERT_EQUAL(size.width, 640);
	CU_ASSERT_EQUAL(size.height, 480);
	for (size_t length = 0; length < 8; length++)
		CU_ASSERT_FALSE(video_h264_sps(sps, length, &size));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"rtsp session", test_rtsp_session},
		{"failed describe gives no description", test_failed_describe_gives_no_path},
		{"interleaved frames survive a gap", test_interleaved_frames_survive_a_gap},
		{"rtp without signalling", test_rtp_without_signalling},
		{"noise is no rtp", test_noise_is_no_rtp},
		{"http exchange", test_http_exchange},
		{"a proxy is not the server", test_proxy_is_not_the_server},
		{"onvif document", test_onvif_and_upnp_documents},
		{"motion jpeg", test_motion_jpeg},
		{"paths hide secrets", test_paths_hide_secrets},
		{"vendor protocols", test_vendor_protocols},
		{"truncated parameter sets", test_truncated_parameter_sets_are_refused},
		CU_TEST_INFO_NULL,
	};

	return unit_run("sessions", tests);
}
