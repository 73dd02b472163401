/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pcapng.h"

#include "dataplane/cursor.h"
#include "dataplane/link_type.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_OVERHEAD 12                 /* type, length and the length again */
#define BLOCK_BODY     8                  /* where the body begins */
#define BLOCK_MAX      (16 * 1024 * 1024) /* Wireshark reads and writes none that is longer */

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)
#define DECIMAL_DIGITS_MAX     19 /* resolutions finer than the 64 bits of a time stamp */
#define BINARY_DIGITS_MAX      63

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete, but old files have it */
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_STATISTICS = 5,
	BLOCK_ENHANCED_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
};

enum option_code {
	OPTION_END = 0,
	OPTION_INTERFACE_RESOLUTION = 9, /* if_tsresol */
	OPTION_INTERFACE_OFFSET = 14,    /* if_tsoffset */
	OPTION_STATISTICS_INTERFACE_DROPS = 5,
	OPTION_STATISTICS_SYSTEM_DROPS = 7,
};

/* Nanoseconds are ticks x multiply / 2^shift / divide, and the offset. */
struct interface_clock {
	uint64_t multiply;
	uint64_t divide;
	unsigned shift;
	int64_t offset; /* seconds */
};

struct interface {
	struct interface_clock clock;
	uint64_t lost;            /* since its capture began, by the highest statistics */
	uint32_t snapshot_length; /* 0: no limit */
	enum link_type link;
};

struct pcapng {
	struct byte_window *window;
	bool big_endian; /* of the section */
	uint32_t interface_count;
	uint64_t lost; /* in the sections before */
	int64_t time;  /* of the last packet that had one */
	char reason[CAPTURE_REASON_SIZE];
	struct interface interfaces[PCAPNG_INTERFACES_MAX];
};

static int __attribute__((format(printf, 2, 3)))
fail(struct pcapng *pcapng, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(pcapng->reason, sizeof(pcapng->reason), format, arguments);
	va_end(arguments);
	return -EIO;
}

static uint16_t
get_u16(const struct pcapng *pcapng, struct cursor *cursor)
{
	return pcapng->big_endian ? cursor_be16(cursor) : cursor_le16(cursor);
}

static uint32_t
get_u32(const struct pcapng *pcapng, struct cursor *cursor)
{
	return pcapng->big_endian ? cursor_be32(cursor) : cursor_le32(cursor);
}

static uint64_t
get_u64(const struct pcapng *pcapng, struct cursor *cursor)
{
	uint64_t first = get_u32(pcapng, cursor);
	uint64_t second = get_u32(pcapng, cursor);

	return pcapng->big_endian ? first << 32 | second : second << 32 | first;
}

/* Time stamps have their upper half first in both byte orders. */
static uint64_t
get_ticks(const struct pcapng *pcapng, struct cursor *cursor)
{
	uint64_t upper = get_u32(pcapng, cursor);

	return upper << 32 | get_u32(pcapng, cursor);
}

static uint64_t
add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* ---- blocks ---- */

/* The file gave fewer bytes than the block needs. */
static int
fail_short(struct pcapng *pcapng, size_t length)
{
	return byte_window_refused(
		pcapng->window, "a block", length, pcapng->reason, sizeof(pcapng->reason));
}

/* A section's byte order comes behind its length, so it is looked up before that is read. */
static int
set_byte_order(struct pcapng *pcapng, const uint8_t *block)
{
	struct cursor magic = cursor_make(block + BLOCK_BODY, 4);
	uint32_t value = cursor_be32(&magic);

	if (value != 0x1a2b3c4d && value != 0x4d3c2b1a)
		return fail(pcapng, "a section whose byte-order magic is 0x%08x", value);
	pcapng->big_endian = value == 0x1a2b3c4d;
	return 0;
}

/* Passes a whole block, which stays where it lies: 1 with its type and body, 0 at the end of the
 * file, -EAGAIN or -EIO. */
