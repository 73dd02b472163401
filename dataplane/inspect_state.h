/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of inspection states: who has one, who may lose it. Only for inspect.c. */
#ifndef CAMSPAN_INSPECT_STATE_H
#define CAMSPAN_INSPECT_STATE_H

#include "dataplane/inspect.h"

#define INSPECTION_NO_OWNER UINT8_MAX

struct inspection_state {
	struct flow *flow;     /* whose state this is */
	uint32_t older, newer; /* neighbours among those that may go: number + 1, 0 none */
	uint32_t rejected;     /* classifiers that answered NOT_MINE */
	uint16_t packets;      /* with payload */
	uint16_t owned_calls;
	uint8_t owner;      /* index into classifier_table */
	uint8_t recognizer; /* the classifier that has named the protocol */
	bool kept;          /* not among those that may go */
	bool classified;    /* no classifier wants more */
	bool dpi_done;
	struct dpi_flow *dpi;
	struct tcp_stream streams[2]; /* from the initiator, from the responder */
	uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64)));
};

/* Takes the pools' memory; their sizes are in inspector->config. Returns 0 or -ENOMEM. */
int inspection_states_init(struct inspector *inspector);
void inspection_states_free(struct inspector *inspector);

static inline struct inspection_state *
inspection_state_of(const struct inspector *inspector, const struct flow *flow)
{
	return &inspector->states[flow->inspection - 1];
}

/* A state for a flow that has none, with a scratch that is not cleared. NULL: none is free. */
struct inspection_state *inspection_state_take(struct inspector *inspector, struct flow *flow);
/* Gives the flow's state back. */
void inspection_state_release(struct inspector *inspector, struct flow *flow);
/* The oldest that may go for a newer flow; NULL: all are kept. */
struct inspection_state *inspection_state_oldest(const struct inspector *inspector);
/* Its classifier is sure: it may not go. */
void inspection_state_keep(struct inspector *inspector, struct inspection_state *state);
/* No classifier owns it any more: it may go again, as the newest. */
void inspection_state_disown(struct inspector *inspector, struct inspection_state *state);
/* Fetches what the next takings will write, when they take from others. */
void inspection_states_prefetch(const struct inspector *inspector);

#endif
