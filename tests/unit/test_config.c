/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "config/schema.h"
#include "tests/unit/config_bad_inputs.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define ERROR_SIZE 1024

static char directory[] = "/tmp/camspan-config-XXXXXX";
static char file[64];

static void
write_bytes(const void *bytes, size_t length)
{
	FILE *out = fopen(file, "wb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fwrite(bytes, 1, length, out);
	fclose(out);
}

static struct config *
load_text(const char *text, char *error)
{
	write_bytes(text, strlen(text));
	error[0] = '\0';
	return config_load(file, error, ERROR_SIZE);
}

static char *
print(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	config_print(config, out);
	fclose(out);
	return text;
}

static char *
read_all(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *in = fopen(path, "rb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	CU_ASSERT_TRUE(fread(text, 1, (1 << 20) - 1, in) > 0);
	fclose(in);
	return text;
}

static void
expect_same_text(const char *got, const char *expected)
{
	CU_ASSERT_STRING_EQUAL(got, expected);
	for (size_t i = 0; strcmp(got, expected) != 0; i++)
		if (got[i] != expected[i]) {
			printf("\nfirst difference: \"%.60s\"\n        expected: \"%.60s\"\n",
				got + i, expected + i);
			return;
		}
}

static void
test_defaults(void)
{
	struct config *config = config_defaults();

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->flows.ipv4_max, 1048576);
	CU_ASSERT_EQUAL(config->flows.idle_timeout_ms, 60000);
	CU_ASSERT_EQUAL(config->flows.active_timeout_ms, 300000);
	CU_ASSERT_EQUAL(config->devices.forget_after_s, 30 * 86400);
	CU_ASSERT_EQUAL(config->policy.rules[RULE_CAMERA_REACHES_CORE].severity, 70);
	CU_ASSERT_TRUE(config->policy.rules[RULE_UNEXPECTED_DESTINATION].enabled);
	CU_ASSERT_DOUBLE_EQUAL(config->policy.min_confidence, 0.8, 1e-6);
	CU_ASSERT_EQUAL(config->export.kafka.message_timeout_ms, 86400000);
	CU_ASSERT_TRUE(config->export.state.enabled);
	CU_ASSERT_TRUE(config->export.file.datasets[EVENT_HEALTH]);
	CU_ASSERT_NOT_EQUAL(config->sensor_name[0], '\0');
	CU_ASSERT_EQUAL(config->zone_count, 0);
	config_free(config);
}

static void
test_rows_are_sound(void)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];

		CU_ASSERT_PTR_EQUAL(setting_find(setting->path), setting);
		CU_ASSERT_TRUE(setting->documentation && setting->documentation[0]);
		CU_ASSERT_TRUE(setting->size > 0);
		if (setting->type == SETTING_COUNT || setting->type == SETTING_SECONDS ||
			setting->type == SETTING_MILLISECONDS) {
			double limit = setting->size == 1   ? 255
				       : setting->size == 2 ? 65535
							    : 4294967295.0;

			CU_ASSERT_TRUE(setting->maximum > 0 && setting->maximum <= limit);
		}
		if (setting->type == SETTING_ENUM || setting->type == SETTING_CHOICE)
			CU_ASSERT_PTR_NOT_NULL(setting->names);
		if (setting->type == SETTING_ENUM)
			CU_ASSERT_EQUAL(setting->size, sizeof(int));
	}
}

static void
test_data_directory(void)
{
	struct config *config;

	setenv("CAMSPAN_DATA", "/srv/camspan-data", 1);
	config = config_defaults();
	CU_ASSERT_STRING_EQUAL(config->data_directory, "/srv/camspan-data");
	config_free(config);
	unsetenv("CAMSPAN_DATA");
	config = config_defaults();
	CU_ASSERT_NOT_EQUAL(config->data_directory[0], '\0');
	config_free(config);
}

/* A "#" with one blank begins a comment; any other "#" at the start of a line hides an example. */
static void
reveal_examples(char *text)
{
	char *to = text;
	bool line_start = true;

	for (const char *c = text; *c; c++) {
		bool comment = c[1] == '\n' || (c[1] == ' ' && c[2] != ' ');

		if (line_start && *c == '#' && !comment) {
			line_start = false;
			continue;
		}
		if (*c == '\n')
			line_start = true;
		else if (*c != ' ')
			line_start = false;
		*to++ = *c;
	}
	*to = '\0';
}

