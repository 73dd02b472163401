/* SPDX-License-Identifier: Apache-2.0 */
/* camspan explain: the facts behind a verdict, as an auditor would ask for them. */
#include "dataplane/records/evidence.h"
#include "exporters/console/commands.h"
#include "exporters/console/json.h"
#include "exporters/console/state.h"
#include "exporters/console/table.h"
#include "exporters/console/units.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MATCHES_SHOWN 10
#define TEXT_SIZE     2048
#define ID_SIZE       17

struct target {
	char kind[8]; /* device, alert, stream */
	char id[ID_SIZE];
};

/* ?1: the beginning of an id; ?2: a MAC; ?3: an address. Unused ones match nothing. */
static const char find_sql[] =
	"SELECT 'device', id FROM devices WHERE (?1 != '' AND substr(id, 1, length(?1)) = ?1)"
	" OR (?2 != '' AND mac = ?2) OR (?3 != '' AND (ip = ?3 OR instr("
	"' ' || replace(replace(replace(replace(ips, ',', ' '), '\"', ' '), '[', ' '), ']', ' ')"
	" || ' ', ' ' || ?3 || ' ') > 0))"
	" UNION ALL SELECT 'alert', id FROM alerts WHERE ?1 != '' AND substr(id, 1, length(?1)) ="
	" ?1 UNION ALL SELECT 'stream', id FROM streams WHERE ?1 != '' AND"
	" substr(id, 1, length(?1)) = ?1 LIMIT 11";

static const char device_sql[] =
	"SELECT id, mac, ip, ips, hostname, class, brand, maker, model, firmware, serial, status,"
	" confidence, brand_confidence, zone, zone_kind, vlan, tenant, first_seen, last_seen,"
	" facts_dropped, status_reason, class_prior, class_factor, vendor_prior, vendor_factor,"
	" vendor_supports, vendor_opposes FROM devices WHERE id = ?1";

enum {
	DEV_ID,
	DEV_MAC,
	DEV_IP,
	DEV_IPS,
	DEV_HOSTNAME,
	DEV_CLASS,
	DEV_BRAND,
	DEV_MAKER,
	DEV_MODEL,
	DEV_FIRMWARE,
	DEV_SERIAL,
	DEV_STATUS,
	DEV_CONFIDENCE,
	DEV_BRAND_CONFIDENCE,
	DEV_ZONE,
	DEV_ZONE_KIND,
	DEV_VLAN,
	DEV_TENANT,
	DEV_FIRST,
	DEV_LAST,
	DEV_FACTS_DROPPED,
	DEV_STATUS_REASON,
	DEV_CLASS_PRIOR,
	DEV_CLASS_FACTOR,
	DEV_VENDOR_PRIOR,
	DEV_VENDOR_FACTOR,
	DEV_VENDOR_SUPPORTS,
	DEV_VENDOR_OPPOSES
};

static const char facts_sql[] =
	"SELECT attribute, value, side, classifier, says_class, weight_class, says_brand,"
	" says_maker, weight_vendor, count, first_seen, last_seen, source, channel FROM facts"
	" WHERE device = ?1 ORDER BY abs(weight_class) + abs(weight_vendor) DESC, position";

enum {
	FACT_ATTRIBUTE,
	FACT_VALUE,
	FACT_SIDE,
	FACT_CLASSIFIER,
	FACT_SAYS_CLASS,
	FACT_WEIGHT_CLASS,
	FACT_SAYS_BRAND,
	FACT_SAYS_MAKER,
	FACT_WEIGHT_VENDOR,
	FACT_COUNT,
	FACT_FIRST,
	FACT_LAST,
	FACT_SOURCE,
	FACT_CHANNEL
};

static const char shares_sql[] =
	"SELECT channel, supports_raw, supports, opposes_raw, opposes, account FROM shares"
	" WHERE device = ?1 AND (?2 = '' OR account = ?2) ORDER BY account, supports DESC, channel";

enum { SHARE_CHANNEL, SHARE_SUPPORTS_RAW, SHARE_SUPPORTS, SHARE_OPPOSES_RAW, SHARE_OPPOSES };

