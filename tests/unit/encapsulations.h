/* SPDX-License-Identifier: Apache-2.0 */
/* Every encapsulation that the decoder opens, and what it must not open: for the unit test, and as
 * the frames that the fuzzer starts from. The host's datagram is the last one of a recipe. */
#ifndef CAMSPAN_TESTS_ENCAPSULATIONS_H
#define CAMSPAN_TESTS_ENCAPSULATIONS_H

#include "dataplane/records/packet.h"

#define HOST4 "ip4=17 udp=80 data"
#define HOST6 "ip6=17 udp=80 data"
#define FRAME "eth=0800 " HOST4

/* GRE headers: flags and protocol, then checksum, key, sequence. */
#define ERSPAN2 "hex=100088be00000001 hex=1064080700000000 "
#define ERSPAN3 "hex=100022eb00000001 hex="
#define VXLAN   "udp=4789 hex=0800000000007b00 "

struct encapsulation_case {
	const char *name;
	const char *recipe;
	const char *tunnels; /* names, outermost first */
	uint32_t tenant;
	uint16_t vlan;    /* of the key */
	bool outside;     /* the flow is not the host's */
	uint8_t end;      /* enum tunnel_end */
	bool without_mac; /* the host's MAC is hidden */
};

#define KIND(kind, id) ((uint32_t)TENANT_##kind << TENANT_KIND_SHIFT | (id))
#define OTHER(type)    KIND(OTHER, TUNNEL_##type << 16)

