/* SPDX-License-Identifier: Apache-2.0 */
/* Spreading in software: an RX lcore takes bursts, hashes each frame by its innermost addresses and
 * hands it to a worker through a ring of this pair. It never waits: what finds a ring full is
 * dropped and counted. */
#ifndef CAMSPAN_SPREAD_H
#define CAMSPAN_SPREAD_H

#include "dataplane/receiver.h"

#include <stdatomic.h>

#define SPREAD_STAGE 32 /* packets gathered for a worker before a ring is touched */

struct rte_ring;

/* From one RX lcore to one worker. */
struct spread_lane {
	struct rte_ring *ring;
	struct counter handed;
	struct counter ring_full;
	unsigned staged; /* in `stage` */
	struct rte_mbuf *stage[SPREAD_STAGE];
};

struct spread_settings {
	const struct ports *ports;
	const struct rx_queues *queues;
	const struct spread_secret *secret;
	uint32_t sampling;
	uint32_t ring_slots;
	uint16_t number; /* of this RX lcore */
	uint16_t workers;
	int socket;
	bool naps; /* sleeps when nothing comes */
	struct steady_clock clock;
	const atomic_bool *stop;
};

struct spread {
	struct receiver receiver;
	struct spread_settings settings;
	unsigned full_rounds; /* since the stages were last emptied */
	struct spread_lane *lanes;
	atomic_bool done; /* stopped, and everything is in the rings */
};

/* Returns 0 or -errno. Needs EAL. */
int spread_init(struct spread *spread, const struct spread_settings *settings);
void spread_free(struct spread *spread);
/* One round over all queues. Returns the packets taken. */
unsigned spread_round(struct spread *spread, int64_t now);
/* Hands over what is staged, room or not. */
void spread_flush(struct spread *spread);
/* The function of an RX lcore: runs until *stop. */
int spread_run(void *spread);
/* The ring of a worker, for its end. */
struct rte_ring *spread_ring(const struct spread *spread, unsigned worker);

void spread_health(const struct spread *spread, struct health_record *health);

#endif
