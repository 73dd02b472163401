/* SPDX-License-Identifier: Apache-2.0 */
/* The vendor protocols that tables describe, and PPPP. */
#include "classifiers/table.h"
#include "tests/unit/classify.h"
#include "tests/unit/unit.h"

#define CAMERA      "10.0.0.5"
#define CAMERA_MAC  "00:11:22:33:44:01"
#define BYTES(text) text, sizeof(text) - 1

static struct heard heard;

struct search {
	const struct classifier *classifier;
	uint16_t port;
	const char *destination;
	const char *bytes;
	size_t length;
	size_t padded; /* with zeroes to this length */
	const char *protocol;
};

static const struct search searches[] = {
	{&classifier_magic_protocols, 1757, "255.255.255.255",
		BYTES("\x99\x39\xa4\x27"
		      "abcd\xff\0\6\xde"),
		0, "bosch-autodetect"},
	{&classifier_magic_protocols, 7701, "255.255.255.255", BYTES("\1"), 262,
		"hanwha-discovery"},
	{&classifier_magic_protocols, 8600, "255.255.255.255", BYTES("DH\1\1"), 0, "vstarcam"},
	{&classifier_magic_protocols, 10000, "255.255.255.255", BYTES("MO_I\0\0"), 27, "foscam"},
	{&classifier_magic_protocols, 10000, "255.255.255.255", BYTES("\7\x4a\x5d\x8f\x1c"), 0,
		"vivotek-discovery"},
	{&classifier_magic_protocols, 10001, "255.255.255.255", BYTES("\1\0\0\0"), 0,
		"ubiquiti-discovery"},
	{&classifier_magic_protocols, 2380, "255.255.255.255",
		BYTES("\x02"
		      "ENQ:allinfo\xff\x03"),
		0, "sony-setup"},
	{&classifier_magic_protocols, 10670, "255.255.255.255", BYTES("\0\1\0\0\0\x0d\0\0"), 52,
		"panasonic-setup"},
	{&classifier_magic_protocols, 3956, "255.255.255.255", BYTES("\x42\1\0\2\0\0\0\1"), 0,
		"gige-vision"},
	{&classifier_magic_protocols, 23456, "234.55.55.55", BYTES("MHED\x08\0\1\0\1\0"), 140,
		"tvt-mhed"},
	{&classifier_magic_protocols, 34569, "255.255.255.255",
		BYTES("\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\xfa\5\0\0\0\0"), 0, "xm-discovery"},
	{&classifier_magic_protocols, 10008, "255.255.255.255", BYTES("NVDEVSEARCH^100"), 0,
		"v380"},
	{&classifier_magic_protocols, 2000, "255.255.255.255", BYTES("\xaa\xaa\0\0"), 0,
		"reolink-discovery"},
	{&classifier_pppp, 32108, "255.255.255.255", BYTES("\xf1\x30\0\0"), 0, "pppp"},
	{&classifier_pppp, 32100, "192.0.2.1",
		BYTES("\xf1\x20\0\x14"
		      "ABCD\0\0\0\0\0\0\1\0FGHIJ\0\0\0"),
		0, "pppp"},
};

static void
test_searches_mark_the_tool_only(void)
{
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		const struct search *search = &searches[i];
		struct packet packet =
			datagram("10.0.0.7", 40000, search->destination, search->port);
		uint8_t bytes[300] = {0};
		size_t length = search->padded ? search->padded : search->length;

		memcpy(bytes, search->bytes, search->length);
		heard.count = 0;
		CU_ASSERT_EQUAL(classify(search->classifier, &packet, bytes, length, &heard),
			CLASSIFIER_MORE);
		CU_ASSERT_EQUAL(heard.count, 1);
		CU_ASSERT_PTR_NOT_NULL(
			heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_TOOL, search->protocol));
		classify_damaged(search->classifier, &packet, bytes, length);
	}
}

