/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/xml_scan.h"

#include <string.h>

#define ENTITY_MAX 10 /* longest body between '&' and ';' that is looked at */

struct xml_scan
xml_scan_make(const void *document, size_t length)
{
	return (struct xml_scan){.at = cursor_make(document, length)};
}

static bool
is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Moves behind the next `mark`, or to the end. Returns what was passed, without the mark. */
static struct cursor
pass(struct cursor *at, const char *mark)
{
	size_t left = cursor_left(at);
	const uint8_t *found = left ? memmem(at->at, left, mark, strlen(mark)) : NULL;
	struct cursor passed = cursor_make(at->at, found ? (size_t)(found - at->at) : left);

	cursor_skip(at, found ? (size_t)(found - at->at) + strlen(mark) : left);
	passed.failed = found == NULL;
	return passed;
}

/* Moves behind the '>' of a tag, past quoted attribute values. Returns false when there is none. */
static bool
pass_tag(struct cursor *at, bool *empty)
{
	uint8_t quote = 0, previous = 0;

	while (cursor_left(at) > 0) {
		uint8_t byte = cursor_u8(at);

		if (quote != 0) {
			if (byte == quote)
				quote = 0;
		} else if (byte == '"' || byte == '\'') {
			quote = byte;
		} else if (byte == '>') {
			*empty = previous == '/';
			return true;
		}
		previous = byte;
	}
	return false;
}

static bool
read_name(struct cursor *at, struct xml_item *item)
{
	const uint8_t *name = at->at;
	const uint8_t *end = name;

	while (end < at->end && !is_blank(*end) && *end != '>' && *end != '/') {
		if (*end == ':')
			name = end + 1;
		end++;
	}
	cursor_skip(at, (size_t)(end - at->at));
	item->text = (const char *)name;
	item->length = (size_t)(end - name);
	return item->length > 0;
}

static enum xml_kind
end(struct xml_scan *scan, struct xml_item *item)
{
	scan->at.at = scan->at.end;
	*item = (struct xml_item){.kind = XML_END};
	return XML_END;
}

static enum xml_kind
read_tag(struct xml_scan *scan, struct xml_item *item)
{
	bool closing = cursor_starts_with(&scan->at, "/");
	bool empty;

	if (closing)
		cursor_skip(&scan->at, 1);
	if (!read_name(&scan->at, item) || !pass_tag(&scan->at, &empty))
		return end(scan, item);
	item->kind = closing ? XML_CLOSE : XML_OPEN;
	if (empty && !closing) {
		scan->pending_close = *item;
		scan->pending_close.kind = XML_CLOSE;
	}
	return item->kind;
}

/* Returns false for blank text. */
static bool
as_text(struct cursor passed, struct xml_item *item)
{
	const uint8_t *first = passed.at, *past = passed.end;

	while (first < past && is_blank(*first))
		first++;
	while (past > first && is_blank(past[-1]))
		past--;
	*item = (struct xml_item){
		.kind = XML_TEXT, .text = (const char *)first, .length = (size_t)(past - first)};
	return item->length > 0;
}

enum xml_kind
xml_scan_next(struct xml_scan *scan, struct xml_item *item)
{
	struct cursor *at = &scan->at;

	if (scan->pending_close.kind == XML_CLOSE) {
		*item = scan->pending_close;
		scan->pending_close.kind = XML_END;
		return XML_CLOSE;
	}
	while (cursor_left(at) > 0) {
		if (!cursor_starts_with(at, "<")) {
			struct cursor text = *at;
			const uint8_t *tag = memchr(at->at, '<', cursor_left(at));

			if (tag == NULL)
				break; /* cut off: the text may lack its end */
			text.end = tag;
			at->at = tag;
			if (as_text(text, item))
				return XML_TEXT;
		} else if (cursor_starts_with(at, "<!--")) {
			pass(at, "-->");
		} else if (cursor_starts_with(at, "<![CDATA[")) {
			struct cursor text;

			cursor_skip(at, strlen("<![CDATA["));
			text = pass(at, "]]>");
			if (!text.failed && as_text(text, item))
				return XML_TEXT;
		} else if (cursor_starts_with(at, "<?") || cursor_starts_with(at, "<!")) {
			pass(at, ">");
		} else {
			cursor_skip(at, 1);
			return read_tag(scan, item);
		}
	}
	return end(scan, item);
}

bool
xml_name_is(const struct xml_item *item, const char *local_name)
{
	return strlen(local_name) == item->length &&
	       memcmp(item->text, local_name, item->length) == 0;
}

/* UTF-8 of a code point (RFC 3629). Returns the length, 0 for what is no character. */
static size_t
encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return point != 0;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		if (point >= 0xd800 && point <= 0xdfff)
			return 0;
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	if (point > 0x10ffff)
		return 0;
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

static size_t
decode_number(const char *body, size_t length, char out[4])
{
	bool hex = length > 1 && (body[1] | 0x20) == 'x';
	uint32_t point = 0;

	for (size_t i = hex ? 2 : 1; i < length; i++) {
		char c = (char)(body[i] | 0x20);
		uint32_t digit;

		if (body[i] >= '0' && body[i] <= '9')
			digit = (uint32_t)(body[i] - '0');
		else if (hex && c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a' + 10);
		else
			return 0;
		point = point * (hex ? 16 : 10) + digit;
		if (point > 0x10ffff)
			return 0;
	}
	return encode(point, out);
}

/* `body` is what stands between '&' and ';'. Returns 0 for an unknown entity. */
static size_t
decode_entity(const char *body, size_t length, char out[4])
{
	static const struct {
		const char *name;
		char character;
	} entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};

	if (length > 1 && body[0] == '#')
		return decode_number(body, length, out);
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (strlen(entities[i].name) == length &&
			memcmp(body, entities[i].name, length) == 0) {
			out[0] = entities[i].character;
			return 1;
		}
	return 0;
}

size_t
xml_decode(const char *raw, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		size_t window = length - i - 1 < ENTITY_MAX ? length - i - 1 : ENTITY_MAX;
		const char *semicolon = raw[i] == '&' ? memchr(raw + i + 1, ';', window) : NULL;
		const char *body = raw + i + 1;
		char character[4];
		size_t step = 0;

		if (semicolon != NULL)
			step = decode_entity(body, (size_t)(semicolon - body), character);
		if (step != 0) {
			i = (size_t)(semicolon - raw);
		} else {
			character[0] = raw[i];
			step = 1;
		}
		i++;
		if (used + step >= size)
			break;
		memcpy(out + used, character, step);
		used += step;
	}
	out[used] = '\0';
	return used;
}
