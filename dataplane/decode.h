/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of one frame to a packet view: link, network and transport headers, each read
 * inside the captured length, and the same again inside of tunnels. Stateless; runs on worker
 * lcores. */
#ifndef CAMSPAN_DECODE_H
#define CAMSPAN_DECODE_H

#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DECODE_ETHERTYPES_MAX 16

/* What the decoder cannot know by itself. Filled at start, then only read. */
struct decode_options {
	uint16_t ethertypes[DECODE_ETHERTYPES_MAX]; /* host order: not IP, but wanted as L3_NONE */
	size_t ethertype_count;
	/* What keeps flows of equal addresses apart. All false: VLANs and tunnels do. */
	bool ignore_vlans;
	bool ignore_tunnels;
	bool by_port;
};

#define DECODE_TUNNEL_PORTS 8

extern const uint16_t decode_tunnel_ports[DECODE_TUNNEL_PORTS];

/* Whether UDP `ports` (source in the high half, destination in the low) are those of a tunnel that
 * the decoder opens. */
static inline bool
decode_may_be_tunnel(uint32_t ports)
{
#ifdef __SSE2__
	__m128i known = _mm_loadu_si128((const __m128i *)decode_tunnel_ports);
	__m128i source = _mm_cmpeq_epi16(known, _mm_set1_epi16((short)(ports >> 16)));
	__m128i destination = _mm_cmpeq_epi16(known, _mm_set1_epi16((short)ports));

	return _mm_movemask_epi8(_mm_or_si128(source, destination)) != 0;
#else
	bool found = false;

	for (unsigned i = 0; i < DECODE_TUNNEL_PORTS; i++)
		found |= decode_tunnel_ports[i] == ports >> 16 ||
			 decode_tunnel_ports[i] == (ports & UINT16_MAX);
	return found;
#endif
}

/* Adds an ethertype that somebody inspects (0x8033, 0x88cc, ...); one twice is no error.
 * Returns 0, -ENOSPC when the set is full, or -EINVAL for values that are lengths (below 0x600) or
 * that the decoder reads itself (IP, ARP, tags, what encapsulates below IP). */
int decode_options_add_ethertype(struct decode_options *options, uint16_t ethertype);

/* The caller has set data, captured, wire_length, time and observation_point; every other field
 * is written here. `options` may be NULL: no further ethertypes.
 *
 * Returns PACKET_DECODED, or the reason why not; then only the caller's own fields mean anything.
 * A decoded packet holds the invariants of packet.h, and for IP
 *   - payload - l3 + payload_wire_length is the datagram's length by its own header (the octets
 *     that IPFIX counts: no link header, no padding);
 *   - payload_length is also bounded by the UDP length; it is 0 for later fragments;
 *   - PACKET_TRUNCATED also marks a datagram that promises more than the frame can hold.
 * ARP: l3 = l4 = payload, source and destination are the sender and target protocol addresses; the
 * MACs are the frame's, the hardware addresses are in the payload.
 * A packet in a tunnel is decoded in place of the tunnel's own as long as all of it down to the
 * transport header is understood; else the flow is the tunnel's, and tunnel_end says why.
 * ICMP: the payload starts after type, code and checksum. Protocols without a header known here
 * start their payload at l4. */
enum packet_drop decode_packet(
	struct packet *packet, enum link_type link, const struct decode_options *options);

#endif