static const char alert_sql[] =
	"SELECT id, rule, rule_name, severity, state, outcome, device, device_ip, device_mac, "
	"brand,"
	" maker, protocol, destination_ip, destination_port, domain, zone, bytes_out, bytes_in,"
	" count, first_seen, last_seen, reason FROM alerts WHERE id = ?1";

static const char stream_sql[] =
	"SELECT id, device, camera_ip, camera_port, camera_mac, viewer_ip, viewer_port, viewer_mac,"
	" transport, codec, width, height, fps, bitrate, packets, bytes, lost, reordered,"
	" jitter_ms, gop, encrypted, ended, path, first_seen, last_seen FROM streams WHERE id = ?1";

struct verdict {
	char class[16], brand[32], maker[32], status[24], id[ID_SIZE];
	char supports_id[32], opposes_id[32], status_reason[TEXT_SIZE / 2];
	double confidence, brand_confidence;
	double class_prior, class_factor, vendor_prior, vendor_factor;
	int facts_dropped;
};

static void __attribute__((format(printf, 3, 4)))
paragraph(const struct terminal *terminal, int indent, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	terminal_paragraph(terminal, indent, text);
}

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static sqlite3_stmt *
query_id(sqlite3 *state, const char *sql, const char *id)
{
	sqlite3_stmt *statement = state_query(state, sql);

	if (statement)
		sqlite3_bind_text(statement, 1, id, -1, SQLITE_TRANSIENT);
	return statement;
}

/* "key: value" when there is a value; text that other machines chose is quoted as it is. */
static void
show_field(const struct terminal *terminal, const char *name, const char *value)
{
	if (value[0])
		paragraph(terminal, 2, "%s: %s", name, value);
}

static void
describe_vendor(const struct verdict *verdict, char *text, size_t size)
{
	text[0] = '\0';
	if (verdict->brand[0] && verdict->maker[0] && strcmp(verdict->brand, verdict->maker) != 0)
		snprintf(text, size, "brand %s, made by %s", verdict->brand, verdict->maker);
	else if (verdict->brand[0])
		snprintf(text, size, "brand %s", verdict->brand);
	else if (verdict->maker[0])
		snprintf(text, size, "made by %s", verdict->maker);
	else
		snprintf(text, size, "brand and maker unknown");
}

static void
show_device_head(const struct terminal *terminal, sqlite3_stmt *row, const struct verdict *verdict)
{
	char heading[64], vendor[80], text[TEXT_SIZE], times[2][UNITS_TEXT_SIZE];

	snprintf(heading, sizeof(heading), "Device %s", verdict->id);
	terminal_heading(terminal, heading);
	describe_vendor(verdict, vendor, sizeof(vendor));
	paragraph(terminal, 2, "%s (confidence %.2f), %s (confidence %.2f), status %s",
		verdict->class[0] ? verdict->class : "unknown", verdict->confidence, vendor,
		verdict->brand_confidence, verdict->status[0] ? verdict->status : "unknown");
	show_field(terminal, "model", state_text(row, DEV_MODEL));
	show_field(terminal, "firmware", state_text(row, DEV_FIRMWARE));
	show_field(terminal, "serial", state_text(row, DEV_SERIAL));
	show_field(terminal, "host name", state_text(row, DEV_HOSTNAME));
	show_field(terminal, "MAC", state_text(row, DEV_MAC));
	show_field(terminal, "address",
		state_text(row, state_text(row, DEV_IPS)[0] ? DEV_IPS : DEV_IP));
	if (sqlite3_column_int(row, DEV_VLAN) > 0)
		show_field(terminal, "VLAN", state_text(row, DEV_VLAN));
	if (state_text(row, DEV_ZONE)[0]) {
		snprintf(text, sizeof(text), "%s (%s)", state_text(row, DEV_ZONE),
			state_text(row, DEV_ZONE_KIND));
		show_field(terminal, "zone", text);
	}
	paragraph(terminal, 2, "seen: %s to %s UTC",
		units_time(sqlite3_column_int64(row, DEV_FIRST), times[0]),
		units_time(sqlite3_column_int64(row, DEV_LAST), times[1]));
}

