/* SPDX-License-Identifier: Apache-2.0 */
/* From a YAML file to a configuration. The document is walked along the schema, so depth and work
 * are bounded by it whatever the file holds; aliases are never expanded beyond a list's bound. */
#include "config/check.h"
#include "config/lists.h"
#include "config/place.h"
#include "config/source.h"
#include "config/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define KEY_PATH_SIZE  160
#define KEY_LENGTH_MAX 64
#define WHAT_SIZE      512

struct loader {
	const char *file;
	yaml_document_t *document;
	char *error;
	size_t error_size;
};

/* Where the walk is: the mapping's path in the schema ("zones[].") and as the user sees it
 * ("zones[0]."), and the structure it fills. */
struct place {
	const char *schema;
	const char *shown;
	void *base;
};

/* The message is one line whatever was quoted in it. */
static int __attribute__((format(printf, 4, 5)))
fail(struct loader *loader, size_t line, const char *key, const char *format, ...)
{
	char what[WHAT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	source_message(loader->error, loader->error_size, loader->file, line, key, what);
	return -EINVAL;
}

/* Paths are bounded by the schema and by what value_quote() leaves of a key: nothing is cut. */
static void __attribute__((format(printf, 2, 3))) path_format(char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, KEY_PATH_SIZE, format, arguments);
	va_end(arguments);
}

static size_t
line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static const char *
scalar_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* "key:" with nothing after it, "~" and "null": a section without settings, an empty list. */
static bool
is_null(const yaml_node_t *node)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	text = scalar_text(node);
	return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

static const char *
node_kind(const yaml_node_t *node)
{
	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	return node->type == YAML_SEQUENCE_NODE ? "a list" : "a single value";
}

/* Edit distance, for keys only; SIZE_MAX for texts too long to be one. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[KEY_LENGTH_MAX + 1];
	size_t length = strlen(b);

	if (strlen(a) > KEY_LENGTH_MAX || length > KEY_LENGTH_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[length];
}

/* The key that may follow `prefix` in this row's path: a setting or a section. */
static bool
next_key(const struct setting *setting, const char *prefix, char *key, size_t size)
{
	size_t length = strlen(prefix);
	size_t key_length;

	if (strncmp(setting->path, prefix, length) != 0)
		return false;
	key_length = strcspn(setting->path + length, ".[");
	snprintf(key, size, "%.*s", (int)key_length, setting->path + length);
	return true;
}

static int
unknown_key(struct loader *loader, const struct place *place, const yaml_node_t *node,
	const char *shown)
{
	const char *key = scalar_text(node);
	char candidate[KEY_LENGTH_MAX], nearest[KEY_LENGTH_MAX] = "", known[256] = "";
	size_t best = strlen(key) / 3 + 1, used = 0;

	for (size_t i = 0; i < config_setting_count; i++) {
		size_t distance;

		if (!next_key(&config_settings[i], place->schema, candidate, sizeof(candidate)))
			continue;
		distance = edit_distance(key, candidate);
		if (distance < best || (distance == best && nearest[0] == '\0')) {
			best = distance;
			snprintf(nearest, sizeof(nearest), "%s", candidate);
		}
		if (used < sizeof(known) && (used == 0 || !strstr(known, candidate)))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
				used ? ", " : "", candidate);
	}
	if (nearest[0])
		return fail(loader, line_of(node), shown, "unknown key; did you mean %s?", nearest);
	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(setting_key(&config_settings[i]), key) == 0)
			return fail(loader, line_of(node), shown, "unknown key; did you mean %s?",
				config_settings[i].path);
	return fail(loader, line_of(node), shown, "unknown key; known here are %s", known);
}

static bool
is_secret(const struct place *place, const char *key)
{
	char file_key[KEY_PATH_SIZE];

	if (!strcasestr(key, "password") && !strcasestr(key, "secret"))
		return false;
	path_format(file_key, "%spassword_file", place->schema);
	return setting_find(file_key) != NULL;
}

static int
load_scalar(struct loader *loader, const struct setting *setting, const yaml_node_t *node,
	const char *shown, void *field)
{
	char what[WHAT_SIZE];

	if (node->type != YAML_SCALAR_NODE)
		return fail(loader, line_of(node), shown, "is %s; give one value (%s)",
			node_kind(node), value_type_name(setting));
	if (is_null(node))
		return fail(loader, line_of(node), shown,
			"has no value; give one, or remove the key for the default");
	if (strlen(scalar_text(node)) != node->data.scalar.length)
		return fail(loader, line_of(node), shown,
			"contains a control character; write it on one line without tabs");
	if (value_parse(setting, scalar_text(node), field, what, sizeof(what)) != 0)
		return fail(loader, line_of(node), shown, "%s", what);
	return 0;
}

