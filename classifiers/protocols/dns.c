/* SPDX-License-Identifier: Apache-2.0 */
/* Unicast DNS: which names a client asks for, and which name an address was asked by. */
#include "classifiers/protocols/dns_message.h"
#include "classifiers/table.h"

#include <xxhash.h>

#define DNS_PORT         53
#define OPCODE_QUERY     0
#define CHAIN_PASSES     4
#define TCP_LENGTH_SIZE  2 /* RFC 1035 section 4.2.2 */
#define QUERIES_A_PACKET 4
#define QUERIES_KEPT     32 /* of one flow; a client that asks more at once loses the oldest */

/* What the client asked on this flow and was not answered yet, or just was: a mirrored packet may
 * come twice. An answer to anything else is nobody's business: port 53 is easily forged, and a name
 * decides what a destination is called and whether it is allowed. */
struct dns_scratch {
	uint64_t asked[QUERIES_KEPT]; /* hashes of message id and question, 0: none */
	uint8_t next;
};

/* Resolvers mix the case of a query at random; names compare without it. */
static void
lower_case(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
}

/* The name in lower case. Never 0. Ids are 16 bits on purpose of the protocol; the question adds
 * what a forger off the path has to guess. */
static uint64_t
hash_question(const struct dns_message *message, const struct dns_question *question)
{
	uint64_t seed = (uint64_t)message->start[0] << 24 | (uint64_t)message->start[1] << 16 |
			question->type;

	return XXH3_64bits_withSeed(question->name, strlen(question->name), seed) | 1;
}

static bool
was_asked(const struct dns_scratch *scratch, uint64_t hash)
{
	for (size_t i = 0; i < QUERIES_KEPT; i++)
		if (scratch->asked[i] == hash)
			return true;
	return false;
}

static void
report_queries(struct inspection *in, struct dns_message *message, struct dns_scratch *scratch,
	const struct report_sink *sink)
{
	struct dns_question question;

	for (int i = 0; i < QUERIES_A_PACKET && dns_message_question(message, &question); i++) {
		if (question.class != DNS_CLASS_IN || question.type == DNS_TYPE_PTR)
			continue;
		lower_case(question.name);
		scratch->asked[scratch->next++ % QUERIES_KEPT] = hash_question(message, &question);
		report_source(in, &classifier_dns, ATTRIBUTE_DNS_QUERY, SIDE_DEVICE, question.name,
			strlen(question.name), sink);
	}
}

/* Follows the CNAME records from `name` and leaves the last target in it. Servers may give the
 * records in any order, hence the passes: in the usual order one suffices. */
static void
follow_aliases(const struct dns_message *answers, char name[DNS_NAME_SIZE])
{
	bool moved = true, skipped = true;

	for (int pass = 0; pass < CHAIN_PASSES && moved && skipped; pass++) {
		struct dns_message message = *answers;
		struct dns_record record;

		moved = skipped = false;
		while (dns_message_record(&message, &record) && record.section == DNS_ANSWER) {
			if (record.type != DNS_TYPE_CNAME || record.class != DNS_CLASS_IN)
				continue;
			if (!dns_name_equal(record.name, name))
				skipped = true;
			else if (dns_name_read(&message, &record.data, name))
				moved = true;
			else
				return;
		}
	}
}

/* An address belongs to the name that the client asked for, whatever aliases lie between. */
static void
report_answers(struct inspection *in, struct dns_message *message,
	const struct dns_scratch *scratch, const struct report_sink *sink)
{
	struct dns_question question;
	struct dns_record record;
	char canonical[DNS_NAME_SIZE];
	struct ip_address ip;

	if (!dns_message_question(message, &question) || question.class != DNS_CLASS_IN)
		return;
	memcpy(canonical, question.name, sizeof(canonical));
	lower_case(question.name);
	if (!was_asked(scratch, hash_question(message, &question)))
		return;
	follow_aliases(message, canonical);
	while (dns_message_record(message, &record) && record.section == DNS_ANSWER)
		if (dns_record_address(&record, &ip) && ip_is_unicast(&ip) &&
			dns_name_equal(record.name, canonical))
			report_subject(in, &classifier_dns, ATTRIBUTE_DNS_NAME, SIDE_PEER, &ip,
				NULL, question.name, strlen(question.name), sink);
}

static enum classifier_verdict
inspect_message(struct inspection *in, const void *data, size_t length, struct dns_scratch *scratch,
	const struct report_sink *sink)
{
	const struct packet *packet = in->packet;
	struct dns_message message;

	if (!dns_message_open(&message, data, length) || message.questions == 0)
		return CLASSIFIER_NOT_MINE;
	if (message.opcode != OPCODE_QUERY)
		return CLASSIFIER_MORE;
	in->recognized = in->recognized || dns_message_is_sound(&message);
	if (!message.response && packet->destination_port == DNS_PORT)
		report_queries(in, &message, scratch, sink);
	else if (message.response && message.response_code == 0 && packet->source_port == DNS_PORT)
		report_answers(in, &message, scratch, sink);
	return CLASSIFIER_MORE;
}

/* A message that the stream buffer cannot hold is passed by. */
static enum classifier_verdict
inspect_stream(struct inspection *in, struct dns_scratch *scratch, const struct report_sink *sink)
{
	struct cursor bytes = cursor_make(in->data, in->length);

	if (in->gap)
		return CLASSIFIER_DONE; /* nothing in the stream tells where a message starts */
	for (;;) {
		uint16_t length = cursor_be16(&bytes);

		if (!cursor_ok(&bytes))
			return CLASSIFIER_MORE;
		if (cursor_left(&bytes) < length && length + TCP_LENGTH_SIZE <= STREAM_BUFFER_SIZE)
			return CLASSIFIER_MORE;
		in->consumed += TCP_LENGTH_SIZE + (uint32_t)length;
		if (cursor_left(&bytes) < length)
			return CLASSIFIER_MORE;
		if (inspect_message(in, cursor_take(&bytes, length), length, scratch, sink) ==
			CLASSIFIER_NOT_MINE)
			return CLASSIFIER_NOT_MINE;
	}
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	return in->stream ? inspect_stream(in, scratch, sink)
			  : inspect_message(in, in->data, in->length, scratch, sink);
}

const struct classifier classifier_dns = {
	.name = "dns",
	.reference = "RFC 1035, RFC 7766",
	.protocol = "dns",
	.match = {{.layer = MATCH_UDP, .ports = {DNS_PORT}},
		{.layer = MATCH_TCP, .ports = {DNS_PORT}}},
	.match_count = 2,
	/* A client may ask for everything from one port: names must not be missed for that. */
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.scratch_size = sizeof(struct dns_scratch),
	.inspect = inspect,
};
