/* SPDX-License-Identifier: Apache-2.0 */
/* The camspan tool on a state file made here: what it prints, and its exit codes. */
#include "exporters/state_schema.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_SIZE 65536

static char tool[PATH_MAX];
static char directory[] = "/tmp/camspan-console-XXXXXX";
static char state_path[64];

static const char rows[] =
	"INSERT INTO meta VALUES('mode', 'live'), ('site', 'hq');"
	"INSERT INTO devices VALUES"
	"('1111aaaa1111aaaa', '44:19:b6:00:00:01', '192.0.2.10', '192.0.2.10 2001:db8::10',"
	" '', 'camera', 'ezviz', 'hikvision', 'CS-C6N-A0-1C2WFR', 'V5.2.8 build 230101', 'E12345',"
	" 'restricted', 0.9876, 0.991, 'cameras', 'camera', 310, 0, 1767225600000000000,"
	" 1767225661500000000, 2, 'maker hikvision: by order (vendors.tsv:9 X)', -4, 0.9, -1.6, 1,"
	" 'hikvision', 'dahua'),"
	"('1111bbbb2222cccc', '00:40:8c:00:00:02', '192.0.2.11', '192.0.2.11', 'axis-2', 'camera',"
	" 'axis', 'axis', 'P3245-V', '', '', 'allowed', 0.95, 0.9, '', 'none', 0, 0,"
	" 1767225600000000000, 1767225661000000000, 0, '', -4, 1, -1.6, 1, 'axis', ''),"
	"('3333', '00:00:5e:00:53:03', '192.0.2.12', '192.0.2.12', 'pc', 'other', '', '', '',"
	" '', '', 'unknown', 0.6, 0, 'office', 'office', 0, 0, 1767225600000000000,"
	" 1767225661000000000, 0, '', -1.6, 1, 0, 0, '', '');"
	"INSERT INTO facts VALUES"
	"('1111aaaa1111aaaa', 0, 'oui', 'device', '', '44:19:b6', 'vendors/ouis.tsv:7', '', '',"
	" 'hikvision', 0, 1.5, 1767225600000000000, 1767225661500000000, 12, 'oui'),"
	"('1111aaaa1111aaaa', 1, 'sadp.model', 'device', 'sadp', 'CS-C6N-A0-1C2WFR',"
	" 'fingerprints/discovery.tsv:31', 'camera', 'ezviz', 'hikvision', 4.6, 5, "
	"1767225601000000000,"
	" 1767225661500000000, 3, 'discovery'),"
	"('1111aaaa1111aaaa', 2, 'http.user_agent', 'tool', 'http', 'x', '', 'viewer', '', '', "
	"-0.5, 0,"
	" 1767225601000000000, 1767225601000000000, 1, 'http');"
	"INSERT INTO shares VALUES('1111aaaa1111aaaa', 'class', 'discovery', 7.8, 6, 0, 0),"
	"('1111aaaa1111aaaa', 'class', 'dhcp', 0, 0, 1.6, 1.5),"
	"('1111aaaa1111aaaa', 'vendor', 'oui', 1.5, 1.5, 0, 0),"
	"('1111aaaa1111aaaa', 'vendor', 'discovery', 5, 5, 0.5, 0.5);"
	"INSERT INTO streams VALUES"
	"('aaaa000000000001', '1111aaaa1111aaaa', '192.0.2.10', 554, '44:19:b6:00:00:01', "
	"'192.0.2.90',"
	" 50412, '00:00:5e:00:53:90', 'rtp-tcp', 'h264', 2560, 1440, 25.02, 4194304, 100000, "
	"90000000,"
	" 12, 0, 1.26, 50, 0, 0, '/Streaming/Channels/101', 1767225600000000000, "
	"1767225661000000000),"
	"('aaaa000000000002', '1111bbbb2222cccc', '2001:db8::10', 554, '', '2001:db8::90', 50413, "
	"'',"
	" 'rtp-udp', 'h265', 0, 0, 0, 0, 10, 900, 0, 0, 0.04, 0, 1, 1, '', 1767225600000000000,"
	" 1767225601000000000);"
	"INSERT INTO alerts VALUES"
	"('bbbb000000000001', 'unexpected-destination', 'Camera talks to an unexpected "
	"destination', 70,"
	" 'opened', 'connected', '1111aaaa1111aaaa', '192.0.2.10', '44:19:b6:00:00:01', 'ezviz',"
	" 'hikvision', 'tcp', '203.0.113.9', 443, 'api.example.net', 'internet', 12345678, 900, 3,"
	" 1767225600000000000, 1767225661000000000, 'not in destinations.allow'),"
	"('bbbb000000000002', 'restricted-vendor-present', 'Restricted vendor present', 60, "
	"'closed',"
	" '', '1111aaaa1111aaaa', '192.0.2.10', '44:19:b6:00:00:01', 'ezviz', 'hikvision', '', '', "
	"0, '',"
	" 'cameras', 0, 0, 1, 1767225600000000000, 1767225661000000000, 'maker hikvision');";

