/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <time.h>

#define QUIESCENT_EVERY 256 /* rounds */
/* Empty rounds before a nap, and its length in ns: at a million packets a second a nap fills a few
 * hundred of the 2048 slots of the ring, and an idle worker costs a few per cent of a CPU. */
#define ROUNDS_UNTIL_NAP 64
#define NAP              250000

_Static_assert(PIPELINE_BURST == 32, "receive bursts are sized for the drivers' vector paths");

/* Drivers that strip VLAN tags tell them beside the frame: put them back where the decoder looks.
 */
static inline void
restore_vlan(struct rte_mbuf **mbuf)
{
	if ((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		rte_vlan_insert(mbuf);
}

static void
view(struct frame_view *frame, struct rte_mbuf *mbuf, int64_t now, uint16_t observation_point)
{
	frame->data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	frame->time = now;
	frame->captured = rte_pktmbuf_data_len(mbuf);
	frame->wire_length = rte_pktmbuf_pkt_len(mbuf);
	frame->observation_point = observation_point;
}

static unsigned
receive(struct worker *worker, uint16_t index, int64_t now)
{
	const struct port *port = &worker->ports->ports[index];
	struct rte_mbuf *mbufs[PIPELINE_BURST];
	struct frame_view frames[PIPELINE_BURST];
	unsigned count;

	if (worker->number >= port->queues)
		return 0;
	count = rte_eth_rx_burst(port->id, worker->number, mbufs, PIPELINE_BURST);
	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (unsigned i = 0; i < count; i++) {
		restore_vlan(&mbufs[i]);
		view(&frames[i], mbufs[i], now, index);
	}
	pipeline_burst(&worker->pipeline, frames, count, LINK_ETHERNET);
	rte_pktmbuf_free_bulk(mbufs, count);
	return count;
}

/* The one system call of a worker: only where nothing comes, and never on a NIC and CPU of its own.
 */
static void
rest(const struct worker *worker, unsigned empty_rounds)
{
	const struct timespec nap = {.tv_nsec = NAP};

	rte_pause();
	if (!worker->naps || empty_rounds < ROUNDS_UNTIL_NAP)
		return;
	rte_rcu_qsbr_quiescent(worker->quiescence, worker->number);
	nanosleep(&nap, NULL);
}

static void
drain(struct worker *worker)
{
	while (!pipeline_flush(&worker->pipeline))
		rest(worker, ROUNDS_UNTIL_NAP);
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
		unsigned received = 0;

		for (uint16_t port = 0; port < worker->ports->count; port++)
			received += receive(worker, port, now);
		empty_rounds = received ? 0 : empty_rounds + 1;
		if (received == 0) {
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