static const char *
said_by(const char *side)
{
	if (strcmp(side, "device") == 0)
		return "said by the device itself";
	if (strcmp(side, "peer") == 0)
		return "said of it by another host";
	return "what it asked for as a client";
}

static void
show_fact(const struct terminal *terminal, sqlite3_stmt *row)
{
	const char *brand = state_text(row, FACT_SAYS_BRAND);
	const char *maker = state_text(row, FACT_SAYS_MAKER);
	const char *attribute = state_text(row, FACT_ATTRIBUTE);
	double to_class = sqlite3_column_double(row, FACT_WEIGHT_CLASS);
	double to_vendor = sqlite3_column_double(row, FACT_WEIGHT_VENDOR);
	char text[TEXT_SIZE] = "", times[2][UNITS_TEXT_SIZE];

	paragraph(terminal, 2, "%s = \"%s\"", attribute, state_text(row, FACT_VALUE));
	if (to_class != 0)
		append(text, sizeof(text), "%+.2f %s", to_class, state_text(row, FACT_SAYS_CLASS));
	if (to_vendor != 0)
		append(text, sizeof(text), "%s%+.2f %s%s%s", text[0] ? ", " : "", to_vendor,
			brand[0] ? brand : maker, brand[0] && maker[0] ? " made by " : "",
			brand[0] ? maker : "");
	if (text[0] == '\0')
		append(text, sizeof(text), "no weight: identifies nothing");
	paragraph(terminal, 6, "%s", text);
	paragraph(terminal, 6, "%s; channel %s%s%s; %s time%s, %s to %s",
		said_by(state_text(row, FACT_SIDE)), state_text(row, FACT_CHANNEL),
		state_text(row, FACT_CLASSIFIER)[0] ? ", classifier " : "",
		state_text(row, FACT_CLASSIFIER), state_text(row, FACT_COUNT),
		sqlite3_column_int(row, FACT_COUNT) == 1 ? "" : "s",
		units_time(sqlite3_column_int64(row, FACT_FIRST), times[0]),
		units_time(sqlite3_column_int64(row, FACT_LAST), times[1]));
	if (state_text(row, FACT_SOURCE)[0])
		paragraph(terminal, 6, "source: %s", state_text(row, FACT_SOURCE));
}

/* One line of the account: what the facts of a channel weigh and what of it counts. */
static void
show_share(const struct terminal *terminal, const char *channel, const char *towards, double raw,
	double counted, char sign)
{
	if (raw == 0)
		return;
	paragraph(terminal, 6, "%s for %s: facts weigh %.2f, counted %c%.2f", channel, towards, raw,
		sign, counted);
}

/* Writes the channels and returns the log-odds that they add up to. */
static double
show_shares(sqlite3 *state, const struct terminal *terminal, const char *id, const char *account,
	const char *towards, const char *against)
{
	sqlite3_stmt *row = query_id(state, shares_sql, id);
	double total = 0;

	if (row)
		sqlite3_bind_text(row, 2, account, -1, SQLITE_STATIC);
	while (row && state_next(row)) {
		const char *channel = state_text(row, SHARE_CHANNEL);
		double supports = sqlite3_column_double(row, SHARE_SUPPORTS);
		double opposes = sqlite3_column_double(row, SHARE_OPPOSES);

		show_share(terminal, channel, towards,
			sqlite3_column_double(row, SHARE_SUPPORTS_RAW), supports, '+');
		show_share(terminal, channel, against,
			sqlite3_column_double(row, SHARE_OPPOSES_RAW), opposes, '-');
		total += supports - opposes;
	}
	sqlite3_finalize(row);
	return total;
}

