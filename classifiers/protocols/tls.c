/* SPDX-License-Identifier: Apache-2.0 */
/* TLS before it is encrypted: the name the client asked for and, up to TLS 1.2, the certificate
 * that the server presented (RFC 5246, RFC 6066 section 3, RFC 8446). */
#include "classifiers/protocols/x509_name.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#define RECORD_HEADER    5
#define RECORD_MAX       (16384 + 2048) /* RFC 5246 section 6.2.3 */
#define RECORD_HANDSHAKE 22
#define RECORD_ALERT     21
#define RECORD_CHANGE    20

#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define CERTIFICATE  11

#define EXTENSION_SERVER_NAME 0
#define EXTENSION_VERSIONS    43
#define EXTENSIONS_MAX        64
#define TLS_1_3               0x0304

#define MESSAGE_KEPT 1100u /* bytes of one handshake message: names come first in a certificate */

enum wanted_message { WANTED_NONE, WANTED_CLIENT_HELLO, WANTED_SERVER_HELLO, WANTED_CERTIFICATE };

/* One direction. Handshake messages may be cut anywhere into records, so that the start of each
 * message is gathered here; only one direction gathers at a time. */
struct tls_side {
	uint32_t record_left;  /* bytes of the current record not yet taken */
	uint32_t message_left; /* of the current message, behind its header */
	uint8_t header[4];     /* of a handshake message */
	uint8_t header_length;
	bool gathering;
	bool over; /* nothing more is wanted of this direction */
};

struct tls_flow {
	struct tls_side sides[2]; /* from the initiator, from the responder */
	uint16_t kept;            /* bytes in message */
	uint8_t owner;            /* direction that gathers, plus one; 0 none */
	bool established;
	bool name_told;
	uint8_t message[MESSAGE_KEPT];
};

_Static_assert(sizeof(struct tls_flow) <= CLASSIFIER_SCRATCH_MAX, "scratch of one flow");

/* A DNS name as RFC 6066 has it: no address, no control bytes. */
static bool
is_name(const uint8_t *name, size_t length)
{
	bool letter = false;

	for (size_t i = 0; i < length; i++) {
		uint8_t byte = name[i];

		if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z')
			letter = true;
		else if (!(byte >= '0' && byte <= '9') && byte != '-' && byte != '.' && byte != '_')
			return false;
	}
	return letter && length <= 255;
}

static void
read_server_name(struct tls_flow *flow, const struct inspection *in, struct cursor extension,
	const struct report_sink *sink)
{
	struct cursor list = cursor_sub(&extension, cursor_be16(&extension));
	uint8_t type = cursor_u8(&list);
	uint16_t length = cursor_be16(&list);
	const uint8_t *name = cursor_take(&list, length);

	if (name == NULL || type != 0 || !is_name(name, length))
		return;
	flow->name_told = true;
	report_source(in, &classifier_tls, ATTRIBUTE_TLS_SNI, SIDE_DEVICE, name, length, sink);
}

/* Finds an extension in what of the list is at hand. */
static bool
find_extension(struct cursor list, uint16_t wanted, struct cursor *found)
{
	for (int i = 0; i < EXTENSIONS_MAX && cursor_left(&list) >= 4; i++) {
		uint16_t type = cursor_be16(&list), length = cursor_be16(&list);
		struct cursor body = cursor_sub(&list, length);

		if (type == wanted && cursor_ok(&body)) {
			*found = body;
			return true;
		}
	}
	return false;
}

static void
read_client_hello(struct tls_flow *flow, const struct inspection *in, struct cursor hello,
	const struct report_sink *sink)
{
	struct cursor list, extension;

	cursor_skip(&hello, 2 + 32);              /* version, random */
	cursor_skip(&hello, cursor_u8(&hello));   /* session id */
	cursor_skip(&hello, cursor_be16(&hello)); /* cipher suites */
	cursor_skip(&hello, cursor_u8(&hello));   /* compression methods */
	cursor_skip(&hello, 2);
	list = hello;
	if (!flow->name_told && find_extension(list, EXTENSION_SERVER_NAME, &extension))
		read_server_name(flow, in, extension, sink);
}

/* Does the server go on in clear? From TLS 1.3 on it does not. */
static bool
is_older_than_1_3(struct cursor hello)
{
	struct cursor extension;

	cursor_skip(&hello, 2 + 32);
	cursor_skip(&hello, cursor_u8(&hello));
	cursor_skip(&hello, 3); /* cipher suite, compression method */
	cursor_skip(&hello, 2);
	return !find_extension(hello, EXTENSION_VERSIONS, &extension) ||
	       cursor_be16(&extension) < TLS_1_3;
}

static void
read_certificate(const struct inspection *in, struct cursor message, const struct report_sink *sink)
{
	struct x509_names names;
	uint32_t length;

	cursor_skip(&message, 3); /* of the list: the first certificate is the server's own */
	length = cursor_be24(&message);
	if (length > cursor_left(&message))
		length = (uint32_t)cursor_left(&message);
	if (!x509_names_read(&names, message.at, length))
		return;
	report_source(in, &classifier_tls, ATTRIBUTE_TLS_SUBJECT, SIDE_DEVICE, names.subject,
		strlen(names.subject), sink);
	report_source(in, &classifier_tls, ATTRIBUTE_TLS_ISSUER, SIDE_DEVICE, names.issuer,
		strlen(names.issuer), sink);
}

