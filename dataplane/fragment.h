/* SPDX-License-Identifier: Apache-2.0 */
/* Later fragments of a datagram carry no ports: they get those of the first one, which is
 * remembered for a while. Nothing is reassembled or held back: a later fragment that comes before
 * the first one, or long after, stays without ports and is counted. Belongs to one worker. */
#ifndef CAMSPAN_FRAGMENT_H
#define CAMSPAN_FRAGMENT_H

#include "dataplane/memory.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"

struct fragment_entry;

struct fragment_counters {
	uint64_t first;     /* first fragments remembered */
	uint64_t joined;    /* later ones that got their ports */
	uint64_t unmatched; /* later ones of protocols with ports whose first one is not known */
	uint64_t replaced;  /* first ones forgotten within their time, to make room */
};

struct fragment_table {
	struct fragment_entry *entries;
	uint64_t seed;
	struct fragment_counters counters;
	const struct memory_source *memory;
};

/* Returns 0 or -errno. */
int fragment_table_init(struct fragment_table *table, const struct memory_source *memory);
void fragment_table_free(struct fragment_table *table);

/* For a decoded IP packet with PACKET_IS_FRAGMENT. Sets ports and protocol of a later fragment
 * whose first one was seen less than 30 s of packet time ago. */
void fragment_follow(struct fragment_table *table, struct packet *packet);

void fragment_table_health(const struct fragment_table *table, struct health_record *health);

#endif