static size_t
sequence_count(const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return 0; /* null */
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static yaml_node_t *
sequence_item(struct loader *loader, const yaml_node_t *node, size_t index)
{
	return yaml_document_get_node(loader->document, node->data.sequence.items.start[index]);
}

static int
expect_list(struct loader *loader, const yaml_node_t *node, const char *shown, size_t items_max)
{
	char quoted[48];

	if (node->type == YAML_SCALAR_NODE && !is_null(node))
		return fail(loader, line_of(node), shown, "is a single value; write a list: [%s]",
			value_quote(scalar_text(node), quoted, sizeof(quoted)));
	if (node->type == YAML_MAPPING_NODE)
		return fail(loader, line_of(node), shown,
			"is a mapping; write a list: begin each item with \"- \"");
	if (sequence_count(node) > items_max)
		return fail(loader, line_of(node), shown, "has %zu items; use at most %zu",
			sequence_count(node), items_max);
	return 0;
}

static int
load_set(struct loader *loader, const struct setting *set, const yaml_node_t *node,
	const char *shown, bool *members)
{
	char quoted[48], allowed[256];

	if (expect_list(loader, node, shown, set->size) != 0)
		return -EINVAL;
	memset(members, 0, set->size);
	for (size_t i = 0; i < sequence_count(node); i++) {
		const yaml_node_t *item = sequence_item(loader, node, i);
		const char *text = item->type == YAML_SCALAR_NODE ? scalar_text(item) : "";
		size_t member = 0;

		while (set->names[member] && strcmp(set->names[member], text) != 0)
			member++;
		if (set->names[member] == NULL)
			return fail(loader, line_of(item), shown, "\"%s\" is unknown; use %s",
				value_quote(text, quoted, sizeof(quoted)),
				value_list_names(set->names, " or ", allowed, sizeof(allowed)));
		members[member] = true;
	}
	return 0;
}

static int load_mapping(
	struct loader *loader, const struct place *place, const yaml_node_t *mapping);

static int
load_item(struct loader *loader, const struct setting *list, const yaml_node_t *node,
	const char *shown, void *item)
{
	char schema_prefix[KEY_PATH_SIZE], shown_prefix[KEY_PATH_SIZE];
	struct place place = {schema_prefix, shown_prefix, item};

	if (list->type != SETTING_MAPPINGS)
		return load_scalar(loader, list, node, shown, item);
	if (node->type != YAML_MAPPING_NODE)
		return fail(loader, line_of(node), shown,
			"is %s; write a mapping of keys and values", node_kind(node));
	path_format(schema_prefix, "%s[].", list->path);
	path_format(shown_prefix, "%s.", shown);
	settings_default(schema_prefix, item);
	return load_mapping(loader, &place, node);
}

static int
load_list(struct loader *loader, const struct setting *list, const yaml_node_t *node,
	const char *shown, void *base)
{
	char item_shown[KEY_PATH_SIZE];
	size_t count;
	char *items;

	if (expect_list(loader, node, shown, list->items_max) != 0)
		return -EINVAL;
	count = sequence_count(node);
	if (list_allocate(list, base, count) != 0)
		return fail(loader, line_of(node), shown, "does not fit in memory; shorten it");
	items = list_items(list, base);
	for (size_t i = 0; i < count; i++) {
		path_format(item_shown, "%s[%zu]", shown, i);
		if (load_item(loader, list, sequence_item(loader, node, i), item_shown,
			    items + i * list->size) != 0)
			return -EINVAL;
	}
	return 0;
}

static int
load_section(struct loader *loader, const struct place *parent, const char *path,
	const yaml_node_t *node, const char *shown)
{
	char schema_prefix[KEY_PATH_SIZE], shown_prefix[KEY_PATH_SIZE];
	struct place place = {schema_prefix, shown_prefix, parent->base};

	if (is_null(node))
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return fail(loader, line_of(node), shown,
			"is %s; write a mapping of keys and values", node_kind(node));
	path_format(schema_prefix, "%s.", path);
	path_format(shown_prefix, "%s.", shown);
	return load_mapping(loader, &place, node);
}

static int
load_pair(struct loader *loader, const struct place *place, const yaml_node_t *key_node,
	const yaml_node_t *value_node)
{
	const char *key = scalar_text(key_node);
	char path[KEY_PATH_SIZE], shown[KEY_PATH_SIZE], quoted[48];
	const struct setting *setting;
	void *field;

	path_format(shown, "%s%s", place->shown, value_quote(key, quoted, sizeof(quoted)));
	path_format(path, "%s%s", place->schema, key);
	if (is_secret(place, key) && setting_find(path) == NULL)
		return fail(loader, line_of(key_node), shown,
			"secrets are not kept in the configuration; put it in a file of mode 0600 "
			"and name that with password_file");
	/* Dots and brackets would reach rows of other sections. */
	if (strlen(key) > KEY_LENGTH_MAX || strpbrk(key, ".[") || key[0] == '\0')
		return unknown_key(loader, place, key_node, shown);
	if (setting_is_section(path))
		return load_section(loader, place, path, value_node, shown);
	setting = setting_find(path);
	if (setting == NULL)
		return unknown_key(loader, place, key_node, shown);
	field = (char *)place->base + setting->offset;
	if (setting->items_max > 0)
		return load_list(loader, setting, value_node, shown, place->base);
	if (setting->type == SETTING_SET)
		return load_set(loader, setting, value_node, shown, field);
	return load_scalar(loader, setting, value_node, shown, field);
}

static const yaml_node_t *
find_pair(yaml_document_t *document, const yaml_node_t *mapping, const char *key, size_t key_length,
	const yaml_node_pair_t *end)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

	for (; pair < end; pair++) {
		yaml_node_t *node = yaml_document_get_node(document, pair->key);

		if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == key_length &&
			memcmp(scalar_text(node), key, key_length) == 0)
			return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

static int
require_keys(struct loader *loader, const struct place *place, const yaml_node_t *mapping)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];
		const char *key = setting_key(setting);
		char shown[KEY_PATH_SIZE];

		if (!setting_is_child(setting, place->schema) || setting->items_max > 0 ||
			setting->fallback != NULL ||
			find_pair(loader->document, mapping, key, strlen(key),
				mapping->data.mapping.pairs.top))
			continue;
		path_format(shown, "%s%s", place->shown, key);
		return fail(loader, line_of(mapping), shown, "is missing; add it (%s)",
			value_type_name(setting));
	}
	return 0;
}

