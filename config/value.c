/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Factor of a number written without a unit: seconds for every duration. */
static uint64_t
default_factor(const struct setting *setting)
{
	return setting->type == SETTING_MILLISECONDS ? 1000 : 1;
}

const char *
value_quote(const char *text, char *quoted, size_t quoted_size)
{
	size_t length = 0;
	size_t limit = quoted_size - 4 < 40 ? quoted_size - 4 : 40;

	for (; text[length] && length < limit; length++)
		quoted[length] = (unsigned char)text[length] < ' ' || text[length] == 0x7f
					 ? '?'
					 : text[length];
	if (text[length]) {
		/* Cut before a UTF-8 character, not inside it. */
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
		memcpy(quoted + length, "...", 3);
		length += 3;
	}
	quoted[length] = '\0';
	return quoted;
}

static int
check_range(
	const struct setting *setting, double value, const char *text, char *what, size_t what_size)
{
	char range[80], quoted[48];

	if (value >= setting->minimum && value <= setting->maximum)
		return 0;
	snprintf(what, what_size, "%s is out of range; use %s",
		value_quote(text, quoted, sizeof(quoted)),
		value_range(setting, range, sizeof(range)));
	return -EINVAL;
}

static void
store_unsigned(const struct setting *setting, uint64_t value, void *field)
{
	uint8_t byte = (uint8_t)value;
	uint16_t half = (uint16_t)value;
	uint32_t word = (uint32_t)value;

	if (setting->size == sizeof(byte))
		memcpy(field, &byte, sizeof(byte));
	else if (setting->size == sizeof(half))
		memcpy(field, &half, sizeof(half));
	else
		memcpy(field, &word, sizeof(word));
}

/* Digits with an optional unit; returns the factor of the unit, 0 for none of ours. */
static uint64_t
unit_factor(const struct setting *setting, const char *unit)
{
	const struct value_unit *units = value_units(setting);

	while (*unit == ' ')
		unit++;
	if (*unit == '\0')
		return default_factor(setting);
	for (; units && units->name; units++)
		if (strcmp(units->name, unit) == 0)
			return units->factor;
	return 0;
}

static int
parse_unsigned(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	static const char *const remedies[] = {
		[SETTING_COUNT] = "a whole number; use digits only, like 1000",
		[SETTING_SECONDS] = "a duration; use a whole number with s, m, h or d, like 30s",
		[SETTING_MILLISECONDS] =
			"a duration; use a whole number with ms, s, m, h or d, like 30s",
		[SETTING_MEMORY] = "an amount of memory; use a whole number with MiB or GiB, "
				   "like 2GiB",
	};
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t length = strspn(digits, "0123456789");
	uint64_t factor = unit_factor(setting, digits + length);
	uint64_t value;
	char quoted[48];

	if (length == 0 || factor == 0) {
		snprintf(what, what_size, "%s is not %s", value_quote(text, quoted, sizeof(quoted)),
			remedies[setting->type]);
		return -EINVAL;
	}
	/* Anything with more than 12 digits is out of every range and would overflow below. */
	value = length > 12 ? UINT64_MAX : strtoull(digits, NULL, 10) * factor;
	if (check_range(setting, text[0] == '-' && value > 0 ? -(double)value : (double)value, text,
		    what, what_size) != 0)
		return -EINVAL;
	store_unsigned(setting, value, field);
	return 0;
}

static int
parse_real(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char quoted[48];
	float single;
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(value) || strpbrk(text, "xX ")) {
		snprintf(what, what_size, "%s is not a number; use a decimal, like 0.8",
			value_quote(text, quoted, sizeof(quoted)));
		return -EINVAL;
	}
	if (check_range(setting, value, text, what, what_size) != 0)
		return -EINVAL;
	single = (float)value;
	memcpy(field, &single, sizeof(single));
	return 0;
}

static int
parse_bool(const char *text, void *field, char *what, size_t what_size)
{
	static const char *const names[] = {
		"false", "true", "no", "yes", "off", "on"}; /* odd: true */
	char quoted[48];
	bool value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], text) == 0) {
			value = i % 2 != 0;
			memcpy(field, &value, sizeof(value));
			return 0;
		}
	snprintf(what, what_size, "%s is not a truth value; use true or false",
		value_quote(text, quoted, sizeof(quoted)));
	return -EINVAL;
}

