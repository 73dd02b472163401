/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of pcapng files on bytes made by hand. What real files hold is in test_capture.c. */
#include "dataplane/cursor.h"
#include "dataplane/pcapng.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

/* Little endian unless told. A number below 256 is given as its one byte. */
#define BLOCK(type, length, body) type "\0\0\0" length "\0\0\0" body length "\0\0\0"
#define SECTION_OF(magic, version)                                                                 \
	"\x0a\x0d\x0d\x0a\x1c\0\0\0" magic version "\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0"
#define SECTION               SECTION_OF("\x4d\x3c\x2b\x1a", "\x01\0\0\0")
#define INTERFACE(link, snap) BLOCK("\x01", "\x14", link "\0\0" snap "\0\0\0")
#define ETHERNET              INTERFACE("\x01\0", "\0")
/* An interface with options of 8 (CLOCK) or 12 bytes (OFFSET), or both. */
#define INTERFACE_WITH(length, options) BLOCK("\x01", length, "\x01\0\0\0\0\0\0\0" options)
#define CLOCK(resolution)               "\x09\0\x01\0" resolution "\0\0\0"
#define OFFSET(seconds)                 "\x0e\0\x08\0" seconds
#define ENHANCED(interface, time, captured, original)                                              \
	BLOCK("\x06", "\x24",                                                                      \
		interface "\0\0\0" time captured "\0\0\0" original "\0\0\0"                        \
			  "abcd")
#define PACKET    ENHANCED("\0", TIME("\x05"), "\x04", "\x04")
#define TIME(low) "\0\0\0\0" low "\0\0\0"
#define OLD(interface, original)                                                                   \
	BLOCK("\x02", "\x24",                                                                      \
		interface "\x07\0" TIME("\x06") "\x04\0\0\0" original "\0\0\0"                     \
						"abcd")
#define SIMPLE(original)                                                                           \
	BLOCK("\x03", "\x14",                                                                      \
		original "\0\0\0"                                                                  \
			 "abcd")
#define STATISTICS(interface, length, options)                                                     \
	BLOCK("\x05", length, interface "\0\0\0" TIME("\0") options)
#define DROPS(code, count) code "\0\x08\0" count "\0\0\0\0\0\0\0"

static const char *const link_names[] = {
	[LINK_ETHERNET] = "ethernet",
	[LINK_LINUX_COOKED_V1] = "cooked1",
	[LINK_LINUX_COOKED_V2] = "cooked2",
	[LINK_RAW_IP] = "raw",
	[LINK_UNSUPPORTED] = "unknown",
};

struct outcome {
	char packets[256]; /* "LINK CAPTURED/WIRE NANOSECONDS BYTES; ..." */
	unsigned count;
	int end;
	uint64_t lost;
	char reason[CAPTURE_REASON_SIZE];
};

static void
write_packet(struct outcome *outcome, const struct frame_view *packet)
{
	size_t used = strlen(outcome->packets);

	outcome->count++;
	snprintf(outcome->packets + used, sizeof(outcome->packets) - used,
		"%s%s %u/%u %" PRId64 " %.*s", used ? "; " : "", link_names[packet->link],
		packet->captured, packet->wire_length, packet->time,
		packet->captured < 8 ? (int)packet->captured : 8, (const char *)packet->data);
}

static ssize_t
read_rest(void *context, void *to, size_t size)
{
	struct cursor *rest = context;
	size_t length = cursor_left(rest) < size ? cursor_left(rest) : size;

	memcpy(to, cursor_take(rest, length), length);
	return (ssize_t)length;
}

/* A file that does not open ends with an error too. */
static void
read_all(const void *bytes, size_t length, struct outcome *outcome)
{
	struct cursor rest = cursor_make(bytes, length);
	struct byte_window window;
	struct frame_view packet;
	struct pcapng *pcapng;

	*outcome = (struct outcome){.end = -EIO};
	CU_ASSERT_EQUAL_FATAL(byte_window_init(&window, read_rest, &rest), 0);
	pcapng = pcapng_open(&window, outcome->reason);
	if (pcapng != NULL) {
		while ((outcome->end = pcapng_next(pcapng, &packet)) == 1)
			write_packet(outcome, &packet);
		outcome->lost = pcapng_lost(pcapng);
		snprintf(outcome->reason, sizeof(outcome->reason), "%s", pcapng_reason(pcapng));
		pcapng_free(pcapng);
	}
	byte_window_free(&window);
}

