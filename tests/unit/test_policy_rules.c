/* SPDX-License-Identifier: Apache-2.0 */
/* The rules as a specification: given this site, device and flow, this alert or none. */
#include "tests/unit/policy_world.h"

static struct world world;

struct flow_case {
	const char *title;
	const char *from; /* "address port" */
	const char *to;
	uint8_t protocol;
	enum device_class class; /* of the device at 10.20.0.5; UNKNOWN: no device */
	const char *rule;        /* "" no alert */
	bool answered;
	bool uncertain;           /* who began is not known */
	uint8_t flags[2];         /* TCP flags per direction */
	uint8_t icmp;             /* type */
	const char *to_mac;       /* responder's MAC, NULL none */
	const char *expect_zone;  /* NULL: not checked */
	uint8_t expect_severity;  /* 0: not checked */
	const char *expect_words; /* in the reason */
};

static void
run_flow_case(const struct flow_case *c)
{
	struct device_record camera =
		world_device(&world, "00000000000000c1", c->class, "10.20.0.5", CAMERA_MAC);
	struct flow_record flow = world_flow(&world, c->from, c->to, c->protocol, c->answered);
	bool known = c->class != DEVICE_UNKNOWN;
	bool is_initiator = strncmp(c->from, "10.20.0.5 ", 10) == 0 ||
			    strcmp(c->from, "10.20.0.5") == 0 || strncmp(c->from, "2001:", 5) == 0;
	const struct alert_record *alert;

	flow.initiator_certain = !c->uncertain;
	memcpy(flow.tcp_flags, c->flags, 2);
	flow.icmp_type = c->icmp;
	flow.responder_mac = world_mac(c->to_mac);
	if (known)
		policy_device(world.policy, &camera);
	world.alert_count = 0; /* what the device itself is, is not asked here */
	policy_flow(world.policy, &flow, known && is_initiator ? &camera : NULL,
		known && !is_initiator ? &camera : NULL);
	policy_tick(world.policy, world.now + 120 * SECOND, true);
	alert = world_last(&world);
	if (strcmp(alert->rule_id, c->rule) != 0 || world.alert_count != (c->rule[0] ? 1 : 0))
		fprintf(stderr, "\n%s: got %zu alert(s), last '%s' (%s)\n", c->title,
			world.alert_count, alert->rule_id, alert->reason);
	CU_ASSERT_STRING_EQUAL(alert->rule_id, c->rule);
	CU_ASSERT_EQUAL(world.alert_count, c->rule[0] ? 1 : 0);
	if (c->rule[0] == '\0')
		return;
	CU_ASSERT_EQUAL(alert->outcome, c->answered ? OUTCOME_CONNECTED : OUTCOME_ATTEMPTED);
	if (c->expect_zone)
		CU_ASSERT_STRING_EQUAL(alert->zone, c->expect_zone);
	if (c->expect_severity)
		CU_ASSERT_EQUAL(alert->severity, c->expect_severity);
	if (c->expect_words && strstr(alert->reason, c->expect_words) == NULL) {
		fprintf(stderr, "\n%s: reason '%s'\n", c->title, alert->reason);
		CU_FAIL("reason lacks a fact");
	}
}

static void
run_flow_cases(const struct flow_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		world_site(&world);
		world_begin(&world);
		run_flow_case(&cases[i]);
		world_end(&world);
	}
}

#define RUN(cases) run_flow_cases(cases, sizeof(cases) / sizeof((cases)[0]))
#define CORE       "camera-reaches-core"
#define UNEXPECTED "unexpected-destination"
#define SYN        0x02
#define SYN_ACK    0x12
#define ACK        0x10
#define ACK_PUSH   0x18

