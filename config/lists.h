/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and the memory of lists, by the schema. Private to config/. */
#ifndef CAMSPAN_CONFIG_LISTS_H
#define CAMSPAN_CONFIG_LISTS_H

#include "config/schema.h"

/* Sets every setting right or deeper below `prefix` to its default; lists are left empty. */
void settings_default(const char *prefix, void *base);
/* The array and count of a list row inside `base`. */
void *list_items(const struct setting *list, const void *base);
size_t list_count(const struct setting *list, const void *base);
/* Gives an empty list `count` zeroed items. Returns 0, or -ENOMEM. */
int list_allocate(const struct setting *list, void *base, size_t count);

#endif
