/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/receiver.h"

#include "dataplane/mbuf_time.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdlib.h>

int
receiver_init(struct receiver *receiver, const struct ports *ports, const struct rx_queues *queues,
	uint32_t sampling, const struct spread_secret *secret)
{
	*receiver = (struct receiver){
		.ports = ports,
		.queues = queues,
		.sampling = sampling,
		.secret = secret,
		.received = calloc(queues->count + 1u, sizeof(struct counter)),
		.refused = calloc(queues->count + 1u, sizeof(struct counter)),
	};
	for (unsigned i = 0; i < queues->count; i++)
		receiver->has_timestamps |=
			ports->ports[queues->list[i].port].clock.source != PORT_CLOCK_NONE;
	if (receiver->received && receiver->refused)
		return 0;
	receiver_free(receiver);
	return -ENOMEM;
}

void
receiver_free(struct receiver *receiver)
{
	free(receiver->received);
	free(receiver->refused);
	receiver->received = receiver->refused = NULL;
}

/* Drivers that strip VLAN tags tell them beside the frame: put them back where the decoder looks.
 */
static inline void
restore_vlan(struct receiver *receiver, struct rte_mbuf **mbuf)
{
	/* A buffer without headroom, or one that is shared, cannot take it. */
	if (unlikely((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
		unlikely(rte_vlan_insert(mbuf) != 0))
		counter_add(&receiver->tags_lost, 1);
}

/* The port's own time where it is believable. */
static void
set_port_times(const struct ports *ports, const struct port *port, int64_t now,
	struct rte_mbuf **mbufs, unsigned count, struct counter *refused_counter)
{
	unsigned refused = 0;

	if (!port_clock_is_set(&port->clock))
		return;
	for (unsigned i = 0; i < count; i++) {
		int64_t time;

		if (!(mbufs[i]->ol_flags & ports->timestamp_flag))
			continue;
		if (port_clock_time(&port->clock,
			    *RTE_MBUF_DYNFIELD(
				    mbufs[i], ports->timestamp_offset, rte_mbuf_timestamp_t *),
			    now, &time))
			mbuf_set_time(mbufs[i], time);
		else
			refused++;
	}
	counter_add(refused_counter, refused);
}

unsigned
receiver_burst(struct receiver *receiver, unsigned at, int64_t now, struct rte_mbuf **mbufs)
{
	const struct rx_queue *queue = &receiver->queues->list[at];
	const struct port *port = &receiver->ports->ports[queue->port];
	unsigned count = rte_eth_rx_burst(port->id, queue->queue, mbufs, RECEIVER_BURST);

	if (count == 0)
		return 0;
	/* The line behind holds the inner addresses of a mirror tunnel. */
	for (unsigned i = 0; i < count; i++) {
		const char *data = rte_pktmbuf_mtod(mbufs[i], const char *);

		rte_prefetch0(data);
		rte_prefetch0(data + RTE_CACHE_LINE_SIZE);
	}
	for (unsigned i = 0; i < count; i++) {
		restore_vlan(receiver, &mbufs[i]);
		mbufs[i]->port = queue->port;
		mbuf_set_time(mbufs[i], now);
	}
	if (receiver->has_timestamps)
		set_port_times(receiver->ports, port, now, mbufs, count, &receiver->refused[at]);
	counter_add(&receiver->received[at], count);
	return count;
}

bool
receiver_keeps(struct receiver *receiver, struct spread_hash hash, const struct rte_mbuf *mbuf)
{
	if (hash.basis < SPREAD_IPV4 || spread_is_sampled(hash.value, receiver->sampling))
		return true;
	counter_add(&receiver->left_out, 1);
	counter_add(&receiver->left_out_bytes, rte_pktmbuf_pkt_len(mbuf));
	return false;
}

unsigned
receiver_sample(struct receiver *receiver, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = mbufs[i];
		struct spread_hash hash = spread_hash(receiver->secret,
			rte_pktmbuf_mtod(mbuf, const uint8_t *), rte_pktmbuf_data_len(mbuf));

		if (receiver_keeps(receiver, hash, mbuf))
			mbufs[kept++] = mbuf;
		else
			rte_pktmbuf_free(mbuf);
	}
	return kept;
}

void
receiver_health(const struct receiver *receiver, struct health_record *health)
{
	uint64_t left_out = counter_read(&receiver->left_out);

	health->balance.received += left_out;
	health->balance.received_bytes += counter_read(&receiver->left_out_bytes);
	health->balance.fates[DROP_NOT_SAMPLED] += left_out;
	health_add(health, "ports.tags_lost", HEALTH_LOSS, counter_read(&receiver->tags_lost));
	for (unsigned i = 0; receiver->has_timestamps && i < receiver->queues->count; i++)
		health_add(health, "ports.timestamps_refused", HEALTH_COUNTER,
			counter_read(&receiver->refused[i]));
}
