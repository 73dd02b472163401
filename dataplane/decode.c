/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode_private.h"

#include <errno.h>

enum {
	COOKED_V1_HEADER = 16,
	COOKED_V2_HEADER = 20,
	ARPHRD_ETHERNET = 1,
	ARPHRD_NETLINK_MONITOR = 824,
};

/* Linux cooked captures know the sender's link address only. */
static void
set_cooked_source(struct packet *packet, uint16_t arphrd, uint32_t length, const uint8_t *address)
{
	if (arphrd != ARPHRD_ETHERNET || length != sizeof(packet->source_mac.bytes))
		return;
	memcpy(packet->source_mac.bytes, address, sizeof(packet->source_mac.bytes));
	packet->flags |= PACKET_HAS_SOURCE_MAC;
}

static enum packet_drop
decode_cooked(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	const uint8_t *data = packet->data;
	uint32_t header = link == LINK_LINUX_COOKED_V1 ? COOKED_V1_HEADER : COOKED_V2_HEADER;
	uint16_t arphrd, ethertype;

	forget_macs(packet);
	if (packet->captured < header)
		return DROP_LINK_TRUNCATED;
	if (link == LINK_LINUX_COOKED_V1) {
		arphrd = load_be16(data + 2);
		ethertype = load_be16(data + 14);
		set_cooked_source(packet, arphrd, load_be16(data + 4), data + 6);
	} else {
		ethertype = load_be16(data);
		arphrd = load_be16(data + 8);
		set_cooked_source(packet, arphrd, data[11], data + 12);
	}
	if (arphrd == ARPHRD_NETLINK_MONITOR) /* the field is a netlink family then */
		return DROP_NOT_INSPECTED;
	return decode_ethertype(packet, header, ethertype, options);
}

static enum packet_drop
decode_raw(struct packet *packet)
{
	forget_macs(packet);
	if (packet->captured == 0)
		return DROP_IP_TRUNCATED;
	if (packet->data[0] >> 4 == 6)
		return decode_ipv6(packet, 0);
	return decode_ipv4(packet, 0);
}

static enum packet_drop
decode_link(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	switch (link) {
	case LINK_ETHERNET:
		return decode_ethernet(packet, 0, options);
	case LINK_LINUX_COOKED_V1:
	case LINK_LINUX_COOKED_V2:
		return decode_cooked(packet, link, options);
	case LINK_RAW_IP:
		return decode_raw(packet);
	case LINK_UNSUPPORTED:
		break;
	}
	return DROP_LINK_UNSUPPORTED;
}

enum packet_drop
decode_packet(struct packet *packet, enum link_type link, const struct decode_options *options)
{
	uint32_t captured = packet->captured;
	uint32_t wire_length = packet->wire_length;
	int depth = DECODE_ALL_TUNNELS;
	enum packet_drop drop;

	do {
		packet->captured = captured;
		packet->wire_length = wire_length;
		packet->flags = 0;
		packet->vlan_count = 0;
		packet->tunnel_count = 0;
		packet->tunnel_end = TUNNEL_END_NONE;
		reset_network(packet);
		drop = decode_link(packet, link, options);
		if (drop == PACKET_DECODED)
			depth = decode_tunnels(packet, options, depth);
	} while (drop == PACKET_DECODED && depth != DECODE_ALL_TUNNELS);
	if (drop == PACKET_DECODED)
		decode_tenant(packet, options);
	/* Encapsulations narrowed the view to what they carry. */
	packet->captured = captured;
	packet->wire_length = wire_length;
	packet->flags |= captured < wire_length ? PACKET_TRUNCATED : 0;
	return drop;
}

int
decode_options_add_ethertype(struct decode_options *options, uint16_t ethertype)
{
	if (ethertype < ETHERTYPE_FIRST || decode_reads_ethertype(ethertype))
		return -EINVAL;
	if (decode_wants_ethertype(options, ethertype))
		return 0;
	if (options->ethertype_count == DECODE_ETHERTYPES_MAX)
		return -ENOSPC;
	options->ethertypes[options->ethertype_count++] = ethertype;
	return 0;
}
