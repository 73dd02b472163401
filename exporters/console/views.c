/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/views.h"

#include "exporters/console/commands.h"
#include "exporters/console/state.h"
#include "exporters/console/units.h"

#include <string.h>

#define CELL_SIZE  320
#define COLUMNS(c) c, sizeof(c) / sizeof((c)[0])

/* Filters are the same parameters in every view: 1 JSON list of classes, 2 of brands, 3 all. */
#define IN_CLASSES(column) column " IN (SELECT value FROM json_each(?1))"
#define IN_BRANDS(a, b)                                                                            \
	"(?2 = '[]' OR " a " IN (SELECT value FROM json_each(?2)) OR " b                           \
	" IN (SELECT value FROM json_each(?2)))"

struct view {
	const char *sql;
	const struct column *columns;
	size_t column_count;
	void (*row)(struct table *table, sqlite3_stmt *row);
	const char *nothing;
	const char *nothing_at_all;
};

static void
time_cell(struct table *table, sqlite3_stmt *row, int column)
{
	char text[UNITS_TEXT_SIZE];

	table_cell(table, units_time(sqlite3_column_int64(row, column), text), false);
}

static void
short_id_cell(struct table *table, sqlite3_stmt *row, int column)
{
	char text[9];

	snprintf(text, sizeof(text), "%.8s", state_text(row, column));
	table_cell(table, text, false);
}

static const char *
endpoint(const char *ip, int port, char *text, size_t size)
{
	if (port == 0)
		snprintf(text, size, "%s", ip);
	else
		snprintf(text, size, strchr(ip, ':') ? "[%s]:%d" : "%s:%d", ip, port);
	return text;
}

static bool
is_restricted(const char *status)
{
	return strncmp(status, "restricted", 10) == 0;
}

enum {
	DEVICE_COL_ID,
	DEVICE_COL_MAC,
	DEVICE_COL_IP,
	DEVICE_COL_IPS,
	DEVICE_COL_HOSTNAME,
	DEVICE_COL_CLASS,
	DEVICE_COL_BRAND,
	DEVICE_COL_MAKER,
	DEVICE_COL_MODEL,
	DEVICE_COL_FIRMWARE,
	DEVICE_COL_SERIAL,
	DEVICE_COL_STATUS,
	DEVICE_COL_CONFIDENCE,
	DEVICE_COL_BRAND_CONFIDENCE,
	DEVICE_COL_ZONE,
	DEVICE_COL_ZONE_KIND,
	DEVICE_COL_VLAN,
	DEVICE_COL_TENANT,
	DEVICE_COL_FIRST,
	DEVICE_COL_LAST
};

static const char devices_sql[] =
	"SELECT id, mac, ip, ips, hostname, class, brand, maker, model, firmware, serial, status,"
	" confidence, brand_confidence, zone, zone_kind, vlan, tenant, first_seen, last_seen"
	" FROM devices WHERE (CASE WHEN ?1 != '[]' THEN " IN_CLASSES(
		"class") " ELSE ?3 OR class IN ('camera', 'recorder', 'doorbell') END)"
			 " AND " IN_BRANDS(
				 "brand", "maker") " ORDER BY CASE class WHEN 'camera' THEN 0 WHEN "
						   "'doorbell' THEN 1 WHEN 'recorder' THEN 2"
						   " WHEN 'viewer' THEN 3 WHEN 'other' THEN 4 ELSE "
						   "5 END, status LIKE 'restricted%' DESC,"
						   " confidence DESC, ip, id";

static const struct column device_columns[] = {
	{"CLASS", false, 0, 0},
	{"BRAND", false, 0, 8},
	{"MAKER", false, 0, 8},
	{"MODEL", false, 0, 10},
	{"STATUS", false, 0, 0},
	{"CONF", true, 0, 0},
	{"ADDRESS", false, 0, 15},
	{"MAC", false, 1, 0},
	{"ZONE", false, 2, 6},
	{"ID", false, 3, 0},
	{"LAST SEEN (UTC)", false, 4, 0},
};

