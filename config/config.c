/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/lists.h"
#include "config/place.h"
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_below(const struct setting *setting, const char *prefix)
{
	size_t length = strlen(prefix);

	/* Keys of list items belong to the items, not to what holds the list. */
	return strncmp(setting->path, prefix, length) == 0 &&
	       strstr(setting->path + length, "[]") == NULL;
}

static void
default_set(const struct setting *setting, bool *members)
{
	for (int i = 0; setting->names[i]; i++)
		members[i] = strstr(setting->fallback, setting->names[i]) != NULL;
}

void
settings_default(const char *prefix, void *base)
{
	char what[256];

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];
		void *field = (char *)base + setting->offset;

		if (!is_below(setting, prefix) || setting->fallback == NULL)
			continue;
		if (setting->type == SETTING_SET)
			default_set(setting, field);
		else if (value_parse(setting, setting->fallback, field, what, sizeof(what)) != 0)
			abort(); /* broken invariant: a default that the schema itself refuses */
	}
}

void *
list_items(const struct setting *list, const void *base)
{
	void *items;

	memcpy(&items, (const char *)base + list->offset, sizeof(items));
	return items;
}

size_t
list_count(const struct setting *list, const void *base)
{
	size_t count;

	memcpy(&count, (const char *)base + list->count_offset, sizeof(count));
	return count;
}

int
list_allocate(const struct setting *list, void *base, size_t count)
{
	void *items = count > 0 ? calloc(count, list->size) : NULL;

	if (count > 0 && items == NULL)
		return -ENOMEM;
	memcpy((char *)base + list->offset, &items, sizeof(items));
	memcpy((char *)base + list->count_offset, &count, sizeof(count));
	return 0;
}

/* Frees the lists whose rows sit below `prefix`, and those of their items. */
static void
free_lists(const char *prefix, void *base)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *list = &config_settings[i];
		char item_prefix[64];
		char *items;

		if (!is_below(list, prefix) || list->items_max == 0)
			continue;
		items = list_items(list, base);
		snprintf(item_prefix, sizeof(item_prefix), "%s[].", list->path);
		if (list->type == SETTING_MAPPINGS)
			for (size_t item = 0; item < list_count(list, base); item++)
				free_lists(item_prefix, items + item * list->size);
		free(items);
	}
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	free_lists("", config);
	free(config);
}

struct config *
config_defaults(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	settings_default("", config);
	place_fill_in(config);
	return config;
}
