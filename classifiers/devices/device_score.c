/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to a verdict. Weights are log-odds. */
#include "classifiers/devices/device_sum.h"

#include <math.h>
#include <string.h>

/* An unknown host is a camera at 1 to 55: no strong fact alone makes it one. */
#define PRIOR_VIDEO (-4.0f)
/* Viewers and other things need one medium fact; the offset keeps single weak facts silent. */
#define OFFSET_OTHER     1.6f
#define ENOUGH_FOR_OTHER 1.5f
#define ENOUGH_FOR_KIND  1.0f

/* A router that forwards ports answers with the voice of what is behind it. */
static bool
can_be_forwarded(uint8_t channel)
{
	return channel == CHANNEL_HTTP || channel == CHANNEL_RTSP || channel == CHANNEL_TLS ||
	       channel == CHANNEL_ONVIF || channel == CHANNEL_PROTOCOL ||
	       channel == CHANNEL_BEHAVIOUR;
}

bool
device_fact_counts(const struct device *device, unsigned index)
{
	const struct device_fact *fact = &device->record.facts[index];

	return !(device->gateway && can_be_forwarded(fact->channel) &&
		 fact->says_class != DEVICE_OTHER);
}

bool
device_is_video(const struct device_record *record)
{
	return record->device_class == DEVICE_CAMERA || record->device_class == DEVICE_RECORDER ||
	       record->device_class == DEVICE_DOORBELL;
}

/* Said by multicast or broadcast that no router passes on. */
static bool
is_said_on_link(const struct device_fact *fact)
{
	return fact->side == SIDE_DEVICE &&
	       (fact->channel == CHANNEL_DHCP || fact->attribute == ATTRIBUTE_MDNS_HOST ||
		       fact->attribute == ATTRIBUTE_MDNS_INSTANCE ||
		       fact->attribute == ATTRIBUTE_MDNS_TXT ||
		       fact->attribute == ATTRIBUTE_SADP_MODEL);
}

/* A server somewhere on the Internet is no device of the estate, whatever it answers. */
static bool
device_is_local(const struct device_table *table, const struct device *device)
{
	const struct device_record *record = &device->record;
	bool own_mac = mac_is_set(&device->identity.mac) && !device->router;

	if (record->ip_count == 0 && mac_is_set(&device->identity.mac))
		return true;
	for (uint8_t i = 0; i < record->ip_count; i++)
		if (device_address_is_inside(&record->ips[i]) ||
			(table->in_estate && table->in_estate(table->estate, &record->ips[i])))
			return true;
	for (int i = 0; i < DEVICE_IPS_MAX; i++)
		if (device->slots[i].bound_at != 0 && ip_is_set(&device->slots[i].ip))
			return true;
	for (unsigned i = 0; i < device->evidence_count && own_mac; i++)
		if (is_said_on_link(&record->facts[i]))
			return true;
	return false;
}

struct class_scores {
	struct sum video_sum;
	struct sum viewer_sum;
	struct sum other_sum;
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
	struct sum kinds[DEVICE_OTHER + 1] = {0};

