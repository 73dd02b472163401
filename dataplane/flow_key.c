/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_key.h"

#include <errno.h>
#include <sys/random.h>

int
flow_secret_random(struct flow_secret *secret)
{
	if (getrandom(secret, sizeof(*secret), 0) != sizeof(*secret))
		return -errno;
	for (size_t i = 0; i < sizeof(secret->word) / sizeof(secret->word[0]); i++)
		secret->word[i] |= 1; /* an odd multiplier loses no bits */
	return 0;
}

void
flow_packet_summarize(const struct packet *packet, const struct flow_secret *secret,
	struct flow_packet *flow_packet, struct flow_wide *wide)
{
	bool ipv6 = packet->l3_kind == PACKET_L3_IPV6;
	uint32_t ports = (uint32_t)packet->source_port << 16 | packet->destination_port;
	uint64_t context = flow_key_context(
		packet->protocol, ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4, packet->key_vlan);
	uint32_t source, destination;

	flow_packet->octets =
		(uint32_t)(packet->payload - packet->l3) + packet->payload_wire_length;
	flow_packet->l3 = packet->l3;
	flow_packet->payload = packet->payload;
	flow_packet->payload_length = packet->payload_length;
	flow_packet->carries = packet->payload_wire_length > 0;
	flow_packet->tcp_flags = packet->tcp_flags;
	flow_packet->icmp_type = packet->icmp_type;
	if (ipv6) {
		flow_key_ipv6(flow_packet, wide, packet->source.bytes, packet->destination.bytes,
			ports, context, packet->tenant, secret);
		return;
	}
	memcpy(&source, packet->source.bytes, 4);
	memcpy(&destination, packet->destination.bytes, 4);
	flow_key_ipv4(flow_packet, (uint64_t)destination << 32 | source, ports, context,
		packet->tenant, secret);
}
