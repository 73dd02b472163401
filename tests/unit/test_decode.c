/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/decode.h"
#include "tests/unit/packet_invariants.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 512

/* Pieces of frames, in hexadecimal. Addresses: 10.1.1.1 -> 10.1.1.2, 2001:db8::1 -> ::2. */
#define MACS      "020000000002 020000000001 "
#define IPV4_ENDS "0a010101 0a010102 "
#define IPV6_ENDS "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP_20    "1f90 0050 01020304 05060708 5018 1000 0000 0000 "
#define UDP_12    "1f90 0050 000c 0000 "
#define PADDING   "000000000000000000000000 "

static const struct frame {
	const char *name;
	const char *bytes;
	enum link_type link;
	enum packet_drop drop;
	uint16_t l3, l4, payload, payload_length;
	uint32_t payload_wire_length;
	uint16_t source_port, destination_port;
	uint8_t l3_kind, protocol, flags, vlan_count;
	uint16_t vlan;
} frames[] = {
	{"ipv4 tcp with padding",
		MACS "0800 4500 002b 0001 4000 4006 0000 " IPV4_ENDS TCP_20 "616263" PADDING,
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 54, 3, 3, 8080, 80, PACKET_L3_IPV4, 6,
		PACKET_HAS_MACS},
	{"ipv4 udp", MACS "0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 42, 4, 4, 8080, 80, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS},
	{"ipv4 udp, shorter than its datagram",
		MACS "0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS "1f90 0050 000a 0000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 42, 2, 4, 8080, 80, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS},
	{"ipv4 options, tcp options",
		MACS "0800 4600 0030 0001 0000 4006 0000 " IPV4_ENDS
		     "01010100 1f90 0050 01020304 05060708 6002 1000 0000 0000 020405b4",
		LINK_ETHERNET, PACKET_DECODED, 14, 38, 62, 0, 0, 8080, 80, PACKET_L3_IPV4, 6,
		PACKET_HAS_MACS},
	{"ipv4 promises more than the frame holds",
		MACS "0800 4500 0100 0001 4000 4006 0000 " IPV4_ENDS TCP_20 "616263", LINK_ETHERNET,
		PACKET_DECODED, 14, 34, 54, 3, 216, 8080, 80, PACKET_L3_IPV4, 6,
		PACKET_HAS_MACS | PACKET_TRUNCATED},
	{"802.1q", MACS "8100 6064 0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, PACKET_DECODED, 18, 38, 46, 4, 4, 8080, 80, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS, 1, 100},
	{"802.1ad, 9100 and 802.1q twice",
		MACS "88a8 0001 9100 0002 8100 0003 8100 0fff 0800 4500 0020 0001 4000 4011 "
		     "0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, PACKET_DECODED, 30, 50, 58, 4, 4, 8080, 80, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS, 4, 4095},
	{"five tags", MACS "88a8 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800", LINK_ETHERNET,
		DROP_VLAN_DEPTH},
	{"ipv4 first fragment of udp",
		MACS "0800 4500 0020 0001 2000 4011 0000 " IPV4_ENDS "1f90 0050 1000 0000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 42, 4, 4, 8080, 80, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS | PACKET_IS_FRAGMENT},
	{"ipv4 later fragment",
		MACS "0800 4500 0020 0001 0010 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 34, 0, 12, 0, 0, PACKET_L3_IPV4, 17,
		PACKET_HAS_MACS | PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
	{"ipv4 icmp",
		MACS "0800 4500 0020 0001 0000 4001 0000 " IPV4_ENDS "0800 1234 00000000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 38, 8, 8, 0, 0, PACKET_L3_IPV4, 1,
		PACKET_HAS_MACS},
	{"ipv4 sctp",
		MACS "0800 4500 0024 0001 0000 4084 0000 " IPV4_ENDS
		     "1f90 0050 00000000 00000000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 46, 4, 4, 8080, 80, PACKET_L3_IPV4, 132,
		PACKET_HAS_MACS},
	{"ipv4 igmp", MACS "0800 4500 001c 0001 0000 0102 0000 " IPV4_ENDS "1600 0000 e0000001",
		LINK_ETHERNET, PACKET_DECODED, 14, 34, 34, 8, 8, 0, 0, PACKET_L3_IPV4, 2,
		PACKET_HAS_MACS},
	{"ipv6 tcp", MACS "86dd 60000000 0017 06 40 " IPV6_ENDS TCP_20 "616263", LINK_ETHERNET,
		PACKET_DECODED, 14, 54, 74, 3, 3, 8080, 80, PACKET_L3_IPV6, 6, PACKET_HAS_MACS},
	{"ipv6, every extension header",
		MACS "86dd 60000000 0044 00 40 " IPV6_ENDS "2b00 0502 0000 0100 " /* hop by hop */
		     "3300 0000 00000000 "                                        /* routing */
		     "3c04 0000 00000001 00000002 0000000000000000 00000000 "     /* AH */
		     "2c00 0104 00000000 "                    /* destination options */
		     "1100 0000 00000001 " UDP_12 "61626364", /* atomic fragment */
		LINK_ETHERNET, PACKET_DECODED, 14, 110, 118, 4, 4, 8080, 80, PACKET_L3_IPV6, 17,
		PACKET_HAS_MACS},
	{"ipv6 later fragment",
		MACS "86dd 60000000 0010 2c 40 " IPV6_ENDS "1100 0008 00000001 6162636465666768",
		LINK_ETHERNET, PACKET_DECODED, 14, 62, 62, 0, 8, 0, 0, PACKET_L3_IPV6, 17,
		PACKET_HAS_MACS | PACKET_IS_FRAGMENT | PACKET_LATER_FRAGMENT},
	{"ipv6 first fragment",
		MACS "86dd 60000000 0014 2c 40 " IPV6_ENDS
		     "1100 0001 00000001 1f90 0050 0800 0000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 62, 70, 4, 4, 8080, 80, PACKET_L3_IPV6, 17,
		PACKET_HAS_MACS | PACKET_IS_FRAGMENT},
	{"ipv6 jumbogram, cut",
		MACS "86dd 60000000 0000 00 40 " IPV6_ENDS
		     "1100 c204 00010010 1f90 0050 0000 0000 61626364",
		LINK_ETHERNET, PACKET_DECODED, 14, 62, 70, 4, 65536, 8080, 80, PACKET_L3_IPV6, 17,
		PACKET_HAS_MACS | PACKET_TRUNCATED},
	{"ipv6 esp", MACS "86dd 60000000 0008 32 40 " IPV6_ENDS "00000001 00000002", LINK_ETHERNET,
		PACKET_DECODED, 14, 54, 54, 8, 8, 0, 0, PACKET_L3_IPV6, 50, PACKET_HAS_MACS},
	{"ipv6 icmpv6", MACS "86dd 60000000 0008 3a ff " IPV6_ENDS "8700 0000 00000000",
		LINK_ETHERNET, PACKET_DECODED, 14, 54, 58, 4, 4, 0, 0, PACKET_L3_IPV6, 58,
		PACKET_HAS_MACS},
	{"ipv6 nothing follows", MACS "86dd 60000000 0000 3b 40 " IPV6_ENDS, LINK_ETHERNET,
		PACKET_DECODED, 14, 54, 54, 0, 0, 0, 0, PACKET_L3_IPV6, 59, PACKET_HAS_MACS},
	{"arp with padding",
		MACS
		"0806 0001 0800 0604 0001 020000000001 0a010101 000000000000 0a010102 " PADDING,
		LINK_ETHERNET, PACKET_DECODED, 14, 14, 14, 28, 28, 0, 0, PACKET_L3_ARP, 0,
		PACKET_HAS_MACS},
	{"wanted ethertype", MACS "88cc 0207040200000000010000", LINK_ETHERNET, PACKET_DECODED, 14,
		14, 14, 11, 11, 0, 0, PACKET_L3_NONE, 0, PACKET_HAS_MACS},
	{"cooked v1 udp",
		"0000 0001 0006 020000000001 0000 0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS
			UDP_12 "61626364",
		LINK_LINUX_COOKED_V1, PACKET_DECODED, 16, 36, 44, 4, 4, 8080, 80, PACKET_L3_IPV4,
		17, PACKET_HAS_SOURCE_MAC},
	{"cooked v2, tagged, udp",
		"8100 0000 00000002 0001 00 06 0200000000010000 0007 0800 4500 0020 0001 4000 4011 "
		"0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_LINUX_COOKED_V2, PACKET_DECODED, 24, 44, 52, 4, 4, 8080, 80, PACKET_L3_IPV4,
		17, PACKET_HAS_SOURCE_MAC, 1, 7},
	{"cooked v1 of a tunnel interface",
		"0000 fffe 0000 0000000000000000 0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS
			UDP_12 "61626364",
		LINK_LINUX_COOKED_V1, PACKET_DECODED, 16, 36, 44, 4, 4, 8080, 80, PACKET_L3_IPV4,
		17, 0},
	{"cooked v1 of netlink", "0004 0338 0000 0000000000000000 0800 00000000",
		LINK_LINUX_COOKED_V1, DROP_NOT_INSPECTED},
	{"raw ipv4", "4500 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364", LINK_RAW_IP,
		PACKET_DECODED, 0, 20, 28, 4, 4, 8080, 80, PACKET_L3_IPV4, 17, 0},
	{"raw ipv6", "60000000 0017 06 40 " IPV6_ENDS TCP_20 "616263", LINK_RAW_IP, PACKET_DECODED,
		0, 40, 60, 3, 3, 8080, 80, PACKET_L3_IPV6, 6, 0},
	{"raw of another version", "5500 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_RAW_IP, DROP_IP_VERSION},
	{"raw, empty", "", LINK_RAW_IP, DROP_IP_TRUNCATED},
	{"unknown link", MACS "0800 4500", LINK_UNSUPPORTED, DROP_LINK_UNSUPPORTED},
	{"ethernet, empty", "", LINK_ETHERNET, DROP_LINK_TRUNCATED},
	{"ethernet header cut", "020000000002 020000000001 08", LINK_ETHERNET, DROP_LINK_TRUNCATED},
	{"cooked v1 cut", "0000 0001 0006 020000000001 0000 08", LINK_LINUX_COOKED_V1,
		DROP_LINK_TRUNCATED},
	{"tag cut", MACS "8100 0001 08", LINK_ETHERNET, DROP_LINK_TRUNCATED},
	{"nine labels",
		MACS "8847 00001000 00002000 00003000 00004000 00005000 00006000 00007000 00008000 "
		     "00009100",
		LINK_ETHERNET, DROP_LINK_DEPTH},
	{"802.3 length", MACS "0026 4242 03 0000000000", LINK_ETHERNET, DROP_NOT_INSPECTED},
	{"unwanted ethertype", MACS "8863 1109 0000 0000", LINK_ETHERNET, DROP_NOT_INSPECTED},
	{"arp for another protocol",
		MACS "0806 0001 86dd 0604 0001 020000000001 0a010101 000000000000 0a010102",
		LINK_ETHERNET, DROP_ARP_MALFORMED},
	{"arp with a long hardware address",
		MACS "0806 0001 0800 0704 0001 020000000001 0a010101 000000000000 0a010102",
		LINK_ETHERNET, DROP_ARP_MALFORMED},
	{"arp header cut", MACS "0806 0001 0800 06", LINK_ETHERNET, DROP_ARP_MALFORMED},
	{"ipv4 cut", MACS "0800 4500 0020 0001 4000 4011 0000 0a0101", LINK_ETHERNET,
		DROP_IP_TRUNCATED},
	{"ipv6 cut", MACS "86dd 60000000 0017 06 40 20010db8", LINK_ETHERNET, DROP_IP_TRUNCATED},
	{"ipv4 says 6", MACS "0800 6500 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, DROP_IP_VERSION},
	{"ipv6 says 4", MACS "86dd 40000000 0017 06 40 " IPV6_ENDS TCP_20 "616263", LINK_ETHERNET,
		DROP_IP_VERSION},
	{"ipv4 header of 16 bytes",
		MACS "0800 4400 0020 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, DROP_IP_HEADER_LENGTH},
	{"ipv4 header over the packet",
		MACS "0800 4f00 003c 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, DROP_IP_HEADER_LENGTH},
	{"ipv4 total length under its header",
		MACS "0800 4500 0013 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, DROP_IP_TOTAL_LENGTH},
	{"ipv4 total length under its options",
		MACS "0800 4600 0016 0001 4000 4011 0000 " IPV4_ENDS "01010100" UDP_12,
		LINK_ETHERNET, DROP_IP_TOTAL_LENGTH},
	{"ipv6 extension cut",
		MACS "86dd 60000000 0010 2b 40 " IPV6_ENDS "1104 0000 00000000 " UDP_12,
		LINK_ETHERNET, DROP_IPV6_EXTENSIONS},
	{"ipv6 extension over the payload length",
		MACS "86dd 60000000 0004 3c 40 " IPV6_ENDS "1100 0000 00000000 " UDP_12,
		LINK_ETHERNET, DROP_IPV6_EXTENSIONS},
	{"ipv6 hop by hop in the middle",
		MACS "86dd 60000000 0020 3c 40 " IPV6_ENDS
		     "0000 0104 00000000 1100 0104 00000000 " UDP_12 "61626364",
		LINK_ETHERNET, DROP_IPV6_EXTENSIONS},
	{"ipv6 nine extensions",
		MACS "86dd 60000000 0054 3c 40 " IPV6_ENDS "3c00010400000000 3c00010400000000 "
		     "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
		     "3c00010400000000 3c00010400000000 1100010400000000 " UDP_12 "61626364",
		LINK_ETHERNET, DROP_IPV6_EXTENSIONS},
	{"tcp header cut",
		MACS "0800 4500 0028 0001 4000 4006 0000 " IPV4_ENDS "1f90 0050 01020304",
		LINK_ETHERNET, DROP_L4_TRUNCATED},
	{"tcp header over the datagram's end",
		MACS "0800 4500 0027 0001 4000 4006 0000 " IPV4_ENDS TCP_20, LINK_ETHERNET,
		DROP_L4_TRUNCATED},
	{"udp header cut", MACS "0800 4500 001a 0001 4000 4011 0000 " IPV4_ENDS UDP_12 "61626364",
		LINK_ETHERNET, DROP_L4_TRUNCATED},
	{"icmp header cut", MACS "0800 4500 0017 0001 4000 4001 0000 " IPV4_ENDS "08000000",
		LINK_ETHERNET, DROP_L4_TRUNCATED},
	{"sctp header cut", MACS "0800 4500 001c 0001 4000 4084 0000 " IPV4_ENDS UDP_12,
		LINK_ETHERNET, DROP_L4_TRUNCATED},
	{"tcp data offset of 4",
		MACS "0800 4500 002b 0001 4000 4006 0000 " IPV4_ENDS
		     "1f90 0050 01020304 05060708 4018 1000 0000 0000 616263",
		LINK_ETHERNET, DROP_L4_HEADER_LENGTH},
	{"tcp options over the datagram's end",
		MACS "0800 4500 002b 0001 4000 4006 0000 " IPV4_ENDS
		     "1f90 0050 01020304 05060708 6018 1000 0000 0000 616263" PADDING,
		LINK_ETHERNET, DROP_L4_HEADER_LENGTH},
	{"udp length of 7",
		MACS "0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS "1f90 0050 0007 0000 61626364",
		LINK_ETHERNET, DROP_L4_HEADER_LENGTH},
	{"udp length of 0",
		MACS "0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS "1f90 0050 0000 0000 61626364",
		LINK_ETHERNET, DROP_L4_HEADER_LENGTH},
	{"udp length over the datagram's end",
		MACS "0800 4500 0020 0001 4000 4011 0000 " IPV4_ENDS
		     "1f90 0050 000d 0000 61626364" PADDING,
		LINK_ETHERNET, DROP_L4_HEADER_LENGTH},
};

#define FRAME_COUNT (sizeof(frames) / sizeof(frames[0]))

static size_t
bytes_of(const char *hexadecimal, uint8_t bytes[FRAME_MAX])
{
	size_t count = 0;
	unsigned value;

	for (const char *at = hexadecimal; *at;) {
		if (*at == ' ') {
			at++;
			continue;
		}
		CU_ASSERT_FATAL(count < FRAME_MAX && sscanf(at, "%2x", &value) == 1);
		bytes[count++] = (uint8_t)value;
		at += 2;
	}
	return count;
}

static struct decode_options
lldp_only(void)
{
	struct decode_options options = {0};

	CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x88cc), 0);
	return options;
}

/* Decodes from a heap block of the exact size, so that ASan sees every byte read too far; every
 * field not set by a caller starts as garbage. */
static enum packet_drop
decode_exact(struct packet *packet, enum link_type link, const uint8_t *bytes, size_t captured,
	size_t wire_length)
{
	struct decode_options options = lldp_only();
	uint8_t *block = malloc(captured ? captured : 1);
	enum packet_drop drop;

	CU_ASSERT_PTR_NOT_NULL_FATAL(block);
	memcpy(block, bytes, captured);
	memset(packet, 0xa5, sizeof(*packet));
	packet->data = block;
	packet->captured = (uint32_t)captured;
	packet->wire_length = (uint32_t)wire_length;
	packet->tenant = 0;
	drop = decode_packet(packet, link, &options);
	free(block);
	packet->data = NULL;
	return drop;
}

static void
expect_invariants(const char *name, size_t length, const struct packet *packet)
{
	const char *broken = packet_broken_invariant(packet);

	if (broken)
		fprintf(stderr, "%s, %zu bytes: not %s\n", name, length, broken);
	CU_ASSERT_PTR_NULL(broken);
}

static bool
matches(const struct frame *frame, const struct packet *packet)
{
	return packet->l3 == frame->l3 && packet->l4 == frame->l4 &&
	       packet->payload == frame->payload &&
	       packet->payload_length == frame->payload_length &&
	       packet->payload_wire_length == frame->payload_wire_length &&
	       packet->source_port == frame->source_port &&
	       packet->destination_port == frame->destination_port &&
	       packet->l3_kind == frame->l3_kind && packet->protocol == frame->protocol &&
	       packet->flags == frame->flags && packet->vlan_count == frame->vlan_count &&
	       packet_vlan(packet) == frame->vlan;
}

static void
test_each_frame(void)
{
	bool reached[PACKET_DROP_COUNT] = {false};
	uint8_t bytes[FRAME_MAX];
	struct packet packet;

	for (size_t i = 0; i < FRAME_COUNT; i++) {
		const struct frame *frame = &frames[i];
		size_t length = bytes_of(frame->bytes, bytes);
		enum packet_drop drop = decode_exact(&packet, frame->link, bytes, length, length);
		bool good =
			drop == frame->drop && (drop != PACKET_DECODED || matches(frame, &packet));

		if (!good)
			fprintf(stderr, "%s: %s\n", frame->name, packet_drop_name(drop));
		CU_ASSERT_TRUE(good);
		if (drop == PACKET_DECODED)
			expect_invariants(frame->name, length, &packet);
		reached[drop] = true;
	}
	/* Sampling and the removal of copies are not the decoder's. */
	reached[DROP_NOT_SAMPLED] = reached[DROP_DUPLICATE] = true;
	for (int drop = 0; drop < PACKET_DROP_COUNT; drop++)
		CU_ASSERT_TRUE(reached[drop]);
}

/* Every field of the fast path and of the same packet on the general path (behind a tag). */
static void
test_field_values(void)
{
	static const char *const tags[] = {"0800", "8100 0009 0800"};
	uint8_t bytes[FRAME_MAX];
	char text[512], address[ADDRESS_TEXT_SIZE];
	struct packet p;

	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s%s%s", MACS, tags[i],
			" 4500 002b 0001 4000 4006 0000 " IPV4_ENDS TCP_20 "616263");
		size_t length = bytes_of(text, bytes);

		CU_ASSERT_EQUAL_FATAL(
			decode_exact(&p, LINK_ETHERNET, bytes, length, length), PACKET_DECODED);
		CU_ASSERT_STRING_EQUAL(ip_format(&p.source, address), "10.1.1.1");
		CU_ASSERT_STRING_EQUAL(ip_format(&p.destination, address), "10.1.1.2");
		CU_ASSERT_TRUE(ip_equal(&p.source, &(struct ip_address){4, {10, 1, 1, 1}}));
		CU_ASSERT_STRING_EQUAL(mac_format(&p.source_mac, address), "02:00:00:00:00:01");
		CU_ASSERT_STRING_EQUAL(
			mac_format(&p.destination_mac, address), "02:00:00:00:00:02");
		CU_ASSERT_EQUAL(p.ttl, 64);
		CU_ASSERT_EQUAL(p.ethertype, 0x0800);
		CU_ASSERT_EQUAL(p.tcp_sequence, 0x01020304);
		CU_ASSERT_EQUAL(p.tcp_acknowledgment, 0x05060708);
		CU_ASSERT_EQUAL(p.tcp_flags, 0x18);
		CU_ASSERT_EQUAL(p.icmp_type, 0);
	}
}

static void
test_arp_and_icmp_fields(void)
{
	uint8_t bytes[FRAME_MAX];
	char address[ADDRESS_TEXT_SIZE];
	struct packet p;
	size_t length = bytes_of(
		MACS "0806 0001 0800 0604 0002 020000000001 0a010101 020000000002 0a010102", bytes);

	CU_ASSERT_EQUAL(decode_exact(&p, LINK_ETHERNET, bytes, length, length), PACKET_DECODED);
	CU_ASSERT_STRING_EQUAL(ip_format(&p.source, address), "10.1.1.1");
	CU_ASSERT_STRING_EQUAL(ip_format(&p.destination, address), "10.1.1.2");
	length = bytes_of(
		MACS "0800 4500 001c 0001 0000 4001 0000 " IPV4_ENDS "0301 0000 00000000", bytes);
	CU_ASSERT_EQUAL(decode_exact(&p, LINK_ETHERNET, bytes, length, length), PACKET_DECODED);
	CU_ASSERT_EQUAL(p.icmp_type, 3);
	CU_ASSERT_EQUAL(p.icmp_code, 1);
}

/* Each frame, cut at each length, both as a short snap length and as a short frame. */
static void
test_every_cut(void)
{
	uint8_t bytes[FRAME_MAX];
	struct packet packet;

	for (size_t i = 0; i < FRAME_COUNT; i++) {
		size_t length = bytes_of(frames[i].bytes, bytes);

		for (size_t cut = 0; cut <= length; cut++) {
			if (decode_exact(&packet, frames[i].link, bytes, cut, length) ==
				PACKET_DECODED)
				expect_invariants(frames[i].name, cut, &packet);
			if (decode_exact(&packet, frames[i].link, bytes, cut, cut) ==
				PACKET_DECODED)
				expect_invariants(frames[i].name, cut, &packet);
		}
	}
}

static void
test_random_mutations(void)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	uint8_t bytes[FRAME_MAX];
	struct packet packet;

	for (int round = 0; round < 200000; round++) {
		const struct frame *frame = &frames[next_random(&random) % FRAME_COUNT];
		size_t length = bytes_of(frame->bytes, bytes);
		size_t cut =
			next_random(&random) % 4 ? length : next_random(&random) % (length + 1);
		enum link_type link = next_random(&random) % 8
					      ? frame->link
					      : (enum link_type)(next_random(&random) % 5);

		for (uint64_t i = next_random(&random) % 6; i > 0 && length > 0; i--)
			bytes[next_random(&random) % length] = (uint8_t)next_random(&random);
		if (decode_exact(&packet, link, bytes, cut, length) == PACKET_DECODED)
			expect_invariants(frame->name, cut, &packet);
	}
}

/* A captured datagram longer than the 16-bit fields: nothing wraps. */
static void
test_longest_packet(void)
{
	static uint8_t bytes[300000];
	uint8_t head[FRAME_MAX];
	struct packet packet;
	size_t length = bytes_of(
		MACS "86dd 60000000 0000 00 40 " IPV6_ENDS "0600 c204 ffffffff " TCP_20, head);

	memcpy(bytes, head, length);
	CU_ASSERT_EQUAL(decode_exact(&packet, LINK_ETHERNET, bytes, sizeof(bytes), sizeof(bytes)),
		PACKET_DECODED);
	CU_ASSERT_EQUAL(packet.payload, 82);
	CU_ASSERT_EQUAL(packet.payload_length, UINT16_MAX);
	expect_invariants("jumbogram", sizeof(bytes), &packet);
}

static void
test_ethertype_set(void)
{
	struct decode_options options = {0};

	CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x0800), -EINVAL);
	CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x8100), -EINVAL);
	CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x05dc), -EINVAL);
	for (uint16_t i = 0; i < DECODE_ETHERTYPES_MAX; i++) {
		CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x9000 + i), 0);
		CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0x9000 + i), 0);
	}
	CU_ASSERT_EQUAL(decode_options_add_ethertype(&options, 0xa000), -ENOSPC);
	CU_ASSERT_EQUAL(options.ethertype_count, DECODE_ETHERTYPES_MAX);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"each frame", test_each_frame},
		{"field values", test_field_values},
		{"arp and icmp fields", test_arp_and_icmp_fields},
		{"every cut", test_every_cut},
		{"random mutations", test_random_mutations},
		{"longest packet", test_longest_packet},
		{"ethertype set", test_ethertype_set},
		CU_TEST_INFO_NULL,
	};

	return unit_run("decode", tests);
}