	*scores = (struct class_scores){0};
	for (unsigned i = 0; i < device->evidence_count; i++) {
		const struct device_fact *fact = &device->record.facts[i];
		float counts = device_fact_counts(device, i) ? fact->weight_class : 0;

		scores->views_video |= fact->attribute == ATTRIBUTE_VIDEO_VIEWER;
		scores->sends_video |= fact->attribute == ATTRIBUTE_VIDEO_SOURCE;
		if (fact->says_class == DEVICE_UNKNOWN || fact->says_class > DEVICE_OTHER)
			continue;
		if (fact->says_class <= DEVICE_DOORBELL)
			sum_add(&scores->video_sum, fact, fact->weight_class, counts);
		if (!device->notes[i].any_video)
			sum_add(&kinds[fact->says_class], fact, fact->weight_class, counts);
	}
	scores->video = sum_total(&scores->video_sum, SUM_OF_CLASS);
	scores->camera = sum_total(&kinds[DEVICE_CAMERA], SUM_OF_CLASS);
	scores->recorder = sum_total(&kinds[DEVICE_RECORDER], SUM_OF_CLASS);
	scores->doorbell = sum_total(&kinds[DEVICE_DOORBELL], SUM_OF_CLASS);
	scores->other_sum = kinds[DEVICE_OTHER];
	scores->viewer_sum = kinds[DEVICE_VIEWER];
	scores->viewer = sum_total(&kinds[DEVICE_VIEWER], SUM_OF_CLASS);
	scores->other = sum_total(&kinds[DEVICE_OTHER], SUM_OF_CLASS);
	/* Many channels, or video in and out, are a recorder's. Cameras have up to four lenses. */
	if (__builtin_popcountll(device->channels) > 4)
		scores->recorder += 3.2f;
	if (scores->views_video && scores->sends_video)
		scores->recorder += 3.2f;
}

static uint8_t
video_class(const struct class_scores *scores, float *factor)
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
		*factor = sum_sigmoid(best - second + 1);
	if (best == scores->camera)
		return DEVICE_CAMERA;
	return best == scores->recorder ? DEVICE_RECORDER : DEVICE_DOORBELL;
}

/* `supports`, `opposes`: NULL none. */
static void
set_account(struct device_record *record, float prior, const struct sum *supports,
	const struct sum *opposes, float factor)
{
	struct device_account *account = &record->class_account;
	float log_odds = prior;

	*account = (struct device_account){.prior = prior, .factor = factor};
	sum_shares(supports, SUM_OF_CLASS, account->supports);
	log_odds += sum_total(supports, SUM_OF_CLASS);
	if (opposes) {
		sum_shares(opposes, SUM_OF_CLASS, account->opposes);
		log_odds -= sum_total(opposes, SUM_OF_CLASS);
	}
	record->confidence = sum_sigmoid(log_odds) * factor;
}

static void
score_class(const struct device_table *table, struct device *device)
{
	struct device_record *record = &device->record;
	bool local = device_is_local(table, device);
	struct class_scores scores;
	float video, factor = 1;

	read_class(device, &scores);
	video = sum_sigmoid(PRIOR_VIDEO + scores.video - scores.other);
	if (video >= 0.5f && local) {
		record->device_class = video_class(&scores, &factor);
		set_account(record, PRIOR_VIDEO, &scores.video_sum, &scores.other_sum, factor);
	} else if (scores.viewer >= ENOUGH_FOR_OTHER && local &&
		   (scores.viewer >= scores.other || scores.views_video)) {
		record->device_class = DEVICE_VIEWER;
		set_account(record, -OFFSET_OTHER, &scores.viewer_sum, NULL, 1);
	} else if (scores.other >= ENOUGH_FOR_OTHER && local) {
		/* Never surer than it is unlikely that this is a camera. */
		factor = fminf(1, (1 - video) / sum_sigmoid(scores.other - OFFSET_OTHER));
		record->device_class = DEVICE_OTHER;
		set_account(record, -OFFSET_OTHER, &scores.other_sum, NULL, factor);
	} else {
		record->device_class = DEVICE_UNKNOWN;
		set_account(record, PRIOR_VIDEO, &scores.video_sum, &scores.other_sum, 1);
		record->confidence = 0;
	}
}

void
device_score(const struct device_table *table, struct device *device)
{
	struct device_record *record = &device->record;

	record->fact_count = device->evidence_count;
	record->status = STATUS_UNKNOWN;
	record->status_reason[0] = record->brand[0] = record->maker[0] = '\0';
	record->brand_confidence = 0;
	record->vendor_account = (struct device_account){0};
	score_class(table, device);
	if (device_is_local(table, device))
		device_score_vendors(table, device);
}
