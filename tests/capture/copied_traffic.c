/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/capture/copied_traffic.h"

#include "dataplane/capture.h"
#include "dataplane/dedup.h"
#include "dataplane/records/wire.h"

#include <stdlib.h>
#include <string.h>

#define LATER INT64_C(1000000)
#define TAG   4

static struct stored
store(const struct frame_view *view, enum link_type link, uint32_t room)
{
	struct stored stored = {
		.data = malloc(view->captured + room + 1), .view = *view, .link = link};

	if (stored.data == NULL)
		abort();
	memcpy(stored.data, view->data, view->captured);
	stored.view.data = stored.data;
	return stored;
}

static void
add(struct traffic *traffic, struct stored stored)
{
	if ((traffic->count & (traffic->count - 1)) == 0) {
		size_t room = traffic->count ? 2 * traffic->count : 1;

		traffic->packets = realloc(traffic->packets, room * sizeof(*traffic->packets));
		if (traffic->packets == NULL)
			abort();
	}
	traffic->packets[traffic->count++] = stored;
}

struct traffic
traffic_read(const char *path)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct traffic traffic = {0};
	struct frame_view packet;

	while (capture && capture_burst(capture, &packet, 1) == 1) {
		struct frame_view view = {.data = packet.data,
			.time = packet.time,
			.captured = packet.captured,
			.wire_length = packet.wire_length};

		add(&traffic, store(&view, packet.link, 0));
	}
	capture_close(capture);
	return traffic;
}

void
traffic_free(struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->count; i++)
		free(traffic->packets[i].data);
	free(traffic->packets);
}

/* Later fragments have no transport header, tiny first ones less than all of it. */
static bool
has_header(const struct packet *packet)
{
	uint32_t end = packet->payload + packet->payload_wire_length;
	uint32_t size = packet->protocol == PROTOCOL_TCP    ? 20
			: packet->protocol == PROTOCOL_SCTP ? 12
			: packet->protocol == PROTOCOL_UDP  ? 8
							    : 4;

	return !(packet->flags & PACKET_LATER_FRAGMENT) && packet->l4 + size <= end &&
	       packet->l4 + size <= packet->captured;
}

/* What a router does to the headers of a decoded packet. */
static void
route(uint8_t *data, const struct packet *packet)
{
	uint8_t *ip = data + packet->l3, *l4 = data + packet->l4;

	if (packet->l3_kind == PACKET_L3_IPV4) {
		ip[1] ^= 0x2c;
		ip[8]--;
		ip[10] ^= 0x01;
		ip[11] ^= 0x30;
	} else {
		ip[0] ^= 0x02;
		ip[7]--;
	}
	if (!has_header(packet))
		return;
	if (packet->protocol == PROTOCOL_TCP)
		l4[16] ^= 0x5a;
	else if (packet->protocol == PROTOCOL_UDP)
		l4[6] ^= 0x5a;
}

/* Another VLAN, or one where there was none. */
static void
move_vlan(struct stored *copy)
{
	uint8_t *data = copy->data;

	memcpy(data, "\x02\x11\x11\x11\x11\x11\x02\x22\x22\x22\x22\x22", 12);
	if (data[12] == 0x81 && data[13] == 0) {
		data[14] ^= 0x01;
		return;
	}
	memmove(data + 12 + TAG, data + 12, copy->view.captured - 12);
	memcpy(data + 12, "\x81\0\x03\xe7", TAG);
	copy->view.captured += TAG;
	copy->view.wire_length += TAG;
}

static bool
is_compared(const struct decode_options *decode, const struct stored *stored, struct packet *packet)
{
	packet_from_frame(packet, &stored->view);
	return decode_packet(packet, stored->link, decode) == PACKET_DECODED &&
	       (packet->l3_kind == PACKET_L3_IPV4 || packet->l3_kind == PACKET_L3_IPV6);
}

