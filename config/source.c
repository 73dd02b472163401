/* SPDX-License-Identifier: Apache-2.0 */
#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX (1024 * 1024)
#define DEPTH_MAX     16  /* the schema needs 5 */
#define ANCHORS_MAX   256 /* libyaml's look-up of an alias is linear */

struct source {
	const char *path;
	unsigned char *bytes;
	size_t length;
	char *error;
	size_t error_size;
};

void
source_message(char *error, size_t error_size, const char *file, size_t line, const char *key,
	const char *what)
{
	if (line == 0)
		snprintf(error, error_size, "%s: %s", file, what);
	else
		snprintf(error, error_size, "%s:%zu: %s: %s", file, line, key, what);
	for (char *c = error; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static int
cannot_read(struct source *source, int code)
{
	char what[160];

	snprintf(what, sizeof(what), "cannot be read: %s; %s", strerror(code),
		code == EISDIR ? "name the file in it" : "check the path and its permissions");
	source_message(source->error, source->error_size, source->path, 0, "", what);
	return -code;
}

static int
read_file(struct source *source)
{
	struct stat status;
	ssize_t got = 0;
	int fd = open(source->path, O_RDONLY | O_CLOEXEC);
	int code = 0;

	if (fd < 0)
		return cannot_read(source, errno);
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		code = EISDIR;
	while (code == 0 && source->length <= FILE_SIZE_MAX) {
		got = read(fd, source->bytes + source->length, FILE_SIZE_MAX + 1 - source->length);
		if (got < 0 && errno != EINTR)
			code = errno;
		if (got == 0)
			break;
		if (got > 0)
			source->length += (size_t)got;
	}
	close(fd);
	if (code != 0)
		return cannot_read(source, code);
	if (source->length <= FILE_SIZE_MAX)
		return 0;
	source_message(source->error, source->error_size, source->path, 0, "",
		"is larger than 1 MiB; is this the configuration?");
	return -EFBIG;
}

static size_t
line_at(const struct source *source, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < source->length; i++)
		line += source->bytes[i] == '\n';
	return line;
}

static int
syntax_error(struct source *source, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "cannot be parsed";
	char what[256];

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR) {
		snprintf(what, sizeof(what), "%s; save the file as plain UTF-8 text", problem);
		source_message(source->error, source->error_size, source->path,
			line_at(source, parser->problem_offset), "YAML", what);
		return -EINVAL;
	}
	snprintf(what, sizeof(what),
		"%s%s%s; check indentation (blanks, no tabs), quotes and "
		"brackets here and just above",
		parser->context ? parser->context : "", parser->context ? ", " : "", problem);
	source_message(source->error, source->error_size, source->path,
		parser->problem_mark.line + 1, "YAML", what);
	return -EINVAL;
}

static int
too_much(struct source *source, const yaml_event_t *event, const char *what)
{
	source_message(source->error, source->error_size, source->path, event->start_mark.line + 1,
		"YAML", what);
	return -EINVAL;
}

/* Refuses what a configuration never needs before a document is built from it. */
static int
check_event(
	struct source *source, const yaml_event_t *event, int *depth, int *anchors, int *documents)
{
	bool anchored = false;

	switch (event->type) {
	case YAML_MAPPING_START_EVENT:
		anchored = event->data.mapping_start.anchor != NULL;
		++*depth;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchored = event->data.sequence_start.anchor != NULL;
		++*depth;
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		--*depth;
		break;
	case YAML_SCALAR_EVENT:
		anchored = event->data.scalar.anchor != NULL;
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return too_much(source, event,
				"a second document begins; keep one document in the file");
		break;
	default:
		break;
	}
	*anchors += anchored;
	if (*depth > DEPTH_MAX)
		return too_much(source, event, "is nested too deep; no setting is");
	if (*anchors > ANCHORS_MAX)
		return too_much(source, event, "has too many anchors; write the values out");
	return 0;
}

static void
start_parser(struct source *source, yaml_parser_t *parser)
{
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, source->bytes, source->length);
}

static int
check_events(struct source *source)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int depth = 0, anchors = 0, documents = 0, result = 0;
	bool end = false;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	start_parser(source, &parser);
	while (!end && result == 0) {
		if (!yaml_parser_parse(&parser, &event)) {
			result = syntax_error(source, &parser);
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		result = check_event(source, &event, &depth, &anchors, &documents);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return result;
}

static int
parse(struct source *source, yaml_document_t *document)
{
	yaml_parser_t parser;
	int result = check_events(source);

	if (result != 0)
		return result;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	start_parser(source, &parser);
	if (!yaml_parser_load(&parser, document))
		result = syntax_error(source, &parser);
	yaml_parser_delete(&parser);
	return result;
}

int
source_read(const char *path, yaml_document_t *document, char *error, size_t error_size)
{
	struct source source = {.path = path, .error = error, .error_size = error_size};
	int result;

	source.bytes = malloc(FILE_SIZE_MAX + 1);
	result = source.bytes ? read_file(&source) : -ENOMEM;
	if (result == 0)
		result = parse(&source, document);
	if (result == -ENOMEM)
		snprintf(error, error_size, "%s: out of memory", path);
	free(source.bytes);
	return result;
}
