/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_key.h"

#include <errno.h>
#include <string.h>
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

static uint32_t
fold_ipv6(const uint8_t bytes[16], const struct flow_secret *secret)
{
	uint64_t words[2];

	memcpy(words, bytes, sizeof(words));
	return (uint32_t)flow_mix(words[0] ^ secret->word[4], words[1] ^ secret->word[5]);
}

/* End 0 holds the lower (address, port): compared as bytes in network order. */
static unsigned
source_end(const struct packet *packet, size_t address_length)
{
	int order = memcmp(packet->source.bytes, packet->destination.bytes, address_length);

	if (order != 0)
		return order > 0;
	return packet->source_port > packet->destination_port;
}

unsigned
flow_key_from_packet(const struct packet *packet, const struct flow_secret *secret,
	struct flow_key *key, struct flow_wide *wide)
{
	bool ipv6 = packet->l3_kind == PACKET_L3_IPV6;
	unsigned source = source_end(packet, ipv6 ? 16 : 4);

	if (ipv6) {
		memcpy(wide->address[source], packet->source.bytes, 16);
		memcpy(wide->address[!source], packet->destination.bytes, 16);
		key->address[source] = fold_ipv6(packet->source.bytes, secret);
		key->address[!source] = fold_ipv6(packet->destination.bytes, secret);
	} else {
		memcpy(&key->address[source], packet->source.bytes, 4);
		memcpy(&key->address[!source], packet->destination.bytes, 4);
	}
	key->port[source] = packet->source_port;
	key->port[!source] = packet->destination_port;
	key->protocol = packet->protocol;
	key->family = ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4;
	key->vlan = packet_vlan(packet);
	key->tenant = packet->tenant;
	return source;
}
