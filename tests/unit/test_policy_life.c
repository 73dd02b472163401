/* SPDX-License-Identifier: Apache-2.0 */
/* The life of alerts over simulated time, and contacts that are judged later than they happened. */
#include "tests/unit/policy_world.h"

#define CAMERA "10.20.0.5"
#define ID     "00000000000000c1"

static struct world world;
static struct device_record camera;

static void
begin(void)
{
	world_site(&world);
	world_begin(&world);
	camera = world_device(&world, ID, DEVICE_CAMERA, CAMERA, CAMERA_MAC);
}

static struct flow_record
contact(const char *to, bool answered)
{
	struct flow_record flow = world_flow(&world, CAMERA " 40000", to, TCP, answered);

	policy_flow(world.policy, &flow, &camera, NULL);
	return flow;
}

static void
expect(size_t count, enum alert_state state, uint64_t flows)
{
	CU_ASSERT_EQUAL(world.alert_count, count);
	CU_ASSERT_EQUAL(world_last(&world)->state, state);
	CU_ASSERT_EQUAL(world_last(&world)->count, flows);
}

static void
test_opened_updated_closed(void)
{
	char id[ALERT_ID_SIZE];
	int64_t first;

	begin();
	first = contact("203.0.113.7 443", false).start;
	expect(1, ALERT_OPENED, 1);
	CU_ASSERT_EQUAL(world_last(&world)->outcome, OUTCOME_ATTEMPTED);
	memcpy(id, world_last(&world)->id, sizeof(id));

	/* More of the same waits for the interval (60 s). */
	world_tick(&world, 10);
	contact("203.0.113.7 443", false);
	world_tick(&world, 1);
	contact("203.0.113.7 443", false);
	world_tick(&world, 1);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_tick(&world, 60);
	expect(2, ALERT_UPDATED, 3);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_out, 3000);
	CU_ASSERT_EQUAL(world_last(&world)->first, first);
	world_tick(&world, 600);
	CU_ASSERT_EQUAL(world.alert_count, 2);

	/* An answer is told at once, and stays. */
	contact("203.0.113.7 443", true);
	expect(3, ALERT_UPDATED, 4);
	CU_ASSERT_EQUAL(world_last(&world)->outcome, OUTCOME_CONNECTED);
	contact("203.0.113.7 443", false);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	policy_tick(world.policy, world.now, true);
	expect(4, ALERT_UPDATED, 5);
	CU_ASSERT_EQUAL(world_last(&world)->outcome, OUTCOME_CONNECTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(world_last(&world)->reason, "answered"));

	/* Silence closes; the next contact opens the same id afresh. */
	world_tick(&world, 3599);
	CU_ASSERT_EQUAL(world.alert_count, 4);
	world_tick(&world, 1);
	expect(5, ALERT_CLOSED, 5);
	CU_ASSERT_EQUAL(strncmp(world_last(&world)->reason, "closed: silent for 3600 s", 25), 0);
	contact("203.0.113.7 443", false);
	expect(6, ALERT_OPENED, 1);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->id, id);
	CU_ASSERT_EQUAL(world_last(&world)->outcome, OUTCOME_ATTEMPTED);
	world_end(&world);

	/* The same in another run: ids do not depend on it. */
	begin();
	contact("203.0.113.7 443", false);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->id, id);
	world_end(&world);
}

/* Records of one long flow: bytes are deltas, the flow counts once. */
static void
test_records_of_one_flow(void)
{
	struct flow_record flow;

	begin();
	flow = world_flow(&world, CAMERA " 40000", "203.0.113.7 443", TCP, true);
	flow.end_reason = FLOW_UPDATE;
	policy_flow(world.policy, &flow, &camera, NULL);
	flow.first_record = false;
	for (int i = 0; i < 5; i++) {
		world.now += 60 * SECOND;
		flow.end = world.now;
		policy_flow(world.policy, &flow, &camera, NULL);
	}
	policy_tick(world.policy, world.now, true);
	expect(2, ALERT_UPDATED, 1);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_out, 6000);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_in, 12000);
	CU_ASSERT_EQUAL(world_last(&world)->first, flow.start);
	CU_ASSERT_EQUAL(world_last(&world)->last, world.now);
	world_end(&world);
}

/* Bytes are the device's, whichever end of the record it is. */
static void
test_bytes_of_a_swapped_flow(void)
{
	struct flow_record flow;

	begin();
	flow = world_flow(&world, "203.0.113.7 443", CAMERA " 40000", TCP, true);
	flow.initiator_certain = false;
	policy_flow(world.policy, &flow, NULL, &camera);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_out, 2000);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_in, 1000);
	CU_ASSERT_EQUAL(world_last(&world)->destination.port, 443);
	/* A flow whose beginning was seen settles who began. */
	CU_ASSERT_EQUAL(world_last(&world)->severity, 45);
	contact("203.0.113.7 443", true);
	expect(2, ALERT_UPDATED, 2);
	CU_ASSERT_EQUAL(world_last(&world)->severity, 60);
	CU_ASSERT_PTR_NULL(strstr(world_last(&world)->reason, "judged from"));
	world_end(&world);
}