static void
device_row(struct table *table, sqlite3_stmt *row)
{
	char text[CELL_SIZE];

	table_cell(table, state_text(row, DEVICE_COL_CLASS), false);
	table_cell(table, state_text(row, DEVICE_COL_BRAND), false);
	table_cell(table, state_text(row, DEVICE_COL_MAKER), false);
	table_cell(table, state_text(row, DEVICE_COL_MODEL), false);
	table_cell(table, state_text(row, DEVICE_COL_STATUS),
		is_restricted(state_text(row, DEVICE_COL_STATUS)));
	snprintf(text, sizeof(text), "%.2f", sqlite3_column_double(row, DEVICE_COL_CONFIDENCE));
	table_cell(table, text, false);
	table_cell(table, state_text(row, DEVICE_COL_IP), false);
	table_cell(table, state_text(row, DEVICE_COL_MAC), false);
	table_cell(table, state_text(row, DEVICE_COL_ZONE), false);
	short_id_cell(table, row, DEVICE_COL_ID);
	time_cell(table, row, DEVICE_COL_LAST);
}

const struct view view_devices = {devices_sql, COLUMNS(device_columns), device_row,
	"No cameras, recorders or doorbells.", "No devices."};

enum {
	STREAM_COL_ID,
	STREAM_COL_DEVICE,
	STREAM_COL_CAMERA_IP,
	STREAM_COL_CAMERA_PORT,
	STREAM_COL_CAMERA_MAC,
	STREAM_COL_VIEWER_IP,
	STREAM_COL_VIEWER_PORT,
	STREAM_COL_VIEWER_MAC,
	STREAM_COL_TRANSPORT,
	STREAM_COL_CODEC,
	STREAM_COL_WIDTH,
	STREAM_COL_HEIGHT,
	STREAM_COL_FPS,
	STREAM_COL_BITRATE,
	STREAM_COL_PACKETS,
	STREAM_COL_BYTES,
	STREAM_COL_LOST,
	STREAM_COL_REORDERED,
	STREAM_COL_JITTER,
	STREAM_COL_GOP,
	STREAM_COL_ENCRYPTED,
	STREAM_COL_ENDED,
	STREAM_COL_PATH,
	STREAM_COL_FIRST,
	STREAM_COL_LAST
};

static const char streams_sql[] =
	"SELECT s.id, s.device, camera_ip, camera_port, camera_mac, viewer_ip, viewer_port,"
	" viewer_mac, transport, codec, width, height, fps, bitrate, packets, bytes, lost,"
	" reordered, jitter_ms, gop, encrypted, ended, path, s.first_seen, s.last_seen"
	" FROM streams s LEFT JOIN devices d ON d.id = s.device"
	" WHERE (?3 OR NOT ended OR EXISTS (SELECT 1 FROM meta WHERE key = 'mode'"
	" AND value = 'replay')) AND (?1 = '[]' OR " IN_CLASSES(
		"d.class") ")"
			   " AND " IN_BRANDS("d.brand",
				   "d.maker") " ORDER BY ended, camera_ip, s.first_seen, s.id";

static const struct column stream_columns[] = {
	{"CAMERA", false, 0, 21},
	{"VIEWER", false, 0, 21},
	{"TRANSPORT", false, 0, 0},
	{"CODEC", false, 0, 0},
	{"SIZE", true, 0, 0},
	{"FPS", true, 0, 0},
	{"BITRATE", true, 0, 0},
	{"LOST", true, 0, 0},
	{"JITTER", true, 1, 0},
	{"DURATION", true, 2, 0},
	{"GOP", true, 3, 0},
	{"STATE", false, 4, 0},
	{"PATH", false, 5, 8},
	{"ID", false, 6, 0},
};

static void
stream_loss_cell(struct table *table, sqlite3_stmt *row)
{
	double lost = sqlite3_column_double(row, STREAM_COL_LOST);
	double sent = sqlite3_column_double(row, STREAM_COL_PACKETS) + lost;
	char text[UNITS_TEXT_SIZE];

	/* A loss too small to show is not none. */
	if (lost > 0 && lost / sent < 0.0001)
		snprintf(text, sizeof(text), "<0.01%%");
	else
		snprintf(text, sizeof(text), lost > 0 ? "%.2f%%" : "0", 100 * lost / sent);
	table_cell(table, text, false);
}

