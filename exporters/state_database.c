/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/state_database_private.h"

#include "config/config.h"
#include "dataplane/log.h"
#include "dataplane/records/evidence.h"
#include "exporters/state_schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 50 /* readers never hold a writer up; this is for another writer */
#define SQL_SIZE        4096

/* The columns of each upsert, in the order in which they are bound. */
static const char device_columns[] =
	"id,mac,ip,ips,hostname,class,brand,maker,model,firmware,serial,status,confidence,"
	"brand_confidence,zone,zone_kind,vlan,tenant,first_seen,last_seen,facts_dropped,"
	"status_reason,class_prior,class_factor,vendor_prior,vendor_factor,vendor_supports,"
	"vendor_opposes";
static const char fact_columns[] =
	"device,position,attribute,side,classifier,value,source,says_class,says_brand,says_maker,"
	"weight_class,weight_vendor,first_seen,last_seen,count,channel";
static const char share_columns[] =
	"device,account,channel,supports_raw,supports,opposes_raw,opposes";
static const char stream_columns[] =
	"id,device,camera_ip,camera_port,camera_mac,viewer_ip,viewer_port,viewer_mac,transport,"
	"codec,width,height,fps,bitrate,packets,bytes,lost,reordered,jitter_ms,gop,encrypted,"
	"ended,path,first_seen,last_seen";
static const char alert_columns[] =
	"id,rule,rule_name,severity,state,outcome,device,device_ip,device_mac,brand,maker,"
	"protocol,destination_ip,destination_port,domain,zone,bytes_out,bytes_in,count,first_seen,"
	"last_seen,reason";

static int
execute(struct state_database *database, const char *sql)
{
	return sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
}

/* "INSERT ... ON CONFLICT(id) DO UPDATE": a row keeps the earliest first_seen of all runs. */
static void
upsert_sql(char *sql, const char *table, const char *columns)
{
	size_t used =
		(size_t)snprintf(sql, SQL_SIZE, "INSERT INTO %s(%s) VALUES(?", table, columns);
	const char *column, *end;

	for (const char *c = columns; *c; c++)
		if (*c == ',')
			used += (size_t)snprintf(sql + used, SQL_SIZE - used, ",?");
	used += (size_t)snprintf(sql + used, SQL_SIZE - used, ") ON CONFLICT(id) DO UPDATE SET");
	for (column = strchr(columns, ','); column != NULL; column = strchr(end, ',')) {
		int length;

		column++;
		end = column + strcspn(column, ",");
		length = (int)(end - column);
		if (strncmp(column, "first_seen", (size_t)length) == 0)
			used += (size_t)snprintf(sql + used, SQL_SIZE - used,
				" first_seen=min(first_seen,excluded.first_seen),");
		else
			used += (size_t)snprintf(sql + used, SQL_SIZE - used,
				" %.*s=excluded.%.*s,", length, column, length, column);
	}
	sql[used - 1] = '\0'; /* the last comma */
}

static int
prepare(struct state_database *database, enum statement statement, const char *sql)
{
	return sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&database->statements[statement], NULL);
}

