/* SPDX-License-Identifier: Apache-2.0 */
/* Passive names and what they allow. */
#include "classifiers/destinations/allow.h"
#include "tests/unit/policy_world.h"

#define CAMERA  "10.20.0.5"
#define OTHER   "10.20.0.6"
#define ADDRESS "203.0.113.7"

static struct world world;
static struct device_record camera;

static void
begin(void)
{
	world_begin(&world);
	camera = world_device(&world, "00000000000000c1", DEVICE_CAMERA, CAMERA, CAMERA_MAC);
	policy_device(world.policy, &camera);
}

static void
contact(const char *to)
{
	struct flow_record flow = world_flow(&world, CAMERA " 40000", to, TCP, true);

	policy_flow(world.policy, &flow, &camera, NULL);
}

static const char *
name(const char *client, const char *address)
{
	struct ip_address client_ip = world_ip(client), ip = world_ip(address);

	return policy_name(world.policy, 0, &client_ip, &ip);
}

static void
test_domain_patterns(void)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} cases[] = {
		{"example.com", "example.com", true},
		{"example.com", "a.b.example.com", true},
		{"example.com", "notexample.com", false},
		{"example.com", "example.com.evil.net", false},
		{"example.com", "com", false},
		{"Example.COM.", "a.eXample.com", true},
		{"example.com", "a.example.com.", true},
		{"=host.example.com", "host.example.com", true},
		{"=host.example.com", "HOST.example.com.", true},
		{"=host.example.com", "a.host.example.com", false},
		{"=host.example.com", "example.com", false},
		{"", "example.com", false},
		{".", "example.com", false},
		{"=", "", false},
		{"com", "example.com", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
			allow_domain_matches(cases[i].pattern, cases[i].name), cases[i].match);
}

static void
test_each_client_has_its_own_names(void)
{
	world_site(&world);
	world_begin(&world);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "");
	world_name(&world, ATTRIBUTE_DNS_NAME, OTHER, "Shop.Example.NET.", ADDRESS);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "shop.example.net");
	world_name(&world, ATTRIBUTE_TLS_SNI, CAMERA, "cloud.vendor.example", ADDRESS);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "cloud.vendor.example");
	CU_ASSERT_STRING_EQUAL(name(OTHER, ADDRESS), "shop.example.net");
	/* What DNS said outranks what the client says. */
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "p2p.vendor.example", ADDRESS);
	world_name(&world, ATTRIBUTE_TLS_SNI, CAMERA, "innocent.example", ADDRESS);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "p2p.vendor.example");
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 0, NULL, &(struct ip_address){0}), "");
	world_end(&world);
}

/* What one tenant's client learnt is not the name of another's; what anyone learnt of a public
 * address is. */
static void
test_tenants_have_their_own_names(void)
{
	struct ip_address client = world_ip(CAMERA), other = world_ip(OTHER);
	struct ip_address local = world_ip("10.20.0.9"), public = world_ip(ADDRESS);

	world_site(&world);
	world_begin(&world);
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "recorder.example", "10.20.0.9");
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "first.example", ADDRESS);
	world_name(&world, ATTRIBUTE_DNS_NAME, OTHER, "second.example", ADDRESS);
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 0, &client, &local), "recorder.example");
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 7, &client, &local), "");
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 7, NULL, &local), "");
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 0, &client, &public), "first.example");
	CU_ASSERT_STRING_EQUAL(policy_name(world.policy, 7, &other, &public),
		policy_name(world.policy, 0, NULL, &public));
	world_end(&world);
}