static int
store_text(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	size_t length = strlen(text);
	char quoted[48];

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			snprintf(what, what_size,
				"contains a control character; write it on one line without tabs");
			return -EINVAL;
		}
	if (length >= setting->size) {
		snprintf(what, what_size, "%s is too long; use at most %u characters",
			value_quote(text, quoted, sizeof(quoted)), setting->size - 1);
		return -EINVAL;
	}
	memset(field, 0, setting->size);
	memcpy(field, text, length);
	return 0;
}

static int
parse_named(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char quoted[48], allowed[160];

	for (size_t i = 0; setting->names[i]; i++) {
		if (strcmp(setting->names[i], text) != 0)
			continue;
		if (setting->type == SETTING_CHOICE)
			return store_text(setting, text, field, what, what_size);
		store_unsigned(setting, i, field);
		return 0;
	}
	snprintf(what, what_size, "%s is not known; use %s",
		value_quote(text, quoted, sizeof(quoted)),
		value_list_names(setting->names, " or ", allowed, sizeof(allowed)));
	return -EINVAL;
}

/* Host bits are the usual mistake: say what the network would be. */
static void
explain_network(const char *text, char *what, size_t what_size)
{
	char quoted[48], address[ADDRESS_TEXT_SIZE], fixed[ADDRESS_TEXT_SIZE + 4];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct network network;
	char *end;
	unsigned long bits, all;

	value_quote(text, quoted, sizeof(quoted));
	snprintf(address, sizeof(address), "%.*s",
		(int)(length < sizeof(address) ? length : sizeof(address) - 1), text);
	if (ip_parse(address, &network.ip) != 0) {
		snprintf(what, what_size,
			"%s is not a network; use address/prefix, like 10.1.0.0/16 or "
			"2001:db8::/32",
			quoted);
		return;
	}
	all = network.ip.family == ADDRESS_IPV4 ? 32 : 128;
	bits = slash && isdigit((unsigned char)slash[1]) ? strtoul(slash + 1, &end, 10) : all + 1;
	if (bits > all || *end != '\0') {
		snprintf(what, what_size, "%s has no prefix length of 0 to %lu; use one", quoted,
			all);
		return;
	}
	for (unsigned bit = (unsigned)bits; bit < all; bit++)
		network.ip.bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	network.prefix_length = (uint8_t)bits;
	snprintf(what, what_size, "%s has host bits set; use %s", quoted,
		network_format(&network, fixed));
}

static int
parse_network(const char *text, void *field, char *what, size_t what_size)
{
	struct network network;

	/* Padding and unused bytes are zero, so that equal networks compare equal. */
	memset(&network, 0, sizeof(network));
	if (network_parse(text, &network) != 0) {
		explain_network(text, what, what_size);
		return -EINVAL;
	}
	memcpy(field, &network, sizeof(network));
	return 0;
}

static int
parse_protocol(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char quoted[48];
	char *end;
	unsigned long number;

	for (size_t i = 0; value_protocols[i].name; i++)
		if (strcmp(value_protocols[i].name, text) == 0) {
			store_unsigned(setting, value_protocols[i].number, field);
			return 0;
		}
	number = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 256;
	if (number > 255 || *end != '\0') {
		snprintf(what, what_size,
			"%s is not a protocol; use any, tcp, udp, icmp, ipv6-icmp, sctp or an IANA "
			"number",
			value_quote(text, quoted, sizeof(quoted)));
		return -EINVAL;
	}
	store_unsigned(setting, number, field);
	return 0;
}

