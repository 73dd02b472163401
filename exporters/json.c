/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/json.h"

#include "dataplane/records/evidence.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS_PER_SECOND 1000000000
#define FIRST_CAPACITY         16384 /* most events are of one to three KiB */

struct json_writer {
	char *text;
	size_t used;
	size_t capacity;
	unsigned depth;          /* objects and arrays that are open */
	bool follows;            /* a member or element stands before: a comma comes first */
	bool failed;             /* no memory: this document is given up */
	struct evidence scratch; /* where doubtful text is cleaned */
};

struct json_writer *
json_writer_create(void)
{
	struct json_writer *json = calloc(1, sizeof(*json));

	if (json == NULL)
		return NULL;
	json->capacity = FIRST_CAPACITY;
	json->text = malloc(json->capacity);
	if (json->text == NULL) {
		free(json);
		return NULL;
	}
	return json;
}

void
json_writer_free(struct json_writer *json)
{
	if (json == NULL)
		return;
	free(json->text);
	free(json);
}

/* Where `length` more bytes go; NULL when the document is given up. */
static char *
room_for(struct json_writer *json, size_t length)
{
	size_t capacity = json->capacity;
	char *larger;

	if (json->failed)
		return NULL;
	if (length <= capacity - json->used)
		return json->text + json->used;
	while (length > capacity - json->used)
		capacity *= 2;
	larger = realloc(json->text, capacity);
	if (larger == NULL) {
		json->failed = true;
		return NULL;
	}
	json->text = larger;
	json->capacity = capacity;
	return json->text + json->used;
}

static void
put_byte(struct json_writer *json, char byte)
{
	char *at = room_for(json, 1);

	if (at == NULL)
		return;
	*at = byte;
	json->used++;
}

static void
put_bytes(struct json_writer *json, const char *bytes, size_t length)
{
	char *at = room_for(json, length);

	if (at == NULL)
		return;
	memcpy(at, bytes, length);
	json->used += length;
}

/* Valid UTF-8 without control characters: only these two must be escaped (RFC 8259 section 7). */
static void
put_string(struct json_writer *json, const char *text, size_t length)
{
	char *at = room_for(json, 2 * length + 2);

	if (at == NULL)
		return;
	*at++ = '"';
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*at++ = '\\';
		*at++ = text[i];
	}
	*at++ = '"';
	json->used = (size_t)(at - json->text);
}

/* What stands before a value: the comma, and the key in an object. Keys are literals of the code.
 */
static void
put_key(struct json_writer *json, const char *key)
{
	if (json->follows)
		put_byte(json, ',');
	json->follows = true;
	if (key == NULL)
		return;
	put_byte(json, '"');
	put_bytes(json, key, strlen(key));
	put_bytes(json, "\":", 2);
}

static void
open_level(struct json_writer *json, char bracket)
{
	put_byte(json, bracket);
	json->depth++;
	json->follows = false;
}

static void
close_level(struct json_writer *json, char bracket)
{
	assert(json->depth > 0);
	put_byte(json, bracket);
	json->depth--;
	json->follows = true;
}

void
json_writer_begin(struct json_writer *json)
{
	json->used = 0;
	json->depth = 0;
	json->failed = false;
	open_level(json, '{');
}

const char *
json_writer_end(struct json_writer *json, size_t *length)
{
	close_level(json, '}');
	assert(json->depth == 0);
	put_byte(json, '\0');
	*length = json->failed ? 0 : json->used - 1;
	return json->failed ? NULL : json->text;
}

void
json_put_object(struct json_writer *json, const char *key)
{
	put_key(json, key);
	open_level(json, '{');
}

void
json_put_close_object(struct json_writer *json)
{
	close_level(json, '}');
}

void
json_put_array(struct json_writer *json, const char *key)
{
	put_key(json, key);
	open_level(json, '[');
}

void
json_put_close_array(struct json_writer *json)
{
	close_level(json, ']');
}

