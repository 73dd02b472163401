/* SPDX-License-Identifier: Apache-2.0 */
/* Who talks to whom on a flow, kept for the samples that are sent when no packet is at hand. */
#ifndef CAMSPAN_PROTOCOLS_STREAM_ENDS_H
#define CAMSPAN_PROTOCOLS_STREAM_ENDS_H

#include "classifiers/classifier.h"

struct stream_ends {
	struct endpoint initiator;
	struct endpoint responder;
	struct mac_address initiator_mac; /* zero when unknown */
	struct mac_address responder_mac;
	uint16_t vlan;
	uint32_t tenant;
};

/* Bytes of the wire that carry the bytes of a TCP stream: headers of segments, also of those that
 * are skipped unseen, are shared out to the media frames among them. */
struct wire_share {
	uint32_t last_sequence; /* of the segment counted last */
	uint32_t overhead;      /* header bytes not yet shared out */
	uint16_t header;        /* header bytes of one segment */
	uint16_t segment;       /* payload of the largest segment seen */
};

void stream_ends_set(struct stream_ends *ends, const struct inspection *in);
void stream_ends_fill(
	const struct stream_ends *ends, bool from_initiator, struct stream_sample *sample);
void wire_share_packet(struct wire_share *share, const struct packet *packet);
/* Wire bytes of a frame of `length` stream bytes of which `unseen` will be skipped. */
uint32_t wire_share_frame(struct wire_share *share, uint32_t length, uint32_t unseen);

#endif
