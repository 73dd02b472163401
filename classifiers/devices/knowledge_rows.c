/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the data files: what each column may hold. */
#include "classifiers/devices/knowledge_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VENDOR_COLUMNS "id\tname\tbrands\tcountry\tmaker\tstatus\treason\tsource"
#define OUI_COLUMNS    "prefix\tbits\tregistrant\tvendor\tscope\tsource"
#define DOMAIN_COLUMNS "domain\tmatch\tvendor\tpurpose\texclusivity\tweight\tsource"
#define PATTERN_COLUMNS                                                                            \
	"attribute\tmatch\tpattern\tside\tbrand\tmaker\tclass\tclass_weight\tvendor_weight\t"      \
	"meaning\tsource"

/* What a MAC prefix says: who had the hardware made, and of a registrant who sells little but
 * surveillance equipment, that it may be such. Never enough to accuse. */
#define OUI_VENDOR_WEIGHT 3.2f
#define OUI_CLASS_WEIGHT  3.0f

/* Weight levels are log-odds: 0.8 is 2.2 to 1, 3.2 is 25 to 1. A host is a camera at 4.0 more
 * against than for before any fact, so that no fact but a certain one stands alone. */
static const struct {
	const char *name;
	float log_odds;
} levels[] = {
	{"-", 0},
	{"hint", 0.3f},
	{"weak", 0.8f},
	{"medium", 1.6f},
	{"strong", 3.2f},
	{"decisive", 5.0f},
	{"certain", 7.0f},
};

static const struct {
	const char *name;
	uint8_t kind;
	bool caseless;
} match_kinds[] = {
	{"exact", MATCH_EXACT, false},
	{"exact-i", MATCH_EXACT, true},
	{"prefix", MATCH_PREFIX, false},
	{"prefix-i", MATCH_PREFIX, true},
	{"contains", MATCH_CONTAINS, false},
	{"contains-i", MATCH_CONTAINS, true},
	{"regex", MATCH_REGEX, false},
	{"regex-i", MATCH_REGEX, true},
};

static int
out_of_memory(const struct tsv *tsv)
{
	tsv_error(tsv, "out of memory");
	return -ENOMEM;
}

static struct row_origin
origin(const struct tsv *tsv, unsigned layer)
{
	return (struct row_origin){.file = tsv->name, .line = tsv->line, .layer = layer};
}

static int
take_level(const struct tsv *tsv, const char *text, float *log_odds)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, text) == 0) {
			*log_odds = levels[i].log_odds;
			return 0;
		}
	return tsv_error(tsv,
		"unknown weight '%s'; use -, hint, weak, medium, strong, decisive or certain",
		text);
}

/* "-" is the empty value in every file. */
static const char *
field(const char *text)
{
	return strcmp(text, "-") == 0 ? "" : text;
}