static bool
document_has(yaml_document_t *document, const char *path)
{
	yaml_node_t *node = yaml_document_get_root_node(document);

	while (node && *path) {
		size_t length = strcspn(path, ".[");
		yaml_node_t *next = NULL;

		if (*path == '[') {
			next = yaml_document_get_node(document, node->data.sequence.items.start[0]);
			path += 2;
		} else {
			yaml_node_pair_t *pair = node->data.mapping.pairs.start;

			for (; pair < node->data.mapping.pairs.top; pair++) {
				yaml_node_t *key = yaml_document_get_node(document, pair->key);

				if (key->data.scalar.length == length &&
					memcmp(key->data.scalar.value, path, length) == 0)
					next = yaml_document_get_node(document, pair->value);
			}
			path += length;
		}
		path += *path == '.';
		node = next;
	}
	return node != NULL;
}

static void
test_shipped_file(void)
{
	char error[ERROR_SIZE] = "";
	struct config *defaults = config_defaults();
	struct config *shipped = config_load("config/camspan.yaml", error, sizeof(error));
	char *text = read_all("config/camspan.yaml");
	char *expected, *got;
	yaml_parser_t parser;
	yaml_document_t document;

	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
	got = print(shipped);
	expected = print(defaults);
	expect_same_text(got, expected);
	free(got);
	free(expected);
	config_free(shipped);
	config_free(defaults);

	reveal_examples(text);
	shipped = load_text(text, error);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
	CU_ASSERT_EQUAL(shipped->dataplane.port_count, 2);
	CU_ASSERT_EQUAL(shipped->zone_count, 2);
	CU_ASSERT_EQUAL(shipped->allow_count, 1);
	config_free(shipped);

	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (unsigned char *)text, strlen(text));
	CU_ASSERT_TRUE_FATAL(yaml_parser_load(&parser, &document));
	for (size_t i = 0; i < config_setting_count; i++)
		if (!document_has(&document, config_settings[i].path)) {
			printf("\nconfig/camspan.yaml lacks %s\n", config_settings[i].path);
			CU_FAIL("a setting is missing in config/camspan.yaml");
		}
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	free(text);
}

/* After a change of the schema: CAMSPAN_UPDATE=1 writes the page anew. */
static void
test_reference_page(void)
{
	char *text = NULL, *page;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_print_reference(out);
	fclose(out);
	if (getenv("CAMSPAN_UPDATE")) {
		out = fopen("docs/configuration.md", "wb");
		fwrite(text, 1, size, out);
		fclose(out);
	}
	page = read_all("docs/configuration.md");
	expect_same_text(page, text);
	free(page);
	free(text);
}

static const char everything[] =
	"site: {name: hq.1, sensitive: yes}\n"
	"sensor: {name: span-1}\n"
	"log: {level: debug}\n"
	"health: {interval: 90}\n"
	"data: {directory: \"/a \\\"b\\\" \\\\ c\", override_directory: /ü}\n"
	"dataplane: {huge_pages: off, memory: 2GiB, lcores: \"0,2-5\", workers: 4,\n"
	"  rx_descriptors: 1024, mbufs: 4096, ports: [{device: \"net_pcap0,iface=x\"},\n"
	"  {device: \"0000:03:00.0\", promiscuous: false}]}\n"
	"flows: {ipv4_max: 2048, ipv6_max: 1024, idle_timeout: 1500ms, active_timeout: 1h}\n"
	"inspection: {mode: candidates, max_packets: 1, dpi_max_packets: 0, flows_max: 64,\n"
	"  stream_buffers: 16, dpi_per_burst: 0}\n"
	"devices: {max: 16, forget_after: 7d, router_addresses: 2}\n"
	"streams: {max: 16, report_interval: 61, idle_timeout: 2 m}\n"
	"zones:\n"
	"  - {name: cams, kind: camera, networks: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1],\n"
	"     vlans: [1, 4094]}\n"
	"  - {kind: core, name: core, vlans: [7]}\n"
	"destinations: {allow: [{name: \"time: all\", zone: cams, vendor: axis,\n"
	"  device: 00-11-22-33-44-5A, networks: [0.0.0.0/0], domains: [Example.COM, =a.b],\n"
	"  ports: [123], protocol: udp}, {domains: [x.y], protocol: 47},\n"
	"  {domains: [x.y], device: \"2001:0db8:1111:2222:3333:4444:5555:6666\"}]}\n"
	"policy: {min_confidence: 0.95, close_after: 3601, allow_local_peers: false}\n"
	"rules: {restricted-vendor-present: {enabled: false, severity: 1, severity_sensitive: 2}}\n"
	"export: {queue: 64, shutdown_timeout: 0, file: {enabled: true, path: \"-\",\n"
	"  datasets: [alert]}, state: {enabled: false},\n"
	"  kafka: {enabled: true, brokers: \"a:1,b:2\", compression: none, idempotence: false,\n"
	"    broker_version_fallback: 0.9.0.1},\n"
	"  redis: {enabled: true, address: unix:/run/r.sock, database: 3, ttl: 10}}\n";

