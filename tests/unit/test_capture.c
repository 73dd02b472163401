/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/capture.h"
#include "dataplane/decode.h"
#include "tests/unit/captures.h"
#include "tests/unit/packet_invariants.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <zlib.h>

/* A pcap file header (nanoseconds, little endian) of a link type, and a record. */
#define PCAP_HEADER(link) "\x4d\x3c\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0" link "\0\0\0"
#define RECORD_4          "\x01\0\0\0\x02\0\0\0\x04\0\0\0\x40\0\0\0abcd"
#define TEXT(literal)     literal, sizeof(literal) - 1

/* pcapng: section header; an interface of a link type; one packet of 4 bytes on an interface. */
#define SECTION                                                                                    \
	"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"     \
	"\x1c\0\0\0"
#define INTERFACE(link) "\x01\0\0\0\x14\0\0\0" link "\0\0\0\0\x04\0\x14\0\0\0"
#define PACKET_ON(interface, high)                                                                 \
	"\x06\0\0\0\x24\0\0\0" interface "\0\0\0" high "\x05\0\0\0\x04\0\0\0\x04\0\0\0abcd"        \
	"\x24\0\0\0"

static char path[64];

static void
write_file(const void *bytes, size_t length)
{
	int descriptor;
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/camspan-capture-XXXXXX");
	descriptor = mkstemp(path);
	CU_ASSERT_FATAL(descriptor >= 0);
	file = fdopen(descriptor, "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void
test_files_that_do_not_open(void)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *says;
	} cases[] = {
		{TEXT(""), "is empty"},
		{TEXT("\xd4\xc3"), "not a readable capture"},
		{TEXT("this is a text file, not a capture"), "not a readable capture"},
		{TEXT("\x1f\x8b\x08\0\0\0\0\0garbage"), "not a readable capture"},
		{TEXT("\x4d\x3c\xb2\xa1\x02\0\x04\0"), "not a readable capture"},
		{TEXT("\nneither pcapng nor pcap"), "not a readable capture: it does not begin"},
		{TEXT("\x0a\x0d\x0d\x0a\x1c\0"), "not a readable capture: the file ends after 6"},
	};
	char error[CAPTURE_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(cases[i].bytes, cases[i].length);
		CU_ASSERT_PTR_NULL(capture_open(path, error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error, cases[i].says));
		CU_ASSERT_EQUAL(strncmp(error, path, strlen(path)), 0);
		CU_ASSERT_PTR_NULL(strchr(error, '\n'));
		unlink(path);
	}
	CU_ASSERT_PTR_NULL(capture_open("/nonexistent/file.pcap", error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "/nonexistent/file.pcap: No such file"));
	CU_ASSERT_PTR_NULL(capture_open("/tmp", error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "directory"));
}

/* Files that open: how many packets, how they end, what they say. */
static void
test_files_to_their_end(void)
{
	static const struct {
		const char *name, *bytes;
		size_t length;
		uint64_t packets;
		int end;
		enum link_type link;
		const char *says;
	} cases[] = {
		{"no packet", TEXT(PCAP_HEADER("\x01")), 0, 0, LINK_ETHERNET, ""},
		{"two packets", TEXT(PCAP_HEADER("\x01") RECORD_4 RECORD_4), 2, 0, LINK_ETHERNET,
			""},
		{"cooked v1", TEXT(PCAP_HEADER("\x71") RECORD_4), 1, 0, LINK_LINUX_COOKED_V1, ""},
		{"raw", TEXT(PCAP_HEADER("\x65") RECORD_4), 1, 0, LINK_RAW_IP, ""},
		{"raw ipv4", TEXT(PCAP_HEADER("\xe4") RECORD_4), 1, 0, LINK_RAW_IP, ""},
		{"ieee 802.11", TEXT(PCAP_HEADER("\x69") RECORD_4), 1, 0, LINK_UNSUPPORTED, ""},
		{"cut in a packet",
			TEXT(PCAP_HEADER("\x01") RECORD_4 "\x01\0\0\0\x02\0\0\0\x04\0"
							  "\0\0\x40\0\0\0ab"),
			1, -EIO, LINK_ETHERNET,
			": packet 2: the file ends after 18 of the 20 bytes of a packet"},
		{"cut in a record header", TEXT(PCAP_HEADER("\x01") RECORD_4 RECORD_4 "\x01\0\0"),
			2, -EIO, LINK_ETHERNET,
			": packet 3: the file ends after 3 of the 16 bytes of a packet's header"},
		{"absurd length",
			TEXT(PCAP_HEADER("\x01") "\x01\0\0\0\x02\0\0\0\xff\xff\xff\x7f"
						 "\x40\0\0\0ab"),
			0, -EIO, LINK_ETHERNET, ": packet 1: a packet that says that 2147483647"},
		{"pcapng", TEXT(SECTION INTERFACE("\x01\0") PACKET_ON("\0", "\0\0\0\0")), 1, 0,
			LINK_ETHERNET, ""},
		{"pcapng, unknown interface",
			TEXT(SECTION INTERFACE("\x01\0") PACKET_ON("\0", "\0\0\0\0")
					PACKET_ON("\x07", "\0\0\0\0")),
			1, -EIO, LINK_ETHERNET, ": packet 2: a packet of interface 7"},
	};
	char error[CAPTURE_ERROR_SIZE];
	struct frame_view packet;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture *capture;
		int result;

		write_file(cases[i].bytes, cases[i].length);
		capture = capture_open(path, error);
		unlink(path);
		if (capture == NULL)
			fprintf(stderr, "%s: %s\n", cases[i].name, error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
		while ((result = capture_burst(capture, &packet, 1)) == 1)
			CU_ASSERT_EQUAL(packet.link, cases[i].link);
		if (capture_count(capture) != cases[i].packets || result != cases[i].end ||
			strstr(capture_error(capture), cases[i].says) == NULL)
			fprintf(stderr, "%s: '%s'\n", cases[i].name, capture_error(capture));
		CU_ASSERT_EQUAL(capture_count(capture), cases[i].packets);
		CU_ASSERT_EQUAL(result, cases[i].end);
		CU_ASSERT_PTR_NOT_NULL(strstr(capture_error(capture), cases[i].says));
		CU_ASSERT_EQUAL(cases[i].says[0] == '\0', capture_error(capture)[0] == '\0');
		CU_ASSERT_EQUAL(capture_burst(capture, &packet, 1), cases[i].end);
		capture_close(capture);
	}
}