static void
test_contacts_before_it_was_a_camera(void)
{
	int64_t first, last;

	begin();
	camera.device_class = DEVICE_UNKNOWN;
	policy_device(world.policy, &camera);
	first = contact("203.0.113.7 443", false).start;
	world_tick(&world, 100);
	contact("10.20.0.9 80", true);
	last = contact("203.0.113.7 443", true).end;
	world_tick(&world, 100);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	/* Two of the camera, and one session that its peer 10.20.0.9 answered. */
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts"), 3);

	camera.device_class = DEVICE_CAMERA;
	camera.last_seen = world.now;
	policy_device(world.policy, &camera);
	expect(1, ALERT_OPENED, 2);
	CU_ASSERT_EQUAL(world_last(&world)->first, first);
	CU_ASSERT_EQUAL(world_last(&world)->last, last);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_out, 2000);
	CU_ASSERT_EQUAL(world_last(&world)->bytes_in, 2000);
	CU_ASSERT_EQUAL(world_last(&world)->outcome, OUTCOME_CONNECTED);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->device_id, ID);

	/* They are judged once. */
	policy_device(world.policy, &camera);
	policy_tick(world.policy, world.now, true);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts"), 1);
	world_end(&world);
}

/* Flows of an address come before there is a device for it; another owner's stay his. */
static void
test_contacts_before_it_was_a_device(void)
{
	struct flow_record flow;

	begin();
	flow = world_flow(&world, CAMERA " 40000", "203.0.113.7 443", TCP, true);
	flow.initiator_mac = world_mac(CAMERA_MAC);
	policy_flow(world.policy, &flow, NULL, NULL);
	flow = world_flow(&world, CAMERA " 40000", "203.0.113.8 443", TCP, true);
	flow.initiator_mac = world_mac("02:00:00:00:00:77");
	policy_flow(world.policy, &flow, NULL, NULL);
	flow = world_flow(&world, "203.0.113.99 40000", "203.0.113.8 443", TCP, true);
	policy_flow(world.policy, &flow, NULL, NULL);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	policy_device(world.policy, &camera);
	expect(1, ALERT_OPENED, 1);
	CU_ASSERT_EQUAL(world_last(&world)->destination.ip.bytes[3], 7);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.flows_no_device"), 1);
	world_end(&world);
}

/* RTP that was remembered before the device was known to be a camera is still looked up against
 * the session that asked for it. */
static void
test_remembered_media(void)
{
	struct flow_record flow;

	begin();
	camera.device_class = DEVICE_UNKNOWN;
	flow = world_flow(&world, CAMERA " 6970", "10.0.0.9 51002", UDP, true);
	policy_flow(world.policy, &flow, &camera, NULL);
	flow = world_flow(&world, "10.0.0.9 40000", CAMERA " 554", TCP, true);
	policy_flow(world.policy, &flow, NULL, &camera);
	camera.device_class = DEVICE_CAMERA;
	policy_device(world.policy, &camera);
	policy_tick(world.policy, world.now, true);
	CU_ASSERT_EQUAL(world.alert_count, 0);
	world_end(&world);
}

static void
test_reclassified(void)
{
	begin();
	camera.status = STATUS_RESTRICTED;
	strcpy(camera.maker, "hikvision");
	policy_device(world.policy, &camera);
	contact("203.0.113.7 443", true);
	contact("203.0.113.8 443", true);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	/* A wavering confidence closes nothing and opens nothing. */
	camera.confidence = 0.75f;
	policy_device(world.policy, &camera);
	contact("203.0.113.9 443", true);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	camera.device_class = DEVICE_VIEWER;
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 6);
	for (size_t i = 3; i < 6; i++) {
		CU_ASSERT_EQUAL(world.alerts[i].state, ALERT_CLOSED);
		CU_ASSERT_PTR_NOT_NULL(strstr(world.alerts[i].reason, "classed viewer (75 %)"));
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts"), 0);
	world_end(&world);
}

static void
test_vendor_cleared_and_moved_away(void)
{
	begin();
	camera.status = STATUS_RESTRICTED;
	camera.ips[0] = world_ip("10.0.0.5");
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 2);
	camera.status = STATUS_ALLOWED;
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->rule_id, "restricted-vendor-present");
	CU_ASSERT_PTR_NOT_NULL(strstr(world_last(&world)->reason, "vendor is not restricted"));
	camera.ips[0] = world_ip(CAMERA);
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 4);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->rule_id, "camera-on-core-network");
	CU_ASSERT_EQUAL(world_last(&world)->state, ALERT_CLOSED);
	world_end(&world);
}

