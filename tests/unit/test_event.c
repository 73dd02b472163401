/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON, held against docs/events.md: its examples are the golden output and its table
 * names every path that is emitted, with its type. */
#include "exporters/community_id.h"
#include "exporters/event.h"
#include "exporters/json.h"
#include "tests/unit/sample_events.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <math.h>

#define DOCUMENT  "docs/events.md"
#define PATHS_MAX 256
#define PATH_SIZE 96

struct documented {
	char path[PATH_SIZE];
	char type[16];
	char datasets[64];
	bool emitted[EVENT_DATASET_COUNT];
};

static struct {
	struct config *config;
	struct event_encoder *encoder;
	char *document;
	size_t path_count;
	struct documented paths[PATHS_MAX];
} fixture;

static json_t *
encode(const struct event *event, uint64_t sequence)
{
	size_t length;
	const char *text = event_encode(fixture.encoder, event, sequence, &length);
	json_error_t error;
	json_t *parsed = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);

	CU_ASSERT_EQUAL(strlen(text), length);
	CU_ASSERT_PTR_NULL(strchr(text, '\n'));
	CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
	return parsed;
}

static const char *
text_at(const json_t *json, const char *path)
{
	char key[PATH_SIZE];

	while (path != NULL) {
		const char *dot = strchr(path, '.');
		size_t length = dot != NULL ? (size_t)(dot - path) : strlen(path);

		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		json = json_object_get(json, key);
		path = dot != NULL ? dot + 1 : NULL;
	}
	return json_string_value(json);
}

static char *
read_document(void)
{
	FILE *file = fopen(DOCUMENT, "r");
	char *text = calloc(1, 1 << 20);

	if (file == NULL || text == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) {
		perror(DOCUMENT);
		exit(1);
	}
	fclose(file);
	return text;
}