static void
test_packets(void)
{
	static const struct {
		const char *name, *bytes;
		size_t length;
		const char *packets;
	} cases[] = {
		{"an empty section", TEXT(SECTION), ""},
		{"no packet", TEXT(SECTION ETHERNET), ""},
		{"enhanced", TEXT(SECTION ETHERNET PACKET), "ethernet 4/4 5000 abcd"},
		{"version 1.2",
			TEXT(SECTION_OF("\x4d\x3c\x2b\x1a", "\x01\0\x02\0") ETHERNET PACKET),
			"ethernet 4/4 5000 abcd"},
		{"cut by the snapshot length",
			TEXT(SECTION INTERFACE("\x01\0", "\x04")
					ENHANCED("\0", TIME("\x05"), "\x04", "\x40")),
			"ethernet 4/64 5000 abcd"},
		{"more captured than original",
			TEXT(SECTION ETHERNET ENHANCED("\0", TIME("\x05"), "\x04", "\x02")),
			"ethernet 4/4 5000 abcd"},
		{"more captured than the snapshot length",
			TEXT(SECTION INTERFACE("\x01\0", "\x02") PACKET), "ethernet 4/4 5000 abcd"},
		{"padding", TEXT(SECTION ETHERNET ENHANCED("\0", TIME("\x05"), "\x03", "\x03")),
			"ethernet 3/3 5000 abc"},
		{"nothing captured",
			TEXT(SECTION ETHERNET ENHANCED("\0", TIME("\x05"), "\0", "\x09")),
			"ethernet 0/9 5000 "},
		{"obsolete packet block", TEXT(SECTION ETHERNET ETHERNET OLD("\x01\0", "\x09")),
			"ethernet 4/9 6000 abcd"},
		{"simple, no limit", TEXT(SECTION ETHERNET SIMPLE("\x04")), "ethernet 4/4 0 abcd"},
		{"simple, cut by the snapshot length",
			TEXT(SECTION INTERFACE("\x01\0", "\x03") SIMPLE("\x50")),
			"ethernet 3/80 0 abc"},
		{"simple, of the first interface, at the time of the packet before it",
			TEXT(SECTION INTERFACE("\x65\0", "\0") ETHERNET ENHANCED(
				"\x01", TIME("\x05"), "\x04", "\x04") SIMPLE("\x03")),
			"ethernet 4/4 5000 abcd; raw 3/3 5000 abc"},
		{"link types and snapshot lengths of interfaces differ",
			TEXT(SECTION ETHERNET INTERFACE("\x71\0", "\x40") INTERFACE(
				"\x14\x01", "\x20") INTERFACE("\x65\0", "\x10") INTERFACE("\xe4\0",
				"\0") INTERFACE("\xe5\0", "\0") INTERFACE("\x69\0",
				"\0") ENHANCED("\x06", TIME("\x01"), "\x01",
				"\x01") ENHANCED("\x05", TIME("\x02"), "\x01",
				"\x01") ENHANCED("\x04", TIME("\x03"), "\x01",
				"\x01") ENHANCED("\x03", TIME("\x04"), "\x01", "\x01")
					ENHANCED("\x02", TIME("\x05"), "\x01", "\x01") ENHANCED(
						"\x01", TIME("\x06"), "\x01", "\x01") PACKET),
			"unknown 1/1 1000 a; raw 1/1 2000 a; raw 1/1 3000 a; raw 1/1 4000 a; "
			"cooked2 1/1 5000 a; cooked1 1/1 6000 a; ethernet 4/4 5000 abcd"},
		{"an interface described after a packet",
			TEXT(SECTION ETHERNET PACKET INTERFACE("\x71\0", "\0")
					ENHANCED("\x01", TIME("\x06"), "\x04", "\x04")),
			"ethernet 4/4 5000 abcd; cooked1 4/4 6000 abcd"},
		{"a section has interfaces of its own",
			TEXT(SECTION ETHERNET PACKET SECTION INTERFACE("\x65\0", "\0") PACKET),
			"ethernet 4/4 5000 abcd; raw 4/4 5000 abcd"},
		{"names, secrets, custom and unknown blocks",
			TEXT(SECTION ETHERNET BLOCK("\x04", "\x14", "\x01\0\x04\0\x7f\0\0\x01")
					BLOCK("\x0a", "\x10", "LSLT")
						BLOCK("\xad", "\x10", "\x01\x02\x03\x04")
							BLOCK("\x0c", "\x0c", "") PACKET),
			"ethernet 4/4 5000 abcd"},
		{"options of a packet are not its bytes",
			TEXT(SECTION ETHERNET BLOCK("\x06", "\x30",
				"\0\0\0\0" TIME("\x05") "\x04\0\0\0\x04\0\0\0"
							"abcd\x02\0\x04\0\0\0\0\0\0\0\0\0")),
			"ethernet 4/4 5000 abcd"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome;

		read_all(cases[i].bytes, cases[i].length, &outcome);
		if (strcmp(outcome.packets, cases[i].packets) != 0 || outcome.end != 0)
			fprintf(stderr, "%s: '%s' %s\n", cases[i].name, outcome.packets,
				outcome.reason);
		CU_ASSERT_STRING_EQUAL(outcome.packets, cases[i].packets);
		CU_ASSERT_EQUAL(outcome.end, 0);
		CU_ASSERT_STRING_EQUAL(outcome.reason, "");
	}
}

/* Both orders in one file: a section says its own. */
static void
test_big_endian(void)
{
	static const char bytes[] =
		"\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\x01\0\0\xff\xff\xff\xff\xff\xff\xff"
		"\xff\0\0\0\x1c"
		/* An interface: cooked, snapshot length 512; nanoseconds, offset 2 s. */
		"\0\0\0\x01\0\0\0\x2c\0\x71\0\0\0\0\x02\0\0\x09\0\x01\x09\0\0\0"
		"\0\x0e\0\x08\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x2c"
		/* 2^32 + 7 ns, 3 bytes of 70000. */
		"\0\0\0\x06\0\0\0\x24\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\x03\0\x01\x11\x70xyz\0"
		"\0\0\0\x24"
		/* The obsolete block. */
		"\0\0\0\x02\0\0\0\x24\0\0\xff\xff\0\0\0\0\0\0\0\x09\0\0\0\x01\0\0\0\x01q\0\0\0"
		"\0\0\0\x24"
		/* Statistics: 258 dropped by the interface. */
		"\0\0\0\x05\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x08\0\0\0\0\0\0\x01\x02"
		"\0\0\0\0\0\0\0\x28" SECTION ETHERNET PACKET;
	struct outcome outcome;

	read_all(bytes, sizeof(bytes) - 1, &outcome);
	CU_ASSERT_EQUAL(outcome.end, 0);
	CU_ASSERT_STRING_EQUAL(outcome.reason, "");
	CU_ASSERT_STRING_EQUAL(outcome.packets,
		"cooked1 3/70000 6294967303 xyz; cooked1 1/1 2000000009 q; "
		"ethernet 4/4 5000 abcd");
	CU_ASSERT_EQUAL(outcome.lost, 258);
}

#define AT(time) ENHANCED("\0", time, "\x04", "\x04")
#define HALF_UP  "\xff\xff\xff\x7f\xff\xff\xff\xff"
#define ALL_UP   "\xff\xff\xff\xff\xff\xff\xff\xff"
static const struct {
	const char *name, *bytes;
	size_t length;
	int64_t time;
} times[] = {
	{"seconds", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\0")) AT(TIME("\x05"))), 5000000000},
	{"milliseconds", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x03")) AT(TIME("\x05"))),
		5000000},
	{"nanoseconds", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x09")) AT(TIME("\x05"))), 5},
	{"picoseconds, 2^32 of them",
		TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x0c")) AT("\x01\0\0\0\0\0\0\0")),
		4294967},
	{"10^-19 s", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x13")) AT(ALL_UP)), 1844674407},
	{"2^-0 s", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x80")) AT(TIME("\x05"))),
		5000000000},
	{"2^-2 s", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x82")) AT(TIME("\x05"))),
		1250000000},
	{"2^-32 s, as NTP",
		TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\xa0")) AT("\x03\0\0\0\0\0\0\xc0")),
		3750000000},
	{"2^-63 s", TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\xbf")) AT(ALL_UP)), 1999999999},
	{"an offset",
		TEXT(SECTION INTERFACE_WITH("\x20", OFFSET("\x02\0\0\0\0\0\0\0")) AT(TIME("\x05"))),
		2000005000},
	{"an offset back",
		TEXT(SECTION INTERFACE_WITH("\x28",
			CLOCK("\0") OFFSET("\xff\xff\xff\xff\xff\xff\xff\xff")) AT(TIME("\x05"))),
		4000000000},
	{"options behind their end do not count",
		TEXT(SECTION INTERFACE_WITH("\x20", "\0\0\0\0" CLOCK("\x09")) AT(TIME("\x05"))),
		5000},
	{"a comment before, its padding not a part of it",
		TEXT(SECTION INTERFACE_WITH("\x28", "\x01\0\x05\0hello\0\0\0" CLOCK("\x09"))
				AT(TIME("\x05"))),
		5},
	{"far in the future", TEXT(SECTION ETHERNET AT(ALL_UP)), CAPTURE_TIME_MAX},
	{"half as far", TEXT(SECTION ETHERNET AT(HALF_UP)), CAPTURE_TIME_MAX},
	{"the highest offset",
		TEXT(SECTION INTERFACE_WITH(
			"\x28", CLOCK("\0") OFFSET("\xff\xff\xff\xff\xff\xff\xff\x7f")) AT(ALL_UP)),
		CAPTURE_TIME_MAX},
	{"the lowest offset",
		TEXT(SECTION INTERFACE_WITH("\x28", CLOCK("\0") OFFSET("\0\0\0\0\0\0\0\x80"))
				AT(TIME("\x05"))),
		0},
	{"before 1970",
		TEXT(SECTION INTERFACE_WITH("\x20", OFFSET("\xff\xff\xff\xff\xff\xff\xff\xff"))
				AT(TIME("\x05"))),
		0},
};
#undef AT
#undef HALF_UP
#undef ALL_UP

static void
test_times(void)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct outcome outcome;
		char expected[64];

		read_all(times[i].bytes, times[i].length, &outcome);
		snprintf(
			expected, sizeof(expected), "ethernet 4/4 %" PRId64 " abcd", times[i].time);
		if (strcmp(outcome.packets, expected) != 0)
			fprintf(stderr, "%s: '%s', not '%s' %s\n", times[i].name, outcome.packets,
				expected, outcome.reason);
		CU_ASSERT_STRING_EQUAL(outcome.packets, expected);
		CU_ASSERT_EQUAL(outcome.end, 0);
	}
}

/* Every case begins with one good packet unless it says otherwise. */
#define GOOD SECTION ETHERNET PACKET

static const struct {
	const char *bytes;
	size_t length;
	unsigned packets;
	const char *says;
} errors[] = {
	{TEXT("\x0a"), 0, "the file ends after 1 of the 12"},
	{TEXT("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c"), 0, "the file ends after 10 of the 12"},
	{TEXT(ETHERNET PACKET), 0, "does not begin with a section header"},
	{TEXT("\x0asome text that is no capture"), 0, "does not begin with a section header"},
	{TEXT(SECTION_OF("\x4d\x3c\x2b\x1b", "\x01\0\0\0")), 0, "magic is 0x4d3c2b1b"},
	{TEXT(SECTION_OF("\x4d\x3c\x2b\x1a", "\x02\0\0\0")), 0, "version 2.0 is not"},
	{TEXT(SECTION_OF("\x4d\x3c\x2b\x1a", "\x01\0\x01\0")), 0, "version 1.1 is not"},
	{TEXT("\x0a\x0d\x0d\x0a\x10\0\0\0\x4d\x3c\x2b\x1a\x10\0\0\0"), 0,
		"a section header cut short"},
	{TEXT(GOOD SECTION_OF("\x4d\x3c\x2b\x1b", "\x01\0\0\0")), 1, "magic is 0x4d3c2b1b"},
	/* Blocks. */
	{TEXT(GOOD "\x06\0\0\0"), 1, "the file ends after 4 of the 12 bytes"},
	{TEXT(GOOD "\x06\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0"), 1,
		"the file ends after 16 of the 36 bytes"},
	{TEXT(GOOD "\x04\0\0\0\x00\0\x40\0\0\0\0\0\0\0\0\0"), 1,
		"the file ends after 16 of the 4194304 bytes"},
	{TEXT(GOOD BLOCK("\x04", "\x08", "abcd")), 1, "type 0x4 says that it has 8 bytes"},
	{TEXT(GOOD BLOCK("\x04", "\0", "abcd")), 1, "type 0x4 says that it has 0 bytes"},
	{TEXT(GOOD BLOCK("\x04", "\x0e", "ab")), 1, "type 0x4 says that it has 14 bytes"},
	{TEXT(GOOD "\x04\0\0\0\x04\0\0\x01" PACKET), 1, "type 0x4 says that it has 16777220 bytes"},
	{TEXT(GOOD "\x04\0\0\0\xfc\xff\xff\xff" PACKET), 1,
		"type 0x4 says that it has 4294967292 bytes"},
	{TEXT(GOOD "\x04\0\0\0\x10\0\0\0abcd\x14\0\0\0" PACKET), 1,
		"a block of 16 bytes that says at its end that it has 20"},
	/* Interfaces. */
	{TEXT(SECTION PACKET), 0, "a packet of interface 0 in a section that has described 0"},
	{TEXT(SECTION SIMPLE("\x04")), 0, "a packet of interface 0"},
	{TEXT(GOOD ENHANCED("\x01", TIME("\x05"), "\x04", "\x04")), 1,
		"a packet of interface 1 in a section that has described 1"},
	{TEXT(GOOD OLD("\xff\xff", "\x04")), 1, "a packet of interface 65535"},
	{TEXT(GOOD SECTION PACKET), 1, "a packet of interface 0"},
	{TEXT(SECTION BLOCK("\x01", "\x10", "\x01\0\0\0")), 0,
		"an interface description cut short"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x14")) PACKET), 0, "units of 10^-20 s"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\x7f")) PACKET), 0, "units of 10^-127 s"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\xc0")) PACKET), 0, "units of 2^-64 s"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", CLOCK("\xff")) PACKET), 0, "units of 2^-127 s"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", "\x09\0\x02\0\x06\0\0\0") PACKET), 0,
		"time resolution of 2 bytes"},
	{TEXT(SECTION INTERFACE_WITH("\x18", "\x09\0\0\0") PACKET), 0,
		"time resolution of 0 bytes"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", "\x0e\0\x04\0\x06\0\0\0") PACKET), 0,
		"time offset of 4 bytes"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", "\x02\0\x05\0"
					     "abcd") PACKET),
		0, "option runs over the end"},
	{TEXT(SECTION INTERFACE_WITH("\x1c", "\x02\0\xff\xff"
					     "abcd") PACKET),
		0, "option runs over the end"},
	/* Packets. */
	{TEXT(GOOD ENHANCED("\0", TIME("\x05"), "\x05", "\x05")), 1,
		"5 bytes captured in a block that has room for 4"},
	{TEXT(GOOD BLOCK("\x06", "\x20", "\0\0\0\0" TIME("\0") "\xff\xff\xff\xff\xff\0\0\0")), 1,
		"4294967295 bytes captured in a block that has room for 0"},
	{TEXT(GOOD BLOCK("\x06", "\x1c", "\0\0\0\0" TIME("\0") "\0\0\0\0")), 1,
		"a packet's block cut short"},
	{TEXT(GOOD BLOCK("\x02", "\x0c", "")), 1, "a packet's block cut short"},
	{TEXT(GOOD BLOCK("\x03", "\x0c", "")), 1, "a packet's block cut short"},
	{TEXT(GOOD SIMPLE("\x05")), 1, "5 bytes captured in a block that has room for 4"},
};

