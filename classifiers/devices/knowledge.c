/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/knowledge_private.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const folders[] = {"vendors", "fingerprints", "destinations"};

const char *
knowledge_keep(struct knowledge *knowledge, char *text)
{
	struct text_chunk *chunk = text ? malloc(sizeof(*chunk)) : NULL;

	if (!chunk) {
		free(text);
		return NULL;
	}
	*chunk = (struct text_chunk){.next = knowledge->texts, .text = text};
	knowledge->texts = chunk;
	return text;
}

void *
row_add(struct row_array *array)
{
	char *row;

	if (array->count == array->room) {
		size_t room = array->room ? array->room * 2 : 256;
		void *rows = reallocarray(array->rows, room, array->size);

		if (!rows)
			return NULL;
		array->rows = rows;
		array->room = room;
	}
	row = (char *)array->rows + array->count++ * array->size;
	memset(row, 0, array->size);
	return row;
}

static int
load_file(struct knowledge *knowledge, const char *path, const char *name, unsigned layer,
	char *error, size_t error_size)
{
	struct tsv tsv;
	int result = tsv_open(&tsv, path, name, error, error_size);

	if (result != 0)
		return result;
	if (!knowledge_keep(knowledge, tsv.text)) {
		snprintf(error, error_size, "%s: out of memory", name);
		return -ENOMEM;
	}
	return knowledge_read_rows(knowledge, &tsv, layer);
}

static int
is_data_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".tsv") == 0;
}

static int
load_named(struct knowledge *knowledge, const char *directory, const char *folder, const char *file,
	unsigned layer, char *error, size_t error_size)
{
	const char *name = NULL;
	char *path = NULL;
	char *text = NULL;
	int result = -ENOMEM;

	if (asprintf(&path, "%s/%s/%s", directory, folder, file) < 0)
		return -ENOMEM;
	/* Messages about the operator's file show its path; shipped rows are cited in short. */
	if (asprintf(&text, "%s%s%s/%s", layer ? directory : "", layer ? "/" : "", folder, file) >=
		0)
		name = knowledge_keep(knowledge, text);
	if (name)
		result = load_file(knowledge, path, name, layer, error, error_size);
	else
		snprintf(error, error_size, "%s: out of memory", path);
	free(path);
	return result;
}

static int
load_folder(struct knowledge *knowledge, const char *directory, const char *folder, unsigned layer,
	char *error, size_t error_size)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int result = 0;
	int count;

	if (snprintf(path, sizeof(path), "%s/%s", directory, folder) >= (int)sizeof(path)) {
		snprintf(error, error_size, "%.64s...: path too long", directory);
		return -ENAMETOOLONG;
	}
	count = scandir(path, &entries, is_data_file, alphasort);
	if (count < 0) {
		result = -errno;
		if (result == -ENOENT && layer > 0)
			return 0; /* the operator overrides only what they need */
		snprintf(error, error_size,
			"%s: cannot be read: %s; set data.directory to the folder that holds it",
			path, strerror(-result));
		return result;
	}
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = load_named(knowledge, directory, folder, entries[i]->d_name, layer,
				error, error_size);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int
load_layer(struct knowledge *knowledge, const char *directory, unsigned layer, char *error,
	size_t error_size)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && result == 0; i++)
		result = load_folder(knowledge, directory, folders[i], layer, error, error_size);
	return result;
}

static bool
is_directory(const char *path)
{
	DIR *directory = opendir(path);

	if (directory)
		closedir(directory);
	return directory != NULL;
}

static int
load_all(struct knowledge *knowledge, const char *directory, const char *override_directory,
	char *error, size_t error_size)
{
	int result = load_layer(knowledge, directory, 0, error, error_size);

	if (result == 0 && override_directory && override_directory[0] != '\0') {
		if (!is_directory(override_directory)) {
			snprintf(error, error_size,
				"%s: cannot be read: %s; create it or clear "
				"data.override_directory",
				override_directory, strerror(errno));
			return -ENOENT;
		}
		result = load_layer(knowledge, override_directory, 1, error, error_size);
	}
	if (result == 0)
		result = knowledge_resolve(knowledge, error, error_size);
	if (result == 0)
		result = knowledge_compile(knowledge, error, error_size);
	return result;
}

struct knowledge *
knowledge_load(
	const char *directory, const char *override_directory, char *error, size_t error_size)
{
	struct knowledge *knowledge = calloc(1, sizeof(*knowledge));

	if (!knowledge) {
		snprintf(error, error_size, "%s: out of memory", directory);
		return NULL;
	}
	knowledge->vendors.size = sizeof(struct vendor_row);
	knowledge->ouis.size = sizeof(struct oui_row);
	knowledge->domains.size = sizeof(struct domain_row);
	knowledge->patterns.size = sizeof(struct pattern_row);
	error[0] = '\0';
	if (load_all(knowledge, directory, override_directory, error, error_size) != 0) {
		if (error[0] == '\0')
			snprintf(error, error_size, "%s: out of memory", directory);
		knowledge_free(knowledge);
		return NULL;
	}
	return knowledge;
}

void
knowledge_free(struct knowledge *knowledge)
{
	if (!knowledge)
		return;
	for (int i = 0; i < ATTRIBUTE_COUNT; i++)
		hs_free_database(knowledge->matchers[i].database);
	hs_free_database(knowledge->models);
	hs_free_scratch(knowledge->scratch);
	while (knowledge->texts) {
		struct text_chunk *chunk = knowledge->texts;

		knowledge->texts = chunk->next;
		free(chunk->text);
		free(chunk);
	}
	free(knowledge->vendors.rows);
	free(knowledge->ouis.rows);
	free(knowledge->domains.rows);
	free(knowledge->patterns.rows);
	free(knowledge);
}
