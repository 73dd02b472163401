/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/records/secrets.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LONGEST_CHARACTER 5 /* of UTF-8, and NUL: a text shorter by more was not cut */

struct secret_name {
	const char *text;
	size_t length;
};

#define NAME(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* Any name that ends so is a secret's, as in `admin_password` or `loginPwd`. */
static const struct secret_name name_endings[] = {NAME("password"), NAME("passwd"),
	NAME("passwort"), NAME("passphrase"), NAME("pwd"), NAME("secret"), NAME("token"),
	NAME("apikey"), NAME("api_key"), NAME("accesskey"), NAME("sessionid"),
	NAME("authorization")};
/* Short ones must stand alone. */
static const struct secret_name whole_names[] = {NAME("pw"), NAME("pass"), NAME("psw"), NAME("psk"),
	NAME("key"), NAME("sid"), NAME("auth"), NAME("pin"), NAME("cookie")};

/* The letters that all of these end with. */
static const char last_letters[] = "dtenywskh";

static bool
is_name_character(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool
ends_with(const char *name, size_t length, const struct secret_name *ending)
{
	size_t n = ending->length;

	/* All but few differ in their last letter. */
	return length >= n && (name[length - 1] | 0x20) == ending->text[n - 1] &&
	       strncasecmp(name + length - n, ending->text, n) == 0;
}

/* Whether the text before `separator` names a secret. */
static bool
names_secret(const char *text, size_t separator)
{
	size_t begin = separator;

	if (separator == 0 || !strchr(last_letters, text[separator - 1] | 0x20))
		return false;
	while (begin > 0 && is_name_character(text[begin - 1]))
		begin--;
	for (size_t i = 0; i < sizeof(name_endings) / sizeof(name_endings[0]); i++)
		if (ends_with(text + begin, separator - begin, &name_endings[i]))
			return true;
	for (size_t i = 0; i < sizeof(whole_names) / sizeof(whole_names[0]); i++) {
		size_t n = whole_names[i].length;

		if (!ends_with(text + begin, separator - begin, &whole_names[i]))
			continue;
		if (separator - begin == n || text[separator - n - 1] == '_' ||
			text[separator - n - 1] == '-')
			return true;
	}
	return false;
}

/* Bytes of a separator at `at`: "=", ":" or their escapes in a URI; 0 if there is none. */
static size_t
separator_length(const char *at)
{
	if (*at == '=' || *at == ':')
		return 1;
	if (*at != '%')
		return 0;
	return strncasecmp(at, "%3d", 3) == 0 || strncasecmp(at, "%3a", 3) == 0 ? 3 : 0;
}

static size_t
replace(char *text, size_t size, size_t at, size_t length, const char *with)
{
	size_t total = strlen(text);
	size_t n = strlen(with);

	if (n > length && total + n - length >= size)
		n = length; /* no room: as many marks as there were characters */
	memmove(text + at + n, text + at + length, total - at - length + 1);
	memcpy(text + at, with, n);
	return at + n;
}

static size_t
mask_value(char *text, size_t size, size_t value)
{
	const char *next;
	size_t length;

	while (text[value] == ' ' || text[value] == '"' || text[value] == '\'')
		value++;
	if (text[value] == '_')
		return value; /* an empty value in a path that joins its parts by '_' */
	length = strcspn(text + value, "&;, \t\"'/?)<>");
	/* Some firmware joins its fields by '_', which a password may hold too. */
	next = strcasestr(text + value, "_channel=");
	if (next && next < text + value + length)
		length = (size_t)(next - (text + value));
	return length == 0 ? value : replace(text, size, value, length, "***");
}

/* Removes what stands between "//" and '@' within one segment. Where the text fills its buffer the
 * '@' may have been cut off: then "name:..." at its end goes too. */
static void
remove_userinfo(char *text, size_t size)
{
	char *at = text;

	while ((at = strstr(at, "//")) != NULL) {
		size_t length = strcspn(at + 2, "/?# \t");
		char *end = memrchr(at + 2, '@', length);

		if (end == NULL && at[2 + length] == '\0' &&
			strlen(text) + LONGEST_CHARACTER >= size && memchr(at + 2, ':', length))
			end = at + 2 + length - 1;
		if (end)
			replace(text, size, (size_t)(at + 2 - text), (size_t)(end + 1 - (at + 2)),
				"");
		at += 2;
	}
}

size_t
secrets_mask(char *text, size_t size)
{
	remove_userinfo(text, size);
	for (size_t i = 0; text[i];) {
		size_t separator = separator_length(text + i);

		if (separator == 0)
			i++;
		else if (names_secret(text, i))
			i = mask_value(text, size, i + separator);
		else
			i += separator;
	}
	return strlen(text);
}
