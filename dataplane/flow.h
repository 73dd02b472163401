/* SPDX-License-Identifier: Apache-2.0 */
/* One flow: its key, and the single cache line that an established flow costs per packet. */
#ifndef CAMSPAN_FLOW_H
#define CAMSPAN_FLOW_H

#include "dataplane/records/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* The canonical bidirectional key: end 0 is the numerically lower (address, port). For IPv6 the
 * addresses are folded to 32 bits by the keyed hash and compared in full beside the entry. */
struct flow_key {
	uint32_t address[2]; /* IPv4 in network order as loaded; IPv6: keyed fold */
	uint16_t port[2];
	uint8_t protocol;
	uint8_t family; /* enum address_family */
	uint16_t vlan;
	uint32_t tenant;
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "flow_key_write() packs low byte first");

/* ICMP has no ports: type and identifier stay out of the key, so that an exchange is one flow. */

/* Full IPv6 addresses of a key, in the key's order. */
struct flow_wide {
	uint8_t address[2][16];
};

enum flow_flag {
	FLOW_IN_USE = 1 << 0,
	FLOW_INITIATOR_IS_1 = 1 << 1, /* the initiator is end 1 of the key */
	FLOW_INITIATOR_CERTAIN = 1 << 2,
	FLOW_ANSWERED = 1 << 3,
	FLOW_TCP_ENDED = 1 << 4, /* FIN both ways or RST: lingers for late segments */
	FLOW_REPORTED = 1 << 5,  /* a record of it was sent */
	FLOW_INSPECTED = 1 << 6, /* payload inspection saw its first packet */
	FLOW_WATCHED = 1 << 7,   /* touches an address that policy watches, which was told so */
};

/* flow.timer: the bits of the wheel's bookkeeping outlive the flow, because its timers do. */
#define FLOW_LOOKS_COUNT    0x07 /* early looks so far */
#define FLOW_ANSWER_TOLD    0x08 /* policy was told early that the flow was answered */
#define FLOW_TIMER_SEQUENCE 0x30 /* of the timer that counts */
#define FLOW_TIMERS_PENDING 0xc0 /* in the wheel: 0 to 2 */
#define FLOW_TIMER_BITS     (FLOW_TIMER_SEQUENCE | FLOW_TIMERS_PENDING)
#define FLOW_SEQUENCE_SHIFT 4
#define FLOW_PENDING_SHIFT  6

/* Times are in ticks of 1024 ns since `start`, so that 32 bits last 73 minutes: longer than the
 * longest active timeout, at which `start` moves on. */
#define FLOW_TICK_SHIFT 10

struct flow {
	struct flow_key key;
	uint32_t last;     /* ticks after start: last packet */
	int64_t start;     /* nanoseconds since the epoch: first packet since the last record */
	uint64_t bytes[2]; /* by end of the key, since the last record */
	uint32_t packets[2];
	uint32_t inspection; /* state in the inspector's pool + 1, 0: none (shunted) */
	uint8_t tcp_flags[2];
	uint8_t flags; /* enum flow_flag */
	uint8_t timer; /* FLOW_LOOKS_COUNT and following */
};

_Static_assert(sizeof(struct flow) == 64, "a flow is one cache line");

/* What is needed only when a flow begins and when it is reported. */
struct flow_origin {
	int64_t first; /* first packet of the flow */
	uint64_t id;
	struct mac_address mac[2]; /* by end of the key */
	/* nDPI's protocol or a classifier, 0 unknown; ICMP: type << 8 | code of the first */
	uint16_t application;
	uint16_t context; /* see flow_context.h */
};

/* Set in `application`: the rest is the classifier's place in the table. */
#define APPLICATION_OF_CLASSIFIER 0x8000

_Static_assert(sizeof(struct flow_origin) == 32, "two origins share a cache line");

#endif