static void
expect_first(const char *bytes, size_t length, struct frame_view *packet)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture;

	write_file(bytes, length);
	capture = capture_open(path, error);
	unlink(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
	CU_ASSERT_EQUAL(capture_burst(capture, packet, 1), 1);
	capture_close(capture);
	packet->data = NULL;
}

static void
test_packet_fields(void)
{
	struct frame_view packet;

	expect_first(TEXT(PCAP_HEADER("\x01") RECORD_4), &packet);
	CU_ASSERT_EQUAL(packet.time, 1000000002);
	CU_ASSERT_EQUAL(packet.captured, 4);
	CU_ASSERT_EQUAL(packet.wire_length, 64);
	/* A length on the wire under the captured one. */
	expect_first(
		TEXT(PCAP_HEADER("\x01") "\x01\0\0\0\x02\0\0\0\x04\0\0\0\x02\0\0\0abcd"), &packet);
	CU_ASSERT_EQUAL(packet.wire_length, 4);
	/* Times far in the future stay in range: seconds of 32 bits go to 2106. */
	expect_first(TEXT(PCAP_HEADER("\x01") "\xff\xff\xff\xff\x02\0\0\0\x04\0\0\0\x04\0\0\0abcd"),
		&packet);
	CU_ASSERT_EQUAL(packet.time, INT64_C(4294967295000000002));
	expect_first(TEXT(PCAP_HEADER("\x01") "\x01\0\0\0\xff\xff\xff\xff\x04\0\0\0\x04\0\0\0abcd"),
		&packet);
	CU_ASSERT_EQUAL(packet.time, 1999999999);
	expect_first(
		TEXT(SECTION INTERFACE("\x01\0") PACKET_ON("\0", "\xff\xff\xff\x7f")), &packet);
	CU_ASSERT_TRUE(packet.time >= 0 && packet.time <= CAPTURE_TIME_MAX);
	expect_first(
		TEXT(SECTION INTERFACE("\x01\0") PACKET_ON("\0", "\xff\xff\xff\xff")), &packet);
	CU_ASSERT_TRUE(packet.time >= 0 && packet.time <= CAPTURE_TIME_MAX);
}

static void
test_gzip(void)
{
	static const char bytes[] = PCAP_HEADER("\x01") RECORD_4 RECORD_4;
	char error[CAPTURE_ERROR_SIZE];
	struct frame_view packet;
	struct capture *capture;
	gzFile file;

	for (int cut = 0; cut <= 1; cut++) {
		write_file("", 0);
		file = gzopen(path, "wb");
		gzwrite(file, bytes, sizeof(bytes) - 1);
		gzclose(file);
		if (cut)
			CU_ASSERT_EQUAL(truncate(path, 40), 0);
		capture = capture_open(path, error);
		unlink(path);
		if (capture == NULL) { /* so short that even the header is cut */
			CU_ASSERT_TRUE(cut);
			continue;
		}
		while (capture_burst(capture, &packet, 1) == 1)
			;
		CU_ASSERT_EQUAL(capture_error(capture)[0] != '\0', cut);
		CU_ASSERT_TRUE(cut || capture_count(capture) == 2);
		capture_close(capture);
	}
}

struct totals {
	uint64_t files, packets, decoded;
	struct packet_balance balance;
};

static void
decode_one(const struct frame_view *captured, const char *name, struct packet_balance *balance)
{
	struct packet packet = {
		.data = captured->data,
		.captured = captured->captured,
		.wire_length = captured->wire_length,
		.time = captured->time,
	};
	enum packet_drop fate = decode_packet(&packet, captured->link, NULL);

	balance->received++;
	balance->received_bytes += packet.wire_length;
	balance->fates[fate]++;
	if (fate != PACKET_DECODED || packet_broken_invariant(&packet) == NULL)
		return;
	CU_FAIL("an invariant of packet.h");
	fprintf(stderr, "%s: packet %llu: not %s\n", name, (unsigned long long)balance->received,
		packet_broken_invariant(&packet));
}