static bool
is_domain(const char *text)
{
	size_t label = 0;

	for (; *text; text++) {
		if (*text == '.') {
			if (label == 0 || text[1] == '\0')
				return false;
			label = 0;
		} else if (isalnum((unsigned char)*text) || *text == '-' || *text == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

static int
parse_domain(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char lower[128], quoted[48];
	size_t length = strlen(text);

	if (strncmp(text, "*.", 2) == 0 && is_domain(text + 2)) {
		snprintf(what, what_size,
			"%s has a wildcard; use %s: it covers the name and all below it",
			value_quote(text, quoted, sizeof(quoted)), quoted + 2);
		return -EINVAL;
	}
	if (length >= sizeof(lower) || !is_domain(text[0] == '=' ? text + 1 : text)) {
		snprintf(what, what_size,
			"%s is not a domain name; use letters, digits and dots, like example.com, "
			"or =host.example.com for that host alone",
			value_quote(text, quoted, sizeof(quoted)));
		return -EINVAL;
	}
	for (size_t i = 0; i <= length; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	return store_text(setting, lower, field, what, what_size);
}

static bool
is_device_id(const char *text)
{
	return strlen(text) == DEVICE_ID_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == DEVICE_ID_SIZE - 1;
}

/* Kept in the normal form of its kind, so that the policy can compare texts. */
static int
parse_device(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char normal[ADDRESS_TEXT_SIZE], quoted[48];
	struct mac_address mac;
	struct ip_address ip;

	if (text[0] == '\0' || is_device_id(text))
		return store_text(setting, text, field, what, what_size);
	if (mac_parse(text, &mac) == 0)
		return store_text(setting, mac_format(&mac, normal), field, what, what_size);
	if (ip_parse(text, &ip) == 0)
		return store_text(setting, ip_format(&ip, normal), field, what, what_size);
	snprintf(what, what_size,
		"%s is not a device; use a MAC, an address or a device id of 16 hex digits",
		value_quote(text, quoted, sizeof(quoted)));
	return -EINVAL;
}

static int
parse_name(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	char quoted[48];

	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) {
			snprintf(what, what_size,
				"%s is not a name; use letters, digits, dots, dashes and "
				"underscores",
				value_quote(text, quoted, sizeof(quoted)));
			return -EINVAL;
		}
	return store_text(setting, text, field, what, what_size);
}

static int
parse_server(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	const char *colon = strrchr(text, ':');
	char quoted[48];
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	bool is_unix = strncmp(text, "unix:/", 6) == 0 && text[6];
	bool is_port = colon && colon > text && port >= 1 && port <= 65535 &&
		       strspn(colon + 1, "0123456789") == strlen(colon + 1);

	if (is_unix || (is_port && !strpbrk(text, " /,")))
		return store_text(setting, text, field, what, what_size);
	snprintf(what, what_size, "%s is not a server; use host:port or unix:/path",
		value_quote(text, quoted, sizeof(quoted)));
	return -EINVAL;
}

static int
parse_charset(const struct setting *setting, const char *text, const char *allowed,
	const char *remedy, void *field, char *what, size_t what_size)
{
	char quoted[48];

	if (text[strspn(text, allowed)] == '\0')
		return store_text(setting, text, field, what, what_size);
	snprintf(
		what, what_size, "%s is not %s", value_quote(text, quoted, sizeof(quoted)), remedy);
	return -EINVAL;
}

int
value_parse(
	const struct setting *setting, const char *text, void *field, char *what, size_t what_size)
{
	switch (setting->type) {
	case SETTING_BOOL:
		return parse_bool(text, field, what, what_size);
	case SETTING_COUNT:
	case SETTING_SECONDS:
	case SETTING_MILLISECONDS:
	case SETTING_MEMORY:
		return parse_unsigned(setting, text, field, what, what_size);
	case SETTING_REAL:
		return parse_real(setting, text, field, what, what_size);
	case SETTING_ENUM:
	case SETTING_CHOICE:
		return parse_named(setting, text, field, what, what_size);
	case SETTING_NAME:
		return parse_name(setting, text, field, what, what_size);
	case SETTING_CPUS:
		return parse_charset(setting, text, "0123456789,-@()",
			"a list of cores; use numbers and ranges, like 0,2-5", field, what,
			what_size);
	case SETTING_VERSION:
		return parse_charset(setting, text, "0123456789.",
			"a version; use numbers and dots, like 0.9.0.1", field, what, what_size);
	case SETTING_SERVER:
		return parse_server(setting, text, field, what, what_size);
	case SETTING_NETWORK:
		return parse_network(text, field, what, what_size);
	case SETTING_DOMAIN:
		return parse_domain(setting, text, field, what, what_size);
	case SETTING_DEVICE:
		return parse_device(setting, text, field, what, what_size);
	case SETTING_PROTOCOL:
		return parse_protocol(setting, text, field, what, what_size);
	case SETTING_TEXT:
	case SETTING_PATH:
		return store_text(setting, text, field, what, what_size);
	case SETTING_SET:
	case SETTING_MAPPINGS:
		break;
	}
	snprintf(what, what_size, "is not a single value; write a list");
	return -EINVAL;
}
