/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object on one line, member by member. Members without a value (empty text, no address,
 * time 0, a number that is not finite) are left out. `key` NULL writes an array element. */
#ifndef CAMSPAN_EXPORTERS_JSON_H
#define CAMSPAN_EXPORTERS_JSON_H

#include "dataplane/records/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_SIZE 40 /* RFC 3339 with nine digits and NUL, any int64_t */

struct json_writer;

/* Returns NULL when memory is short. */
struct json_writer *json_writer_create(void);
void json_writer_free(struct json_writer *json);

/* Starts a new document, an object; what the last one returned is gone. */
void json_writer_begin(struct json_writer *json);
/* Closes the document. The text has no newline and is valid until the next json_writer_begin().
 * NULL when memory was short. */
const char *json_writer_end(struct json_writer *json, size_t *length);

void json_put_object(struct json_writer *json, const char *key);
void json_put_close_object(struct json_writer *json);
void json_put_array(struct json_writer *json, const char *key);
void json_put_close_array(struct json_writer *json);

/* Any bytes: control characters and invalid UTF-8 become '?'. */
void json_put_text(struct json_writer *json, const char *key, const char *text);
void json_put_unsigned(struct json_writer *json, const char *key, uint64_t value);
void json_put_integer(struct json_writer *json, const char *key, int64_t value);
/* With at most `decimals` (0..6) digits after the point, whatever the locale. */
void json_put_decimal(struct json_writer *json, const char *key, double value, int decimals);
void json_put_boolean(struct json_writer *json, const char *key, bool value);
void json_put_time(struct json_writer *json, const char *key, int64_t nanoseconds);
void json_put_ip(struct json_writer *json, const char *key, const struct ip_address *ip);
/* In the form of RFC 7042, which ECS wants: "00-00-5E-00-53-23". */
void json_put_mac(struct json_writer *json, const char *key, const struct mac_address *mac);

/* "2026-11-24T06:37:55.000000001Z"; `text` holds TIME_TEXT_SIZE; returns its length. */
size_t time_format(int64_t nanoseconds, char *text);

#endif
