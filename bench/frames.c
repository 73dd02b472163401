/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/frames.h"

#define MACS "\x02\0\0\0\0\xaa\x02\0\0\0\0\xbb"
/* Lengths are right to the byte: a decoder that checks them must find nothing wrong. */
#define PAYLOAD "0123456789abcdef01"
#define UDP     "\x02\x2a\x9c\x40\0\x1a\0\0" PAYLOAD
#define IPV4_HEADER(length, protocol, source, destination)                                         \
	"\x45\0\0" length "\0\1\0\0\x40" protocol "\0\0" source destination
#define INNER_IPV4 IPV4_HEADER("\x2e", "\x11", "\x0a\1\0\1", "\x0a\2\0\2") UDP
#define INNER      MACS "\x08\0" INNER_IPV4

/* Outer headers; `length` is the whole datagram's. */
#define OUTER(length, protocol)                                                                    \
	MACS "\x08\0" IPV4_HEADER(length, protocol, "\xc0\0\2\1", "\xc0\0\2\2")
#define OUTER_UDP(datagram, port, length) OUTER(datagram, "\x11") "\xd0\1" port "\0" length "\0\0"

#define FRAME(name, bytes, plain)                                                                  \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1, plain                                              \
	}

const struct bench_frame bench_frames[] = {
	FRAME("ipv4_udp", INNER, true),
	FRAME("ipv4_tcp",
		MACS "\x08\0" IPV4_HEADER("\x2e", "\x06", "\x0a\1\0\1",
			"\x0a\2\0\2") "\x02\x2a\x9c\x40\0\0\0\1\0\0\0\1\x50\x10\x10\0\0\0\0\0"
				      "abcdef",
		true),
	FRAME("ipv6_udp",
		MACS
		"\x86\xdd\x60\0\0\0\0\x1a\x11\x40"
		"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" UDP,
		true),
	FRAME("vlan", MACS "\x81\0\0\7\x08\0" INNER_IPV4, true),
	FRAME("qinq", MACS "\x88\xa8\0\7\x81\0\0\x09\x08\0" INNER_IPV4, false),
	FRAME("ipv4_options",
		MACS "\x08\0\x46\0\0\x32\0\1\0\0\x40\x11\0\0\x0a\1\0\1\x0a\2\0\2\x94\4\0\0" UDP,
		false),
	FRAME("ipv6_extension",
		MACS "\x86\xdd\x60\0\0\0\0\x22\0\x40"
		     "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
		     "\x11\0\5\2\0\0\1\0" UDP,
		false),
	FRAME("mpls", MACS "\x88\x47\0\1\1\x40" INNER_IPV4, false),
	FRAME("pppoe", MACS "\x88\x64\x11\0\0\1\0\x30\0\x21" INNER_IPV4, false),
	FRAME("ip_in_ip", OUTER("\x42", "\x04") INNER_IPV4, false),
	FRAME("gre", OUTER("\x46", "\x2f") "\0\0\x08\0" INNER_IPV4, false),
	FRAME("erspan_2", OUTER("\x60", "\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\7\0\x2a\0\0\0\3" INNER,
		true),
	FRAME("vxlan", OUTER_UDP("\x60", "\x12\xb5", "\x4c") "\x08\0\0\0\0\0\x2a\0" INNER, true),
	FRAME("geneve", OUTER_UDP("\x60", "\x17\xc1", "\x4c") "\0\0\x65\x58\0\0\x2a\0" INNER,
		false),
	FRAME("gtp_u", OUTER_UDP("\x52", "\x08\x68", "\x3e") "\x30\xff\0\x2e\0\0\0\7" INNER_IPV4,
		false),
	FRAME("ipv4_fragment",
		MACS "\x08\0\x45\0\0\x2e\0\1\0\xb9\x40\x11\0\0\x0a\1\0\1\x0a\2\0\2" UDP, false),
	FRAME("arp",
		MACS "\x08\6\0\1\x08\0\6\4\0\1\x02\0\0\0\0\xbb\x0a\1\0\1\0\0\0\0\0\0\x0a\2\0\2"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		false),
};

const size_t bench_frame_count = sizeof(bench_frames) / sizeof(bench_frames[0]);
