/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds packets to a classifier and keeps what it reports. */
#ifndef CAMSPAN_TESTS_CLASSIFY_H
#define CAMSPAN_TESTS_CLASSIFY_H

#include "classifiers/classifier.h"

#include <stdlib.h>
#include <string.h>

#define HEARD_MAX 128

struct heard {
	struct evidence items[HEARD_MAX];
	size_t count; /* may exceed HEARD_MAX: the rest was not kept */
};

static inline bool
hear(void *context, const struct evidence *evidence)
{
	struct heard *heard = context;

	if (heard->count < HEARD_MAX)
		heard->items[heard->count] = *evidence;
	heard->count++;
	return true;
}

/* A datagram from `source` to `destination` (text), with MACs that end in 0x01 and 0x02. */
static inline struct packet
datagram(const char *source, uint16_t source_port, const char *destination,
	uint16_t destination_port)
{
	struct packet packet = {
		.time = 1700000000000000000,
		.flags = PACKET_HAS_MACS,
		.source_mac = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x01}},
		.destination_mac = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x02}},
		.source_port = source_port,
		.destination_port = destination_port,
		.l3_kind = PACKET_L3_IPV4,
		.ethertype = 0x0800,
		.protocol = 17,
	};

	ip_parse(source, &packet.source);
	ip_parse(destination, &packet.destination);
	return packet;
}

/* Hands over a copy of exactly `length` bytes, so that a sanitizer sees any read past them. */
static inline enum classifier_verdict
classify(const struct classifier *classifier, const struct packet *packet, const void *data,
	size_t length, struct heard *heard)
{
	const struct report_sink sink = {.context = heard, .evidence = hear};
	struct inspection in = {.length = (uint32_t)length, .packet = packet};
	uint8_t *copy = length ? malloc(length) : NULL;
	void *scratch = calloc(1, classifier->scratch_size + 1);
	enum classifier_verdict verdict;

	if (copy)
		memcpy(copy, data, length);
	in.data = copy;
	verdict = classifier->inspect(&in, scratch, &sink);
	free(scratch);
	free(copy);
	return verdict;
}

/* Every cut and many changed bytes of a message: the classifier must survive them all. What it
 * reports is thrown away. */
static inline void
classify_damaged(const struct classifier *classifier, const struct packet *packet, const void *data,
	size_t length)
{
	static const uint8_t values[] = {0x00, 0x01, 0x3f, 0x7f, 0x80, 0xc0, 0xff, '<', '"', '&'};
	static struct heard heard;
	uint8_t *changed = malloc(length + 1);

	for (size_t cut = 0; cut <= length; cut++)
		classify(classifier, packet, data, cut, &heard);
	for (size_t at = 0; at < length; at++)
		for (size_t v = 0; v < sizeof(values); v++) {
			memcpy(changed, data, length);
			changed[at] = values[v];
			classify(classifier, packet, changed, length, &heard);
		}
	free(changed);
}

/* The evidence of this attribute, side and value; NULL if it was not reported. */
static inline const struct evidence *
heard_find(const struct heard *heard, enum evidence_attribute attribute, enum evidence_side side,
	const char *value)
{
	for (size_t i = 0; i < heard->count && i < HEARD_MAX; i++) {
		const struct evidence *evidence = &heard->items[i];

		if (evidence->attribute == attribute && evidence->side == side &&
			strcmp(evidence->value, value) == 0)
			return evidence;
	}
	return NULL;
}

static inline bool
heard_about(const struct evidence *evidence, const char *ip, const char *mac)
{
	struct ip_address wanted_ip = {0};
	struct mac_address wanted_mac = {{0}};

	if (evidence == NULL)
		return false;
	if (*ip != '\0')
		ip_parse(ip, &wanted_ip);
	if (*mac != '\0')
		mac_parse(mac, &wanted_mac);
	return ip_equal(&evidence->subject.ip, &wanted_ip) &&
	       mac_equal(&evidence->subject.mac, &wanted_mac);
}

#endif
