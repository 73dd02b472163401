/* SPDX-License-Identifier: Apache-2.0 */
/* A file as a window of bytes that moves over it: what lies in the window is read in place, without
 * a copy for each packet. While the window is held it does not move, so that everything taken from
 * it stays valid. One thread at a time. */
#ifndef CAMSPAN_BYTE_WINDOW_H
#define CAMSPAN_BYTE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Small enough that what was just read is still in the second-level cache. */
#define BYTE_WINDOW_FIRST (256 * 1024)

/* As read(2): bytes read, 0 at the end, -1 with errno. */
typedef ssize_t byte_window_read(void *context, void *to, size_t size);

enum byte_window_state {
	BYTE_WINDOW_OPEN,
	BYTE_WINDOW_HELD,   /* it would have to move */
	BYTE_WINDOW_OVER,   /* the file has fewer bytes */
	BYTE_WINDOW_BROKEN, /* the file cannot be read further: `error` */
};

struct byte_window {
	byte_window_read *read;
	void *context;
	uint8_t *bytes;
	size_t size;                  /* what `bytes` has room for */
	size_t begin, end;            /* what lies in the window and has not been passed */
	bool held;                    /* set and cleared by the user */
	enum byte_window_state state; /* why the last byte_window_peek() gave nothing */
	int error;                    /* an errno, ENOMEM when the window could not grow */
};

/* Returns 0 or -ENOMEM. */
int byte_window_init(struct byte_window *window, byte_window_read *read, void *context);
void byte_window_free(struct byte_window *window);

/* Moves the window, and makes it larger if need be; see byte_window_peek(). */
const uint8_t *byte_window_fill(struct byte_window *window, size_t count);

/* Bytes in the window that have not been passed. */
static inline size_t
byte_window_left(const struct byte_window *window)
{
	return window->end - window->begin;
}

/* The next `count` bytes (at least 1) in one piece, not passed yet, or NULL with `state` set. They
 * stay valid until a call for bytes that are not in the window. The caller bounds `count`. */
static inline const uint8_t *
byte_window_peek(struct byte_window *window, size_t count)
{
	if (byte_window_left(window) >= count)
		return window->bytes + window->begin;
	return byte_window_fill(window, count);
}

/* After NULL for `count` bytes of `what`: -EAGAIN when the window is held, else -EIO with one line
 * in `reason`. */
int byte_window_refused(const struct byte_window *window, const char *what, size_t count,
	char *reason, size_t size);

/* Passes `count` bytes, no more than lie in the window. */
static inline void
byte_window_skip(struct byte_window *window, size_t count)
{
	window->begin += count;
}

#endif