static void
stream_row(struct table *table, sqlite3_stmt *row)
{
	double fps = sqlite3_column_double(row, STREAM_COL_FPS);
	int width = sqlite3_column_int(row, STREAM_COL_WIDTH);
	int gop = sqlite3_column_int(row, STREAM_COL_GOP);
	bool encrypted = sqlite3_column_int(row, STREAM_COL_ENCRYPTED) != 0;
	char text[CELL_SIZE];

	table_cell(table,
		endpoint(state_text(row, STREAM_COL_CAMERA_IP),
			sqlite3_column_int(row, STREAM_COL_CAMERA_PORT), text, sizeof(text)),
		false);
	table_cell(table,
		endpoint(state_text(row, STREAM_COL_VIEWER_IP),
			sqlite3_column_int(row, STREAM_COL_VIEWER_PORT), text, sizeof(text)),
		false);
	snprintf(text, sizeof(text), "%s%s", state_text(row, STREAM_COL_TRANSPORT),
		encrypted && strcmp(state_text(row, STREAM_COL_TRANSPORT), "encrypted") != 0
			? " (enc)"
			: "");
	table_cell(table, text, false);
	table_cell(table, state_text(row, STREAM_COL_CODEC), false);
	snprintf(text, sizeof(text), "%dx%d", width, sqlite3_column_int(row, STREAM_COL_HEIGHT));
	table_cell(table, width > 0 ? text : "", false);
	snprintf(text, sizeof(text), "%.1f", fps);
	table_cell(table, fps > 0 ? text : "", false);
	table_cell(
		table, units_bitrate(sqlite3_column_double(row, STREAM_COL_BITRATE), text), false);
	stream_loss_cell(table, row);
	snprintf(text, sizeof(text), "%.1f ms", sqlite3_column_double(row, STREAM_COL_JITTER));
	table_cell(table, text, false);
	table_cell(table,
		units_duration(sqlite3_column_int64(row, STREAM_COL_LAST) -
				       sqlite3_column_int64(row, STREAM_COL_FIRST),
			text),
		false);
	snprintf(text, sizeof(text), "%d", gop);
	table_cell(table, gop > 0 ? text : "", false);
	table_cell(table, sqlite3_column_int(row, STREAM_COL_ENDED) ? "ended" : "running", false);
	table_cell(table, state_text(row, STREAM_COL_PATH), false);
	short_id_cell(table, row, STREAM_COL_ID);
}

const struct view view_streams = {
	streams_sql, COLUMNS(stream_columns), stream_row, "No streams.", "No streams."};

enum {
	ALERT_COL_ID,
	ALERT_COL_RULE,
	ALERT_COL_RULE_NAME,
	ALERT_COL_SEVERITY,
	ALERT_COL_STATE,
	ALERT_COL_OUTCOME,
	ALERT_COL_DEVICE,
	ALERT_COL_DEVICE_IP,
	ALERT_COL_DEVICE_MAC,
	ALERT_COL_BRAND,
	ALERT_COL_MAKER,
	ALERT_COL_PROTOCOL,
	ALERT_COL_DESTINATION_IP,
	ALERT_COL_DESTINATION_PORT,
	ALERT_COL_DOMAIN,
	ALERT_COL_ZONE,
	ALERT_COL_BYTES_OUT,
	ALERT_COL_BYTES_IN,
	ALERT_COL_COUNT,
	ALERT_COL_FIRST,
	ALERT_COL_LAST,
	ALERT_COL_REASON
};

static const char alerts_sql[] =
	"SELECT a.id, rule, rule_name, severity, state, outcome, a.device, device_ip, device_mac,"
	" a.brand, a.maker, protocol, destination_ip, destination_port, domain, a.zone, bytes_out,"
	" bytes_in, count, a.first_seen, a.last_seen, reason"
	" FROM alerts a LEFT JOIN devices d ON d.id = a.device"
	" WHERE (?3 OR state != 'closed') AND (?1 = '[]' OR " IN_CLASSES(
		"d.class") ")"
			   " AND " IN_BRANDS("a.brand", "a.maker") " ORDER BY severity DESC, rule, "
								   "device_ip, a.first_seen, a.id";

static const struct column alert_columns[] = {
	{"SEV", true, 0, 0},
	{"RULE", false, 0, 0},
	{"DEVICE", false, 0, 15},
	{"BRAND", false, 2, 8},
	{"DESTINATION", false, 0, 28},
	{"OUTCOME", false, 0, 0},
	{"COUNT", true, 1, 0},
	{"SENT", true, 1, 0},
	{"STATE", false, 3, 0},
	{"ID", false, 4, 0},
	{"LAST SEEN (UTC)", false, 5, 0},
};

#define SEVERITY_HIGH 70

static void
alert_destination_cell(struct table *table, sqlite3_stmt *row)
{
	const char *domain = state_text(row, ALERT_COL_DOMAIN);
	const char *ip = state_text(row, ALERT_COL_DESTINATION_IP);
	const char *protocol = state_text(row, ALERT_COL_PROTOCOL);
	char where[CELL_SIZE], text[CELL_SIZE + 16];

	endpoint(domain[0] ? domain : ip, sqlite3_column_int(row, ALERT_COL_DESTINATION_PORT),
		where, sizeof(where));
	snprintf(text, sizeof(text), "%s%s%.8s", where, protocol[0] ? "/" : "", protocol);
	table_cell(table, ip[0] || domain[0] ? text : "", false);
}