static bool
make_state(const char *path, const char *sql)
{
	sqlite3 *state;
	char *error = NULL;

	if (sqlite3_open(path, &state) != SQLITE_OK)
		return false;
	sqlite3_exec(state, sql, NULL, NULL, &error);
	if (error)
		printf("%s: %s\n", path, error);
	sqlite3_close(state);
	return error == NULL;
}

/* Runs "camspan ARGUMENTS"; %s in them is the state path. Both outputs go into `output`. */
static int
run_in(const char *environment, const char *arguments, char *output)
{
	char command[PATH_MAX * 2];
	size_t length;
	int status;
	FILE *pipe;

	snprintf(
		command, sizeof(command), "env -u COLUMNS -u NO_COLOR %s '%s' ", environment, tool);
	length = strlen(command);
	snprintf(command + length, sizeof(command) - length, arguments, state_path);
	strcat(command, " 2>&1");
	pipe = popen(command, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
	output[fread(output, 1, OUTPUT_SIZE - 1, pipe)] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
expect(const char *environment, const char *arguments, int code, const char *expected)
{
	char output[OUTPUT_SIZE];
	int got = run_in(environment, arguments, output);

	CU_ASSERT_EQUAL(got, code);
	CU_ASSERT_STRING_EQUAL(output, expected);
	if (strcmp(output, expected) != 0 || got != code)
		printf("\ncamspan %s: exit code %d\n%s<<<\nexpected %d:\n%s<<<\n", arguments, got,
			output, code, expected);
}

static void
test_devices(void)
{
	expect("LC_ALL=C.UTF-8", "devices --state %s", 0,
		"CLASS   BRAND  MAKER      MODEL             STATUS      CONF  ADDRESS     MAC     "
		" "
		"          ZONE\n"
		"camera  ezviz  hikvision  CS-C6N-A0-1C2WFR  restricted  0.99  192.0.2.10  "
		"44:19:b6:00:00:01  cameras\n"
		"camera  axis   axis       P3245-V           allowed     0.95  192.0.2.11  "
		"00:40:8c:00:00:02\n");
	expect("LC_ALL=C.UTF-8", "devices --all --class other --state %s", 0,
		"CLASS  BRAND  MAKER  MODEL  STATUS   CONF  ADDRESS     MAC                ZONE    "
		"ID\n"
		"other                       unknown  0.60  192.0.2.12  00:00:5e:00:53:03  office  "
		"3333\n");
	expect("", "devices --class doorbell --state %s", 1, "Nothing matches the filters.\n");
	expect("", "devices --class doorbell --json --state %s", 1, "[\n\n]\n");
}

static void
test_streams(void)
{
	expect("LC_ALL=C.UTF-8", "streams --all --state %s", 0,
		"CAMERA              VIEWER                TRANSPORT      CODEC       SIZE   FPS   "
		"BITRATE   LOST\n"
		"192.0.2.10:554      192.0.2.90:50412      rtp-tcp        h264   2560x1440  25.0  "
		"4.2 Mb/s  0.01%\n"
		"[2001:db8::10]:554  [2001:db8::90]:50413  rtp-udp (enc)  h265                     "
		"             0\n");
	expect("LC_ALL=C.UTF-8 COLUMNS=60", "streams --brand axis --state %s", 1,
		"Nothing matches the filters.\n");
}

static void
test_alerts(void)
{
	expect("LC_ALL=C.UTF-8", "alerts --all --state %s", 0,
		"SEV  RULE                       DEVICE      DESTINATION              OUTCOME    "
		"COUNT     SENT\n"
		" 70  unexpected-destination     192.0.2.10  api.example.net:443/tcp  connected    "
		"  "
		"3  12.3 MB\n"
		" 60  restricted-vendor-present  192.0.2.10"
		"                                          1\n");
}

static void
test_nothing_is_wider_than_the_terminal(void)
{
	static const char *const arguments[] = {"devices --all --state %s",
		"streams --all --state %s", "alerts --all --state %s",
		"explain 192.0.2.10 --state %s"};
	static const char *const environments[] = {
		"LC_ALL=C", "LC_ALL=C COLUMNS=80", "LC_ALL=C COLUMNS=70"};
	static const size_t widths[] = {100, 80, 70};
	char output[OUTPUT_SIZE];

	for (size_t i = 0; i < 4; i++)
		for (size_t w = 0; w < 3; w++) {
			CU_ASSERT_EQUAL(run_in(environments[w], arguments[i], output), 0);
			for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n")) {
				CU_ASSERT_TRUE(strlen(line) <= widths[w]);
				for (const char *c = line; *c; c++)
					CU_ASSERT_TRUE(*c >= ' ' && *c < 0x7f);
			}
		}
}

static void
test_explain(void)
{
	static const char *const lines[] = {"  camera (confidence 0.99), brand ezviz, made by "
					    "hikvision (confidence 0.99), status "
					    "restricted\n",
		"  address: 192.0.2.10 2001:db8::10\n",
		"  sadp.model = \"CS-C6N-A0-1C2WFR\"\n"
		"      +4.60 camera, +5.00 ezviz made by hikvision\n"
		"      said by the device itself; channel discovery, classifier sadp; 3 times, "
		"2026-01-01 00:00:01 to\n      2026-01-01 00:01:01\n"
		"      source: fingerprints/discovery.tsv:31\n"
		"  oui = \"44:19:b6\"\n"
		"      +1.50 hikvision\n"
		"      said by the device itself; channel oui; 12 times,",
		"what it asked for as a client; channel http, classifier http; 1 time,",
		"      starting odds: -4.00\n"
		"      discovery for a camera, recorder or doorbell: facts weigh 7.80, counted "
		"+6.00\n"
		"      dhcp for another kind: facts weigh 1.60, counted -1.50\n"
		"    -4.00 + 4.50 = 0.50 log-odds; 1 / (1 + e^-0.50) = 0.622, times 0.900 because "
		"facts disagree on\n    the kind of video device: 0.560\n",
		"      discovery for dahua: facts weigh 0.50, counted -0.50\n"
		"      oui for hikvision: facts weigh 1.50, counted +1.50\n"
		"    -1.60 + 6.00 = 4.40 log-odds; 1 / (1 + e^-4.40) = 0.988\n",
		("  Status restricted, by the vendor list: maker hikvision: by order "
		 "(vendors.tsv:9 "
		 "X)\n"),
		"  2 weaker facts were not kept and do not count.\n"};
	static const char *const same[] = {"explain 1111a --state %s",
		"explain 192.0.2.10 --state %s", "explain 2001:DB8:0::10 --state %s",
		"explain 44-19-B6-00-00-01 --state %s", "explain 1111AAAA1111AAAA --state %s"};
	char output[OUTPUT_SIZE];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		CU_ASSERT_EQUAL(run_in("LC_ALL=C", same[i], output), 0);
		for (size_t line = 0; line < sizeof(lines) / sizeof(lines[0]); line++) {
			CU_ASSERT_PTR_NOT_NULL(strstr(output, lines[line]));
			if (strstr(output, lines[line]) == NULL)
				printf("\n%s\nlacks\n%s\n", output, lines[line]);
		}
	}
	CU_ASSERT_EQUAL(run_in("LC_ALL=C", "explain bbbb000000000001 --state %s", output), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "reason: not in destinations.allow\n"));
	expect("", "explain 1111 --state %s", 1,
		"camspan: 1111 is not unique; use one of:\n  device 1111aaaa1111aaaa\n"
		"  device 1111bbbb2222cccc\n");
	expect("", "explain 192.0.2.1 --state %s", 1,
		"camspan: no device, alert or stream is 192.0.2.1; camspan devices --all lists "
		"them\n");
}

