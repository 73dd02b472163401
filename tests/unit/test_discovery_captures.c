/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery facts of real captures. With capture files as arguments it prints the facts of each
 * instead, for a critical reader. */
#include "tests/unit/capture_feed.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 4096

struct fact {
	struct evidence evidence;
	unsigned count;
};

struct facts {
	struct fact items[FACTS_MAX];
	size_t count;
};

static struct facts facts;
static struct dispatch *dispatch;

static bool
same_fact(const struct evidence *a, const struct evidence *b)
{
	return a->attribute == b->attribute && a->side == b->side &&
	       ip_equal(&a->subject.ip, &b->subject.ip) &&
	       mac_equal(&a->subject.mac, &b->subject.mac) && strcmp(a->value, b->value) == 0;
}

static bool
collect(void *context, const struct evidence *evidence)
{
	size_t i = 0;

	(void)context;
	while (i < facts.count && !same_fact(&facts.items[i].evidence, evidence))
		i++;
	if (i == FACTS_MAX)
		return true;
	if (i == facts.count) {
		facts.items[i] = (struct fact){.evidence = *evidence};
		facts.count++;
	}
	facts.items[i].count++;
	return true;
}

static int
load(const char *path)
{
	static const struct report_sink sink = {.evidence = collect};

	facts.count = 0;
	return capture_feed(path, dispatch, &sink);
}

static void
print_facts(const char *path)
{
	char ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];

	for (size_t i = 0; i < facts.count; i++) {
		const struct evidence *evidence = &facts.items[i].evidence;

		printf("%s\t%s\t%s\t%s\t%s\t%s\t%u\n", path,
			evidence_attribute_name(evidence->attribute),
			evidence_side_name(evidence->side), ip_format(&evidence->subject.ip, ip),
			mac_format(&evidence->subject.mac, mac), evidence->value,
			facts.items[i].count);
	}
}

static const char *directory;

/* Loads a capture below the folder of captures; skips the test with one line where it is absent. */
static bool
load_capture(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (load(path) == 0)
		return true;
	printf("\n    skipped: no capture %s ", name);
	return false;
}

static bool
heard_of(const char *mac, enum evidence_attribute attribute, enum evidence_side side,
	const char *value)
{
	struct mac_address wanted;

	mac_parse(mac, &wanted);
	for (size_t i = 0; i < facts.count; i++) {
		const struct evidence *evidence = &facts.items[i].evidence;

		if (evidence->attribute == attribute && evidence->side == side &&
			mac_equal(&evidence->subject.mac, &wanted) &&
			strcmp(evidence->value, value) == 0)
			return true;
	}
	return false;
}

static bool
is_vendor_fact(const struct evidence *evidence)
{
	enum evidence_channel channel = evidence_attribute_channel(evidence->attribute);

	return evidence->side == SIDE_DEVICE &&
	       (channel == CHANNEL_DISCOVERY || channel == CHANNEL_PROTOCOL);
}

/* A camera answers a phone's search: the camera is described, the phone only searched. */
static void
test_sadp_between_phone_and_camera(void)
{
	static const char camera[] = "d4:b7:61:6f:c4:99", phone[] = "3c:28:6d:1f:5b:68";
	struct mac_address phone_mac;

	if (!load_capture("jflozanor__EZVIZ-Security-Camera-Analysis/Network/"
			  "phone_searching_lan.pcapng"))
		return;
	mac_parse(phone, &phone_mac);
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp"));
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_SADP_MODEL, SIDE_DEVICE, "CS-CV206-C0-1A1WFR"));
	CU_ASSERT_TRUE(
		heard_of(camera, ATTRIBUTE_SADP_FIRMWARE, SIDE_DEVICE, "V5.2.6build 180726"));
	CU_ASSERT_FALSE(heard_of(camera, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "sadp"));
	CU_ASSERT_TRUE(heard_of(phone, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "sadp"));
	for (size_t i = 0; i < facts.count; i++)
		if (mac_equal(&facts.items[i].evidence.subject.mac, &phone_mac))
			CU_ASSERT_FALSE(is_vendor_fact(&facts.items[i].evidence));
}

static void
test_names_of_a_camera(void)
{
	static const char camera[] = "b0:c5:54:25:5b:0e";

	if (!load_capture("andypitcher__IoT_Sentinel/captures_IoT_Sentinel/"
			  "captures_IoT-Sentinel/D-LinkCam/Setup-A-1-STA.pcap"))
		return;
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_DHCP_HOSTNAME, SIDE_DEVICE, "DCS-935L"));
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_ARP_BINDING, SIDE_DEVICE, "10.10.10.37"));
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_MDNS_INSTANCE, SIDE_DEVICE,
		"D-Link DCS-935L Configuration Utility._http._tcp.local"));
	CU_ASSERT_TRUE(heard_of(
		camera, ATTRIBUTE_SSDP_SERVER, SIDE_DEVICE, "Linux,    UPnP/1.0 DCS-935L/1.0"));
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_SSDP_TYPE, SIDE_DEVICE,
		"urn:schemas-upnp-org:device:DCS-935L:1"));
	CU_ASSERT_TRUE(heard_of(camera, ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "signal.mydlink.com"));
}

/* Appliances announce themselves too, but speak no camera maker's protocol. */
static void
test_appliances_speak_no_vendor_protocol(void)
{
	static const char *const captures[] = {"HueBridge/Setup-A-1-STA.pcap",
		"D-LinkSwitch/Setup-A-1-STA.pcap", "EdimaxPlug1101W/Setup-A-1-STA.pcap",
		"WeMoInsightSwitch/Setup-A-1-STA.pcap", "TP-LinkPlugHS110/Setup-A-1-STA.pcap"};
	char name[256];

	for (size_t c = 0; c < sizeof(captures) / sizeof(captures[0]); c++) {
		snprintf(name, sizeof(name), "%s/%s",
			"andypitcher__IoT_Sentinel/captures_IoT_Sentinel/captures_IoT-Sentinel",
			captures[c]);
		if (!load_capture(name))
			continue;
		CU_ASSERT_TRUE(facts.count > 0);
		for (size_t i = 0; i < facts.count; i++)
			CU_ASSERT_FALSE(facts.items[i].evidence.attribute == ATTRIBUTE_PROTOCOL &&
					facts.items[i].evidence.side == SIDE_DEVICE);
	}
}

static int
run_tests(void)
{
	CU_TestInfo tests[] = {
		{"sadp between phone and camera", test_sadp_between_phone_and_camera},
		{"names of a camera", test_names_of_a_camera},
		{"appliances speak no vendor protocol", test_appliances_speak_no_vendor_protocol},
		CU_TEST_INFO_NULL,
	};

	directory = getenv("CAMSPAN_CAPTURES");
	if (directory == NULL)
		directory = "../shared/captures";
	return unit_run("discovery_captures", tests);
}

static int
print_captures(int count, char **paths)
{
	for (int i = 0; i < count; i++) {
		if (load(paths[i]) != 0) {
			fprintf(stderr, "%s: cannot be read\n", paths[i]);
			return 1;
		}
		print_facts(paths[i]);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	int result;

	dispatch = dispatch_create();
	if (dispatch == NULL)
		return 1;
	result = argc > 1 ? print_captures(argc - 1, argv + 1) : run_tests();
	dispatch_free(dispatch);
	return result;
}
