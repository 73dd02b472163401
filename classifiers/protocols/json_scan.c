/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/json_scan.h"

static void
skip_blanks(struct cursor *text)
{
	while (cursor_left(text) > 0 &&
		(*text->at == ' ' || *text->at == '\t' || *text->at == '\r' || *text->at == '\n'))
		text->at++;
}

/* Reads the rest of a string whose opening quote was read. Returns false when it has no end. */
static bool
read_string(struct cursor *text, const char **start, size_t *length)
{
	const uint8_t *first = text->at;

	while (cursor_left(text) > 0) {
		uint8_t byte = cursor_u8(text);

		if (byte == '\\') {
			cursor_skip(text, 1);
		} else if (byte == '"') {
			*start = (const char *)first;
			*length = (size_t)(text->at - first) - 1;
			return true;
		}
	}
	return false;
}

static void
read_scalar(struct cursor *text, struct json_pair *pair)
{
	const uint8_t *first = text->at;

	while (cursor_left(text) > 0 && *text->at > ' ' && *text->at != ',' && *text->at != '}' &&
		*text->at != ']')
		text->at++;
	pair->value = (const char *)first;
	pair->value_length = (size_t)(text->at - first);
	pair->is_string = false;
}

bool
json_scan_next(struct cursor *text, struct json_pair *pair)
{
	while (cursor_left(text) > 0) {
		if (cursor_u8(text) != '"')
			continue;
		if (!read_string(text, &pair->key, &pair->key_length))
			return false;
		skip_blanks(text);
		if (!cursor_starts_with(text, ":"))
			continue; /* a string in an array */
		cursor_skip(text, 1);
		skip_blanks(text);
		if (cursor_left(text) == 0)
			return false; /* cut off */
		if (cursor_starts_with(text, "{") || cursor_starts_with(text, "["))
			continue;
		pair->is_string = cursor_starts_with(text, "\"");
		if (!pair->is_string) {
			read_scalar(text, pair);
			return true;
		}
		cursor_skip(text, 1);
		return read_string(text, &pair->value, &pair->value_length);
	}
	return false;
}

bool
json_key_is(const struct json_pair *pair, const char *key)
{
	return strlen(key) == pair->key_length && memcmp(pair->key, key, pair->key_length) == 0;
}

/* Only what appears in names and versions: other characters of \u become '?'. */
static char
decode_unicode(const char *digits)
{
	unsigned point = 0;

	for (int i = 0; i < 4; i++) {
		char c = (char)(digits[i] | 0x20);

		if (digits[i] >= '0' && digits[i] <= '9')
			point = point << 4 | (unsigned)(digits[i] - '0');
		else if (c >= 'a' && c <= 'f')
			point = point << 4 | (unsigned)(c - 'a' + 10);
		else
			return '?';
	}
	return point >= ' ' && point < 0x7f ? (char)point : '?';
}

static char
decode_escape(char c)
{
	switch (c) {
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return ' ';
	default:
		return c; /* quote, backslash, slash */
	}
}

size_t
json_decode(const char *raw, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used + 1 < size; i++) {
		char c = raw[i];

		if (c == '\\' && length - i > 5 && raw[i + 1] == 'u') {
			c = decode_unicode(raw + i + 2);
			i += 5;
		} else if (c == '\\' && length - i > 1) {
			c = decode_escape(raw[++i]);
		}
		out[used++] = c;
	}
	out[used] = '\0';
	return used;
}