static void
show_result(const struct terminal *terminal, double prior, double total, double factor,
	const char *factor_reason)
{
	double sum = prior + total;
	char text[TEXT_SIZE / 2] = "";

	if (factor < 0.9995)
		append(text, sizeof(text), ", times %.3f because %s: %.3f", factor, factor_reason,
			factor / (1 + exp(-sum)));
	paragraph(terminal, 4, "%.2f %c %.2f = %.2f log-odds; 1 / (1 + e^%.2f) = %.3f%s", prior,
		total < 0 ? '-' : '+', fabs(total), sum, -sum, 1 / (1 + exp(-sum)), text);
}

static void
explain_class(sqlite3 *state, const struct terminal *terminal, const struct verdict *verdict)
{
	bool is_other = strcmp(verdict->class, "other") == 0;
	bool is_viewer = strcmp(verdict->class, "viewer") == 0;
	bool is_known = verdict->class[0] && strcmp(verdict->class, "unknown") != 0;
	const char *towards = is_other    ? "another kind of device"
			      : is_viewer ? "a viewer of video"
					  : "a camera, recorder or doorbell";
	double total;

	paragraph(terminal, 2, "Class %s, confidence %.2f: %s",
		is_known ? verdict->class : "unknown", verdict->confidence, towards);
	paragraph(terminal, 6, "starting odds: %.2f", verdict->class_prior);
	total = show_shares(state, terminal, verdict->id, "class", towards, "another kind");
	show_result(terminal, verdict->class_prior, total, verdict->class_factor,
		is_other ? "other facts speak for a camera"
			 : "facts disagree on the kind of video device");
	if (!is_known && verdict->class_prior + total >= 0)
		paragraph(terminal, 4,
			"But nothing shows that it is in this estate: its addresses are public, in "
			"no zone, and not seen on a link of its own.");
	else if (!is_known)
		paragraph(terminal, 4, "Less than 0.5, so nothing is claimed.");
}

static void
explain_vendor(sqlite3 *state, const struct terminal *terminal, const struct verdict *verdict)
{
	char vendor[80], against[48];
	double total;

	if (verdict->vendor_factor == 0) {
		paragraph(terminal, 2, "No fact names its brand or maker well enough.");
		return;
	}
	describe_vendor(verdict, vendor, sizeof(vendor));
	snprintf(against, sizeof(against), "%s",
		verdict->opposes_id[0] ? verdict->opposes_id : "another vendor");
	paragraph(terminal, 2, "%c%s, confidence %.2f: it is %s", toupper((unsigned char)vendor[0]),
		vendor + 1, verdict->brand_confidence, verdict->supports_id);
	paragraph(terminal, 6, "starting odds: %.2f", verdict->vendor_prior);
	total = show_shares(state, terminal, verdict->id, "vendor", verdict->supports_id, against);
	show_result(terminal, verdict->vendor_prior, total, verdict->vendor_factor, "");
}

static void
show_verdict(sqlite3 *state, const struct terminal *terminal, const struct verdict *verdict)
{
	terminal_heading(terminal, "\nWhy");
	explain_class(state, terminal, verdict);
	explain_vendor(state, terminal, verdict);
	if (verdict->status_reason[0])
		paragraph(terminal, 2, "Status %s, by the vendor list: %s", verdict->status,
			verdict->status_reason);
	paragraph(terminal, 2,
		"Weights are log-odds: +0.7 doubles the odds, +2.3 makes them ten times as high. "
		"Of "
		"a channel the strongest fact counts in full, each further one half of the one "
		"before, and together no more than the channel's cap, so that many facts of one "
		"kind do not outweigh two of different kinds.");
	if (verdict->facts_dropped > 0)
		paragraph(terminal, 2, "%d weaker facts were not kept and do not count.",
			verdict->facts_dropped);
}

