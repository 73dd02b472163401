/* SPDX-License-Identifier: Apache-2.0 */
/* ARP, DHCP, DNS and multicast DNS: who has which address and name. */
#include "classifiers/table.h"
#include "tests/unit/classify.h"
#include "tests/unit/unit.h"

#define CLIENT_MAC  "00:11:22:33:44:01"
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
test_arp(void)
{
#define ARP(operation, mac_end, ip)                                                                \
	"\0\1\x08\0\6\4\0" operation "\0\x11\x22\x33\x44" mac_end ip "\0\0\0\0\0\0\x0a\0\0\x63"
	static const struct {
		const char *body;
		uint8_t flags;
		const char *ip; /* NULL: nothing is believed */
	} cases[] = {
		{ARP("\1", "\1", "\x0a\0\0\5"), PACKET_HAS_MACS, "10.0.0.5"},
		{ARP("\2", "\1", "\x0a\0\0\5"), PACKET_HAS_SOURCE_MAC, "10.0.0.5"},
		{ARP("\1", "\1", "\0\0\0\0"), PACKET_HAS_MACS, NULL},   /* probe */
		{ARP("\1", "\7", "\x0a\0\0\5"), PACKET_HAS_MACS, NULL}, /* for another MAC */
		{ARP("\1", "\1", "\x0a\0\0\5"), 0, NULL},               /* no link header */
		{ARP("\3", "\1", "\x0a\0\0\5"), PACKET_HAS_MACS, NULL}, /* reverse ARP */
		{ARP("\1", "\1", "\xff\xff\xff\xff"), PACKET_HAS_MACS, NULL},
	};
	struct packet packet = datagram("", 0, "", 0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet.flags = cases[i].flags;
		hear_from(&classifier_arp, &packet, cases[i].body, 28);
		CU_ASSERT_EQUAL(heard.count, cases[i].ip != NULL);
		if (cases[i].ip != NULL)
			CU_ASSERT_TRUE(heard_about(
				heard_find(&heard, ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, cases[i].ip),
				cases[i].ip, CLIENT_MAC));
	}
	CU_ASSERT_EQUAL(classify(&classifier_arp, &packet, "\0\6\x08\0\6\4\0\1", 8, &heard),
		CLASSIFIER_NOT_MINE);
	classify_damaged(&classifier_arp, &packet, cases[0].body, 28);
}

/* A DHCP message of this operation with the options, which end the message. */
static size_t
dhcp(uint8_t bytes[400], uint8_t operation, const char *client_ip, const char *your_ip,
	const void *options, size_t length)
{
	static const uint8_t start[] = {0, 1, 6, 0, 1, 2, 3, 4};
	static const uint8_t mac[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x01};
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};
	struct ip_address ip;

	memset(bytes, 0, 400);
	memcpy(bytes, start, sizeof(start));
	bytes[0] = operation;
	if (ip_parse(client_ip, &ip) == 0)
		memcpy(bytes + 12, ip.bytes, 4);
	if (ip_parse(your_ip, &ip) == 0)
		memcpy(bytes + 16, ip.bytes, 4);
	memcpy(bytes + 28, mac, sizeof(mac));
	memcpy(bytes + 236, cookie, sizeof(cookie));
	memcpy(bytes + 240, options, length);
	return 240 + length;
}

#define REQUEST_OPTIONS                                                                            \
	"\x35\1\1\x0c\x08"                                                                         \
	"door-cam\x3c\x0d"                                                                         \
	"udhcp 1.22.1\0\0\x37\4\1\3\6\x2a\xff"

static void
test_dhcp_client(void)
{
	struct packet packet = datagram("0.0.0.0", 68, "255.255.255.255", 67);
	uint8_t bytes[400];
	size_t length = dhcp(bytes, 1, "", "", BYTES(REQUEST_OPTIONS));

	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_EQUAL(heard.count, 3);
	CU_ASSERT_TRUE(
		heard_about(heard_find(&heard, ATTRIBUTE_DHCP_HOSTNAME, SIDE_DEVICE, "door-cam"),
			"", CLIENT_MAC));
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_DHCP_VENDOR_CLASS, SIDE_DEVICE, "udhcp 1.22.1"));
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_DHCP_PARAMETERS, SIDE_DEVICE, "1,3,6,42"));
	classify_damaged(&classifier_dhcp, &packet, bytes, length);

	packet.source_mac.bytes[5] = 9; /* another host sends a request for this client */
	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_TRUE(
		heard_about(heard_find(&heard, ATTRIBUTE_DHCP_HOSTNAME, SIDE_PEER, "door-cam"), "",
			CLIENT_MAC));

	bytes[24] = 10; /* a relay agent's address: the frame is the relay's */
	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_DHCP_HOSTNAME, SIDE_DEVICE, "door-cam"));
}

