/* SPDX-License-Identifier: Apache-2.0 */
/* The contract between the worker and a protocol classifier.
 *
 * A classifier is one file in protocols/ with one static descriptor and one line in table.c. It
 * runs on worker lcores: no allocation, no lock, no system call, no log, no global mutable state.
 * It reads `data` only through dataplane/cursor.h (or helpers built on it) and must hold for any
 * bytes.
 *
 * UDP and link-layer protocols are called once a packet with the payload. TCP protocols are called
 * with the in-order bytes of one direction that no earlier call consumed, starting at `data`:
 *   - to wait for more bytes, leave `consumed` at 0 (or at the bytes done with) and return MORE;
 * the unconsumed rest is kept (up to STREAM_BUFFER_SIZE) and offered again with the next segment;
 *   - `consumed` may exceed `length`: the bytes to come are skipped without being copied, which is
 *     how bodies and media frames pass by;
 *   - `gap` is set on the first call after bytes were missed (capture loss, or a buffer that
 * filled): earlier unconsumed bytes are gone and the classifier should find its next boundary.
 *
 * Of several candidates for a flow the first in table order that does not answer NOT_MINE owns it;
 * its scratch is zeroed when it becomes a candidate. NOT_MINE passes the flow to the next
 * candidate. DONE ends this classifier's interest. After max_packets calls the flow is taken away,
 * unless max_packets is CLASSIFIER_WHOLE_FLOW: then it keeps getting every packet to the flow's end
 * (RTP metering). `finish` is called when an owned flow ends or leaves inspection. */
#ifndef CAMSPAN_CLASSIFIER_H
#define CAMSPAN_CLASSIFIER_H

#include "dataplane/records/evidence.h"
#include "dataplane/records/packet.h"
#include "dataplane/records/stream_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLASSIFIER_WHOLE_FLOW  UINT16_MAX
#define CLASSIFIER_SCRATCH_MAX 1536 /* bytes of per-flow state */
#define CLASSIFIER_PORTS_MAX   16
#define CLASSIFIER_MAGICS_MAX  12
#define STREAM_BUFFER_SIZE     8192 /* unconsumed bytes kept per direction of a TCP flow */

enum classifier_verdict { CLASSIFIER_NOT_MINE, CLASSIFIER_MORE, CLASSIFIER_DONE };

/* Where a classifier delivers. Calls copy their argument. evidence() returns false when the fact
 * was lost for want of room, which is counted: it may be told again. */
struct report_sink {
	void *context;
	bool (*evidence)(void *context, const struct evidence *evidence);
	void (*media)(void *context, const struct stream_media *media);
	void (*sample)(void *context, const struct stream_sample *sample);
};

struct inspection {
	const uint8_t *data; /* unconsumed bytes; NULL when length is 0 */
	uint32_t length;
	uint32_t missing; /* payload bytes of this packet that the capture cut off (snap length) */
	const struct packet *packet; /* that brought the newest bytes; its source is who speaks */
	bool from_initiator;
	bool stream; /* TCP */
	bool gap;
	bool recognized; /* in and out: the flow is known to speak the classifier's protocol. Set on
			  * proof; an owner that only waits for more is not sure */
	uint64_t wire_bytes; /* whole-flow classifiers: wire bytes of this packet */
	uint32_t consumed;   /* out: see above; ignored for UDP and link-layer packets */
};

enum match_layer {
	MATCH_UDP,
	MATCH_TCP,
	MATCH_ETHERTYPE, /* `ports` are ethertypes */
};

/* Bytes at a fixed offset of the first payload that make a classifier a candidate on any port. */
struct match_magic {
	uint8_t offset;
	uint8_t length; /* 1..8 */
	uint8_t bytes[8];
};

struct match {
	enum match_layer layer;
	uint16_t ports[CLASSIFIER_PORTS_MAX];             /* either side; 0 ends the list */
	struct match_magic magics[CLASSIFIER_MAGICS_MAX]; /* length 0 ends the list */
	bool any_port; /* candidate for every flow of the layer whose payload passes glance() */
};

/* A datagram of an owned flow, for those who need no header of it. All of it was captured. */
struct meter_packet {
	const uint8_t *data; /* transport payload */
	uint32_t length;
	uint32_t wire_bytes; /* of the packet */
	int64_t time;
	bool from_initiator;
};

struct classifier {
	const char *name;
	const char *reference; /* RFC, specification or public description */
	/* What a flow speaks in which it set `recognized`: at most 23 characters, as nDPI calls it
	 * where it knows it. General inspection need not look then. NULL: there are several. */
	const char *protocol;
	struct match
		match[2]; /* second one optional: layer of an unused one has no ports or magics */
	uint8_t match_count;
	uint16_t max_packets; /* calls per flow, or CLASSIFIER_WHOLE_FLOW */
	uint16_t scratch_size;
	enum classifier_verdict (*inspect)(
		struct inspection *in, void *scratch, const struct report_sink *sink);
	/* Only with any_port: may this be the first payload of a flow? Sees it before anything is
	 * prepared for the classifier, so a few instructions decide for most that it is not. */
	bool (*glance)(const uint8_t *data, uint32_t length);
	/* Optional, for UDP and CLASSIFIER_WHOLE_FLOW: takes a packet of an owned flow the short
	 * way, without reporting. False: nothing was taken, inspect() must see the packet. */
	bool (*meter)(void *scratch, const struct meter_packet *packet);
	/* Optional: last report of a flow. `in` has no data; its packet is the last one seen by the
	 * classifier, or NULL. */
	void (*finish)(void *scratch, const struct report_sink *sink);
};

extern const struct classifier *const classifier_table[]; /* explicit list in table.h */
extern const size_t classifier_count;                     /* at most 32 */

/* Index in the table; used in evidence.classifier. Searches it: at most 32 compares.
 * Returns classifier_count for a descriptor that is not in the table. */
uint8_t classifier_index(const struct classifier *classifier);

/* Helpers for classifiers (report.c). Each sends one evidence about the packet's source or
 * destination; empty values (after trimming) send nothing. The peer is the other end. */
void report_source(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const void *value,
	size_t length, const struct report_sink *sink);
void report_destination(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const void *value,
	size_t length, const struct report_sink *sink);
/* The subject is another host than the packet's ends: a name in a DNS answer, a MAC and address in
 * a discovery reply. The MAC may be NULL. */
void report_subject(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const struct ip_address *ip,
	const struct mac_address *mac, const void *value, size_t length,
	const struct report_sink *sink);

#endif
