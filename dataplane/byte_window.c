/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/byte_window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
byte_window_init(struct byte_window *window, byte_window_read *read, void *context)
{
	*window = (struct byte_window){
		.read = read,
		.context = context,
		.bytes = malloc(BYTE_WINDOW_FIRST),
		.size = BYTE_WINDOW_FIRST,
	};
	return window->bytes ? 0 : -ENOMEM;
}

void
byte_window_free(struct byte_window *window)
{
	free(window->bytes);
	window->bytes = NULL;
}

static bool
make_room(struct byte_window *window, size_t count)
{
	size_t size = window->size;
	uint8_t *bytes;

	memmove(window->bytes, window->bytes + window->begin, byte_window_left(window));
	window->end -= window->begin;
	window->begin = 0;
	if (count <= size)
		return true;
	while (size < count)
		size *= 2;
	bytes = realloc(window->bytes, size);
	if (bytes == NULL)
		return false;
	window->bytes = bytes;
	window->size = size;
	return true;
}

static const uint8_t *
fail(struct byte_window *window, enum byte_window_state state, int error)
{
	window->state = state;
	window->error = error;
	return NULL;
}

/* A pipe gives what it has: nothing is waited for that is not needed. */
const uint8_t *
byte_window_fill(struct byte_window *window, size_t count)
{
	ssize_t got;

	if (window->held)
		return fail(window, BYTE_WINDOW_HELD, 0);
	if (!make_room(window, count))
		return fail(window, BYTE_WINDOW_BROKEN, ENOMEM);
	while (byte_window_left(window) < count) {
		got = window->read(
			window->context, window->bytes + window->end, window->size - window->end);
		if (got == 0)
			return fail(window, BYTE_WINDOW_OVER, 0);
		if (got < 0)
			return fail(window, BYTE_WINDOW_BROKEN, errno);
		window->end += (size_t)got;
	}
	return window->bytes + window->begin;
}

int
byte_window_refused(
	const struct byte_window *window, const char *what, size_t count, char *reason, size_t size)
{
	if (window->state == BYTE_WINDOW_HELD)
		return -EAGAIN;
	if (window->state == BYTE_WINDOW_BROKEN)
		snprintf(reason, size, "cannot be read further: %s", strerror(window->error));
	else
		snprintf(reason, size, "the file ends after %zu of the %zu bytes of %s",
			byte_window_left(window), count, what);
	return -EIO;
}