static void
test_dhcp_long_parameter_list(void)
{
	struct packet packet = datagram("0.0.0.0", 68, "255.255.255.255", 67);
	uint8_t bytes[400], options[3 + 2 + 120];
	size_t length;

	memcpy(options, "\x35\1\3\x37\x78", 5);
	memset(options + 5, 200, 120);
	length = dhcp(bytes, 1, "", "", options, sizeof(options));
	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_EQUAL_FATAL(heard.count, 1);
	CU_ASSERT_TRUE(heard.items[0].value_length < EVIDENCE_VALUE_SIZE);
	CU_ASSERT_STRING_EQUAL(heard.items[0].value + heard.items[0].value_length - 4, ",200");
}

static void
test_dhcp_server(void)
{
	struct packet packet = datagram("10.0.0.1", 67, "10.0.0.20", 68);
	uint8_t bytes[400];
	size_t length = dhcp(bytes, 2, "", "10.0.0.20", BYTES("\x35\1\5\xff"));

	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_TRUE(
		heard_about(heard_find(&heard, ATTRIBUTE_DHCP_ADDRESS, SIDE_PEER, "10.0.0.20"),
			"10.0.0.20", CLIENT_MAC));
	length =
		dhcp(bytes, 2, "", "10.0.0.20", BYTES("\x35\1\2\xff")); /* an offer binds nothing */
	hear_from(&classifier_dhcp, &packet, bytes, length);
	CU_ASSERT_EQUAL(heard.count, 0);
}

#define QUESTION "\3cam\5Cloud\7EXAMPLE\0\0\1\0\1"

static void
test_dns_query(void)
{
	static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION;
	static const char reverse[] = "\0\1\1\0\0\1\0\0\0\0\0\0\1"
				      "1\7in-addr\4arpa\0\0\x0c\0\1";
	struct packet packet = datagram("10.0.0.5", 40000, "10.0.0.1", 53);

	hear_from(&classifier_dns, &packet, BYTES(query));
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "cam.cloud.example"),
		"10.0.0.5", CLIENT_MAC));
	hear_from(&classifier_dns, &packet, BYTES(reverse));
	CU_ASSERT_EQUAL(heard.count, 0);
	classify_damaged(&classifier_dns, &packet, BYTES(query));
	CU_ASSERT_EQUAL(classify(&classifier_dns, &packet, "junk", 4, &heard), CLASSIFIER_NOT_MINE);
}

/* The client asks `query` and the server answers on the same flow. */
static void
hear_answer(const void *query, size_t query_length, const struct packet *packet, const void *answer,
	size_t answer_length)
{
	const struct report_sink sink = {.context = &heard, .evidence = hear};
	struct packet asking =
		datagram("10.0.0.5", packet->destination_port, "10.0.0.1", packet->source_port);
	uint64_t scratch[CLASSIFIER_SCRATCH_MAX / 8] = {0};
	struct inspection in = {.data = query, .length = (uint32_t)query_length, .packet = &asking};

	classifier_dns.inspect(&in, scratch, &sink);
	heard.count = 0;
	in = (struct inspection){
		.data = answer, .length = (uint32_t)answer_length, .packet = packet};
	classifier_dns.inspect(&in, scratch, &sink);
}

