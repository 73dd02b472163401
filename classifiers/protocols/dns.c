/* SPDX-License-Identifier: Apache-2.0 */
/* Unicast DNS: which names a client asks for, and which name an address was asked by. */
#include "classifiers/protocols/dns_message.h"
#include "classifiers/table.h"

#define DNS_PORT         53
#define OPCODE_QUERY     0
#define CHAIN_PASSES     4
#define TCP_LENGTH_SIZE  2 /* RFC 1035 section 4.2.2 */
#define QUERIES_A_PACKET 4

/* Resolvers mix the case of a query at random; names compare without it. */
static void
lower_case(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
}

static void
report_queries(struct inspection *in, struct dns_message *message, const struct report_sink *sink)
{
	struct dns_question question;

	for (int i = 0; i < QUERIES_A_PACKET && dns_message_question(message, &question); i++) {
		if (question.class != DNS_CLASS_IN || question.type == DNS_TYPE_PTR)
			continue;
		lower_case(question.name);
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
report_answers(struct inspection *in, struct dns_message *message, const struct report_sink *sink)
{
	struct dns_question question;
	struct dns_record record;
	char canonical[DNS_NAME_SIZE];
	struct ip_address ip;

	if (!dns_message_question(message, &question) || question.class != DNS_CLASS_IN)
		return;
	memcpy(canonical, question.name, sizeof(canonical));
	follow_aliases(message, canonical);
	lower_case(question.name);
	while (dns_message_record(message, &record) && record.section == DNS_ANSWER)
		if (dns_record_address(&record, &ip) && ip_is_unicast(&ip) &&
			dns_name_equal(record.name, canonical))
			report_subject(in, &classifier_dns, ATTRIBUTE_DNS_NAME, SIDE_PEER, &ip,
				NULL, question.name, strlen(question.name), sink);
}

static enum classifier_verdict
inspect_message(
	struct inspection *in, const void *data, size_t length, const struct report_sink *sink)
{
	const struct packet *packet = in->packet;
	struct dns_message message;

	if (!dns_message_open(&message, data, length) || message.questions == 0)
		return CLASSIFIER_NOT_MINE;
	if (message.opcode != OPCODE_QUERY)
		return CLASSIFIER_MORE;
	if (!message.response && packet->destination_port == DNS_PORT)
		report_queries(in, &message, sink);
	else if (message.response && message.response_code == 0 && packet->source_port == DNS_PORT)
		report_answers(in, &message, sink);
	return CLASSIFIER_MORE;
}

/* A message that the stream buffer cannot hold is passed by. */
static enum classifier_verdict
inspect_stream(struct inspection *in, const struct report_sink *sink)
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
		if (inspect_message(in, cursor_take(&bytes, length), length, sink) ==
			CLASSIFIER_NOT_MINE)
			return CLASSIFIER_NOT_MINE;
	}
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	(void)scratch;
	return in->stream ? inspect_stream(in, sink)
			  : inspect_message(in, in->data, in->length, sink);
}

const struct classifier classifier_dns = {
	.name = "dns",
	.reference = "RFC 1035, RFC 7766",
	.match = {{.layer = MATCH_UDP, .ports = {DNS_PORT}},
		{.layer = MATCH_TCP, .ports = {DNS_PORT}}},
	.match_count = 2,
	/* A client may ask for everything from one port: names must not be missed for that. */
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.inspect = inspect,
};