static void
test_errors(void)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct outcome outcome;

		read_all(errors[i].bytes, errors[i].length, &outcome);
		if (outcome.count != errors[i].packets || !strstr(outcome.reason, errors[i].says))
			fprintf(stderr, "%u packets, not %u; '%s', not '%s'\n", outcome.count,
				errors[i].packets, outcome.reason, errors[i].says);
		CU_ASSERT_EQUAL(outcome.count, errors[i].packets);
		CU_ASSERT_EQUAL(outcome.end, -EIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(outcome.reason, errors[i].says));
	}
}

static void
test_lost(void)
{
#define INTERFACE_DROPS(interface, count) STATISTICS(interface, "\x24", DROPS("\x05", count))
	static const struct {
		const char *name, *bytes;
		size_t length;
		uint64_t lost;
	} cases[] = {
		{"no statistics", TEXT(GOOD), 0},
		{"nothing lost", TEXT(GOOD INTERFACE_DROPS("\0", "\0")), 0},
		{"by the interface and by the system",
			TEXT(GOOD STATISTICS("\0", "\x30",
				DROPS("\x04", "\x09") DROPS("\x05", "\x02")) STATISTICS("\0",
				"\x30", DROPS("\x05", "\x02") DROPS("\x07", "\x03"))),
			5},
		{"counts go on from the beginning: the highest",
			TEXT(GOOD INTERFACE_DROPS("\0", "\x02") INTERFACE_DROPS("\0", "\x07")), 7},
		{"counts that go back",
			TEXT(GOOD INTERFACE_DROPS("\0", "\x07") INTERFACE_DROPS("\0", "\x02")), 7},
		{"interfaces add up",
			TEXT(SECTION ETHERNET ETHERNET INTERFACE_DROPS("\x01", "\x02")
					INTERFACE_DROPS("\0", "\x07")),
			9},
		{"sections add up",
			TEXT(GOOD INTERFACE_DROPS("\0", "\x02") GOOD INTERFACE_DROPS("\0", "\x07")),
			9},
		{"no such interface", TEXT(GOOD INTERFACE_DROPS("\x01", "\x02")), 0},
		{"a count of another length",
			TEXT(GOOD STATISTICS("\0", "\x20", "\x05\0\x04\0\x02\0\0\0")), 0},
		{"an option over the end",
			TEXT(GOOD STATISTICS("\0", "\x20", "\x05\0\x08\0\x02\0\0\0")), 0},
		{"too short", TEXT(GOOD BLOCK("\x05", "\x0c", "")), 0},
		{"absurd counts do not wrap",
			TEXT(GOOD STATISTICS("\0", "\x30",
				"\x05\0\x08\0\xff\xff\xff\xff\xff\xff\xff\xff" DROPS(
					"\x07", "\x03")) GOOD INTERFACE_DROPS("\0", "\x02")),
			UINT64_MAX},
	};
#undef INTERFACE_DROPS

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome;

		read_all(cases[i].bytes, cases[i].length, &outcome);
		if (outcome.lost != cases[i].lost || outcome.end != 0)
			fprintf(stderr, "%s: %" PRIu64 " lost, not %" PRIu64 " %s\n", cases[i].name,
				outcome.lost, cases[i].lost, outcome.reason);
		CU_ASSERT_EQUAL(outcome.lost, cases[i].lost);
		CU_ASSERT_EQUAL(outcome.end, 0);
	}
}

