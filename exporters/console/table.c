/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/table.h"

#include <langinfo.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define WIDTH_DEFAULT 100
#define WIDTH_LEAST   40
#define GAP           2 /* blanks between columns */
#define COLUMNS_MAX   16
#define CUT_MARK      "…"

struct cell {
	char *text;
	bool alarm;
};

struct table {
	const struct terminal *terminal;
	const struct column *columns;
	size_t column_count;
	struct cell *cells;
	size_t cell_count;
	size_t cell_room;
};

static int
detect_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int width = WIDTH_DEFAULT;

	if (columns && atoi(columns) > 0)
		width = atoi(columns);
	else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

struct terminal
terminal_detect(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *kind = getenv("TERM");

	return (struct terminal){
		.out = stdout,
		.width = detect_width(),
		.colour = isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') &&
			  (kind == NULL || strcmp(kind, "dumb") != 0),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

/* Copies one character; returns the bytes of `text` used. */
static size_t
copy_character(bool utf8, const char *text, char *to, size_t *used)
{
	wchar_t wide;
	mbstate_t state;
	size_t length = 1;

	if ((unsigned char)*text >= 0x80) {
		memset(&state, 0, sizeof(state));
		length = utf8 ? mbrtowc(&wide, text, strlen(text), &state) : (size_t)-1;
		if (length <= 4 && iswprint((wint_t)wide) && wcwidth(wide) > 0) {
			memcpy(to + *used, text, length);
			*used += length;
			return length;
		}
		length = 1;
		while (((unsigned char)text[length] & 0xc0) == 0x80)
			length++;
		to[(*used)++] = '?';
		return length;
	}
	to[(*used)++] = *text < ' ' || *text == 0x7f ? '?' : *text;
	return 1;
}

char *
terminal_text(const struct terminal *terminal, const char *text)
{
	char *copy = malloc(strlen(text) + sizeof(CUT_MARK)); /* room for cut() */
	size_t used = 0;

	if (copy == NULL)
		return NULL;
	while (*text)
		text += copy_character(terminal->utf8, text, copy, &used);
	copy[used] = '\0';
	return copy;
}

/* Bytes and columns of the character at `text`, which terminal_text() made. */
static size_t
character(const char *text, int *columns)
{
	wchar_t wide;
	mbstate_t state;
	size_t length;

	*columns = 1;
	if ((unsigned char)*text < 0x80)
		return 1;
	memset(&state, 0, sizeof(state));
	length = mbrtowc(&wide, text, strlen(text), &state);
	if (length == 0 || length > 4)
		return 1;
	*columns = wcwidth(wide) > 0 ? wcwidth(wide) : 1;
	return length;
}

static int
text_width(const char *text)
{
	int width = 0, columns;

	for (; *text; width += columns)
		text += character(text, &columns);
	return width;
}

void
terminal_heading(const struct terminal *terminal, const char *text)
{
	fprintf(terminal->out, terminal->colour ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

void
terminal_paragraph(const struct terminal *terminal, int indent, const char *raw)
{
	char *text = terminal_text(terminal, raw);
	int at = 0;

	for (const char *word = text; word && *word;) {
		size_t length = strcspn(word, " ");
		char *copy = strndup(word, length);
		int width = copy ? text_width(copy) : 0;

		if (at > 0 && at + 1 + width > terminal->width) {
			putc('\n', terminal->out);
			at = 0;
		}
		if (at == 0)
			at = fprintf(terminal->out, "%*s", indent, "");
		else
			at += fprintf(terminal->out, " ");
		fputs(copy ? copy : "", terminal->out);
		at += width;
		free(copy);
		word += length;
		word += strspn(word, " ");
	}
	putc('\n', terminal->out);
	free(text);
}

struct table *
table_create(const struct terminal *terminal, const struct column *columns, size_t column_count)
{
	struct table *table = column_count <= COLUMNS_MAX ? calloc(1, sizeof(*table)) : NULL;

	if (table)
		*table = (struct table){
			.terminal = terminal, .columns = columns, .column_count = column_count};
	return table;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

void
table_cell(struct table *table, const char *text, bool alarm)
{
	if (table->cell_count == table->cell_room) {
		size_t room = table->cell_room ? table->cell_room * 2 : 64;
		struct cell *cells = reallocarray(table->cells, room, sizeof(*cells));

		if (cells == NULL)
			return;
		table->cells = cells;
		table->cell_room = room;
	}
	table->cells[table->cell_count++] = (struct cell){
		.text = terminal_text(table->terminal, text ? text : ""), .alarm = alarm};
}

static int
natural_width(const struct table *table, size_t column)
{
	int width = text_width(table->columns[column].title);

	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		int cell = table->cells[i].text ? text_width(table->cells[i].text) : 0;

		if (cell > width)
			width = cell;
	}
	return width;
}

static int
total_width(const struct table *table, const int *widths)
{
	int total = -GAP;

	for (size_t i = 0; i < table->column_count; i++)
		total += widths[i] > 0 ? widths[i] + GAP : 0;
	return total;
}

/* Takes one blank from the widest column that may be shortened. */
static bool
shorten(const struct table *table, int *widths)
{
	int widest = -1;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].least > 0 && widths[i] > table->columns[i].least &&
			(widest < 0 || widths[i] > widths[widest]))
			widest = (int)i;
	if (widest >= 0)
		widths[widest]--;
	return widest >= 0;
}

static bool
leave_out(const struct table *table, int *naturals)
{
	int chosen = -1;

	for (size_t i = 0; i < table->column_count; i++)
		if (naturals[i] > 0 && table->columns[i].dispose > 0 &&
			(chosen < 0 || table->columns[i].dispose > table->columns[chosen].dispose))
			chosen = (int)i;
	if (chosen >= 0)
		naturals[chosen] = 0;
	return chosen >= 0;
}

/* A width of 0 leaves the column out; so does having nothing to show in it. */
static void
fit(const struct table *table, int *widths)
{
	int naturals[COLUMNS_MAX];

	for (size_t i = 0; i < table->column_count; i++)
		naturals[i] = natural_width(table, i);
	do {
		memcpy(widths, naturals, table->column_count * sizeof(*widths));
		while (total_width(table, widths) > table->terminal->width &&
			shorten(table, widths))
			;
	} while (total_width(table, widths) > table->terminal->width && leave_out(table, naturals));
}

static void
cut(const struct terminal *terminal, char *text, int width)
{
	const char *mark = terminal->utf8 ? CUT_MARK : "..";
	int room = width - (terminal->utf8 ? 1 : 2), at = 0, columns;
	size_t length = 0;

	if (text_width(text) <= width)
		return;
	while (text[length]) {
		size_t bytes = character(text + length, &columns);

		if (at + columns > room)
			break;
		length += bytes;
		at += columns;
	}
	strcpy(text + length, mark);
}

static void
fill_row(struct table *table, struct libscols_line *line, size_t first, const int *widths)
{
	size_t shown = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		struct cell *cell = &table->cells[first + i];

		if (widths[i] == 0)
			continue;
		if (cell->text) {
			cut(table->terminal, cell->text, widths[i]);
			scols_line_set_data(line, shown, cell->text);
			if (cell->alarm)
				scols_cell_set_color(scols_line_get_cell(line, shown), "\033[31m");
		}
		shown++;
	}
}

void
table_print(struct table *table)
{
	struct libscols_table *printer = scols_new_table();
	int widths[COLUMNS_MAX];

	if (printer == NULL)
		return;
	fit(table, widths);
	scols_table_set_stream(printer, table->terminal->out);
	scols_table_set_termforce(printer, SCOLS_TERMFORCE_ALWAYS);
	/* Smartcols must never shorten by itself: it would not know what matters. */
	scols_table_set_termwidth(printer, (size_t)table->terminal->width + WIDTH_DEFAULT);
	scols_table_enable_colors(printer, table->terminal->colour);
	scols_table_enable_ascii(printer, !table->terminal->utf8);
	scols_table_enable_minout(printer, 1);
	scols_table_set_column_separator(printer, "  ");
	for (size_t i = 0; i < table->column_count; i++)
		if (widths[i] > 0)
			scols_table_new_column(printer, table->columns[i].title, widths[i],
				table->columns[i].right ? SCOLS_FL_RIGHT : 0);
	for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count) {
		struct libscols_line *line = scols_table_new_line(printer, NULL);

		if (line)
			fill_row(table, line, i, widths);
	}
	scols_print_table(printer);
	scols_unref_table(printer);
}