/* cam.cloud.example -> edge.net -> 192.0.2.1, in both orders, with an unrelated address beside. */
static void
test_dns_answer(void)
{
#define ANSWER_HEADER "\0\1\x81\x80\0\1\0\3\0\0\0\0" QUESTION
#define ALIAS         "\xc0\x0c\0\5\0\1\0\0\0\1\0\x0a\4edge\3net\0"
#define ADDRESS       "\4edge\3net\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"
#define UNRELATED     "\5other\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\2"
	static const char usual[] = ANSWER_HEADER ALIAS ADDRESS UNRELATED;
	static const char reversed[] = ANSWER_HEADER UNRELATED ADDRESS ALIAS;
	static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION;
	static const char other_id[] = "\0\2\1\0\0\1\0\0\0\0\0\0" QUESTION;
	static const char other_name[] = "\0\1\1\0\0\1\0\0\0\0\0\0"
					 "\3cam\5clone\7example\0\0\1\0\1";
	struct packet packet = datagram("10.0.0.1", 53, "10.0.0.5", 40000);
	const struct evidence *evidence;

	for (int i = 0; i < 2; i++) {
		hear_answer(BYTES(query), &packet, i ? reversed : usual, sizeof(usual) - 1);
		CU_ASSERT_EQUAL(heard.count, 1);
		evidence = heard_find(&heard, ATTRIBUTE_DNS_NAME, SIDE_PEER, "cam.cloud.example");
		CU_ASSERT_TRUE_FATAL(heard_about(evidence, "192.0.2.1", ""));
		CU_ASSERT_TRUE(ip_equal(&evidence->peer.ip, &packet.destination));
	}
	classify_damaged(&classifier_dns, &packet, BYTES(usual));
	/* Forged: nobody asked, or asked something else. */
	hear_from(&classifier_dns, &packet, BYTES(usual));
	CU_ASSERT_EQUAL(heard.count, 0);
	hear_answer(BYTES(other_id), &packet, BYTES(usual));
	CU_ASSERT_EQUAL(heard.count, 0);
	hear_answer(BYTES(other_name), &packet, BYTES(usual));
	CU_ASSERT_EQUAL(heard.count, 0);
	packet.source_port = 5300; /* not from a server */
	hear_answer(BYTES(query), &packet, BYTES(usual));
	CU_ASSERT_EQUAL(heard.count, 0);
}

static void
test_dns_alias_chain_in_any_order(void)
{
	static const char message[] = "\0\1\x81\x80\0\1\0\3\0\0\0\0\1q\0\0\1\0\1"
				      "\1b\0\0\5\0\1\0\0\0\1\0\3\1c\0"
				      "\1q\0\0\5\0\1\0\0\0\1\0\3\1b\0"
				      "\1c\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1";
	static const char loop[] = "\0\1\x81\x80\0\1\0\3\0\0\0\0\1q\0\0\1\0\1"
				   "\1b\0\0\5\0\1\0\0\0\1\0\3\1q\0"
				   "\1q\0\0\5\0\1\0\0\0\1\0\3\1b\0"
				   "\1c\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1";
	static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\1q\0\0\1\0\1";
	struct packet packet = datagram("10.0.0.1", 53, "10.0.0.5", 40000);

	hear_answer(BYTES(query), &packet, BYTES(message));
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_DNS_NAME, SIDE_PEER, "q"));
	hear_answer(BYTES(query), &packet, BYTES(loop));
	CU_ASSERT_EQUAL(heard.count, 0);
}

static void
test_dns_over_tcp(void)
{
	static const char query[] = "\0\x23\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION;
	const struct report_sink sink = {.context = &heard, .evidence = hear};
	struct packet packet = datagram("10.0.0.5", 40000, "10.0.0.1", 53);
	struct inspection in = {.data = (const uint8_t *)query, .packet = &packet, .stream = true};
	uint64_t scratch[CLASSIFIER_SCRATCH_MAX / 8] = {0};

	heard.count = 0;
	in.length = 20; /* half a message: wait for the rest */
	CU_ASSERT_EQUAL(classifier_dns.inspect(&in, scratch, &sink), CLASSIFIER_MORE);
	CU_ASSERT_EQUAL(in.consumed, 0);
	CU_ASSERT_EQUAL(heard.count, 0);
	in.length = sizeof(query) - 1;
	CU_ASSERT_EQUAL(classifier_dns.inspect(&in, scratch, &sink), CLASSIFIER_MORE);
	CU_ASSERT_EQUAL(in.consumed, sizeof(query) - 1);
	CU_ASSERT_EQUAL(heard.count, 1);
	in.data = (const uint8_t *)"\x40\0x"; /* larger than the stream buffer: passed by */
	in.length = 3;
	in.consumed = 0;
	CU_ASSERT_EQUAL(classifier_dns.inspect(&in, scratch, &sink), CLASSIFIER_MORE);
	CU_ASSERT_EQUAL(in.consumed, 0x4002);
	in.gap = true;
	CU_ASSERT_EQUAL(classifier_dns.inspect(&in, scratch, &sink), CLASSIFIER_DONE);
}

