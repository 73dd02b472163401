/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, streams and alerts of a state, as tables or as JSON. */
#ifndef CAMSPAN_CONSOLE_VIEWS_H
#define CAMSPAN_CONSOLE_VIEWS_H

#include "exporters/console/json.h"
#include "exporters/console/options.h"
#include "exporters/console/table.h"

#include <sqlite3.h>

struct view;

extern const struct view view_devices;
extern const struct view view_streams;
extern const struct view view_alerts;

/* The rows that the options ask for: without --all only cameras, recorders and doorbells, streams
 * that go on (all of them in a replay), alerts that are not closed. NULL after a line on stderr. */
sqlite3_stmt *view_select(const struct view *view, sqlite3 *state, const struct options *options);
/* Prints a table; returns the number of rows, 0 without printing. */
size_t view_print(const struct view *view, sqlite3_stmt *rows, const struct terminal *terminal);
/* "No cameras, recorders or doorbells." */
const char *view_nothing(const struct view *view, bool all);

#endif
