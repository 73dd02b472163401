/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/text_message.h"

#include "dataplane/cursor.h"
#include "dataplane/records/secrets.h"

#include <ctype.h>

#define METHOD_MAX 24

static bool
is_token_byte(uint8_t byte)
{
	return isalnum(byte) || (byte && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static char
lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte;
}

bool
text_equal(struct text text, const char *other)
{
	size_t length = strlen(other);

	return text.length == length && memcmp(text.at, other, length) == 0;
}

bool
text_starts_nocase(struct text text, const char *prefix)
{
	size_t i = 0;

	while (prefix[i] != '\0' && i < text.length && lower(text.at[i]) == lower(prefix[i]))
		i++;
	return prefix[i] == '\0';
}

bool
text_equal_nocase(struct text text, const char *other)
{
	return text.length == strlen(other) && text_starts_nocase(text, other);
}

long
text_find_nocase(struct text text, const char *needle)
{
	size_t length = strlen(needle);

	for (size_t i = 0; i + length <= text.length; i++) {
		struct text rest = {text.at + i, text.length - i};

		if (text_starts_nocase(rest, needle))
			return (long)i;
	}
	return -1;
}

struct text
text_trim(struct text text)
{
	while (text.length > 0 && (unsigned char)text.at[0] <= ' ')
		text.at++, text.length--;
	while (text.length > 0 && (unsigned char)text.at[text.length - 1] <= ' ')
		text.length--;
	return text;
}

bool
text_split(struct text *rest, char separator, struct text *part)
{
	const char *end;

	if (rest->length == 0)
		return false;
	end = memchr(rest->at, separator, rest->length);
	part->at = rest->at;
	part->length = end ? (size_t)(end - rest->at) : rest->length;
	rest->at += part->length + (end != NULL);
	rest->length -= part->length + (end != NULL);
	return true;
}

static bool
read_number(struct text text, unsigned radix, uint64_t maximum, uint64_t *number)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < text.length; i++) {
		char byte = lower(text.at[i]);
		unsigned digit = byte >= '0' && byte <= '9'   ? (unsigned)(byte - '0')
				 : byte >= 'a' && byte <= 'f' ? (unsigned)(byte - 'a' + 10)
							      : radix;

		if (digit >= radix)
			break;
		if (value > (maximum - digit) / radix)
			return false;
		value = value * radix + digit;
	}
	*number = value;
	return i > 0;
}

bool
text_number(struct text text, uint64_t maximum, uint64_t *number)
{
	return read_number(text, 10, maximum, number);
}

bool
text_hex(struct text text, uint64_t maximum, uint64_t *number)
{
	return read_number(text, 16, maximum, number);
}

/* Takes one line without its CR LF or LF. False when its end is not there yet. */
static bool
take_line(struct cursor *cursor, struct text *line)
{
	size_t left = cursor_left(cursor);
	const uint8_t *end = left ? memchr(cursor->at, '\n', left) : NULL;

	if (end == NULL)
		return false;
	line->at = (const char *)cursor->at;
	line->length = (size_t)(end - cursor->at);
	cursor_skip(cursor, line->length + 1);
	if (line->length > 0 && line->at[line->length - 1] == '\r')
		line->length--;
	return true;
}

static bool
is_protocol(struct text text, const char *protocol)
{
	size_t length = strlen(protocol);

	return text.length >= length + 2 && text_starts_nocase(text, protocol) &&
	       text.at[length] == '/' && isdigit((unsigned char)text.at[length + 1]);
}

static bool
parse_reply_line(struct text_message *message, struct text line)
{
	struct text status;
	uint64_t number;

	text_split(&line, ' ', &message->protocol);
	line = text_trim(line);
	if (!text_split(&line, ' ', &status) || !text_number(status, 999, &number) || number < 100)
		return false;
	message->reply = true;
	message->status = (unsigned)number;
	return true;
}

