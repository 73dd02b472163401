/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/records/evidence.h"
#include "tests/unit/unit.h"

#include <string.h>

static void
expect_value(const void *bytes, size_t length, const char *expected)
{
	struct evidence evidence = {0};

	evidence_set_value(&evidence, bytes, length);
	CU_ASSERT_STRING_EQUAL(evidence.value, expected);
	CU_ASSERT_EQUAL(evidence.value_length, strlen(expected));
}

static void
test_values_are_printable_utf8(void)
{
	expect_value("  Dahua Rtsp Server\r\n", 21, "Dahua Rtsp Server");
	expect_value("", 0, "");
	expect_value("\0\0", 2, "");
	expect_value("a\nb\x1b[31m", 8, "a?b?[31m");
	expect_value("K\xc3\xbc"
		     "che",
		6,
		"K\xc3\xbc"
		"che");
	expect_value("\xc3", 1, "?");
	expect_value("\xc0\x80x", 3, "??x");
	expect_value("\xed\xa0\x80", 3, "???");
	expect_value("\xf4\x90\x80\x80", 4, "????");
	expect_value("\xc2\x9bm", 3, "??m");
}

static void
test_long_values_end_at_a_character(void)
{
	char bytes[EVIDENCE_VALUE_SIZE * 2];
	struct evidence evidence = {0};

	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes + EVIDENCE_VALUE_SIZE - 2, "\xc3\xbc", 2);
	evidence_set_value(&evidence, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(evidence.value_length, EVIDENCE_VALUE_SIZE - 2);
}

/* Every place where the marker stood must be masked, and what identifies must stay. */
static void
test_secrets_are_masked(void)
{
	static const struct {
		const char *text, *masked;
	} cases[] = {
		{"DS-2CD?password=MARK", "DS-2CD?password=***"},
		{"1 pwd:MARK x", "1 pwd:*** x"},
		{"Server/1.0 pw=MARK", "Server/1.0 pw=***"},
		{"//admin:MARK@x/y", "//x/y"},
		{"rtsp://admin:MA@RK@10.0.0.1/live", "rtsp://10.0.0.1/live"},
		{"/live/x;pw:MARK/ch1", "/live/x;pw:***/ch1"},
		{"/cgi?usr=a&loginPwd=MARK&ch=1", "/cgi?usr=a&loginPwd=***&ch=1"},
		{"/a?admin_password=MARK", "/a?admin_password=***"},
		{"/a?PASSWD%3DMARK&b=1", "/a?PASSWD%3D***&b=1"},
		{"token: MARK", "token: ***"},
		{"key=\"MARK\"", "key=\"***\""},
		{"crypto key:MARK", "crypto key:***"},
		{"a?sid=MARK&x", "a?sid=***&x"},
		{"api_key=MARK", "api_key=***"},
		{"secret=MARK,secret=MARK", "secret=***,secret=***"},
		{"user=_password=_channel=", "user=_password=_channel="},
		{"/user=a_password=MA_RK_channel=1", "/user=a_password=***_channel=1"},
		{"password=", "password="},
		{"password=a", "password=***"},
		/* no secrets */
		{"monkey=1 turkey:2", "monkey=1 turkey:2"},
		{"Login to 4C05678PAG12345", "Login to 4C05678PAG12345"},
		{"compass=3", "compass=3"},
		{"http://10.0.0.1:80/desc.xml", "http://10.0.0.1:80/desc.xml"},
	};
	char cut[EVIDENCE_VALUE_SIZE * 2];
	struct evidence evidence = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_value(cases[i].text, strlen(cases[i].text), cases[i].masked);
		CU_ASSERT_PTR_NULL(strstr(cases[i].masked, "MARK"));
	}
	/* The '@' is beyond the value's end. */
	memset(cut, 'M', sizeof(cut));
	memcpy(cut, "rtsp://admin:", 13);
	cut[sizeof(cut) - 10] = '@';
	evidence_set_value(&evidence, cut, sizeof(cut));
	CU_ASSERT_STRING_EQUAL(evidence.value, "rtsp://");
}

static void
test_attribute_names_are_unique(void)
{
	for (enum evidence_attribute i = 0; i < ATTRIBUTE_COUNT; i++)
		CU_ASSERT_EQUAL(evidence_attribute_by_name(evidence_attribute_name(i)), i);
	CU_ASSERT_EQUAL(evidence_attribute_by_name("no.such"), ATTRIBUTE_COUNT);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"values are printable UTF-8", test_values_are_printable_utf8},
		{"long values end at a character", test_long_values_end_at_a_character},
		{"secrets are masked", test_secrets_are_masked},
		{"attribute names are unique", test_attribute_names_are_unique},
		CU_TEST_INFO_NULL,
	};

	return unit_run("evidence", tests);
}
