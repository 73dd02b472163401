/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to Redis that never blocks, with back-off, log-in and time-outs. */
#ifndef CAMSPAN_EXPORTERS_REDIS_LINK_H
#define CAMSPAN_EXPORTERS_REDIS_LINK_H

#include "config/config.h"

#include <hiredis/hiredis.h>

enum redis_link_state {
	LINK_DOWN,       /* until the next attempt */
	LINK_CONNECTING, /* TCP or Unix connect under way */
	LINK_UP,         /* may still be logging in: replies come in order */
};

struct redis_link {
	const struct config_redis_exporter *config;
	redisContext *context; /* NULL while down */
	enum redis_link_state state;
	int64_t deadline;     /* of the connect, or of the next reply */
	int64_t next_attempt; /* while down */
	unsigned failures;    /* in a row */
	char host[CONFIG_PATH_SIZE];
	int port; /* 0: a Unix socket */
	char password[512];
};

/* Returns 0, or -1 with one line in `error`: bad address or unreadable password file. */
int redis_link_init(struct redis_link *link, const struct config_redis_exporter *config,
	char *error, size_t error_size);
/* Begins to connect when it is time. True: now LINK_UP, newly. On a failure the link is down again
 * and `reason` (size REASON_SIZE) says why, "" otherwise. */
#define REDIS_REASON_SIZE 160
bool redis_link_connect(struct redis_link *link, int wait_ms, char *reason);
/* Sends what is appended and reads what is there; waits up to `wait_ms` for the socket. False: the
 * connection is lost, with the reason; the caller calls redis_link_drop(). */
bool redis_link_exchange(struct redis_link *link, bool awaits_reply, int wait_ms, char *reason);
/* Closes; the next attempt comes after a back-off with jitter. */
void redis_link_drop(struct redis_link *link);

#endif
