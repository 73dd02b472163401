/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/device_table.h"
#include "classifiers/devices/knowledge.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static struct knowledge *knowledge;
static unsigned reports;

static void
count_report(void *context, const struct device_record *device)
{
	(void)context;
	(void)device;
	reports++;
}

static struct device_table *
new_table(uint32_t max)
{
	struct config_devices config = {.max = max, .forget_after_s = 3600, .router_addresses = 8};

	reports = 0;
	return device_table_create(&config, knowledge, count_report, NULL);
}

static struct evidence
fact(const char *mac, const char *ip, enum evidence_attribute attribute, enum evidence_side side,
	const char *value)
{
	struct evidence evidence = {
		.time = 1000 * SECOND, .attribute = (uint8_t)attribute, .side = (uint8_t)side};

	if (mac)
		mac_parse(mac, &evidence.subject.mac);
	if (ip)
		ip_parse(ip, &evidence.subject.ip);
	evidence_set_value(&evidence, value, strlen(value));
	return evidence;
}

static void
say(struct device_table *table, const char *mac, const char *ip, enum evidence_attribute attribute,
	enum evidence_side side, const char *value)
{
	struct evidence evidence = fact(mac, ip, attribute, side, value);

	device_table_evidence(table, &evidence);
}

static const struct device_record *
at(struct device_table *table, const char *ip)
{
	struct ip_address address;

	ip_parse(ip, &address);
	return device_table_find(table, 0, &address, NULL);
}

struct said {
	enum evidence_attribute attribute;
	enum evidence_side side;
	const char *value;
};

static float
account_total(const struct device_account *account)
{
	float total = account->prior;

	for (int i = 0; i < CHANNEL_COUNT; i++) {
		total += account->supports[i].counted - account->opposes[i].counted;
		CU_ASSERT(account->supports[i].counted <= account->supports[i].raw + 1e-4f);
	}
	return account->factor / (1 + expf(-total));
}

/* What is published adds up to the confidences, and to the weights of the facts listed. */
static void
check_accounts(const struct device_record *device)
{
	float sums[CHANNEL_COUNT] = {0};
	bool video = device->device_class <= DEVICE_DOORBELL;

	if (device->device_class != DEVICE_UNKNOWN)
		CU_ASSERT_DOUBLE_EQUAL(
			account_total(&device->class_account), device->confidence, 1e-4);
	if (device->brand[0] || device->maker[0])
		CU_ASSERT_DOUBLE_EQUAL(
			account_total(&device->vendor_account), device->brand_confidence, 1e-4);
	for (unsigned i = 0; i < device->fact_count; i++) {
		const struct device_fact *fact = &device->facts[i];

		if (video ? fact->says_class >= DEVICE_CAMERA && fact->says_class <= DEVICE_DOORBELL
			  : fact->says_class == device->device_class)
			sums[fact->channel] += fact->weight_class;
	}
	for (int i = 0; i < CHANNEL_COUNT; i++)
		CU_ASSERT_DOUBLE_EQUAL(sums[i], device->class_account.supports[i].raw, 1e-4);
}

