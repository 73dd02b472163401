/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5280 section 4.1; text after RFC 4514, but in the certificate's own order. */
#include "classifiers/protocols/x509_name.h"

#include "dataplane/cursor.h"

#define ATTRIBUTES_MAX 16

#define DER_INTEGER  0x02
#define DER_OID      0x06
#define DER_BMP      0x1e
#define DER_SEQUENCE 0x30
#define DER_SET      0x31
#define DER_VERSION  0xa0 /* [0] EXPLICIT */

struct der {
	uint8_t tag;
	struct cursor content;
};

/* Takes one element. What is cut off at the end of the bytes is taken as far as it goes. */
static bool
take(struct cursor *cursor, struct der *element)
{
	uint8_t first;
	size_t length;

	element->tag = cursor_u8(cursor);
	first = cursor_u8(cursor);
	length = first;
	if (first & 0x80) {
		length = 0;
		if ((first & 0x7f) == 0 || (first & 0x7f) > 4)
			return false;
		for (unsigned i = 0; i < (first & 0x7fu); i++)
			length = length << 8 | cursor_u8(cursor);
	}
	if (!cursor_ok(cursor))
		return false;
	element->content =
		cursor_sub(cursor, length < cursor_left(cursor) ? length : cursor_left(cursor));
	return true;
}

static bool
take_tagged(struct cursor *cursor, uint8_t tag, struct der *element)
{
	return take(cursor, element) && element->tag == tag;
}

static const char *
attribute_name(const struct cursor *oid)
{
	static const uint8_t email[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1};
	static const uint8_t component[] = {
		0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 0x19};

	if (cursor_left(oid) == 3 && oid->at[0] == 0x55 && oid->at[1] == 4) /* 2.5.4.x */
		switch (oid->at[2]) {
		case 3:
			return "CN";
		case 5:
			return "serialNumber";
		case 6:
			return "C";
		case 7:
			return "L";
		case 8:
			return "ST";
		case 10:
			return "O";
		case 11:
			return "OU";
		default:
			return NULL;
		}
	if (cursor_left(oid) == sizeof(email) && memcmp(oid->at, email, sizeof(email)) == 0)
		return "E";
	if (cursor_left(oid) == sizeof(component) &&
		memcmp(oid->at, component, sizeof(component)) == 0)
		return "DC";
	return NULL;
}

static void
put(char *text, size_t *used, char byte)
{
	if (*used + 1 < X509_NAME_SIZE)
		text[(*used)++] = byte;
}

/* The separators of RFC 4514 section 2.4 are escaped; UTF-16 is cut to its low bytes. */
static void
put_value(char *text, size_t *used, const struct der *value)
{
	size_t step = value->tag == DER_BMP ? 2 : 1, left = cursor_left(&value->content);

	for (size_t i = step - 1; i < left; i += step) {
		char byte = (char)value->content.at[i];

		if (step == 2 && value->content.at[i - 1] != 0)
			byte = '?';
		if (byte == ',' || byte == '=' || byte == '+' || byte == '\\')
			put(text, used, '\\');
		put(text, used, byte == '\0' ? '?' : byte);
	}
}

static void
name_text(char *text, struct cursor name)
{
	struct der set, pair, oid, value;
	size_t used = 0;

	for (int i = 0; i < ATTRIBUTES_MAX && cursor_left(&name) > 0; i++) {
		const char *key;

		if (!take_tagged(&name, DER_SET, &set) ||
			!take_tagged(&set.content, DER_SEQUENCE, &pair) ||
			!take_tagged(&pair.content, DER_OID, &oid) || !take(&pair.content, &value))
			break;
		key = attribute_name(&oid.content);
		if (key == NULL)
			continue;
		if (used > 0)
			put(text, &used, ',');
		while (*key != '\0')
			put(text, &used, *key++);
		put(text, &used, '=');
		put_value(text, &used, &value);
	}
	text[used] = '\0';
}

bool
x509_names_read(struct x509_names *names, const uint8_t *certificate, size_t length)
{
	struct cursor cursor = cursor_make(certificate, length);
	struct der outer, body, element, issuer, subject;
	uint8_t after_subject;

	if (!take_tagged(&cursor, DER_SEQUENCE, &outer) ||
		!take_tagged(&outer.content, DER_SEQUENCE, &body) || !take(&body.content, &element))
		return false;
	/* [version], serial number, signature, issuer, validity, subject, public key */
	if (element.tag == DER_VERSION && !take(&body.content, &element))
		return false;
	if (element.tag != DER_INTEGER || !take_tagged(&body.content, DER_SEQUENCE, &element) ||
		!take_tagged(&body.content, DER_SEQUENCE, &issuer) ||
		!take_tagged(&body.content, DER_SEQUENCE, &element) ||
		!take_tagged(&body.content, DER_SEQUENCE, &subject))
		return false;
	after_subject = cursor_u8(&body.content);
	if (!cursor_ok(&body.content) || after_subject != DER_SEQUENCE)
		return false;
	name_text(names->issuer, issuer.content);
	name_text(names->subject, subject.content);
	return true;
}
