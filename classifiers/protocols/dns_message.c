/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/protocols/dns_message.h"

#include <strings.h>

#define HEADER_SIZE     12
#define NAME_OCTETS_MAX 255 /* RFC 1035 section 2.3.4 */
#define POINTER_BITS    0xc0

bool
dns_message_open(struct dns_message *message, const void *data, size_t length)
{
	uint16_t flags;

	*message = (struct dns_message){.at = cursor_make(data, length)};
	message->start = message->at.at;
	message->end = message->at.end;
	cursor_skip(&message->at, 2); /* id */
	flags = cursor_be16(&message->at);
	message->response = (flags & 0x8000) != 0;
	message->opcode = flags >> 11 & 0x0f;
	message->response_code = flags & 0x0f;
	message->questions = cursor_be16(&message->at);
	for (int section = 0; section < 3; section++)
		message->records[section] = cursor_be16(&message->at);
	return cursor_ok(&message->at);
}

struct text {
	char *at;
	char *end; /* room for the NUL */
};

static bool
text_add(struct text *text, char c)
{
	if (text->at == text->end)
		return false;
	*text->at++ = c;
	return true;
}

/* What is written with a backslash. */
static const bool escaped[UINT8_MAX + 1] = {
	[0 ... ' ' - 1] = true, [0x7f] = true, ['.'] = true, ['\\'] = true};

static bool
text_add_octet(struct text *text, uint8_t octet)
{
	if (octet == '.' || octet == '\\')
		return text_add(text, '\\') && text_add(text, (char)octet);
	if (octet < ' ' || octet == 0x7f)
		return text_add(text, '\\') && text_add(text, (char)('0' + octet / 100)) &&
		       text_add(text, (char)('0' + octet / 10 % 10)) &&
		       text_add(text, (char)('0' + octet % 10));
	return text_add(text, (char)octet);
}

static bool
text_add_label(struct text *text, const uint8_t *label, size_t length, bool first)
{
	size_t plain = 0;

	if (!first && !text_add(text, '.'))
		return false;
	/* Mostly all of it. */
	if (length <= (size_t)(text->end - text->at))
		while (plain < length && !escaped[label[plain]])
			*text->at++ = (char)label[plain++];
	for (size_t i = plain; i < length; i++)
		if (!text_add_octet(text, label[i]))
			return false;
	return true;
}

/* Every pointer must lead to before the run of labels that holds it, so a chain of them ends. */
static bool
follow_pointer(const struct dns_message *message, struct cursor *at, const uint8_t **run,
	uint8_t high_bits)
{
	size_t offset = (size_t)(high_bits & ~POINTER_BITS) << 8 | cursor_u8(at);

	if (!cursor_ok(at) || offset < HEADER_SIZE || offset >= (size_t)(*run - message->start))
		return false;
	*run = message->start + offset;
	*at = cursor_make(*run, (size_t)(message->end - *run));
	return true;
}

bool
dns_name_read(const struct dns_message *message, struct cursor *at, char name[DNS_NAME_SIZE])
{
	struct text text = {.at = name, .end = name + DNS_NAME_SIZE - 1};
	struct cursor labels = *at;
	const uint8_t *run = at->at;
	unsigned pointers = 0;
	size_t octets = 1; /* the root's */

	name[0] = '\0';
	for (;;) {
		uint8_t length = cursor_u8(&labels);
		const uint8_t *label;

		if ((length & POINTER_BITS) == POINTER_BITS) {
			struct cursor behind = labels;

			cursor_skip(&behind, 1);
			if (pointers == DNS_POINTERS_MAX ||
				!follow_pointer(message, &labels, &run, length))
				return false;
			if (pointers++ == 0)
				*at = behind;
			continue;
		}
		if (!cursor_ok(&labels) || (length & POINTER_BITS) != 0)
			return false;
		if (length == 0)
			break;
		label = cursor_take(&labels, length);
		octets += 1 + (size_t)length;
		if (label == NULL || octets > NAME_OCTETS_MAX ||
			!text_add_label(&text, label, length, text.at == name))
			return false;
	}
	if (pointers == 0)
		*at = labels;
	*text.at = '\0';
	return true;
}

/* After a malformed part nothing that follows can be trusted. */
static bool
give_up(struct dns_message *message)
{
	message->questions = 0;
	memset(message->records, 0, sizeof(message->records));
	return false;
}

bool
dns_message_question(struct dns_message *message, struct dns_question *question)
{
	if (message->questions == 0)
		return false;
	message->questions--;
	if (message->questions_read++ == DNS_QUESTIONS_MAX)
		return give_up(message);
	if (!dns_name_read(message, &message->at, question->name))
		return give_up(message);
	question->type = cursor_be16(&message->at);
	question->class = cursor_be16(&message->at) & DNS_CLASS_MASK;
	return cursor_ok(&message->at) || give_up(message);
}

bool
dns_message_record(struct dns_message *message, struct dns_record *record)
{
	struct dns_question skipped;
	int section = 0;
	uint16_t length;

	while (message->questions > 0)
		if (!dns_message_question(message, &skipped))
			return false;
	while (section < 3 && message->records[section] == 0)
		section++;
	if (section == 3)
		return false;
	message->records[section]--;
	if (message->records_read++ == DNS_RECORDS_MAX)
		return give_up(message);
	record->section = (enum dns_section)section;
	if (!dns_name_read(message, &message->at, record->name))
		return give_up(message);
	record->type = cursor_be16(&message->at);
	record->class = cursor_be16(&message->at) & DNS_CLASS_MASK;
	record->ttl = cursor_be32(&message->at);
	length = cursor_be16(&message->at);
	record->data = cursor_sub(&message->at, length);
	return cursor_ok(&message->at) || give_up(message);
}

bool
dns_message_is_sound(const struct dns_message *message)
{
	struct dns_message copy = *message;
	struct dns_question question;
	struct dns_record record;

	return copy.questions > 0 ? dns_message_question(&copy, &question)
				  : dns_message_record(&copy, &record);
}

bool
dns_name_equal(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool
dns_name_ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name);
	size_t tail = strlen(suffix);

	return length >= tail && strcasecmp(name + length - tail, suffix) == 0;
}

bool
dns_record_address(const struct dns_record *record, struct ip_address *ip)
{
	size_t length = cursor_left(&record->data);

	if (record->class != DNS_CLASS_IN)
		return false;
	if (record->type == DNS_TYPE_A && length == 4)
		*ip = ip_from_ipv4(record->data.at);
	else if (record->type == DNS_TYPE_AAAA && length == 16)
		*ip = ip_from_ipv6(record->data.at);
	else
		return false;
	return true;
}
