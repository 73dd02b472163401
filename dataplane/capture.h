/* SPDX-License-Identifier: Apache-2.0 */
/* A capture file as a source of packets for replays: pcap by libpcap, pcapng by pcapng.c, plain or
 * gzip. One thread at a time; reads ahead of nothing, so a file of any size needs the same memory.
 */
#ifndef CAMSPAN_CAPTURE_H
#define CAMSPAN_CAPTURE_H

#include "dataplane/records/packet.h"

#include <stddef.h>
#include <stdint.h>

#define CAPTURE_ERROR_SIZE 512

/* Times are kept inside this range (years 1970 to 2116), whatever a file says, so that sums with
 * timeouts cannot overflow. */
#define CAPTURE_TIME_MAX (INT64_MAX / 2)

struct capture;

struct capture_packet {
	const uint8_t *data; /* valid until the next call on the capture */
	uint32_t captured;
	uint32_t wire_length; /* >= captured */
	int64_t time;         /* nanoseconds since the epoch, UTC */
	enum link_type link;  /* may change from packet to packet */
};

/* Opens a file, or stdin for "-" (never gzip). Returns NULL with one line in `error` (at least
 * CAPTURE_ERROR_SIZE): "FILE: what is wrong". */
struct capture *capture_open(const char *path, char *error);
/* Returns 1 with a packet, 0 at the end of the file, -EIO when the rest cannot be read:
 * capture_error() then says why. After 0 or -EIO every further call returns the same. */
int capture_next(struct capture *capture, struct capture_packet *packet);
/* "FILE: packet N: what is wrong", or "" when nothing was. */
const char *capture_error(const struct capture *capture);
/* Packets delivered so far. */
uint64_t capture_count(const struct capture *capture);
/* Packets lost before they came into the file, as what was read so far says (pcapng only). */
uint64_t capture_lost(const struct capture *capture);
void capture_close(struct capture *capture);

#endif