static void
test_every_type_loads(void)
{
	char error[ERROR_SIZE];
	struct config *config = load_text(everything, error);

	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_TRUE(config->site.sensitive);
	CU_ASSERT_EQUAL(config->health_interval_s, 90);
	CU_ASSERT_STRING_EQUAL(config->data_directory, "/a \"b\" \\ c");
	CU_ASSERT_EQUAL(config->dataplane.huge_pages, HUGE_PAGES_OFF);
	CU_ASSERT_EQUAL(config->dataplane.memory_mib, 2048);
	CU_ASSERT_EQUAL(config->dataplane.port_count, 2);
	CU_ASSERT_TRUE(config->dataplane.ports[0].promiscuous);
	CU_ASSERT_FALSE(config->dataplane.ports[1].promiscuous);
	CU_ASSERT_EQUAL(config->flows.idle_timeout_ms, 1500);
	CU_ASSERT_EQUAL(config->flows.active_timeout_ms, 3600000);
	CU_ASSERT_EQUAL(config->streams.idle_timeout_s, 120);
	CU_ASSERT_EQUAL(config->zones[0].network_count, 3);
	CU_ASSERT_EQUAL(config->zones[0].networks[2].prefix_length, 32);
	CU_ASSERT_EQUAL(config->zones[0].vlans[1], 4094);
	CU_ASSERT_EQUAL(config->zones[1].kind, ZONE_CORE);
	CU_ASSERT_STRING_EQUAL(config->allow[0].device, "00:11:22:33:44:5a");
	CU_ASSERT_STRING_EQUAL(config->allow[0].domains[0], "example.com");
	CU_ASSERT_EQUAL(config->allow[0].protocol, 17);
	CU_ASSERT_EQUAL(config->allow[1].protocol, 47);
	CU_ASSERT_STRING_EQUAL(config->allow[2].device, "2001:db8:1111:2222:3333:4444:5555:6666");
	CU_ASSERT_FALSE(config->policy.rules[RULE_RESTRICTED_VENDOR_PRESENT].enabled);
	CU_ASSERT_TRUE(config->policy.rules[RULE_CAMERA_REACHES_CORE].enabled);
	CU_ASSERT_TRUE(config->export.file.datasets[EVENT_ALERT]);
	CU_ASSERT_FALSE(config->export.file.datasets[EVENT_FLOW]);
	config_free(config);
}

static void
test_print_round_trip(void)
{
	char error[ERROR_SIZE];
	struct config *config = load_text(everything, error), *again;
	char *first, *second;

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	first = print(config);
	again = load_text(first, error);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	second = print(again);
	expect_same_text(second, first);
	CU_ASSERT_EQUAL(memcmp(&config->export, &again->export, sizeof(again->export)), 0);
	CU_ASSERT_EQUAL(memcmp(&config->flows, &again->flows, sizeof(again->flows)), 0);
	CU_ASSERT_EQUAL(
		memcmp(config->allow[0].networks, again->allow[0].networks, sizeof(struct network)),
		0);
	free(first);
	free(second);
	config_free(config);
	config_free(again);
}

static void
test_empty_means_defaults(void)
{
	static const char *const texts[] = {"", "\n", "# nothing\n", "---\n", "~\n", "{}\n",
		"zones:\nflows:\ndestinations:\n  allow:\n"};
	struct config *defaults = config_defaults();
	char *expected = print(defaults);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char error[ERROR_SIZE];
		struct config *config = load_text(texts[i], error);
		char *got;

		CU_ASSERT_STRING_EQUAL(error, "");
		CU_ASSERT_PTR_NOT_NULL_FATAL(config);
		got = print(config);
		expect_same_text(got, expected);
		free(got);
		config_free(config);
	}
	free(expected);
	config_free(defaults);
}

static void
test_bad_inputs(void)
{
	for (size_t i = 0; i < sizeof(bad_inputs) / sizeof(bad_inputs[0]); i++) {
		char error[ERROR_SIZE], expected[ERROR_SIZE];
		struct config *config = load_text(bad_inputs[i].text, error);

		snprintf(expected, sizeof(expected), "%s:%s", file, bad_inputs[i].message);
		CU_ASSERT_PTR_NULL(config);
		CU_ASSERT_STRING_EQUAL(error, expected);
		if (strcmp(error, expected) != 0)
			printf("\n     got: %s\nexpected: %s\n", error, expected);
		config_free(config);
	}
}