static struct verdict
read_verdict(sqlite3_stmt *row)
{
	struct verdict verdict = {
		.confidence = sqlite3_column_double(row, DEV_CONFIDENCE),
		.brand_confidence = sqlite3_column_double(row, DEV_BRAND_CONFIDENCE),
		.class_prior = sqlite3_column_double(row, DEV_CLASS_PRIOR),
		.class_factor = sqlite3_column_double(row, DEV_CLASS_FACTOR),
		.vendor_prior = sqlite3_column_double(row, DEV_VENDOR_PRIOR),
		.vendor_factor = sqlite3_column_double(row, DEV_VENDOR_FACTOR),
		.facts_dropped = sqlite3_column_int(row, DEV_FACTS_DROPPED),
	};

	snprintf(verdict.id, sizeof(verdict.id), "%s", state_text(row, DEV_ID));
	snprintf(verdict.class, sizeof(verdict.class), "%s", state_text(row, DEV_CLASS));
	snprintf(verdict.brand, sizeof(verdict.brand), "%s", state_text(row, DEV_BRAND));
	snprintf(verdict.maker, sizeof(verdict.maker), "%s", state_text(row, DEV_MAKER));
	snprintf(verdict.status, sizeof(verdict.status), "%s", state_text(row, DEV_STATUS));
	snprintf(verdict.status_reason, sizeof(verdict.status_reason), "%s",
		state_text(row, DEV_STATUS_REASON));
	snprintf(verdict.supports_id, sizeof(verdict.supports_id), "%s",
		state_text(row, DEV_VENDOR_SUPPORTS));
	snprintf(verdict.opposes_id, sizeof(verdict.opposes_id), "%s",
		state_text(row, DEV_VENDOR_OPPOSES));
	return verdict;
}

static void
explain_device(sqlite3 *state, const char *id, const struct terminal *terminal)
{
	sqlite3_stmt *device = query_id(state, device_sql, id);
	sqlite3_stmt *facts = query_id(state, facts_sql, id);

	if (state_next(device)) {
		struct verdict verdict = read_verdict(device);

		show_device_head(terminal, device, &verdict);
		terminal_heading(terminal, "\nFacts, the weightiest first");
		while (state_next(facts))
			show_fact(terminal, facts);
		show_verdict(state, terminal, &verdict);
	}
	sqlite3_finalize(facts);
	sqlite3_finalize(device);
}

/* Every column with a value, one a line: an alert and a stream are short enough. */
static void
show_columns(sqlite3_stmt *row, const struct terminal *terminal)
{
	char text[TEXT_SIZE];

	for (int i = 1; i < sqlite3_column_count(row); i++) {
		const char *name = sqlite3_column_name(row, i);
		const char *value = state_text(row, i);

		if (value[0] == '\0' || strcmp(value, "0") == 0 || strcmp(value, "0.0") == 0)
			continue;
		if (strcmp(name, "first_seen") == 0 || strcmp(name, "last_seen") == 0) {
			units_time(sqlite3_column_int64(row, i), text);
			append(text, sizeof(text), " UTC");
			value = text;
		} else if (strcmp(name, "bitrate") == 0) {
			value = units_bitrate(sqlite3_column_double(row, i), text);
		} else if (strncmp(name, "bytes", 5) == 0) {
			value = units_bytes(sqlite3_column_double(row, i), text);
		} else if (strcmp(name, "encrypted") == 0 || strcmp(name, "ended") == 0) {
			value = "yes";
		}
		paragraph(terminal, 2, "%s: %s", name, value);
	}
}

static void
explain_other(sqlite3 *state, const struct target *target, const struct terminal *terminal)
{
	bool is_alert = strcmp(target->kind, "alert") == 0;
	sqlite3_stmt *row = query_id(state, is_alert ? alert_sql : stream_sql, target->id);
	int device_column = is_alert ? 6 : 1;
	char heading[64];

	snprintf(heading, sizeof(heading), "%s %s", is_alert ? "Alert" : "Stream", target->id);
	terminal_heading(terminal, heading);
	if (state_next(row)) {
		show_columns(row, terminal);
		if (state_text(row, device_column)[0])
			paragraph(terminal, 0, "The facts about the device: camspan explain %s",
				state_text(row, device_column));
	}
	sqlite3_finalize(row);
}