/* The brand comes to light after the contact: a row for that vendor makes it expected. */
static void
test_expected_after_all(void)
{
	struct config_allow *row;

	world_site(&world);
	row = world_allow(&world, "203.0.113.0/24", "", 0, 0);
	strcpy(row->vendor, "bosch");
	world_begin(&world);
	camera = world_device(&world, ID, DEVICE_CAMERA, CAMERA, CAMERA_MAC);
	policy_device(world.policy, &camera);
	contact("203.0.113.7 443", true);
	contact("192.0.2.7 443", true);
	strcpy(camera.brand, "bosch");
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	CU_ASSERT_EQUAL(world_last(&world)->state, ALERT_CLOSED);
	CU_ASSERT_EQUAL(world_last(&world)->destination.ip.bytes[0], 203);
	world_end(&world);
}

/* What a device is stays true while the device is seen, and no longer. */
static void
test_presence(void)
{
	begin();
	camera.status = STATUS_RESTRICTED;
	policy_device(world.policy, &camera);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_tick(&world, 86000);
	contact("10.20.0.9 80", true); /* expected, but it shows that the camera is there */
	world_tick(&world, 86000);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_tick(&world, 400);
	CU_ASSERT_EQUAL(world.alert_count, 2);
	CU_ASSERT_EQUAL(world_last(&world)->state, ALERT_CLOSED);
	world_end(&world);
}

/* A camera that scans has 65 alerts, not thousands. */
static void
test_many_destinations_share_an_alert(void)
{
	const struct alert_record *last;
	char to[32];

	begin();
	policy_device(world.policy, &camera);
	for (int i = 0; i < 1000; i++) {
		snprintf(to, sizeof(to), "203.%d.113.%d 23", i / 250, i % 250);
		contact(to, false);
	}
	CU_ASSERT_EQUAL(world.alert_count, 65);
	policy_tick(world.policy, world.now, true);
	last = world_last(&world);
	expect(66, ALERT_UPDATED, 1000 - 64);
	CU_ASSERT_PTR_NOT_NULL(strstr(last->reason, "one of too many"));
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts_folded"), 1000 - 64);
	world_end(&world);
}

/* A full table closes what it pushes out; what devices are is never pushed out by destinations. */
static void
test_full_table(void)
{
	char id[DEVICE_ID_SIZE], to[32];

	begin();
	policy_free(world.policy);
	world.config.policy.alerts_max = 16;
	world_begin(&world);
	camera.status = STATUS_RESTRICTED;
	policy_device(world.policy, &camera);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "%016x", i);
		memcpy(camera.id, id, sizeof(id));
		snprintf(to, sizeof(to), "203.0.113.%d 23", i);
		contact(to, false);
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts"), 17);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts_evicted"), 24);
	CU_ASSERT_EQUAL(world.alert_count, 1 + 40 + 24);
	for (size_t i = 1; i < world.alert_count; i++)
		CU_ASSERT_STRING_EQUAL(world.alerts[i].rule_id, "unexpected-destination");
	world_end(&world);
}

static void
test_contacts_are_bounded(void)
{
	char to[32];

	begin();
	camera.device_class = DEVICE_UNKNOWN;
	for (int i = 0; i < 1000; i++) {
		snprintf(to, sizeof(to), "203.%d.113.%d 23", i / 250, i % 250);
		contact(to, false);
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts"), 128);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts_evicted_share"), 1000 - 128);
	for (int i = 0; i < 3000; i++) {
		snprintf(camera.id, sizeof(camera.id), "ff%014x", i);
		contact("203.0.113.7 443", false);
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts"), 1024);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.dossiers"), 1024);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts_evicted"), 128 + 3000 - 1024);
	world_end(&world);
}

/* Two captures of a replay: the second is older. Nothing hangs, nothing is lost. */
static void
test_time_runs_backwards(void)
{
	struct flow_record flow;

	begin();
	policy_device(world.policy, &camera);
	contact("203.0.113.7 443", false);
	contact("203.0.113.7 443", false);
	flow = world_flow(&world, CAMERA " 6000", "203.0.113.8 32100", UDP, true);
	policy_flow(world.policy, &flow, &camera, NULL);
	world_tick(&world, -86400 * 365);
	CU_ASSERT_EQUAL(world.alert_count, 3);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.contacts"), 0);
	contact("203.0.113.9 443", false);
	policy_tick(world.policy, world.now, true);
	CU_ASSERT_EQUAL(world.alert_count, 4);
	world_end(&world);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"opened, updated, closed", test_opened_updated_closed},
		{"records of one flow", test_records_of_one_flow},
		{"bytes of a swapped flow", test_bytes_of_a_swapped_flow},
		{"contacts before it was a camera", test_contacts_before_it_was_a_camera},
		{"contacts before it was a device", test_contacts_before_it_was_a_device},
		{"remembered media", test_remembered_media},
		{"reclassified", test_reclassified},
		{"vendor cleared and moved away", test_vendor_cleared_and_moved_away},
		{"expected after all", test_expected_after_all},
		{"presence", test_presence},
		{"many destinations share an alert", test_many_destinations_share_an_alert},
		{"full table", test_full_table},
		{"contacts are bounded", test_contacts_are_bounded},
		{"time runs backwards", test_time_runs_backwards},
		CU_TEST_INFO_NULL,
	};

	return unit_run("policy life cycle", tests);
}
