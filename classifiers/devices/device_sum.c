/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/device_sum.h"

#include <math.h>

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

#define WEIGHTS (sizeof(((struct channel_sum *)0)->weights) / sizeof(float))

void
sum_add(struct sum *sum, uint8_t channel, float weight, float counts)
{
	float *weights = sum->channels[channel].weights;

	sum->channels[channel].raw += weight;
	weight = counts;
	for (size_t i = 0; i < WEIGHTS && weight > 0; i++)
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

	for (size_t i = 0; i < WEIGHTS; i++) {
		total += channel->weights[i] * share;
		share /= 2;
	}
	return fminf(total, cap);
}

float
sum_total(const struct sum *sum, enum sum_kind kind)
{
	float total = 0;

	for (int i = 0; i < CHANNEL_COUNT; i++)
		total += channel_total(&sum->channels[i], caps[i][kind]);
	return total;
}

void
sum_shares(const struct sum *sum, enum sum_kind kind, struct device_share *shares)
{
	for (int i = 0; i < CHANNEL_COUNT; i++)
		shares[i] = (struct device_share){
			.raw = sum->channels[i].raw,
			.counted = channel_total(&sum->channels[i], caps[i][kind]),
		};
}

float
sum_sigmoid(float log_odds)
{
	return 1 / (1 + expf(-log_odds));
}
