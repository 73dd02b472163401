/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/device_sum.h"

#include <math.h>
#include <string.h>

static const float caps[CHANNEL_COUNT][2] = {
	[CHANNEL_OUI] = {3.0f, 3.2f},
	[CHANNEL_LINK] = {0, 0},
	[CHANNEL_DHCP] = {3.2f, 3.2f},
	/* CHANNEL_NAMES counts here: both tell where the host goes. */
	[CHANNEL_DNS] = {2.0f, 1.6f},
	[CHANNEL_DISCOVERY] = {6.0f, 6.0f},
	[CHANNEL_ONVIF] = {5.0f, 6.0f},
	[CHANNEL_HTTP] = {4.8f, 4.8f},
	[CHANNEL_RTSP] = {4.8f, 4.8f},
	[CHANNEL_TLS] = {4.0f, 4.8f},
	[CHANNEL_PROTOCOL] = {7.0f, 6.0f},
	[CHANNEL_BEHAVIOUR] = {3.2f, 3.2f},
};

/* What hearsay of all channels may add. Of the class: a strong fact's weight, below what makes an
 * unknown host a camera. Of the vendor: below what names one, so it gives no status either. */
static const float hearsay_caps[] = {[SUM_OF_CLASS] = 3.2f, [SUM_OF_VENDOR] = 1.4f};

#define WEIGHTS (sizeof(((struct channel_sum *)0)->weights) / sizeof(float))

static void
keep_strongest(float *weights, float weight)
{
	for (size_t i = 0; i < WEIGHTS && weight > 0; i++)
		if (weight > weights[i]) {
			float weaker = weights[i];

			weights[i] = weight;
			weight = weaker;
		}
}

void
sum_add(struct sum *sum, const struct device_fact *fact, float weight, float counts)
{
	struct channel_sum *channel = &sum->channels[fact->channel];

	sum->used |= UINT32_C(1) << fact->channel;
	channel->raw += weight;
	keep_strongest(fact->side == SIDE_PEER ? channel->hearsay : channel->weights, counts);
}

static float
halved_total(const float *weights, float cap)
{
	float total = 0;
	float share = 1;

	for (size_t i = 0; i < WEIGHTS; i++) {
		total += weights[i] * share;
		share /= 2;
	}
	return total < cap ? total : cap;
}

_Static_assert(CHANNEL_COUNT <= 32, "a bit for each");

/* The part of each hearsay weight that keeps all of them together below their cap. */
static float
hearsay_share(const struct sum *sum, enum sum_kind kind)
{
	float total = 0;

	for (uint32_t used = sum->used; used; used &= used - 1) {
		int i = __builtin_ctz(used);

		total += halved_total(sum->channels[i].hearsay, caps[i][kind]);
	}
	return total > hearsay_caps[kind] ? hearsay_caps[kind] / total : 1;
}

static float
channel_total(const struct channel_sum *channel, float cap, float share)
{
	float weights[WEIGHTS];
	float together, apart;

	memcpy(weights, channel->weights, sizeof(weights));
	for (size_t i = 0; i < WEIGHTS; i++)
		keep_strongest(weights, channel->hearsay[i] * share);
	/* Hearsay above the channel's cap must not come back when it is shared out. */
	together = halved_total(weights, cap);
	apart = halved_total(channel->weights, cap) + share * halved_total(channel->hearsay, cap);
	return together < apart ? together : apart;
}

/* Channels in order, so that sums of floats come out alike. */
float
sum_total(const struct sum *sum, enum sum_kind kind)
{
	float share = hearsay_share(sum, kind);
	float total = 0;

	for (uint32_t used = sum->used; used; used &= used - 1) {
		int i = __builtin_ctz(used);

		total += channel_total(&sum->channels[i], caps[i][kind], share);
	}
	return total;
}

void
sum_shares(const struct sum *sum, enum sum_kind kind, struct device_share *shares)
{
	float share = hearsay_share(sum, kind);

	memset(shares, 0, CHANNEL_COUNT * sizeof(*shares));
	for (uint32_t used = sum->used; used; used &= used - 1) {
		int i = __builtin_ctz(used);

		shares[i] = (struct device_share){
			.raw = sum->channels[i].raw,
			.counted = channel_total(&sum->channels[i], caps[i][kind], share),
		};
	}
}

float
sum_sigmoid(float log_odds)
{
	return 1 / (1 + expf(-log_odds));
}
