/* SPDX-License-Identifier: Apache-2.0 */
/* Tab-separated data files: one header line, '#' comments, one fact a row. */
#ifndef CAMSPAN_TSV_H
#define CAMSPAN_TSV_H

#include <stddef.h>

#define TSV_FIELDS_MAX    12
#define TSV_FILE_SIZE_MAX (32u << 20)

/* One file being read. `text` holds every field and must outlive what points into it. */
struct tsv {
	char *text;
	char *next;
	const char *name; /* as messages show it */
	unsigned line;
	size_t field_count;
	char *fields[TSV_FIELDS_MAX];
	char *error;
	size_t error_size;
};

/* Reads `path` and stands before its first line. Returns 0, or -errno with one line in `error`. */
int tsv_open(struct tsv *tsv, const char *path, const char *name, char *error, size_t error_size);
/* Next row (or header): 1, 0 at the end, -EINVAL with `error` set. */
int tsv_next(struct tsv *tsv);
/* Writes "name:line: message" to `error`; returns -EINVAL. */
int tsv_error(const struct tsv *tsv, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
