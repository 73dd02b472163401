/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to brand, maker and status. */
#include "classifiers/devices/device_sum.h"
#include "dataplane/records/text.h"

#include <stdio.h>
#include <string.h>

/* A vendor needs one medium fact. */
#define ENOUGH_FOR_VENDOR 1.5f
#define OFFSET_VENDOR     1.6f
/* The prefix of a maker that also builds for others says little about the label. */
#define OUI_BRAND_SHARE 0.25f

/* Which vendor the facts name, as a brand or as a maker. */
struct candidate {
	const char *id;
	float score;
	struct sum sum;
};

static float
vendor_weight(const struct device_fact *fact, bool maker)
{
	bool builds_for_others = !maker && fact->attribute == ATTRIBUTE_OUI &&
				 strcmp(fact->says_brand, fact->says_maker) == 0;

	return fact->weight_vendor * (builds_for_others ? OUI_BRAND_SHARE : 1);
}

/* `names`: whether asking for a vendor's cloud counts. Phones do that too: only of a camera does it
 * tell the vendor. */
static struct candidate
score_vendor(const struct device *device, const char *id, bool maker, bool names)
{
	struct candidate candidate = {.id = id};

	for (unsigned i = 0; i < device->evidence_count; i++) {
		const struct device_fact *fact = &device->record.facts[i];

		if (strcmp(maker ? fact->says_maker : fact->says_brand, id) != 0 ||
			fact->weight_vendor <= 0)
			continue;
		if (!names && fact->channel == CHANNEL_DNS)
			continue;
		sum_add(&candidate.sum, fact, fact->weight_vendor,
			device_fact_counts(device, i) ? vendor_weight(fact, maker) : 0);
	}
	candidate.score = sum_total(&candidate.sum, SUM_OF_VENDOR);
	return candidate;
}

struct ranking {
	struct candidate first;
	struct candidate second;
};

static bool
is_first_of_its_vendor(const struct device *device, unsigned index, bool maker)
{
	const struct device_fact *facts = device->record.facts;

	for (unsigned i = 0; i < index; i++)
		if (strcmp(maker ? facts[i].says_maker : facts[i].says_brand,
			    maker ? facts[index].says_maker : facts[index].says_brand) == 0)
			return false;
	return true;
}

static struct ranking
rank_vendors(const struct device *device, bool maker, bool names)
{
	struct ranking ranking = {0};

	for (unsigned i = 0; i < device->evidence_count; i++) {
		const struct device_fact *fact = &device->record.facts[i];
		const char *id = maker ? fact->says_maker : fact->says_brand;
		struct candidate candidate;

		if (id[0] == '\0' || !is_first_of_its_vendor(device, i, maker))
			continue;
		candidate = score_vendor(device, id, maker, names);
		if (candidate.score > ranking.first.score) {
			ranking.second = ranking.first;
			ranking.first = candidate;
		} else if (candidate.score > ranking.second.score)
			ranking.second = candidate;
	}
	return ranking;
}

static void
set_account(
	struct device_record *record, const struct candidate *vendor, const struct candidate *rival)
{
	struct device_account *account = &record->vendor_account;

	*account = (struct device_account){.prior = -OFFSET_VENDOR, .factor = 1};
	text_copy(account->supports_id, VENDOR_ID_SIZE, vendor->id);
	text_copy(account->opposes_id, VENDOR_ID_SIZE, rival->id ? rival->id : "");
	sum_shares(&vendor->sum, SUM_OF_VENDOR, account->supports);
	sum_shares(&rival->sum, SUM_OF_VENDOR, account->opposes);
	record->brand_confidence = sum_sigmoid(account->prior + vendor->score - rival->score);
}

/* The label on a unit that another firm built is the more telling name of the two. */
static struct candidate
choose_brand(const struct device_table *table, const struct ranking *brands, const char *maker)
{
	const struct vendor *second =
		brands->second.id ? knowledge_vendor(table->knowledge, brands->second.id) : NULL;

	if (second && strcmp(brands->first.id, maker) == 0 && strcmp(second->maker, maker) == 0 &&
		strcmp(second->id, maker) != 0 && brands->second.score >= ENOUGH_FOR_VENDOR)
		return brands->second;
	return brands->first;
}

/* A verdict of law must be explained: whose it is, why, and the row that says so. */
static void
set_status(struct device_record *record, const struct vendor *vendor, const char *role)
{
	record->status = (uint8_t)vendor->status;
	if (vendor->status != STATUS_UNKNOWN)
		snprintf(record->status_reason, sizeof(record->status_reason), "%s %s: %s (%s)",
			role, vendor->id, vendor->reason, vendor->source);
}

static void
score_status(const struct device_table *table, struct device *device, const struct candidate *brand,
	const struct candidate *maker)
{
	struct device_record *record = &device->record;
	const struct vendor *maker_row =
		maker->id ? knowledge_vendor(table->knowledge, maker->id) : NULL;
	const struct vendor *brand_row =
		brand->id ? knowledge_vendor(table->knowledge, brand->id) : NULL;

	if (maker_row && maker_row->status != STATUS_UNKNOWN)
		set_status(record, maker_row, "maker");
	else if (brand_row)
		set_status(record, brand_row, "brand");
}

void
device_score_vendors(const struct device_table *table, struct device *device)
{
	struct device_record *record = &device->record;
	bool names = device_is_video(record);
	struct ranking makers = rank_vendors(device, true, names);
	struct ranking brands = rank_vendors(device, false, names);
	struct candidate maker = makers.first;
	struct candidate brand;
	const struct vendor *vendor;

	if (maker.score < ENOUGH_FOR_VENDOR)
		maker = (struct candidate){0};
	brand = choose_brand(table, &brands, maker.id ? maker.id : "");
	if (brand.score < ENOUGH_FOR_VENDOR)
		brand = (struct candidate){0};
	if (maker.id)
		set_account(record, &maker, &makers.second);
	else if (brand.id)
		set_account(record, &brand,
			strcmp(brand.id, brands.first.id) == 0 ? &brands.second : &brands.first);
	text_copy(record->maker, VENDOR_ID_SIZE, maker.id ? maker.id : "");
	/* Without a label of another, the maker's own name is the best there is. */
	text_copy(record->brand, VENDOR_ID_SIZE, brand.id ? brand.id : record->maker);
	vendor = knowledge_vendor(table->knowledge, record->brand);
	/* Nothing seen names the maker: the brand's usual one is shown, and the brand's status
	 * holds. */
	if (!maker.id && vendor)
		text_copy(record->maker, VENDOR_ID_SIZE, vendor->maker);
	score_status(table, device, &brand, &maker);
}
