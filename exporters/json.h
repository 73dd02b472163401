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

struct json;

/* Returns NULL when memory is short. */
struct json *json_create(void);
void json_free(struct json *json);

/* Starts a new document, an object; what the last one returned is gone. */
void json_begin(struct json *json);
/* Closes the document. The text has no newline and is valid until the next json_begin(). */
const char *json_end(struct json *json, size_t *length);

void json_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/* Any bytes: control characters and invalid UTF-8 become '?'. */
void json_text(struct json *json, const char *key, const char *text);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_integer(struct json *json, const char *key, int64_t value);
/* With at most `decimals` (0..6) digits after the point, whatever the locale. */
void json_decimal(struct json *json, const char *key, double value, int decimals);
void json_boolean(struct json *json, const char *key, bool value);
void json_time(struct json *json, const char *key, int64_t nanoseconds);
void json_ip(struct json *json, const char *key, const struct ip_address *ip);
/* In the form of RFC 7042, which ECS wants: "00-00-5E-00-53-23". */
void json_mac(struct json *json, const char *key, const struct mac_address *mac);

/* "2026-11-24T06:37:55.000000001Z"; `text` holds TIME_TEXT_SIZE; returns its length. */
size_t time_format(int64_t nanoseconds, char *text);

#endif
