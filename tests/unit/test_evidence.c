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
		{"attribute names are unique", test_attribute_names_are_unique},
		CU_TEST_INFO_NULL,
	};

	return unit_run("evidence", tests);
}
