/* SPDX-License-Identifier: Apache-2.0 */
/* SSDP, WS-Discovery, SADP and Dahua's searches: a request marks the tool, a reply describes its
 * device, and no secret of a reply is reported. */
#include "classifiers/table.h"
#include "tests/unit/classify.h"
#include "tests/unit/unit.h"

#define CAMERA      "10.0.0.5"
#define CAMERA_MAC  "00:11:22:33:44:01"
#define BYTES(text) text, sizeof(text) - 1

static struct heard heard;

static void
hear_from(const struct classifier *classifier, const struct packet *packet, const void *data,
	size_t length)
{
	heard.count = 0;
	CU_ASSERT_EQUAL(classify(classifier, packet, data, length, &heard), CLASSIFIER_MORE);
}

static void
expect_only_tool(
	const struct classifier *classifier, const void *data, size_t length, const char *protocol)
{
	struct packet packet = datagram("10.0.0.7", 40000, "239.255.255.250", 1);

	hear_from(classifier, &packet, data, length);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_TRUE(heard_about(heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_TOOL, protocol),
		"10.0.0.7", CAMERA_MAC));
	classify_damaged(classifier, &packet, data, length);
}

static void
expect_mine(enum evidence_attribute attribute, const char *value)
{
	CU_ASSERT_TRUE(
		heard_about(heard_find(&heard, attribute, SIDE_DEVICE, value), CAMERA, CAMERA_MAC));
}

static void
expect_nothing_like(const char *secret)
{
	for (size_t i = 0; i < heard.count; i++)
		CU_ASSERT_PTR_NULL(strstr(heard.items[i].value, secret));
}

static void
test_ssdp_search(void)
{
	expect_only_tool(&classifier_ssdp,
		BYTES("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nMAN: \"ssdp:discover\"\r\n\r\n"),
		"ssdp");
}

#define SSDP_REPLY                                                                                 \
	"HTTP/1.1 200 OK\r\n"                                                                      \
	"Server: Linux/3.4 UPnP/1.0 Cam/2.0\r\n"                                                   \
	"ST: urn:schemas-upnp-org:device:Camera:1\r\n"                                             \
	"USN:uuid:1234::urn:schemas-upnp-org:device:Camera:1\r\n"                                  \
	"LOCATION: http://10.0.0.5:49152/desc.xml\r\n\r\n"

static void
test_ssdp_reply(void)
{
	struct packet packet = datagram(CAMERA, 40001, "10.0.0.7", 40000);

	hear_from(&classifier_ssdp, &packet, BYTES(SSDP_REPLY));
	CU_ASSERT_EQUAL(heard.count, 4);
	expect_mine(ATTRIBUTE_SSDP_SERVER, "Linux/3.4 UPnP/1.0 Cam/2.0");
	expect_mine(ATTRIBUTE_SSDP_USN, "uuid:1234");
	expect_mine(ATTRIBUTE_SSDP_TYPE, "urn:schemas-upnp-org:device:Camera:1");
	expect_mine(ATTRIBUTE_SSDP_LOCATION, "http://10.0.0.5:49152/desc.xml");
	classify_damaged(&classifier_ssdp, &packet, BYTES(SSDP_REPLY));

	packet = datagram("10.0.0.99", 1900, "10.0.0.7", 40000); /* passed on by another host */
	hear_from(&classifier_ssdp, &packet, BYTES(SSDP_REPLY));
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_SSDP_USN, SIDE_PEER, "uuid:1234"), CAMERA, ""));
}

