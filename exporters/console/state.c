/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/state.h"

#include "exporters/state_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 3000

/* A closed database in WAL mode cannot be opened read-only in a directory where this user may not
 * create files, unless it is declared immutable; without a -wal file nobody is writing it. */
static sqlite3 *
open_immutable(const char *path)
{
	char *wal = sqlite3_mprintf("%s-wal", path);
	char *uri = malloc(strlen(path) * 3 + 32);
	sqlite3 *state = NULL;
	char *to;

	if (wal == NULL || uri == NULL || access(wal, F_OK) == 0)
		goto out;
	to = uri + sprintf(uri, "file:");
	for (; *path; path++)
		to += sprintf(to, strchr("?#%", *path) ? "%%%02x" : "%c", (unsigned char)*path);
	strcpy(to, "?immutable=1");
	if (sqlite3_open_v2(uri, &state, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
		SQLITE_OK) {
		sqlite3_close(state);
		state = NULL;
	}
out:
	sqlite3_free(wal);
	free(uri);
	return state;
}

/* The version of the schema, or a negative SQLite code. */
static int
schema_version(sqlite3 *state)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(state, "PRAGMA user_version", -1, &statement, NULL);
	int version = 0;

	if (code != SQLITE_OK)
		return -code;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? version : -code;
}

static void
explain_failure(sqlite3 *state, int version, const char *path, char *error, size_t error_size)
{
	if (version == -SQLITE_NOTADB || version == 0)
		snprintf(error, error_size,
			"%s: is not a state file of camspand; name another with --state", path);
	else if (version == -SQLITE_BUSY)
		snprintf(error, error_size, "%s: is locked by another program; try again", path);
	else if (version < 0)
		snprintf(error, error_size,
			"%s: cannot be read: %s; check its permissions and those of its directory",
			path, sqlite3_errmsg(state));
	else
		snprintf(error, error_size,
			"%s: has version %d, this camspan reads version %d; use camspan and "
			"camspand of one release",
			path, version, STATE_SCHEMA_VERSION);
}

static int
check_file(const char *path, char *error, size_t error_size)
{
	struct stat status;

	if (stat(path, &status) != 0) {
		snprintf(error, error_size,
			errno == ENOENT
				? "%s: %s; start camspand with export.state.enabled, or name the "
				  "file with --state or -c"
				: "%s: %s; check its permissions and those of its directory",
			path, errno == ENOENT ? "there is no state file" : strerror(errno));
		return -errno;
	}
	if (S_ISREG(status.st_mode))
		return 0;
	snprintf(error, error_size, "%s: is not a file; name the state file with --state", path);
	return -EINVAL;
}

sqlite3 *
state_open(const char *path, char *error, size_t error_size)
{
	sqlite3 *state = NULL;
	int version;

	if (check_file(path, error, error_size) != 0)
		return NULL;
	version = -sqlite3_open_v2(path, &state, SQLITE_OPEN_READONLY, NULL);
	sqlite3_busy_timeout(state, BUSY_TIMEOUT_MS);
	if (version == 0)
		version = schema_version(state);
	if (version == -SQLITE_CANTOPEN || version == -SQLITE_READONLY) {
		sqlite3 *immutable = open_immutable(path);

		if (immutable) {
			sqlite3_close(state);
			state = immutable;
			version = schema_version(state);
		}
	}
	if (version == STATE_SCHEMA_VERSION)
		return state;
	explain_failure(state, version, path, error, error_size);
	sqlite3_close(state);
	return NULL;
}

sqlite3_stmt *
state_query(sqlite3 *state, const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(state, sql, -1, &statement, NULL) == SQLITE_OK)
		return statement;
	fprintf(stderr, "camspan: the state file cannot be queried: %s\n", sqlite3_errmsg(state));
	return NULL;
}

bool
state_next(sqlite3_stmt *statement)
{
	int code = statement ? sqlite3_step(statement) : SQLITE_DONE;

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		fprintf(stderr, "camspan: the state file cannot be read: %s\n",
			sqlite3_errmsg(sqlite3_db_handle(statement)));
	return false;
}

const char *
state_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}
