/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to a verdict. Weights are log-odds. Facts of one channel are not independent: the
 * strongest counts in full, each further one half of the one before, and no channel counts for more
 * than its cap, so that many looks at one thing do not outweigh two different things. */
#include "classifiers/devices/device_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An unknown host is a camera at 1 to 55: no strong fact alone makes it one. */
#define PRIOR_VIDEO (-4.0f)
/* Viewers and other things need one medium fact; the offset keeps single weak facts silent. */
#define OFFSET_OTHER     1.6f
#define ENOUGH_FOR_OTHER 1.5f
#define ENOUGH_FOR_KIND  1.0f
/* A vendor needs one medium fact. */
#define ENOUGH_FOR_VENDOR 1.5f
#define OFFSET_VENDOR     1.6f
/* The prefix of a maker that also builds for others says little about the label. */
#define OUI_BRAND_SHARE 0.25f

static const struct {
	float of_class;
	float of_vendor;
} caps[CHANNEL_COUNT] = {
	[CHANNEL_OUI] = {3.0f, 3.2f},
	[CHANNEL_LINK] = {0, 0},
	[CHANNEL_DHCP] = {3.2f, 3.2f},
	[CHANNEL_DNS] = {2.0f, 1.6f}, /* with CHANNEL_NAMES: both tell where the host goes */
	[CHANNEL_DISCOVERY] = {6.0f, 6.0f},
	[CHANNEL_ONVIF] = {5.0f, 6.0f},
	[CHANNEL_HTTP] = {4.8f, 4.8f},
	[CHANNEL_RTSP] = {4.8f, 4.8f},
	[CHANNEL_TLS] = {4.0f, 4.8f},
	[CHANNEL_PROTOCOL] = {7.0f, 6.0f},
	[CHANNEL_BEHAVIOUR] = {3.2f, 3.2f},
};

/* The weights of one channel, strongest first. */
struct channel_sum {
	float weights[4]; /* a fifth one would count a sixteenth */
};

struct sum {
	struct channel_sum channels[CHANNEL_COUNT];
};

static enum evidence_channel
channel_of(uint8_t attribute)
{
	enum evidence_channel channel =
		evidence_attribute_channel((enum evidence_attribute)attribute);

	return channel == CHANNEL_NAMES ? CHANNEL_DNS : channel;
}

static void
sum_add(struct sum *sum, uint8_t attribute, float weight)
{
	float *weights = sum->channels[channel_of(attribute)].weights;
	size_t count = sizeof(sum->channels[0].weights) / sizeof(float);

	for (size_t i = 0; i < count && weight > 0; i++)
		if (weight > weights[i]) {
			float weaker = weights[i];

			weights[i] = weight;
			weight = weaker;
		}
}

static float
channel_total(const struct channel_sum *channel, float cap)
{
	float total = 0;
	float share = 1;

	for (size_t i = 0; i < sizeof(channel->weights) / sizeof(float); i++) {
		total += channel->weights[i] * share;
		share /= 2;
	}
	return fminf(total, cap);
}

static float
class_total(const struct sum *sum)
{
	float total = 0;

	for (int i = 0; i < CHANNEL_COUNT; i++)
		total += channel_total(&sum->channels[i], caps[i].of_class);
	return total;
}

static float
sigmoid(float log_odds)
{
	return 1 / (1 + expf(-log_odds));
}

struct class_scores {
	float video; /* camera, recorder or doorbell */
	float camera;
	float recorder;
	float doorbell;
	float viewer;
	float other;
	bool views_video;
	bool sends_video;
};

static void
read_class(const struct device *device, struct class_scores *scores)
{
	struct sum video = {0}, kinds[DEVICE_OTHER + 1] = {0};

	*scores = (struct class_scores){0};
	for (unsigned i = 0; i < device->evidence_count; i++) {
		const struct device_fact *fact = &device->record.facts[i];

		scores->views_video |= fact->attribute == ATTRIBUTE_VIDEO_VIEWER;
		scores->sends_video |= fact->attribute == ATTRIBUTE_VIDEO_SOURCE;
		if (fact->says_class == DEVICE_UNKNOWN || fact->says_class > DEVICE_OTHER)
			continue;
		if (fact->says_class <= DEVICE_DOORBELL)
			sum_add(&video, fact->attribute, fact->weight_class);
		if (!device->notes[i].any_video)
			sum_add(&kinds[fact->says_class], fact->attribute, fact->weight_class);
	}
	scores->video = class_total(&video);
	scores->camera = class_total(&kinds[DEVICE_CAMERA]);
	scores->recorder = class_total(&kinds[DEVICE_RECORDER]);
	scores->doorbell = class_total(&kinds[DEVICE_DOORBELL]);
	scores->viewer = class_total(&kinds[DEVICE_VIEWER]);
	scores->other = class_total(&kinds[DEVICE_OTHER]);
	/* Many channels, or video in and out, are a recorder's. Cameras have up to four lenses. */
	if (__builtin_popcountll(device->channels) > 4)
		scores->recorder += 3.2f;
	if (scores->views_video && scores->sends_video)
		scores->recorder += 3.2f;
}

