/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

static const struct value_unit second_units[] = {
	{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct value_unit millisecond_units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct value_unit memory_units[] = {{"MiB", 1}, {"M", 1}, {"GiB", 1024}, {"G", 1024},
	{"TiB", 1024 * 1024}, {"T", 1024 * 1024}, {NULL, 0}};

const struct value_protocol value_protocols[] = {{"any", 0}, {"icmp", 1}, {"tcp", 6}, {"udp", 17},
	{"ipv6-icmp", 58}, {"sctp", 132}, {NULL, 0}};

const struct value_unit *
value_units(const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_SECONDS:
		return second_units;
	case SETTING_MILLISECONDS:
		return millisecond_units;
	case SETTING_MEMORY:
		return memory_units;
	default:
		return NULL;
	}
}

const char *
value_list_names(const char *const *names, const char *joint, char *text, size_t text_size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; names[i] && used < text_size; i++) {
		const char *separator = i == 0 ? "" : names[i + 1] ? ", " : joint;

		used += (size_t)snprintf(text + used, text_size - used, "%s%s", separator,
			names[i][0] ? names[i] : "\"\"");
	}
	return text;
}

static void
format_quantity(const struct value_unit *units, uint64_t value, char *text, size_t text_size)
{
	const struct value_unit *best = units;

	for (const struct value_unit *unit = units; unit->name; unit++)
		if (value != 0 && value % unit->factor == 0 && unit->factor > best->factor)
			best = unit;
	snprintf(text, text_size, "%llu%s", (unsigned long long)(value / best->factor),
		value == 0 ? "" : best->name);
}

static void
format_number(const struct setting *setting, double value, char *text, size_t text_size)
{
	const struct value_unit *units = value_units(setting);

	if (units)
		format_quantity(units, (uint64_t)value, text, text_size);
	else if (setting->type == SETTING_REAL)
		snprintf(text, text_size, "%g", value);
	else
		snprintf(text, text_size, "%.0f", value);
}

const char *
value_range(const struct setting *setting, char *text, size_t text_size)
{
	char low[32], high[32];

	text[0] = '\0';
	if (setting->names)
		return value_list_names(setting->names, " or ", text, text_size);
	if (setting->maximum == 0)
		return text;
	format_number(setting, setting->minimum, low, sizeof(low));
	format_number(setting, setting->maximum, high, sizeof(high));
	snprintf(text, text_size, "%s to %s", low, high);
	return text;
}

static uint64_t
fetch_unsigned(const struct setting *setting, const void *field)
{
	uint8_t byte;
	uint16_t half;
	uint32_t word;

	if (setting->size == sizeof(byte)) {
		memcpy(&byte, field, sizeof(byte));
		return byte;
	}
	if (setting->size == sizeof(half)) {
		memcpy(&half, field, sizeof(half));
		return half;
	}
	memcpy(&word, field, sizeof(word));
	return word;
}

static const char *
format_protocol(uint64_t number, char *text, size_t text_size)
{
	for (size_t i = 0; value_protocols[i].name; i++)
		if (value_protocols[i].number == number)
			return value_protocols[i].name;
	snprintf(text, text_size, "%llu", (unsigned long long)number);
	return text;
}

const char *
value_format(const struct setting *setting, const void *field, char *text, size_t text_size)
{
	struct network network;
	bool truth;
	float real;

	switch (setting->type) {
	case SETTING_BOOL:
		memcpy(&truth, field, sizeof(truth));
		return truth ? "true" : "false";
	case SETTING_COUNT:
	case SETTING_SECONDS:
	case SETTING_MILLISECONDS:
	case SETTING_MEMORY:
		format_number(setting, (double)fetch_unsigned(setting, field), text, text_size);
		return text;
	case SETTING_REAL:
		memcpy(&real, field, sizeof(real));
		snprintf(text, text_size, "%.7g", (double)real);
		return text;
	case SETTING_ENUM:
		return setting->names[fetch_unsigned(setting, field)];
	case SETTING_NETWORK:
		memcpy(&network, field, sizeof(network));
		return network_format(&network, text);
	case SETTING_PROTOCOL:
		return format_protocol(fetch_unsigned(setting, field), text, text_size);
	default:
		return field;
	}
}

bool
value_is_text(const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_NAME:
	case SETTING_PATH:
	case SETTING_CHOICE:
	case SETTING_CPUS:
	case SETTING_SERVER:
	case SETTING_VERSION:
	case SETTING_NETWORK:
	case SETTING_DOMAIN:
	case SETTING_DEVICE:
		return true;
	default:
		return false;
	}
}

const char *
value_type_name(const struct setting *setting)
{
	static const char *const names[] = {
		[SETTING_BOOL] = "true or false",
		[SETTING_COUNT] = "whole number",
		[SETTING_SECONDS] = "duration (s, m, h, d; default s)",
		[SETTING_MILLISECONDS] = "duration (ms, s, m, h, d; default s)",
		[SETTING_MEMORY] = "memory (MiB, GiB; default MiB)",
		[SETTING_REAL] = "decimal number",
		[SETTING_TEXT] = "text",
		[SETTING_NAME] = "name",
		[SETTING_PATH] = "path",
		[SETTING_ENUM] = "one of",
		[SETTING_CHOICE] = "one of",
		[SETTING_CPUS] = "list of cores",
		[SETTING_SERVER] = "host:port or unix:/path",
		[SETTING_VERSION] = "version",
		[SETTING_NETWORK] = "network",
		[SETTING_DOMAIN] = "domain name",
		[SETTING_DEVICE] = "device id, MAC or address",
		[SETTING_PROTOCOL] = "protocol name or number",
		[SETTING_SET] = "list of",
		[SETTING_MAPPINGS] = "list of mappings",
	};

	return names[setting->type];
}