/* Feeds a reply of the camera; returns whether it alone is told to speak the protocol. */
static void
expect_reply(const struct classifier *classifier, uint16_t source_port, const char *destination,
	uint16_t destination_port, const uint8_t *bytes, size_t length, const char *protocol)
{
	struct packet packet = datagram(CAMERA, source_port, destination, destination_port);

	heard.count = 0;
	CU_ASSERT_EQUAL(classify(classifier, &packet, bytes, length, &heard), CLASSIFIER_MORE);
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, protocol), CAMERA, CAMERA_MAC));
	for (size_t i = 0; i < heard.count; i++)
		CU_ASSERT_EQUAL(heard.items[i].side, SIDE_DEVICE);
	/* The same words from a host that is named nowhere in them are not its own. */
	packet = datagram("10.0.0.66", source_port, destination, destination_port);
	packet.source_mac.bytes[5] = 0x66;
	heard.count = 0;
	classify(classifier, &packet, bytes, length, &heard);
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_PEER, protocol), CAMERA, CAMERA_MAC));
	classify_damaged(classifier, &packet, bytes, length);
}

static void
expect_model(const char *model)
{
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_PROTOCOL_MODEL, SIDE_PEER, model));
}

static const uint8_t mac_bytes[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x01};
static const uint8_t ip_bytes[] = {10, 0, 0, 5};

static void
test_fixed_replies(void)
{
	uint8_t bosch[32] = {0x99, 0x39, 0xa4, 0x27};
	uint8_t hanwha[262] = {0x0b};
	uint8_t vstarcam[300] = {'D', 'H', 1, 8};
	uint8_t gige[256] = {0, 0, 0, 3, 0, 0xf8};

	memcpy(bosch + 8, mac_bytes, 6);
	memcpy(bosch + 16, ip_bytes, 4);
	expect_reply(&classifier_magic_protocols, 1757, "10.0.0.7", 1758, bosch, sizeof(bosch),
		"bosch-autodetect");
	memcpy(hanwha + 0x13, CAMERA_MAC, 17);
	memcpy(hanwha + 0x25, CAMERA, sizeof(CAMERA));
	memcpy(hanwha + 0x6d, "XNV-6080R", 9);
	expect_reply(&classifier_magic_protocols, 7701, "10.0.0.7", 7711, hanwha, sizeof(hanwha),
		"hanwha-discovery");
	expect_model("XNV-6080R");
	memcpy(vstarcam + 4, CAMERA, sizeof(CAMERA));
	memcpy(vstarcam + 0x54, mac_bytes, 6);
	memcpy(vstarcam + 0x5c, "VSTC1", 5);
	expect_reply(&classifier_magic_protocols, 8600, "10.0.0.7", 40000, vstarcam,
		sizeof(vstarcam), "vstarcam");
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_PROTOCOL_SERIAL, SIDE_PEER, "VSTC1"));
	memcpy(gige + 0x12, mac_bytes, 6);
	memcpy(gige + 0x2c, ip_bytes, 4);
	memcpy(gige + 0x70, "MV-CA", 5);
	expect_reply(&classifier_magic_protocols, 3956, "10.0.0.7", 40000, gige, sizeof(gige),
		"gige-vision");
	expect_model("MV-CA");
}

static void
test_foscam_reply(void)
{
	uint8_t reply[0x57] = {'M', 'O', '_', 'I', 1};
	struct packet packet = datagram(CAMERA, 10000, "10.0.0.7", 40000);

	memcpy(reply + 0x17, "00626E000001", 12);
	memcpy(reply + 0x39, ip_bytes, 4);
	heard.count = 0;
	classify(&classifier_magic_protocols, &packet, reply, sizeof(reply), &heard);
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_PROTOCOL_SERIAL, SIDE_DEVICE, "00626E000001"));
	reply[6] = 1; /* enciphered: the fields are noise */
	heard.count = 0;
	classify(&classifier_magic_protocols, &packet, reply, sizeof(reply), &heard);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "foscam"));
}

static void
test_tvt_groups(void)
{
	uint8_t reply[240] = {'M', 'H', 'E', 'D', 8, 0, 1, 0, 2, 0};
	struct packet packet = datagram(CAMERA, 23456, "234.55.55.56", 23456);

	heard.count = 0;
	classify(&classifier_magic_protocols, &packet, reply, sizeof(reply), &heard);
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "tvt-mhed"));
	packet = datagram(CAMERA, 23456, "10.0.0.7", 23456);
	CU_ASSERT_EQUAL(
		classify(&classifier_magic_protocols, &packet, reply, sizeof(reply), &heard),
		CLASSIFIER_NOT_MINE);
}

