/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of settings. Defaults, parsing, checks, printing and the reference page all walk
 * it, so a setting is declared once. Private to config/ and its tests. */
#ifndef CAMSPAN_CONFIG_SCHEMA_H
#define CAMSPAN_CONFIG_SCHEMA_H

#include "config/config.h"

enum setting_type {
	SETTING_BOOL,
	SETTING_COUNT,        /* unsigned integer of `size` bytes */
	SETTING_SECONDS,      /* duration kept in seconds */
	SETTING_MILLISECONDS, /* duration kept in milliseconds */
	SETTING_MEMORY,       /* kept in MiB */
	SETTING_REAL,         /* float */
	SETTING_TEXT,
	SETTING_NAME, /* letters, digits and . _ -: goes into topics, keys and tables */
	SETTING_PATH,
	SETTING_ENUM,    /* kept as the index into `names` */
	SETTING_CHOICE,  /* kept as the text, one of `names` */
	SETTING_CPUS,    /* EAL list of lcores */
	SETTING_SERVER,  /* "host:port" or "unix:/path" */
	SETTING_VERSION, /* "0.9.0.1" */
	SETTING_NETWORK,
	SETTING_DOMAIN,
	SETTING_DEVICE,   /* device id, MAC or address */
	SETTING_PROTOCOL, /* IANA number, by name or number */
	SETTING_SET,      /* bool for each of `names`, written as a list of them */
	SETTING_MAPPINGS, /* list of mappings; the rows of an item are "path[].key" */
};

struct setting {
	/* "flows.idle_timeout"; "zones[].name" is a key of the items of the list "zones". */
	const char *path;
	enum setting_type type;
	/* Of the member in struct config, or in the item's structure below "[]". For a list: of
	 * the pointer, and `size` is that of one item. */
	uint32_t offset;
	uint32_t size;
	const char *fallback; /* default as text; NULL: must be given (keys of list items) */
	double minimum;
	double maximum;
	const char *documentation;
	const char *const *names; /* ENUM, CHOICE, SET: NULL-terminated */
	uint32_t items_max;       /* over 0: a list */
	uint32_t count_offset;    /* of the list's size_t count */
};

extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* The row of exactly this path, NULL if none. */
const struct setting *setting_find(const char *path);
/* True when rows begin with "path.": it is a section. */
bool setting_is_section(const char *path);
/* True when the row sits right below `prefix` ("", "flows.", "zones[]."). */
bool setting_is_child(const struct setting *setting, const char *prefix);
/* What follows the last dot. */
const char *setting_key(const struct setting *setting);

#endif
