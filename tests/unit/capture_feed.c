/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/capture_feed.h"

#include "dataplane/cursor.h"
#include "dataplane/records/wire.h"

#include <pcap/pcap.h>

/* Reads the link header; returns the ethertype, 0 for what is not decoded. */
static uint16_t
read_link(int link, struct cursor *at, struct packet *packet)
{
	const uint8_t *destination, *source;
	uint16_t ethertype;

	if (link == DLT_RAW)
		return cursor_left(at) > 0 && *at->at >> 4 == 6 ? 0x86dd : 0x0800;
	if (link == DLT_LINUX_SLL) {
		cursor_skip(at, 4);
		packet->flags = cursor_be16(at) == 6 ? PACKET_HAS_SOURCE_MAC : 0;
		source = cursor_take(at, 8);
		if (source)
			memcpy(packet->source_mac.bytes, source, 6);
		return cursor_be16(at);
	}
	if (link != DLT_EN10MB)
		return 0;
	destination = cursor_take(at, 6);
	source = cursor_take(at, 6);
	ethertype = cursor_be16(at);
	if (!cursor_ok(at))
		return 0;
	packet->flags = PACKET_HAS_MACS;
	memcpy(packet->destination_mac.bytes, destination, 6);
	memcpy(packet->source_mac.bytes, source, 6);
	while (ethertype == 0x8100 && packet->vlan_count < PACKET_MAX_VLANS) {
		packet->vlan[packet->vlan_count++] = cursor_be16(at) & 0x0fff;
		ethertype = cursor_be16(at);
	}
	return ethertype;
}

/* Returns the transport protocol, 0 for later fragments and what is not decoded. */
static uint8_t
read_ipv4(struct cursor *at, struct packet *packet)
{
	struct cursor header = *at;
	unsigned header_length = (cursor_u8(&header) & 0x0f) * 4u;
	unsigned total, fragment;
	uint8_t protocol;
	const uint8_t *source, *destination;

	cursor_skip(&header, 1);
	total = cursor_be16(&header);
	cursor_skip(&header, 2);
	fragment = cursor_be16(&header) & 0x1fff;
	packet->ttl = cursor_u8(&header);
	protocol = cursor_u8(&header);
	cursor_skip(&header, 2);
	source = cursor_take(&header, 4);
	destination = cursor_take(&header, 4);
	if (!cursor_ok(&header) || header_length < 20 || total < header_length || fragment != 0)
		return 0;
	packet->source = ip_from_ipv4(source);
	packet->destination = ip_from_ipv4(destination);
	if (total < cursor_left(at))
		at->end = at->at + total;
	cursor_skip(at, header_length);
	return protocol;
}

static uint8_t
read_ipv6(struct cursor *at, struct packet *packet)
{
	const uint8_t *source, *destination;
	uint8_t protocol;
	size_t length;

	cursor_skip(at, 4);
	length = cursor_be16(at);
	protocol = cursor_u8(at);
	packet->ttl = cursor_u8(at);
	source = cursor_take(at, 16);
	destination = cursor_take(at, 16);
	if (!cursor_ok(at))
		return 0;
	packet->source = ip_from_ipv6(source);
	packet->destination = ip_from_ipv6(destination);
	if (length < cursor_left(at))
		at->end = at->at + length;
	return protocol;
}

static void
offer(uint32_t candidates, const struct packet *packet, const struct cursor *payload,
	const struct report_sink *sink)
{
	uint64_t scratch[CLASSIFIER_SCRATCH_MAX / sizeof(uint64_t)];

	for (size_t i = 0; i < classifier_count; i++) {
		struct inspection in = {
			.data = cursor_left(payload) ? payload->at : NULL,
			.length = (uint32_t)cursor_left(payload),
			.packet = packet,
			.from_initiator = true,
		};

		if ((candidates & UINT32_C(1) << i) == 0)
			continue;
		memset(scratch, 0, sizeof(scratch));
		if (classifier_table[i]->inspect(&in, scratch, sink) != CLASSIFIER_NOT_MINE)
			return;
	}
}

static void
feed_packet(int link, const struct pcap_pkthdr *header, const uint8_t *data,
	const struct dispatch *dispatch, const struct report_sink *sink)
{
	struct packet packet = {
		.data = data, .captured = header->caplen, .wire_length = header->len};
	struct cursor at = cursor_make(data, header->caplen);
	uint8_t protocol;

	packet.time = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec * 1000;
	packet.ethertype = read_link(link, &at, &packet);
	if (packet.ethertype == 0x0800) {
		protocol = read_ipv4(&at, &packet);
	} else if (packet.ethertype == 0x86dd) {
		protocol = read_ipv6(&at, &packet);
	} else {
		offer(dispatch_ethertype(dispatch, packet.ethertype), &packet, &at, sink);
		return;
	}
	if (protocol != PROTOCOL_UDP)
		return;
	packet.protocol = protocol;
	packet.source_port = cursor_be16(&at);
	packet.destination_port = cursor_be16(&at);
	cursor_skip(&at, 4);
	if (cursor_ok(&at))
		offer(dispatch_candidates(dispatch, MATCH_UDP, packet.source_port,
			      packet.destination_port, at.at, (uint32_t)cursor_left(&at)),
			&packet, &at, sink);
}

int
capture_feed(const char *path, const struct dispatch *dispatch, const struct report_sink *sink)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *capture = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const uint8_t *data;

	if (capture == NULL)
		return -1;
	while (pcap_next_ex(capture, &header, &data) == 1)
		feed_packet(pcap_datalink(capture), header, data, dispatch, sink);
	pcap_close(capture);
	return 0;
}
