/* SPDX-License-Identifier: Apache-2.0 */
/* The queues that one lcore reads: a worker, or an RX lcore that spreads. */
#ifndef CAMSPAN_RECEIVER_H
#define CAMSPAN_RECEIVER_H

#include "dataplane/clock.h"
#include "dataplane/counter.h"
#include "dataplane/port.h"
#include "dataplane/spread_hash.h"

#include <string.h>

#define RECEIVER_BURST 32 /* what the drivers' vector paths are made for */
/* Empty rounds before a nap, and its length in ns: at a million packets a second a nap fills a few
 * hundred of the 2048 slots of a ring, and an idle lcore costs a few per cent of a CPU. */
#define RECEIVER_ROUNDS_UNTIL_NAP 64
#define RECEIVER_NAP              250000

struct rte_mbuf;

/* Written by its lcore only. */
struct receiver {
	const struct ports *ports;
	const struct rx_queues *queues;
	bool has_timestamps; /* of any of its ports */
	/* By queue, as in `queues`. */
	struct counter *received;
	struct counter *refused; /* the port's timestamp was not believable */
	/* Packets that sampling left out. */
	uint32_t sampling; /* one in so many, 1: all */
	const struct spread_secret *secret;
	struct counter tags_lost; /* stripped by the port, and no room to put them back */
	struct counter left_out;
	struct counter left_out_bytes;
};

/* `secret` is borrowed. Returns 0 or -ENOMEM. */
int receiver_init(struct receiver *receiver, const struct ports *ports,
	const struct rx_queues *queues, uint32_t sampling, const struct spread_secret *secret);
void receiver_free(struct receiver *receiver);

/* Takes a burst of at most RECEIVER_BURST from queue number `at` of the list. Each packet then has
 * its VLAN tag where the wire had it, its time, and the port's index in mbuf->port. */
unsigned receiver_burst(
	struct receiver *receiver, unsigned at, int64_t now, struct rte_mbuf **mbufs);
/* Whether a packet is among those that are looked at; counts it if not. Frames without IP always
 * are: they are few, and tell much of devices. */
bool receiver_keeps(
	struct receiver *receiver, struct spread_hash hash, const struct rte_mbuf *mbuf);
/* Frees what is not sampled and closes the gaps. Returns how many are left. */
unsigned receiver_sample(struct receiver *receiver, struct rte_mbuf **mbufs, unsigned count);

/* Adds its figures, and to the balance what it left out. */
void receiver_health(const struct receiver *receiver, struct health_record *health);

#endif
