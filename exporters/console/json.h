/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the state as JSON for machines: names of the columns, raw figures, RFC 3339 times. */
#ifndef CAMSPAN_CONSOLE_JSON_H
#define CAMSPAN_CONSOLE_JSON_H

#include <sqlite3.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

yajl_gen json_begin(void);
void json_key(yajl_gen json, const char *key);
void json_text(yajl_gen json, const char *text);
/* The statement's current row as an object. */
void json_row(yajl_gen json, sqlite3_stmt *statement);
/* Every row that is left as an array; returns their number. */
size_t json_rows(yajl_gen json, sqlite3_stmt *statement);
/* Writes what was made, with a newline, and frees. */
void json_end(yajl_gen json, FILE *out);

#endif
