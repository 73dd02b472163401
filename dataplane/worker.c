/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/worker.h"

#include "dataplane/mbuf_time.h"

#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <time.h>

#define QUIESCENT_EVERY 256 /* rounds */

_Static_assert(PIPELINE_BURST == RECEIVER_BURST, "a burst of the port is one of the pipeline");

void
worker_add_source(struct worker *worker, struct spread *spread)
{
	worker->sources[worker->source_count] = spread;
	worker->rings[worker->source_count++] = spread_ring(spread, worker->number);
}

void
worker_drop_batches(struct worker *worker)
{
	for (unsigned i = 0; i < 2; i++) {
		rte_pktmbuf_free_bulk(worker->batches[i].mbufs, worker->batches[i].count);
		worker->batches[i].count = 0;
	}
}

static uint64_t
view(struct frame_view *frame, const struct rte_mbuf *mbuf)
{
	frame->data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	frame->time = mbuf_time(mbuf);
	frame->captured = rte_pktmbuf_data_len(mbuf);
	frame->wire_length = rte_pktmbuf_pkt_len(mbuf);
	frame->observation_point = mbuf->port;
	return frame->wire_length;
}

static void
work(struct worker *worker, struct rte_mbuf **mbufs, unsigned count)
{
	struct frame_view frames[PIPELINE_BURST];
	uint64_t bytes = 0;

	if (count == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		bytes += view(&frames[i], mbufs[i]);
	counter_add(&worker->packets, count);
	counter_add(&worker->bytes, bytes);
	pipeline_burst(&worker->pipeline, frames, count, LINK_ETHERNET);
	rte_pktmbuf_free_bulk(mbufs, count);
}

static unsigned
receive(struct worker *worker, unsigned queue, int64_t now)
{
	struct rte_mbuf *mbufs[RECEIVER_BURST];
	unsigned taken = receiver_burst(&worker->receiver, queue, now, mbufs);
	unsigned count = taken;

	if (worker->receiver.sampling > 1)
		count = receiver_sample(&worker->receiver, mbufs, taken);
	if (taken > 0 && count == 0)
		pipeline_idle(&worker->pipeline, now); /* timers must not wait for a packet */
	work(worker, mbufs, count);
	return taken;
}

/* What another core has written is fetched while the burst before is worked on: the mbuf
 * (its second line is read when it is freed), and two
 * lines of the frame, whose place needs no look into the mbuf where the buffer is the pool's own.
 */
static inline void
prefetch(struct rte_mbuf *mbuf)
{
	const char *data = (const char *)(mbuf + 1) + RTE_PKTMBUF_HEADROOM;

	rte_mbuf_prefetch_part1(mbuf);
	rte_mbuf_prefetch_part2(mbuf);
	rte_prefetch0(data);
	rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
}

/* Fills a batch from the rings in turn, so that none is starved. */
static void
drain_rings(struct worker *worker, struct worker_batch *batch)
{
	batch->count = 0;
	for (unsigned i = 0; i < worker->source_count && batch->count < PIPELINE_BURST; i++) {
		batch->count += rte_ring_sc_dequeue_burst(worker->rings[worker->next_ring],
			(void **)&batch->mbufs[batch->count], PIPELINE_BURST - batch->count, NULL);
		if (++worker->next_ring == worker->source_count)
			worker->next_ring = 0;
	}
	for (unsigned i = 0; i < batch->count; i++)
		prefetch(batch->mbufs[i]);
}

static void
fill_account(const struct worker *worker, struct health_record *health)
{
	pipeline_health(&worker->pipeline, health);
	report_ring_health(&worker->reports, health);
	receiver_health(&worker->receiver, health);
	if (worker->names.packets[0] == '\0')
		return;
	health_add(health, worker->names.packets, HEALTH_COUNTER, counter_read(&worker->packets));
	health_add(health, worker->names.bytes, HEALTH_COUNTER, counter_read(&worker->bytes));
	for (unsigned i = 0; i < worker->source_count; i++)
		health_add(health, worker->names.ring_full, HEALTH_COUNTER,
			counter_read(&worker->sources[i]->lanes[worker->number].ring_full));
}

/* One load where nothing was asked. */
static void
answer(struct worker *worker)
{
	struct worker_account *account = &worker->account;
	unsigned asked = atomic_load_explicit(&account->asked, memory_order_acquire);
	struct health_record *record = &account->records[asked % WORKER_ACCOUNTS];

	if (asked == atomic_load_explicit(&account->given, memory_order_relaxed))
		return;
	*record = (struct health_record){0};
	fill_account(worker, record);
	atomic_store_explicit(&account->given, asked, memory_order_release);
}

unsigned
worker_round(struct worker *worker, int64_t now)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < worker->receiver.queues->count; i++)
		taken += receive(worker, i, now);
	if (worker->source_count) {
		struct worker_batch *batch = &worker->batches[worker->batch];

		drain_rings(worker, &worker->batches[!worker->batch]);
		work(worker, batch->mbufs, batch->count);
		taken += batch->count + worker->batches[!worker->batch].count;
		batch->count = 0;
		worker->batch = !worker->batch;
	}
	answer(worker);
	return taken;
}

