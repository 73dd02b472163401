/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/knowledge.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VENDORS "id\tname\tbrands\tcountry\tmaker\tstatus\treason\tsource\n"
#define OUIS    "prefix\tbits\tregistrant\tvendor\tscope\tsource\n"
#define DOMAINS "domain\tmatch\tvendor\tpurpose\texclusivity\tweight\tsource\n"
#define PATTERNS                                                                                   \
	"attribute\tmatch\tpattern\tside\tbrand\tmaker\tclass\tclass_weight\tvendor_weight\t"      \
	"meaning\tsource\n"

static struct knowledge *shipped;
static char error[512];

/* Loads the shipped data with one operator's file beside it. */
static struct knowledge *
load_with(const char *text)
{
	char directory[] = "/tmp/camspan-knowledge-XXXXXX";
	char folder[96], path[128];
	struct knowledge *knowledge;
	FILE *file;

	if (!mkdtemp(directory))
		return NULL;
	snprintf(folder, sizeof(folder), "%s/vendors", directory);
	snprintf(path, sizeof(path), "%s/own.tsv", folder);
	mkdir(folder, 0700);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
	knowledge = knowledge_load("config", directory, error, sizeof(error));
	unlink(path);
	rmdir(folder);
	rmdir(directory);
	return knowledge;
}

static void
test_bad_rows_name_file_line_and_remedy(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{"nonsense\n", "own.tsv:1: the first line must name the columns"},
		{"", "the first line must name the columns"},
		{VENDORS "x\tX\t-\n", "own.tsv:2: 3 fields where there must be 8"},
		{VENDORS "X!\tX\t-\tUS\tself\tallowed\t-\ts\n", "is no vendor id"},
		{VENDORS "x\tX\t-\tUS\tself\tbanned\t-\ts\n", "unknown status 'banned'"},
		{VENDORS "x\tX\t-\tUS\tself\tallowed\t-\t-\n", "no source"},
		{VENDORS "x\tX\t-\tUS\tnobody\tallowed\t-\ts\n", "no vendor 'nobody'"},
		{VENDORS "x\tX\t-\tUS\tself\tallowed\t-\ts\nx\tX\t-\tUS\tself\tallowed\t-\ts\n",
			"own.tsv:3: the same key"},
		{OUIS "00:00:zz\t24\tR\taxis\tcamera\ts\n", "is no MAC prefix"},
		{OUIS "00:00:01\t28\tR\taxis\tcamera\ts\n", "has 24 bits, not 28"},
		{OUIS "00:00:01\t25\tR\taxis\tcamera\ts\n", "24, 28 or 36"},
		{OUIS "00:00:01\t24\tR\taxis\tsome\ts\n", "unknown scope"},
		{DOMAINS "UPPER.example\tsuffix\taxis\tp\tvendor\tweak\ts\n", "is no domain"},
		{DOMAINS "a.example\tglob\taxis\tp\tvendor\tweak\ts\n", "unknown match"},
		{DOMAINS "a.example\tsuffix\taxis\tp\tours\tweak\ts\n", "unknown exclusivity"},
		{DOMAINS "a.example\tsuffix\taxis\tp\tvendor\thuge\ts\n", "unknown weight"},
		{PATTERNS "no.such\texact\tx\tdevice\t-\t-\t-\t-\t-\tm\ts\n", "unknown attribute"},
		{PATTERNS "banner\tregex\t(\tdevice\t-\t-\t-\t-\t-\tm\ts\n", "does not compile"},
		{PATTERNS "banner\texact\tx\tboth\t-\t-\t-\t-\t-\tm\ts\n", "unknown side"},
		{PATTERNS "banner\texact\tx\tdevice\t-\t-\tphone\tweak\t-\tm\ts\n",
			"unknown class"},
		{PATTERNS "banner\texact\tx\tdevice\t-\t-\tcamera\t-\t-\tm\ts\n", "class_weight"},
		{PATTERNS "banner\texact\tx\tdevice\t-\t-\t-\t-\tweak\tm\ts\n", "vendor_weight"},
		{PATTERNS "banner\texact\t\tdevice\t-\t-\t-\t-\t-\tm\ts\n", "no pattern"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct knowledge *knowledge = load_with(cases[i].text);

		CU_ASSERT_PTR_NULL(knowledge);
		if (!strstr(error, cases[i].expected))
			printf("\ncase %zu: %s\n", i, error);
		CU_ASSERT_PTR_NOT_NULL(strstr(error, cases[i].expected));
		knowledge_free(knowledge);
	}
	CU_ASSERT_PTR_NULL(knowledge_load("/no/such/folder", "", error, sizeof(error)));
	CU_ASSERT_PTR_NULL(knowledge_load("config", "/no/such/folder", error, sizeof(error)));
}

