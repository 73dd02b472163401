/* SPDX-License-Identifier: Apache-2.0 */
/* Weights added up by channel. Facts of one channel are not independent: the strongest counts in
 * full, each further one half of the one before, and no channel counts for more than its cap, so
 * that many looks at one thing do not outweigh two different things. What others say of the host is
 * limited over all channels together: hearsay alone accuses nobody. */
#ifndef CAMSPAN_DEVICE_SUM_H
#define CAMSPAN_DEVICE_SUM_H

#include "classifiers/devices/device_private.h"

/* The weights of one channel, strongest first. */
struct channel_sum {
	float raw;        /* as the facts have them, those that do not count included */
	float weights[4]; /* a fifth one would count a sixteenth */
	float hearsay[4]; /* the same of what others said */
};

struct sum {
	uint32_t used; /* a bit for each channel that got a weight: most get none */
	struct channel_sum channels[CHANNEL_COUNT];
};

enum sum_kind { SUM_OF_CLASS, SUM_OF_VENDOR };

/* Adds a fact's weight; `counts`: the part of it that counts. */
void sum_add(struct sum *sum, const struct device_fact *fact, float weight, float counts);
float sum_total(const struct sum *sum, enum sum_kind kind);
/* Writes what each channel came to. */
void sum_shares(const struct sum *sum, enum sum_kind kind, struct device_share *shares);
float sum_sigmoid(float log_odds);

#endif