static void
test_what_is_reported(void)
{
	static const struct flow_case cases[] = {
		{"a camera opens tcp into the core", "10.20.0.5 40000", "10.0.0.9 445", TCP,
			DEVICE_CAMERA, CORE, .answered = true, .expect_zone = "servers",
			.expect_severity = 60,
			.expect_words = "camera (95 %) in cameras began tcp 445 to 10.0.0.9 in "
					"servers (core), answered"},
		{"isolation works: no answer", "10.20.0.5 40000", "10.0.0.9 445", TCP,
			DEVICE_CAMERA, CORE, .expect_words = "no answer"},
		{"a doorbell is a camera", "10.20.0.5 40000", "10.0.0.9 445", TCP, DEVICE_DOORBELL,
			CORE},
		{"IPv6 into the core", "2001:db8:20::5 40000", "2001:db8:1::9 445", TCP,
			DEVICE_CAMERA, CORE},
		{"a recorder in the core is no camera in the core", "10.20.0.5 40000",
			"10.0.0.9 445", TCP, DEVICE_RECORDER, UNEXPECTED},
		{"DNS to the core is not allowed by itself", "10.20.0.5 40000", "10.0.0.53 53", UDP,
			DEVICE_CAMERA, CORE, .answered = true},
		{"the internet", "10.20.0.5 40000", "203.0.113.7 443", TCP, DEVICE_CAMERA,
			UNEXPECTED, .answered = true, .expect_zone = "internet"},
		{"a public resolver", "10.20.0.5 40000", "8.8.8.8 53", UDP, DEVICE_RECORDER,
			UNEXPECTED},
		{"another zone", "10.20.0.5 40000", "10.30.0.8 80", TCP, DEVICE_CAMERA, UNEXPECTED,
			.expect_zone = "desks"},
		{"private space in no zone", "10.20.0.5 40000", "192.168.7.7 80", TCP,
			DEVICE_CAMERA, UNEXPECTED, .expect_zone = "unknown local"},
		{"UDP that nobody asked for", "10.20.0.5 6000", "203.0.113.7 32100", UDP,
			DEVICE_CAMERA, UNEXPECTED, .answered = true},
		{"a ping", "10.20.0.5", "203.0.113.7", ICMP, DEVICE_CAMERA, UNEXPECTED, .icmp = 8},
		{"a discovery port does not hide talk to the internet", "10.20.0.5 3702",
			"203.0.113.7 40000", UDP, DEVICE_CAMERA, UNEXPECTED},
		{"seen from the middle, towards a service port", "10.20.0.5 40000",
			"203.0.113.7 443", TCP, DEVICE_CAMERA, UNEXPECTED, .answered = true,
			.uncertain = true, .flags = {ACK_PUSH, ACK}, .expect_severity = 45,
			.expect_words = "judged from ports"},
		{"seen from the SYN+ACK of a server on", "203.0.113.7 443", "10.20.0.5 40000", TCP,
			DEVICE_CAMERA, UNEXPECTED, .answered = true, .uncertain = true,
			.flags = {SYN_ACK, ACK}},
	};

	RUN(cases);
}

