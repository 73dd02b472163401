/* SPDX-License-Identifier: Apache-2.0 */
/* Reads DNS messages (RFC 1035, RFC 6762) of any bytes: shared by unicast and multicast DNS. */
#ifndef CAMSPAN_DNS_MESSAGE_H
#define CAMSPAN_DNS_MESSAGE_H

#include "dataplane/cursor.h"
#include "dataplane/records/address.h"

/* Text of a name with its escapes and NUL. A name of RFC length fits unless most of its bytes need
 * escapes; one that does not fit is refused. */
#define DNS_NAME_SIZE 512

/* What is read of one message. The rest is ignored: without a bound, a message of short records
 * whose names all point to one long name would cost more than its bytes can justify. */
#define DNS_QUESTIONS_MAX 32
#define DNS_RECORDS_MAX   64
#define DNS_POINTERS_MAX  16 /* in one name */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

#define DNS_CLASS_IN   1
#define DNS_CLASS_MASK 0x7fff /* multicast DNS uses the top bit for itself (RFC 6762 18.12) */

struct dns_message {
	const uint8_t *start;
	const uint8_t *end;
	struct cursor at;
	bool response;
	uint8_t opcode;
	uint8_t response_code;
	uint16_t questions;  /* still to be read */
	uint16_t records[3]; /* by enum dns_section, still to be read */
	unsigned questions_read;
	unsigned records_read;
};

struct dns_question {
	char name[DNS_NAME_SIZE];
	uint16_t type;
	uint16_t class;
};

struct dns_record {
	char name[DNS_NAME_SIZE];
	uint16_t type;
	uint16_t class;
	uint32_t ttl; /* seconds */
	enum dns_section section;
	struct cursor data;
};

/* Reads the header. Returns false when it is not one of a plausible message. */
bool dns_message_open(struct dns_message *message, const void *data, size_t length);
/* Whether what comes first in it, a question or a record, is well formed. */
bool dns_message_is_sound(const struct dns_message *message);
/* The next question or record. Returns false at the end, and from the first malformed one on.
 * Questions that were not read are skipped when the first record is asked for. */
bool dns_message_question(struct dns_message *message, struct dns_question *question);
bool dns_message_record(struct dns_message *message, struct dns_record *record);

/* Reads a name at `at` (inside the message) and moves `at` behind it. Text without the final dot;
 * the root is "". Dots and backslashes inside a label and control bytes are escaped as in RFC 1035
 * section 5.1. Returns false when malformed. */
bool dns_name_read(const struct dns_message *message, struct cursor *at, char name[DNS_NAME_SIZE]);
/* ASCII only, as names compare (RFC 4343). */
bool dns_name_equal(const char *a, const char *b);
bool dns_name_ends_with(const char *name, const char *suffix);
/* The address in an A or AAAA record of class IN. Returns false for any other record. */
bool dns_record_address(const struct dns_record *record, struct ip_address *ip);

#endif