static void
test_what_is_no_host_name(void)
{
	static const struct {
		enum evidence_attribute attribute;
		const char *value, *name;
	} cases[] = {
		{ATTRIBUTE_HTTP_HOST, "host.example:8080", "host.example"},
		{ATTRIBUTE_HTTP_HOST, "203.0.113.7", ""},
		{ATTRIBUTE_HTTP_HOST, "203.0.113.7:80", ""},
		{ATTRIBUTE_HTTP_HOST, "[2001:db8::1]:80", ""},
		{ATTRIBUTE_TLS_SNI, "bad name", ""},
		{ATTRIBUTE_TLS_SNI, "a..b", ""},
		{ATTRIBUTE_TLS_SNI, ".a", ""},
		{ATTRIBUTE_TLS_SNI, "?", ""},
		{ATTRIBUTE_TLS_SNI, ".", ""},
		{ATTRIBUTE_TLS_SNI, "_x.b-c.example", "_x.b-c.example"},
		{ATTRIBUTE_OUI, "host.example", ""},
	};
	char longest[130];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_site(&world);
		world_begin(&world);
		world_name(&world, cases[i].attribute, CAMERA, cases[i].value, ADDRESS);
		CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), cases[i].name);
		world_end(&world);
	}
	world_site(&world);
	world_begin(&world);
	memset(longest, 'a', sizeof(longest));
	longest[128] = '\0';
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, longest, ADDRESS);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "");
	longest[127] = '\0';
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, longest, ADDRESS);
	CU_ASSERT_EQUAL(strlen(name(CAMERA, ADDRESS)), 127);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.names_refused"), 1);
	world_end(&world);
}

struct row_case {
	const char *title;
	const char *network, *domain; /* of the row */
	uint16_t port;
	uint8_t protocol;
	const char *zone, *vendor, *device; /* selectors of the row */
	const char *to;
	bool allowed;
};

