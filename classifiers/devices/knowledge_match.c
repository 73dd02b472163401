/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns on values. Regular expressions are compiled into one Hyperscan database per attribute
 * when the data is loaded; literals are compared as they are, which keeps start-up short. */
#include "classifiers/devices/knowledge_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t model_attributes[] = {
	ATTRIBUTE_ONVIF_MODEL,
	ATTRIBUTE_SADP_MODEL,
	ATTRIBUTE_DHIP_MODEL,
	ATTRIBUTE_PROTOCOL_MODEL,
	ATTRIBUTE_WSD_SCOPE_HARDWARE,
	ATTRIBUTE_UPNP_MODEL,
};

static const uint8_t name_attributes[] = {
	ATTRIBUTE_DHCP_HOSTNAME,
	ATTRIBUTE_DHCP_VENDOR_CLASS,
	ATTRIBUTE_MDNS_HOST,
	ATTRIBUTE_MDNS_INSTANCE,
	ATTRIBUTE_MDNS_TXT,
	ATTRIBUTE_SSDP_SERVER,
	ATTRIBUTE_SSDP_USN,
	ATTRIBUTE_SSDP_TYPE,
	ATTRIBUTE_UPNP_FRIENDLY_NAME,
	ATTRIBUTE_UPNP_DEVICE_TYPE,
	ATTRIBUTE_WSD_SCOPE_NAME,
	ATTRIBUTE_HTTP_SERVER,
	ATTRIBUTE_HTTP_REALM,
	ATTRIBUTE_HTTP_TITLE,
	ATTRIBUTE_RTSP_SERVER,
	ATTRIBUTE_RTSP_REALM,
	ATTRIBUTE_SDP_SESSION,
	ATTRIBUTE_BANNER,
};

static bool
is_among(const uint8_t *attributes, size_t count, uint8_t attribute)
{
	return memchr(attributes, attribute, count) != NULL;
}

static bool
holds_model(const struct evidence *evidence)
{
	return is_among(model_attributes, sizeof(model_attributes), evidence->attribute);
}

static bool
holds_name(const struct evidence *evidence)
{
	return is_among(name_attributes, sizeof(name_attributes), evidence->attribute);
}

/* A literal as a regular expression, anchored as its kind asks. The caller frees it. */
static char *
expression_of(const struct pattern_row *row)
{
	size_t length = strlen(row->pattern);
	char *text = malloc(length * 4 + 3);
	size_t used = 0;

	if (!text || row->kind == MATCH_REGEX) {
		if (text)
			memcpy(text, row->pattern, length + 1);
		return text;
	}
	if (row->kind != MATCH_CONTAINS)
		text[used++] = '^';
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)row->pattern[i];

		if (isalnum(byte))
			text[used++] = (char)byte;
		else
			used += (size_t)sprintf(text + used, "\\x%02x", byte);
	}
	if (row->kind == MATCH_EXACT)
		text[used++] = '$';
	text[used] = '\0';
	return text;
}

struct compilation {
	char **expressions;
	unsigned *flags;
	unsigned *ids;
	const struct pattern_row **rows;
	unsigned count;
};

static void
compilation_free(struct compilation *work)
{
	for (unsigned i = 0; i < work->count; i++)
		free(work->expressions[i]);
	free(work->expressions);
	free(work->flags);
	free(work->ids);
	free(work->rows);
}

static int
compilation_init(struct compilation *work, size_t room)
{
	*work = (struct compilation){
		.expressions = calloc(room, sizeof(char *)),
		.flags = calloc(room, sizeof(unsigned)),
		.ids = calloc(room, sizeof(unsigned)),
		.rows = calloc(room, sizeof(struct pattern_row *)),
	};
	return work->expressions && work->flags && work->ids && work->rows ? 0 : -ENOMEM;
}

static int
compilation_add(struct compilation *work, const struct pattern_row *row, unsigned flags)
{
	char *expression = expression_of(row);

	if (!expression)
		return -ENOMEM;
	work->expressions[work->count] = expression;
	work->flags[work->count] = flags | HS_FLAG_DOTALL | (row->caseless ? HS_FLAG_CASELESS : 0);
	work->ids[work->count] = work->count;
	work->rows[work->count] = row;
	work->count++;
	return 0;
}

static int
compilation_build(
	const struct compilation *work, hs_database_t **database, char *error, size_t error_size)
{
	hs_compile_error_t *failure = NULL;
	hs_error_t result;

	if (work->count == 0)
		return 0;
	result = hs_compile_multi((const char *const *)work->expressions, work->flags, work->ids,
		work->count, HS_MODE_BLOCK, NULL, database, &failure);
	if (result == HS_SUCCESS)
		return 0;
	if (failure && failure->expression >= 0) {
		const struct pattern_row *row = work->rows[failure->expression];

		snprintf(error, error_size,
			"%s:%u: pattern does not compile: %s; write it in Hyperscan's subset of "
			"PCRE",
			row->origin.file, row->origin.line, failure->message);
	} else
		snprintf(error, error_size, "patterns do not compile: %s",
			failure ? failure->message : "out of memory");
	hs_free_compile_error(failure);
	return -EINVAL;
}

