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

unsigned
flow_key_ipv6(const struct packet *packet, const struct flow_secret *secret, struct flow_key *key,
	struct flow_wide *wide)
{
	int order = memcmp(packet->source.bytes, packet->destination.bytes, 16);
	unsigned end = order > 0 || (order == 0 && packet->source_port > packet->destination_port);
	uint32_t fold[2];
	uint16_t port[2];

	memcpy(wide->address[end], packet->source.bytes, 16);
	memcpy(wide->address[!end], packet->destination.bytes, 16);
	fold[end] = fold_ipv6(packet->source.bytes, secret);
	fold[!end] = fold_ipv6(packet->destination.bytes, secret);
	port[end] = packet->source_port;
	port[!end] = packet->destination_port;
	flow_key_write(key, fold, port, packet, ADDRESS_IPV6);
	return end;
}
