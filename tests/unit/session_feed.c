/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/session_feed.h"

#include "classifiers/dispatch.h"
#include "dataplane/cursor.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FLOW_BUCKETS 4096
#define PENDING_MAX  64 /* out-of-order segments kept per direction */

struct segment {
	uint32_t sequence;
	uint32_t length;
	uint8_t *data;
};

struct direction {
	bool started;
	bool gap;
	uint32_t next;   /* sequence number of the byte after `buffer` */
	uint64_t skip;   /* bytes to come that were consumed already */
	uint32_t length; /* of buffer */
	uint8_t buffer[STREAM_BUFFER_SIZE];
	struct segment pending[PENDING_MAX];
	size_t pending_count;
};

struct flow {
	struct flow *next;
	struct endpoint initiator, responder;
	uint8_t protocol;
	bool first_payload;
	uint32_t candidates;
	int owner; /* index in the table, -1 none */
	uint32_t calls;
	struct direction directions[2];
	uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(16)));
};

struct session_feed {
	const struct classifier *const *table;
	size_t count;
	struct report_sink sink;
	struct dispatch *dispatch;
	struct flow *buckets[FLOW_BUCKETS];
	uint32_t vector_sequence[2];
};

struct session_feed *
session_feed_create(
	const struct classifier *const *table, size_t count, const struct report_sink *sink)
{
	struct session_feed *feed = calloc(1, sizeof(*feed));

	feed->table = table;
	feed->count = count;
	feed->sink = *sink;
	feed->dispatch = dispatch_create_for(table, count);
	return feed;
}

static void
finish_owner(struct session_feed *feed, struct flow *flow)
{
	if (flow->owner >= 0 && feed->table[flow->owner]->finish)
		feed->table[flow->owner]->finish(flow->scratch, &feed->sink);
	flow->owner = -1;
}

static void
flow_free(struct session_feed *feed, struct flow *flow)
{
	finish_owner(feed, flow);
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < flow->directions[side].pending_count; i++)
			free(flow->directions[side].pending[i].data);
	free(flow);
}

void
session_feed_free(struct session_feed *feed)
{
	for (size_t i = 0; i < FLOW_BUCKETS; i++)
		while (feed->buckets[i]) {
			struct flow *flow = feed->buckets[i];

			feed->buckets[i] = flow->next;
			flow_free(feed, flow);
		}
	dispatch_free(feed->dispatch);
	free(feed);
}

static bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return ip_equal(&a->ip, &b->ip) && a->port == b->port;
}

static uint32_t
endpoint_sum(const struct endpoint *end)
{
	uint32_t sum = end->port;

	for (size_t i = 0; i < sizeof(end->ip.bytes); i++)
		sum = sum * 31 + end->ip.bytes[i];
	return sum;
}

static struct flow *
find_flow(struct session_feed *feed, const struct packet *packet, bool *from_initiator)
{
	struct endpoint source = {.ip = packet->source, .port = packet->source_port};
	struct endpoint destination = {.ip = packet->destination, .port = packet->destination_port};
	struct flow **bucket =
		&feed->buckets[(endpoint_sum(&source) + endpoint_sum(&destination)) % FLOW_BUCKETS];
	struct flow *flow;

	for (flow = *bucket; flow; flow = flow->next) {
		if (flow->protocol != packet->protocol)
			continue;
		*from_initiator = endpoint_equal(&flow->initiator, &source);
		if ((*from_initiator && endpoint_equal(&flow->responder, &destination)) ||
			(endpoint_equal(&flow->initiator, &destination) &&
				endpoint_equal(&flow->responder, &source)))
			return flow;
	}
	flow = calloc(1, sizeof(*flow));
	/* A SYN+ACK as the first packet comes from the responder. */
	*from_initiator = packet->protocol != 6 || (packet->tcp_flags & 0x12) != 0x12;
	flow->initiator = *from_initiator ? source : destination;
	flow->responder = *from_initiator ? destination : source;
	flow->protocol = packet->protocol;
	flow->owner = -1;
	flow->next = *bucket;
	*bucket = flow;
	return flow;
}

static bool
next_candidate(struct flow *flow)
{
	if (flow->candidates == 0)
		return false;
	flow->owner = __builtin_ctz(flow->candidates);
	flow->candidates &= flow->candidates - 1;
	memset(flow->scratch, 0, sizeof(flow->scratch));
	flow->calls = 0;
	return true;
}