/* The one system call of a worker: only where nothing comes, and never on a NIC and CPU of its own.
 */
static void
rest(const struct worker *worker, unsigned empty_rounds)
{
	const struct timespec nap = {.tv_nsec = RECEIVER_NAP};

	rte_pause();
	if (!worker->naps || empty_rounds < RECEIVER_ROUNDS_UNTIL_NAP)
		return;
	rte_rcu_qsbr_quiescent(worker->quiescence, worker->number);
	nanosleep(&nap, NULL);
}

static bool
sources_are_done(const struct worker *worker)
{
	for (unsigned i = 0; i < worker->source_count; i++)
		if (!atomic_load_explicit(&worker->sources[i]->done, memory_order_acquire))
			return false;
	return true;
}

/* What the RX lcores have handed over before their end is still worked on. */
static void
finish_rings(struct worker *worker)
{
	bool done;

	do {
		done = sources_are_done(worker);
		if (worker_round(worker, clock_now(&worker->clock)) > 0)
			done = false;
		rte_rcu_qsbr_quiescent(worker->quiescence, worker->number);
	} while (!done);
}

/* Whatever was asked: nothing changes from here on. */
static void
give_last(struct worker *worker)
{
	struct worker_account *account = &worker->account;
	unsigned given = atomic_load_explicit(&account->given, memory_order_relaxed);
	struct health_record *record = &account->records[(given + 1) % WORKER_ACCOUNTS];

	*record = (struct health_record){0};
	fill_account(worker, record);
	atomic_store_explicit(&account->given, given + 1, memory_order_release);
	atomic_store_explicit(&account->final, true, memory_order_release);
}

static void
drain(struct worker *worker)
{
	if (worker->source_count)
		finish_rings(worker);
	while (!pipeline_flush(&worker->pipeline)) {
		/* The control thread, which makes room, may wait for this worker. */
		rte_rcu_qsbr_quiescent(worker->quiescence, worker->number);
		rest(worker, RECEIVER_ROUNDS_UNTIL_NAP);
	}
	give_last(worker);
	atomic_store(&worker->drained, true);
}

int
worker_run(void *argument)
{
	struct worker *worker = argument;
	unsigned rounds = 0;
	unsigned empty_rounds = 0;

	rte_rcu_qsbr_thread_register(worker->quiescence, worker->number);
	rte_rcu_qsbr_thread_online(worker->quiescence, worker->number);
	while (!atomic_load_explicit(worker->stop, memory_order_relaxed)) {
		int64_t now = clock_now(&worker->clock);
		unsigned taken = worker_round(worker, now);

		empty_rounds = taken ? 0 : empty_rounds + 1;
		if (taken == 0) {
			pipeline_idle(&worker->pipeline, now);
			rest(worker, empty_rounds);
		}
		if (++rounds % QUIESCENT_EVERY == 0)
			rte_rcu_qsbr_quiescent(worker->quiescence, worker->number);
	}
	drain(worker);
	rte_rcu_qsbr_thread_offline(worker->quiescence, worker->number);
	rte_rcu_qsbr_thread_unregister(worker->quiescence, worker->number);
	return 0;
}

void
worker_ask(struct worker *worker)
{
	if (!atomic_load_explicit(&worker->account.final, memory_order_acquire))
		atomic_store_explicit(&worker->account.asked,
			atomic_load_explicit(&worker->account.given, memory_order_acquire) + 1,
			memory_order_release);
}

bool
worker_has_answered(const struct worker *worker)
{
	const struct worker_account *account = &worker->account;

	return atomic_load_explicit(&account->final, memory_order_acquire) ||
	       atomic_load_explicit(&account->given, memory_order_acquire) ==
		       atomic_load_explicit(&account->asked, memory_order_relaxed);
}

const struct health_record *
worker_answer(const struct worker *worker)
{
	return &worker->account.records[atomic_load_explicit(
						&worker->account.given, memory_order_acquire) %
					WORKER_ACCOUNTS];
}
