/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/stream_ends.h"

void
stream_ends_set(struct stream_ends *ends, const struct inspection *in)
{
	const struct packet *packet = in->packet;
	struct endpoint source = {.ip = packet->source, .port = packet->source_port};
	struct endpoint destination = {.ip = packet->destination, .port = packet->destination_port};
	struct mac_address source_mac = {0}, destination_mac = {0};

	if (packet->flags & (PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC))
		source_mac = packet->source_mac;
	if (packet->flags & PACKET_HAS_MACS)
		destination_mac = packet->destination_mac;
	ends->initiator = in->from_initiator ? source : destination;
	ends->responder = in->from_initiator ? destination : source;
	/* Linux cooked links know only the sender: keep what the other direction told. */
	if (in->from_initiator || mac_is_set(&destination_mac))
		ends->initiator_mac = in->from_initiator ? source_mac : destination_mac;
	if (!in->from_initiator || mac_is_set(&destination_mac))
		ends->responder_mac = in->from_initiator ? destination_mac : source_mac;
	ends->vlan = packet_vlan(packet);
	ends->tenant = packet->tenant;
}

void
stream_ends_fill(const struct stream_ends *ends, bool from_initiator, struct stream_sample *sample)
{
	sample->source = from_initiator ? ends->initiator : ends->responder;
	sample->destination = from_initiator ? ends->responder : ends->initiator;
	sample->source_mac = from_initiator ? ends->initiator_mac : ends->responder_mac;
	sample->destination_mac = from_initiator ? ends->responder_mac : ends->initiator_mac;
	sample->vlan = ends->vlan;
	sample->tenant = ends->tenant;
}

void
wire_share_packet(struct wire_share *share, const struct packet *packet)
{
	uint32_t payload = packet->payload_wire_length;

	if (payload == 0 || packet->wire_length < payload ||
		(share->segment != 0 && packet->tcp_sequence == share->last_sequence))
		return;
	share->last_sequence = packet->tcp_sequence;
	share->header = (uint16_t)(packet->wire_length - payload);
	share->overhead += share->header;
	if (payload > share->segment)
		share->segment = payload < UINT16_MAX ? (uint16_t)payload : UINT16_MAX;
}

uint32_t
wire_share_frame(struct wire_share *share, uint32_t length, uint32_t unseen)
{
	uint32_t bytes = length + share->overhead;

	share->overhead = 0;
	if (share->segment != 0)
		bytes += unseen / share->segment * share->header;
	return bytes;
}