/* Hands `in` to the owner, or to the next candidates until one keeps it. */
static bool
call(struct session_feed *feed, struct flow *flow, struct inspection *in)
{
	while (flow->owner >= 0) {
		const struct classifier *classifier = feed->table[flow->owner];

		in->consumed = 0;
		switch (classifier->inspect(in, flow->scratch, &feed->sink)) {
		case CLASSIFIER_MORE:
			if (classifier->max_packets != CLASSIFIER_WHOLE_FLOW &&
				++flow->calls >= classifier->max_packets)
				finish_owner(feed, flow);
			return true;
		case CLASSIFIER_DONE:
			finish_owner(feed, flow);
			return false;
		case CLASSIFIER_NOT_MINE:
			flow->owner = -1;
			if (!next_candidate(flow))
				return false;
		}
	}
	return false;
}

/* Appends in-order bytes of one direction and offers what is not consumed. */
static void
deliver(struct session_feed *feed, struct flow *flow, const struct packet *packet,
	bool from_initiator, const uint8_t *data, uint32_t length)
{
	struct direction *side = &flow->directions[!from_initiator];

	while (length > 0) {
		uint32_t step;
		struct inspection in = {.packet = packet,
			.from_initiator = from_initiator,
			.stream = true,
			.gap = side->gap,
			.wire_bytes = packet->wire_length};
		uint8_t *exact;

		if (side->skip > 0) {
			step = side->skip < length ? (uint32_t)side->skip : length;
			side->skip -= step;
			data += step;
			length -= step;
			continue;
		}
		step = STREAM_BUFFER_SIZE - side->length;
		step = step < length ? step : length;
		memcpy(side->buffer + side->length, data, step);
		side->length += step;
		data += step;
		length -= step;
		exact = malloc(side->length); /* so that the sanitizer sees reads past the end */
		memcpy(exact, side->buffer, side->length);
		in.data = exact;
		in.length = side->length;
		side->gap = false;
		call(feed, flow, &in);
		free(exact);
		if (flow->owner < 0)
			return;
		if (in.consumed >= side->length) {
			side->skip = in.consumed - side->length;
			side->length = 0;
		} else {
			memmove(side->buffer, side->buffer + in.consumed,
				side->length - in.consumed);
			side->length -= in.consumed;
			if (side->length == STREAM_BUFFER_SIZE) {
				side->length = 0;
				side->gap = true;
			}
		}
	}
}

static void
drop_pending(struct direction *side, size_t index)
{
	free(side->pending[index].data);
	side->pending[index] = side->pending[--side->pending_count];
}

static void
deliver_pending(struct session_feed *feed, struct flow *flow, const struct packet *packet,
	bool from_initiator)
{
	struct direction *side = &flow->directions[!from_initiator];

	for (size_t i = 0; i < side->pending_count;) {
		struct segment *segment = &side->pending[i];
		int32_t ahead = (int32_t)(segment->sequence - side->next);

		if (ahead > 0) {
			i++;
			continue;
		}
		if ((int64_t)segment->length > -(int64_t)ahead) {
			uint32_t overlap = (uint32_t)-ahead;

			side->next = segment->sequence + segment->length;
			deliver(feed, flow, packet, from_initiator, segment->data + overlap,
				segment->length - overlap);
		}
		drop_pending(side, i);
		i = 0;
	}
}

/* Gives up waiting: goes on at the nearest pending segment. */
static void
jump(struct direction *side)
{
	int32_t nearest = INT32_MAX;

	for (size_t i = 0; i < side->pending_count; i++) {
		int32_t ahead = (int32_t)(side->pending[i].sequence - side->next);

		nearest = ahead < nearest ? ahead : nearest;
	}
	if (nearest > 0 && side->skip >= (uint32_t)nearest) {
		side->skip -= (uint32_t)nearest;
	} else {
		side->length = 0;
		side->skip = 0;
		side->gap = true;
	}
	side->next += (uint32_t)nearest;
}

