/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of a pcapng file (draft-ietf-opsawg-pcapng), read block by block: sections of either byte
 * order, interfaces each with its own link type, snapshot length and clock. Memory does not depend
 * on the size of the file: one block of at most 16 MiB and the interfaces of one section. One
 * thread at a time. Every length and every interface id is checked; what is not about packets is
 * skipped. */
#ifndef CAMSPAN_PCAPNG_H
#define CAMSPAN_PCAPNG_H

#include "dataplane/byte_window.h"
#include "dataplane/capture.h"

#include <stdint.h>

/* What a pcapng file begins with, in either byte order; no pcap file does. */
#define PCAPNG_FIRST_BYTE 0x0a

/* Of one section. Captures of the "any" kind have as many as the machine has ports. */
#define PCAPNG_INTERFACES_MAX 1024

struct pcapng;

/* Reads the first section's header. `window` is borrowed. NULL with the reason in `reason` (at
 * least CAPTURE_REASON_SIZE). */
struct pcapng *pcapng_open(struct byte_window *window, char *reason);
void pcapng_free(struct pcapng *pcapng);

/* Returns 1 with a packet, which lies in the window; 0 at the end of the file; -EAGAIN when a held
 * window would have to move, and then it is to be called again; -EIO when the rest cannot be read:
 * pcapng_reason() then says why. Not to be called again after 0 or -EIO. A packet without a time of
 * its own (Simple Packet Block) has that of the packet before it. */
int pcapng_next(struct pcapng *pcapng, struct frame_view *packet);
const char *pcapng_reason(const struct pcapng *pcapng);

/* Packets that were lost before they came into the file, by interface and operating system, as the
 * statistics read so far say. */
uint64_t pcapng_lost(const struct pcapng *pcapng);

#endif