static int
prepare_all(struct state_database *database)
{
	char sql[SQL_SIZE];
	int result;

	upsert_sql(sql, "devices", device_columns);
	result = prepare(database, SQL_DEVICE, sql);
	if (result == SQLITE_OK) {
		upsert_sql(sql, "streams", stream_columns);
		result = prepare(database, SQL_STREAM, sql);
	}
	if (result == SQLITE_OK) {
		upsert_sql(sql, "alerts", alert_columns);
		result = prepare(database, SQL_ALERT, sql);
	}
	if (result == SQLITE_OK) {
		snprintf(sql, sizeof(sql),
			"INSERT INTO facts(%s) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			fact_columns);
		result = prepare(database, SQL_FACT, sql);
	}
	if (result == SQLITE_OK)
		result = prepare(database, SQL_FORGET_FACTS, "DELETE FROM facts WHERE device=?");
	if (result == SQLITE_OK) {
		snprintf(sql, sizeof(sql), "INSERT INTO shares(%s) VALUES(?,?,?,?,?,?,?)",
			share_columns);
		result = prepare(database, SQL_SHARE, sql);
	}
	if (result == SQLITE_OK)
		result = prepare(database, SQL_FORGET_SHARES, "DELETE FROM shares WHERE device=?");
	if (result == SQLITE_OK)
		result = prepare(database, SQL_HEALTH,
			"INSERT OR REPLACE INTO health(id,time,json) VALUES(1,?,?)");
	if (result == SQLITE_OK)
		result = prepare(
			database, SQL_META, "INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)");
	return result;
}

static int
query_integer(struct state_database *database, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

	if (result != SQLITE_OK)
		return result;
	result = sqlite3_step(statement);
	*value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* SQLITE_OK, or SQLITE_CORRUPT when the file does not hold together. */
static int
check_integrity(struct state_database *database)
{
	sqlite3_stmt *statement;
	int result =
		sqlite3_prepare_v2(database->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
	const char *verdict;

	if (result != SQLITE_OK)
		return result;
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		verdict = (const char *)sqlite3_column_text(statement, 0);
		result = verdict != NULL && strcmp(verdict, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_finalize(statement);
	return result;
}

static int
drop_tables(struct state_database *database)
{
	static const char *const tables[] = {
		"meta", "devices", "facts", "shares", "streams", "alerts", "health"};
	char sql[64];
	int result = SQLITE_OK;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && result == SQLITE_OK; i++) {
		snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS %s", tables[i]);
		result = execute(database, sql);
	}
	return result;
}

static int
build_tables(struct state_database *database)
{
	char sql[48];
	int result = execute(database, "BEGIN IMMEDIATE");

	if (result == SQLITE_OK)
		result = drop_tables(database);
	if (result == SQLITE_OK)
		result = execute(database, STATE_SCHEMA_SQL);
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STATE_SCHEMA_VERSION);
	if (result == SQLITE_OK)
		result = execute(database, sql);
	if (result == SQLITE_OK)
		result = execute(database, "COMMIT");
	if (result != SQLITE_OK)
		execute(database, "ROLLBACK");
	return result;
}

/* Makes the tables where they are missing or of another version. SQLITE_MISMATCH: the file has
 * tables, but not ours. */
static int
settle_schema(struct state_database *database, const char *path)
{
	int64_t version = 0, tables = 0, ours = 0;
	int result = query_integer(database, "PRAGMA user_version", &version);

	if (result == SQLITE_OK)
		result = query_integer(
			database, "SELECT count(*) FROM sqlite_master WHERE type='table'", &tables);
	if (result == SQLITE_OK)
		result = query_integer(database,
			"SELECT count(*) FROM sqlite_master WHERE type='table' AND name IN"
			" ('meta','devices','facts')",
			&ours);
	if (result != SQLITE_OK)
		return result;
	if (tables > 0 && ours < 3)
		return SQLITE_MISMATCH;
	if (tables > 0 && version == STATE_SCHEMA_VERSION)
		return SQLITE_OK;
	if (tables > 0)
		log_info("state: %s has schema version %lld, this program's is %d: rebuilt empty; "
			 "it is a cache and fills again from traffic",
			path, (long long)version, STATE_SCHEMA_VERSION);
	return build_tables(database);
}

static int
try_open(struct state_database *database, const char *path)
{
	int result = sqlite3_open_v2(path, &database->handle,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (result != SQLITE_OK)
		return result;
	sqlite3_extended_result_codes(database->handle, 0);
	sqlite3_busy_timeout(database->handle, BUSY_TIMEOUT_MS);
	if (sqlite3_db_readonly(database->handle, "main") == 1)
		return SQLITE_READONLY;
	result = check_integrity(database);
	/* Readers keep their snapshot while we write; a power failure costs the newest commits,
	 * never the file. */
	if (result == SQLITE_OK)
		result = execute(database,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
			"PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY");
	if (result == SQLITE_OK)
		result = settle_schema(database, path);
	if (result == SQLITE_OK)
		result = prepare_all(database);
	return result;
}

static void
close_handle(struct state_database *database)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(database->statements[i]);
		database->statements[i] = NULL;
	}
	sqlite3_close(database->handle);
	database->handle = NULL;
}

static int
move_aside(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char from[CONFIG_PATH_SIZE + 8], to[CONFIG_PATH_SIZE + 48], stamp[32];
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		snprintf(to, sizeof(to), "%s.corrupt-%s%s", path, stamp, suffixes[i]);
		if (rename(from, to) != 0 && i == 0)
			return -1;
	}
	log_warning("state: %s is corrupt and was moved to %s.corrupt-%s; a new one is made, it "
		    "fills again from traffic",
		path, path, stamp);
	return 0;
}

static const char *
explain(struct state_database *database, int result)
{
	if (result == SQLITE_MISMATCH)
		return "it is a database of another program";
	if (result == SQLITE_CANTOPEN && database->handle != NULL) {
		int cause = sqlite3_system_errno(database->handle);

		if (cause != 0)
			return strerror(cause);
	}
	return sqlite3_errstr(result);
}

