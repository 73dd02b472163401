/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the tables, lets the operator's rows win, and checks that what is referred to exists. */
#include "classifiers/devices/knowledge_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_origin(const struct row_origin *a, const struct row_origin *b)
{
	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int
vendor_key(const void *a, const void *b)
{
	return strcmp(((const struct vendor_row *)a)->vendor.id,
		((const struct vendor_row *)b)->vendor.id);
}

static int
oui_key(const void *a, const void *b)
{
	const struct oui_row *x = a;
	const struct oui_row *y = b;

	if (x->bits != y->bits)
		return x->bits > y->bits ? -1 : 1;
	return x->prefix < y->prefix ? -1 : x->prefix > y->prefix;
}

static int
domain_key(const void *a, const void *b)
{
	return strcmp(
		((const struct domain_row *)a)->domain, ((const struct domain_row *)b)->domain);
}

static int
side_of(const struct fingerprint *fingerprint)
{
	return fingerprint->any_side ? 2 : fingerprint->of_tool;
}

static int
pattern_key(const void *a, const void *b)
{
	const struct pattern_row *x = a;
	const struct pattern_row *y = b;
	int order = (int)x->fingerprint.attribute - (int)y->fingerprint.attribute;

	if (order == 0)
		order = strcmp(x->pattern, y->pattern);
	if (order == 0)
		order = (x->kind * 2 + x->caseless) - (y->kind * 2 + y->caseless);
	return order ? order : side_of(&x->fingerprint) - side_of(&y->fingerprint);
}

/* One sort order per table: by key, then by origin, so that the row to keep is the last. */
#define ORDER_BY(table)                                                                            \
	static int table##_order(const void *a, const void *b)                                     \
	{                                                                                          \
		int order = table##_key(a, b);                                                     \
		return order ? order                                                               \
			     : compare_origin(&((const struct table##_row *)a)->origin,            \
				       &((const struct table##_row *)b)->origin);                  \
	}
ORDER_BY(vendor)
ORDER_BY(oui)
ORDER_BY(domain)
ORDER_BY(pattern)

struct table {
	struct row_array *array;
	int (*key)(const void *a, const void *b);
	int (*order)(const void *a, const void *b);
	size_t origin_offset;
};

static const struct row_origin *
origin_of(const struct table *table, size_t index)
{
	return (const struct row_origin *)((const char *)table->array->rows +
					   index * table->array->size + table->origin_offset);
}

static int
sort_and_override(const struct table *table, char *error, size_t error_size)
{
	struct row_array *array = table->array;
	char *rows = array->rows;
	size_t kept = 0;

	if (array->count > 0)
		qsort(rows, array->count, array->size, table->order);
	for (size_t i = 0; i < array->count; i++) {
		const struct row_origin *here = origin_of(table, i);
		bool same = i + 1 < array->count &&
			    table->key(rows + i * array->size, rows + (i + 1) * array->size) == 0;

		if (same && here->layer == origin_of(table, i + 1)->layer) {
			const struct row_origin *next = origin_of(table, i + 1);

			snprintf(error, error_size,
				"%s:%u: the same key as %s:%u; delete one of the two rows",
				next->file, next->line, here->file, here->line);
			return -EINVAL;
		}
		if (same)
			continue;
		if (kept != i)
			memcpy(rows + kept * array->size, rows + i * array->size, array->size);
		kept++;
	}
	array->count = kept;
	return 0;
}

static int
check_vendor(const struct knowledge *knowledge, const char *id, const struct row_origin *origin,
	char *error, size_t error_size)
{
	if (id[0] == '\0' || knowledge_vendor(knowledge, id))
		return 0;
	snprintf(error, error_size, "%s:%u: no vendor '%s'; add it to vendors/vendors.tsv",
		origin->file, origin->line, id);
	return -EINVAL;
}

static int
check_fingerprint(const struct knowledge *knowledge, const struct fingerprint *fingerprint,
	const struct row_origin *origin, char *error, size_t error_size)
{
	int result = check_vendor(knowledge, fingerprint->brand, origin, error, error_size);

	if (result == 0)
		result = check_vendor(knowledge, fingerprint->maker, origin, error, error_size);
	return result;
}

/* A prefix or a cloud of a vendor that builds its own hardware says who made the unit. */
static void
name_own_maker(const struct knowledge *knowledge, struct fingerprint *fingerprint)
{
	const struct vendor *vendor = knowledge_vendor(knowledge, fingerprint->brand);

	if (vendor && fingerprint->maker[0] == '\0' && strcmp(vendor->maker, vendor->id) == 0)
		fingerprint->maker = vendor->id;
}

/* A family's cloud is run by the maker behind the name it is listed under. */
static void
name_family_maker(const struct knowledge *knowledge, struct fingerprint *fingerprint)
{
	const struct vendor *vendor = knowledge_vendor(knowledge, fingerprint->maker);

	if (vendor && vendor->maker[0] != '\0')
		fingerprint->maker = vendor->maker;
}

static int
resolve_vendors(struct knowledge *knowledge, char *error, size_t error_size)
{
	struct vendor_row *vendors = knowledge->vendors.rows;
	struct oui_row *ouis = knowledge->ouis.rows;
	struct domain_row *domains = knowledge->domains.rows;
	struct pattern_row *patterns = knowledge->patterns.rows;
	int result = 0;

	for (size_t i = 0; i < knowledge->vendors.count && result == 0; i++)
		result = check_vendor(
			knowledge, vendors[i].vendor.maker, &vendors[i].origin, error, error_size);
	for (size_t i = 0; i < knowledge->ouis.count && result == 0; i++) {
		result = check_fingerprint(
			knowledge, &ouis[i].fingerprint, &ouis[i].origin, error, error_size);
		name_own_maker(knowledge, &ouis[i].fingerprint);
	}
	for (size_t i = 0; i < knowledge->domains.count && result == 0; i++) {
		result = check_fingerprint(
			knowledge, &domains[i].fingerprint, &domains[i].origin, error, error_size);
		name_own_maker(knowledge, &domains[i].fingerprint);
		name_family_maker(knowledge, &domains[i].fingerprint);
	}
	for (size_t i = 0; i < knowledge->patterns.count && result == 0; i++)
		result = check_fingerprint(knowledge, &patterns[i].fingerprint, &patterns[i].origin,
			error, error_size);
	return result;
}

int
knowledge_resolve(struct knowledge *knowledge, char *error, size_t error_size)
{
	const struct table tables[] = {
		{&knowledge->vendors, vendor_key, vendor_order,
			offsetof(struct vendor_row, origin)},
		{&knowledge->ouis, oui_key, oui_order, offsetof(struct oui_row, origin)},
		{&knowledge->domains, domain_key, domain_order,
			offsetof(struct domain_row, origin)},
		{&knowledge->patterns, pattern_key, pattern_order,
			offsetof(struct pattern_row, origin)},
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && result == 0; i++)
		result = sort_and_override(&tables[i], error, error_size);
	return result == 0 ? resolve_vendors(knowledge, error, error_size) : result;
}

const struct vendor *
knowledge_vendor(const struct knowledge *knowledge, const char *id)
{
	struct vendor_row key = {.vendor = {.id = id}};
	const struct vendor_row *row;

	if (id[0] == '\0' || knowledge->vendors.count == 0)
		return NULL;
	row = bsearch(&key, knowledge->vendors.rows, knowledge->vendors.count,
		sizeof(struct vendor_row), vendor_key);
	return row ? &row->vendor : NULL;
}

const struct fingerprint *
knowledge_oui(const struct knowledge *knowledge, const struct mac_address *mac)
{
	static const uint8_t lengths[] = {36, 28, 24}; /* the longest registration wins */
	uint64_t address = 0;

	if (knowledge->ouis.count == 0)
		return NULL;
	for (int i = 0; i < 6; i++)
		address = address << 8 | mac->bytes[i];
	for (size_t i = 0; i < sizeof(lengths); i++) {
		unsigned host_bits = 48u - lengths[i];
		struct oui_row key = {
			.bits = lengths[i], .prefix = address >> host_bits << host_bits};
		const struct oui_row *row = bsearch(&key, knowledge->ouis.rows,
			knowledge->ouis.count, sizeof(struct oui_row), oui_key);

		if (row)
			return &row->fingerprint;
	}
	return NULL;
}
