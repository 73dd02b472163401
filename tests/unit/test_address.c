/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/records/address.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct ip_address
ip(const char *text)
{
	struct ip_address parsed;

	CU_ASSERT_EQUAL_FATAL(ip_parse(text, &parsed), 0);
	return parsed;
}

static void
test_text_forms_round_trip(void)
{
	static const char *const texts[] = {
		"10.1.2.3", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1"};
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_address parsed = ip(texts[i]);

		CU_ASSERT_STRING_EQUAL(ip_format(&parsed, text), texts[i]);
	}
}

static void
test_bad_text_is_refused(void)
{
	static const char *const addresses[] = {"", "10.1.2", "10.1.2.256", "1::2::3", "x"};
	static const char *const networks[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/",
		"10.0.0.0/-1", "10.0.0.0/8x", "2001:db8::1/64", "/8"};
	static const char *const macs[] = {"", "00:11:22:33:44", "00:11:22:33:44:5",
		"00:11:22:33:44:5g", "00:11:22:33:44:55:66", "0 :11:22:33:44:55"};
	struct ip_address address;
	struct network network;
	struct mac_address mac;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		CU_ASSERT_NOT_EQUAL(ip_parse(addresses[i], &address), 0);
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		CU_ASSERT_NOT_EQUAL(network_parse(networks[i], &network), 0);
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++)
		CU_ASSERT_NOT_EQUAL(mac_parse(macs[i], &mac), 0);
}

static void
test_network_boundaries(void)
{
	static const struct {
		const char *network, *address;
		bool inside;
	} cases[] = {
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"192.168.1.128/25", "192.168.1.127", false},
		{"192.168.1.128/25", "192.168.1.128", true},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "10.1.2.2", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network network;
		struct ip_address address = ip(cases[i].address);

		CU_ASSERT_EQUAL_FATAL(network_parse(cases[i].network, &network), 0);
		CU_ASSERT_EQUAL(network_contains(&network, &address), cases[i].inside);
	}
}

static void
test_kinds_of_address(void)
{
	static const struct {
		const char *address;
		bool unicast, private;
	} cases[] = {
		{"10.0.0.1", true, true},
		{"172.32.0.1", true, false},
		{"172.31.0.1", true, true},
		{"100.64.0.1", true, true},
		{"169.254.1.1", true, true},
		{"255.255.255.255", false, false},
		{"239.255.255.250", false, false},
		{"0.0.0.0", false, false},
		{"127.0.0.1", false, false},
		{"fd00::1", true, true},
		{"2606:4700::1", true, false},
		{"ff02::fb", false, false},
		{"::", false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_address address = ip(cases[i].address);

		CU_ASSERT_EQUAL(ip_is_unicast(&address), cases[i].unicast);
		CU_ASSERT_EQUAL(ip_is_private(&address), cases[i].private);
	}
}

static void
test_mac(void)
{
	struct mac_address mac;
	char text[MAC_TEXT_SIZE];

	CU_ASSERT_EQUAL(mac_parse("B0-C5-54-25-5b-0e", &mac), 0);
	CU_ASSERT_STRING_EQUAL(mac_format(&mac, text), "b0:c5:54:25:5b:0e");
	CU_ASSERT_TRUE(mac_is_unicast(&mac));
	CU_ASSERT_EQUAL(mac_parse("ff:ff:ff:ff:ff:ff", &mac), 0);
	CU_ASSERT_FALSE(mac_is_unicast(&mac));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"text forms round trip", test_text_forms_round_trip},
		{"bad text is refused", test_bad_text_is_refused},
		{"network boundaries", test_network_boundaries},
		{"kinds of address", test_kinds_of_address},
		{"mac", test_mac},
		CU_TEST_INFO_NULL,
	};

	return unit_run("address", tests);
}
