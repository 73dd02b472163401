/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML file as a document of bounded size. Private to config/. */
#ifndef CAMSPAN_CONFIG_SOURCE_H
#define CAMSPAN_CONFIG_SOURCE_H

#include <stddef.h>
#include <yaml.h>

/* Reads and parses the one document of a file. Returns 0 (the caller deletes the document), or
 * -errno with one line in `error`. An empty file gives a document without root. */
int source_read(const char *path, yaml_document_t *document, char *error, size_t error_size);

/* Writes "file:line: key: what" as one line of printable characters; line 0: "file: what". */
void source_message(char *error, size_t error_size, const char *file, size_t line, const char *key,
	const char *what);

#endif