static uint8_t
video_class(const struct class_scores *scores, float *confidence)
{
	float best = fmaxf(scores->camera, fmaxf(scores->recorder, scores->doorbell));
	float second;

	if (best < ENOUGH_FOR_KIND)
		return DEVICE_CAMERA; /* nothing says otherwise */
	second = best == scores->camera     ? fmaxf(scores->recorder, scores->doorbell)
		 : best == scores->recorder ? fmaxf(scores->camera, scores->doorbell)
					    : fmaxf(scores->camera, scores->recorder);
	/* Contradiction about the kind lowers the confidence; its absence does not raise it. */
	if (second > 0)
		*confidence *= sigmoid(best - second + 1);
	if (best == scores->camera)
		return DEVICE_CAMERA;
	return best == scores->recorder ? DEVICE_RECORDER : DEVICE_DOORBELL;
}

static void
score_class(struct device *device)
{
	struct device_record *record = &device->record;
	struct class_scores scores;
	float video;

	read_class(device, &scores);
	video = sigmoid(PRIOR_VIDEO + scores.video - scores.other);
	if (video >= 0.5f) {
		record->confidence = video;
		record->device_class = video_class(&scores, &record->confidence);
	} else if (scores.viewer >= ENOUGH_FOR_OTHER &&
		   (scores.viewer >= scores.other || scores.views_video)) {
		record->device_class = DEVICE_VIEWER;
		record->confidence = sigmoid(scores.viewer - OFFSET_OTHER);
	} else if (scores.other >= ENOUGH_FOR_OTHER) {
		record->device_class = DEVICE_OTHER;
		record->confidence = fminf(sigmoid(scores.other - OFFSET_OTHER), 1 - video);
	} else {
		record->device_class = DEVICE_UNKNOWN;
		record->confidence = 0;
	}
}

static bool
is_video_class(uint8_t device_class)
{
	return device_class == DEVICE_CAMERA || device_class == DEVICE_RECORDER ||
	       device_class == DEVICE_DOORBELL;
}

/* Which vendor the facts name, as a brand or as a maker. */
struct candidate {
	const char *id;
	float score;
	const struct device_fact *best; /* its strongest fact */
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
	struct sum sum = {0};

	for (unsigned i = 0; i < device->evidence_count; i++) {
		const struct device_fact *fact = &device->record.facts[i];

		if (strcmp(maker ? fact->says_maker : fact->says_brand, id) != 0 ||
			fact->weight_vendor <= 0)
			continue;
		if (!names && channel_of(fact->attribute) == CHANNEL_DNS)
			continue;
		sum_add(&sum, fact->attribute, vendor_weight(fact, maker));
		if (!candidate.best || fact->weight_vendor > candidate.best->weight_vendor)
			candidate.best = fact;
	}
	for (int i = 0; i < CHANNEL_COUNT; i++)
		candidate.score += channel_total(&sum.channels[i], caps[i].of_vendor);
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

static float
vendor_confidence(const struct candidate *candidate, float against)
{
	return sigmoid(candidate->score - against - OFFSET_VENDOR);
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

static void
set_text(char *to, const char *from)
{
	snprintf(to, VENDOR_ID_SIZE, "%s", from);
}

/* The reason of the status is a fact like any other: a verdict of law must be explained. */
static void
add_status_fact(struct device *device, const struct vendor *vendor, const char *role,
	const struct device_fact *ground)
{
	struct device_record *record = &device->record;
	struct device_fact *fact = &record->facts[device->evidence_count];

	*fact = (struct device_fact){
		.first_seen = ground->first_seen,
		.last_seen = ground->last_seen,
		.count = 1,
		.attribute = ground->attribute,
		.side = ground->side,
		.classifier = ground->classifier,
	};
	snprintf(fact->value, sizeof(fact->value), "status %s: %s %s: %s",
		vendor_status_name(vendor->status), role, vendor->id, vendor->reason);
	snprintf(fact->source, sizeof(fact->source), "%s", vendor->source);
	record->fact_count = device->evidence_count + 1;
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

	record->status = STATUS_UNKNOWN;
	record->fact_count = device->evidence_count;
	if (maker_row && maker_row->status != STATUS_UNKNOWN) {
		record->status = (uint8_t)maker_row->status;
		add_status_fact(device, maker_row, "maker", maker->best);
	} else if (brand_row) {
		record->status = (uint8_t)brand_row->status;
		add_status_fact(device, brand_row, "brand", brand->best);
	}
}

static void
score_vendors(const struct device_table *table, struct device *device)
{
	struct device_record *record = &device->record;
	bool names = is_video_class(record->device_class);
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
	record->brand_confidence = maker.id   ? vendor_confidence(&maker, makers.second.score)
				   : brand.id ? vendor_confidence(&brand, brands.second.score)
					      : 0;
	set_text(record->maker, maker.id ? maker.id : "");
	/* Without a label of another, the maker's own name is the best there is. */
	set_text(record->brand, brand.id ? brand.id : record->maker);
	vendor = knowledge_vendor(table->knowledge, record->brand);
	/* Nothing seen names the maker: the brand's usual one is shown, and the brand's status
	 * holds. */
	if (!maker.id && vendor)
		set_text(record->maker, vendor->maker);
	score_status(table, device, &brand, &maker);
}

void
device_score(const struct device_table *table, struct device *device)
{
	score_class(device);
	score_vendors(table, device);
}
