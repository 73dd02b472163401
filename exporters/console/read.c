/* SPDX-License-Identifier: Apache-2.0 */
/* camspan read: camspand replays the captures into a private state, which is then shown. */
#include "exporters/console/child.h"
#include "exporters/console/commands.h"
#include "exporters/console/state.h"
#include "exporters/console/views.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY_SIZE 256

static int
make_directory(char *directory)
{
	const char *temporary = getenv("TMPDIR");

	if (temporary == NULL || temporary[0] != '/' || strlen(temporary) > DIRECTORY_SIZE - 32)
		temporary = "/tmp";
	snprintf(directory, DIRECTORY_SIZE, "%s/camspan-XXXXXX", temporary);
	if (mkdtemp(directory))
		return 0;
	fprintf(stderr, "camspan: no temporary directory in %s: %s; set TMPDIR\n", temporary,
		strerror(errno));
	return -errno;
}

/* Removes what SQLite left in our own directory, whatever its names. */
static void
remove_directory(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries)
		closedir(entries);
	rmdir(directory);
}

/* camspand -r A -r B ... [-c FILE] [-o FILE] --state PATH */
static char **
arguments(const struct options *options, char *program, char *state_path)
{
	char **list = calloc((size_t)options->operand_count * 2 + 8, sizeof(*list));
	size_t count = 0;

	if (list == NULL)
		return NULL;
	list[count++] = program;
	for (int i = 0; i < options->operand_count; i++) {
		list[count++] = (char *)"-r";
		list[count++] = options->operands[i];
	}
	if (options->config_path) {
		list[count++] = (char *)"-c";
		list[count++] = (char *)options->config_path;
	}
	if (options->output_path) {
		list[count++] = (char *)"-o";
		list[count++] = (char *)options->output_path;
	}
	list[count++] = (char *)"--state";
	list[count] = state_path;
	return list;
}

static int
count_of(sqlite3 *state, const char *sql)
{
	sqlite3_stmt *statement = state_query(state, sql);
	int count = state_next(statement) ? sqlite3_column_int(statement, 0) : 0;

	sqlite3_finalize(statement);
	return count;
}

static void
print_count(int count, const char *singular, const char *separator)
{
	printf("%s%d %s%s", separator, count, singular, count == 1 ? "" : "s");
}

static void
print_summary(sqlite3 *state, int capture_count)
{
	print_count(count_of(state, "SELECT count(*) FROM devices WHERE class = 'camera'"),
		"camera", "");
	print_count(count_of(state, "SELECT count(*) FROM devices WHERE class = 'recorder'"),
		"recorder", ", ");
	print_count(count_of(state, "SELECT count(*) FROM devices WHERE class = 'doorbell'"),
		"doorbell", ", ");
	printf(" (%d restricted)", count_of(state, "SELECT count(*) FROM devices WHERE class IN "
						   "('camera', 'recorder', 'doorbell') AND status "
						   "LIKE 'restricted%'"));
	print_count(count_of(state, "SELECT count(*) FROM streams"), "stream", ", ");
	print_count(count_of(state, "SELECT count(*) FROM alerts WHERE state != 'closed'"),
		"open alert", ", ");
	print_count(capture_count, "capture", " in ");
	putchar('\n');
}

static void
print_part(sqlite3 *state, const struct view *view, const char *title,
	const struct options *options, const struct terminal *terminal)
{
	sqlite3_stmt *rows = view_select(view, state, options);

	terminal_heading(terminal, title);
	if (view_print(view, rows, terminal) == 0)
		puts(view_nothing(view, options->all));
	putchar('\n');
	sqlite3_finalize(rows);
}

static void
print_tables(sqlite3 *state, const struct options *options, const char *balance)
{
	struct terminal terminal = terminal_detect();

	print_part(state, &view_devices,
		options->all ? "Devices" : "Cameras, recorders and doorbells", options, &terminal);
	print_part(state, &view_streams, "Streams", options, &terminal);
	print_part(state, &view_alerts, "Alerts", options, &terminal);
	print_summary(state, options->operand_count);
	fputs(balance, stdout);
}

static void
json_part(yajl_gen json, sqlite3 *state, const char *key, const struct view *view,
	const struct options *options)
{
	sqlite3_stmt *rows = view_select(view, state, options);

	json_key(json, key);
	json_rows(json, rows);
	sqlite3_finalize(rows);
}

static void
print_json(sqlite3 *state, const struct options *options, const char *balance)
{
	yajl_gen json = json_begin();

	yajl_gen_map_open(json);
	json_part(json, state, "devices", &view_devices, options);
	json_part(json, state, "streams", &view_streams, options);
	json_part(json, state, "alerts", &view_alerts, options);
	json_key(json, "balance");
	yajl_gen_array_open(json);
	while (*balance) {
		size_t length = strcspn(balance, "\n");

		yajl_gen_string(json, (const unsigned char *)balance, length);
		balance += length;
		balance += strspn(balance, "\n");
	}
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
	json_end(json, stdout);
}

/* Shows what camspand left. A run that failed may still have left results of some captures. */
static int
show(const struct options *options, const char *state_path, const char *balance, int code)
{
	char error[1024];
	sqlite3 *state;

	if (code == EXIT_USAGE || (code != 0 && access(state_path, F_OK) != 0))
		return code;
	state = state_open(state_path, error, sizeof(error));
	if (state == NULL) {
		fprintf(stderr, "camspan: %s\n", error);
		return EXIT_NOTHING;
	}
	if (options->json)
		print_json(state, options, balance);
	else
		print_tables(state, options, balance);
	sqlite3_close(state);
	return code;
}

int
command_read(const struct options *options)
{
	char directory[DIRECTORY_SIZE], state_path[DIRECTORY_SIZE + 16], program[PATH_MAX];
	struct child child;
	char **list;
	int code;

	if (options->output_path && strcmp(options->output_path, "-") == 0) {
		fputs("camspan read: -o - would mix with the tables; name a file, or use camspand "
		      "-r\n",
			stderr);
		return EXIT_USAGE;
	}
	/* From here signals wait until the directory is gone. */
	child_block_signals(&child);
	if (make_directory(directory) != 0) {
		child_restore_signals(&child);
		return EXIT_NOTHING;
	}
	snprintf(state_path, sizeof(state_path), "%s/state.db", directory);
	child_find_daemon(program, sizeof(program));
	list = arguments(options, program, state_path);
	code = list ? child_run(&child, list) : EXIT_NOTHING;
	if (!child.interrupted) {
		code = show(options, state_path, child.output, code);
		fflush(stdout);
	}
	free(list);
	child_free(&child);
	remove_directory(directory);
	child_restore_signals(&child); /* dies here of a signal that came */
	return code;
}
