/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPv4: what a client says of itself, and the address that a server acknowledged to it. */
#include "classifiers/protocols/claim.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <stdio.h>

#define SERVER_PORT  67
#define CLIENT_PORT  68
#define OPTIONS_MAX  64
#define MAGIC_COOKIE 0x63825363

enum operation { BOOTREQUEST = 1, BOOTREPLY = 2 };

enum option {
	OPTION_PAD = 0,
	OPTION_HOSTNAME = 12,
	OPTION_MESSAGE_TYPE = 53,
	OPTION_PARAMETERS = 55,
	OPTION_VENDOR_CLASS = 60,
	OPTION_END = 255,
};

enum message_type { DISCOVER = 1, REQUEST = 3, ACK = 5, INFORM = 8 };

struct message {
	uint8_t operation;
	uint8_t type;
	bool relayed;                /* by an agent: the frame is not the client's */
	struct ip_address client_ip; /* that the client already uses */
	struct ip_address your_ip;
	struct mac_address client_mac;
	struct cursor hostname, parameters, vendor_class;
};

static bool
read_fixed_part(struct cursor *bytes, struct message *message)
{
	const uint8_t *client_ip, *your_ip, *mac;
	uint16_t hardware;
	bool cookie;

	message->operation = cursor_u8(bytes);
	hardware = cursor_be16(bytes); /* type Ethernet, address length 6 */
	cursor_skip(bytes, 9);         /* hops, id, seconds, flags */
	client_ip = cursor_take(bytes, 4);
	your_ip = cursor_take(bytes, 4);
	cursor_skip(bytes, 4); /* next server */
	message->relayed = cursor_be32(bytes) != 0;
	mac = cursor_take(bytes, 6);
	cursor_skip(bytes, 10 + 64 + 128); /* rest of the hardware address, server, file */
	cookie = cursor_be32(bytes) == MAGIC_COOKIE;
	if (!cursor_ok(bytes) || !cookie || hardware != 0x0106)
		return false;
	message->client_ip = ip_from_ipv4(client_ip);
	message->your_ip = ip_from_ipv4(your_ip);
	memcpy(message->client_mac.bytes, mac, sizeof(message->client_mac.bytes));
	return true;
}

/* Options that are cut off end the list; what came before stands. */
static void
read_options(struct cursor *bytes, struct message *message)
{
	for (int i = 0; i < OPTIONS_MAX && cursor_left(bytes) > 0; i++) {
		uint8_t code = cursor_u8(bytes);
		struct cursor value;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			return;
		value = cursor_sub(bytes, cursor_u8(bytes));
		if (!cursor_ok(&value))
			return;
		if (code == OPTION_MESSAGE_TYPE)
			message->type = cursor_u8(&value);
		else if (code == OPTION_HOSTNAME)
			message->hostname = value;
		else if (code == OPTION_PARAMETERS)
			message->parameters = value;
		else if (code == OPTION_VENDOR_CLASS)
			message->vendor_class = value;
	}
}

/* "1,3,6". A list longer than a value ends early. Returns the length. */
static size_t
format_list(struct cursor list, char *text, size_t size)
{
	size_t used = 0;

	while (cursor_left(&list) > 0) {
		uint8_t code = cursor_u8(&list);
		char item[5];
		int length = snprintf(item, sizeof(item), used ? ",%u" : "%u", code);

		if (used + (size_t)length >= size)
			break;
		memcpy(text + used, item, (size_t)length);
		used += (size_t)length;
	}
	return used;
}

static void
report_text(const struct inspection *in, const struct claim *client,
	enum evidence_attribute attribute, const struct cursor *text,
	const struct report_sink *sink)
{
	size_t length = cursor_left(text);

	while (length > 0 && text->at[length - 1] == '\0')
		length--; /* some clients send the NUL of a string */
	report_claim(in, &classifier_dhcp, client, attribute, text->at, length, sink);
}

/* A client is known by its hardware address; the packet's source is 0.0.0.0 or a relay. */
static void
report_client(
	const struct inspection *in, const struct message *message, const struct report_sink *sink)
{
	struct claim client = claim_of(in->packet, &message->client_ip, &message->client_mac);
	char list[EVIDENCE_VALUE_SIZE];

	if (!mac_is_unicast(&message->client_mac))
		return;
	if (message->relayed)
		client = (struct claim){.side = SIDE_DEVICE, .mac = message->client_mac};
	client.ip =
		ip_is_unicast(&message->client_ip) ? message->client_ip : (struct ip_address){0};
	report_text(in, &client, ATTRIBUTE_DHCP_HOSTNAME, &message->hostname, sink);
	report_text(in, &client, ATTRIBUTE_DHCP_VENDOR_CLASS, &message->vendor_class, sink);
	report_claim(in, &classifier_dhcp, &client, ATTRIBUTE_DHCP_PARAMETERS, list,
		format_list(message->parameters, list, sizeof(list)), sink);
}

static void
report_lease(
	const struct inspection *in, const struct message *message, const struct report_sink *sink)
{
	char text[ADDRESS_TEXT_SIZE];

	if (!mac_is_unicast(&message->client_mac) || !ip_is_unicast(&message->your_ip))
		return;
	ip_format(&message->your_ip, text);
	report_subject(in, &classifier_dhcp, ATTRIBUTE_DHCP_ADDRESS, SIDE_PEER, &message->your_ip,
		&message->client_mac, text, strlen(text), sink);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct cursor bytes = cursor_make(in->data, in->length);
	struct message message = {0};

	(void)scratch;
	if (!read_fixed_part(&bytes, &message))
		return CLASSIFIER_NOT_MINE;
	in->recognized = true;
	read_options(&bytes, &message);
	if (message.operation == BOOTREQUEST &&
		(message.type == DISCOVER || message.type == REQUEST || message.type == INFORM))
		report_client(in, &message, sink);
	else if (message.operation == BOOTREPLY && message.type == ACK)
		report_lease(in, &message, sink);
	return CLASSIFIER_MORE;
}

const struct classifier classifier_dhcp = {
	.name = "dhcp",
	.reference = "RFC 2131, RFC 2132",
	.protocol = "dhcp",
	.match = {{.layer = MATCH_UDP, .ports = {SERVER_PORT, CLIENT_PORT}}},
	.match_count = 1,
	/* All clients of a link share one flow: 0.0.0.0:68 to 255.255.255.255:67. */
	.max_packets = CLASSIFIER_WHOLE_FLOW,
	.inspect = inspect,
};
