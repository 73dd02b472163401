/* SPDX-License-Identifier: Apache-2.0 */
/* A capture file as a source of packets for replays: pcap or pcapng, plain or gzip. Packets are
 * read in place, without a copy. One thread at a time; a file of any size needs the same memory. */
#ifndef CAMSPAN_CAPTURE_H
#define CAMSPAN_CAPTURE_H

#include "dataplane/byte_window.h"
#include "dataplane/records/packet.h"

#include <stddef.h>
#include <stdint.h>

#define CAPTURE_ERROR_SIZE  512
#define CAPTURE_REASON_SIZE 200 /* of what is wrong, without the name of the file */

/* Times are kept inside this range (years 1970 to 2116), whatever a file says, so that sums with
 * timeouts cannot overflow. */
#define CAPTURE_TIME_MAX (INT64_MAX / 2)

/* A longer frame is cut, as by a snap length. */
#define CAPTURE_FRAME_MAX (1 << 20)

struct capture;

/* Opens a file, or stdin for "-" (never gzip). Returns NULL with one line in `error` (at least
 * CAPTURE_ERROR_SIZE): "FILE: what is wrong". */
struct capture *capture_open(const char *path, char *error);
/* The same of bytes that `read` gives. `name` stands for the file in messages. */
struct capture *capture_open_stream(
	const char *name, byte_window_read *read, void *context, char *error);
/* Returns the number of packets, at most `max`, which stay valid until the next call: fewer where
 * the window on the file ends or a pipe has no more; 0 at the end of the file; -EIO when the rest
 * cannot be read: capture_error() then says why. After 0 or -EIO every further call returns the
 * same. */
int capture_burst(struct capture *capture, struct frame_view *packets, unsigned max);
/* "FILE: packet N: what is wrong", or "" when nothing was. */
const char *capture_error(const struct capture *capture);
/* Packets delivered so far. */
uint64_t capture_count(const struct capture *capture);
/* Packets lost before they came into the file, as what was read so far says (pcapng only). */
uint64_t capture_lost(const struct capture *capture);
void capture_close(struct capture *capture);

#endif
