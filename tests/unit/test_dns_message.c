/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/dns_message.h"
#include "tests/unit/unit.h"

#define HEADER "\x12\x34\x81\x80\0\1\0\0\0\0\0\0"

static bool
read_at(const void *bytes, size_t length, size_t offset, char name[DNS_NAME_SIZE], size_t *behind)
{
	struct dns_message message;
	struct cursor at;
	bool valid;

	CU_ASSERT_TRUE_FATAL(dns_message_open(&message, bytes, length));
	at = cursor_make(message.start + offset, length - offset);
	valid = dns_name_read(&message, &at, name);
	*behind = (size_t)(at.at - message.start);
	return valid;
}

static void
test_names(void)
{
#define BYTES(text) HEADER text, sizeof(HEADER text) - 1
	static const struct {
		const char *bytes;
		size_t length, offset;
		const char *expected; /* NULL: refused */
		size_t behind;
	} cases[] = {
		{BYTES("\3www\7example\3com\0"), 12, "www.example.com", 29},
		{BYTES("\0"), 12, "", 13},
		{BYTES("\3com\0\3www\xc0\x0c"), 17, "www.com", 23},
		{BYTES("\3com\0\xc0\x0c\xc0\x11"), 19, "com", 21},
		{BYTES("\3a.b\4c\\\7d\0"), 12, "a\\.b.c\\\\\\007d", 22},
		{BYTES("\3K\xc3\xbc\0"), 12, "K\xc3\xbc", 17},
		{BYTES("\3www"), 12, NULL, 0},            /* no end */
		{BYTES("\5www"), 12, NULL, 0},            /* label cut off */
		{BYTES("\xc0"), 12, NULL, 0},             /* pointer cut off */
		{BYTES("\xc0\x0c"), 12, NULL, 0},         /* to itself */
		{BYTES("\1a\xc0\x0c"), 12, NULL, 0},      /* a loop */
		{BYTES("\xc0\x0e\xc0\x0c"), 14, NULL, 0}, /* two of them */
		{BYTES("\xc0\x20\0"), 12, NULL, 0},       /* ahead */
		{BYTES("\xc0\x05\0"), 12, NULL, 0},       /* into the header */
		{BYTES("\x41xyz\0"), 12, NULL, 0},        /* reserved label type */
		{BYTES("\x80xyz\0"), 12, NULL, 0},
	};
	char name[DNS_NAME_SIZE];
	size_t behind;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool valid =
			read_at(cases[i].bytes, cases[i].length, cases[i].offset, name, &behind);

		CU_ASSERT_EQUAL(valid, cases[i].expected != NULL);
		if (!valid || cases[i].expected == NULL)
			continue;
		CU_ASSERT_STRING_EQUAL(name, cases[i].expected);
		CU_ASSERT_EQUAL(behind, cases[i].behind);
	}
}

/* 255 octets are the limit: 127 labels of one byte, their lengths and the root. */
static void
test_name_length_limit(void)
{
	uint8_t bytes[12 + 300] = HEADER;
	char name[DNS_NAME_SIZE];
	size_t behind;

	for (int i = 0; i < 128; i++)
		memcpy(bytes + 12 + 2 * i, "\1a", 2);
	bytes[12 + 2 * 127] = 0;
	CU_ASSERT_TRUE(read_at(bytes, sizeof(bytes), 12, name, &behind));
	CU_ASSERT_EQUAL(strlen(name), 253);
	memcpy(bytes + 12 + 2 * 127, "\1a", 2);
	CU_ASSERT_FALSE(read_at(bytes, sizeof(bytes), 12, name, &behind));
}

/* Names of control bytes need four characters for each: refused where they do not fit. */
static void
test_escaped_name_that_does_not_fit(void)
{
	uint8_t bytes[12 + 300] = HEADER;
	char name[DNS_NAME_SIZE];
	size_t behind;

	for (int label = 0; label < 3; label++) {
		bytes[12 + 64 * label] = 63;
		memset(bytes + 13 + 64 * label, 1, 63);
	}
	CU_ASSERT_FALSE(read_at(bytes, sizeof(bytes), 12, name, &behind));
}

static void
test_sections(void)
{
	/* one question, one answer, one authority and one additional record */
	static const char bytes[] =
		"\0\0\x84\0\0\1\0\1\0\1\0\1"
		"\1a\0\0\1\0\1"
		"\xc0\x0c\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\1"
		"\xc0\x0c\0\2\0\1\0\0\0\0\0\2\xc0\x0c"
		"\xc0\x0c\0\x1c\0\1\0\0\0\0\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
	struct dns_message message;
	struct dns_record record;
	struct ip_address ip;
	char text[ADDRESS_TEXT_SIZE];

	CU_ASSERT_TRUE_FATAL(dns_message_open(&message, bytes, sizeof(bytes) - 1));
	CU_ASSERT_TRUE(message.response);
	CU_ASSERT_TRUE_FATAL(dns_message_record(&message, &record));
	CU_ASSERT_EQUAL(record.section, DNS_ANSWER);
	CU_ASSERT_EQUAL(record.class, DNS_CLASS_IN);
	CU_ASSERT_EQUAL(record.ttl, 120);
	CU_ASSERT_TRUE(dns_record_address(&record, &ip));
	CU_ASSERT_STRING_EQUAL(ip_format(&ip, text), "10.0.0.1");
	CU_ASSERT_TRUE_FATAL(dns_message_record(&message, &record));
	CU_ASSERT_EQUAL(record.section, DNS_AUTHORITY);
	CU_ASSERT_FALSE(dns_record_address(&record, &ip));
	CU_ASSERT_TRUE_FATAL(dns_message_record(&message, &record));
	CU_ASSERT_EQUAL(record.section, DNS_ADDITIONAL);
	CU_ASSERT_TRUE(dns_record_address(&record, &ip));
	CU_ASSERT_STRING_EQUAL(ip_format(&ip, text), "fd00::1");
	CU_ASSERT_FALSE(dns_message_record(&message, &record));
	for (size_t cut = 12; cut < sizeof(bytes) - 1; cut++) {
		int records = 0;

		CU_ASSERT_TRUE_FATAL(dns_message_open(&message, bytes, cut));
		while (dns_message_record(&message, &record))
			records++;
		CU_ASSERT_TRUE(records < 3);
	}
}

static void
test_promises_are_not_believed(void)
{
	uint8_t bytes[12 + 11 * 2000] = "\0\0\x84\0\0\0\xff\xff\0\0\0\0";
	struct dns_message message;
	struct dns_record record;
	int records = 0;

	CU_ASSERT_TRUE_FATAL(dns_message_open(&message, bytes, sizeof(bytes)));
	while (dns_message_record(&message, &record))
		records++;
	CU_ASSERT_EQUAL(records, DNS_RECORDS_MAX);
	CU_ASSERT_FALSE(dns_message_open(&message, bytes, 11));
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"names", test_names},
		{"name length limit", test_name_length_limit},
		{"escaped name that does not fit", test_escaped_name_that_does_not_fit},
		{"sections", test_sections},
		{"promises are not believed", test_promises_are_not_believed},
		CU_TEST_INFO_NULL,
	};

	return unit_run("dns_message", tests);
}
