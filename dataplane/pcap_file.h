/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of a pcap file (draft-ietf-opsawg-pcap), of either byte order, in microseconds or
 * nanoseconds, and with the longer packet headers that some Linux kernels' tools wrote. One thread
 * at a time. Every length is checked. */
#ifndef CAMSPAN_PCAP_FILE_H
#define CAMSPAN_PCAP_FILE_H

#include "dataplane/byte_window.h"
#include "dataplane/capture.h"

#include <stdint.h>

/* Longer than any packet of a link that is read here; a longer one tells of a broken file. */
#define PCAP_PACKET_MAX (16 * 1024 * 1024)

struct pcap_file {
	struct byte_window *window;
	uint32_t header_length; /* of a packet */
	uint32_t nanoseconds;   /* of a unit of the time's fraction: 1 or 1000 */
	uint8_t minor_version;
	bool swapped; /* not this machine's byte order */
	enum link_type link;
	char reason[CAPTURE_REASON_SIZE];
};

/* Reads the header of the file. `window` is borrowed. Returns 0, or -EIO with `reason` set. */
int pcap_file_open(struct pcap_file *file, struct byte_window *window);

/* As pcapng_next(). */
int pcap_file_next(struct pcap_file *file, struct frame_view *packet);

#endif
