/* SPDX-License-Identifier: Apache-2.0 */
/* The schema written out: as YAML with the values of a configuration, and as the reference page. */
#include "config/lists.h"
#include "config/value.h"

#include <string.h>

#define PREFIX_SIZE 80

static void
indent(FILE *out, int depth)
{
	fprintf(out, "%*s", depth * 2, "");
}

static void
print_value(const struct setting *setting, const void *field, FILE *out)
{
	char text[VALUE_TEXT_SIZE];
	const char *value = value_format(setting, field, text, sizeof(text));

	if (!value_is_text(setting)) {
		fputs(value, out);
		return;
	}
	putc('"', out);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putc('\\', out);
		putc(*value, out);
	}
	putc('"', out);
}

static void
print_set(const struct setting *setting, const bool *members, FILE *out)
{
	const char *separator = "";

	putc('[', out);
	for (int i = 0; setting->names[i]; i++)
		if (members[i]) {
			fprintf(out, "%s%s", separator, setting->names[i]);
			separator = ", ";
		}
	putc(']', out);
}

static void print_settings(const char *prefix, const void *base, int depth, bool item, FILE *out);

static void
print_list(const struct setting *list, const void *base, int depth, FILE *out)
{
	const char *items = list_items(list, base);
	size_t count = list_count(list, base);
	char prefix[PREFIX_SIZE];

	if (count == 0) {
		fputs(" []\n", out);
		return;
	}
	putc('\n', out);
	snprintf(prefix, sizeof(prefix), "%s[].", list->path);
	for (size_t i = 0; i < count; i++) {
		indent(out, depth + 1);
		fputs("- ", out);
		if (list->type == SETTING_MAPPINGS) {
			print_settings(prefix, items + i * list->size, depth + 2, true, out);
			continue;
		}
		print_value(list, items + i * list->size, out);
		putc('\n', out);
	}
}

static void
print_setting(const struct setting *setting, const void *base, int depth, FILE *out)
{
	const void *field = (const char *)base + setting->offset;

	fprintf(out, "%s:", setting_key(setting));
	if (setting->items_max > 0) {
		print_list(setting, base, depth, out);
		return;
	}
	putc(' ', out);
	if (setting->type == SETTING_SET)
		print_set(setting, field, out);
	else
		print_value(setting, field, out);
	putc('\n', out);
}

/* Everything below a prefix. The first line of a list's item follows its "- ". */
static void
print_settings(const char *prefix, const void *base, int depth, bool item, FILE *out)
{
	size_t length = strlen(prefix);
	char section[PREFIX_SIZE], last[PREFIX_SIZE] = "";

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];
		const char *rest = setting->path + length;
		size_t key_length;

		if (strncmp(setting->path, prefix, length) != 0)
			continue;
		key_length = strcspn(rest, ".");
		if (rest[key_length] == '\0') {
			if (!item)
				indent(out, depth);
			item = false;
			print_setting(setting, base, depth, out);
			continue;
		}
		snprintf(section, sizeof(section), "%.*s.", (int)(length + key_length),
			setting->path);
		if (section[strlen(section) - 2] == ']' || strcmp(section, last) == 0)
			continue; /* printed with the list, or as this section before */
		snprintf(last, sizeof(last), "%s", section);
		indent(out, depth);
		fprintf(out, "%.*s:\n", (int)key_length, rest);
		print_settings(section, base, depth + 1, false, out);
	}
}

void
config_print(const struct config *config, FILE *out)
{
	print_settings("", config, 0, false, out);
}

static void
print_row(const struct setting *setting, FILE *out)
{
	char range[200];
	const char *list =
		setting->items_max > 0 && setting->type != SETTING_MAPPINGS ? "list of " : "";

	fprintf(out, "| `%s` | %s%s ", setting->path, list, value_type_name(setting));
	value_range(setting, range, sizeof(range));
	if (setting->items_max > 0)
		fprintf(out, "| `[]` | %s%sat most %u items ", range, range[0] ? "; " : "",
			setting->items_max);
	else if (setting->fallback == NULL)
		fprintf(out, "| (required) | %s ", range);
	else
		fprintf(out, "| `%s` | %s ", setting->fallback[0] ? setting->fallback : "\"\"",
			range);
	fprintf(out, "| %s |\n", setting->documentation);
}

void
config_print_reference(FILE *out)
{
	char last[PREFIX_SIZE] = "";

	fputs("# Configuration reference\n\n"
	      "Made from the schema table (`config/schema.c`); do not edit. `config/camspan.yaml` "
	      "holds "
	      "the same\nsettings as a commented file to begin with.\n\n"
	      "Durations are whole numbers with a unit (`500ms`, `30s`, `5m`, `24h`, `30d`); a "
	      "plain number is in\nseconds. A change takes effect at a restart.\n`zones[].name` is "
	      "the key `name` of each item "
	      "of the list `zones`. Unknown, repeated and ill-typed\nkeys are refused with file "
	      "and line; `camspand -t -c FILE` checks a file.\n",
		out);
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];
		int length = (int)strcspn(setting->path, ".[");
		char section[PREFIX_SIZE];

		snprintf(section, sizeof(section), "%.*s", length, setting->path);
		if (strcmp(section, last) != 0)
			fprintf(out,
				"\n## %s\n\n"
				"| Key | Type | Default | Range | Meaning |\n"
				"| --- | --- | --- | --- | --- |\n",
				section);
		snprintf(last, sizeof(last), "%s", section);
		print_row(setting, out);
	}
}