static void
explain_json(sqlite3 *state, const struct target *target)
{
	bool is_device = strcmp(target->kind, "device") == 0;
	const char *sql = is_device                            ? device_sql
			  : strcmp(target->kind, "alert") == 0 ? alert_sql
							       : stream_sql;
	sqlite3_stmt *row = query_id(state, sql, target->id);
	yajl_gen json = json_begin();

	yajl_gen_map_open(json);
	json_key(json, "kind");
	json_text(json, target->kind);
	json_key(json, target->kind);
	if (state_next(row))
		json_row(json, row);
	else
		yajl_gen_null(json);
	if (is_device) {
		sqlite3_stmt *facts = query_id(state, facts_sql, target->id);

		json_key(json, "facts");
		json_rows(json, facts);
		sqlite3_finalize(facts);
		facts = query_id(state, shares_sql, target->id);
		if (facts)
			sqlite3_bind_text(facts, 2, "", -1, SQLITE_STATIC);
		json_key(json, "shares");
		json_rows(json, facts);
		sqlite3_finalize(facts);
	}
	yajl_gen_map_close(json);
	json_end(json, stdout);
	sqlite3_finalize(row);
}

static sqlite3_stmt *
find(sqlite3 *state, const char *text)
{
	sqlite3_stmt *statement = state_query(state, find_sql);
	char prefix[ID_SIZE] = "", mac_text[MAC_TEXT_SIZE] = "", ip_text[ADDRESS_TEXT_SIZE] = "";
	struct mac_address mac;
	struct ip_address ip;

	if (statement == NULL)
		return NULL;
	if (mac_parse(text, &mac) == 0)
		mac_format(&mac, mac_text);
	else if (ip_parse(text, &ip) == 0)
		ip_format(&ip, ip_text);
	else if (strlen(text) < ID_SIZE && strspn(text, "0123456789abcdefABCDEF") == strlen(text))
		for (size_t i = 0; text[i]; i++)
			prefix[i] = (char)tolower((unsigned char)text[i]);
	sqlite3_bind_text(statement, 1, prefix, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 2, mac_text, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, 3, ip_text, -1, SQLITE_TRANSIENT);
	return statement;
}

/* Returns the one target, or says on stderr why there is not one. */
static bool
resolve(sqlite3 *state, const char *text, struct target *target)
{
	sqlite3_stmt *statement = find(state, text);
	struct target matches[MATCHES_SHOWN + 1];
	size_t count = 0;

	while (count <= MATCHES_SHOWN && state_next(statement)) {
		snprintf(matches[count].kind, sizeof(matches[count].kind), "%s",
			state_text(statement, 0));
		snprintf(matches[count].id, sizeof(matches[count].id), "%s",
			state_text(statement, 1));
		count++;
	}
	sqlite3_finalize(statement);
	if (count == 1) {
		*target = matches[0];
		return true;
	}
	if (count == 0)
		fprintf(stderr,
			"camspan: no device, alert or stream is %s; camspan devices --all lists "
			"them\n",
			text);
	else
		fprintf(stderr, "camspan: %s is not unique; use one of:\n", text);
	for (size_t i = 0; i < count && i < MATCHES_SHOWN; i++)
		fprintf(stderr, "  %s %s\n", matches[i].kind, matches[i].id);
	if (count > MATCHES_SHOWN)
		fputs("  ...\n", stderr);
	return false;
}

int
command_explain(const struct options *options)
{
	char path[CONFIG_PATH_SIZE], error[1024];
	struct terminal terminal = terminal_detect();
	struct target target;
	sqlite3 *state;
	bool found;

	if (options_state_path(options, path, sizeof(path)) != 0)
		return EXIT_USAGE;
	state = state_open(path, error, sizeof(error));
	if (state == NULL) {
		fprintf(stderr, "camspan: %s\n", error);
		return EXIT_NOTHING;
	}
	found = resolve(state, options->operands[0], &target);
	if (found && options->json)
		explain_json(state, &target);
	else if (found && strcmp(target.kind, "device") == 0)
		explain_device(state, target.id, &terminal);
	else if (found)
		explain_other(state, &target, &terminal);
	sqlite3_close(state);
	return found ? EXIT_FOUND : EXIT_NOTHING;
}