static json_t *
parse(const char *arguments)
{
	char output[OUTPUT_SIZE];
	json_error_t error;
	json_t *json;

	CU_ASSERT_EQUAL(run_in("LC_ALL=C.UTF-8", arguments, output), 0);
	json = json_loads(output, 0, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	return json;
}

static void
test_json(void)
{
	json_t *devices = parse("devices --json --state %s"), *device = json_array_get(devices, 0);
	json_t *streams = parse("streams --json --state %s"), *stream = json_array_get(streams, 0);
	json_t *alerts = parse("alerts --json --state %s"), *alert = json_array_get(alerts, 0);
	json_t *explained = parse("explain 1111a --json --state %s");

	CU_ASSERT_EQUAL(json_array_size(devices), 2);
	CU_ASSERT_EQUAL(json_object_size(device), 20);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(device, "last_seen")),
		"2026-01-01T00:01:01.500000000Z");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(device, "ips")), 2);
	CU_ASSERT_DOUBLE_EQUAL(
		json_number_value(json_object_get(device, "confidence")), 0.9876, 1e-9);
	CU_ASSERT_EQUAL(json_array_size(streams), 1);
	CU_ASSERT_EQUAL(json_object_size(stream), 25);
	CU_ASSERT_TRUE(json_is_false(json_object_get(stream, "encrypted")));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(stream, "bitrate")), 4194304);
	CU_ASSERT_EQUAL(json_array_size(alerts), 1);
	CU_ASSERT_EQUAL(json_object_size(alert), 22);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(explained, "facts")), 3);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(explained, "shares")), 4);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(explained, "kind")), "device");
	json_decref(devices);
	json_decref(streams);
	json_decref(alerts);
	json_decref(explained);
}

