/* SPDX-License-Identifier: Apache-2.0 */
/* Payload inspection of one worker: gives the first packets of each flow to the classifiers and to
 * general inspection (nDPI), then lets the flow go. All state is pooled; a pool that is empty costs
 * inspection, never the flow, and is counted. */
#ifndef CAMSPAN_INSPECT_H
#define CAMSPAN_INSPECT_H

#include "classifiers/classifier.h"
#include "classifiers/dispatch.h"
#include "classifiers/dpi.h"
#include "config/config.h"
#include "dataplane/decode.h"
#include "dataplane/flow.h"
#include "dataplane/memory.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/wire.h"
#include "dataplane/tcp_stream.h"

struct inspection_state;

struct inspector_counters {
	uint64_t flows;             /* inspections begun */
	uint64_t cut_short;         /* inspections given up to make room for others */
	uint64_t packets_skipped;   /* with payload, of flows for which no state could be had */
	uint64_t evidence;          /* facts passed on */
	uint64_t evidence_repeated; /* the same fact again within the repeat time */
	uint64_t dpi_skipped;       /* over the budget */
	uint64_t link_packets;      /* link-layer protocols inspected */
};

struct recent_fact {
	uint64_t hash;
	int64_t time;
};

struct inspector {
	const struct dispatch *dispatch;
	const struct config_inspection *config;
	struct report_sink out;  /* where facts go */
	struct report_sink sink; /* what classifiers see: drops repetitions */
	struct inspection_state *states;
	uint32_t *free_list;
	uint32_t free_count;
	uint32_t in_use;
	/* States of which no classifier is sure, oldest first: numbers + 1, 0 ends. */
	uint32_t loose_first, loose_last;
	struct tcp_buffers buffers;
	struct dpi *dpi;      /* NULL: inspection off */
	uint32_t dpi_left;    /* calls left in this burst */
	uint32_t full_bursts; /* in a row */
	bool unhurried;       /* packets wait for us: a replay */
	bool idle;            /* by configuration no payload is looked at */
	struct recent_fact *recent;
	uint64_t recent_seed;
	struct inspector_counters counters;
	const struct memory_source *memory;
};

/* Adds every ethertype that a classifier inspects, so that the decoder lets it through. Returns 0
 * or -errno: too many of them. */
int inspector_ethertypes(struct decode_options *decode);

/* `config` and `dispatch` are borrowed. `dpi` may be NULL; it becomes the inspector's. `unhurried`:
 * general inspection has no budget. Returns 0 or -errno. */
int inspector_init(struct inspector *inspector, const struct config_inspection *config,
	const struct dispatch *dispatch, struct dpi *dpi, bool unhurried,
	const struct report_sink *out, const struct memory_source *memory);
void inspector_free(struct inspector *inspector);

/* Renews the budget of general inspection. `full`: the burst was as large as it can be, so more
 * packets wait. */
void inspector_burst(struct inspector *inspector, bool full);
/* Whether a flow that has no state yet could get one with a packet that carries payload. */
static inline bool
inspector_wants(const struct inspector *inspector, const struct flow *flow)
{
	return !(flow->flags & FLOW_INSPECTED) && !inspector->idle &&
	       (flow->key.protocol == PROTOCOL_TCP || flow->key.protocol == PROTOCOL_UDP);
}

/* The first packet with payload of a flow that the inspector wants: it gets a state. If none is
 * free, the oldest of which no classifier is sure yet (six packets of its protocol) is taken from
 * its flow, whose inspection is over then: a flood costs depth, and blinds only if it speaks
 * protocols on as many flows. If all are sure the flow asks again with its next packet, and a
 * datagram is at least shown to the classifiers by itself. */
void inspector_begin(struct inspector *inspector, struct flow *flow, const struct packet *packet);
/* A datagram of a flow whose flow->inspection is not 0: true if its classifier needed no more than
 * this. Else nothing was done, and inspector_packet() must follow. */
bool inspector_meter(
	struct inspector *inspector, const struct flow *flow, const struct meter_packet *packet);
/* Fetches what inspector_meter() will need, for such a flow. */
void inspector_prefetch(const struct inspector *inspector, const struct flow *flow);
/* A packet of a flow whose flow->inspection is not 0. Clears it when the flow needs no more. */
void inspector_packet(struct inspector *inspector, struct flow *flow, struct flow_origin *origin,
	const struct packet *packet, bool from_initiator);
/* The flow ends: last reports of its classifier, state given back. */
void inspector_end(struct inspector *inspector, struct flow *flow);
/* A packet without a flow: ARP and other link-layer protocols. */
void inspector_link_packet(struct inspector *inspector, const struct packet *packet);

/* What `flow_origin.application` of a flow that is not ICMP stands for, "" for 0. */
void inspector_name(
	const struct inspector *inspector, uint16_t application, char name[DPI_NAME_SIZE]);
void inspector_health(const struct inspector *inspector, struct health_record *health);

#endif
