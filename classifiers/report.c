/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/classifier.h"

static const struct mac_address no_mac;

static const struct mac_address *
source_mac(const struct packet *packet)
{
	return packet->flags & (PACKET_HAS_MACS | PACKET_HAS_SOURCE_MAC) ? &packet->source_mac
									 : &no_mac;
}

static const struct mac_address *
destination_mac(const struct packet *packet)
{
	return packet->flags & PACKET_HAS_MACS ? &packet->destination_mac : &no_mac;
}

/* Completes what every report shares and sends it, unless no value is left after trimming. */
static void
send(const struct inspection *in, const struct classifier *classifier, struct evidence *evidence,
	const void *value, size_t length, const struct report_sink *sink)
{
	if (length > 0)
		evidence_set_value(evidence, value, length);
	if (evidence->value_length == 0)
		return;
	evidence->time = in->packet->time;
	evidence->subject.vlan = packet_vlan(in->packet);
	evidence->subject.tenant = in->packet->tenant;
	evidence->classifier = classifier_index(classifier);
	sink->evidence(sink->context, evidence);
}

void
report_source(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const void *value,
	size_t length, const struct report_sink *sink)
{
	const struct packet *packet = in->packet;
	struct evidence evidence = {
		.subject = {.ip = packet->source, .mac = *source_mac(packet)},
		.peer = {.ip = packet->destination, .port = packet->destination_port},
		.port = packet->source_port,
		.attribute = (uint8_t)attribute,
		.side = (uint8_t)side,
	};

	send(in, classifier, &evidence, value, length, sink);
}

void
report_destination(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const void *value,
	size_t length, const struct report_sink *sink)
{
	const struct packet *packet = in->packet;
	struct evidence evidence = {
		.subject = {.ip = packet->destination, .mac = *destination_mac(packet)},
		.peer = {.ip = packet->source, .port = packet->source_port},
		.port = packet->destination_port,
		.attribute = (uint8_t)attribute,
		.side = (uint8_t)side,
	};

	send(in, classifier, &evidence, value, length, sink);
}

/* The packet's ends are not the subject's, so the evidence has no subject port; its peer is the
 * host that was told. */
void
report_subject(const struct inspection *in, const struct classifier *classifier,
	enum evidence_attribute attribute, enum evidence_side side, const struct ip_address *ip,
	const struct mac_address *mac, const void *value, size_t length,
	const struct report_sink *sink)
{
	const struct packet *packet = in->packet;
	struct evidence evidence = {
		.peer = {.ip = packet->destination, .port = packet->destination_port},
		.attribute = (uint8_t)attribute,
		.side = (uint8_t)side,
	};

	if (ip)
		evidence.subject.ip = *ip;
	if (mac)
		evidence.subject.mac = *mac;
	send(in, classifier, &evidence, value, length, sink);
}
