/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/spread.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Full bursts in a row after which the stages are emptied whether full or not: a packet for a
 * worker that gets few must not wait long behind those of the others. */
#define ROUNDS_UNTIL_FLUSH 8

int
spread_init(struct spread *spread, const struct spread_settings *settings)
{
	int error;

	*spread = (struct spread){.settings = *settings};
	spread->lanes = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_CACHE_LINE_ROUNDUP(settings->workers * sizeof(struct spread_lane)));
	if (spread->lanes == NULL)
		return -ENOMEM;
	memset(spread->lanes, 0, settings->workers * sizeof(struct spread_lane));
	error = receiver_init(&spread->receiver, settings->ports, settings->queues,
		settings->sampling, settings->secret);
	for (unsigned i = 0; error == 0 && i < settings->workers; i++) {
		char name[32];

		snprintf(name, sizeof(name), "spread-%u-%u", settings->number, i);
		spread->lanes[i].ring = rte_ring_create(name, rte_align32pow2(settings->ring_slots),
			settings->socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (spread->lanes[i].ring == NULL)
			error = -ENOMEM;
	}
	if (error)
		spread_free(spread);
	return error;
}

static void
free_ring(struct rte_ring *ring)
{
	struct rte_mbuf *mbuf;

	if (ring == NULL)
		return;
	while (rte_ring_sc_dequeue(ring, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	rte_ring_free(ring);
}

void
spread_free(struct spread *spread)
{
	for (unsigned i = 0; spread->lanes && i < spread->settings.workers; i++)
		free_ring(spread->lanes[i].ring);
	free(spread->lanes);
	spread->lanes = NULL;
	receiver_free(&spread->receiver);
}

static void
hand_over(struct spread_lane *lane)
{
	unsigned handed;

	if (lane->staged == 0)
		return;
	handed = rte_ring_sp_enqueue_burst(
		lane->ring, (void *const *)lane->stage, lane->staged, NULL);
	counter_add(&lane->handed, handed);
	if (unlikely(handed < lane->staged)) {
		counter_add(&lane->ring_full, lane->staged - handed);
		rte_pktmbuf_free_bulk(&lane->stage[handed], lane->staged - handed);
	}
	lane->staged = 0;
}

void
spread_flush(struct spread *spread)
{
	for (unsigned i = 0; i < spread->settings.workers; i++)
		hand_over(&spread->lanes[i]);
	spread->full_rounds = 0;
}

static void
spread_burst(struct spread *spread, struct rte_mbuf **mbufs, unsigned count)
{
	const struct spread_settings *settings = &spread->settings;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = mbufs[i];
		struct spread_hash hash = spread_hash(settings->secret,
			rte_pktmbuf_mtod(mbuf, const uint8_t *), rte_pktmbuf_data_len(mbuf));
		struct spread_lane *lane =
			&spread->lanes[spread_choose(hash.value, settings->workers)];

		if (settings->sampling > 1 && !receiver_keeps(&spread->receiver, hash, mbuf)) {
			rte_pktmbuf_free(mbuf);
			continue;
		}
		lane->stage[lane->staged++] = mbuf;
		if (lane->staged == SPREAD_STAGE)
			hand_over(lane);
	}
}

unsigned
spread_round(struct spread *spread, int64_t now)
{
	struct rte_mbuf *mbufs[RECEIVER_BURST];
	bool busy = false;
	unsigned taken = 0;

	for (unsigned i = 0; i < spread->settings.queues->count; i++) {
		unsigned count = receiver_burst(&spread->receiver, i, now, mbufs);

		spread_burst(spread, mbufs, count);
		busy |= count == RECEIVER_BURST;
		taken += count;
	}
	/* With more waiting, stages fill by themselves, and a ring is touched once for many. */
	if (!busy || ++spread->full_rounds == ROUNDS_UNTIL_FLUSH)
		spread_flush(spread);
	return taken;
}

static void
rest(const struct spread *spread, unsigned empty_rounds)
{
	const struct timespec nap = {.tv_nsec = RECEIVER_NAP};

	rte_pause();
	if (spread->settings.naps && empty_rounds >= RECEIVER_ROUNDS_UNTIL_NAP)
		nanosleep(&nap, NULL);
}

int
spread_run(void *argument)
{
	struct spread *spread = argument;
	unsigned empty_rounds = 0;

	while (!atomic_load_explicit(spread->settings.stop, memory_order_relaxed)) {
		unsigned taken = spread_round(spread, clock_now(&spread->settings.clock));

		empty_rounds = taken ? 0 : empty_rounds + 1;
		if (taken == 0)
			rest(spread, empty_rounds);
	}
	spread_flush(spread);
	atomic_store_explicit(&spread->done, true, memory_order_release);
	return 0;
}

struct rte_ring *
spread_ring(const struct spread *spread, unsigned worker)
{
	return spread->lanes[worker].ring;
}

void
spread_health(const struct spread *spread, struct health_record *health)
{
	receiver_health(&spread->receiver, health);
	for (unsigned i = 0; i < spread->settings.queues->count; i++)
		health_add(health, "spread.received", HEALTH_COUNTER,
			counter_read(&spread->receiver.received[i]));
	for (unsigned i = 0; i < spread->settings.workers; i++) {
		const struct spread_lane *lane = &spread->lanes[i];

		health_add(health, "spread.handed", HEALTH_COUNTER, counter_read(&lane->handed));
		health_add(health, "spread.ring_full", HEALTH_LOSS, counter_read(&lane->ring_full));
		health_add(health, "spread.queued", HEALTH_GAUGE, rte_ring_count(lane->ring));
	}
}