static int
read_block(struct pcapng *pcapng, uint32_t *type, struct cursor *body)
{
	struct byte_window *window = pcapng->window;
	const uint8_t *block = byte_window_peek(window, BLOCK_OVERHEAD);
	struct cursor head, tail;
	uint32_t length, again;

	if (block == NULL && window->state == BYTE_WINDOW_OVER && byte_window_left(window) == 0)
		return 0;
	if (block == NULL)
		return fail_short(pcapng, BLOCK_OVERHEAD);
	head = cursor_make(block, BLOCK_OVERHEAD);
	*type = get_u32(pcapng, &head);
	if (*type == BLOCK_SECTION && set_byte_order(pcapng, block) != 0)
		return -EIO;
	length = get_u32(pcapng, &head);
	if (length < BLOCK_OVERHEAD || length % 4 != 0 || length > BLOCK_MAX)
		return fail(
			pcapng, "a block of type 0x%x says that it has %u bytes", *type, length);
	block = byte_window_peek(window, length); /* it may have moved */
	if (block == NULL)
		return fail_short(pcapng, length);
	tail = cursor_make(block + length - 4, 4);
	again = get_u32(pcapng, &tail);
	if (again != length)
		return fail(pcapng, "a block of %u bytes that says at its end that it has %u",
			length, again);
	*body = cursor_make(block + BLOCK_BODY, length - BLOCK_OVERHEAD);
	byte_window_skip(window, length);
	return 1;
}

/* Takes the next option off: 1, 0 behind the last, or -1 when it runs over the end of its block. */
static int
next_option(
	const struct pcapng *pcapng, struct cursor *options, uint16_t *code, struct cursor *value)
{
	uint16_t length;

	if (cursor_left(options) == 0)
		return 0; /* the end need not be marked */
	*code = get_u16(pcapng, options);
	length = get_u16(pcapng, options);
	*value = cursor_sub(options, length);
	cursor_skip(options, -length & 3);
	if (!cursor_ok(options))
		return -1;
	return *code != OPTION_END;
}

/* ---- sections, interfaces, statistics ---- */

static int
begin_section(struct pcapng *pcapng, struct cursor body)
{
	uint16_t major, minor;

	pcapng->lost = pcapng_lost(pcapng);
	pcapng->interface_count = 0;
	cursor_skip(&body, 4); /* the byte-order magic */
	major = get_u16(pcapng, &body);
	minor = get_u16(pcapng, &body);
	cursor_skip(&body, 8); /* length of the section: blocks tell that */
	if (!cursor_ok(&body))
		return fail(pcapng, "a section header cut short");
	if (major != 1 || (minor != 0 && minor != 2)) /* 2 must be read as 0 */
		return fail(pcapng, "pcapng version %u.%u is not known", major, minor);
	return 0;
}