static void
test_what_is_never_reported(void)
{
	static const struct flow_case cases[] = {
		{"a core host polls the camera", "10.0.0.9 40000", "10.20.0.5 554", TCP,
			DEVICE_CAMERA, "", .answered = true},
		{"the same, seen from the middle", "10.20.0.5 554", "10.0.0.9 40000", TCP,
			DEVICE_CAMERA, "", .answered = true, .uncertain = true,
			.flags = {ACK_PUSH, ACK}},
		{"the same, seen from the camera's SYN+ACK on", "10.20.0.5 50000", "10.0.0.9 40000",
			TCP, DEVICE_CAMERA, "", .answered = true, .uncertain = true,
			.flags = {SYN_ACK, ACK}},
		{"who began cannot be told", "10.20.0.5 50000", "10.0.0.9 40000", TCP,
			DEVICE_CAMERA, "", .answered = true, .uncertain = true,
			.flags = {ACK, ACK}},
		{"a peer in its zone", "10.20.0.5 40000", "10.20.0.9 80", TCP, DEVICE_CAMERA, ""},
		{"multicast", "10.20.0.5 40000", "239.255.255.250 1900", UDP, DEVICE_CAMERA, ""},
		{"IPv6 multicast", "2001:db8:20::5 5353", "ff02::fb 5353", UDP, DEVICE_CAMERA, ""},
		{"limited broadcast", "10.20.0.5 40000", "255.255.255.255 37020", UDP,
			DEVICE_CAMERA, ""},
		{"broadcast of a zone's network", "10.20.0.5 137", "198.51.100.255 137", UDP,
			DEVICE_CAMERA, ""},
		{"broadcast by its MAC", "10.20.0.5 37810", "192.168.7.255 37810", UDP,
			DEVICE_CAMERA, "", .to_mac = "ff:ff:ff:ff:ff:ff"},
		{"link-local", "10.20.0.5 40000", "169.254.3.4 80", TCP, DEVICE_CAMERA, ""},
		{"IPv6 link-local", "2001:db8:20::5 40000", "fe80::1 80", TCP, DEVICE_CAMERA, ""},
		{"DHCP renewal with a core server", "10.20.0.5 68", "10.0.0.67 67", UDP,
			DEVICE_CAMERA, "", .answered = true},
		{"DHCPv6", "2001:db8:20::5 546", "2001:db8:1::547 547", UDP, DEVICE_CAMERA, ""},
		{"ICMP unreachable", "10.20.0.5", "10.0.0.9", ICMP, DEVICE_CAMERA, "", .icmp = 3},
		{"echo reply", "10.20.0.5", "10.0.0.9", ICMP, DEVICE_CAMERA, "", .icmp = 0},
		{"ICMPv6 neighbour discovery", "2001:db8:20::5", "2001:db8:1::9", ICMPV6,
			DEVICE_CAMERA, "", .icmp = 135},
		{"reply to a WS-Discovery probe from the core", "10.20.0.5 3702", "10.0.0.9 51000",
			UDP, DEVICE_CAMERA, ""},
		{"reply to a SADP probe from a desk", "10.20.0.5 37020", "10.30.0.9 51000", UDP,
			DEVICE_CAMERA, ""},
		{"a PC may go anywhere", "10.20.0.5 40000", "10.0.0.9 445", TCP, DEVICE_OTHER, ""},
		{"a viewer too", "10.20.0.5 40000", "203.0.113.7 443", TCP, DEVICE_VIEWER, ""},
		{"no device, no accusation", "10.20.0.5 40000", "203.0.113.7 443", TCP,
			DEVICE_UNKNOWN, ""},
	};

	RUN(cases);
}

static void
send_flow(const struct device_record *from_device, const char *from, const char *to,
	uint8_t protocol, bool answered)
{
	struct flow_record flow = world_flow(&world, from, to, protocol, answered);

	policy_flow(world.policy, &flow, from_device, NULL);
}

static void
test_low_confidence_accuses_nobody(void)
{
	struct device_record camera;

	world_site(&world);
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "10.0.0.5", CAMERA_MAC);
	camera.status = STATUS_RESTRICTED;
	camera.confidence = 0.79f;
	policy_device(world.policy, &camera);
	send_flow(&camera, "10.0.0.5 40000", "203.0.113.7 443", TCP, true);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	world_end(&world);
}

