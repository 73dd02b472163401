/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static struct {
	char program[32];
	enum log_level level;
	bool journal;
} log_state = {.program = "camspan", .level = LOG_LEVEL_INFO};

void
log_open(const char *program, enum log_level level)
{
	snprintf(log_state.program, sizeof(log_state.program), "%s", program);
	log_state.level = level;
	log_state.journal = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
}

static const char *
journal_prefix(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return SD_ERR;
	case LOG_LEVEL_WARNING:
		return SD_WARNING;
	case LOG_LEVEL_INFO:
		return SD_INFO;
	case LOG_LEVEL_DEBUG:
		break;
	}
	return SD_DEBUG;
}

static const char *
level_name(enum log_level level)
{
	static const char *const names[] = {"error: ", "warning: ", "", "debug: "};

	return names[level];
}

void
log_message(enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (level > log_state.level)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	if (log_state.journal)
		fprintf(stderr, "%s%s\n", journal_prefix(level), text);
	else
		fprintf(stderr, "%s: %s%s\n", log_state.program, level_name(level), text);
}