static uint64_t
power_of_ten(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

/* if_tsresol: ticks of 10^-n, or of 2^-n seconds when the top bit is set. */
static int
set_resolution(struct pcapng *pcapng, struct interface_clock *clock, uint8_t resolution)
{
	bool binary = resolution & 0x80;
	unsigned digits = resolution & 0x7f;

	if (digits > (binary ? BINARY_DIGITS_MAX : DECIMAL_DIGITS_MAX))
		return fail(pcapng, "an interface whose time stamps are in units of %d^-%u s",
			binary ? 2 : 10, digits);
	clock->multiply = binary ? NANOSECONDS_PER_SECOND : 1;
	clock->divide = 1;
	clock->shift = binary ? digits : 0;
	if (!binary && digits < 9)
		clock->multiply = power_of_ten(9 - digits);
	if (!binary && digits > 9)
		clock->divide = power_of_ten(digits - 9);
	return 0;
}

static int
set_interface_option(
	struct pcapng *pcapng, struct interface *interface, uint16_t code, struct cursor value)
{
	size_t length = cursor_left(&value);
	uint8_t resolution;

	switch (code) {
	case OPTION_INTERFACE_RESOLUTION:
		resolution = cursor_u8(&value);
		if (length != 1)
			return fail(pcapng, "an interface's time resolution of %zu bytes", length);
		return set_resolution(pcapng, &interface->clock, resolution);
	case OPTION_INTERFACE_OFFSET:
		interface->clock.offset = (int64_t)get_u64(pcapng, &value);
		if (length != 8)
			return fail(pcapng, "an interface's time offset of %zu bytes", length);
		return 0;
	default:
		return 0;
	}
}

static int
add_interface(struct pcapng *pcapng, struct cursor body)
{
	struct interface *interface = &pcapng->interfaces[pcapng->interface_count];
	struct cursor value;
	uint16_t code;
	int option;

	if (pcapng->interface_count == PCAPNG_INTERFACES_MAX)
		return fail(pcapng, "more than %d interfaces in a section", PCAPNG_INTERFACES_MAX);
	*interface = (struct interface){.clock = {.multiply = 1000, .divide = 1}};
	interface->link = link_of_linktype(get_u16(pcapng, &body));
	cursor_skip(&body, 2); /* reserved */
	interface->snapshot_length = get_u32(pcapng, &body);
	if (!cursor_ok(&body))
		return fail(pcapng, "an interface description cut short");
	while ((option = next_option(pcapng, &body, &code, &value)) == 1)
		if (set_interface_option(pcapng, interface, code, value) != 0)
			return -EIO;
	if (option < 0)
		return fail(pcapng, "an interface's option runs over the end of its block");
	pcapng->interface_count++;
	return 0;
}

/* Counts since the capture began, so the highest holds. Statistics that cannot be
 * understood cost no packet: they are passed over. */
static void
take_statistics(struct pcapng *pcapng, struct cursor body)
{
	uint32_t id = get_u32(pcapng, &body);
	uint64_t lost = 0;
	struct cursor value;
	uint16_t code;

	cursor_skip(&body, 8); /* their time */
	if (id >= pcapng->interface_count)
		return;
	while (next_option(pcapng, &body, &code, &value) == 1) {
		bool drops = code == OPTION_STATISTICS_INTERFACE_DROPS ||
			     code == OPTION_STATISTICS_SYSTEM_DROPS;

		if (drops && cursor_left(&value) == 8)
			lost = add_saturating(lost, get_u64(pcapng, &value));
	}
	if (lost > pcapng->interfaces[id].lost)
		pcapng->interfaces[id].lost = lost;
}

uint64_t
pcapng_lost(const struct pcapng *pcapng)
{
	uint64_t lost = pcapng->lost;

	for (uint32_t i = 0; i < pcapng->interface_count; i++)
		lost = add_saturating(lost, pcapng->interfaces[i].lost);
	return lost;
}

/* ---- packets ---- */

/* 64 bits of any unit and 64 bits of seconds need 128 bits between them. */
static int64_t
time_of(const struct interface_clock *clock, uint64_t ticks)
{
	unsigned __int128 since_offset = (unsigned __int128)ticks * clock->multiply >> clock->shift;
	__int128 time;

	if (clock->divide > 1)
		since_offset = ticks / clock->divide;
	time = (__int128)since_offset + (__int128)clock->offset * NANOSECONDS_PER_SECOND;
	if (time < 0)
		return 0;
	return time < CAPTURE_TIME_MAX ? (int64_t)time : CAPTURE_TIME_MAX;
}

/* NULL, and the reason set, when the section has no such interface. */
static const struct interface *
find_interface(struct pcapng *pcapng, uint32_t id)
{
	if (id < pcapng->interface_count)
		return &pcapng->interfaces[id];
	fail(pcapng, "a packet of interface %u in a section that has described %u", id,
		pcapng->interface_count);
	return NULL;
}

/* `body` is what follows the fields of the block: the bytes of the packet come first. */
static int
take_packet(struct pcapng *pcapng, const struct interface *interface, struct cursor body,
	uint32_t captured, uint32_t original, struct frame_view *packet)
{
	size_t left = cursor_left(&body);

	packet->data = cursor_take(&body, captured);
	if (packet->data == NULL)
		return fail(pcapng, "%u bytes captured in a block that has room for %zu", captured,
			left);
	packet->captured = captured;
	packet->wire_length = original > captured ? original : captured;
	packet->time = pcapng->time;
	packet->link = (uint16_t)interface->link;
	packet->observation_point = 0;
	return 1;
}

/* The Enhanced Packet Block, and the older one with a shorter interface id and a drop count. */
static int
take_timed_packet(
	struct pcapng *pcapng, uint32_t type, struct cursor body, struct frame_view *packet)
{
	bool enhanced = type == BLOCK_ENHANCED_PACKET;
	uint32_t id = enhanced ? get_u32(pcapng, &body) : get_u16(pcapng, &body);
	const struct interface *interface;
	uint32_t captured, original;
	uint64_t ticks;

	if (!enhanced)
		cursor_skip(&body, 2);
	ticks = get_ticks(pcapng, &body);
	captured = get_u32(pcapng, &body);
	original = get_u32(pcapng, &body);
	if (!cursor_ok(&body))
		return fail(pcapng, "a packet's block cut short");
	interface = find_interface(pcapng, id);
	if (interface == NULL)
		return -EIO;
	pcapng->time = time_of(&interface->clock, ticks);
	return take_packet(pcapng, interface, body, captured, original, packet);
}

/* The Simple Packet Block: of the first interface, without a time, cut to the snapshot length. */
static int
take_simple_packet(struct pcapng *pcapng, struct cursor body, struct frame_view *packet)
{
	uint32_t original = get_u32(pcapng, &body), captured = original;
	const struct interface *interface;

	if (!cursor_ok(&body))
		return fail(pcapng, "a packet's block cut short");
	interface = find_interface(pcapng, 0);
	if (interface == NULL)
		return -EIO;
	if (interface->snapshot_length != 0 && interface->snapshot_length < captured)
		captured = interface->snapshot_length;
	return take_packet(pcapng, interface, body, captured, original, packet);
}

int
pcapng_next(struct pcapng *pcapng, struct frame_view *packet)
{
	struct cursor body;
	uint32_t type;
	int result;

	while ((result = read_block(pcapng, &type, &body)) == 1) {
		switch (type) {
		case BLOCK_ENHANCED_PACKET:
		case BLOCK_PACKET:
			return take_timed_packet(pcapng, type, body, packet);
		case BLOCK_SIMPLE_PACKET:
			return take_simple_packet(pcapng, body, packet);
		case BLOCK_SECTION:
			result = begin_section(pcapng, body);
			break;
		case BLOCK_INTERFACE:
			result = add_interface(pcapng, body);
			break;
		case BLOCK_STATISTICS:
			take_statistics(pcapng, body);
			break;
		default: /* names, secrets, custom: not about packets */
			break;
		}
		if (result < 0)
			break;
	}
	return result;
}

const char *
pcapng_reason(const struct pcapng *pcapng)
{
	return pcapng->reason;
}

static int
read_first_section(struct pcapng *pcapng)
{
	uint32_t type = BLOCK_SECTION;
	struct cursor body;
	int result = read_block(pcapng, &type, &body);

	if (result == 0 || type != BLOCK_SECTION)
		return fail(pcapng, "it does not begin with a section header");
	return result == 1 ? begin_section(pcapng, body) : result;
}

struct pcapng *
pcapng_open(struct byte_window *window, char *reason)
{
	struct pcapng *pcapng = calloc(1, sizeof(*pcapng));

	if (pcapng == NULL) {
		snprintf(reason, CAPTURE_REASON_SIZE, "out of memory");
		return NULL;
	}
	pcapng->window = window;
	if (read_first_section(pcapng) == 0)
		return pcapng;
	snprintf(reason, CAPTURE_REASON_SIZE, "%s", pcapng->reason);
	pcapng_free(pcapng);
	return NULL;
}

void
pcapng_free(struct pcapng *pcapng)
{
	free(pcapng);
}