static void
test_restricted_vendor(void)
{
	static const struct {
		enum device_class class;
		enum vendor_status status;
		float confidence, brand_confidence;
		bool alert;
	} cases[] = {
		{DEVICE_CAMERA, STATUS_RESTRICTED, 0.95f, 0.95f, true},
		{DEVICE_RECORDER, STATUS_RESTRICTED_PRC, 0.95f, 0.95f, true},
		{DEVICE_DOORBELL, STATUS_RESTRICTED, 0.8f, 0.8f, true},
		{DEVICE_CAMERA, STATUS_REVIEW, 0.95f, 0.95f, false},
		{DEVICE_CAMERA, STATUS_ALLOWED, 0.95f, 0.95f, false},
		{DEVICE_CAMERA, STATUS_UNKNOWN, 0.95f, 0.95f, false},
		{DEVICE_CAMERA, STATUS_RESTRICTED, 0.95f, 0.79f, false},
		{DEVICE_CAMERA, STATUS_RESTRICTED, 0.79f, 0.95f, false},
		{DEVICE_OTHER, STATUS_RESTRICTED, 0.95f, 0.95f, false},
		{DEVICE_VIEWER, STATUS_RESTRICTED, 0.95f, 0.95f, false},
		{DEVICE_UNKNOWN, STATUS_RESTRICTED, 0.95f, 0.95f, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_record device;

		world_site(&world);
		world_begin(&world);
		device = world_device(
			&world, "00000000000000c1", cases[i].class, "10.20.0.5", CAMERA_MAC);
		device.status = (uint8_t)cases[i].status;
		device.confidence = cases[i].confidence;
		device.brand_confidence = cases[i].brand_confidence;
		strcpy(device.brand, "ezviz");
		strcpy(device.maker, "hikvision");
		policy_device(world.policy, &device);
		policy_device(world.policy, &device);
		CU_ASSERT_EQUAL(world.alert_count, cases[i].alert);
		if (cases[i].alert) {
			const struct alert_record *alert = world_last(&world);

			CU_ASSERT_STRING_EQUAL(alert->rule_id, "restricted-vendor-present");
			CU_ASSERT_EQUAL(alert->outcome, OUTCOME_NONE);
			CU_ASSERT_FALSE(ip_is_set(&alert->destination.ip));
			CU_ASSERT_STRING_EQUAL(alert->device_maker, "hikvision");
			CU_ASSERT_PTR_NOT_NULL(
				strstr(alert->reason, "sold as ezviz made by hikvision"));
		}
		world_end(&world);
	}
}

static void
test_camera_on_core_network(void)
{
	static const struct {
		enum device_class class;
		const char *ip, *second_ip, *mac;
		uint16_t vlan;
		bool alert;
	} cases[] = {
		{DEVICE_CAMERA, "10.0.0.5", "", CAMERA_MAC, 0, true},
		{DEVICE_CAMERA, "2001:db8:1::5", "", CAMERA_MAC, 0, true},
		{DEVICE_CAMERA, "10.20.0.5", "2001:db8:1::5", CAMERA_MAC, 0, true},
		{DEVICE_CAMERA, "192.168.1.5", "", CAMERA_MAC, 10, true},
		{DEVICE_CAMERA, "fe80::5", "", CAMERA_MAC, 10, true},
		{DEVICE_CAMERA, "", "", CAMERA_MAC, 10, true},
		{DEVICE_DOORBELL, "10.0.0.5", "", CAMERA_MAC, 0, true},
		/* Its network says where it is, whatever VLAN that network is carried on. */
		{DEVICE_CAMERA, "10.20.0.5", "", CAMERA_MAC, 10, false},
		/* Behind a router the VLAN is the router's. */
		{DEVICE_CAMERA, "192.168.1.5", "", "", 10, false},
		/* It has moved: an old address does not count. */
		{DEVICE_CAMERA, "10.20.0.5", "10.0.0.5", CAMERA_MAC, 0, false},
		{DEVICE_RECORDER, "10.0.0.5", "", CAMERA_MAC, 0, false},
		{DEVICE_OTHER, "10.0.0.5", "", CAMERA_MAC, 0, false},
		{DEVICE_CAMERA, "10.30.0.5", "", CAMERA_MAC, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device_record device;

		world_site(&world);
		world_begin(&world);
		device = world_device(
			&world, "00000000000000c1", cases[i].class, cases[i].ip, cases[i].mac);
		device.vlan = cases[i].vlan;
		if (cases[i].second_ip[0])
			device.ips[device.ip_count++] = world_ip(cases[i].second_ip);
		policy_device(world.policy, &device);
		if (world.alert_count != cases[i].alert)
			fprintf(stderr, "\ncamera-on-core-network: case %zu\n", i);
		CU_ASSERT_EQUAL(world.alert_count, cases[i].alert);
		if (cases[i].alert)
			CU_ASSERT_STRING_EQUAL(world_last(&world)->zone, "servers");
		world_end(&world);
	}
}

static void
test_severity_by_site(void)
{
	struct device_record camera;

	world_site(&world);
	world.config.site.sensitive = true;
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "10.20.0.5", CAMERA_MAC);
	policy_device(world.policy, &camera);
	send_flow(&camera, "10.20.0.5 40000", "203.0.113.7 443", TCP, true);
	CU_ASSERT_EQUAL(world_last(&world)->severity, 90);
	world_end(&world);
}

static void
test_disabled_rules_are_silent(void)
{
	struct device_record camera;

	world_site(&world);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		world.config.policy.rules[rule].enabled = false;
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "10.0.0.5", CAMERA_MAC);
	camera.status = STATUS_RESTRICTED;
	policy_device(world.policy, &camera);
	send_flow(&camera, "10.0.0.5 40000", "203.0.113.7 443", TCP, true);
	send_flow(&camera, "10.0.0.5 40000", "10.0.0.9 443", TCP, true);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	world_end(&world);
}

