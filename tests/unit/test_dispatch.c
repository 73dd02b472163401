/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/dispatch.h"
#include "classifiers/dpi.h"
#include "tests/unit/unit.h"

#include <string.h>

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	(void)in, (void)scratch, (void)sink;
	return CLASSIFIER_NOT_MINE;
}

#define COMMON .match_count = 1, .max_packets = 1, .inspect = inspect

static const struct classifier dns = {
	.name = "dns",
	.match = {{.layer = MATCH_UDP, .ports = {53}}, {.layer = MATCH_TCP, .ports = {53}}},
	.match_count = 2,
	.max_packets = 1,
	.inspect = inspect,
};
static const struct classifier vendor = {
	.name = "vendor",
	.match = {{.layer = MATCH_UDP,
		.ports = {37810, 53},
		.magics = {{.offset = 4, .length = 4, .bytes = "DHIP"},
			{.length = 2, .bytes = {0xa3, 0x01}}}}},
	COMMON,
};
static const struct classifier text = {
	.name = "text",
	.match = {{.layer = MATCH_TCP,
		.magics = {{.length = 5, .bytes = "RTSP/"}, {.length = 8, .bytes = "OPTIONS "},
			{.length = 1, .bytes = {0x24}}}}},
	COMMON,
};
static const struct classifier link = {
	.name = "link",
	.match = {{.layer = MATCH_ETHERTYPE, .ports = {0x0806, 0x8033}}},
	COMMON,
};
static bool
glance(const uint8_t *data, uint32_t length)
{
	return length == 0 || data[0] != 0xee;
}

static const struct classifier any = {
	.name = "any",
	.match = {{.layer = MATCH_UDP, .any_port = true}},
	.glance = glance,
	COMMON,
};
static const struct classifier *const table[] = {&dns, &vendor, &text, &link, &any};

#define DNS    (1u << 0)
#define VENDOR (1u << 1)
#define TEXT   (1u << 2)
#define LINK   (1u << 3)
#define ANY    (1u << 4)

static void
test_candidates(void)
{
	static const struct {
		enum match_layer layer;
		uint16_t source, destination;
		const char *data;
		uint32_t length;
		uint32_t expected;
	} cases[] = {
		{MATCH_UDP, 40000, 53, "", 0, DNS | VENDOR | ANY},
		{MATCH_UDP, 53, 40000, "", 0, DNS | VENDOR | ANY},
		{MATCH_UDP, 53, 37810, "", 0, DNS | VENDOR | ANY},
		{MATCH_UDP, 40000, 40001, "", 0, ANY},
		{MATCH_UDP, 40000, 40001, "\xee", 1, 0},
		{MATCH_UDP, 0, 65535, NULL, 0, ANY},
		{MATCH_TCP, 40000, 53, "", 0, DNS},
		{MATCH_TCP, 37810, 40000, "", 0, 0},
		{MATCH_UDP, 1, 2, "\x20\0\0\0DHIP", 8, VENDOR | ANY},
		{MATCH_UDP, 1, 2, "\x20\0\0\0DHIP", 7, ANY},
		{MATCH_UDP, 1, 2, "\x20\0\0\0DHIQ", 8, ANY},
		{MATCH_UDP, 1, 2, "\xa3\x01", 2, VENDOR | ANY},
		{MATCH_UDP, 1, 2, "\xa3", 1, ANY},
		{MATCH_UDP, 1, 2, "\xa3\x02", 2, ANY},
		{MATCH_TCP, 1, 2, "\x20\0\0\0DHIP", 8, 0},
		{MATCH_TCP, 1, 2, "RTSP/1.0 200 OK", 15, TEXT},
		{MATCH_TCP, 1, 2, "OPTIONS * RTSP/1.0", 18, TEXT},
		{MATCH_TCP, 1, 2, "OPTIONSx", 8, 0},
		{MATCH_TCP, 1, 2, "$", 1, TEXT},
	};
	struct dispatch *dispatch = dispatch_create_for(table, 5);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dispatch);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t candidates = dispatch_candidates(dispatch, cases[i].layer, cases[i].source,
			cases[i].destination, (const uint8_t *)cases[i].data, cases[i].length);

		CU_ASSERT_EQUAL(candidates, cases[i].expected);
	}
	dispatch_free(dispatch);
}

static void
test_ethertypes(void)
{
	struct dispatch *dispatch = dispatch_create_for(table, 5);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dispatch);
	CU_ASSERT_EQUAL(dispatch_ethertype(dispatch, 0x0806), LINK);
	CU_ASSERT_EQUAL(dispatch_ethertype(dispatch, 0x8033), LINK);
	CU_ASSERT_EQUAL(dispatch_ethertype(dispatch, 0x0800), 0);
	dispatch_free(dispatch);
}

static void
test_limits_are_refused(void)
{
	static const struct classifier no_packets = {
		.name = "no packets", .match_count = 1, .inspect = inspect};
	static const struct classifier big_scratch = {
		.name = "big scratch", .scratch_size = CLASSIFIER_SCRATCH_MAX + 1, COMMON};
	static const struct classifier no_match = {
		.name = "no match", .max_packets = 1, .inspect = inspect};
	static const struct classifier long_magic = {
		.name = "long magic", .match = {{.magics = {{.length = 9}}}}, COMMON};
	static const struct classifier *const bad[] = {
		&no_packets, &big_scratch, &no_match, &long_magic};
	const struct classifier *many[33];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_PTR_NULL(dispatch_create_for(&bad[i], 1));
	for (size_t i = 0; i < 33; i++)
		many[i] = &dns;
	CU_ASSERT_PTR_NULL(dispatch_create_for(many, 33));
}

static void
test_the_table_itself(void)
{
	struct dispatch *dispatch = dispatch_create();

	CU_ASSERT_PTR_NOT_NULL(dispatch);
	dispatch_free(dispatch);
	for (size_t i = 0; i < classifier_count; i++) {
		CU_ASSERT_EQUAL(classifier_index(classifier_table[i]), i);
		CU_ASSERT_PTR_NOT_NULL(classifier_table[i]->reference);
		CU_ASSERT_TRUE(classifier_table[i]->protocol == NULL ||
			       strlen(classifier_table[i]->protocol) < DPI_NAME_SIZE);
		for (size_t other = 0; other < i; other++)
			CU_ASSERT_STRING_NOT_EQUAL(
				classifier_table[i]->name, classifier_table[other]->name);
	}
	CU_ASSERT_EQUAL(classifier_index(&dns), classifier_count);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"candidates by port and magic", test_candidates},
		{"candidates by ethertype", test_ethertypes},
		{"limits are refused", test_limits_are_refused},
		{"the table itself", test_the_table_itself},
		CU_TEST_INFO_NULL,
	};

	return unit_run("dispatch", tests);
}
