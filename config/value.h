/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a setting: from text to its C form and back. Private to config/. */
#ifndef CAMSPAN_CONFIG_VALUE_H
#define CAMSPAN_CONFIG_VALUE_H

#include "config/schema.h"

#define VALUE_TEXT_SIZE (CONFIG_TEXT_SIZE * 2)

struct value_unit {
	const char *name;
	uint64_t factor; /* of what the setting is kept in */
};

struct value_protocol {
	const char *name;
	uint8_t number; /* IANA */
};

extern const struct value_protocol value_protocols[]; /* ends with a NULL name */

/* The units of a quantity, ending with a NULL name; NULL for plain numbers. */
const struct value_unit *value_units(const struct setting *setting);
/* Reads `text` into `field` (of setting->size bytes). Returns 0, or -EINVAL with "what is wrong;
 * remedy" in `what`. Not for SETTING_DATASETS and SETTING_MAPPINGS, which are no scalars. */
int value_parse(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size);
/* The shortest text that value_parse() reads back to the same value. */
const char *value_format(
	const struct setting *setting, const void *field, char *text, size_t text_size);
/* True when YAML needs quotes around this type's text. */
bool value_is_text(const struct setting *setting);
/* The type in words, with its unit: "whole number", "duration (default unit s)". */
const char *value_type_name(const struct setting *setting);
/* The allowed values in words, "" unlimited. */
const char *value_range(const struct setting *setting, char *text, size_t text_size);
/* "a, b or c" */
const char *value_list_names(
	const char *const *names, const char *joint, char *text, size_t text_size);
/* Copies at most 40 bytes of hostile text for a message, control bytes replaced, "..." if cut. */
const char *value_quote(const char *text, char *quoted, size_t quoted_size);

#endif