static void
take_tcp(struct session_feed *feed, struct flow *flow, const struct packet *packet,
	bool from_initiator)
{
	struct direction *side = &flow->directions[!from_initiator];
	uint32_t sequence = packet->tcp_sequence + (packet->tcp_flags & 2 ? 1 : 0);

	if (packet->tcp_flags & 2) {
		side->started = true;
		side->next = sequence;
	}
	if (packet->payload_length == 0)
		return;
	if (!side->started) {
		side->started = true;
		side->next = sequence;
	}
	if ((int32_t)(sequence + packet->payload_length - side->next) <= 0)
		return;
	if (side->pending_count == PENDING_MAX) {
		jump(side);
		deliver_pending(feed, flow, packet, from_initiator);
		if (side->pending_count == PENDING_MAX)
			return;
	}
	side->pending[side->pending_count] = (struct segment){
		.sequence = sequence,
		.length = packet->payload_length,
		.data = malloc(packet->payload_length),
	};
	memcpy(side->pending[side->pending_count++].data, packet_payload(packet),
		packet->payload_length);
	deliver_pending(feed, flow, packet, from_initiator);
	if (side->pending_count > 8) {
		jump(side);
		deliver_pending(feed, flow, packet, from_initiator);
	}
}

static void
take_udp(struct session_feed *feed, struct flow *flow, const struct packet *packet,
	bool from_initiator)
{
	uint8_t *exact = malloc(packet->payload_length);
	struct inspection in = {
		.data = exact,
		.length = packet->payload_length,
		.missing = packet->payload_wire_length - packet->payload_length,
		.packet = packet,
		.from_initiator = from_initiator,
		.wire_bytes = packet->wire_length,
	};

	memcpy(exact, packet_payload(packet), packet->payload_length);
	call(feed, flow, &in);
	free(exact);
}

static void
take_packet(struct session_feed *feed, const struct packet *packet)
{
	bool from_initiator, tcp = packet->protocol == 6;
	struct flow *flow = find_flow(feed, packet, &from_initiator);

	if (packet->payload_length > 0 && !flow->first_payload) {
		flow->first_payload = true;
		flow->candidates = dispatch_candidates(feed->dispatch, tcp ? MATCH_TCP : MATCH_UDP,
			packet->source_port, packet->destination_port, packet_payload(packet),
			packet->payload_length);
		next_candidate(flow);
	}
	if (tcp)
		take_tcp(feed, flow, packet, from_initiator);
	else if (packet->payload_length > 0)
		take_udp(feed, flow, packet, from_initiator);
}

static bool
decode_transport(struct packet *packet, struct cursor ip, uint32_t wire)
{
	uint32_t header = 8;

	packet->l4 = (uint16_t)(ip.at - packet->data);
	packet->source_port = cursor_be16(&ip);
	packet->destination_port = cursor_be16(&ip);
	if (packet->protocol == 6) {
		packet->tcp_sequence = cursor_be32(&ip);
		packet->tcp_acknowledgment = cursor_be32(&ip);
		header = (cursor_u8(&ip) >> 4) * 4u;
		packet->tcp_flags = cursor_u8(&ip);
		if (header < 20)
			return false;
		cursor_skip(&ip, header - 14);
	} else {
		uint16_t length = cursor_be16(&ip);

		cursor_skip(&ip, 2);
		wire = length >= 8 && length < wire ? length : wire;
	}
	if (!cursor_ok(&ip) || wire < header)
		return false;
	packet->payload = (uint16_t)(ip.at - packet->data);
	packet->payload_wire_length = wire - header;
	packet->payload_length = (uint16_t)(cursor_left(&ip) < packet->payload_wire_length
						    ? cursor_left(&ip)
						    : packet->payload_wire_length);
	return true;
}

static bool
decode_ip(struct packet *packet, struct cursor ip)
{
	uint8_t version = cursor_left(&ip) > 0 ? ip.at[0] >> 4 : 0;
	uint32_t header, total;
	uint16_t fragment;

	packet->l3 = (uint16_t)(ip.at - packet->data);
	if (version == 6) {
		cursor_skip(&ip, 4);
		total = cursor_be16(&ip);
		packet->protocol = cursor_u8(&ip);
		cursor_skip(&ip, 1);
		const uint8_t *addresses = cursor_take(&ip, 32);

		if (addresses == NULL)
			return false;
		packet->source = ip_from_ipv6(addresses);
		packet->destination = ip_from_ipv6(addresses + 16);
		return (packet->protocol == 6 || packet->protocol == 17) &&
		       decode_transport(packet, ip, total);
	}
	header = (cursor_u8(&ip) & 15u) * 4;
	cursor_skip(&ip, 1);
	total = cursor_be16(&ip);
	cursor_skip(&ip, 2);
	fragment = cursor_be16(&ip) & 0x1fff;
	cursor_skip(&ip, 1);
	packet->protocol = cursor_u8(&ip);
	cursor_skip(&ip, 2);
	const uint8_t *addresses = cursor_take(&ip, 8);

	if (version != 4 || addresses == NULL || header < 20 || total < header || fragment != 0)
		return false;
	packet->source = ip_from_ipv4(addresses);
	packet->destination = ip_from_ipv4(addresses + 4);
	cursor_skip(&ip, header - 20);
	if (cursor_left(&ip) > total - header)
		ip.end = ip.at + (total - header);
	return cursor_ok(&ip) && (packet->protocol == 6 || packet->protocol == 17) &&
	       decode_transport(packet, ip, total - header);
}