/* A file cut anywhere: an error unless it was between two blocks, and the packets before it. */
static void
test_cut_anywhere(void)
{
	static const char bytes[] = SECTION ETHERNET PACKET SIMPLE("\x04") SECTION ETHERNET PACKET;
	static const size_t ends[] = {28, 48, 84, 104, 132, 152, 188};
	static const unsigned packets[] = {0, 0, 1, 2, 2, 2, 3};

	for (size_t length = 1; length < sizeof(bytes); length++) {
		struct outcome outcome;
		unsigned expected = 0;
		bool between = false;

		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			between |= length == ends[i];
			expected = length >= ends[i] ? packets[i] : expected;
		}
		read_all(bytes, length, &outcome);
		CU_ASSERT_EQUAL(outcome.count, expected);
		CU_ASSERT_EQUAL(outcome.end, between ? 0 : -EIO);
		CU_ASSERT_EQUAL(outcome.reason[0] == '\0', between);
	}
}

static void
test_many_interfaces(void)
{
	static const char one[] = ETHERNET;
	static const char last[] = BLOCK("\x06", "\x24",
		"\xff\x03\0\0" TIME("\x05") "\x04\0\0\0\x04\0\0\0"
					    "abcd");
	size_t length = sizeof(one) - 1, used;
	char *bytes = malloc(1 << 16);

	for (int over = 0; over <= 1; over++) {
		struct outcome outcome;

		memcpy(bytes, SECTION, used = sizeof(SECTION) - 1);
		for (int i = 0; i < PCAPNG_INTERFACES_MAX + over; i++, used += length)
			memcpy(bytes + used, one, length);
		memcpy(bytes + used, last, sizeof(last) - 1);
		read_all(bytes, used + sizeof(last) - 1, &outcome);
		CU_ASSERT_EQUAL(outcome.count, !over);
		CU_ASSERT_STRING_EQUAL(
			outcome.reason, over ? "more than 1024 interfaces in a section" : "");
	}
	free(bytes);
}