static int
take_vendor_id(const struct tsv *tsv, const char *text, const char **id)
{
	const char *value = field(text);
	size_t length = strlen(value);

	if (length >= VENDOR_ID_SIZE ||
		strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		return tsv_error(tsv, "'%.40s' is no vendor id; use up to %d of a-z, 0-9 and '-'",
			text, VENDOR_ID_SIZE - 1);
	*id = value;
	return 0;
}

static int
take_source(
	struct knowledge *knowledge, const struct tsv *tsv, const char *text, const char **source)
{
	char *cited = NULL;

	if (field(text)[0] == '\0')
		return tsv_error(tsv, "no source; name the public document that says so");
	if (asprintf(&cited, "%s:%u %s", tsv->name, tsv->line, text) < 0)
		return out_of_memory(tsv);
	*source = knowledge_keep(knowledge, cited);
	return *source ? 0 : out_of_memory(tsv);
}

static int
read_vendor(struct knowledge *knowledge, struct tsv *tsv, unsigned layer)
{
	struct vendor_row *row = row_add(&knowledge->vendors);
	char **fields = tsv->fields;
	int result;

	if (!row)
		return out_of_memory(tsv);
	row->origin = origin(tsv, layer);
	result = take_vendor_id(tsv, fields[0], &row->vendor.id);
	if (result == 0 && row->vendor.id[0] == '\0')
		return tsv_error(tsv, "no id; every vendor needs one");
	if (result == 0)
		result = strcmp(fields[4], "self") == 0
				 ? (row->vendor.maker = row->vendor.id, 0)
				 : take_vendor_id(tsv, fields[4], &row->vendor.maker);
	if (result == 0)
		result = take_source(knowledge, tsv, fields[7], &row->vendor.source);
	if (result != 0)
		return result;
	row->vendor.name = fields[1];
	row->vendor.reason = field(fields[6]);
	row->vendor.status = vendor_status_by_name(fields[5]);
	if (row->vendor.status == STATUS_UNKNOWN && strcmp(fields[5], "unknown") != 0)
		return tsv_error(tsv,
			"unknown status '%.40s'; use restricted, restricted-prc, review, allowed "
			"or "
			"unknown",
			fields[5]);
	return 0;
}

static int
take_prefix(const struct tsv *tsv, const char *text, const char *bits_text, struct oui_row *row)
{
	unsigned digits = 0;

	row->bits = (uint8_t)atoi(bits_text);
	if (row->bits != 24 && row->bits != 28 && row->bits != 36)
		return tsv_error(
			tsv, "bits '%.40s'; a registry prefix has 24, 28 or 36", bits_text);
	for (const char *at = text; *at; at++) {
		if (*at == ':' || *at == '-')
			continue;
		if (!isxdigit((unsigned char)*at) || digits == 12)
			return tsv_error(
				tsv, "'%.40s' is no MAC prefix; write it as aa:bb:cc", text);
		row->prefix = row->prefix << 4 |
			      (uint64_t)(isdigit((unsigned char)*at)
						 ? *at - '0'
						 : tolower((unsigned char)*at) - 'a' + 10);
		digits++;
	}
	if (digits * 4 != row->bits)
		return tsv_error(tsv, "'%.40s' has %u bits, not %u", text, digits * 4, row->bits);
	row->prefix <<= 48 - row->bits;
	return 0;
}

static int
read_oui(struct knowledge *knowledge, struct tsv *tsv, unsigned layer)
{
	struct oui_row *row = row_add(&knowledge->ouis);
	const char *scope = tsv->fields[4];
	int result;

	if (!row)
		return out_of_memory(tsv);
	row->origin = origin(tsv, layer);
	row->fingerprint = (struct fingerprint){
		.attribute = ATTRIBUTE_OUI, .maker = "", .meaning = tsv->fields[2]};
	result = take_prefix(tsv, tsv->fields[0], tsv->fields[1], row);
	if (result == 0)
		result = take_vendor_id(tsv, tsv->fields[3], &row->fingerprint.brand);
	if (result == 0)
		result = take_source(knowledge, tsv, tsv->fields[5], &row->fingerprint.source);
	if (result != 0)
		return result;
	row->fingerprint.weight_vendor = row->fingerprint.brand[0] ? OUI_VENDOR_WEIGHT : 0;
	if (strcmp(scope, "camera") == 0) {
		row->fingerprint.device_class = DEVICE_CAMERA;
		row->fingerprint.any_video = true;
		row->fingerprint.weight_class = OUI_CLASS_WEIGHT;
	} else if (strcmp(scope, "mixed") != 0 && strcmp(scope, "module") != 0)
		return tsv_error(tsv, "unknown scope '%.40s'; use camera, mixed or module", scope);
	return 0;
}

static int
read_domain(struct knowledge *knowledge, struct tsv *tsv, unsigned layer)
{
	static const char *const exclusivities[] = {
		"vendor", "family", "vendor-wide", "platform", "shared"};
	struct domain_row *row = row_add(&knowledge->domains);
	char **fields = tsv->fields;
	bool known = false;
	float weight = 0;
	int result;

	if (!row)
		return out_of_memory(tsv);
	row->origin = origin(tsv, layer);
	row->domain = fields[0];
	row->fingerprint = (struct fingerprint){
		.attribute = ATTRIBUTE_DNS_QUERY, .any_side = true, .meaning = fields[3]};
	if (fields[0][0] == '\0' || fields[0][0] == '.' || strlen(fields[0]) > 253 ||
		fields[0][strspn(fields[0], "abcdefghijklmnopqrstuvwxyz0123456789.-_")] != '\0')
		return tsv_error(tsv, "'%.60s' is no domain; write it in lower case", fields[0]);
	row->subdomains = strcmp(fields[1], "suffix") == 0;
	if (!row->subdomains && strcmp(fields[1], "exact") != 0)
		return tsv_error(tsv, "unknown match '%.40s'; use suffix or exact", fields[1]);
	for (size_t i = 0; i < sizeof(exclusivities) / sizeof(exclusivities[0]); i++)
		known = known || strcmp(exclusivities[i], fields[4]) == 0;
	if (!known)
		return tsv_error(tsv,
			"unknown exclusivity '%.40s'; use vendor, family, vendor-wide, platform or "
			"shared",
			fields[4]);
	result = take_vendor_id(tsv, fields[2], &row->fingerprint.brand);
	if (result == 0)
		result = take_level(tsv, fields[5], &weight);
	if (result == 0)
		result = take_source(knowledge, tsv, fields[6], &row->fingerprint.source);
	if (result != 0)
		return result;
	/* The name of a whole maker's cloud says who made the unit, not its label. */
	row->fingerprint.maker = strcmp(fields[4], "family") == 0 ? row->fingerprint.brand : "";
	if (row->fingerprint.maker[0])
		row->fingerprint.brand = "";
	row->fingerprint.weight_vendor = weight;
	if (strcmp(fields[4], "vendor") == 0 || strcmp(fields[4], "family") == 0) {
		row->fingerprint.device_class = DEVICE_CAMERA;
		row->fingerprint.any_video = true;
		row->fingerprint.weight_class = weight;
	}
	return 0;
}

static int
take_match(const struct tsv *tsv, const char *text, struct pattern_row *row)
{
	for (size_t i = 0; i < sizeof(match_kinds) / sizeof(match_kinds[0]); i++)
		if (strcmp(match_kinds[i].name, text) == 0) {
			row->kind = match_kinds[i].kind;
			row->caseless = match_kinds[i].caseless;
			return 0;
		}
	return tsv_error(tsv,
		"unknown match '%.40s'; use exact, prefix, contains or regex, with -i to ignore "
		"case",
		text);
}

static int
take_class(const struct tsv *tsv, const char *text, struct fingerprint *fingerprint)
{
	fingerprint->any_video = strcmp(text, "video") == 0;
	fingerprint->device_class =
		fingerprint->any_video ? DEVICE_CAMERA : device_class_by_name(text);
	if (fingerprint->device_class == DEVICE_UNKNOWN && field(text)[0] != '\0')
		return tsv_error(tsv,
			"unknown class '%.40s'; use video, camera, recorder, doorbell, viewer, "
			"other "
			"or -",
			text);
	return 0;
}

static int
take_side(const struct tsv *tsv, const char *text, struct fingerprint *fingerprint)
{
	fingerprint->any_side = strcmp(text, "any") == 0;
	fingerprint->of_tool = strcmp(text, "tool") == 0;
	if (!fingerprint->any_side && !fingerprint->of_tool && strcmp(text, "device") != 0)
		return tsv_error(tsv, "unknown side '%.40s'; use device, tool or any", text);
	return 0;
}

/* Everything of a pattern row but its attribute. */
static int
take_pattern(struct knowledge *knowledge, const struct tsv *tsv, struct pattern_row *row)
{
	struct fingerprint *fingerprint = &row->fingerprint;
	char *const *fields = tsv->fields;
	int result = take_match(tsv, fields[1], row);

	row->pattern = fields[2];
	row->length = strlen(row->pattern);
	/* Without an operator it is a literal, which need not be compiled. Rows on model names are
	 * all compiled: there it matters where they match. */
	if (row->kind == MATCH_REGEX &&
		row->pattern[strcspn(row->pattern, ".^$*+?()[]{}|\\")] == '\0')
		row->kind = MATCH_CONTAINS;
	if (result == 0 && fields[2][0] == '\0')
		result = tsv_error(tsv, "no pattern; an empty one would match everything");
	if (result == 0)
		result = take_side(tsv, fields[3], fingerprint);
	if (result == 0)
		result = take_vendor_id(tsv, fields[4], &fingerprint->brand);
	if (result == 0)
		result = take_vendor_id(tsv, fields[5], &fingerprint->maker);
	if (result == 0)
		result = take_class(tsv, fields[6], fingerprint);
	if (result == 0)
		result = take_level(tsv, fields[7], &fingerprint->weight_class);
	if (result == 0)
		result = take_level(tsv, fields[8], &fingerprint->weight_vendor);
	if (result == 0)
		result = take_source(knowledge, tsv, fields[10], &fingerprint->source);
	if (result != 0)
		return result;
	fingerprint->meaning = fields[9];
	if ((fingerprint->device_class == DEVICE_UNKNOWN) != (fingerprint->weight_class == 0))
		return tsv_error(tsv, "a class needs a class_weight, and the other way round");
	if (!fingerprint->brand[0] && !fingerprint->maker[0] && fingerprint->weight_vendor > 0)
		return tsv_error(tsv, "a vendor_weight needs a brand or a maker");
	return 0;
}

static int
add_pattern(struct knowledge *knowledge, const struct tsv *tsv, const struct pattern_row *row,
	int attribute)
{
	struct pattern_row *added = row_add(&knowledge->patterns);

	if (!added)
		return out_of_memory(tsv);
	*added = *row;
	added->fingerprint.attribute = (enum evidence_attribute)attribute;
	return 0;
}

static int
read_pattern(struct knowledge *knowledge, struct tsv *tsv, unsigned layer)
{
	struct pattern_row row = {.origin = origin(tsv, layer)};
	char *names = tsv->fields[0];
	int result = take_pattern(knowledge, tsv, &row);

	if (result != 0)
		return result;
	row.group = strcmp(names, "model.*") == 0  ? GROUP_MODELS
		    : strcmp(names, "name.*") == 0 ? GROUP_NAMES
						   : GROUP_NONE;
	if (row.group != GROUP_NONE)
		return add_pattern(knowledge, tsv, &row, ATTRIBUTE_COUNT + row.group - 1);
	while (names && result == 0) {
		const char *name = strsep(&names, ",");
		enum evidence_attribute attribute = evidence_attribute_by_name(name);

		if (attribute == ATTRIBUTE_COUNT)
			return tsv_error(tsv,
				"unknown attribute '%.40s'; the list is in "
				"dataplane/records/evidence.h",
				name);
		result = add_pattern(knowledge, tsv, &row, (int)attribute);
	}
	return result;
}

static const struct {
	const char *columns;
	size_t count;
	int (*read)(struct knowledge *knowledge, struct tsv *tsv, unsigned layer);
} kinds[] = {
	{VENDOR_COLUMNS, 8, read_vendor},
	{OUI_COLUMNS, 6, read_oui},
	{DOMAIN_COLUMNS, 7, read_domain},
	{PATTERN_COLUMNS, 11, read_pattern},
};

static bool
header_is(const struct tsv *tsv, const char *columns)
{
	for (size_t i = 0; i < tsv->field_count; i++) {
		size_t length = strcspn(columns, "\t");

		if (strlen(tsv->fields[i]) != length ||
			strncmp(tsv->fields[i], columns, length) != 0)
			return false;
		columns += length + (columns[length] == '\t');
	}
	return *columns == '\0';
}

int
knowledge_read_rows(struct knowledge *knowledge, struct tsv *tsv, unsigned layer)
{
	size_t kind = 0;
	int result = tsv_next(tsv); /* the header */

	if (result < 0)
		return result;
	while (kind < sizeof(kinds) / sizeof(kinds[0]) &&
		(result == 0 || !header_is(tsv, kinds[kind].columns)))
		kind++;
	if (kind == sizeof(kinds) / sizeof(kinds[0]))
		return tsv_error(tsv,
			"the first line must name the columns of vendors, ouis, domains "
			"or fingerprints; copy it from a shipped file");
	for (result = tsv_next(tsv); result == 1; result = tsv_next(tsv)) {
		if (tsv->field_count != kinds[kind].count)
			return tsv_error(tsv,
				"%zu fields where there must be %zu; use - for an empty one",
				tsv->field_count, kinds[kind].count);
		result = kinds[kind].read(knowledge, tsv, layer);
		if (result != 0)
			return result;
	}
	return result;
}
