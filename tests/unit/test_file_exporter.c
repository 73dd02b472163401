/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/exporter_fixture.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct exporter_fixture file;

static void
use_path(const char *name)
{
	if (name[0] == '/')
		snprintf(file.config->export.file.path, CONFIG_PATH_SIZE, "%s", name);
	else
		snprintf(file.config->export.file.path, CONFIG_PATH_SIZE, "%s/%s", file.directory,
			name);
}

static void
begin(const char *name)
{
	fixture_init(&file, &file_exporter);
	use_path(name);
	CU_ASSERT_TRUE_FATAL(fixture_open(&file));
}

/* Counts lines that are whole events; anything else fails the test, except `torn` lines. */
static size_t
count_events(const char *path, size_t torn)
{
	FILE *stream = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, events = 0, bad = 0;
	ssize_t length;

	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	while ((length = getline(&line, &size, stream)) > 0) {
		bool whole = strncmp(line, "{\"@timestamp\"", 13) == 0 && length > 2 &&
			     strcmp(line + length - 3, "}}\n") == 0 &&
			     strstr(line + 1, "{\"@timestamp\"") == NULL;

		events += whole;
		bad += !whole;
	}
	CU_ASSERT_EQUAL(bad, torn);
	free(line);
	fclose(stream);
	return events;
}

static void
test_lines_are_appended(void)
{
	begin("events.jsonl");
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_TRUE(fixture_write_flow(&file, i));
	CU_ASSERT_EQUAL(file.exporter->flush(file.instance, 1000), 0);
	CU_ASSERT_EQUAL(counter_read(&file.counters.delivered), 1000);
	fixture_close(&file);
	CU_ASSERT_TRUE_FATAL(fixture_open(&file));
	fixture_write_flow(&file, 0);
	file.exporter->poll(file.instance); /* flushes without an explicit flush */
	CU_ASSERT_EQUAL(count_events(file.config->export.file.path, 0), 1001);
	fixture_end(&file);
}

static void
test_unwritable_path_is_refused(void)
{
	fixture_init(&file, &file_exporter);
	use_path("no/such/directory/x");
	CU_ASSERT_FALSE(fixture_open(&file));
	CU_ASSERT_PTR_NOT_NULL(strstr(file.error, "export.file.path: cannot write"));
	use_path(file.directory);
	CU_ASSERT_FALSE(fixture_open(&file));
	fixture_end(&file);
}

static void
test_full_device_is_counted(void)
{
	uint64_t left;
	unsigned refused = 0;

	begin("/dev/full");
	for (unsigned i = 0; i < 1000; i++)
		refused += !fixture_write_flow(&file, i);
	CU_ASSERT_TRUE(refused > 0 && refused < 1000);
	left = file.exporter->flush(file.instance, 100);
	CU_ASSERT_EQUAL(left + refused, 1000);
	CU_ASSERT_EQUAL(counter_read(&file.counters.failed), 1000);
	CU_ASSERT_EQUAL(counter_read(&file.counters.delivered), 0);
	fixture_end(&file);
}

/* On a file system of 256 KiB: what was accepted is there in whole lines once there is space. */
static void
test_space_returns(void)
{
	char ballast[128];
	uint64_t failed = 0;

	fixture_init(&file, &file_exporter);
	if (mount("tmpfs", file.directory, "tmpfs", 0, "size=256k") != 0) {
		fprintf(stderr, "skipped: cannot mount a tmpfs: %s\n", strerror(errno));
		fixture_end(&file);
		return;
	}
	snprintf(ballast, sizeof(ballast), "%s/ballast", file.directory);
	int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	CU_ASSERT_EQUAL(posix_fallocate(fd, 0, 120 * 1024), 0);
	close(fd);
	use_path("events.jsonl");
	CU_ASSERT_TRUE_FATAL(fixture_open(&file));
	for (unsigned i = 0; i < 130; i++) { /* about 150 KiB: does not fit */
		fixture_write_flow(&file, i);
		file.exporter->poll(file.instance);
	}
	CU_ASSERT_TRUE(counter_read(&file.counters.delivered) < 130);
	CU_ASSERT_EQUAL(unlink(ballast), 0);
	file.exporter->poll(file.instance);
	failed = file.exporter->flush(file.instance, 1000);
	CU_ASSERT_EQUAL(failed, 0);
	CU_ASSERT_EQUAL(count_events(file.config->export.file.path, 0), 130);
	CU_ASSERT_EQUAL(counter_read(&file.counters.delivered), 130);
	CU_ASSERT_EQUAL(counter_read(&file.counters.reconnects) > 0, true);
	fixture_close(&file);
	CU_ASSERT_EQUAL(umount(file.directory), 0);
	fixture_end(&file);
}

static void
test_torn_line_of_a_crash_stays_alone(void)
{
	fixture_init(&file, &file_exporter);
	use_path("events.jsonl");
	FILE *stream = fopen(file.config->export.file.path, "w");
	fputs("{\"@timestamp\":\"2025", stream);
	fclose(stream);
	CU_ASSERT_TRUE_FATAL(fixture_open(&file));
	fixture_write_flow(&file, 0);
	fixture_write_flow(&file, 1);
	CU_ASSERT_EQUAL(file.exporter->flush(file.instance, 1000), 0);
	CU_ASSERT_EQUAL(count_events(file.config->export.file.path, 1), 2);
	fixture_end(&file);
}

static void
test_rotation_is_followed(void)
{
	char old[CONFIG_PATH_SIZE + 8];
	struct stat status;
	int64_t limit = monotonic_in_ms(5000);

	begin("events.jsonl");
	fixture_write_flow(&file, 0);
	file.exporter->poll(file.instance);
	fixture_write_flow(&file, 1); /* still buffered when the file is moved */
	snprintf(old, sizeof(old), "%s.1", file.config->export.file.path);
	CU_ASSERT_EQUAL(rename(file.config->export.file.path, old), 0);
	while (stat(file.config->export.file.path, &status) != 0 && monotonic_now() < limit)
		file.exporter->poll(file.instance);
	fixture_write_flow(&file, 2);
	CU_ASSERT_EQUAL(file.exporter->flush(file.instance, 1000), 0);
	CU_ASSERT_EQUAL(count_events(old, 0), 2);
	CU_ASSERT_EQUAL(count_events(file.config->export.file.path, 0), 1);
	CU_ASSERT_EQUAL(counter_read(&file.counters.delivered), 3);
	fixture_end(&file);
}

static void
test_descriptor_is_not_inherited(void)
{
	char link[64], target[CONFIG_PATH_SIZE];
	bool found = false;

	begin("events.jsonl");
	for (int fd = 3; fd < 64; fd++) {
		ssize_t length;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		if (strcmp(target, file.config->export.file.path) != 0)
			continue;
		found = true;
		CU_ASSERT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	CU_ASSERT_TRUE(found);
	fixture_end(&file);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"lines are appended", test_lines_are_appended},
		{"unwritable path is refused", test_unwritable_path_is_refused},
		{"full device is counted", test_full_device_is_counted},
		{"space returns", test_space_returns},
		{"torn line of a crash stays alone", test_torn_line_of_a_crash_stays_alone},
		{"rotation is followed", test_rotation_is_followed},
		{"descriptor is not inherited", test_descriptor_is_not_inherited},
		CU_TEST_INFO_NULL,
	};

	return unit_run("file exporter", tests);
}
