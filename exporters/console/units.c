/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/console/units.h"

#include <stdio.h>
#include <time.h>

#define NANOSECONDS 1000000000LL

static const char *
scaled(double value, const char *const *units, char *text)
{
	size_t i = 0;

	/* 999.95 would round to "1000.0". */
	for (; value >= 999.95 && units[i + 1]; i++)
		value /= 1000;
	snprintf(text, UNITS_TEXT_SIZE, i == 0 ? "%.0f %s" : "%.1f %s", value, units[i]);
	return text;
}

const char *
units_bitrate(double bits_per_second, char *text)
{
	static const char *const units[] = {"b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s", NULL};

	text[0] = '\0';
	return bits_per_second > 0 ? scaled(bits_per_second, units, text) : text;
}

const char *
units_bytes(double bytes, char *text)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", NULL};

	return scaled(bytes, units, text);
}

static void
split_time(int64_t nanoseconds, struct tm *calendar, int64_t *fraction)
{
	int64_t seconds = nanoseconds / NANOSECONDS;

	*fraction = nanoseconds % NANOSECONDS;
	if (*fraction < 0) {
		*fraction += NANOSECONDS;
		seconds--;
	}
	gmtime_r(&(time_t){seconds}, calendar);
}

const char *
units_time(int64_t nanoseconds, char *text)
{
	struct tm calendar;
	int64_t fraction;

	text[0] = '\0';
	if (nanoseconds == 0)
		return text;
	split_time(nanoseconds, &calendar, &fraction);
	strftime(text, UNITS_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &calendar);
	return text;
}

const char *
units_timestamp(int64_t nanoseconds, char *text)
{
	struct tm calendar;
	int64_t fraction;
	size_t length;

	split_time(nanoseconds, &calendar, &fraction);
	length = strftime(text, UNITS_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &calendar);
	snprintf(text + length, UNITS_TEXT_SIZE - length, ".%09lldZ", (long long)fraction);
	return text;
}

const char *
units_duration(int64_t nanoseconds, char *text)
{
	long long seconds = nanoseconds > 0 ? nanoseconds / NANOSECONDS : 0;

	if (seconds < 120)
		snprintf(text, UNITS_TEXT_SIZE, "%lld s", seconds);
	else if (seconds < 7200)
		snprintf(text, UNITS_TEXT_SIZE, "%lld min", seconds / 60);
	else
		snprintf(text, UNITS_TEXT_SIZE, "%lld h %lld min", seconds / 3600,
			seconds / 60 % 60);
	return text;
}