static void
test_ssdp_notify(void)
{
	static const char alive[] =
		"NOTIFY * HTTP/1.1\nNTS: ssdp:alive\nNT: upnp:rootdevice\n"
		"USN: uuid:1::upnp:rootdevice\nLOCATION: http://[fd00::1]/d\n\n";
	static const char gone[] =
		"NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\nNT: upnp:rootdevice\r\n"
		"USN: uuid:1\r\n\r\n";
	struct packet packet = datagram(CAMERA, 40001, "239.255.255.250", 1900);

	hear_from(&classifier_ssdp, &packet, BYTES(alive));
	CU_ASSERT_EQUAL(heard.count, 2); /* a root device without a kind */
	expect_mine(ATTRIBUTE_SSDP_USN, "uuid:1");
	hear_from(&classifier_ssdp, &packet, BYTES(gone));
	CU_ASSERT_EQUAL(heard.count, 0);
	CU_ASSERT_EQUAL(
		classify(&classifier_ssdp, &packet, BYTES("HTTP/1.1 200 OK\r\n\r\n"), &heard),
		CLASSIFIER_NOT_MINE);
	CU_ASSERT_EQUAL(classify(&classifier_ssdp, &packet, NULL, 0, &heard), CLASSIFIER_NOT_MINE);
}

#define ENVELOPE "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"x\"><s:Header/><s:Body>"

static void
test_wsd_search(void)
{
	expect_only_tool(&classifier_wsd,
		BYTES(ENVELOPE "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>"
			       "</s:Body></s:Envelope>"),
		"ws-discovery");
}

#define PROBE_MATCH(address)                                                                       \
	"<w:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>"                     \
	"</a:EndpointReference><w:Types>dn:NetworkVideoTransmitter tds:Device</w:Types>"           \
	"<w:Scopes>onvif://www.onvif.org/Profile/Streaming\n"                                      \
	"onvif://www.onvif.org/name/ACME%20DS-1&amp;2 "                                            \
	"onvif://www.onvif.org/hardware/DS-1 http://example.org/scope</w:Scopes>"                  \
	"<w:XAddrs>http://169.254.1.2/onvif http://" address ":80/onvif</w:XAddrs></w:ProbeMatch>"

static void
test_wsd_reply(void)
{
	static const char reply[] = ENVELOPE "<w:ProbeMatches>" PROBE_MATCH(
		"10.0.0.5") "</w:ProbeMatches></s:Body></s:Envelope>";
	struct packet packet = datagram(CAMERA, 3702, "10.0.0.7", 40000);

	hear_from(&classifier_wsd, &packet, BYTES(reply));
	CU_ASSERT_EQUAL(heard.count, 7);
	expect_mine(ATTRIBUTE_WSD_TYPES, "dn:NetworkVideoTransmitter tds:Device");
	expect_mine(ATTRIBUTE_WSD_SCOPE_NAME, "ACME DS-1&2");
	expect_mine(ATTRIBUTE_WSD_SCOPE_HARDWARE, "DS-1");
	expect_mine(ATTRIBUTE_WSD_SCOPE, "onvif://www.onvif.org/Profile/Streaming");
	expect_mine(ATTRIBUTE_WSD_SCOPE, "http://example.org/scope");
	expect_mine(ATTRIBUTE_WSD_XADDR, "http://10.0.0.5:80/onvif");
	classify_damaged(&classifier_wsd, &packet, BYTES(reply));
}

static void
test_wsd_hello_cut_off(void)
{
	static const char hello[] = ENVELOPE "<d:Hello><d:Types>tds:Device</d:Types><d:Scopes>onv";
	struct packet packet = datagram(CAMERA, 3702, "239.255.255.250", 3702);

	hear_from(&classifier_wsd, &packet, BYTES(hello));
	CU_ASSERT_EQUAL(heard.count, 1);
	expect_mine(ATTRIBUTE_WSD_TYPES, "tds:Device");
}