static int
compile_attribute(
	struct knowledge *knowledge, size_t first, size_t count, char *error, size_t error_size)
{
	const struct pattern_row *rows = knowledge->patterns.rows;
	struct attribute_matcher *matcher = &knowledge->matchers[rows[first].fingerprint.attribute];
	struct compilation work;
	int result = compilation_init(&work, count);

	matcher->first = first;
	matcher->count = count;
	for (size_t i = 0; i < count && result == 0; i++) {
		if (rows[first + i].kind != MATCH_REGEX)
			continue;
		result = compilation_add(&work, &rows[first + i], HS_FLAG_SINGLEMATCH);
		if (result == 0)
			work.ids[work.count - 1] = (unsigned)i;
	}
	if (result == 0)
		result = compilation_build(&work, &matcher->database, error, error_size);
	if (result == 0 && matcher->database &&
		hs_alloc_scratch(matcher->database, &knowledge->scratch) != HS_SUCCESS)
		result = -ENOMEM;
	compilation_free(&work);
	return result;
}

static int
compile_models(struct knowledge *knowledge, char *error, size_t error_size)
{
	const struct pattern_row *rows = knowledge->patterns.rows;
	struct compilation work;
	int result = compilation_init(&work, MODEL_ROWS_MAX);

	for (size_t i = knowledge->first_model; i < knowledge->patterns.count && result == 0; i++)
		result = compilation_add(&work, &rows[i], HS_FLAG_SOM_LEFTMOST);
	if (result == 0)
		result = compilation_build(&work, &knowledge->models, error, error_size);
	if (result == 0 && knowledge->models &&
		hs_alloc_scratch(knowledge->models, &knowledge->scratch) != HS_SUCCESS)
		result = -ENOMEM;
	compilation_free(&work);
	return result;
}

int
knowledge_compile(struct knowledge *knowledge, char *error, size_t error_size)
{
	const struct pattern_row *rows = knowledge->patterns.rows;
	size_t first = 0;
	int result = 0;

	while (first < knowledge->patterns.count && rows[first].group == GROUP_NONE &&
		result == 0) {
		size_t end = first;

		while (end < knowledge->patterns.count &&
			rows[end].fingerprint.attribute == rows[first].fingerprint.attribute)
			end++;
		result = compile_attribute(knowledge, first, end - first, error, error_size);
		first = end;
	}
	if (result != 0)
		return result;
	knowledge->first_model = first; /* sorted after every attribute */
	if (knowledge->patterns.count - first > MODEL_ROWS_MAX) {
		snprintf(error, error_size, "%s:%u: more than %d rows with model names; merge some",
			rows[first].origin.file, rows[first].origin.line, MODEL_ROWS_MAX);
		return -E2BIG;
	}
	return compile_models(knowledge, error, error_size);
}

struct match_call {
	const struct pattern_row *rows;
	uint8_t least_group; /* enum pattern_group: a name in free text is one in a model's field
				too */
	const struct evidence *evidence;
	void (*matched)(void *context, const struct fingerprint *fingerprint);
	void *context;
	uint64_t seen[MODEL_ROWS_MAX / 64]; /* a row may match at several ends: it counts once */
};

static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	const struct match_call *call = context;
	const struct fingerprint *fingerprint = &call->rows[id].fingerprint;
	bool tool = call->evidence->side == SIDE_TOOL;

	(void)from;
	(void)to;
	(void)flags;
	if (fingerprint->any_side || fingerprint->of_tool == tool)
		call->matched(call->context, fingerprint);
	return 0;
}

static int
on_model_row(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct match_call *call = context;
	uint64_t bit = UINT64_C(1) << (id % 64);

	if ((call->seen[id / 64] & bit) || call->rows[id].group < call->least_group)
		return 0;
	call->seen[id / 64] |= bit;
	return on_match(id, from, to, flags, context);
}

static void
match_model_rows(const struct knowledge *knowledge, struct match_call *call)
{
	const struct pattern_row *rows = knowledge->patterns.rows;
	const struct evidence *evidence = call->evidence;
	bool whole_field = holds_model(evidence);

	if (!knowledge->models || (!whole_field && !holds_name(evidence)))
		return;
	call->rows = rows + knowledge->first_model;
	call->least_group = whole_field ? GROUP_MODELS : GROUP_NAMES;
	hs_scan(knowledge->models, evidence->value,
		(unsigned)strnlen(evidence->value, EVIDENCE_VALUE_SIZE), 0, knowledge->scratch,
		on_model_row, call);
}