/* Rows such as "| `source.ip` | ip | flow, stream | meaning |". */
static void
read_table(void)
{
	const char *line = fixture.document;

	while (line != NULL && fixture.path_count < PATHS_MAX) {
		struct documented *row = &fixture.paths[fixture.path_count];

		if (sscanf(line, "| `%95[^`]` | %15[a-z] | %63[a-z, ]|", row->path, row->type,
			    row->datasets) == 3)
			fixture.path_count++;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
}

static bool
path_matches(const char *documented, const char *path)
{
	size_t length = strlen(documented);

	if (length > 2 && strcmp(documented + length - 2, ".*") == 0)
		return strncmp(documented, path, length - 1) == 0;
	return strcmp(documented, path) == 0;
}

static bool
type_matches(const char *type, const json_t *value)
{
	if (strcmp(type, "long") == 0)
		return json_is_integer(value);
	if (strcmp(type, "float") == 0)
		return json_is_number(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	return json_is_string(value);
}

static void
check_leaf(const char *path, const json_t *value, enum event_dataset dataset)
{
	for (size_t i = 0; i < fixture.path_count; i++) {
		struct documented *row = &fixture.paths[i];

		if (!path_matches(row->path, path))
			continue;
		row->emitted[dataset] = true;
		if (!type_matches(row->type, value) ||
			(strstr(row->datasets, event_dataset_name(dataset)) == NULL &&
				strncmp(row->datasets, "all", 3) != 0))
			break;
		if (json_is_string(value))
			CU_ASSERT_TRUE(json_string_length(value) > 0);
		return;
	}
	fprintf(stderr, "%s of %s: not in %s, or with another type\n", path,
		event_dataset_name(dataset), DOCUMENT);
	CU_FAIL("undocumented");
}

static void
check_paths(const char *prefix, json_t *value, enum event_dataset dataset)
{
	const char *key;
	size_t index;
	json_t *member;
	char path[PATH_SIZE * 2];

	if (json_is_array(value)) {
		json_array_foreach(value, index, member) check_paths(prefix, member, dataset);
	} else if (json_is_object(value)) {
		json_object_foreach(value, key, member)
		{
			snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key);
			check_paths(path, member, dataset);
		}
	} else {
		check_leaf(prefix, value, dataset);
	}
}

/* What differs from run to run or from version to version. */
static void
normalise(json_t *json)
{
	json_object_set_new(json_object_get(json, "agent"), "ephemeral_id", json_string("RUN"));
	json_object_set_new(json_object_get(json, "agent"), "version", json_string("VERSION"));
	json_object_set_new(json_object_get(json, "observer"), "version", json_string("VERSION"));
	json_object_set_new(json_object_get(json, "event"), "id", json_string("ID"));
}

/* The example in the document is the text between ```json and ``` after its heading. */
static json_t *
example_of(enum event_dataset dataset)
{
	char heading[32];
	const char *start, *end;
	json_error_t error;
	json_t *json;

	snprintf(heading, sizeof(heading), "\n### Example: %s\n", event_dataset_name(dataset));
	start = strstr(fixture.document, heading);
	CU_ASSERT_PTR_NOT_NULL_FATAL(start);
	start = strstr(start, "```json\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(start);
	start += 8;
	end = strstr(start, "\n```");
	CU_ASSERT_PTR_NOT_NULL_FATAL(end);
	json = json_loadb(start, (size_t)(end - start), 0, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	return json;
}

static void
expect_example(const struct event *event)
{
	json_t *actual = encode(event, 1), *expected;

	check_paths("", actual, event->dataset);
	normalise(actual);
	if (getenv("CAMSPAN_PRINT_EVENTS") != NULL) {
		printf("### Example: %s\n", event_dataset_name(event->dataset));
		json_dumpf(actual, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(actual);
		return;
	}
	expected = example_of(event->dataset);
	normalise(expected);
	if (!json_equal(actual, expected)) {
		fprintf(stderr, "%s: emitted\n", event_dataset_name(event->dataset));
		json_dumpf(actual, stderr, JSON_INDENT(2) | JSON_SORT_KEYS);
		CU_FAIL("differs from the documented example");
	}
	json_decref(expected);
	json_decref(actual);
}

static void
test_examples_are_what_is_emitted(void)
{
	struct flow_event flow = sample_flow(0), ping = sample_ping();
	struct device_record device = sample_device(0);
	struct stream_record stream = sample_stream(0);
	struct alert_record alert = sample_alert(0);
	struct health_record health = sample_health();
	json_t *json;

	expect_example(&(struct event){EVENT_FLOW, SAMPLE_TIME, .flow = &flow});
	expect_example(&(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	expect_example(&(struct event){EVENT_STREAM, SAMPLE_TIME, .stream = &stream});
	expect_example(&(struct event){EVENT_ALERT, SAMPLE_TIME, .alert = &alert});
	expect_example(&(struct event){EVENT_HEALTH, SAMPLE_TIME, .health = &health});
	json = encode(&(struct event){EVENT_FLOW, SAMPLE_TIME, .flow = &ping}, 2);
	check_paths("", json, EVENT_FLOW);
	json_decref(json);
}

static void
test_documented_paths_are_emitted(void)
{
	for (size_t i = 0; i < fixture.path_count; i++) {
		const struct documented *row = &fixture.paths[i];

		for (int j = 0; j < EVENT_DATASET_COUNT; j++) {
			bool wanted = strncmp(row->datasets, "all", 3) == 0 ||
				      strstr(row->datasets, event_dataset_name(j)) != NULL;

			if (wanted == row->emitted[j])
				continue;
			fprintf(stderr, "%s of %s is documented but not emitted\n", row->path,
				event_dataset_name(j));
			CU_FAIL("documented but not emitted");
		}
	}
	CU_ASSERT_TRUE(fixture.path_count > 80);
}

static void
test_unknown_is_left_out(void)
{
	struct flow_event flow = {0};
	struct device_record device = {0};
	struct stream_record stream = {0};
	struct alert_record alert = {0};
	struct health_record health = {0};
	const struct event events[] = {
		{EVENT_FLOW, 0, .flow = &flow},
		{EVENT_DEVICE, 0, .device = &device},
		{EVENT_STREAM, 0, .stream = &stream},
		{EVENT_ALERT, 0, .alert = &alert},
		{EVENT_HEALTH, 0, .health = &health},
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		json_t *json = encode(&events[i], 1);

		check_paths("", json, events[i].dataset);
		CU_ASSERT_STRING_EQUAL(
			text_at(json, "@timestamp"), "1970-01-01T00:00:00.000000000Z");
		CU_ASSERT_PTR_NULL(json_object_get(json, "related"));
		json_decref(json);
	}
}

static void
test_hostile_text_stays_valid(void)
{
	static const char *const texts[] = {"\xff\xfe", "\"},{\"x\":\"", "a\nb\r\t\x01", "\\u0000",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf",
		("K\xc3\xbc"
		 "che"),
		"\x1b[31m", " ", "\xe2\x80\xa8", "\xc3"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct device_record device = sample_device(0);
		struct alert_record alert = sample_alert(0);
		json_t *json;

		snprintf(device.hostname, sizeof(device.hostname), "%s", texts[i]);
		snprintf(device.facts[0].value, sizeof(device.facts[0].value), "%s", texts[i]);
		snprintf(alert.reason, sizeof(alert.reason), "%s", texts[i]);
		snprintf(
			alert.destination_domain, sizeof(alert.destination_domain), "%s", texts[i]);
		json = encode(&(struct event){EVENT_DEVICE, 1, .device = &device}, 1);
		check_paths("", json, EVENT_DEVICE);
		json_decref(json);
		json = encode(&(struct event){EVENT_ALERT, 1, .alert = &alert}, 1);
		check_paths("", json, EVENT_ALERT);
		json_decref(json);
	}
}

static void
test_longest_text_is_whole(void)
{
	struct alert_record alert = sample_alert(0);
	json_t *json;

	memset(alert.reason, 'r', sizeof(alert.reason) - 1);
	alert.reason[0] = '\xc3'; /* "ue": takes the careful path */
	alert.reason[1] = '\xbc';
	json = encode(&(struct event){EVENT_ALERT, 1, .alert = &alert}, 1);
	CU_ASSERT_STRING_EQUAL(text_at(json, "message"), alert.reason);
	json_decref(json);
}

static void
test_numbers_that_are_none(void)
{
	static const double values[] = {NAN, INFINITY, -INFINITY, 1e300, -0.0};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct stream_record stream = sample_stream(0);
		struct device_record device = sample_device(0);

		stream.fps = stream.jitter_ms = values[i];
		device.confidence = device.facts[0].weight_class = (float)values[i];
		json_decref(encode(&(struct event){EVENT_STREAM, 1, .stream = &stream}, 1));
		json_decref(encode(&(struct event){EVENT_DEVICE, 1, .device = &device}, 1));
	}
}

static void
test_counts_beyond_their_arrays(void)
{
	struct device_record device = sample_device(0);
	json_t *json;

	device.ip_count = device.fact_count = 255;
	json = encode(&(struct event){EVENT_DEVICE, 1, .device = &device}, 1);
	json_decref(json);
}

static void
test_decimals(void)
{
	static const struct {
		double value;
		int decimals;
		const char *text;
	} cases[] = {
		{0.98f, 4, "0.98"},
		{-1.5, 3, "-1.5"},
		{0, 3, "0"},
		{-0.00001, 3, "0"},
		{2, 3, "2"},
		{0.0625, 4, "0.0625"},
		{10.007, 3, "10.007"},
		{99.9999, 3, "100"},
		{1234567.25, 2, "1234567.25"},
	};
	struct json_writer *json = json_writer_create();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[64];
		size_t length;

		snprintf(expected, sizeof(expected), "{\"v\":%s}", cases[i].text);
		json_writer_begin(json);
		json_put_decimal(json, "v", cases[i].value, cases[i].decimals);
		CU_ASSERT_STRING_EQUAL(json_writer_end(json, &length), expected);
	}
	json_writer_free(json);
}

static void
test_times(void)
{
	static const struct {
		int64_t time;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{SAMPLE_TIME, "2025-11-24T16:00:00.123456789Z"},
		{-1, "1969-12-31T23:59:59.999999999Z"},
		{INT64_C(951782400000000001), "2000-02-29T00:00:00.000000001Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
		{INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
	};
	char text[TIME_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(time_format(cases[i].time, text), strlen(cases[i].text));
		CU_ASSERT_STRING_EQUAL(text, cases[i].text);
	}
}

/* Facts of the reference data of the specification. ICMP: ports are type and code. */
static void
test_community_ids(void)
{
	static const struct {
		uint8_t protocol;
		const char *source, *destination;
		uint16_t source_port, destination_port;
		const char *id;
	} cases[] = {
		{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0,
			"1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0,
			"1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 0,
			"1:zavyT/cezQr1fmImYCwYnMXbgck="},
		{58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
			"1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
		{58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
			"1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
		{58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0,
			"1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0,
			"1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
		{58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0,
			"1:pkvHqCL88/tg1k4cPigmZXUtL00="},
		{1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{1, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
		{6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
			"1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		{132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		{6, "128.232.110.120", "66.35.250.204", 34855, 80,
			"1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{6, "66.35.250.204", "128.232.110.120", 80, 34855,
			"1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
	};
	struct community_id_hasher *hasher = community_id_create();
	char text[COMMUNITY_ID_SIZE];

	CU_ASSERT_PTR_NOT_NULL_FATAL(hasher);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool icmp = cases[i].protocol == 1 || cases[i].protocol == 58;
		struct flow_record flow = {
			.protocol = cases[i].protocol,
			.initiator = {sample_ip(cases[i].source), icmp ? 0 : cases[i].source_port},
			.responder = {sample_ip(cases[i].destination),
				icmp ? 0 : cases[i].destination_port},
			.icmp_type = icmp ? (uint8_t)cases[i].source_port : 0,
			.icmp_code = icmp ? (uint8_t)cases[i].destination_port : 0,
		};

		CU_ASSERT_STRING_EQUAL(community_id_format(hasher, &flow, text), cases[i].id);
	}
	community_id_free(hasher);
}

static void
test_ids_of_two_runs_differ(void)
{
	struct event_encoder *other = event_encoder_create(fixture.config);
	char first[EVENT_ID_SIZE], second[EVENT_ID_SIZE];

	event_id_format(fixture.encoder, EVENT_FLOW, 1, first);
	event_id_format(other, EVENT_FLOW, 1, second);
	CU_ASSERT_STRING_NOT_EQUAL(first, second);
	event_encoder_free(other);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"examples are what is emitted", test_examples_are_what_is_emitted},
		{"documented paths are emitted", test_documented_paths_are_emitted},
		{"unknown is left out", test_unknown_is_left_out},
		{"hostile text stays valid", test_hostile_text_stays_valid},
		{"longest text is whole", test_longest_text_is_whole},
		{"numbers that are none", test_numbers_that_are_none},
		{"counts beyond their arrays", test_counts_beyond_their_arrays},
		{"decimals", test_decimals},
		{"times", test_times},
		{"community ids", test_community_ids},
		{"ids of two runs differ", test_ids_of_two_runs_differ},
		CU_TEST_INFO_NULL,
	};
	int failed;

	fixture.config = sample_config();
	fixture.encoder = event_encoder_create(fixture.config);
	fixture.document = read_document();
	read_table();
	failed = unit_run("event", tests);
	free(fixture.document);
	event_encoder_free(fixture.encoder);
	config_free(fixture.config);
	return failed;
}