/* A recorder answers for two cameras behind it: it is none of them. */
static void
test_wsd_proxy(void)
{
	static const char reply[] = ENVELOPE "<w:ProbeMatches>" PROBE_MATCH("10.0.0.5")
		PROBE_MATCH("10.0.0.6") "</w:ProbeMatches></s:Body></s:Envelope>";
	struct packet packet = datagram("10.0.0.99", 3702, "10.0.0.7", 40000);

	hear_from(&classifier_wsd, &packet, BYTES(reply));
	CU_ASSERT_EQUAL(heard.count, 14);
	for (size_t i = 0; i < heard.count; i++)
		CU_ASSERT_EQUAL(heard.items[i].side, SIDE_PEER);
	CU_ASSERT_EQUAL(
		classify(&classifier_wsd, &packet, BYTES("<html/>"), &heard), CLASSIFIER_NOT_MINE);
}

static void
test_sadp_search(void)
{
	expect_only_tool(&classifier_sadp,
		BYTES("<?xml version=\"1.0\"?><Probe><Uuid>1</Uuid><Types>inquiry</Types></Probe>"),
		"sadp");
}

#define SADP_REPLY                                                                                 \
	"<?xml version=\"1.0\"?>\n<ProbeMatch>\n<Types>inquiry</Types>"                            \
	"<DeviceDescription>DS-2CD1</DeviceDescription><DeviceSN>DS-2CD120200101AAWR1</DeviceSN>"  \
	"<MAC>00-11-22-33-44-01</MAC><IPv4Address>10.0.0.5</IPv4Address>"                          \
	"<SoftwareVersion>V5.5 build 1</SoftwareVersion><OEMInfo>N/A</OEMInfo>"                    \
	"<ResetCode>SECRET1</ResetCode><Password>SECRET2</Password></ProbeMatch>"

static void
test_sadp_reply(void)
{
	struct packet packet = datagram(CAMERA, 37020, "239.255.255.250", 37020);

	hear_from(&classifier_sadp, &packet, BYTES(SADP_REPLY));
	CU_ASSERT_EQUAL(heard.count, 4);
	expect_mine(ATTRIBUTE_PROTOCOL, "sadp");
	expect_mine(ATTRIBUTE_SADP_MODEL, "DS-2CD1");
	expect_mine(ATTRIBUTE_SADP_SERIAL, "DS-2CD120200101AAWR1");
	expect_mine(ATTRIBUTE_SADP_FIRMWARE, "V5.5 build 1");
	expect_nothing_like("SECRET");
	classify_damaged(&classifier_sadp, &packet, BYTES(SADP_REPLY));
}

/* A body that agrees with the packet in nothing accuses nobody by its own word. */
static void
test_sadp_reply_about_another(void)
{
	struct packet packet = datagram("10.0.0.66", 37020, "239.255.255.250", 37020);

	packet.source_mac.bytes[5] = 0x66;
	hear_from(&classifier_sadp, &packet, BYTES(SADP_REPLY));
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_PEER, "sadp"), CAMERA, CAMERA_MAC));
	CU_ASSERT_PTR_NULL(heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp"));
}

/* The victim's address and, in the body, its MAC: the frame shows that another host speaks. */
static void
test_sadp_reply_with_a_forged_source(void)
{
	struct packet packet = datagram(CAMERA, 37020, "239.255.255.250", 37020);

	packet.source_mac.bytes[5] = 0x66;
	hear_from(&classifier_sadp, &packet, BYTES(SADP_REPLY));
	CU_ASSERT_EQUAL(heard.count, 4);
	for (size_t i = 0; i < heard.count; i++) {
		CU_ASSERT_EQUAL(heard.items[i].side, SIDE_PEER);
		CU_ASSERT_TRUE(heard_about(&heard.items[i], CAMERA, ""));
	}
	packet.flags = 0; /* without a link header nothing tells the MAC */
	hear_from(&classifier_sadp, &packet, BYTES(SADP_REPLY));
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp"), CAMERA, ""));
}

#define SADP_FRAME(direction, origin, type, mac_end)                                               \
	"\x21" direction "\1" origin "\0\0\0\1\6\4" type "\0\0\0\0\x11\x22\x33\x44" mac_end        \
	"\x0a\0\0\5\xff\xff\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\0"