/* Two differences are meant: libpcap cuts packets to the snapshot length that a file names, even if
 * more of them is in the file; and its seconds are signed. It takes any fraction of a second. */
static void
compare_packet(const struct frame_view *ours, const struct pcap_pkthdr *theirs, const uint8_t *data,
	int snapshot)
{
	uint32_t length = ours->captured;

	if (theirs->caplen == (uint32_t)snapshot && snapshot < (int)length)
		length = theirs->caplen;
	if (theirs->ts.tv_usec >= 0 && theirs->ts.tv_usec < 1000000000)
		CU_ASSERT_EQUAL(ours->time,
			(uint32_t)theirs->ts.tv_sec * INT64_C(1000000000) + theirs->ts.tv_usec);
	CU_ASSERT_EQUAL(length, theirs->caplen);
	CU_ASSERT_EQUAL(
		ours->wire_length, theirs->len > ours->captured ? theirs->len : ours->captured);
	CU_ASSERT_EQUAL(memcmp(ours->data, data, length), 0);
}

/* libpcap as the judge of what our reader makes of a pcap file. */
static void
compare_with_libpcap(void *context, const struct capture_label *label)
{
	uint64_t *compared = context;
	char error[CAPTURE_ERROR_SIZE + PCAP_ERRBUF_SIZE];
	struct capture *ours = capture_open(label->path, error);
	pcap_t *theirs = pcap_open_offline_with_tstamp_precision(
		label->path, PCAP_TSTAMP_PRECISION_NANO, error);
	struct frame_view packets[7]; /* so that windows end amid bursts */
	struct pcap_pkthdr *header;
	const u_char *data;
	int got, next = -1;

	while (ours && theirs && (got = capture_burst(ours, packets, 7)) > 0) {
		for (int i = 0; i < got; i++) {
			next = pcap_next_ex(theirs, &header, &data);
			if (next != 1)
				break; /* a pcapng file that libpcap gives up */
			compare_packet(&packets[i], header, data, pcap_snapshot(theirs));
			++*compared;
		}
	}
	if (ours && theirs && next == 1) /* both end, and in the same way */
		CU_ASSERT_EQUAL(pcap_next_ex(theirs, &header, &data),
			got == 0 ? PCAP_ERROR_BREAK : PCAP_ERROR);
	capture_close(ours);
	if (theirs)
		pcap_close(theirs);
}

static void
test_against_libpcap(void)
{
	uint64_t compared = 0;

	if (captures_each(compare_with_libpcap, &compared) > 0)
		CU_ASSERT_TRUE(compared > 100000);
}

static void
replay_labelled(void *context, const struct capture_label *label)
{
	struct totals *totals = context;
	struct packet_balance balance = {0};
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(label->path, error);
	struct frame_view packet;
	uint64_t fates = 0;
	bool same;

	if (capture == NULL) {
		fprintf(stderr, "%s\n", error);
		CU_FAIL("a labelled capture does not open");
		return;
	}
	while (capture_burst(capture, &packet, 1) == 1)
		decode_one(&packet, label->name, &balance);
	for (int i = 0; i < PACKET_DROP_COUNT; i++) {
		fates += balance.fates[i];
		totals->balance.fates[i] += balance.fates[i];
	}
	CU_ASSERT_EQUAL(fates, balance.received);
	/* Broken files hold packets said to be shorter on the wire than captured: we raise those.
	 */
	same = balance.received == label->packets &&
	       (balance.received_bytes == label->wire_bytes ||
		       (balance.received_bytes > label->wire_bytes &&
			       strcmp(label->category, "MALFORMED") == 0));
	if (!same)
		fprintf(stderr, "%s: %llu packets (label %llu), %llu bytes (label %llu) %s\n",
			label->name, (unsigned long long)balance.received,
			(unsigned long long)label->packets,
			(unsigned long long)balance.received_bytes,
			(unsigned long long)label->wire_bytes, capture_error(capture));
	CU_ASSERT_TRUE(same);
	totals->files++;
	totals->balance.received += balance.received;
	capture_close(capture);
}

static void
test_every_labelled_capture(void)
{
	struct totals totals = {0};

	captures_each(replay_labelled, &totals);
	printf("\n%llu captures, %llu packets\n", (unsigned long long)totals.files,
		(unsigned long long)totals.balance.received);
	for (int i = 0; i < PACKET_DROP_COUNT; i++)
		printf("  %-18s %llu\n", packet_drop_name((enum packet_drop)i),
			(unsigned long long)totals.balance.fates[i]);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"files that do not open", test_files_that_do_not_open},
		{"files to their end", test_files_to_their_end},
		{"packet fields", test_packet_fields},
		{"gzip", test_gzip},
		{"against libpcap", test_against_libpcap},
		{"every labelled capture", test_every_labelled_capture},
		CU_TEST_INFO_NULL,
	};

	return unit_run("capture", tests);
}