static bool
decode(struct packet *packet, int link)
{
	struct cursor cursor = cursor_make(packet->data, packet->captured);
	uint16_t type = 0x0800;

	if (link == DLT_EN10MB) {
		const uint8_t *macs = cursor_take(&cursor, 12);

		if (macs == NULL)
			return false;
		memcpy(packet->destination_mac.bytes, macs, 6);
		memcpy(packet->source_mac.bytes, macs + 6, 6);
		packet->flags |= PACKET_HAS_MACS;
		type = cursor_be16(&cursor);
		while (type == 0x8100 || type == 0x88a8) {
			uint16_t tag = cursor_be16(&cursor) & 0xfff;

			if (packet->vlan_count < PACKET_MAX_VLANS)
				packet->vlan[packet->vlan_count++] = tag;
			type = cursor_be16(&cursor);
		}
	} else if (link == DLT_LINUX_SLL) {
		cursor_skip(&cursor, 14);
		type = cursor_be16(&cursor);
	} else if (link == DLT_NULL) {
		cursor_skip(&cursor, 4);
	} else if (link != DLT_RAW && link != DLT_IPV4 && link != DLT_IPV6) {
		return false;
	}
	return cursor_ok(&cursor) && (type == 0x0800 || type == 0x86dd) &&
	       decode_ip(packet, cursor);
}

long
session_feed_file(struct session_feed *feed, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
	struct pcap_pkthdr *header;
	const u_char *data;
	long packets = 0;

	if (pcap == NULL) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	while (pcap_next_ex(pcap, &header, &data) == 1) {
		struct packet packet = {
			.data = data,
			.captured = header->caplen,
			.wire_length = header->len,
			.time = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec,
		};

		packets++;
		if (decode(&packet, pcap_datalink(pcap)))
			take_packet(feed, &packet);
	}
	pcap_close(pcap);
	return packets;
}

void
session_feed_bytes(struct session_feed *feed, bool tcp, bool from_client, uint16_t port,
	const void *data, size_t length, uint32_t lost, int64_t time)
{
	static const uint8_t client[4] = {10, 0, 0, 1}, server[4] = {10, 0, 0, 2};
	uint32_t *sequence = &feed->vector_sequence[from_client];
	uint32_t header = tcp ? 54 : 42;
	bool from_initiator;
	struct packet packet = {
		.data = data,
		.captured = (uint32_t)length,
		.wire_length = (uint32_t)length + header,
		.time = time,
		.payload_length = (uint16_t)length,
		.payload_wire_length = (uint32_t)length,
		.protocol = tcp ? 6 : 17,
		.flags = PACKET_HAS_MACS,
		.source_mac = {{2, 0, 0, 0, 0, from_client ? 1 : 2}},
		.destination_mac = {{2, 0, 0, 0, 0, from_client ? 2 : 1}},
		.source = ip_from_ipv4(from_client ? client : server),
		.destination = ip_from_ipv4(from_client ? server : client),
		.source_port = from_client ? 40000 : port,
		.destination_port = from_client ? port : 40000,
	};

	if (tcp && lost > 0) { /* as if the receiver had given up waiting */
		struct flow *flow = find_flow(feed, &packet, &from_initiator);
		struct direction *side = &flow->directions[!from_initiator];

		*sequence += lost;
		side->next = *sequence;
		side->length = 0;
		side->skip = 0;
		side->gap = true;
		side->started = true;
	}
	packet.tcp_sequence = *sequence;
	if (tcp)
		*sequence += (uint32_t)length;
	take_packet(feed, &packet);
}

const char *
session_capture_path(const char *name)
{
	static char path[1024];
	const char *folder = getenv("CAMSPAN_CAPTURES");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "../shared/captures", name);
	if (access(path, R_OK) == 0)
		return path;
	printf("skipped: no %s (set CAMSPAN_CAPTURES)\n", path);
	return NULL;
}