static void
test_bad_states(void)
{
	char good[sizeof(state_path)], expected[256];

	memcpy(good, state_path, sizeof(good));
	expect("", "devices --state /nonexistent.db", 1,
		"camspan: /nonexistent.db: there is no state file; start camspand with "
		"export.state.enabled, or name the file with --state or -c\n");
	expect("", "devices --state /tmp", 1,
		"camspan: /tmp: is not a file; name the state file with --state\n");
	snprintf(state_path, sizeof(state_path), "%s/other.db", directory);
	CU_ASSERT_TRUE_FATAL(make_state(state_path, "PRAGMA user_version = 99"));
	snprintf(expected, sizeof(expected),
		"camspan: %s: has version 99, this camspan reads version %d; use camspan and "
		"camspand of one release\n",
		state_path, STATE_SCHEMA_VERSION);
	expect("", "devices --state %s", 1, expected);
	unlink(state_path);
	expect("", "alerts --state config/camspan.yaml", 1,
		"camspan: config/camspan.yaml: is not a state file; name another with "
		"--state\n");
	memcpy(state_path, good, sizeof(good));
}

static void
test_usage(void)
{
	static const struct {
		const char *arguments;
		int code;
		const char *message;
	} cases[] = {
		{"--version", 0, "camspan " CAMSPAN_VERSION "\n"},
		{"alert", 2, "camspan: unknown command alert; did you mean alerts?\n"},
		{"zzz", 2, "camspan: unknown command zzz; see camspan --help\n"},
		{"devices --foo", 2,
			"camspan devices: unknown option --foo; see camspan devices --help\n"},
		{"devices -o x", 2,
			"camspan devices: unknown option x; see camspan devices --help\n"},
		{"devices --class sofa", 2,
			"camspan devices: sofa is not a class; use camera, recorder, doorbell, "
			"viewer, other or unknown\n"},
		{"devices --state", 2,
			"camspan devices: a value is missing after --state; see camspan devices "
			"--help\n"},
		{"explain", 2, "usage: camspan explain ID [-c FILE] [--state PATH] [--json]\n"},
		{"devices -c /nonexistent.yaml", 2,
			"camspan: /nonexistent.yaml: cannot be read: No such file or directory; "
			"check the path and its permissions\n"},
		{"read x.pcap -o -", 2,
			"camspan read: -o - would mix with the tables; name a file, or use "
			"camspand -r\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect("", cases[i].arguments, cases[i].code, cases[i].message);
}

/* A script in the place of camspand: "$2"... are its arguments, the state path is the last. */
static void
fake_daemon(const char *script, char *environment, size_t size)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/camspand", directory);
	out = fopen(path, "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fprintf(out, "#!/bin/sh\nfor last; do :; done\n%s\n", script);
	fclose(out);
	chmod(path, 0700);
	snprintf(path, sizeof(path), "%s/tmp", directory);
	CU_ASSERT_TRUE_FATAL(mkdir(path, 0700) == 0 || errno == EEXIST);
	snprintf(environment, size, "LC_ALL=C CAMSPAND=%s/camspand TMPDIR=%s/tmp", directory,
		directory);
}

/* rmdir() succeeds only when nothing was left behind. */
static void
expect_clean(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/tmp", directory);
	CU_ASSERT_EQUAL(rmdir(path), 0);
}

static void
test_read(void)
{
	char environment[512], script[256], output[OUTPUT_SIZE];

	snprintf(script, sizeof(script),
		"echo \"$1 $2 $3 $4 $5\" >&2; cp %s \"$last\"; echo packets: 3; exit 1",
		state_path);
	fake_daemon(script, environment, sizeof(environment));
	CU_ASSERT_EQUAL(run_in(environment, "read a.pcap b.pcap", output), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "-r a.pcap -r b.pcap --state\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "Cameras, recorders and doorbells\nCLASS"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(output, "2 cameras, 0 recorders, 0 doorbells (1 restricted), 2 "
			       "streams, 1 open alert in 2 captures\npackets: 3\n"));
	expect_clean();

	fake_daemon("echo bad >&2; exit 2", environment, sizeof(environment));
	expect(environment, "read a.pcap", 2, "bad\n");
	expect_clean();

	snprintf(script, sizeof(script), "cp %s \"$last\"; echo packets: 3", state_path);
	fake_daemon(script, environment, sizeof(environment));
	CU_ASSERT_EQUAL(run_in(environment, "read a.pcap --json", output), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "\"balance\": [\n    \"packets: 3\"\n  ]"));
	expect_clean();

	/* The daemon ends the tool: what a signal leaves behind is nothing. */
	fake_daemon("touch \"$last\"; kill -TERM $PPID; exec sleep 60", environment,
		sizeof(environment));
	CU_ASSERT_NOT_EQUAL(run_in(environment, "read a.pcap", output), 0);
	expect_clean();

	expect("CAMSPAND=/nonexistent/camspand", "read a.pcap", 1,
		"camspan: /nonexistent/camspand cannot be run: No such file or directory; install "
		"camspand beside camspan or name it with CAMSPAND\n");
}