/* Packets without IP, and what the decoder drops, come again as they are. */
static struct stored
make_copy(const struct decode_options *decode, const struct stored *original)
{
	struct stored copy = store(&original->view, original->link, TAG);
	struct packet packet;

	copy.copy = true;
	copy.view.time += LATER;
	if (!is_compared(decode, &copy, &packet))
		return copy;
	route(copy.data, &packet);
	if (copy.link == LINK_ETHERNET)
		move_vlan(&copy);
	return copy;
}

/* The packets with their copies, each in its order, by time. */
struct traffic
traffic_copy(const struct decode_options *decode, const struct traffic *traffic)
{
	struct traffic twice = {0};
	size_t copies = 0, originals = 0;

	while (copies < traffic->count) {
		const struct stored *next = &traffic->packets[copies];
		const struct stored *original = &traffic->packets[originals];

		if (originals < traffic->count &&
			(originals <= copies || original->view.time < next->view.time + LATER)) {
			add(&twice, store(&original->view, original->link, 0));
			originals++;
			continue;
		}
		add(&twice, make_copy(decode, next));
		copies++;
	}
	return twice;
}

/* What does not change on the way, byte by byte. Returns its length. */
static uint32_t
lasting_bytes(const struct packet *packet, uint8_t *bytes)
{
	bool ipv4 = packet->l3_kind == PACKET_L3_IPV4;
	uint32_t end = packet->payload + packet->payload_wire_length;
	uint32_t header = ipv4 ? 20 : 40, rest = ipv4 ? packet->l4 : packet->l3 + header;
	uint8_t *l4 = bytes + header + (packet->l4 - rest);

	if (end > packet->captured)
		end = packet->captured;
	memcpy(bytes, packet->data + packet->l3, header);
	memcpy(bytes + header, packet->data + rest, end - rest);
	if (ipv4) {
		bytes[0] = 4;
		bytes[1] = bytes[8] = bytes[10] = bytes[11] = 0;
		bytes[6] &= 0x3f;
	} else {
		bytes[0] = 6;
		bytes[1] = bytes[2] = bytes[3] = bytes[7] = 0;
	}
	if (!has_header(packet))
		return header + end - rest;
	if (packet->protocol == PROTOCOL_TCP)
		memset(l4 + 16, 0, 2);
	else if (packet->protocol == PROTOCOL_UDP)
		memset(l4 + 6, 0, 2);
	else if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6)
		memset(l4 + 2, 0, 2);
	else if (packet->protocol == PROTOCOL_SCTP)
		memset(l4 + 8, 0, 4);
	return header + end - rest;
}

/* How many packets equal one that was kept and is at most a window away. */
uint64_t
traffic_count_copies(
	const struct decode_options *decode, const struct traffic *traffic, int64_t window)
{
	struct decode_options across_vlans = *decode;
	struct kept {
		int64_t tick;
		uint32_t tenant; /* copies in different tunnels are none */
		uint32_t length;
		uint8_t *bytes;
	} *kept = calloc(traffic->count + 1, sizeof(*kept));
	size_t count = 0;
	uint64_t copies = 0;

	across_vlans.ignore_vlans = true;
	for (size_t i = 0; i < traffic->count && kept; i++) {
		const struct stored *stored = &traffic->packets[i];
		struct kept *next = &kept[count];
		struct packet packet;
		size_t k = 0;

		if (!is_compared(&across_vlans, stored, &packet))
			continue;
		next->tenant = packet.tenant;
		next->bytes = malloc(packet.captured + 64);
		next->tick = stored->view.time >> DEDUP_TICK_SHIFT;
		next->length = lasting_bytes(&packet, next->bytes);
		while (k < count &&
			(llabs(kept[k].tick - next->tick) > window >> DEDUP_TICK_SHIFT ||
				kept[k].length != next->length || kept[k].tenant != next->tenant ||
				memcmp(kept[k].bytes, next->bytes, next->length) != 0))
			k++;
		if (k == count) {
			count++;
			continue;
		}
		free(next->bytes);
		copies++;
	}
	for (size_t k = 0; k < count; k++)
		free(kept[k].bytes);
	free(kept);
	return copies;
}
