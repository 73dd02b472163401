/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that fit the terminal: never wrapped; columns are shortened, then the least important are
 * left out. */
#ifndef CAMSPAN_CONSOLE_TABLE_H
#define CAMSPAN_CONSOLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct terminal {
	FILE *out;
	int width;
	bool colour; /* a terminal that does not ask for NO_COLOR */
	bool utf8;
};

/* Looks at standard output and the environment; call setlocale() before. */
struct terminal terminal_detect(void);
/* What a terminal may safely show of `text`: printable, in its character set. The caller frees. */
char *terminal_text(const struct terminal *terminal, const char *text);
/* Words of `text` in lines of the terminal's width, each after `indent` blanks. */
void terminal_paragraph(const struct terminal *terminal, int indent, const char *text);
void terminal_heading(const struct terminal *terminal, const char *text);

struct column {
	const char *title;
	bool right;      /* numbers */
	uint8_t dispose; /* the highest is left out first; 0 stays */
	uint8_t least;   /* width it may be shortened to; 0: never shortened */
};

struct table;

/* `columns` is borrowed. Returns NULL when memory is short. */
struct table *table_create(
	const struct terminal *terminal, const struct column *columns, size_t column_count);
void table_free(struct table *table);
/* The next cell, from left to right, row by row; `alarm` makes it red. Copied. */
void table_cell(struct table *table, const char *text, bool alarm);
void table_print(struct table *table);

#endif