/* METHOD SP target SP PROTOCOL: the target may hold blanks that a sloppy client left in. */
static bool
parse_request_line(struct text_message *message, struct text line, const char *protocol)
{
	size_t last = line.length;

	text_split(&line, ' ', &message->method);
	if (message->method.length == 0 || message->method.length > METHOD_MAX)
		return false;
	for (size_t i = 0; i < message->method.length; i++)
		if (!is_token_byte((uint8_t)message->method.at[i]))
			return false;
	line = text_trim(line);
	last = line.length;
	while (last > 0 && line.at[last - 1] != ' ')
		last--;
	message->protocol = (struct text){line.at + last, line.length - last};
	message->target = text_trim((struct text){line.at, last});
	return message->target.length > 0 && is_protocol(message->protocol, protocol);
}

static void
add_header(struct text_message *message, struct text line)
{
	const char *colon = line.length ? memchr(line.at, ':', line.length) : NULL;
	size_t name = colon ? (size_t)(colon - line.at) : 0;

	if (name == 0 || message->header_count == TEXT_HEADERS_MAX)
		return;
	message->headers[message->header_count++] = (struct text_header){
		.name = text_trim((struct text){line.at, name}),
		.value = text_trim((struct text){colon + 1, line.length - name - 1}),
	};
}

/* RFC 9112 section 5.2: a line that starts with a blank goes on with the header before it. */
static void
fold(struct text_message *message, struct text line)
{
	struct text *value;

	if (message->header_count == 0)
		return;
	value = &message->headers[message->header_count - 1].value;
	if (value->length == 0)
		value->at = line.at;
	value->length = (size_t)(line.at + line.length - value->at);
	*value = text_trim(*value);
}

/* Could these bytes, which have no line end yet, become a start line? */
static bool
may_become(const char *protocol, const uint8_t *data, size_t length)
{
	size_t name = strlen(protocol), i = 0;

	if (length > TEXT_LINE_MAX)
		return false;
	for (i = 0; i < length && i < name && lower((char)data[i]) == lower(protocol[i]); i++)
		;
	if (i == length || (i == name && data[i] == '/'))
		return true;
	for (i = 0; i < length && is_token_byte(data[i]); i++)
		if (i >= METHOD_MAX)
			return false;
	return i > 0 && (i == length || data[i] == ' ');
}

enum text_result
text_message_parse(
	struct text_message *message, const char *protocol, const uint8_t *data, size_t length)
{
	struct cursor cursor = cursor_make(data, length);
	struct text line;

	if (!take_line(&cursor, &line))
		return may_become(protocol, data, length) ? TEXT_NEED_MORE : TEXT_NOT_MINE;
	memset(message, 0, offsetof(struct text_message, headers));
	if (line.length > TEXT_LINE_MAX)
		return TEXT_NOT_MINE;
	if (!(is_protocol(line, protocol) ? parse_reply_line(message, line)
					  : parse_request_line(message, line, protocol)))
		return TEXT_NOT_MINE;
	while (take_line(&cursor, &line)) {
		if (line.length == 0) {
			message->length = (size_t)(cursor.at - data);
			return TEXT_COMPLETE;
		}
		if (line.length > TEXT_LINE_MAX)
			return TEXT_NOT_MINE;
		if (line.at[0] == ' ' || line.at[0] == '\t')
			fold(message, line);
		else
			add_header(message, line);
	}
	return cursor_left(&cursor) > TEXT_LINE_MAX ? TEXT_NOT_MINE : TEXT_NEED_MORE;
}

bool
text_header_next(
	const struct text_message *message, const char *name, size_t *at, struct text *value)
{
	while (*at < message->header_count) {
		const struct text_header *header = &message->headers[(*at)++];

		if (text_equal_nocase(header->name, name)) {
			*value = header->value;
			return true;
		}
	}
	return false;
}

struct text
text_header(const struct text_message *message, const char *name)
{
	struct text value = {NULL, 0};
	size_t at = 0;

	text_header_next(message, name, &at, &value);
	return value;
}

