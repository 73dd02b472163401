/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/community_id.h"

#include "dataplane/records/wire.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SHA1_SIZE 20

struct community_id_hasher {
	EVP_MD *sha1; /* fetched once: a look-up per hash costs more than the hash */
	EVP_MD_CTX *context;
};

/* Message types that answer each other stand for the two ports; all others are one-way. */
struct icmp_pair {
	uint8_t type;
	uint8_t counterpart;
};

static const struct icmp_pair icmp_pairs[] = {
	{8, 0}, {0, 8}, {13, 14}, {14, 13}, {15, 16}, {16, 15}, {10, 9}, {17, 18}, {18, 17}};
static const struct icmp_pair icmpv6_pairs[] = {{128, 129}, {129, 128}, {133, 134}, {134, 133},
	{135, 136}, {136, 135}, {130, 131}, {131, 130}, {139, 140}, {140, 139}, {144, 145},
	{145, 144}};

struct community_id_hasher *
community_id_create(void)
{
	struct community_id_hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return NULL;
	hasher->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	hasher->context = EVP_MD_CTX_new();
	if (hasher->sha1 == NULL || hasher->context == NULL) {
		community_id_free(hasher);
		return NULL;
	}
	return hasher;
}

void
community_id_free(struct community_id_hasher *hasher)
{
	if (hasher == NULL)
		return;
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_free(hasher->sha1);
	free(hasher);
}

/* Sets both ports from the ICMP type; false: one-way, so the ends keep their order. */
static bool
icmp_ports(const struct flow_record *flow, uint16_t *source, uint16_t *destination)
{
	bool v6 = flow->protocol == PROTOCOL_ICMPV6;
	const struct icmp_pair *pairs = v6 ? icmpv6_pairs : icmp_pairs;
	size_t count = v6 ? sizeof(icmpv6_pairs) / sizeof(icmpv6_pairs[0])
			  : sizeof(icmp_pairs) / sizeof(icmp_pairs[0]);

	*source = flow->icmp_type;
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].type == flow->icmp_type) {
			*destination = pairs[i].counterpart;
			return true;
		}
	}
	*destination = flow->icmp_code;
	return false;
}

static uint8_t *
put(uint8_t *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static uint8_t *
put_port(uint8_t *at, uint16_t port)
{
	*at++ = (uint8_t)(port >> 8);
	*at++ = (uint8_t)port;
	return at;
}

/* The bytes that are hashed: seed, addresses, protocol, padding and, where there are any, ports. */
static size_t
hash_input(const struct flow_record *flow, uint8_t input[40])
{
	const struct ip_address *first = &flow->initiator.ip, *second = &flow->responder.ip;
	uint16_t first_port = flow->initiator.port, second_port = flow->responder.port;
	size_t length = first->family == ADDRESS_IPV4 ? 4 : 16;
	bool icmp = flow->protocol == PROTOCOL_ICMP || flow->protocol == PROTOCOL_ICMPV6;
	bool ports = icmp || flow->protocol == PROTOCOL_TCP || flow->protocol == PROTOCOL_UDP ||
		     flow->protocol == PROTOCOL_SCTP;
	bool two_way = icmp ? icmp_ports(flow, &first_port, &second_port) : true;
	int order = memcmp(first->bytes, second->bytes, length);
	uint8_t *at = input;

	if (!ports)
		first_port = second_port = 0;
	if (two_way && (order > 0 || (order == 0 && first_port > second_port))) {
		const struct ip_address *ip = first;
		uint16_t port = first_port;

		first = second;
		second = ip;
		first_port = second_port;
		second_port = port;
	}
	at = put_port(at, 0); /* the seed */
	at = put(at, first->bytes, length);
	at = put(at, second->bytes, length);
	*at++ = flow->protocol;
	*at++ = 0;
	if (ports) {
		at = put_port(at, first_port);
		at = put_port(at, second_port);
	}
	return (size_t)(at - input);
}

const char *
community_id_format(struct community_id_hasher *hasher, const struct flow_record *flow, char *text)
{
	uint8_t input[40], digest[EVP_MAX_MD_SIZE];
	size_t length;

	text[0] = '\0';
	if (!ip_is_set(&flow->initiator.ip) ||
		flow->initiator.ip.family != flow->responder.ip.family)
		return text;
	length = hash_input(flow, input);
	if (!EVP_DigestInit_ex2(hasher->context, hasher->sha1, NULL) ||
		!EVP_DigestUpdate(hasher->context, input, length) ||
		!EVP_DigestFinal_ex(hasher->context, digest, NULL))
		return text;
	memcpy(text, "1:", 2);
	EVP_EncodeBlock((unsigned char *)text + 2, digest, SHA1_SIZE);
	return text;
}
