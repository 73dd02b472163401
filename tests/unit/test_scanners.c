/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/json_scan.h"
#include "classifiers/protocols/xml_scan.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* The items of a document in one line: "<name" opens, ">name" closes, "=text". */
static void
expect_xml(const char *document, const char *expected)
{
	struct xml_scan scan = xml_scan_make(document, strlen(document));
	struct xml_item item;
	char line[512] = "";

	while (xml_scan_next(&scan, &item) != XML_END && strlen(line) < 400)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%c%.*s",
			item.kind == XML_OPEN    ? '<'
			: item.kind == XML_CLOSE ? '>'
						 : '=',
			(int)item.length, item.text);
	CU_ASSERT_STRING_EQUAL(line, expected);
	CU_ASSERT_EQUAL(xml_scan_next(&scan, &item), XML_END);
}

static void
test_xml(void)
{
	expect_xml("<?xml version=\"1.0\"?><a><b>text</b></a>", "<a<b=text>b>a");
	expect_xml("<s:Envelope xmlns:s=\"x\"><d:Types>dn:A tds:B</d:Types></s:Envelope>",
		"<Envelope<Types=dn:A tds:B>Types>Envelope");
	expect_xml("<a x='1>2' y=\"/\">t</a>", "<a=t>a");
	expect_xml("<a/><b c='d'/><e />", "<a>a<b>b<e>e");
	expect_xml(" \n<a>\n \n</a>\r\n", "<a>a");
	expect_xml("<a>  padded  </a>", "<a=padded>a");
	expect_xml("<!DOCTYPE a><!-- <b>no</b> --><a><![CDATA[<raw> & ]]></a>", "<a=<raw> &>a");
	expect_xml("", "");
	expect_xml("no markup", "");
	expect_xml("<", "");
	expect_xml("<>", "");
	expect_xml("</>", "");
	expect_xml("<a", "");
	expect_xml("<a b='", "");
	expect_xml("<a>cut of", "<a");
	expect_xml("<a><!-- cut", "<a");
	expect_xml("<a><![CDATA[cut", "<a");
	expect_xml("<a><b>t</b", "<a<b=t");
}

static void
expect_decoded(const char *raw, const char *expected)
{
	char out[64];
	size_t length = xml_decode(raw, strlen(raw), out, sizeof(out));

	CU_ASSERT_STRING_EQUAL(out, expected);
	CU_ASSERT_EQUAL(length, strlen(expected));
}

static void
test_xml_entities(void)
{
	char small[4];

	expect_decoded("a &amp; b &lt;c&gt; &quot;&apos;", "a & b <c> \"'");
	expect_decoded(
		"&#65;&#x42;&#xfc;&#x20ac;&#x1f4f7;", "AB\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xb7");
	expect_decoded("&amp;lt;", "&lt;");
	expect_decoded("&unknown; &; &# &#; &#x; &", "&unknown; &; &# &#; &#x; &");
	expect_decoded("&#0;&#xd800;&#x110000;&#99999999;", "&#0;&#xd800;&#x110000;&#99999999;");
	CU_ASSERT_EQUAL(xml_decode("abcdef", 6, small, sizeof(small)), 3);
	CU_ASSERT_STRING_EQUAL(small, "abc");
	CU_ASSERT_EQUAL(xml_decode("ab&#x20ac;", 10, small, sizeof(small)), 2);
	CU_ASSERT_EQUAL(xml_decode(NULL, 0, small, sizeof(small)), 0);
}

/* The pairs of a text in one line. */
static void
expect_json(const char *text, const char *expected)
{
	struct cursor cursor = cursor_make(text, strlen(text));
	struct json_pair pair;
	char line[512] = "";

	while (json_scan_next(&cursor, &pair) && strlen(line) < 400)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%.*s%c%.*s;",
			(int)pair.key_length, pair.key, pair.is_string ? '=' : ':',
			(int)pair.value_length, pair.value);
	CU_ASSERT_STRING_EQUAL(line, expected);
}

static void
test_json(void)
{
	expect_json("{\"a\":\"b\",\"c\":1}", "a=b;c:1;");
	expect_json(
		"{ \"a\" : { \"b\" : [ { \"c\" : true } , \"d\" ] }, \"e\" : \"\" }", "c:true;e=;");
	expect_json("{\"a\":\"q\\\"uote\",\"b\":null}", "a=q\\\"uote;b:null;");
	expect_json("{\"a\":\"{\\\"b\\\":1}\"}", "a={\\\"b\\\":1};");
	expect_json("[\"a\",\"b\"]", "");
	expect_json("", "");
	expect_json("{\"a\"", "");
	expect_json("{\"a\":", "");
	expect_json("{\"a\":\"cut", "");
	expect_json("{\"a\":\"cut\\", "");
	expect_json("{\"a", "");
	expect_json("{\"a\":12", "a:12;");
}

static void
test_json_escapes(void)
{
	static const char raw[] = "a\\\"b\\\\c\\/d\\u0041\\u00fc\\u00zz\\n";
	char out[64], small[4];

	json_decode(raw, strlen(raw), out, sizeof(out));
	CU_ASSERT_STRING_EQUAL(out, "a\"b\\c/dA?? ");
	CU_ASSERT_EQUAL(json_decode("abcdef", 6, small, sizeof(small)), 3);
	CU_ASSERT_EQUAL(json_decode("\\u00", 4, out, sizeof(out)), 3);
	CU_ASSERT_EQUAL(json_decode("\\", 1, out, sizeof(out)), 1);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"xml elements", test_xml},
		{"xml entities", test_xml_entities},
		{"json pairs", test_json},
		{"json escapes", test_json_escapes},
		CU_TEST_INFO_NULL,
	};

	return unit_run("scanners", tests);
}