static size_t
put_block(uint8_t *at, uint8_t type, const void *fields, size_t fields_length, uint32_t length)
{
	memset(at, 'x', length);
	memcpy(at, (const uint8_t[4]){type}, 4);
	memcpy(at + 4, &length, 4);
	memcpy(at + 8, fields, fields_length);
	memcpy(at + length - 4, &length, 4);
	return length;
}

/* The longest block that is read, as a packet and to be passed over. */
static void
test_long_blocks(void)
{
	const uint32_t longest = 16 << 20;
	uint8_t *bytes = malloc(2 * (size_t)longest + 1024);
	uint32_t fields[5] = {1, 0, 5, longest - 32, longest - 32};
	struct outcome outcome;
	size_t used = sizeof(SECTION ETHERNET INTERFACE("\x65\0", "\0")) - 1;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	memcpy(bytes, SECTION ETHERNET INTERFACE("\x65\0", "\0"), used);

	used += put_block(bytes + used, 6, fields, sizeof(fields), longest);
	used += put_block(bytes + used, 4, "", 0, longest);
	memcpy(bytes + used, PACKET, sizeof(PACKET) - 1);
	read_all(bytes, used + sizeof(PACKET) - 1, &outcome);
	CU_ASSERT_STRING_EQUAL(
		outcome.packets, "raw 16777184/16777184 5000 xxxxxxxx; ethernet 4/4 5000 abcd");
	CU_ASSERT_EQUAL(outcome.end, 0);
	free(bytes);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"packets", test_packets},
		{"big endian", test_big_endian},
		{"times", test_times},
		{"errors", test_errors},
		{"lost", test_lost},
		{"cut anywhere", test_cut_anywhere},
		{"many interfaces", test_many_interfaces},
		{"long blocks", test_long_blocks},
		CU_TEST_INFO_NULL,
	};

	return unit_run("pcapng", tests);
}
