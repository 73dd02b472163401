/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the key and value pairs of a JSON text at any depth without building it: no allocation, no
 * recursion, each byte read once. Text that is not JSON yields few pairs or none. */
#ifndef CAMSPAN_JSON_SCAN_H
#define CAMSPAN_JSON_SCAN_H

#include "dataplane/cursor.h"

struct json_pair {
	const char *key; /* raw, borrowed */
	size_t key_length;
	const char *value; /* a string without its quotes, raw; or a number, true, false, null */
	size_t value_length;
	bool is_string;
};

/* The next pair whose value is a string or a scalar; pairs inside objects and arrays are met as the
 * scan reaches them. Returns false at the end. */
bool json_scan_next(struct cursor *text, struct json_pair *pair);
bool json_key_is(const struct json_pair *pair, const char *key);

/* Writes a raw string with its escapes replaced, and NUL, to `out`; cuts what does not fit. Returns
 * the length written. */
size_t json_decode(const char *raw, size_t length, char *out, size_t size);

#endif