static int
load_mapping(struct loader *loader, const struct place *place, const yaml_node_t *mapping)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(loader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(loader->document, pair->value);
		char shown[KEY_PATH_SIZE], quoted[48];

		if (key->type != YAML_SCALAR_NODE) {
			path_format(shown, "%s?", place->shown);
			return fail(loader, line_of(key), shown,
				"the key is %s; write a plain name", node_kind(key));
		}
		if (find_pair(loader->document, mapping, scalar_text(key), key->data.scalar.length,
			    pair)) {
			path_format(shown, "%s%s", place->shown,
				value_quote(scalar_text(key), quoted, sizeof(quoted)));
			return fail(
				loader, line_of(key), shown, "is given twice; keep one of the two");
		}
		if (load_pair(loader, place, key, value) != 0)
			return -EINVAL;
	}
	return require_keys(loader, place, mapping);
}

/* The line of "zones[1].networks[0]", or of the nearest thing around it that the file has. */
static size_t
line_of_path(yaml_document_t *document, const char *path)
{
	const yaml_node_t *node = yaml_document_get_root_node(document);
	size_t line = 1;

	while (node && *path) {
		const yaml_node_t *next = NULL;
		size_t length = strcspn(path, ".[");

		line = line_of(node);
		if (*path == '[') {
			size_t index = strtoul(path + 1, NULL, 10);

			if (node->type == YAML_SEQUENCE_NODE && index < sequence_count(node))
				next = yaml_document_get_node(
					document, node->data.sequence.items.start[index]);
			path += strcspn(path, "]") + 1;
		} else {
			if (node->type == YAML_MAPPING_NODE)
				next = find_pair(
					document, node, path, length, node->data.mapping.pairs.top);
			path += length;
		}
		path += *path == '.';
		node = next;
	}
	return node ? line_of(node) : line;
}

static int
load_document(struct loader *loader, struct config *config)
{
	const yaml_node_t *root = yaml_document_get_root_node(loader->document);
	struct place place = {"", "", config};
	struct config_problem problem;

	if (root && root->type != YAML_MAPPING_NODE && !is_null(root))
		return fail(loader, line_of(root), "document",
			"is %s; write a mapping of sections, like \"site:\"", node_kind(root));
	if (root && root->type == YAML_MAPPING_NODE && load_mapping(loader, &place, root) != 0)
		return -EINVAL;
	if (config_check(config, &problem) != 0)
		return fail(loader, line_of_path(loader->document, problem.key), problem.key, "%s",
			problem.what);
	return 0;
}

struct config *
config_load(const char *path, char *error, size_t error_size)
{
	yaml_document_t document;
	struct loader loader = {path, &document, error, error_size};
	struct config *config;
	int result;

	if (source_read(path, &document, error, error_size) != 0)
		return NULL;
	config = calloc(1, sizeof(*config));
	if (config == NULL) {
		snprintf(error, error_size, "%s: out of memory", path);
		yaml_document_delete(&document);
		return NULL;
	}
	settings_default("", config);
	result = load_document(&loader, config);
	yaml_document_delete(&document);
	if (result != 0) {
		config_free(config);
		return NULL;
	}
	place_fill_in(config);
	config_warn(config);
	return config;
}
