/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/state_schema.h"
#include "tests/unit/exporter_fixture.h"
#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <time.h>

static struct exporter_fixture state;

static void
begin(void)
{
	fixture_init(&state, &state_exporter);
	snprintf(state.config->export.state.path, CONFIG_PATH_SIZE, "%s/state.db", state.directory);
}

static sqlite3 *
reader(void)
{
	sqlite3 *handle = NULL;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(state.config->export.state.path, &handle,
				      SQLITE_OPEN_READONLY, NULL),
		SQLITE_OK);
	return handle;
}

/* The first column of the first row as text, "" for none. */
static const char *
query(const char *sql)
{
	static char value[4096];
	sqlite3 *handle = reader();
	sqlite3_stmt *statement = NULL;

	value[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
		snprintf(value, sizeof(value), "%s", sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	return value;
}

static void
run_sql(const char *sql)
{
	sqlite3 *handle = NULL;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(state.config->export.state.path, &handle), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
}

static void
write_all(void)
{
	struct device_record device = sample_device(0);
	struct stream_record stream = sample_stream(0);
	struct alert_record alert = sample_alert(0);
	struct health_record health = sample_health();

	fixture_write(&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	fixture_write(&state, &(struct event){EVENT_STREAM, SAMPLE_TIME, .stream = &stream});
	fixture_write(&state, &(struct event){EVENT_ALERT, SAMPLE_TIME, .alert = &alert});
	fixture_write(&state, &(struct event){EVENT_HEALTH, SAMPLE_TIME, .health = &health});
}

static void
test_what_is_written_can_be_read(void)
{
	begin();
	state.run.replay = true;
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	write_all();
	state.exporter->poll(state.instance);
	CU_ASSERT_EQUAL(counter_read(&state.counters.delivered), 4);
	CU_ASSERT_STRING_EQUAL(query("SELECT brand||' '||maker||' '||status||' '||zone_kind||' '||"
				     "mac||' '||ips||' '||class FROM devices"),
		"ezviz hikvision restricted camera 00:00:5e:00:53:23 10.1.20.31 "
		"fe80::200:5eff:fe00:5323 camera");
	CU_ASSERT_STRING_EQUAL(query("SELECT round(confidence,2) FROM devices"), "0.98");
	CU_ASSERT_STRING_EQUAL(query("SELECT group_concat(attribute||'/'||classifier||'/'||side||"
				     "'/'||says_class,' ') FROM (SELECT * FROM facts ORDER BY "
				     "position)"),
		"sadp.model/sadp/device/camera oui/oui/peer/");
	CU_ASSERT_STRING_EQUAL(
		query("SELECT group_concat(account||'/'||channel||'/'||supports_raw||"
		      "'/'||supports||'/'||opposes,' ') FROM (SELECT * FROM shares "
		      "ORDER BY account, channel)"),
		"class/discovery/4.5/4.5/0.0 vendor/discovery/3.25/3.25/0.0 "
		"vendor/http/0.0/0.0/0.5 vendor/oui/1.5/1.5/0.0");
	CU_ASSERT_STRING_EQUAL(query("SELECT status_reason||' '||class_prior||' '||vendor_factor||"
				     "' '||vendor_supports||' '||vendor_opposes FROM devices"),
		"maker hikvision: named by an order (vendors.tsv:7) -4.0 1.0 hikvision dahua");
	CU_ASSERT_STRING_EQUAL(query("SELECT codec||width||'x'||height||' '||transport||' '||"
				     "camera_ip||':'||camera_port||' '||viewer_ip FROM streams"),
		"h2641280x720 rtp-udp 10.1.20.31:6970 10.1.30.5");
	CU_ASSERT_STRING_EQUAL(query("SELECT rule||' '||state||' '||outcome||' '||domain||' '||"
				     "destination_port||' '||protocol||' '||severity FROM alerts"),
		"unexpected-destination opened connected relay.example.com 443 tcp 70");
	CU_ASSERT_PTR_NOT_NULL(strstr(query("SELECT json FROM health"), "\"received\":1000"));
	CU_ASSERT_STRING_EQUAL(query("SELECT value FROM meta WHERE key='mode'"), "replay");
	CU_ASSERT_STRING_EQUAL(query("SELECT value FROM meta WHERE key='site'"), "hq");
	CU_ASSERT_STRING_EQUAL(query("PRAGMA journal_mode"), "wal");
	fixture_end(&state);
}

static void
test_unknown_is_never_null(void)
{
	static const char *const tables[] = {"devices", "streams", "alerts"};
	struct device_record device = {.id = "a", .fact_count = 1};
	struct stream_record stream = {.id = "a"};
	struct alert_record alert = {.id = "a"};

	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	fixture_write(&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	fixture_write(&state, &(struct event){EVENT_STREAM, SAMPLE_TIME, .stream = &stream});
	fixture_write(&state, &(struct event){EVENT_ALERT, SAMPLE_TIME, .alert = &alert});
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char sql[64];
		sqlite3 *handle = reader();
		sqlite3_stmt *statement = NULL;

		snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[i]);
		sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
		CU_ASSERT_EQUAL(sqlite3_step(statement), SQLITE_ROW);
		for (int column = 0; column < sqlite3_column_count(statement); column++)
			CU_ASSERT_NOT_EQUAL(sqlite3_column_type(statement, column), SQLITE_NULL);
		sqlite3_finalize(statement);
		sqlite3_close(handle);
	}
	fixture_end(&state);
}

static void
test_newer_replaces_and_keeps_first_seen(void)
{
	struct device_record device = sample_device(0);

	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	fixture_write(&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	fixture_close(&state); /* not committed: lost as after a crash */
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	CU_ASSERT_STRING_EQUAL(query("SELECT count(*) FROM devices"), "0");
	fixture_write(&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	fixture_close(&state);
	CU_ASSERT_TRUE_FATAL(fixture_open(&state)); /* the next run sees it later */
	device.first_seen = SAMPLE_TIME + 1;
	device.fact_count = 1;
	snprintf(device.brand, sizeof(device.brand), "other");
	fixture_write(&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	CU_ASSERT_STRING_EQUAL(query("SELECT brand FROM devices"), "other");
	CU_ASSERT_STRING_EQUAL(query("SELECT count(*) FROM facts"), "1");
	CU_ASSERT_EQUAL(atoll(query("SELECT first_seen FROM devices")), SAMPLE_TIME - 60000000000);
	fixture_end(&state);
}

static void
test_reader_is_not_in_the_way(void)
{
	sqlite3 *handle;
	int64_t start;

	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	write_all();
	state.exporter->poll(state.instance);
	handle = reader();
	CU_ASSERT_EQUAL(
		sqlite3_exec(handle, "BEGIN; SELECT * FROM devices", NULL, NULL, NULL), SQLITE_OK);
	start = monotonic_now();
	write_all();
	state.exporter->poll(state.instance);
	CU_ASSERT_TRUE(monotonic_now() - start < 1000 * NANOSECONDS_PER_MILLISECOND);
	CU_ASSERT_EQUAL(counter_read(&state.counters.delivered), 8);
	sqlite3_close(handle);
	fixture_end(&state);
}

static void
test_other_writer_is_waited_for(void)
{
	sqlite3 *other = NULL;
	struct device_record device = sample_device(0);

	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	sqlite3_open(state.config->export.state.path, &other);
	CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	state.run.deadline = monotonic_in_ms(100); /* a shutdown ends the patience */
	CU_ASSERT_FALSE(fixture_write(
		&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device}));
	CU_ASSERT_EQUAL(counter_read(&state.counters.failed), 1);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	state.run.deadline = INT64_MAX;
	CU_ASSERT_TRUE(fixture_write(
		&state, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device}));
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	sqlite3_close(other);
	fixture_end(&state);
}

static void
test_old_rows_are_pruned(void)
{
	struct device_record old = sample_device(0), new = sample_device(1);
	int64_t now = (int64_t)time(NULL) * 1000000000;

	begin();
	state.config->export.state.keep_days = 30;
	old.last_seen = now - INT64_C(31) * 86400 * 1000000000;
	new.last_seen = now - INT64_C(29) * 86400 * 1000000000;
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	fixture_write(&state, &(struct event){EVENT_DEVICE, now, .device = &old});
	/* A clock in the far future must not empty the state. */
	fixture_write(&state, &(struct event){EVENT_DEVICE, INT64_MAX, .device = &new});
	state.exporter->poll(state.instance);
	CU_ASSERT_STRING_EQUAL(query("SELECT group_concat(id) FROM devices"), "0000000000000002");
	CU_ASSERT_STRING_EQUAL(query("SELECT count(*) FROM facts"), "2");
	fixture_end(&state);
}

static void
test_other_schema_is_rebuilt(void)
{
	begin();
	run_sql("CREATE TABLE meta(a); CREATE TABLE devices(a); CREATE TABLE facts(a);"
		"PRAGMA user_version=99");
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	write_all();
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	CU_ASSERT_STRING_EQUAL(query("SELECT brand FROM devices"), "ezviz");
	CU_ASSERT_EQUAL(atoi(query("PRAGMA user_version")), STATE_SCHEMA_VERSION);
	fixture_end(&state);
}

static void
test_foreign_database_is_left_alone(void)
{
	begin();
	run_sql("CREATE TABLE payroll(a); INSERT INTO payroll VALUES(7)");
	CU_ASSERT_FALSE(fixture_open(&state));
	CU_ASSERT_PTR_NOT_NULL(strstr(state.error, "another program"));
	CU_ASSERT_STRING_EQUAL(query("SELECT a FROM payroll"), "7");
	fixture_end(&state);
}

static void
test_corrupt_file_is_moved_aside(void)
{
	char command[256];
	FILE *file;

	begin();
	file = fopen(state.config->export.state.path, "w");
	for (int i = 0; i < 5000; i++)
		fputs("this is no database ", file);
	fclose(file);
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	write_all();
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	CU_ASSERT_STRING_EQUAL(query("SELECT brand FROM devices"), "ezviz");
	snprintf(command, sizeof(command), "ls %s/state.db.corrupt-* >/dev/null", state.directory);
	CU_ASSERT_EQUAL(system(command), 0);
	fixture_end(&state);
}

/* A page in the middle is overwritten; the header still looks well. */
static void
test_damaged_page_is_found(void)
{
	FILE *file;

	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	write_all();
	CU_ASSERT_EQUAL(state.exporter->flush(state.instance, 1000), 0);
	fixture_close(&state);
	file = fopen(state.config->export.state.path, "r+");
	fseek(file, 4096, SEEK_SET);
	for (int i = 0; i < 4096; i++)
		fputc(0xa5, file);
	fclose(file);
	CU_ASSERT_TRUE_FATAL(fixture_open(&state));
	CU_ASSERT_STRING_EQUAL(query("SELECT count(*) FROM devices"), "0");
	fixture_end(&state);
}

static void
test_unwritable_path_is_refused(void)
{
	begin();
	snprintf(state.config->export.state.path, CONFIG_PATH_SIZE, "%s/no/such/state.db",
		state.directory);
	CU_ASSERT_FALSE(fixture_open(&state));
	CU_ASSERT_PTR_NOT_NULL(strstr(state.error, "export.state.path: cannot"));
	CU_ASSERT_PTR_NULL(strchr(state.error, '\n'));
	fixture_end(&state);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"what is written can be read", test_what_is_written_can_be_read},
		{"unknown is never null", test_unknown_is_never_null},
		{"newer replaces and keeps first seen", test_newer_replaces_and_keeps_first_seen},
		{"reader is not in the way", test_reader_is_not_in_the_way},
		{"other writer is waited for", test_other_writer_is_waited_for},
		{"old rows are pruned", test_old_rows_are_pruned},
		{"other schema is rebuilt", test_other_schema_is_rebuilt},
		{"foreign database is left alone", test_foreign_database_is_left_alone},
		{"corrupt file is moved aside", test_corrupt_file_is_moved_aside},
		{"damaged page is found", test_damaged_page_is_found},
		{"unwritable path is refused", test_unwritable_path_is_refused},
		CU_TEST_INFO_NULL,
	};

	return unit_run("state exporter", tests);
}