static const struct encapsulation_case encapsulation_cases[] = {
	{"plain", FRAME, ""},
	{"priority tag", "eth=8100 hex=e0000800 " HOST4, ""},
	{"one tag", "eth=8100 hex=00640800 " HOST4, "", 0, 100},
	{"two tags", "eth=88a8 hex=00c88100 hex=00640800 " HOST4, "", KIND(VLANS, 200), 100},
	{"three tags", "eth=9100 hex=01238100 hex=04568100 hex=006486dd " HOST6, "",
		KIND(VLANS, 0x123456), 100},
	{"four tags", "eth=8100 hex=01238100 hex=04568100 hex=07898100 hex=00640800 " HOST4, "",
		KIND(DIGEST, 0), 100},
	{"VN-Tag", "eth=8926 hex=000000338100 hex=00640800 " HOST4, "", 0, 100},
	{"E-Tag", "eth=893f hex=0000000000000800 " HOST4, ""},
	{"Cisco MetaData", "eth=8909 hex=0101000100070800 " HOST4, ""},
	{"SNAP", "eth=0034 hex=aaaa03000000 hex=0800 " HOST4, ""},
	{"LLC with IP", "eth=002b hex=060603 " HOST4, ""},
	{"MPLS", "eth=8847 hex=0006403f hex=000c81ff " HOST4, "mpls", 0, 0, .without_mac = true},
	{"MPLS multicast", "eth=8848 hex=000c81ff " HOST6, "mpls", .without_mac = true},
	{"MPLS behind a tag", "eth=8100 hex=00648847 hex=000c81ff " HOST4, "mpls", 0, 100,
		.without_mac = true},
	{"MPLS pseudowire", "eth=8847 hex=000c81ff " FRAME, "mpls"},
	{"MPLS pseudowire, control word", "eth=8847 hex=000c81ff hex=00000000 " FRAME, "mpls"},
	{"MPLS pseudowire, tagged inside",
		"eth=8100 hex=00078847 hex=000c81ff hex=00000000 eth=8100 hex=00640800 " HOST4,
		"mpls", 0, 100},
	{"PPPoE", "eth=8864 hex=1100002aLLLL hex=0021 " HOST4, "pppoe",
		KIND(OTHER, TUNNEL_PPPOE << 16 | 42)},
	{"PPPoE, IPv6 behind two tags",
		"eth=8100 hex=00c88100 hex=00648864 hex=1100002aLLLL hex=0057 " HOST6, "pppoe",
		KIND(DIGEST, 0), 100},
	{"PBB", "eth=88a8 hex=000588e7 hex=00001234 " FRAME, "pbb",
		KIND(OTHER, TUNNEL_PBB << 16 | 0x1234)},
	{"FabricPath", "eth=8903 hex=0040 eth=8100 hex=00640800 " HOST4, "fabricpath", 0, 100},
	{"IPv4 in IPv4", "eth=0800 ip4=4 " HOST4, "ipv4-in-ip", OTHER(IPV4), .without_mac = true},
	{"IPv6 in IPv4", "eth=0800 ip4=41 " HOST6, "ipv6-in-ip", OTHER(IPV6), .without_mac = true},
	{"IPv4 in IPv6", "eth=86dd ip6=4 " HOST4, "ipv4-in-ip", OTHER(IPV4), .without_mac = true},
	{"IPv6 in IPv6 behind a tag", "eth=8100 hex=006486dd ip6=41 " HOST6, "ipv6-in-ip",
		KIND(OTHER, TUNNEL_IPV6 << 16 | 100), .without_mac = true},
	{"EtherIP", "eth=0800 ip4=97 hex=3000 " FRAME, "etherip", OTHER(ETHERIP)},
	{"Ethernet in IPv6", "eth=86dd ip6=143 " FRAME, "ethernet-in-ip", OTHER(ETHERNET)},
	{"MPLS in IP", "eth=0800 ip4=137 hex=000c81ff " HOST4, "mpls-in-ip mpls", OTHER(MPLS_IP),
		.without_mac = true},
	{"GRE", "eth=0800 ip4=47 hex=00000800 " HOST4, "gre", OTHER(GRE), .without_mac = true},
	{"GRE, every option", "eth=0800 ip4=47 hex=b00086dd00000000 hex=0000000500000001 " HOST6,
		"gre", KIND(GRE_KEY, 5), .without_mac = true},
	{"GRE, a key of 32 bits", "eth=0800 ip4=47 hex=2000080001000005 " HOST4, "gre",
		KIND(DIGEST, 0), .without_mac = true},
	{"GRE, a bridge with a small key", "eth=0800 ip4=47 hex=2000655800000005 " FRAME, "gre",
		KIND(GRE_KEY, 5)},
	{"GRE, a bridge with a key below NVGRE's",
		"eth=0800 ip4=47 hex=20006558 hex=000fffff " FRAME, "gre", KIND(GRE_KEY, 0xfffff)},
	{"NVGRE", "eth=0800 ip4=47 hex=20006558 hex=12345699 " FRAME, "nvgre",
		KIND(NVGRE, 0x123456)},
	{"GRE, MPLS", "eth=0800 ip4=47 hex=00008847 hex=000c81ff " HOST4, "gre mpls", OTHER(GRE),
		.without_mac = true},
	{"GRE, PPP", "eth=0800 ip4=47 hex=0000880b hex=ff030021 " HOST4, "gre", OTHER(GRE),
		.without_mac = true},
	{"GRE, WCCP", "eth=0800 ip4=47 hex=0000883e hex=00000000 " HOST4, "gre", OTHER(GRE),
		.without_mac = true},
	{"GRE, Cisco MetaData", "eth=0800 ip4=47 hex=00008909 hex=0800010100010000 " HOST4, "gre",
		OTHER(GRE), .without_mac = true},
	{"PPTP", "eth=0800 ip4=47 hex=3081880bLLLL0009 hex=0000000100000002 hex=21 " HOST4, "pptp",
		OTHER(PPTP), .without_mac = true},
	{"ERSPAN I", "eth=0800 ip4=47 hex=000088be " FRAME, "erspan-1", OTHER(ERSPAN_I)},
	{"ERSPAN II", "eth=0800 ip4=47 " ERSPAN2 FRAME, "erspan-2",
		KIND(OTHER, TUNNEL_ERSPAN_II << 16 | 7)},
	{"ERSPAN II, tag taken off",
		"eth=0800 ip4=47 hex=100088be00000001 hex=1064100700000000 " FRAME, "erspan-2",
		KIND(OTHER, TUNNEL_ERSPAN_II << 16 | 7), 100},
	{"ERSPAN II behind a tag, tagged inside",
		"eth=8100 hex=00070800 ip4=47 " ERSPAN2 "eth=8100 hex=00640800 " HOST4, "erspan-2",
		KIND(OTHER, TUNNEL_ERSPAN_II << 16 | 7), 100},
	{"ERSPAN III", "eth=0800 ip4=47 " ERSPAN3 "200003ff0000000000000000 " FRAME, "erspan-3",
		KIND(OTHER, TUNNEL_ERSPAN_III << 16 | 0x3ff)},
	{"ERSPAN III, subheader",
		"eth=0800 ip4=47 " ERSPAN3
		"2000000100000000 hex=00000001 hex=0000000000000000 " FRAME,
		"erspan-3", KIND(OTHER, TUNNEL_ERSPAN_III << 16 | 1)},
	{"ERSPAN III, IP inside", "eth=0800 ip4=47 " ERSPAN3 "200000010000000000000800 " HOST4,
		"erspan-3", KIND(OTHER, TUNNEL_ERSPAN_III << 16 | 1), .without_mac = true},
	{"VXLAN", "eth=0800 ip4=17 " VXLAN FRAME, "vxlan", KIND(VXLAN, 123)},
	{"VXLAN over IPv6, tagged inside", "eth=86dd ip6=17 " VXLAN "eth=8100 hex=00640800 " HOST4,
		"vxlan", KIND(VXLAN, 123), 100},
	{"VXLAN, Linux's old port", "eth=0800 ip4=17 udp=8472 hex=0800000000007b00 " FRAME, "vxlan",
		KIND(VXLAN, 123)},
	{"VXLAN, group policy", "eth=0800 ip4=17 udp=4789 hex=8800000100007b00 " FRAME, "vxlan",
		KIND(VXLAN, 123)},
	{"VXLAN-GPE, IPv4", "eth=0800 ip4=17 udp=4790 hex=0c00000100007b00 " HOST4, "vxlan",
		KIND(VXLAN, 123), .without_mac = true},
	{"VXLAN-GPE, Ethernet", "eth=0800 ip4=17 udp=4790 hex=0c00000300007b00 " FRAME, "vxlan",
		KIND(VXLAN, 123)},
	{"Geneve", "eth=0800 ip4=17 udp=6081 hex=0000655800007b00 " FRAME, "geneve",
		KIND(GENEVE, 123)},
	{"Geneve, options and IP",
		"eth=0800 ip4=17 udp=6081 hex=0200080000007b00 hex=0000000000000000 " HOST4,
		"geneve", KIND(GENEVE, 123), .without_mac = true},
	{"GTP-U", "eth=0800 ip4=17 udp=2152 hex=30ffLLLL12345678 " HOST4, "gtp-u", OTHER(GTPU),
		.without_mac = true},
	{"GTP-U, extension header",
		"eth=0800 ip4=17 udp=2152 hex=34ff002c12345678 hex=00000085 hex=01100900 " HOST4,
		"gtp-u", OTHER(GTPU), .without_mac = true},
	{"Teredo", "eth=0800 ip4=17 udp=3544 " HOST6, "teredo", OTHER(TEREDO), .without_mac = true},
	{"Teredo, authentication and origin",
		"eth=0800 ip4=17 udp=3544 hex=00010000000000000000000000 "
		"hex=000012345678abcd " HOST6,
		"teredo", OTHER(TEREDO), .without_mac = true},
	{"L2TP", "eth=0800 ip4=17 udp=1701 hex=0002000a0001 hex=ff030021 " HOST4, "l2tp",
		OTHER(L2TP), .without_mac = true},
	{"L2TP, length, sequence, offset",
		"eth=0800 ip4=17 udp=1701 hex=4a02LLLL000a0001 hex=00000000 hex=0002ffff hex=0021 "
		"" HOST4,
		"l2tp", OTHER(L2TP), .without_mac = true},
	{"MPLS in UDP", "eth=0800 ip4=17 udp=6635 hex=000c81ff " HOST4, "mpls-in-udp mpls",
		OTHER(MPLS_UDP), .without_mac = true},
	{"VXLAN in ERSPAN II", "eth=0800 ip4=47 " ERSPAN2 "eth=0800 ip4=17 " VXLAN FRAME,
		"erspan-2 vxlan", KIND(DIGEST, 0)},
	{"four deep", "eth=0800 ip4=4 ip4=41 ip6=47 hex=00000800 ip4=4 " HOST4,
		"ipv4-in-ip ipv6-in-ip gre ipv4-in-ip", KIND(DIGEST, 0), .without_mac = true},
	{"five deep", "eth=0800 ip4=4 ip4=4 ip4=4 ip4=4 ip4=4 " HOST4,
		"ipv4-in-ip ipv4-in-ip ipv4-in-ip ipv4-in-ip", KIND(DIGEST, 0), 0, true,
		TUNNEL_END_TOO_DEEP, true},
	/* What must stay the flow of the outer packet. */
	{"GRE, source route", "eth=0800 ip4=47 hex=40000800 " HOST4, "", 0, 0, true},
	{"GRE, version 2", "eth=0800 ip4=47 hex=00020800 " HOST4, "", 0, 0, true},
	{"GRE, an unknown protocol", "eth=0800 ip4=47 hex=00002001 " HOST4, "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"GRE, spanning tree", "eth=0800 ip4=47 hex=00006558 eth=0026 hex=424203 data", "", 0, 0,
		true, TUNNEL_END_NOT_UNDERSTOOD},
	{"IPv4 in IPv4, of another version", "eth=0800 ip4=4 " HOST6, "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"ESP", "eth=0800 ip4=50 " HOST4, "", 0, 0, true},
	{"ERSPAN of another version",
		"eth=0800 ip4=47 hex=100088be00000001 hex=7000000000000000 " FRAME, "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"VXLAN without a network", "eth=0800 ip4=17 udp=4789 hex=0000000000007b00 " FRAME, "", 0,
		0, true, TUNNEL_END_NOT_UNDERSTOOD},
	{"VXLAN, more inside than it holds",
		"eth=0800 ip4=17 " VXLAN
		"eth=0800 hex=4500010000000000401100000a0101010a010102 data",
		"", 0, 0, true, TUNNEL_END_NOT_UNDERSTOOD},
	{"VXLAN port, text", "eth=0800 ip4=17 udp=4789 data data data data", "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"Geneve, version 1", "eth=0800 ip4=17 udp=6081 hex=4000655800007b00 " FRAME, "", 0, 0,
		true, TUNNEL_END_NOT_UNDERSTOOD},
	{"Geneve, options behind the end", "eth=0800 ip4=17 udp=6081 hex=3f00655800007b00 " FRAME,
		"", 0, 0, true, TUNNEL_END_NOT_UNDERSTOOD},
	{"GTP-U echo", "eth=0800 ip4=17 udp=2152 hex=3201LLLL00000000 " HOST4, "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"GTP-U, extension of no length",
		"eth=0800 ip4=17 udp=2152 hex=34ff002c12345678 hex=00000085 hex=00100900 " HOST4,
		"", 0, 0, true, TUNNEL_END_NOT_UNDERSTOOD},
	{"L2TP control", "eth=0800 ip4=17 udp=1701 hex=c802001400010000 hex=00000000 data", "", 0,
		0, true, TUNNEL_END_NOT_UNDERSTOOD},
	{"Teredo bubble of IPv4", "eth=0800 ip4=17 udp=3544 " HOST4, "", 0, 0, true,
		TUNNEL_END_NOT_UNDERSTOOD},
	{"another port", "eth=0800 ip4=17 udp=4788 hex=0800000000007b00 " FRAME, "", 0, 0, true},
};

#define ENCAPSULATION_CASES (sizeof(encapsulation_cases) / sizeof(encapsulation_cases[0]))

#endif
