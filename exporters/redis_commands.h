/* SPDX-License-Identifier: Apache-2.0 */
/* Records as commands in Redis' protocol. docs/redis.md is the reference of keys and fields. */
#ifndef CAMSPAN_EXPORTERS_REDIS_COMMANDS_H
#define CAMSPAN_EXPORTERS_REDIS_COMMANDS_H

#include "exporters/exporter.h"
#include <hiredis/hiredis.h>

#define REDIS_KEY_SIZE 192

/* "camspan:{SITE}:device:ID"; `id` NULL: no last part. Returns key. */
const char *redis_key(char key[REDIS_KEY_SIZE], const char *site, const char *what, const char *id);
/* HSET of a device or stream, XADD of an alert. Malloc'ed; NULL when memory is short. */
char *redis_command_of(
	const struct config *config, const struct exported_event *event, size_t *length);

/* The event id in one element of an XREVRANGE reply, [stream id, [field, value, ...]]; NULL: none.
 */
const char *redis_stream_event_id(const redisReply *element);

#endif