static bool
find_tool(void)
{
	ssize_t length = readlink("/proc/self/exe", tool, sizeof(tool) - 64);
	char *slash;

	tool[length > 0 ? length : 0] = '\0';
	slash = strrchr(tool, '/');
	if (slash == NULL)
		return false;
	strcpy(slash, "/../../exporters/console/camspan");
	return access(tool, X_OK) == 0;
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"devices", test_devices},
		{"streams", test_streams},
		{"alerts", test_alerts},
		{"nothing is wider than the terminal", test_nothing_is_wider_than_the_terminal},
		{"explain", test_explain},
		{"json", test_json},
		{"bad states", test_bad_states},
		{"usage", test_usage},
		{"read", test_read},
		CU_TEST_INFO_NULL,
	};
	static char sql[sizeof(STATE_SCHEMA_SQL) + sizeof(rows) + 64];
	char path[128];
	int result;

	if (!find_tool() || mkdtemp(directory) == NULL) {
		printf("the camspan tool is not built beside this test: %s\n", tool);
		return 1;
	}
	snprintf(state_path, sizeof(state_path), "%s/state.db", directory);
	snprintf(sql, sizeof(sql), "%sPRAGMA user_version = %d;%s", STATE_SCHEMA_SQL,
		STATE_SCHEMA_VERSION, rows);
	if (!make_state(state_path, sql))
		return 1;
	result = unit_run("console", tests);
	unlink(state_path);
	snprintf(path, sizeof(path), "%s/camspand", directory);
	unlink(path);
	rmdir(directory);
	return result;
}