/* "Door._axis-video._tcp.local" at door.local, with a TXT record and the address 10.0.0.<end>. */
#define ANNOUNCEMENT(ttl, end)                                                                     \
	"\0\0\x84\0\0\0\0\4\0\0\0\0"                                                               \
	"\x0b_axis-video\4_tcp\5local\0\0\x0c\0\1\0\0\0" ttl "\0\x07\4Do.r\xc0\x0c"                \
	"\4Do.r\xc0\x0c\0\x21\x80\1\0\0\0" ttl "\0\x0d\0\0\0\0\0\x50\4door\xc0\x1d"                \
	"\4Do.r\xc0\x0c\0\x10\x80\1\0\0\0" ttl "\0\x1e\x17macaddress=001122334401\5foo=1"          \
	"\4door\xc0\x1d\0\1\x80\1\0\0\0" ttl "\0\4\x0a\0\0" end

static void
test_mdns_announcement(void)
{
	static const char message[] = ANNOUNCEMENT("\x78", "\5");
	struct packet packet = datagram("10.0.0.5", 5353, "224.0.0.251", 5353);

	hear_from(&classifier_mdns, &packet, BYTES(message));
	CU_ASSERT_EQUAL(heard.count, 3);
	CU_ASSERT_TRUE(heard_about(heard_find(&heard, ATTRIBUTE_MDNS_INSTANCE, SIDE_DEVICE,
					   "Do\\.r._axis-video._tcp.local"),
		"10.0.0.5", CLIENT_MAC));
	CU_ASSERT_PTR_NOT_NULL(heard_find(&heard, ATTRIBUTE_MDNS_HOST, SIDE_DEVICE, "door.local"));
	CU_ASSERT_PTR_NOT_NULL(
		heard_find(&heard, ATTRIBUTE_MDNS_TXT, SIDE_DEVICE, "macaddress=001122334401"));
	classify_damaged(&classifier_mdns, &packet, BYTES(message));
	packet.source_port = 40000;
	hear_from(&classifier_mdns, &packet, BYTES(message));
	CU_ASSERT_EQUAL(heard.count, 0);
}

static void
test_mdns_goodbye(void)
{
	static const char message[] = ANNOUNCEMENT("\0", "\5");
	struct packet packet = datagram("10.0.0.5", 5353, "224.0.0.251", 5353);

	hear_from(&classifier_mdns, &packet, BYTES(message));
	CU_ASSERT_EQUAL(heard.count, 0);
}

/* A repeater sends the camera's announcement from its own address: it is no camera. */
static void
test_mdns_repeater(void)
{
	static const char message[] = ANNOUNCEMENT("\x78", "\5");
	struct packet packet = datagram("10.9.0.1", 5353, "224.0.0.251", 5353);

	hear_from(&classifier_mdns, &packet, BYTES(message));
	CU_ASSERT_EQUAL(heard.count, 3);
	for (size_t i = 0; i < heard.count; i++) {
		CU_ASSERT_EQUAL(heard.items[i].side, SIDE_PEER);
		CU_ASSERT_TRUE(heard_about(&heard.items[i], "10.0.0.5", ""));
	}
}

static void
test_mdns_queries(void)
{
	static const char query[] =
		"\0\0\0\0\0\1\0\0\0\0\0\0\x0b_axis-video\4_tcp\5local\0\0\x0c\0\1";
	static const char probe[] = "\0\0\0\0\0\1\0\0\0\1\0\0\4door\5local\0\0\xff\0\1"
				    "\xc0\x0c\0\1\0\1\0\0\0\x78\0\4\x0a\0\0\5";
	struct packet packet = datagram("10.0.0.7", 5353, "224.0.0.251", 5353);

	hear_from(&classifier_mdns, &packet, BYTES(query));
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_TRUE(heard_about(
		heard_find(&heard, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "mdns"), "10.0.0.7", CLIENT_MAC));
	hear_from(&classifier_mdns, &packet, BYTES(probe)); /* for its own name: not a search */
	CU_ASSERT_EQUAL(heard.count, 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"arp", test_arp},
		{"dhcp client", test_dhcp_client},
		{"dhcp long parameter list", test_dhcp_long_parameter_list},
		{"dhcp server", test_dhcp_server},
		{"dns query", test_dns_query},
		{"dns answer", test_dns_answer},
		{"dns alias chain in any order", test_dns_alias_chain_in_any_order},
		{"dns over tcp", test_dns_over_tcp},
		{"mdns announcement", test_mdns_announcement},
		{"mdns goodbye", test_mdns_goodbye},
		{"mdns repeater", test_mdns_repeater},
		{"mdns queries", test_mdns_queries},
		CU_TEST_INFO_NULL,
	};

	return unit_run("names", tests);
}