static void
test_sadp_frames(void)
{
	static const struct {
		const char *frame;
		const char *ip;
		enum evidence_side side;
		unsigned count;
	} cases[] = {
		{SADP_FRAME("\1", "\xf6", "\4", "\1"), CAMERA, SIDE_DEVICE, 1},
		{SADP_FRAME("\2", "\xf6", "\2", "\1"), CAMERA, SIDE_DEVICE, 1}, /* online */
		{SADP_FRAME("\1", "\xf6", "\4", "\7"), CAMERA, SIDE_PEER, 1},
		{SADP_FRAME("\2", "\x42", "\3", "\1"), "", SIDE_TOOL, 1},
		{SADP_FRAME("\2", "\x42", "\x0a", "\1"), "", SIDE_TOOL, 1}, /* resets a password */
		{SADP_FRAME("\2", "\xf6", "\3", "\1"), "", SIDE_TOOL, 0},
	};
	struct packet packet = datagram("", 0, "", 0);

	packet.ethertype = 0x8033;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct evidence *evidence;

		hear_from(&classifier_sadp, &packet, cases[i].frame, 38);
		CU_ASSERT_EQUAL(heard.count, cases[i].count);
		evidence = heard_find(&heard, ATTRIBUTE_PROTOCOL, cases[i].side, "sadp");
		if (cases[i].count > 0)
			CU_ASSERT_TRUE(heard_about(evidence, cases[i].ip,
				cases[i].side == SIDE_PEER ? "00:11:22:33:44:07" : CAMERA_MAC));
	}
	classify_damaged(&classifier_sadp, &packet, cases[0].frame, 38);
}

#define DHIP_HEADER "\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0"

