/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/tsv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
tsv_error(const struct tsv *tsv, const char *format, ...)
{
	char message[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	snprintf(tsv->error, tsv->error_size, "%s:%u: %s", tsv->name, tsv->line, message);
	return -EINVAL;
}

static int
read_whole(FILE *file, struct tsv *tsv)
{
	struct stat status;
	size_t size;

	if (fstat(fileno(file), &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)TSV_FILE_SIZE_MAX)
		return -EFBIG;
	size = (size_t)status.st_size;
	tsv->text = malloc(size + 1);
	if (!tsv->text)
		return -ENOMEM;
	if (fread(tsv->text, 1, size, file) != size)
		return -EIO;
	tsv->text[size] = '\0';
	return memchr(tsv->text, '\0', size) ? -EILSEQ : 0;
}

int
tsv_open(struct tsv *tsv, const char *path, const char *name, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	int result;

	*tsv = (struct tsv){.name = name, .error = error, .error_size = error_size};
	if (!file) {
		result = -errno;
		snprintf(error, error_size, "%s: cannot be read: %s", path, strerror(-result));
		return result;
	}
	result = read_whole(file, tsv);
	fclose(file);
	if (result != 0) {
		snprintf(error, error_size, "%s: cannot be used: %s; it must be a text file", path,
			strerror(-result));
		free(tsv->text);
		tsv->text = NULL;
		return result;
	}
	tsv->next = tsv->text;
	return 0;
}

static char *
take_line(struct tsv *tsv)
{
	char *line = tsv->next;
	size_t length = strcspn(line, "\n");

	if (*line == '\0')
		return NULL;
	tsv->next = line + length + (line[length] == '\n');
	line[length] = '\0';
	if (length > 0 && line[length - 1] == '\r')
		line[length - 1] = '\0';
	tsv->line++;
	return line;
}

int
tsv_next(struct tsv *tsv)
{
	char *line;

	do {
		line = take_line(tsv);
		if (!line)
			return 0;
	} while (*line == '#' || line[strspn(line, " \t")] == '\0');
	tsv->field_count = 0;
	while (line) {
		char *field = strsep(&line, "\t");

		if (tsv->field_count == TSV_FIELDS_MAX)
			return tsv_error(tsv, "more than %d fields; separate fields with one tab",
				TSV_FIELDS_MAX);
		tsv->fields[tsv->field_count++] = field;
	}
	return 1;
}