/* Without zones only the internet is unexpected; a camera in the core has no local peers. */
static void
test_local_peers(void)
{
	struct device_record camera;

	world_config(&world);
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "192.168.1.5", CAMERA_MAC);
	policy_device(world.policy, &camera);
	send_flow(&camera, "192.168.1.5 40000", "192.168.1.1 53", UDP, true);
	send_flow(&camera, "192.168.1.5 40000", "10.9.9.9 80", TCP, true);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	send_flow(&camera, "192.168.1.5 40000", "203.0.113.7 80", TCP, true);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_end(&world);

	world_site(&world);
	world.config.policy.allow_local_peers = false;
	world_begin(&world);
	policy_device(world.policy, &camera);
	send_flow(&camera, "10.20.0.5 40000", "10.20.0.9 80", TCP, true);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_end(&world);

	world_site(&world);
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, "10.0.0.5", CAMERA_MAC);
	policy_device(world.policy, &camera);
	send_flow(&camera, "10.0.0.5 40000", "10.0.0.9 80", TCP, true);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->rule_id, CORE);
	world_end(&world);
}

/* Zones by VLAN only: one record per VLAN that a routed packet crosses, each with one own MAC. */
static void
test_vlan_zones_behind_a_router(void)
{
	struct device_record camera, server, recorder;
	struct flow_record flow;

	world_config(&world);
	world_zone(&world, "cameras", ZONE_CAMERA, "", 20);
	world_zone(&world, "servers", ZONE_CORE, "", 10);
	world_begin(&world);
	camera =
		world_device(&world, "00000000000000c1", DEVICE_CAMERA, "192.168.20.5", CAMERA_MAC);
	camera.vlan = 20;
	server = world_device(
		&world, "00000000000000d1", DEVICE_OTHER, "192.168.10.9", "02:00:00:00:00:09");
	recorder = world_device(
		&world, "00000000000000e1", DEVICE_OTHER, "192.168.20.8", "02:00:00:00:00:08");
	policy_device(world.policy, &camera);

	/* To a peer on its VLAN, known or not. */
	flow = world_flow(&world, "192.168.20.5 40000", "192.168.20.8 80", TCP, true);
	flow.vlan = 20;
	flow.initiator_mac = camera.mac;
	flow.responder_mac = recorder.mac;
	policy_flow(world.policy, &flow, &camera, &recorder);
	policy_flow(world.policy, &flow, &camera, NULL);
	CU_ASSERT_EQUAL(world.alert_count, 0);

	/* Into the core, seen on the core's VLAN: the camera is not taken to be there. */
	flow = world_flow(&world, "192.168.20.5 40000", "192.168.10.9 80", TCP, true);
	flow.vlan = 10;
	flow.initiator_mac = world_mac(ROUTER_MAC);
	flow.responder_mac = server.mac;
	policy_flow(world.policy, &flow, &camera, &server);
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->rule_id, CORE);

	/* A core host polling: its frames on the core's VLAN do not make the camera a visitor. */
	world.alert_count = 0;
	flow = world_flow(&world, "192.168.10.9 40000", "192.168.20.5 554", TCP, true);
	flow.vlan = 10;
	flow.initiator_mac = server.mac;
	flow.responder_mac = world_mac(ROUTER_MAC);
	policy_flow(world.policy, &flow, &server, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	world_end(&world);
}

