/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and their binding; shared by the files that write rows. */
#ifndef CAMSPAN_EXPORTERS_STATE_DATABASE_PRIVATE_H
#define CAMSPAN_EXPORTERS_STATE_DATABASE_PRIVATE_H

#include "exporters/state_database.h"

#include <sqlite3.h>

enum statement {
	SQL_DEVICE,
	SQL_FORGET_FACTS,
	SQL_FACT,
	SQL_FORGET_SHARES,
	SQL_SHARE,
	SQL_STREAM,
	SQL_ALERT,
	SQL_HEALTH,
	SQL_META,
	SQL_COUNT
};

struct state_database {
	sqlite3 *handle;
	sqlite3_stmt *statements[SQL_COUNT];
};

/* Binds values one after the other. No column is NULL: unknown text is ''. */
struct binder {
	sqlite3_stmt *statement;
	int position;
};

static inline void
bind_text(struct binder *binder, const char *text)
{
	sqlite3_bind_text(binder->statement, ++binder->position, text, -1, SQLITE_TRANSIENT);
}

static inline void
bind_integer(struct binder *binder, int64_t value)
{
	sqlite3_bind_int64(binder->statement, ++binder->position, value);
}

static inline void
bind_real(struct binder *binder, double value)
{
	sqlite3_bind_double(binder->statement, ++binder->position, value);
}

static inline void
bind_ip(struct binder *binder, const struct ip_address *ip)
{
	char text[ADDRESS_TEXT_SIZE];

	bind_text(binder, ip_format(ip, text));
}

static inline void
bind_mac(struct binder *binder, const struct mac_address *mac)
{
	char text[MAC_TEXT_SIZE] = "";

	bind_text(binder, mac_is_set(mac) ? mac_format(mac, text) : text);
}

static inline struct binder
binder_of(struct state_database *database, enum statement statement)
{
	return (struct binder){.statement = database->statements[statement]};
}

static inline int
run(struct binder *binder)
{
	int result = sqlite3_step(binder->statement);

	sqlite3_reset(binder->statement);
	sqlite3_clear_bindings(binder->statement);
	return result == SQLITE_DONE || result == SQLITE_ROW ? SQLITE_OK : result;
}

#endif
