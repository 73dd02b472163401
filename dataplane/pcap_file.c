/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pcap_file.h"

#include "dataplane/link_type.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILE_HEADER            24
#define PACKET_HEADER          16
#define PACKET_HEADER_MODIFIED 24 /* and interface, protocol, type: not used */

#define MAGIC             0xa1b2c3d4
#define MAGIC_NANOSECONDS 0xa1b23c4d
#define MAGIC_MODIFIED    0xa1b2cd34

#define VERSION_MAJOR     2
#define VERSION_MINOR_MAX 4

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)

static int __attribute__((format(printf, 2, 3)))
fail(struct pcap_file *file, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(file->reason, sizeof(file->reason), format, arguments);
	va_end(arguments);
	return -EIO;
}

/* Fewer than `length` bytes could be had. */
static int
fail_short(struct pcap_file *file, const char *what, size_t length)
{
	return byte_window_refused(file->window, what, length, file->reason, sizeof(file->reason));
}

static uint32_t
get_u32(const struct pcap_file *file, const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return file->swapped ? __builtin_bswap32(value) : value;
}

static int
set_format(struct pcap_file *file, uint32_t magic)
{
	file->swapped = magic != MAGIC && magic != MAGIC_NANOSECONDS && magic != MAGIC_MODIFIED;
	if (file->swapped)
		magic = __builtin_bswap32(magic);
	if (magic != MAGIC && magic != MAGIC_NANOSECONDS && magic != MAGIC_MODIFIED)
		return fail(file, "it begins like neither pcap nor pcapng");
	file->header_length = magic == MAGIC_MODIFIED ? PACKET_HEADER_MODIFIED : PACKET_HEADER;
	file->nanoseconds = magic == MAGIC_NANOSECONDS ? 1 : 1000;
	return 0;
}

int
pcap_file_open(struct pcap_file *file, struct byte_window *window)
{
	const uint8_t *header;
	uint32_t magic;
	uint16_t major, minor;

	*file = (struct pcap_file){.window = window};
	header = byte_window_peek(window, FILE_HEADER);
	if (header == NULL)
		return fail_short(file, "its header", FILE_HEADER);
	memcpy(&magic, header, sizeof(magic));
	if (set_format(file, magic) != 0)
		return -EIO;
	memcpy(&major, header + 4, sizeof(major));
	memcpy(&minor, header + 6, sizeof(minor));
	major = file->swapped ? __builtin_bswap16(major) : major;
	minor = file->swapped ? __builtin_bswap16(minor) : minor;
	if (major != VERSION_MAJOR || minor > VERSION_MINOR_MAX)
		return fail(file, "pcap version %u.%u is not known", major, minor);
	file->minor_version = (uint8_t)minor;
	/* The upper bits tell of checksums behind the frames, which decoding leaves aside. */
	file->link = link_of_linktype(get_u32(file, header + 20) & 0xffff);
	byte_window_skip(window, FILE_HEADER);
	return 0;
}

/* Versions before 2.3 had the two lengths the other way round; of 2.3 there are both. */
static void
order_lengths(const struct pcap_file *file, uint32_t *captured, uint32_t *original)
{
	uint32_t first = *captured;

	if (file->minor_version > 3 || (file->minor_version == 3 && first <= *original))
		return;
	*captured = *original;
	*original = first;
}

/* Hostile files have fractions of more than a second, which would move their packet by an hour. */
static int64_t
fraction_of(const struct pcap_file *file, uint32_t units)
{
	int64_t fraction = (int64_t)units * file->nanoseconds;

	return fraction < NANOSECONDS_PER_SECOND ? fraction : NANOSECONDS_PER_SECOND - 1;
}

int
pcap_file_next(struct pcap_file *file, struct frame_view *packet)
{
	struct byte_window *window = file->window;
	size_t header_length = file->header_length;
	const uint8_t *header = byte_window_peek(window, header_length);
	uint32_t seconds, fraction, captured, original;

	if (header == NULL) {
		if (window->state == BYTE_WINDOW_OVER && byte_window_left(window) == 0)
			return 0;
		return fail_short(file, "a packet's header", header_length);
	}
	seconds = get_u32(file, header);
	fraction = get_u32(file, header + 4);
	captured = get_u32(file, header + 8);
	original = get_u32(file, header + 12);
	order_lengths(file, &captured, &original);
	if (captured > PCAP_PACKET_MAX)
		return fail(file, "a packet that says that %u bytes of it were captured", captured);
	header = byte_window_peek(window, header_length + captured); /* it may have moved */
	if (header == NULL)
		return fail_short(file, "a packet and its header", header_length + captured);
	/* Seconds of 32 bits stay below CAPTURE_TIME_MAX. */
	packet->time = seconds * NANOSECONDS_PER_SECOND + fraction_of(file, fraction);
	packet->data = header + header_length;
	packet->captured = captured;
	packet->wire_length = original > captured ? original : captured;
	packet->link = (uint16_t)file->link;
	packet->observation_point = 0;
	byte_window_skip(window, header_length + captured);
	return 1;
}