struct text
text_realm(struct text challenge)
{
	long start = text_find_nocase(challenge, "realm=\"");
	const char *end;

	if (start < 0)
		return (struct text){NULL, 0};
	challenge.at += start + 7;
	challenge.length -= (size_t)start + 7;
	end = challenge.length ? memchr(challenge.at, '"', challenge.length) : NULL;
	return (struct text){challenge.at, end ? (size_t)(end - challenge.at) : 0};
}

static size_t
append(char *path, size_t used, size_t size, struct text part)
{
	size_t room = size - 1 - used, length = part.length < room ? part.length : room;

	memcpy(path + used, part.at, length);
	return used + length;
}

static size_t
append_text(char *path, size_t used, size_t size, const char *text)
{
	return append(path, used, size, (struct text){text, strlen(text)});
}

/* "name=value&name=value" as "?name&name". A bare value may be anything, a token too: left out. */
static size_t
append_query(char *path, size_t used, size_t size, struct text query)
{
	struct text pair, name;
	const char *separator = "?";

	while (text_split(&query, '&', &pair)) {
		if (pair.length == 0 || memchr(pair.at, '=', pair.length) == NULL)
			continue;
		text_split(&pair, '=', &name);
		used = append_text(path, used, size, separator);
		used = append(path, used, size, name);
		separator = "&";
	}
	return used;
}

/* Some devices put values into the path: "/user=admin_password=x_channel=1.sdp". Only names known
 * to be such are kept ("user=_password=_channel="), for a password may hold '=' itself. */
static size_t
append_segment(char *path, size_t used, size_t size, struct text segment)
{
	static const char *const names[] = {"user", "username", "usr", "password", "passwd", "pwd",
		"pass", "token", "stok", "session", "sid", "auth", "key", "channel", "ch", "stream",
		"subtype", "unicast", "proto", "trackID", "track", "id", "profile"};
	const char *separator = "";

	if (segment.length == 0 || memchr(segment.at, '=', segment.length) == NULL)
		return append(path, used, size, segment);
	for (size_t end = 0; end < segment.length; end++) {
		size_t start = end;
		struct text name;

		if (segment.at[end] != '=')
			continue;
		while (start > 0 && isalnum((unsigned char)segment.at[start - 1]))
			start--;
		name = (struct text){segment.at + start, end - start};
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (!text_equal_nocase(name, names[i]))
				continue;
			used = append_text(path, used, size, separator);
			used = append(path, used, size, name);
			used = append_text(path, used, size, "=");
			separator = "_";
		}
	}
	return used;
}

static struct text
without_authority(struct text uri)
{
	long scheme = text_find_nocase(uri, "://");
	const char *slash;

	if (scheme < 0 || memchr(uri.at, '/', (size_t)scheme) ||
		memchr(uri.at, '?', (size_t)scheme))
		return uri;
	uri.at += scheme + 3;
	uri.length -= (size_t)scheme + 3;
	/* The last '@' may follow a '/' of a password that was not escaped. */
	for (size_t i = uri.length; i > 0; i--)
		if (uri.at[i - 1] == '@') {
			uri.at += i;
			uri.length -= i;
			break;
		}
	slash = uri.length ? memchr(uri.at, '/', uri.length) : NULL;
	if (slash == NULL)
		return (struct text){"/", 1};
	return (struct text){slash, uri.length - (size_t)(slash - uri.at)};
}

size_t
text_uri_path(struct text uri, char *path, size_t size)
{
	struct text query = without_authority(uri), whole = {query.at, 0};
	size_t used = 0, start = 0;

	if (query.length > 0)
		text_split(&query, '?', &whole);
	for (size_t i = 0; i <= whole.length; i++) {
		if (i < whole.length && whole.at[i] != '/')
			continue;
		used = append_segment(path, used, size, (struct text){whole.at + start, i - start});
		if (i < whole.length)
			used = append_text(path, used, size, "/");
		start = i + 1;
	}
	used = append_query(path, used, size, query);
	path[used] = '\0';
	return secrets_mask(path, size);
}