static void
test_dahua_searches(void)
{
	expect_only_tool(&classifier_dhip_discovery,
		BYTES(DHIP_HEADER "{\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\"}}"),
		"dhdiscover");
	expect_only_tool(&classifier_dhip_discovery,
		BYTES(DHIP_HEADER "{\"method\":\"DHDiscover.setConfig\",\"params\":{\"mac\":"
				  "\"00:11:22:33:44:09\",\"Vendor\":\"X\"}}"),
		"dhdiscover");
	expect_only_tool(&classifier_dhip_discovery,
		BYTES("\xa3\1\0\1\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		"dvrip-discovery");
}

static void
test_dahua_reply(void)
{
	static const char reply[] = DHIP_HEADER
		"{ \"mac\" : \"00:11:22:33:44:01\", \"method\" : \"client.notifyDevInfo\", "
		"\"params\" : { \"deviceInfo\" : { \"DeviceClass\" : \"IPC\", \"DeviceType\" : "
		"\"IPC-HDW1\", \"IPv4Address\" : { \"DefaultGateway\" : \"10.0.0.1\", "
		"\"IPAddress\" "
		": \"10.0.0.5\" }, \"IPv6Address\" : { \"IPAddress\" : \"fe80::1\\/64\" }, "
		"\"SerialNo\" : \"5E01\", \"Vendor\" : \"General\", \"Version\" : \"2.8\", "
		"\"Password\" : \"SECRET\", \"Port\" : 37777 } } }\n";
	struct packet packet = datagram(CAMERA, 37810, "10.0.0.7", 40000);

	hear_from(&classifier_dhip_discovery, &packet, BYTES(reply));
	CU_ASSERT_EQUAL(heard.count, 6);
	expect_mine(ATTRIBUTE_PROTOCOL, "dhdiscover");
	expect_mine(ATTRIBUTE_DHIP_CLASS, "IPC");
	expect_mine(ATTRIBUTE_DHIP_MODEL, "IPC-HDW1");
	expect_mine(ATTRIBUTE_DHIP_SERIAL, "5E01");
	expect_mine(ATTRIBUTE_DHIP_VENDOR, "General");
	expect_mine(ATTRIBUTE_DHIP_FIRMWARE, "2.8");
	expect_nothing_like("SECRET");
	classify_damaged(&classifier_dhip_discovery, &packet, BYTES(reply));
}

static void
test_dahua_binary_reply(void)
{
	static const char names[] = "00:11:22:33:44:01IPC-HFW1";
	static const char lines[] = "Name:Cam\r\nDevice:IPC\r\nSerialNo:5E02\r\n\r\n";
	struct packet packet = datagram(CAMERA, 5050, "255.255.255.255", 5050);
	uint8_t reply[120 + sizeof(names) - 1 + sizeof(lines) - 1] = {0xb3, 0};

	reply[2] = sizeof(names) - 1;
	reply[4] = 0x58;
	reply[16] = 2;
	reply[20] = sizeof(lines) - 1;
	memcpy(reply + 40, "IPC-HF", 6);
	memcpy(reply + 56, "\x0a\0\0\5", 4);
	memcpy(reply + 120, names, sizeof(names) - 1);
	memcpy(reply + 120 + sizeof(names) - 1, lines, sizeof(lines) - 1);
	hear_from(&classifier_dhip_discovery, &packet, reply, sizeof(reply));
	CU_ASSERT_EQUAL(heard.count, 3);
	expect_mine(ATTRIBUTE_PROTOCOL, "dvrip-discovery");
	expect_mine(ATTRIBUTE_DHIP_MODEL, "IPC-HFW1");
	expect_mine(ATTRIBUTE_DHIP_SERIAL, "5E02");
	classify_damaged(&classifier_dhip_discovery, &packet, reply, sizeof(reply));

	reply[2] = 17; /* the MAC alone: the short model name counts */
	hear_from(&classifier_dhip_discovery, &packet, reply, sizeof(reply));
	expect_mine(ATTRIBUTE_DHIP_MODEL, "IPC-HF");
}

/* Credentials in an address are nobody's evidence. */
static void
test_urls_with_credentials(void)
{
	static const char notify[] = "NOTIFY * HTTP/1.1\r\nNT: urn:x\r\nUSN: uuid:1\r\n"
				     "LOCATION: http://admin:SECRET@10.0.0.5/d\r\n\r\n";
	static const char hello[] =
		ENVELOPE "<d:Hello><d:Types>tds:Device</d:Types><d:XAddrs>"
			 "http://admin:SECRET@10.0.0.5/onvif</d:XAddrs></d:Hello>";
	struct packet packet = datagram(CAMERA, 3702, "239.255.255.250", 3702);

	hear_from(&classifier_ssdp, &packet, BYTES(notify));
	CU_ASSERT_EQUAL(heard.count, 2);
	expect_nothing_like("SECRET");
	hear_from(&classifier_wsd, &packet, BYTES(hello));
	CU_ASSERT_EQUAL(heard.count, 1);
	expect_nothing_like("SECRET");
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"ssdp search", test_ssdp_search},
		{"ssdp reply", test_ssdp_reply},
		{"ssdp notify", test_ssdp_notify},
		{"wsd search", test_wsd_search},
		{"wsd reply", test_wsd_reply},
		{"wsd hello cut off", test_wsd_hello_cut_off},
		{"wsd proxy", test_wsd_proxy},
		{"urls with credentials", test_urls_with_credentials},
		{"sadp search", test_sadp_search},
		{"sadp reply", test_sadp_reply},
		{"sadp reply about another", test_sadp_reply_about_another},
		{"SADP reply with a forged source", test_sadp_reply_with_a_forged_source},
		{"sadp frames", test_sadp_frames},
		{"dahua searches", test_dahua_searches},
		{"dahua reply", test_dahua_reply},
		{"dahua binary reply", test_dahua_binary_reply},
		CU_TEST_INFO_NULL,
	};

	return unit_run("searches", tests);
}