static bool
is_plain(const char *text, size_t length)
{
	if (text[0] == ' ' || text[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	return true;
}

void
json_put_text(struct json_writer *json, const char *key, const char *text)
{
	size_t length = strlen(text);

	if (length == 0)
		return;
	if (!is_plain(text, length)) {
		evidence_set_value(&json->scratch, text, length);
		text = json->scratch.value;
		length = json->scratch.value_length;
		if (length == 0)
			return;
	}
	put_key(json, key);
	put_string(json, text, length);
}

static void
put_number(struct json_writer *json, const char *key, const char *text, int length)
{
	put_key(json, key);
	put_bytes(json, text, (size_t)length);
}

void
json_put_unsigned(struct json_writer *json, const char *key, uint64_t value)
{
	char text[24];
	char *at = text + sizeof(text);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put_number(json, key, at, (int)(text + sizeof(text) - at));
}

void
json_put_integer(struct json_writer *json, const char *key, int64_t value)
{
	char text[24];

	put_number(json, key, text, snprintf(text, sizeof(text), "%lld", (long long)value));
}

void
json_put_decimal(struct json_writer *json, const char *key, double value, int decimals)
{
	static const uint64_t scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	uint64_t scale = scales[decimals];
	double magnitude = fabs(value) * (double)scale;
	uint64_t scaled;
	char text[48];
	int length;

	if (!isfinite(value) || magnitude >= 9e18)
		return;
	scaled = (uint64_t)llround(magnitude);
	while (scale > 1 && scaled % 10 == 0) {
		scaled /= 10;
		scale /= 10;
		decimals--;
	}
	length = snprintf(text, sizeof(text), "%s%llu", value < 0 && scaled > 0 ? "-" : "",
		(unsigned long long)(scaled / scale));
	if (scale > 1)
		length += snprintf(text + length, sizeof(text) - (size_t)length, ".%0*llu",
			decimals, (unsigned long long)(scaled % scale));
	put_number(json, key, text, length);
}

void
json_put_boolean(struct json_writer *json, const char *key, bool value)
{
	put_key(json, key);
	put_bytes(json, value ? "true" : "false", value ? 4 : 5);
}

static char *
put_digits(char *at, unsigned value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + digits;
}

size_t
time_format(int64_t nanoseconds, char *text)
{
	int64_t fraction = nanoseconds % NANOSECONDS_PER_SECOND;
	time_t seconds = nanoseconds / NANOSECONDS_PER_SECOND;
	struct tm utc;
	char *at = text;

	if (fraction < 0) {
		fraction += NANOSECONDS_PER_SECOND;
		seconds--;
	}
	gmtime_r(&seconds, &utc); /* int64_t nanoseconds end in 2262: four digits of year */
	at = put_digits(at, (unsigned)(utc.tm_year + 1900), 4);
	*at++ = '-';
	at = put_digits(at, (unsigned)(utc.tm_mon + 1), 2);
	*at++ = '-';
	at = put_digits(at, (unsigned)utc.tm_mday, 2);
	*at++ = 'T';
	at = put_digits(at, (unsigned)utc.tm_hour, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)utc.tm_min, 2);
	*at++ = ':';
	at = put_digits(at, (unsigned)utc.tm_sec, 2);
	*at++ = '.';
	at = put_digits(at, (unsigned)fraction, 9);
	*at++ = 'Z';
	*at = '\0';
	return (size_t)(at - text);
}

void
json_put_time(struct json_writer *json, const char *key, int64_t nanoseconds)
{
	char text[TIME_TEXT_SIZE];
	size_t length;

	if (nanoseconds == 0)
		return;
	length = time_format(nanoseconds, text);
	put_key(json, key);
	put_string(json, text, length);
}

void
json_put_ip(struct json_writer *json, const char *key, const struct ip_address *ip)
{
	char text[ADDRESS_TEXT_SIZE];

	json_put_text(json, key, ip_format(ip, text));
}

void
json_put_mac(struct json_writer *json, const char *key, const struct mac_address *mac)
{
	char text[MAC_TEXT_SIZE];

	if (!mac_is_set(mac))
		return;
	mac_format(mac, text);
	for (char *c = text; *c; c++) {
		if (*c == ':')
			*c = '-';
		else if (*c >= 'a')
			*c = (char)(*c - 'a' + 'A');
	}
	json_put_text(json, key, text);
}
