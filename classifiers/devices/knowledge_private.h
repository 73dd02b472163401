/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded tables; shared by the files that load, compile and search them. */
#ifndef CAMSPAN_KNOWLEDGE_PRIVATE_H
#define CAMSPAN_KNOWLEDGE_PRIVATE_H

#include "classifiers/devices/knowledge.h"
#include "classifiers/devices/tsv.h"

#include <hs/hs.h>

/* Where a row came from. Rows of the operator's layer win over shipped rows of the same key. */
struct row_origin {
	const char *file;
	unsigned line;
	unsigned layer;
};

struct vendor_row {
	struct vendor vendor;
	struct row_origin origin;
};

struct oui_row {
	uint64_t prefix; /* left-aligned in 48 bits */
	uint8_t bits;
	struct fingerprint fingerprint;
	struct row_origin origin;
};

struct domain_row {
	const char *domain;
	bool subdomains;
	struct fingerprint fingerprint;
	struct row_origin origin;
};

enum match_kind { MATCH_EXACT, MATCH_PREFIX, MATCH_CONTAINS, MATCH_REGEX };

/* Rows about model names hold for a group of attributes: their fingerprint's attribute is
 * ATTRIBUTE_COUNT plus the group less one. */
enum pattern_group {
	GROUP_NONE,
	GROUP_MODELS, /* "model.*": fields that hold a model */
	GROUP_NAMES,  /* "name.*": those, and free text in which one occurs */
};

struct pattern_row {
	const char *pattern;
	size_t length;
	uint8_t kind; /* enum match_kind */
	bool caseless;
	uint8_t group; /* enum pattern_group */
	struct fingerprint fingerprint;
	struct row_origin origin;
};

struct text_chunk {
	struct text_chunk *next;
	char *text;
};

struct row_array {
	void *rows;
	size_t count;
	size_t room;
	size_t size; /* of one row */
};

struct attribute_matcher {
	hs_database_t *database; /* of its regular expressions, NULL none */
	size_t first;            /* its rows in knowledge.patterns */
	size_t count;
};

#define MODEL_ROWS_MAX 512

struct knowledge {
	struct row_array vendors;  /* struct vendor_row, by id */
	struct row_array ouis;     /* struct oui_row, by bits and prefix */
	struct row_array domains;  /* struct domain_row, by domain */
	struct row_array patterns; /* struct pattern_row, by attribute */
	size_t first_model;        /* of patterns: from here on rows of a group */
	struct attribute_matcher matchers[ATTRIBUTE_COUNT];
	/* Model names in fields that hold one, and in free text. They tell where a match begins. */
	hs_database_t *models;
	hs_scratch_t *scratch;
	struct text_chunk *texts;
};

/* Keeps `text` (malloc'd) for the life of `knowledge`; returns it, NULL when memory is short. */
const char *knowledge_keep(struct knowledge *knowledge, char *text);
/* A zeroed row at the end of the array, NULL when memory is short. */
void *row_add(struct row_array *array);

/* knowledge_rows.c: reads one opened file of any kind, told by its header. */
int knowledge_read_rows(struct knowledge *knowledge, struct tsv *tsv, unsigned layer);
/* knowledge_resolve.c: sorts the tables, applies the operator's rows, checks what refers to what.
 */
int knowledge_resolve(struct knowledge *knowledge, char *error, size_t error_size);
/* knowledge_match.c */
int knowledge_compile(struct knowledge *knowledge, char *error, size_t error_size);

#endif