static void
expect_file_error(const char *path, const char *message)
{
	char error[ERROR_SIZE] = "", expected[ERROR_SIZE];

	snprintf(expected, sizeof(expected), "%s: %s", path, message);
	CU_ASSERT_PTR_NULL(config_load(path, error, sizeof(error)));
	CU_ASSERT_STRING_EQUAL(error, expected);
}

static void
test_bad_files(void)
{
	static char big[1024 * 1024 + 1];

	expect_file_error("/nonexistent.yaml", "cannot be read: No such file or directory; check "
					       "the path and its permissions");
	expect_file_error("/tmp", "cannot be read: Is a directory; name the file in it");
	memset(big, '#', sizeof(big));
	write_bytes(big, sizeof(big));
	expect_file_error(file, "is larger than 1 MiB; is this the configuration?");
	if (geteuid() != 0) {
		chmod(file, 0);
		expect_file_error(file, "cannot be read: Permission denied; check the path and "
					"its permissions");
		chmod(file, 0600);
	}
}

/* Text of many repetitions, made here so that the table above stays readable. */
static void
expect_repeated(
	const char *head, const char *repeated, size_t count, const char *tail, const char *message)
{
	char error[ERROR_SIZE], expected[ERROR_SIZE];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(head, out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, repeated, (int)i);
	fputs(tail, out);
	fclose(out);
	CU_ASSERT_PTR_NULL(load_text(text, error));
	snprintf(expected, sizeof(expected), "%s:%s", file, message);
	CU_ASSERT_STRING_EQUAL(error, expected);
	free(text);
}

static void
test_bounds(void)
{
	expect_repeated("zones: [{name: a, kind: core, vlans: [", "%d, ", 300, "]}]\n",
		"1: zones[0].vlans: has 300 items; use at most 256");
	expect_repeated("a:\n", "- &a%d x\n", 300, "",
		"258: YAML: has too many anchors; write the values out");
	expect_repeated("site: {name: ", "%d", 200, "}\n",
		"1: site.name: 0123456789101112131415161718192021222324... is too long; use at "
		"most 63 characters");
	expect_repeated("", "k%d", 200, ": 1\n",
		"1: k0k1k2k3k4k5k6k7k8k9k10k11k12k13k14k15k1...: unknown key; known here are site, "
		"sensor, log, health, data, dataplane, flows, inspection, devices, streams, zones, "
		"destinations, policy, rules, export");
}

/* Whatever the bytes: a configuration or one line, never a crash. Seeds are fixed. */
static void
test_random_bytes(void)
{
	static const char alphabet[] = "{}[],:-#&*!|>'\"%@` \n\t~0a\\\xc3\xbc";
	uint64_t state = 0x9e3779b97f4a7c15;
	size_t accepted = 0;

	for (int round = 0; round < 4000; round++) {
		char text[sizeof(everything)];
		char error[ERROR_SIZE] = "";
		size_t length = sizeof(everything) - 1;
		struct config *config;

		memcpy(text, everything, length);
		for (uint64_t n = next_random(&state) % 4 + (round % 8 == 0 ? 400 : 1); n > 0; n--)
			text[next_random(&state) % length] =
				round % 2 ? alphabet[next_random(&state) % (sizeof(alphabet) - 1)]
					  : (char)next_random(&state);
		if (round % 16 == 0)
			length = next_random(&state) % length;
		write_bytes(text, length);
		config = config_load(file, error, sizeof(error));
		accepted += config != NULL;
		CU_ASSERT_TRUE(config != NULL || (error[0] != '\0' && !strchr(error, '\n')));
		config_free(config);
	}
	CU_ASSERT_TRUE(accepted > 0 && accepted < 4000);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"defaults", test_defaults},
		{"rows are sound", test_rows_are_sound},
		{"data directory", test_data_directory},
		{"shipped file", test_shipped_file},
		{"reference page", test_reference_page},
		{"every type loads", test_every_type_loads},
		{"print round trip", test_print_round_trip},
		{"empty means defaults", test_empty_means_defaults},
		{"bad inputs", test_bad_inputs},
		{"bad files", test_bad_files},
		{"bounds", test_bounds},
		{"random bytes", test_random_bytes},
		CU_TEST_INFO_NULL,
	};
	int result;

	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/f.yaml", directory);
	result = unit_run("config", tests);
	unlink(file);
	rmdir(directory);
	return result;
}