static bool
literal_at(const struct pattern_row *row, const char *value)
{
	return row->caseless ? strncasecmp(value, row->pattern, row->length) == 0
			     : strncmp(value, row->pattern, row->length) == 0;
}

static bool
literal_matches(const struct pattern_row *row, const char *value)
{
	if (row->kind == MATCH_CONTAINS)
		return (row->caseless ? strcasestr(value, row->pattern)
				      : strstr(value, row->pattern)) != NULL;
	return literal_at(row, value) && (row->kind == MATCH_PREFIX || value[row->length] == '\0');
}

static void
match_literals(const struct attribute_matcher *matcher, struct match_call *call)
{
	char value[EVIDENCE_VALUE_SIZE];

	snprintf(value, sizeof(value), "%.*s", EVIDENCE_VALUE_SIZE - 1, call->evidence->value);
	for (size_t i = 0; i < matcher->count; i++)
		if (call->rows[i].kind != MATCH_REGEX && literal_matches(&call->rows[i], value))
			on_match((unsigned)i, 0, 0, 0, call);
}

static const struct domain_row *
find_domain(const struct knowledge *knowledge, const char *domain)
{
	const struct domain_row *rows = knowledge->domains.rows;
	size_t low = 0;
	size_t high = knowledge->domains.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(domain, rows[middle].domain);

		if (order == 0)
			return &rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The longest listed name that the value is or ends in; a label boundary must stand before it. */
static const struct domain_row *
match_domain(const struct knowledge *knowledge, const struct evidence *evidence)
{
	char name[EVIDENCE_VALUE_SIZE];
	size_t length = 0;

	while (length < sizeof(name) - 1 && evidence->value[length] != '\0' &&
		evidence->value[length] != ':') {
		name[length] = (char)tolower((unsigned char)evidence->value[length]);
		length++;
	}
	if (length > 0 && name[length - 1] == '.')
		length--;
	name[length] = '\0';
	for (const char *at = name; at && *at;) {
		const struct domain_row *row = find_domain(knowledge, at);

		if (row && (row->subdomains || at == name))
			return row;
		at = strchr(at, '.');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

void
knowledge_match(const struct knowledge *knowledge, const struct evidence *evidence,
	void (*matched)(void *context, const struct fingerprint *fingerprint), void *context)
{
	const struct pattern_row *rows = knowledge->patterns.rows;
	struct match_call call = {.evidence = evidence, .matched = matched, .context = context};
	const struct attribute_matcher *matcher;

	if (evidence->attribute >= ATTRIBUTE_COUNT)
		return;
	if (evidence->attribute == ATTRIBUTE_DNS_QUERY ||
		evidence->attribute == ATTRIBUTE_TLS_SNI ||
		evidence->attribute == ATTRIBUTE_HTTP_HOST) {
		const struct domain_row *row = match_domain(knowledge, evidence);

		if (row)
			matched(context, &row->fingerprint);
	}
	matcher = &knowledge->matchers[evidence->attribute];
	call.rows = rows + matcher->first;
	match_literals(matcher, &call);
	if (matcher->database)
		hs_scan(matcher->database, evidence->value,
			(unsigned)strnlen(evidence->value, EVIDENCE_VALUE_SIZE), 0,
			knowledge->scratch, on_match, &call);
	match_model_rows(knowledge, &call);
}

struct span {
	const struct pattern_row *rows;
	uint8_t least_group;
	unsigned long long from;
	unsigned long long to;
};

/* The longest match; of equally long ones the leftmost. */
static int
on_model(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct span *best = context;

	(void)flags;
	if (best->rows[id].group >= best->least_group && to - from > best->to - best->from) {
		best->from = from;
		best->to = to;
	}
	return 0;
}

size_t
knowledge_model(const struct knowledge *knowledge, const struct evidence *evidence, char *model,
	size_t size)
{
	bool whole_field = holds_model(evidence);
	const struct pattern_row *rows = knowledge->patterns.rows;
	size_t length = strnlen(evidence->value, EVIDENCE_VALUE_SIZE);
	struct span span = {.rows = rows + knowledge->first_model,
		.least_group = whole_field ? GROUP_MODELS : GROUP_NAMES};

	if (!whole_field && !holds_name(evidence))
		return 0;
	if (evidence->side != SIDE_DEVICE || size == 0)
		return 0;
	if (knowledge->models)
		hs_scan(knowledge->models, evidence->value, (unsigned)length, 0, knowledge->scratch,
			on_model, &span);
	/* A field for the model is believed even where no row knows the model. */
	if (span.to == span.from && whole_field)
		span.to = length;
	length = (size_t)(span.to - span.from);
	if (length >= size)
		length = size - 1;
	memcpy(model, evidence->value + span.from, length);
	model[length] = '\0';
	return length;
}
