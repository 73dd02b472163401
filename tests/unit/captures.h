/* SPDX-License-Identifier: Apache-2.0 */
/* Where the labelled captures are: env CAMSPAN_CAPTURES, else ../shared/captures beside the source
 * tree, which is the working directory of the tests. */
#ifndef CAMSPAN_TESTS_CAPTURES_H
#define CAMSPAN_TESTS_CAPTURES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct capture_label {
	char path[512]; /* of the file, with the folder */
	char name[400]; /* as in the list */
	char category[32];
	uint64_t packets;
	uint64_t wire_bytes;
};

static inline const char *
captures_folder(void)
{
	const char *folder = getenv("CAMSPAN_CAPTURES");

	return folder && folder[0] ? folder : "../shared/captures";
}

/* The path of one capture; false (with a line on stderr) when it is not here. */
static inline bool
captures_find(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", captures_folder(), name);
	if (access(path, R_OK) == 0)
		return true;
	fprintf(stderr, "skipped: %s is not here (CAMSPAN_CAPTURES names the folder)\n", path);
	return false;
}

static inline bool
capture_label_parse(char *line, struct capture_label *label)
{
	char *fields[6];

	for (int i = 0; i < 6; i++) {
		fields[i] = strsep(&line, "\t");
		if (fields[i] == NULL)
			return false;
	}
	if (strcmp(fields[0], "path") == 0 || fields[4][0] == '\0')
		return false;
	snprintf(label->name, sizeof(label->name), "%s", fields[0]);
	snprintf(label->path, sizeof(label->path), "%s/%s", captures_folder(), label->name);
	snprintf(label->category, sizeof(label->category), "%s", fields[1]);
	label->packets = strtoull(fields[4], NULL, 10);
	label->wire_bytes = strtoull(fields[5], NULL, 10);
	return true;
}

/* Calls `each` for every capture of the list. Returns their number, 0 when there is no list (with
 * a line on stderr). */
static inline size_t
captures_each(void (*each)(void *context, const struct capture_label *label), void *context)
{
	struct capture_label label;
	char line[4096], list[512];
	size_t count = 0;
	FILE *file;

	if (!captures_find("labels.tsv", list, sizeof(list)))
		return 0;
	file = fopen(list, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (!capture_label_parse(line, &label))
			continue;
		each(context, &label);
		count++;
	}
	if (file)
		fclose(file);
	return count;
}

#endif