/* RTP towards a viewer in the core is asked for by the viewer's session, whichever record comes
 * first. */
static void
test_media_that_was_asked_for(void)
{
	for (int order = 0; order < 2; order++) {
		struct device_record camera;
		struct flow_record media, session;

		world_site(&world);
		world_begin(&world);
		camera = world_device(
			&world, "00000000000000c1", DEVICE_CAMERA, "10.20.0.5", CAMERA_MAC);
		policy_device(world.policy, &camera);
		media = world_flow(&world, "10.20.0.5 6970", "10.0.0.9 51002", UDP, true);
		session = world_flow(&world, "10.0.0.9 40000", "10.20.0.5 554", TCP, true);
		session.start -= SECOND;
		if (order == 0)
			policy_flow(world.policy, &session, NULL, &camera);
		policy_flow(world.policy, &media, &camera, NULL);
		if (order == 1)
			policy_flow(world.policy, &session, NULL, &camera);
		world_tick(&world, 120);
		CU_ASSERT_EQUAL(world.alert_count, 0);
		CU_ASSERT_EQUAL(world_figure(&world, "policy.solicited"), 1);

		/* To another host of the core nobody asked. */
		world.next_flow++;
		media = world_flow(&world, "10.20.0.5 6970", "10.0.0.10 51002", UDP, true);
		policy_flow(world.policy, &media, &camera, NULL);
		CU_ASSERT_EQUAL(world.alert_count, 0);
		world_tick(&world, 120);
		CU_ASSERT_EQUAL(world.alert_count, 1);
		CU_ASSERT_STRING_EQUAL(world_last(&world)->rule_id, CORE);
		world_end(&world);
	}
}

static void
test_direction_names(void)
{
	static const struct {
		const char *from, *to, *direction;
	} cases[] = {
		{"10.20.0.5 1", "10.0.0.9 1", "internal"},
		{"10.20.0.5 1", "203.0.113.7 1", "outbound"},
		{"203.0.113.7 1", "10.20.0.5 1", "inbound"},
		{"203.0.113.7 1", "203.0.113.8 1", "external"},
		{"203.0.113.7 1", "198.51.100.8 1", "inbound"}, /* public space of a zone */
		{"10.20.0.5 1", "239.255.255.250 1900", "internal"},
		{"0.0.0.0 68", "255.255.255.255 67", "internal"},
		{"192.168.7.7 1", "10.0.0.9 1", "internal"},
	};
	struct flow_record nothing = {0};

	world_site(&world);
	world_begin(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_record flow = world_flow(&world, cases[i].from, cases[i].to, UDP, true);

		CU_ASSERT_STRING_EQUAL(policy_direction(world.policy, &flow), cases[i].direction);
	}
	CU_ASSERT_STRING_EQUAL(policy_direction(world.policy, &nothing), "unknown");
	world_end(&world);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"what is reported", test_what_is_reported},
		{"what is never reported", test_what_is_never_reported},
		{"low confidence accuses nobody", test_low_confidence_accuses_nobody},
		{"restricted vendor", test_restricted_vendor},
		{"camera on core network", test_camera_on_core_network},
		{"severity by site", test_severity_by_site},
		{"disabled rules are silent", test_disabled_rules_are_silent},
		{"local peers", test_local_peers},
		{"VLAN zones behind a router", test_vlan_zones_behind_a_router},
		{"media that was asked for", test_media_that_was_asked_for},
		{"direction names", test_direction_names},
		CU_TEST_INFO_NULL,
	};

	return unit_run("policy rules", tests);
}
