/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a text message: start line and headers of HTTP/1 (RFC 9112), RTSP (RFC 2326, 7826)
 * and their kin. Nothing is copied: texts point into the message and live as long as it does. */
#ifndef CAMSPAN_PROTOCOLS_TEXT_MESSAGE_H
#define CAMSPAN_PROTOCOLS_TEXT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_HEADERS_MAX 48   /* further ones are read over */
#define TEXT_LINE_MAX    4096 /* a longer start line or header is no message */

/* Not NUL-terminated; NULL and 0 when absent. A folded header keeps its line breaks. */
struct text {
	const char *at;
	size_t length;
};

struct text_header {
	struct text name;
	struct text value; /* trimmed */
};

struct text_message {
	bool reply;
	struct text protocol; /* "HTTP/1.1" */
	struct text method;   /* requests */
	struct text target;   /* requests */
	unsigned status;      /* replies: 100..999 */
	size_t length;        /* of the head with its empty line: the body starts here */
	size_t header_count;
	struct text_header headers[TEXT_HEADERS_MAX];
};

enum text_result { TEXT_COMPLETE, TEXT_NEED_MORE, TEXT_NOT_MINE };

/* Reads one head. `protocol` is the name before the slash ("HTTP", "RTSP"). Bare line feeds and
 * folded headers are accepted; a line that is no header is read over. NEED_MORE as long as the
 * bytes could become such a head; `message` is valid only when COMPLETE. */
enum text_result text_message_parse(
	struct text_message *message, const char *protocol, const uint8_t *data, size_t length);
/* Value of the first header of that name in any case; NULL text when there is none. */
struct text text_header(const struct text_message *message, const char *name);
/* The next header of that name from index *at on; *at moves past it. */
bool text_header_next(
	const struct text_message *message, const char *name, size_t *at, struct text *value);

bool text_equal(struct text text, const char *other);        /* exact */
bool text_equal_nocase(struct text text, const char *other); /* ASCII */
bool text_starts_nocase(struct text text, const char *prefix);
/* Offset of `needle` in any case, or -1. */
long text_find_nocase(struct text text, const char *needle);
struct text text_trim(struct text text);
/* Takes up to the separator off the front of *rest; false when *rest is empty. */
bool text_split(struct text *rest, char separator, struct text *part);
/* Decimal digits up to the first other character; false for none or more than `maximum`. */
bool text_number(struct text text, uint64_t maximum, uint64_t *number);
/* Hexadecimal, the same. */
bool text_hex(struct text text, uint64_t maximum, uint64_t *number);
/* realm="..." of an authentication challenge: what is between the quotes. */
struct text text_realm(struct text challenge);
/* The path of a request target or URI: no scheme, no authority (which may hold credentials), no
 * query values: "/cam/realmonitor?channel&subtype"; values within the path go too. Returns the
 * length written to `path`, NUL excluded. */
size_t text_uri_path(struct text uri, char *path, size_t size);

#endif