/* A whole message, or its first MESSAGE_KEPT bytes. A client's certificate names the client, and
 * the packet's source is the client then: one rule holds for both. */
static void
read_message(struct tls_flow *flow, struct tls_side *side, const struct inspection *in,
	const struct report_sink *sink)
{
	struct cursor message = cursor_make(flow->message, flow->kept);

	switch (side->header[0]) {
	case CLIENT_HELLO:
		read_client_hello(flow, in, message, sink);
		break;
	case SERVER_HELLO:
		if (!is_older_than_1_3(message))
			flow->sides[0].over = flow->sides[1].over = true;
		break;
	case CERTIFICATE:
		read_certificate(in, message, sink);
		side->over = true;
		break;
	default:
		break;
	}
}

static void
end_message(struct tls_flow *flow, struct tls_side *side, const struct inspection *in,
	const struct report_sink *sink)
{
	if (side->gathering) {
		read_message(flow, side, in, sink);
		flow->owner = 0;
	}
	side->gathering = false;
	side->header_length = 0;
}

static void
begin_message(struct tls_flow *flow, struct tls_side *side)
{
	uint8_t type = side->header[0], number = (uint8_t)(side - flow->sides + 1);
	struct cursor header = cursor_make(side->header + 1, 3);

	side->message_left = cursor_be24(&header);
	side->gathering = (type == CLIENT_HELLO || type == SERVER_HELLO || type == CERTIFICATE) &&
			  (flow->owner == 0 || flow->owner == number);
	if (side->gathering) {
		flow->owner = number;
		flow->kept = 0;
	}
}

/* Bytes of handshake records, in any pieces. */
static void
take_handshake(struct tls_flow *flow, struct tls_side *side, const struct inspection *in,
	const uint8_t *data, uint32_t length, const struct report_sink *sink)
{
	while (length > 0 && !side->over) {
		uint32_t step, room;

		if (side->header_length < sizeof(side->header)) {
			side->header[side->header_length++] = *data++;
			length--;
			if (side->header_length < sizeof(side->header))
				continue;
			begin_message(flow, side);
		}
		step = side->message_left < length ? side->message_left : length;
		if (side->gathering) {
			room = MESSAGE_KEPT - flow->kept < step ? MESSAGE_KEPT - flow->kept : step;
			memcpy(flow->message + flow->kept, data, room);
			flow->kept += (uint16_t)room;
		}
		data += step;
		length -= step;
		side->message_left -= step;
		if (side->message_left == 0)
			end_message(flow, side, in, sink);
	}
}

/* Content type 20..23, version 3.0..3.4, a length within the limit. */
static bool
is_record_header(const uint8_t *data)
{
	uint32_t length = (uint32_t)data[3] << 8 | data[4];

	return data[0] >= RECORD_CHANGE && data[0] <= 23 && data[1] == 3 && data[2] <= 4 &&
	       length > 0 && length <= RECORD_MAX;
}

static bool
is_over(const struct tls_flow *flow)
{
	return flow->sides[0].over && flow->sides[1].over;
}

static void
leave(struct tls_flow *flow, struct tls_side *side)
{
	side->over = true;
	if (flow->owner == side - flow->sides + 1)
		flow->owner = 0;
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct tls_flow *flow = scratch;
	struct tls_side *side = &flow->sides[!in->from_initiator];

	if (in->gap) /* where the next record starts cannot be told */
		leave(flow, side);
	while (in->consumed < in->length && !side->over) {
		const uint8_t *data = in->data + in->consumed;
		uint32_t left = in->length - in->consumed, step;

		if (side->record_left == 0) {
			if (left < RECORD_HEADER) {
				if (!flow->established && data[0] != RECORD_HANDSHAKE)
					return CLASSIFIER_NOT_MINE;
				break;
			}
			if (!is_record_header(data) ||
				(!flow->established && data[0] != RECORD_HANDSHAKE)) {
				if (!flow->established)
					return CLASSIFIER_NOT_MINE;
				leave(flow, side);
				break;
			}
			flow->established = true;
			/* What follows a change of cipher is encrypted, alerts end it all. */
			if (data[0] != RECORD_HANDSHAKE) {
				leave(flow, side);
				break;
			}
			side->record_left = (uint32_t)data[3] << 8 | data[4];
			in->consumed += RECORD_HEADER;
			continue;
		}
		step = side->record_left < left ? side->record_left : left;
		take_handshake(flow, side, in, data, step, sink);
		side->record_left -= step;
		in->consumed += step;
	}
	if (side->over)
		in->consumed = in->length;
	in->recognized = flow->established;
	return is_over(flow) ? CLASSIFIER_DONE : CLASSIFIER_MORE;
}

const struct classifier classifier_tls = {
	.name = "tls",
	.reference = "RFC 5246, RFC 6066, RFC 8446, RFC 5280",
	.protocol = "tls",
	.match = {{
		.layer = MATCH_TCP,
		.ports = {443, 8443, 322, 4433, 9443},
		.magics =
			{
				{.length = 3, .bytes = {22, 3, 1}},
				{.length = 3, .bytes = {22, 3, 3}},
				{.length = 3, .bytes = {22, 3, 0}},
				{.length = 3, .bytes = {22, 3, 2}},
			},
	}},
	.match_count = 1,
	.max_packets = 64,
	.scratch_size = sizeof(struct tls_flow),
	.inspect = inspect,
};
