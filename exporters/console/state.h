/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded state, read-only: camspand may be writing it. */
#ifndef CAMSPAN_CONSOLE_STATE_H
#define CAMSPAN_CONSOLE_STATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Returns NULL with one line in `error`: the path, what is wrong and the remedy. */
sqlite3 *state_open(const char *path, char *error, size_t error_size);
/* A statement, or NULL with one line on stderr. The SQL is a constant of this program. */
sqlite3_stmt *state_query(sqlite3 *state, const char *sql);
/* Next row; false at the end. A failure is told on stderr and ends the rows. */
bool state_next(sqlite3_stmt *statement);
const char *state_text(sqlite3_stmt *statement, int column); /* never NULL */

#endif