static void
test_rows(void)
{
	static const struct row_case cases[] = {
		{"network", "10.0.0.0/24", "", 0, 0, "", "", "", "10.0.0.9 445", true},
		{"another network", "10.0.1.0/24", "", 0, 0, "", "", "", "10.0.0.9 445", false},
		{"port", "10.0.0.53", "", 53, 0, "", "", "", "10.0.0.53 53", true},
		{"another port", "10.0.0.53", "", 53, 0, "", "", "", "10.0.0.53 22", false},
		{"protocol", "10.0.0.53", "", 53, TCP, "", "", "", "10.0.0.53 53", true},
		{"another protocol", "10.0.0.53", "", 53, UDP, "", "", "", "10.0.0.53 53", false},
		{"no target matches nothing", "", "", 53, 0, "", "", "", "10.0.0.53 53", false},
		{"its zone", "0.0.0.0/0", "", 0, 0, "cameras", "", "", "10.0.0.9 1", true},
		{"another zone", "0.0.0.0/0", "", 0, 0, "desks", "", "", "10.0.0.9 1", false},
		{"its vendor", "0.0.0.0/0", "", 0, 0, "", "Axis", "", "10.0.0.9 1", true},
		{"its maker", "0.0.0.0/0", "", 0, 0, "", "maker", "", "10.0.0.9 1", true},
		{"another vendor", "0.0.0.0/0", "", 0, 0, "", "bosch", "", "10.0.0.9 1", false},
		{"its id", "0.0.0.0/0", "", 0, 0, "", "", "00000000000000C1", "10.0.0.9 1", true},
		{"another id", "0.0.0.0/0", "", 0, 0, "", "", "00000000000000c2", "10.0.0.9 1",
			false},
		{"its MAC", "0.0.0.0/0", "", 0, 0, "", "", CAMERA_MAC, "10.0.0.9 1", true},
		{"its address", "0.0.0.0/0", "", 0, 0, "", "", CAMERA, "10.0.0.9 1", true},
		{"another address", "0.0.0.0/0", "", 0, 0, "", "", OTHER, "10.0.0.9 1", false},
		{"unknown name", "", "vendor.example", 0, 0, "", "", "", ADDRESS " 443", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row_case *c = &cases[i];
		struct config_allow *row;

		world_site(&world);
		row = world_allow(&world, c->network, c->domain, c->port, c->protocol);
		strcpy(row->zone, c->zone);
		strcpy(row->vendor, c->vendor);
		strcpy(row->device, c->device);
		begin();
		strcpy(camera.maker, "maker");
		contact(c->to);
		if (world.alert_count != !c->allowed)
			fprintf(stderr, "\nrow by %s\n", c->title);
		CU_ASSERT_EQUAL(world.alert_count, !c->allowed);
		world_end(&world);
	}
}

#define DNS  ATTRIBUTE_DNS_NAME
#define SNI  ATTRIBUTE_TLS_SNI
#define HOST ATTRIBUTE_HTTP_HOST

struct name_case {
	const char *title;
	struct {
		enum evidence_attribute attribute;
		const char *client, *name;
	} names[3];
	const char *domain; /* of the alert; NULL: allowed */
	const char *words;  /* in the reason */
};

static void
test_names_that_allow(void)
{
	/* The row allows good.example. */
	static const struct name_case cases[] = {
		{"resolved by the camera", {{DNS, CAMERA, "a.good.example"}}, NULL, NULL},
		{"resolved by another", {{DNS, OTHER, "a.good.example"}}, NULL, NULL},
		{"SNI with a DNS answer",
			{{DNS, CAMERA, "a.good.example"}, {SNI, CAMERA, "a.good.example"}}, NULL,
			NULL},
		{"SNI with a DNS answer of another",
			{{DNS, OTHER, "a.good.example"}, {SNI, CAMERA, "a.good.example"}}, NULL,
			NULL},
		{"forged SNI", {{SNI, CAMERA, "a.good.example"}}, "", "no DNS answer"},
		{"forged Host", {{HOST, CAMERA, "a.good.example"}}, "", "no DNS answer"},
		{"forged SNI of another", {{SNI, OTHER, "a.good.example"}}, "", "no DNS answer"},
		{"forged SNI over its own DNS",
			{{DNS, CAMERA, "p2p.bad.example"}, {SNI, CAMERA, "a.good.example"}},
			"p2p.bad.example", "no DNS answer"},
		{"answer for another name of the domain",
			{{DNS, CAMERA, "b.good.example"}, {SNI, CAMERA, "a.good.example"}}, NULL,
			NULL},
		{"shared address: its own name speaks",
			{{DNS, OTHER, "a.good.example"}, {DNS, CAMERA, "p2p.bad.example"}},
			"p2p.bad.example", "by DNS"},
		{"shared address: what it said speaks",
			{{DNS, CAMERA, "a.good.example"}, {DNS, CAMERA, "p2p.bad.example"},
				{SNI, CAMERA, "p2p.bad.example"}},
			"p2p.bad.example", "by DNS"},
		{"shared address: one of two answers is enough when it named none",
			{{DNS, CAMERA, "p2p.bad.example"}, {DNS, CAMERA, "a.good.example"}}, NULL,
			NULL},
		{"shared address: it named both",
			{{DNS, CAMERA, "a.good.example"}, {SNI, CAMERA, "a.good.example"},
				{SNI, CAMERA, "p2p.bad.example"}},
			"a.good.example", "its own claim"},
		{"a name only claimed", {{SNI, CAMERA, "p2p.bad.example"}}, "p2p.bad.example",
			"its own claim"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct name_case *c = &cases[i];

		world_site(&world);
		world_allow(&world, "", "good.example", 443, TCP);
		begin();
		for (size_t n = 0; n < 3 && c->names[n].name; n++)
			world_name(&world, c->names[n].attribute, c->names[n].client,
				c->names[n].name, ADDRESS);
		contact(ADDRESS " 443");
		if (world.alert_count != (c->domain != NULL) ||
			(c->domain && (strcmp(world_last(&world)->destination_domain, c->domain) ||
					      !strstr(world_last(&world)->reason, c->words))))
			fprintf(stderr, "\n%s: '%s' (%s)\n", c->title,
				world_last(&world)->destination_domain, world_last(&world)->reason);
		CU_ASSERT_EQUAL(world.alert_count, c->domain != NULL);
		if (c->domain) {
			CU_ASSERT_STRING_EQUAL(world_last(&world)->destination_domain, c->domain);
			CU_ASSERT_PTR_NOT_NULL(strstr(world_last(&world)->reason, c->words));
		}
		world_end(&world);
	}
}

static void
test_an_old_answer_does_not_allow(void)
{
	world_site(&world);
	world_allow(&world, "", "good.example", 0, 0);
	begin();
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "a.good.example", ADDRESS);
	world.now += 23 * 3600 * SECOND;
	contact(ADDRESS " 443");
	CU_ASSERT_EQUAL(world.alert_count, 0);
	world.now += 2 * 3600 * SECOND;
	contact(ADDRESS " 443");
	CU_ASSERT_EQUAL(world.alert_count, 1);
	world_end(&world);
}

/* Names learnt over IPv4 speak for the same device over IPv6. */
static void
test_names_of_all_addresses_of_a_device(void)
{
	struct flow_record flow;

	world_site(&world);
	world_allow(&world, "", "good.example", 0, 0);
	begin();
	camera.ips[camera.ip_count++] = world_ip("2001:db8:20::5");
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "p2p.bad.example", "2001:db8:ff::7");
	world_name(&world, ATTRIBUTE_DNS_NAME, OTHER, "a.good.example", "2001:db8:ff::7");
	flow = world_flow(&world, "2001:db8:20::5 40000", "2001:db8:ff::7 443", TCP, true);
	policy_flow(world.policy, &flow, &camera, NULL);
	CU_ASSERT_EQUAL(world.alert_count, 1);
	CU_ASSERT_STRING_EQUAL(world_last(&world)->destination_domain, "p2p.bad.example");
	world_end(&world);
}

