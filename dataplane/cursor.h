/* SPDX-License-Identifier: Apache-2.0 */
/* A bounds-checked reader over borrowed bytes. Every parser of network input reads through it.
 *
 * A read past the end sets `failed`, returns zeroes and consumes nothing more; parsers read on and
 * check cursor_ok() once at the end of a structure. A cursor never reads outside [at, end). */
#ifndef CAMSPAN_CURSOR_H
#define CAMSPAN_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor
cursor_make(const void *data, size_t length)
{
	const uint8_t *bytes = data;

	return (struct cursor){.at = bytes, .end = bytes + length, .failed = false};
}

static inline bool
cursor_ok(const struct cursor *cursor)
{
	return !cursor->failed;
}

static inline size_t
cursor_left(const struct cursor *cursor)
{
	return cursor->failed ? 0 : (size_t)(cursor->end - cursor->at);
}

/* Takes `length` bytes, or NULL (and `failed`) when fewer are left. */
static inline const uint8_t *
cursor_take(struct cursor *cursor, size_t length)
{
	const uint8_t *taken = cursor->at;

	if (cursor_left(cursor) < length || cursor->failed) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += length;
	return taken;
}

static inline bool
cursor_skip(struct cursor *cursor, size_t length)
{
	return cursor_take(cursor, length) != NULL;
}

static inline uint8_t
cursor_u8(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 1);

	return b ? b[0] : 0;
}

static inline uint16_t
cursor_be16(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 2);

	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t
cursor_be24(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 3);

	return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t
cursor_be32(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint16_t
cursor_le16(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 2);

	return b ? (uint16_t)(b[1] << 8 | b[0]) : 0;
}

static inline uint32_t
cursor_le32(struct cursor *cursor)
{
	const uint8_t *b = cursor_take(cursor, 4);

	return b ? (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0] : 0;
}

/* A cursor over the next `length` bytes, which are consumed here. Failed if fewer are left. */
static inline struct cursor
cursor_sub(struct cursor *cursor, size_t length)
{
	const uint8_t *bytes = cursor_take(cursor, length);

	if (bytes == NULL)
		return (struct cursor){.at = cursor->at, .end = cursor->at, .failed = true};
	return cursor_make(bytes, length);
}

/* True when the bytes ahead start with `text` (without its NUL); consumes nothing. */
static inline bool
cursor_starts_with(const struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	return cursor_left(cursor) >= length && memcmp(cursor->at, text, length) == 0;
}

#endif
