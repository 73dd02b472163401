/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/redis_link.h"

#include "exporters/monotonic.h"
#include "exporters/secret.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 3000
#define REPLY_TIMEOUT_MS   5000
#define BACKOFF_MIN_MS     100
#define BACKOFF_MAX_MS     10000

static int
parse_address(struct redis_link *link, const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t length;
	char *end;
	long port;

	if (strncmp(address, "unix:", 5) == 0) {
		snprintf(link->host, sizeof(link->host), "%s", address + 5);
		return link->host[0] == '/' ? 0 : -1;
	}
	if (colon == NULL || colon == address)
		return -1;
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || end == colon + 1 || port < 1 || port > 65535)
		return -1;
	link->port = (int)port;
	length = (size_t)(colon - address);
	if (address[0] == '[' && colon[-1] == ']') { /* an IPv6 address */
		address++;
		length -= 2;
	}
	snprintf(link->host, sizeof(link->host), "%.*s", (int)length, address);
	return 0;
}

int
redis_link_init(struct redis_link *link, const struct config_redis_exporter *config, char *error,
	size_t error_size)
{
	int failure = 0;

	memset(link, 0, sizeof(*link));
	link->config = config;
	if (parse_address(link, config->address)) {
		snprintf(error, error_size,
			"export.redis.address: \"%s\" is no address; give \"host:port\" or "
			"\"unix:/path\"",
			config->address);
		return -1;
	}
	if (config->password_file[0] != '\0')
		failure =
			secret_read(config->password_file, link->password, sizeof(link->password));
	if (failure == 0)
		return 0;
	snprintf(error, error_size,
		"export.redis.password_file: cannot use %s: %s; it holds the password in its "
		"first line",
		config->password_file, strerror(-failure));
	return -1;
}

/* Doubles with each failure; half of it is random, so that sensors do not come back as one. */
static void
schedule_attempt(struct redis_link *link)
{
	int64_t delay = BACKOFF_MIN_MS << (link->failures < 10 ? link->failures : 10);
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)monotonic_now();
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	link->next_attempt = monotonic_in_ms(delay / 2 + random % (delay / 2));
	link->failures++;
}

void
redis_link_drop(struct redis_link *link)
{
	if (link->context != NULL)
		redisFree(link->context);
	link->context = NULL;
	link->state = LINK_DOWN;
	schedule_attempt(link);
}

static bool
connect_failed(struct redis_link *link, const char *why, char *reason)
{
	snprintf(reason, REDIS_REASON_SIZE, "%s", why);
	redis_link_drop(link);
	return false;
}

static void
begin_connect(struct redis_link *link)
{
	link->context = link->port == 0 ? redisConnectUnixNonBlock(link->host)
					: redisConnectNonBlock(link->host, link->port);
	link->state = LINK_CONNECTING;
	link->deadline = monotonic_in_ms(CONNECT_TIMEOUT_MS);
}

bool
redis_link_connect(struct redis_link *link, int wait_ms, char *reason)
{
	struct pollfd ready;
	int cause = 0;
	socklen_t size = sizeof(cause);

	reason[0] = '\0';
	if (link->state == LINK_DOWN) {
		if (monotonic_now() < link->next_attempt)
			return false;
		begin_connect(link);
	}
	if (link->context == NULL)
		return connect_failed(link, "no memory", reason);
	if (link->context->err)
		return connect_failed(link, link->context->errstr, reason);
	ready = (struct pollfd){.fd = link->context->fd, .events = POLLOUT};
	if (poll(&ready, 1, wait_ms) <= 0) {
		if (monotonic_now() >= link->deadline)
			return connect_failed(link, "no answer to the connect", reason);
		return false;
	}
	if (getsockopt(ready.fd, SOL_SOCKET, SO_ERROR, &cause, &size) != 0)
		cause = errno;
	if (cause != 0)
		return connect_failed(link, strerror(cause), reason);
	link->state = LINK_UP;
	link->deadline = monotonic_in_ms(REPLY_TIMEOUT_MS);
	return true;
}

static bool
lost(const struct redis_link *link, char *reason)
{
	const char *why = link->context->errstr;

	snprintf(reason, REDIS_REASON_SIZE, "%s", why[0] != '\0' ? why : "connection lost");
	return false;
}

bool
redis_link_exchange(struct redis_link *link, bool awaits_reply, int wait_ms, char *reason)
{
	redisContext *context = link->context;
	struct pollfd socket = {.fd = context->fd, .events = POLLIN};
	int done = 0;

	reason[0] = '\0';
	if (redisBufferWrite(context, &done) != REDIS_OK)
		return lost(link, reason);
	if (!done)
		socket.events |= POLLOUT;
	if (!awaits_reply && done)
		wait_ms = 0;
	if (poll(&socket, 1, wait_ms) > 0) {
		if (socket.revents & (POLLIN | POLLHUP | POLLERR)) {
			if (redisBufferRead(context) != REDIS_OK)
				return lost(link, reason);
			link->deadline = monotonic_in_ms(REPLY_TIMEOUT_MS);
		}
		return true;
	}
	if (!awaits_reply)
		link->deadline = monotonic_in_ms(REPLY_TIMEOUT_MS);
	if (monotonic_now() < link->deadline)
		return true;
	snprintf(reason, REDIS_REASON_SIZE, "no reply for %d s", REPLY_TIMEOUT_MS / 1000);
	return false;
}