static void
test_list_replies(void)
{
	static const uint8_t vivotek[] = "\2\x4a\x5d\x8f\x1c\1\3Cam\2\6\0\x11\x22\x33\x44\1"
					 "\3\4\x0a\0\0\5\4\x1b\x09\6FD9187";
	static const uint8_t ubiquiti[] = "\2\6\0\x22\1\0\6\0\x11\x22\x33\x44\1"
					  "\2\0\x0a\0\x11\x22\x33\x44\1\x0a\0\0\5\x0c\0\3UVC";
	uint8_t panasonic[53 + 8 + 12] = {0, 1, 1, 0x75, 0, 0x0e};

	expect_reply(&classifier_tlv_discovery, 10000, "10.0.0.7", 40000, vivotek,
		sizeof(vivotek) - 1, "vivotek-discovery");
	expect_model("FD9187");
	expect_reply(&classifier_tlv_discovery, 10001, "10.0.0.7", 40000, ubiquiti,
		sizeof(ubiquiti) - 1, "ubiquiti-discovery");
	expect_model("UVC");
	memcpy(panasonic + 6, mac_bytes, 6);
	memcpy(panasonic + 53, "\0\x20\0\4\x0a\0\0\5\0\xa7\0\x08WV-S11\0\0", 20);
	expect_reply(&classifier_tlv_discovery, 10670, "10.0.0.7", 10669, panasonic,
		sizeof(panasonic), "panasonic-setup");
	expect_model("WV-S11");
}

/* A few magic bytes on a common port do not make a device. */
static void
test_lists_that_say_nothing(void)
{
	static const struct {
		uint16_t source_port, destination_port;
		const char *bytes;
		size_t length;
	} cases[] = {
		{10001, 40000, BYTES("\2\6\0\4\x7f\0\0\0")},
		{10001, 40000, BYTES("\1\0\0\4\1\0\x06xxxxx")},
		{10000, 40000, BYTES("\2\x4a\x5d\x8f\x1c\x09\1x")},
		{40000, 10001, BYTES("\2\6\0\x0b\1\0\6\0\x11\x22\x33\x44\1")},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet packet = datagram(
			CAMERA, cases[i].source_port, "10.0.0.7", cases[i].destination_port);

		heard.count = 0;
		CU_ASSERT_EQUAL(classify(&classifier_tlv_discovery, &packet, cases[i].bytes,
					cases[i].length, &heard),
			CLASSIFIER_NOT_MINE);
		CU_ASSERT_EQUAL(heard.count, 0);
	}
}

static void
test_pppp_device(void)
{
#define UID                                                                                        \
	"VSTD\0\0\0\0\0\0\x30\x39"                                                                 \
	"ABCDE\0\0\0"
	static const char login[] = "\xf1\x10\0\x28" UID "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const char punch[] = "\xf1\x41\0\x14" UID;
	static const char keyed[] = "\xf1\x14\0\x18" UID "\0\0\0\0";
	struct packet packet = datagram(CAMERA, 40000, "192.0.2.1", 32100);

	heard.count = 0;
	classify(&classifier_pppp, &packet, BYTES(login), &heard);
	CU_ASSERT_EQUAL(heard.count, 2);
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_PROTOCOL_SERIAL, SIDE_DEVICE, "VSTD-012345-ABCDE"));
	classify_damaged(&classifier_pppp, &packet, BYTES(login));
	heard.count = 0;
	classify(&classifier_pppp, &packet, BYTES(keyed), &heard);
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_PROTOCOL_SERIAL, SIDE_DEVICE, "VSTD-012345-ABCDE"));
	packet = datagram(CAMERA, 32108, "10.0.0.7", 40000); /* answers a search */
	heard.count = 0;
	classify(&classifier_pppp, &packet, BYTES(punch), &heard);
	CU_ASSERT_EQUAL(heard.count, 2);
	packet = datagram("10.0.0.7", 40000, CAMERA, 32108); /* an application */
	heard.count = 0;
	classify(&classifier_pppp, &packet, BYTES(punch), &heard);
	CU_ASSERT_EQUAL(heard.count, 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"searches mark the tool only", test_searches_mark_the_tool_only},
		{"fixed replies", test_fixed_replies},
		{"foscam reply", test_foscam_reply},
		{"tvt groups", test_tvt_groups},
		{"list replies", test_list_replies},
		{"lists that say nothing", test_lists_that_say_nothing},
		{"pppp device", test_pppp_device},
		CU_TEST_INFO_NULL,
	};

	return unit_run("vendor_discovery", tests);
}