/* One destination is one alert: two addresses of one name are, two ports of one address too. */
static void
test_one_alert_per_destination(void)
{
	world_site(&world);
	begin();
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "cloud.example", "203.0.113.1");
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "cloud.example", "203.0.113.2");
	contact("203.0.113.1 443");
	contact("203.0.113.2 8443");
	contact("203.0.113.1 80");
	CU_ASSERT_EQUAL(world.alert_count, 1);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts"), 1);
	/* An address that has its alert keeps it when it gets a name. */
	contact("203.0.113.3 443");
	world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, "late.example", "203.0.113.3");
	contact("203.0.113.3 443");
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts"), 2);
	policy_tick(world.policy, world.now, true);
	CU_ASSERT_EQUAL(world.alert_count, 4);
	for (size_t i = 2; i < 4; i++) {
		const struct alert_record *alert = &world.alerts[i];
		bool late = strcmp(alert->destination_domain, "late.example") == 0;

		CU_ASSERT_EQUAL(alert->count, late ? 2 : 3);
		CU_ASSERT_EQUAL(alert->bytes_out, late ? 2000 : 3000);
	}
	/* Forged names do not spread one address over many alerts. */
	for (int i = 0; i < 20; i++) {
		char forged[32];

		snprintf(forged, sizeof(forged), "x%d.example", i);
		world_name(&world, ATTRIBUTE_TLS_SNI, CAMERA, forged, "203.0.113.4");
		contact("203.0.113.4 443");
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.alerts"), 3);
	world_end(&world);
}

static void
test_names_are_bounded(void)
{
	world_site(&world);
	world.config.policy.names_max = 64;
	world_begin(&world);
	for (int i = 0; i < 1000; i++) {
		char text[32], address[32];

		snprintf(text, sizeof(text), "n%d.example", i);
		snprintf(address, sizeof(address), "203.0.%d.%d", i / 200, i % 200);
		world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, text, address);
	}
	CU_ASSERT_EQUAL(world_figure(&world, "policy.names"), 64);
	CU_ASSERT_EQUAL(world_figure(&world, "policy.names_evicted"), 2000 - 64);
	CU_ASSERT_STRING_EQUAL(name(CAMERA, "203.0.4.199"), "n999.example");
	/* One pair holds a bounded number, the latest ones. */
	for (int i = 0; i < 100; i++) {
		char text[32];

		world.now += SECOND;
		snprintf(text, sizeof(text), "m%d.example", i);
		world_name(&world, ATTRIBUTE_DNS_NAME, CAMERA, text, ADDRESS);
	}
	CU_ASSERT_STRING_EQUAL(name(CAMERA, ADDRESS), "m99.example");
	CU_ASSERT_STRING_EQUAL(name(CAMERA, "203.0.4.199"), "n999.example");
	world_end(&world);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"domain patterns", test_domain_patterns},
		{"each client has its own names", test_each_client_has_its_own_names},
		{"tenants have their own names", test_tenants_have_their_own_names},
		{"what is no host name", test_what_is_no_host_name},
		{"rows", test_rows},
		{"names that allow", test_names_that_allow},
		{"an old answer does not allow", test_an_old_answer_does_not_allow},
		{"names of all addresses of a device", test_names_of_all_addresses_of_a_device},
		{"one alert per destination", test_one_alert_per_destination},
		{"names are bounded", test_names_are_bounded},
		CU_TEST_INFO_NULL,
	};

	return unit_run("policy names", tests);
}
