/* SPDX-License-Identifier: Apache-2.0 */
/* How the packets of flows reached the sensor: its port, the tag and the tunnels around them. Many
 * flows share one, so a flow keeps a number of 16 bits for it. Belongs to one worker. */
#ifndef CAMSPAN_FLOW_CONTEXT_H
#define CAMSPAN_FLOW_CONTEXT_H

#include "dataplane/memory.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"

/* Numbers below are the bare observation points: neither tunnel nor outer tag. */
#define FLOW_CONTEXT_FIRST 256
#define FLOW_CONTEXTS      16384 /* with tunnels or outer tags, at a time */

struct flow_context;

struct flow_contexts {
	struct flow_context *entries; /* number - FLOW_CONTEXT_FIRST */
	uint16_t *buckets;            /* numbers, 0 ends; chained by entry */
	uint16_t free;                /* number, chained likewise */
	uint32_t in_use;
	uint64_t refused; /* flows without one: all in use */
	uint64_t seed;
	const struct memory_source *memory;
};

/* Returns 0 or -errno. */
int flow_contexts_init(struct flow_contexts *contexts, const struct memory_source *memory);
void flow_contexts_free(struct flow_contexts *contexts);

/* The context of a flow that begins with this packet; it is the flow's until it is given back. When
 * none is left (counted) the bare observation point is returned. */
uint16_t flow_contexts_take(struct flow_contexts *contexts, const struct packet *packet);
void flow_contexts_give_back(struct flow_contexts *contexts, uint16_t number);
/* Writes it into a record of the flow. */
void flow_contexts_describe(
	const struct flow_contexts *contexts, uint16_t number, struct flow_record *record);

void flow_contexts_health(const struct flow_contexts *contexts, struct health_record *health);

#endif
