/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded state: what state.c writes and the console reads. Times are nanoseconds since the
 * epoch; names (class, status, codec, ...) are the texts of dataplane/records. Raise the version
 * when a column changes meaning; state.c rebuilds a file of another version, the console refuses
 * it. No column is NULL: unknown text is '', an unknown number 0. devices.ips holds addresses
 * separated by blanks, latest first (devices.ip is its first). facts.classifier is the first word
 * of the attribute ("rtsp" of "rtsp.server"). shares: what each channel of facts adds to a
 * confidence; account is 'class' or 'vendor'. */
#ifndef CAMSPAN_STATE_SCHEMA_H
#define CAMSPAN_STATE_SCHEMA_H

#define STATE_SCHEMA_VERSION 2 /* PRAGMA user_version */

#define STATE_SCHEMA_SQL                                                                           \
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"              \
	"CREATE TABLE devices(id TEXT PRIMARY KEY, mac TEXT, ip TEXT, ips TEXT, hostname TEXT,"    \
	" class TEXT, brand TEXT, maker TEXT, model TEXT, firmware TEXT, serial TEXT, status "     \
	"TEXT,"                                                                                    \
	" confidence REAL, brand_confidence REAL, zone TEXT, zone_kind TEXT, vlan INTEGER,"        \
	" tenant INTEGER, first_seen INTEGER, last_seen INTEGER, facts_dropped INTEGER,"           \
	" status_reason TEXT, class_prior REAL, class_factor REAL, vendor_prior REAL,"             \
	" vendor_factor REAL, vendor_supports TEXT, vendor_opposes TEXT)"                          \
	" WITHOUT ROWID;"                                                                          \
	"CREATE TABLE facts(device TEXT, position INTEGER, attribute TEXT, side TEXT,"             \
	" classifier TEXT, value TEXT, source TEXT, says_class TEXT, says_brand TEXT,"             \
	" says_maker TEXT, weight_class REAL, weight_vendor REAL, first_seen INTEGER,"             \
	" last_seen INTEGER, count INTEGER, channel TEXT, PRIMARY KEY(device, position))"          \
	" WITHOUT ROWID;"                                                                          \
	"CREATE TABLE shares(device TEXT, account TEXT, channel TEXT, supports_raw REAL,"          \
	" supports REAL, opposes_raw REAL, opposes REAL, PRIMARY KEY(device, account, channel))"   \
	" WITHOUT ROWID;"                                                                          \
	"CREATE TABLE streams(id TEXT PRIMARY KEY, device TEXT, camera_ip TEXT,"                   \
	" camera_port INTEGER, camera_mac TEXT, viewer_ip TEXT, viewer_port INTEGER,"              \
	" viewer_mac TEXT, transport TEXT, codec TEXT, width INTEGER, height INTEGER, fps REAL,"   \
	" bitrate INTEGER, packets INTEGER, bytes INTEGER, lost INTEGER, reordered INTEGER,"       \
	" jitter_ms REAL, gop INTEGER, encrypted INTEGER, ended INTEGER, path TEXT,"               \
	" first_seen INTEGER, last_seen INTEGER) WITHOUT ROWID;"                                   \
	"CREATE TABLE alerts(id TEXT PRIMARY KEY, rule TEXT, rule_name TEXT, severity INTEGER,"    \
	" state TEXT, outcome TEXT, device TEXT, device_ip TEXT, device_mac TEXT, brand TEXT,"     \
	" maker TEXT, protocol TEXT, destination_ip TEXT, destination_port INTEGER, domain TEXT,"  \
	" zone TEXT, bytes_out INTEGER, bytes_in INTEGER, count INTEGER, first_seen INTEGER,"      \
	" last_seen INTEGER, reason TEXT) WITHOUT ROWID;"                                          \
	"CREATE TABLE health(id INTEGER PRIMARY KEY CHECK(id = 1), time INTEGER, json TEXT);"

/* meta keys: "site", "sensor", "version", "started" (nanoseconds), "mode" ("live" or "replay"). */

#endif
