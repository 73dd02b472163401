/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/json.h"

#include "exporters/console/state.h"
#include "exporters/console/units.h"

#include <string.h>

enum form { FORM_PLAIN, FORM_TIME, FORM_BOOL, FORM_LIST };

/* Columns that SQLite keeps in a poorer type than JSON has. */
static const struct {
	const char *column;
	enum form form;
} forms[] = {
	{"first_seen", FORM_TIME},
	{"last_seen", FORM_TIME},
	{"encrypted", FORM_BOOL},
	{"ended", FORM_BOOL},
	{"ips", FORM_LIST},
};

yajl_gen
json_begin(void)
{
	yajl_gen json = yajl_gen_alloc(NULL);

	yajl_gen_config(json, yajl_gen_beautify, 1);
	yajl_gen_config(json, yajl_gen_indent_string, "  ");
	return json;
}

void
json_text(yajl_gen json, const char *text)
{
	yajl_gen_string(json, (const unsigned char *)text, strlen(text));
}

void
json_key(yajl_gen json, const char *key)
{
	json_text(json, key);
}

static enum form
form_of(const char *column)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].column, column) == 0)
			return forms[i].form;
	return FORM_PLAIN;
}

/* Addresses in one text, whatever stands between them. */
static void
write_list(yajl_gen json, const char *text)
{
	static const char between[] = " ,;[]\"\t\n";

	yajl_gen_array_open(json);
	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		size_t length = strcspn(text, between);

		yajl_gen_string(json, (const unsigned char *)text, length);
		text += length;
	}
	yajl_gen_array_close(json);
}

static void
write_number(yajl_gen json, double value)
{
	char text[UNITS_TEXT_SIZE];
	int length = snprintf(text, sizeof(text), "%.6g", value);

	/* JSON has no infinity. */
	if (strpbrk(text, "in"))
		yajl_gen_null(json);
	else
		yajl_gen_number(json, text, (size_t)length);
}

static void
write_column(yajl_gen json, sqlite3_stmt *statement, int column)
{
	enum form form = form_of(sqlite3_column_name(statement, column));
	char text[UNITS_TEXT_SIZE];

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		if (form == FORM_TIME)
			json_text(json,
				units_timestamp(sqlite3_column_int64(statement, column), text));
		else if (form == FORM_BOOL)
			yajl_gen_bool(json, sqlite3_column_int(statement, column));
		else
			yajl_gen_integer(json, sqlite3_column_int64(statement, column));
		return;
	case SQLITE_FLOAT:
		write_number(json, sqlite3_column_double(statement, column));
		return;
	case SQLITE_NULL:
		yajl_gen_null(json);
		return;
	default:
		if (form == FORM_LIST)
			write_list(json, state_text(statement, column));
		else
			json_text(json, state_text(statement, column));
	}
}

void
json_row(yajl_gen json, sqlite3_stmt *statement)
{
	yajl_gen_map_open(json);
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		json_key(json, sqlite3_column_name(statement, i));
		write_column(json, statement, i);
	}
	yajl_gen_map_close(json);
}

size_t
json_rows(yajl_gen json, sqlite3_stmt *statement)
{
	size_t count = 0;

	yajl_gen_array_open(json);
	for (; state_next(statement); count++)
		json_row(json, statement);
	yajl_gen_array_close(json);
	return count;
}

void
json_end(yajl_gen json, FILE *out)
{
	const unsigned char *text;
	size_t length;

	/* The beautifier ends the outermost value with a newline. */
	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		fwrite(text, 1, length, out);
	yajl_gen_free(json);
}