static void
alert_row(struct table *table, sqlite3_stmt *row)
{
	int severity = sqlite3_column_int(row, ALERT_COL_SEVERITY);
	double sent = sqlite3_column_double(row, ALERT_COL_BYTES_OUT);
	char text[CELL_SIZE];

	snprintf(text, sizeof(text), "%d", severity);
	table_cell(table, text, severity >= SEVERITY_HIGH);
	table_cell(table, state_text(row, ALERT_COL_RULE), false);
	table_cell(table,
		state_text(row, state_text(row, ALERT_COL_DEVICE_IP)[0] ? ALERT_COL_DEVICE_IP
									: ALERT_COL_DEVICE_MAC),
		false);
	table_cell(table,
		state_text(row,
			state_text(row, ALERT_COL_BRAND)[0] ? ALERT_COL_BRAND : ALERT_COL_MAKER),
		false);
	alert_destination_cell(table, row);
	table_cell(table, state_text(row, ALERT_COL_OUTCOME), false);
	table_cell(table, state_text(row, ALERT_COL_COUNT), false);
	table_cell(table, sent > 0 ? units_bytes(sent, text) : "", false);
	table_cell(table, state_text(row, ALERT_COL_STATE), false);
	short_id_cell(table, row, ALERT_COL_ID);
	time_cell(table, row, ALERT_COL_LAST);
}

const struct view view_alerts = {
	alerts_sql, COLUMNS(alert_columns), alert_row, "No open alerts.", "No alerts."};

static void
bind_list(sqlite3_stmt *statement, int parameter, const char *const *values, size_t count)
{
	yajl_gen json = yajl_gen_alloc(NULL);
	const unsigned char *text;
	size_t length;

	yajl_gen_array_open(json);
	for (size_t i = 0; i < count; i++)
		json_text(json, values[i]);
	yajl_gen_array_close(json);
	yajl_gen_get_buf(json, &text, &length);
	sqlite3_bind_text(statement, parameter, (const char *)text, (int)length, SQLITE_TRANSIENT);
	yajl_gen_free(json);
}

sqlite3_stmt *
view_select(const struct view *view, sqlite3 *state, const struct options *options)
{
	sqlite3_stmt *statement = state_query(state, view->sql);

	if (statement == NULL)
		return NULL;
	bind_list(statement, 1, options->classes, options->class_count);
	bind_list(statement, 2, options->brands, options->brand_count);
	sqlite3_bind_int(statement, 3, options->all);
	return statement;
}

size_t
view_print(const struct view *view, sqlite3_stmt *rows, const struct terminal *terminal)
{
	struct table *table = table_create(terminal, view->columns, view->column_count);
	size_t count = 0;

	if (table == NULL)
		return 0;
	for (; state_next(rows); count++)
		view->row(table, rows);
	if (count > 0)
		table_print(table);
	table_free(table);
	return count;
}

const char *
view_nothing(const struct view *view, bool all)
{
	return all ? view->nothing_at_all : view->nothing;
}

static int
show(const struct view *view, const struct options *options)
{
	char path[CONFIG_PATH_SIZE], error[1024];
	struct terminal terminal = terminal_detect();
	sqlite3_stmt *rows;
	sqlite3 *state;
	size_t count;

	if (options_state_path(options, path, sizeof(path)) != 0)
		return EXIT_USAGE;
	state = state_open(path, error, sizeof(error));
	if (state == NULL) {
		fprintf(stderr, "camspan: %s\n", error);
		return EXIT_NOTHING;
	}
	rows = view_select(view, state, options);
	if (options->json) {
		yajl_gen json = json_begin();

		count = json_rows(json, rows);
		json_end(json, stdout);
	} else {
		count = view_print(view, rows, &terminal);
		if (count == 0 && options->class_count + options->brand_count > 0)
			puts("Nothing matches the filters.");
		else if (count == 0)
			printf("%s%s\n", view_nothing(view, options->all),
				options->all ? "" : " With --all there may be more.");
	}
	sqlite3_finalize(rows);
	sqlite3_close(state);
	return count > 0 ? EXIT_FOUND : EXIT_NOTHING;
}

int
command_devices(const struct options *options)
{
	return show(&view_devices, options);
}

int
command_streams(const struct options *options)
{
	return show(&view_streams, options);
}

int
command_alerts(const struct options *options)
{
	return show(&view_alerts, options);
}
