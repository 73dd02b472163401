/* SPDX-License-Identifier: Apache-2.0 */
/* One worker's packet path, free of DPDK: a burst of packets in; flow records, facts and counters
 * out. Shared-nothing: everything in it belongs to one thread. */
#ifndef CAMSPAN_PIPELINE_H
#define CAMSPAN_PIPELINE_H

#include "config/config.h"
#include "dataplane/decode.h"
#include "dataplane/dedup.h"
#include "dataplane/flow_context.h"
#include "dataplane/flow_table.h"
#include "dataplane/fragment.h"
#include "dataplane/inspect.h"
#include "dataplane/plain_decode.h"
#include "dataplane/records/health_record.h"
#include "dataplane/watch.h"

#define PIPELINE_BURST 32

/* Where the pipeline delivers. flow() returns false when there is no room: the flow stays and is
 * offered again. The others count their own losses. */
struct pipeline_output {
	void *context;
	bool (*flow)(void *context, const struct flow_record *record);
	struct report_sink sink;
};

struct pipeline_settings {
	const struct config *config;
	const struct dispatch *dispatch;
	const struct decode_options *decode;
	struct dpi *dpi; /* NULL: none; becomes the pipeline's on success */
	struct pipeline_output output;
	const struct memory_source *memory;
	uint16_t worker;             /* number, makes flow ids unique */
	uint32_t deduplicated_ports; /* bit n: observation point n, see dedup_ports_of() */
	bool replay;                 /* packets wait to be taken: inspection needs no budget */
};

/* Packets whose flow is that of a tunnel. */
struct tunnel_counters {
	uint64_t too_deep;       /* nested deeper than is opened */
	uint64_t not_understood; /* what is inside could not be read */
};

struct pipeline {
	struct flow_table ipv4;
	struct flow_table ipv6;
	struct inspector inspector;
	struct fragment_table fragments;
	struct flow_contexts contexts;
	struct tunnel_counters tunnels;
	struct dedup dedup;
	struct packet_balance balance;
	struct flow_secret secret;
	const struct decode_options *decode;
	struct plain_options plain;                /* the same for plain frames */
	struct decode_options decode_across_vlans; /* for ports of dedup_leaves_vlan_out() */
	struct pipeline_output output;
	/* Published by the control thread; read at early looks only. */
	const struct watch_set *_Atomic watch;
	int64_t now;            /* latest believable packet time: see follow_time() */
	uint32_t strange_times; /* packets in a row that were far from it */
	uint32_t timers_paused; /* bursts until the wheels turn again */
};

/* Returns 0 or -errno. Large: allocate it where its memory source says. */
int pipeline_init(struct pipeline *pipeline, const struct pipeline_settings *settings);
void pipeline_free(struct pipeline *pipeline);

/* Decodes and accounts at most PIPELINE_BURST frames of one link type; their bytes are borrowed for
 * the call. */
void pipeline_burst(struct pipeline *pipeline, const struct frame_view *frames, unsigned count,
	enum link_type link);
/* No packet came: lets timers run by the clock. */
void pipeline_idle(struct pipeline *pipeline, int64_t now);
/* Ends every flow. False: the output had no room; drain it and call again. */
bool pipeline_flush(struct pipeline *pipeline);

/* Adds this worker's balance and figures to the record. */
void pipeline_health(const struct pipeline *pipeline, struct health_record *health);

#endif
