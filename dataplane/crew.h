/* SPDX-License-Identifier: Apache-2.0 */
/* The lcores at work: RX lcores and workers, created on the nodes and launched on the lcores that
 * the layout names. Control thread only. */
#ifndef CAMSPAN_CREW_H
#define CAMSPAN_CREW_H

#include "dataplane/house.h"
#include "dataplane/imbalance.h"
#include "dataplane/worker.h"

struct crew_settings {
	const struct house *house;
	struct ports *ports;
	const struct layout *layout;
	struct steady_clock clock;
	const atomic_bool *stop;
};

struct crew {
	struct crew_settings settings;
	struct worker **workers;
	unsigned worker_count;
	struct spread *spreads;
	unsigned spread_count;
	struct spread_secret secret;
	struct rte_rcu_qsbr *quiescence;
	struct imbalance imbalance;                  /* among workers */
	struct imbalance queue_imbalance[PORTS_MAX]; /* among queues of a port */
	/* Of each port, as of the last look. */
	uint64_t port_received[PORTS_MAX];
	uint64_t port_refused[PORTS_MAX];
	unsigned worst;   /* imbalance of the last look, per cent */
	unsigned busiest; /* worker */
};

/* Returns 0 or -errno; crew_free() takes what a failure leaves. */
int crew_create(struct crew *crew, const struct crew_settings *settings);
void crew_free(struct crew *crew);
/* Sets all of them to work. */
void crew_launch(struct crew *crew);
/* True once every worker has handed over all flows after the stop. */
bool crew_has_drained(const struct crew *crew);
/* Asks every worker for its figures; they come within a round. */
void crew_ask(struct crew *crew);
bool crew_has_answered(const struct crew *crew);
/* Figures of all as last given, and how unevenly they are loaded since the last call. */
void crew_health(struct crew *crew, struct health_record *health);

#endif