static void
test_operators_rows_win(void)
{
	struct knowledge *knowledge =
		load_with(VENDORS "axis\tAxis\t-\tSE\tself\treview\tours\tour policy\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(knowledge);
	CU_ASSERT_EQUAL(knowledge_vendor(knowledge, "axis")->status, STATUS_REVIEW);
	CU_ASSERT_EQUAL(knowledge_vendor(shipped, "axis")->status, STATUS_ALLOWED);
	knowledge_free(knowledge);
}

static void
count_row(void *context, const struct fingerprint *fingerprint)
{
	const char **maker = context;

	if (fingerprint->maker[0])
		*maker = fingerprint->maker;
}

static const char *
maker_of(enum evidence_attribute attribute, enum evidence_side side, const char *value)
{
	struct evidence evidence = {.attribute = attribute, .side = side};
	const char *maker = "";

	evidence_set_value(&evidence, value, strlen(value));
	knowledge_match(shipped, &evidence, count_row, &maker);
	return maker;
}

static void
test_matching(void)
{
	static const struct {
		enum evidence_attribute attribute;
		enum evidence_side side;
		const char *value;
		const char *maker;
	} cases[] = {
		{ATTRIBUTE_RTSP_REALM, SIDE_DEVICE, "Login to 4H01D66PAJ2FA64", "dahua"},
		{ATTRIBUTE_RTSP_REALM, SIDE_DEVICE, "Please Login to 4H01D66PAJ", ""},
		{ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "App-webs/", "hikvision"},
		{ATTRIBUTE_HTTP_SERVER, SIDE_DEVICE, "App-webs/2", ""},
		/* Literals: contained, at the beginning, in either case. */
		{ATTRIBUTE_HTTP_PATH, SIDE_DEVICE, "/x/ISAPI/System", "hikvision"},
		{ATTRIBUTE_HTTP_PATH, SIDE_DEVICE, "/x/isapi/System", ""},
		{ATTRIBUTE_UPNP_MANUFACTURER, SIDE_DEVICE, "Zhejiang DAHUA", "dahua"},
		{ATTRIBUTE_HTTP_REALM, SIDE_DEVICE, "Use 'live' as User Name to", "bosch"},
		{ATTRIBUTE_HTTP_REALM, SIDE_DEVICE, "use 'live' as User Name", ""},
		{ATTRIBUTE_TLS_ISSUER, SIDE_DEVICE, "CN=dahuatech root", "dahua"},
		{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "Dev.Hik-Connect.com", "hikvision"},
		{ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, "nothik-connect.com", ""},
		{ATTRIBUTE_TLS_SNI, SIDE_DEVICE, "x.easy4ipcloud.com", "dahua"},
		{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "sadp", "hikvision"},
		{ATTRIBUTE_PROTOCOL, SIDE_TOOL, "sadp", ""},
		{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "dhdiscover", "dahua"},
		{ATTRIBUTE_PROTOCOL, SIDE_DEVICE, "dvrip-discovery", "dahua"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(maker_of(cases[i].attribute, cases[i].side, cases[i].value),
			cases[i].maker);
}

static void
test_models_are_cut_out_of_text(void)
{
	struct evidence evidence = {.attribute = ATTRIBUTE_MDNS_INSTANCE};
	char model[64];

	evidence_set_value(&evidence, "D-Link DCS-935L Configuration Utility", 37);
	CU_ASSERT(knowledge_model(shipped, &evidence, model, sizeof(model)) > 0);
	CU_ASSERT_STRING_EQUAL(model, "DCS-935L");
}

static void
test_prefixes(void)
{
	struct mac_address ezviz = {{0x0c, 0xa6, 0x4c, 1, 2, 3}};
	struct mac_address swann = {{0x0c, 0x0e, 0xc1, 0x42, 2, 3}};
	struct mac_address nobody = {{0xfe, 0xff, 0xff, 1, 2, 3}};

	CU_ASSERT_STRING_EQUAL(knowledge_oui(shipped, &ezviz)->brand, "ezviz");
	CU_ASSERT_STRING_EQUAL(knowledge_oui(shipped, &swann)->brand, "swann");
	CU_ASSERT_PTR_NULL(knowledge_oui(shipped, &nobody));
}

static void
test_statuses_of_the_knowledge(void)
{
	static const char *const restricted[] = {
		"hikvision", "dahua", "ezviz", "imou", "hytera", "huawei", "zte"};

	for (size_t i = 0; i < sizeof(restricted) / sizeof(restricted[0]); i++)
		CU_ASSERT_EQUAL(
			knowledge_vendor(shipped, restricted[i])->status, STATUS_RESTRICTED);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"bad rows name file, line and remedy", test_bad_rows_name_file_line_and_remedy},
		{"the operator's rows win", test_operators_rows_win},
		{"matching", test_matching},
		{"models are cut out of text", test_models_are_cut_out_of_text},
		{"prefixes", test_prefixes},
		{"statuses", test_statuses_of_the_knowledge},
		CU_TEST_INFO_NULL,
	};
	int result;

	shipped = knowledge_load("config", "", error, sizeof(error));
	if (!shipped) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	result = unit_run("knowledge", tests);
	knowledge_free(shipped);
	return result;
}