struct state_database *
state_database_open(const char *path, char *error, size_t error_size)
{
	struct state_database *database = calloc(1, sizeof(*database));
	int result;

	if (database == NULL) {
		snprintf(error, error_size, "export.state.path: no memory");
		return NULL;
	}
	result = try_open(database, path);
	if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
		close_handle(database);
		if (move_aside(path) == 0)
			result = try_open(database, path);
	}
	if (result == SQLITE_OK)
		return database;
	snprintf(error, error_size,
		"export.state.path: cannot use %s: %s; choose a path that can be written, on a "
		"local disk",
		path, explain(database, result));
	state_database_close(database);
	return NULL;
}

void
state_database_close(struct state_database *database)
{
	if (database == NULL)
		return;
	close_handle(database);
	free(database);
}

int
state_database_begin(struct state_database *database)
{
	return execute(database, "BEGIN IMMEDIATE");
}

int
state_database_commit(struct state_database *database)
{
	return execute(database, "COMMIT");
}

void
state_database_rollback(struct state_database *database)
{
	execute(database, "ROLLBACK");
}

int
state_database_meta(struct state_database *database, const char *key, const char *value)
{
	struct binder binder = binder_of(database, SQL_META);

	bind_text(&binder, key);
	bind_text(&binder, value);
	return run(&binder);
}

int
state_database_stream(struct state_database *database, const struct stream_record *stream)
{
	struct binder binder = binder_of(database, SQL_STREAM);

	bind_text(&binder, stream->id);
	bind_text(&binder, stream->device_id);
	bind_ip(&binder, &stream->camera.ip);
	bind_integer(&binder, stream->camera.port);
	bind_mac(&binder, &stream->camera_mac);
	bind_ip(&binder, &stream->viewer.ip);
	bind_integer(&binder, stream->viewer.port);
	bind_mac(&binder, &stream->viewer_mac);
	bind_text(&binder, stream_transport_name(stream->transport));
	bind_text(&binder, video_codec_name(stream->codec));
	bind_integer(&binder, stream->width);
	bind_integer(&binder, stream->height);
	bind_real(&binder, stream->fps);
	bind_integer(&binder, (int64_t)stream->bitrate);
	bind_integer(&binder, (int64_t)stream->packets);
	bind_integer(&binder, (int64_t)stream->bytes);
	bind_integer(&binder, (int64_t)stream->lost);
	bind_integer(&binder, (int64_t)stream->reordered);
	bind_real(&binder, stream->jitter_ms);
	bind_integer(&binder, stream->gop);
	bind_integer(&binder, stream->encrypted);
	bind_integer(&binder, stream->ended);
	bind_text(&binder, stream->path);
	bind_integer(&binder, stream->first);
	bind_integer(&binder, stream->last);
	return run(&binder);
}

int
state_database_alert(struct state_database *database, const struct alert_record *alert)
{
	struct binder binder = binder_of(database, SQL_ALERT);
	char number[4];

	bind_text(&binder, alert->id);
	bind_text(&binder, alert->rule_id);
	bind_text(&binder, alert->rule_name);
	bind_integer(&binder, alert->severity);
	bind_text(&binder, alert_state_name(alert->state));
	bind_text(&binder, alert_outcome_name(alert->outcome));
	bind_text(&binder, alert->device_id);
	bind_ip(&binder, &alert->device_ip);
	bind_mac(&binder, &alert->device_mac);
	bind_text(&binder, alert->device_brand);
	bind_text(&binder, alert->device_maker);
	bind_text(&binder, alert->protocol ? ip_protocol_name(alert->protocol, number) : "");
	bind_ip(&binder, &alert->destination.ip);
	bind_integer(&binder, alert->destination.port);
	bind_text(&binder, alert->destination_domain);
	bind_text(&binder, alert->zone);
	bind_integer(&binder, (int64_t)alert->bytes_out);
	bind_integer(&binder, (int64_t)alert->bytes_in);
	bind_integer(&binder, (int64_t)alert->count);
	bind_integer(&binder, alert->first);
	bind_integer(&binder, alert->last);
	bind_text(&binder, alert->reason);
	return run(&binder);
}

int
state_database_health(struct state_database *database, int64_t time, const char *json)
{
	struct binder binder = binder_of(database, SQL_HEALTH);

	bind_integer(&binder, time);
	bind_text(&binder, json);
	return run(&binder);
}

int
state_database_prune(struct state_database *database, int64_t cutoff)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"DELETE FROM facts WHERE device IN (SELECT id FROM devices WHERE last_seen<%lld);"
		"DELETE FROM shares WHERE device IN (SELECT id FROM devices WHERE last_seen<%lld);"
		"DELETE FROM devices WHERE last_seen<%lld;"
		"DELETE FROM streams WHERE last_seen<%lld;"
		"DELETE FROM alerts WHERE last_seen<%lld;",
		(long long)cutoff, (long long)cutoff, (long long)cutoff, (long long)cutoff,
		(long long)cutoff);
	return execute(database, sql);
}