/* What a host is by what is said of it. */
static const struct {
	const char *name;
	const char *mac;
	struct said said[8];
	enum device_class device_class;
	const char *brand;
	const char *maker;
	enum vendor_status status;
	float low, high;
} verdicts[] = {
	{"SADP reply of an EZVIZ camera", "d4:b7:61:6f:c4:99",
		{{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp"},
			{ATTRIBUTE_SADP_MODEL, SIDE_DEVICE, "CS-CV206-C0-1A1WFR"}},
		DEVICE_CAMERA, "ezviz", "hikvision", STATUS_RESTRICTED, 0.9f, 1},
	{"SADP probe", "3c:28:6d:1f:5b:68", {{ATTRIBUTE_PROTOCOL, SIDE_TOOL, "sadp"}},
		DEVICE_UNKNOWN, "", "", STATUS_UNKNOWN, 0, 0},
	{"Dahua family by realm, SDP and stream", "02:00:00:00:00:01",
		{{ATTRIBUTE_RTSP_REALM, SIDE_DEVICE, "Login to 4H01D66PAJ2FA64"},
			{ATTRIBUTE_SDP_ATTRIBUTE, SIDE_DEVICE, "packetization-supported:DH"},
			{ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, "h264"}},
		DEVICE_CAMERA, "dahua", "dahua", STATUS_RESTRICTED, 0.9f, 1},
	{"D-Link camera by its announcements", "02:00:00:00:00:02",
		{{ATTRIBUTE_SSDP_TYPE, SIDE_DEVICE, "hnap:NetworkCamera"},
			{ATTRIBUTE_MDNS_TXT, SIDE_DEVICE, "model_number=DCS-935L"},
			{ATTRIBUTE_DHCP_HOSTNAME, SIDE_DEVICE, "DCS-935L"}},
		DEVICE_CAMERA, "dlink", "", STATUS_ALLOWED, 0.8f, 1},
	{"D-Link plug", "02:00:00:00:00:03",
		{{ATTRIBUTE_MDNS_TXT, SIDE_DEVICE, "model_number=DSP-W215"},
			{ATTRIBUTE_MDNS_TXT, SIDE_DEVICE, "mydlink=true"},
			{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "mp-eu-signal.mydlink.com"}},
		DEVICE_OTHER, "dlink", "", STATUS_ALLOWED, 0.8f, 1},
	{"Reolink by protocol", "02:00:00:00:00:04",
		{{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan"}}, DEVICE_CAMERA, "reolink",
		"reolink", STATUS_RESTRICTED_PRC, 0.8f, 1},
	{"Hikvision recorder", "02:00:00:00:00:05",
		{{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp"},
			{ATTRIBUTE_SADP_MODEL, SIDE_DEVICE, "DS-7608NI-K2"}},
		DEVICE_RECORDER, "hikvision", "hikvision", STATUS_RESTRICTED, 0.8f, 1},
	{"one prefix of a camera maker", "04:03:12:00:00:01",
		{{ATTRIBUTE_DHCP_VENDOR_CLASS, SIDE_DEVICE, "x"}}, DEVICE_UNKNOWN, "hikvision",
		"hikvision", STATUS_RESTRICTED, 0, 0},
	{"phone with a camera application", "02:00:00:00:00:06",
		{{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "dev.hik-connect.com"},
			{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "cas.ys7.com"},
			{ATTRIBUTE_TLS_SNI, SIDE_DEVICE, "apiieu.hik-connect.com"},
			{ATTRIBUTE_DHCP_HOSTNAME, SIDE_DEVICE, "Annas-iPhone"}},
		DEVICE_OTHER, "", "", STATUS_UNKNOWN, 0.5f, 1},
	{"PC with a video client", "02:00:00:00:00:07",
		{{ATTRIBUTE_RTSP_USER_AGENT, SIDE_TOOL, "LibVLC/3.0.17"},
			{ATTRIBUTE_VIDEO_VIEWER, SIDE_TOOL, "h264"}},
		DEVICE_VIEWER, "", "", STATUS_UNKNOWN, 0.5f, 1},
	{"single-board RTSP server", "02:00:00:00:00:08",
		{{ATTRIBUTE_RTSP_PUBLIC, SIDE_DEVICE, "OPTIONS, DESCRIBE, PLAY"},
			{ATTRIBUTE_RTSP_PATH, SIDE_DEVICE, "/test"},
			{ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, "h264"}},
		DEVICE_CAMERA, "", "", STATUS_UNKNOWN, 0.5f, 0.8f},
	{"rebadged unit", "02:00:00:00:00:09",
		{{ATTRIBUTE_ONVIF_MANUFACTURER, SIDE_DEVICE, "Lorex"},
			{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "dhdiscover"}},
		DEVICE_CAMERA, "lorex", "dahua", STATUS_RESTRICTED, 0.8f, 1},
	{"PC with applications of makers", "02:00:00:00:00:0b",
		{{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "dahua-p2p"},
			{ATTRIBUTE_PROTOCOL, SIDE_TOOL, "dhdiscover"},
			{ATTRIBUTE_PROTOCOL, SIDE_TOOL, "pppp"},
			{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "www.easy4ipcloud.com"},
			{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "dev.hik-connect.com"},
			{ATTRIBUTE_TLS_SNI, SIDE_DEVICE, "p2p.reolink.com"}},
		DEVICE_UNKNOWN, "", "", STATUS_UNKNOWN, 0, 0},
	{"one strong fact", "02:00:00:00:00:0a",
		{{ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "App-webs/"}}, DEVICE_UNKNOWN, "hikvision",
		"hikvision", STATUS_RESTRICTED, 0, 0},
};

static void
test_verdicts(void)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct device_table *table = new_table(64);
		const struct device_record *device;
		bool good;

		for (size_t j = 0; j < 8 && verdicts[i].said[j].value; j++)
			say(table, verdicts[i].mac, "192.168.1.5", verdicts[i].said[j].attribute,
				verdicts[i].said[j].side, verdicts[i].said[j].value);
		device = at(table, "192.168.1.5");
		CU_ASSERT_PTR_NOT_NULL_FATAL(device);
		good = device->device_class == verdicts[i].device_class &&
		       strcmp(device->brand, verdicts[i].brand) == 0 &&
		       strcmp(device->maker, verdicts[i].maker) == 0 &&
		       device->status == verdicts[i].status &&
		       device->confidence >= verdicts[i].low &&
		       device->confidence <= verdicts[i].high;
		if (!good)
			printf("\n%s: %s brand '%s' maker '%s' %s %.2f\n", verdicts[i].name,
				device_class_name(device->device_class), device->brand,
				device->maker, vendor_status_name(device->status),
				device->confidence);
		CU_ASSERT(good);
		for (unsigned j = 0; j < device->fact_count; j++)
			CU_ASSERT(device->facts[j].weight_class == 0 ||
				  device->facts[j].source[0] != '\0');
		check_accounts(device);
		device_table_free(table);
	}
}

static bool
is_estate(void *context, const struct ip_address *ip)
{
	(void)context;
	return ip->bytes[0] == 203;
}

/* A host of the estate by ARP that came after all else: the verdict is made again. */
static void
test_a_late_binding_counts(void)
{
	static const char mac[] = "02:00:00:00:01:00", ip[] = "8.8.8.8";
	struct device_table *table = new_table(64);

	say(table, mac, ip, ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "D-Link Internet Camera");
	say(table, mac, ip, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	CU_ASSERT_EQUAL(at(table, ip)->device_class, DEVICE_UNKNOWN);
	say(table, mac, ip, ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "x");
	CU_ASSERT_EQUAL(at(table, ip)->device_class, DEVICE_CAMERA);
	device_table_free(table);
}

/* Servers on the Internet are nobody's cameras, whatever they answer. */
static void
test_internet_is_not_accused(void)
{
	static const struct {
		const char *mac, *ip;
		bool own_link;
		enum device_class device_class;
	} cases[] = {
		{NULL, "8.8.8.8", false, DEVICE_UNKNOWN},
		{"02:00:00:00:01:00", "8.8.8.8", false, DEVICE_UNKNOWN}, /* the gateway's MAC */
		{NULL, "2a00:1450::1", false, DEVICE_UNKNOWN},
		{NULL, "203.0.113.7", false, DEVICE_CAMERA}, /* public, but the estate's */
		{NULL, "10.1.1.1", false, DEVICE_CAMERA},
		{"02:00:00:00:01:00", "8.8.8.8", true, DEVICE_CAMERA}, /* ARP: on our link */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_table *table = new_table(64);
		const struct device_record *device;

		device_table_set_estate(table, is_estate, NULL);
		if (cases[i].own_link)
			say(table, cases[i].mac, cases[i].ip, ATTRIBUTE_ARP_BINDING, SIDE_DEVICE,
				"x");
		say(table, cases[i].mac, cases[i].ip, ATTRIBUTE_TLS_SUBJECT, SIDE_DEVICE,
			"O=HIKVISION, CN=x");
		say(table, cases[i].mac, cases[i].ip, ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE,
			"D-Link Internet Camera");
		say(table, cases[i].mac, cases[i].ip, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
		device = at(table, cases[i].ip);
		CU_ASSERT_PTR_NOT_NULL_FATAL(device);
		CU_ASSERT_EQUAL(device->device_class, cases[i].device_class);
		CU_ASSERT_EQUAL(device->brand[0] != 0, cases[i].device_class != DEVICE_UNKNOWN);
		CU_ASSERT_EQUAL(
			device->status == STATUS_UNKNOWN, cases[i].device_class == DEVICE_UNKNOWN);
		check_accounts(device);
		device_table_tick(table, 1001 * SECOND, true);
		CU_ASSERT_EQUAL(reports, cases[i].device_class != DEVICE_UNKNOWN);
		device_table_free(table);
	}
}

/* A gateway with forwarded ports speaks with the camera's voice; what it says of itself counts. */
static void
test_gateway_in_front_of_a_camera(void)
{
	struct device_table *table = new_table(64);
	const struct device_record *device;
	const char *mac = "02:00:00:00:02:00", *ip = "192.168.1.1";

	say(table, mac, ip, ATTRIBUTE_RTSP_REALM, SIDE_DEVICE, "Login to 4H01D66PAJ2FA64");
	say(table, mac, ip, ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "App-webs/");
	say(table, mac, ip, ATTRIBUTE_VIDEO_SOURCE, SIDE_DEVICE, "h264");
	CU_ASSERT_EQUAL(at(table, ip)->device_class, DEVICE_CAMERA);
	say(table, mac, ip, ATTRIBUTE_SSDP_TYPE, SIDE_DEVICE,
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1");
	device = at(table, ip);
	CU_ASSERT_EQUAL(device->device_class, DEVICE_OTHER);
	CU_ASSERT_STRING_EQUAL(device->brand, "");
	CU_ASSERT_EQUAL(device->status, STATUS_UNKNOWN);
	check_accounts(device);
	say(table, mac, ip, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "dahua-p2p");
	CU_ASSERT_EQUAL(at(table, ip)->device_class, DEVICE_OTHER);
	device_table_free(table);
}

static void
test_router_gives_facts_to_addresses(void)
{
	struct device_table *table = new_table(64);
	const char *router = "02:00:00:00:01:00";

	say(table, router, "192.168.1.1", ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "x");
	say(table, router, "192.168.1.1", ATTRIBUTE_HTTP_TITLE, SIDE_DEVICE, "Router");
	say(table, router, "8.8.8.8", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	CU_ASSERT_EQUAL(at(table, "8.8.8.8")->fact_count, 1);
	CU_ASSERT_EQUAL(at(table, "192.168.1.1")->device_class, DEVICE_UNKNOWN);
	CU_ASSERT_PTR_NOT_EQUAL(at(table, "8.8.8.8"), at(table, "192.168.1.1"));
	device_table_free(table);
}

static void
test_many_addresses_make_a_router(void)
{
	struct device_table *table = new_table(64);
	char ip[32];

	say(table, "02:00:00:00:01:00", "10.0.0.1", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	for (int i = 2; i < 12; i++) {
		snprintf(ip, sizeof(ip), "10.0.0.%d", i);
		say(table, "02:00:00:00:01:00", ip, ATTRIBUTE_HTTP_TITLE, SIDE_DEVICE, ip);
	}
	CU_ASSERT_EQUAL(at(table, "10.0.0.1")->device_class, DEVICE_CAMERA);
	CU_ASSERT_EQUAL(at(table, "10.0.0.2")->device_class, DEVICE_UNKNOWN);
	CU_ASSERT_EQUAL(at(table, "10.0.0.11")->device_class, DEVICE_UNKNOWN);
	device_table_free(table);
}

static void
test_bound_addresses_keep_their_facts(void)
{
	struct device_table *table = new_table(64);

	say(table, "02:00:00:00:00:01", "10.0.0.5", ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "x");
	say(table, "02:00:00:00:00:02", "10.0.0.5", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp");
	CU_ASSERT_EQUAL(at(table, "10.0.0.5")->mac.bytes[5], 1);
	/* Said from another MAC: kept, as hearsay that names nobody. */
	CU_ASSERT_EQUAL(at(table, "10.0.0.5")->facts[0].side, SIDE_PEER);
	CU_ASSERT_EQUAL(at(table, "10.0.0.5")->status, STATUS_UNKNOWN);
	/* A new lease moves the address, not the device. */
	say(table, "02:00:00:00:00:01", "10.0.0.9", ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "x");
	CU_ASSERT_PTR_EQUAL(at(table, "10.0.0.9"), at(table, "10.0.0.5"));
	say(table, "02:00:00:00:00:03", "10.0.0.9", ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "x");
	CU_ASSERT_EQUAL(at(table, "10.0.0.9")->mac.bytes[5], 3);
	device_table_free(table);
}

/* However much others say of a host, it is neither a camera nor of a restricted maker by that. */
static void
test_hearsay_accuses_nobody(void)
{
	static const struct said hearsay[] = {
		{ATTRIBUTE_PROTOCOL, SIDE_PEER, "sadp"},
		{ATTRIBUTE_PROTOCOL, SIDE_PEER, "baichuan"},
		{ATTRIBUTE_PROTOCOL, SIDE_PEER, "dhdiscover"},
		{ATTRIBUTE_SADP_MODEL, SIDE_PEER, "DS-2CD2042WD-I"},
		{ATTRIBUTE_SADP_MODEL, SIDE_PEER, "CS-CV206-C0-1A1WFR"},
		{ATTRIBUTE_HTTP_SERVER, SIDE_PEER, "App-webs/"},
		{ATTRIBUTE_ONVIF_MANUFACTURER, SIDE_PEER, "HIKVISION"},
		{ATTRIBUTE_TLS_SUBJECT, SIDE_PEER, "O=HIKVISION, CN=x"},
		{ATTRIBUTE_RTSP_REALM, SIDE_PEER, "Login to 4H01D66PAJ2FA64"},
		{ATTRIBUTE_VIDEO_SOURCE, SIDE_PEER, "h264"},
	};
	struct device_table *table = new_table(64);
	const char *mac = "02:00:00:00:00:01", *ip = "10.0.0.5";

	for (size_t i = 0; i < sizeof(hearsay) / sizeof(hearsay[0]); i++) {
		const struct device_record *device;

		say(table, mac, ip, hearsay[i].attribute, hearsay[i].side, hearsay[i].value);
		device = at(table, ip);
		CU_ASSERT_EQUAL(device->device_class, DEVICE_UNKNOWN);
		CU_ASSERT_EQUAL(device->status, STATUS_UNKNOWN);
		CU_ASSERT(device->confidence < 0.5f);
		check_accounts(device);
	}
	/* Its own word does, and hearsay may add to it. */
	say(table, mac, ip, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp");
	CU_ASSERT_EQUAL(at(table, ip)->device_class, DEVICE_CAMERA);
	CU_ASSERT_EQUAL(at(table, ip)->status, STATUS_RESTRICTED);
	check_accounts(at(table, ip));
	device_table_free(table);
}

static void
test_flood_spares_the_identified(void)
{
	struct device_table *table = new_table(256);
	struct evidence evidence =
		fact("02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "nginx");
	struct timespec start, end;
	unsigned seed = 7;

	say(table, "06:00:00:00:00:01", "172.16.0.1", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 100000; i++) {
		for (int j = 0; j < 6; j++)
			evidence.subject.mac.bytes[j] = (uint8_t)rand_r(&seed);
		for (int j = 1; j < 4; j++)
			evidence.subject.ip.bytes[j] = (uint8_t)rand_r(&seed);
		for (int j = 0; j < EVIDENCE_VALUE_SIZE - 1; j++)
			evidence.value[j] = (char)(rand_r(&seed) & 0x7f);
		evidence.attribute = (uint8_t)(rand_r(&seed) % ATTRIBUTE_COUNT);
		evidence.side = (uint8_t)(rand_r(&seed) % 4);
		device_table_evidence(table, &evidence);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("\n%.0f ns per hostile evidence\n", ((double)(end.tv_sec - start.tv_sec) * 1e9 +
							   (double)(end.tv_nsec - start.tv_nsec)) /
							   1e5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at(table, "172.16.0.1"));
	CU_ASSERT_EQUAL(at(table, "172.16.0.1")->device_class, DEVICE_CAMERA);
	device_table_free(table);
}

static void
test_reports_are_limited(void)
{
	struct device_table *table = new_table(64);

	say(table, "02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	device_table_tick(table, 1001 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 1);
	say(table, "02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_ONVIF_MODEL, SIDE_DEVICE, "RLC-410");
	device_table_tick(table, 1002 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 1);
	device_table_tick(table, 1030 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 2);
	/* Alerts wait for a verdict: a new one is told sooner than a new detail, but not at once.
	 */
	say(table, "02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp");
	device_table_tick(table, 1001 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 2);
	device_table_tick(table, 1003 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 3);
	device_table_tick(table, 9000 * SECOND, true);
	CU_ASSERT_EQUAL(reports, 3);
	CU_ASSERT_PTR_NULL(at(table, "10.0.0.1"));
	device_table_free(table);
}

/* Seen again and again without a change: told anew now and then, so that last_seen stays true. */
static void
test_the_unchanged_is_told_again(void)
{
	struct device_table *table = new_table(64); /* forgets after an hour: tells each 150 s */
	struct flow_record flow = {.answered = true};

	ip_parse("10.0.0.1", &flow.initiator.ip);
	ip_parse("10.0.0.2", &flow.responder.ip);
	mac_parse("02:00:00:00:00:02", &flow.initiator_mac);
	mac_parse("02:00:00:00:00:01", &flow.responder_mac);
	flow.initiator.ip.bytes[3] = 2;
	flow.responder.ip.bytes[3] = 1;
	say(table, "02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "baichuan");
	device_table_tick(table, 1001 * SECOND, false);
	CU_ASSERT_EQUAL(reports, 1);
	for (int64_t t = 1010; t <= 4600; t += 10) {
		flow.end = t * SECOND;
		device_table_flow(table, &flow);
		device_table_tick(table, t * SECOND, false);
	}
	CU_ASSERT_EQUAL(reports, 1 + 3600 / 150);
	CU_ASSERT_EQUAL(at(table, "10.0.0.1")->last_seen, 4600 * SECOND);
	/* Silence is not told. */
	device_table_tick(table, 5000 * SECOND, true);
	CU_ASSERT_EQUAL(reports, 1 + 3600 / 150);
	device_table_free(table);
}

static void
test_secrets_are_masked(void)
{
	struct device_table *table = new_table(64);
	const struct device_record *device;

	say(table, "02:00:00:00:00:01", "10.0.0.1", ATTRIBUTE_RTSP_PATH, SIDE_DEVICE,
		"/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp");
	device = at(table, "10.0.0.1");
	for (unsigned i = 0; i < device->fact_count; i++)
		CU_ASSERT_PTR_NULL(strstr(device->facts[i].value, "tlJwpbo6"));
	device_table_free(table);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"verdicts", test_verdicts},
		{"a late binding counts", test_a_late_binding_counts},
		{"the Internet is not accused", test_internet_is_not_accused},
		{"a gateway in front of a camera", test_gateway_in_front_of_a_camera},
		{"a router gives facts to addresses", test_router_gives_facts_to_addresses},
		{"many addresses make a router", test_many_addresses_make_a_router},
		{"bound addresses keep their facts", test_bound_addresses_keep_their_facts},
		{"hearsay accuses nobody", test_hearsay_accuses_nobody},
		{"a flood spares the identified", test_flood_spares_the_identified},
		{"reports are limited", test_reports_are_limited},
		{"the unchanged is told again", test_the_unchanged_is_told_again},
		{"secrets are masked", test_secrets_are_masked},
		CU_TEST_INFO_NULL,
	};
	char error[512];
	int result;

	knowledge = knowledge_load("config", "", error, sizeof(error));
	if (!knowledge) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	result = unit_run("devices", tests);
	knowledge_free(knowledge);
	return result;
}
