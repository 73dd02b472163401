/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/spread_hash.h"

#include "dataplane/records/packet.h"
#include "dataplane/records/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#define LAYERS_MAX      24 /* headers looked at: bounds what a hostile frame costs */
#define VLANS_MAX       8
#define MPLS_LABELS_MAX 8
#define EXTENSIONS_MAX  8
#define ETHERNET_SIZE   14
#define PPPOE_SIZE      6
#define UDP_SIZE        8

/* What the next byte begins. */
enum layer { LAYER_END, LAYER_ETHERNET, LAYER_TYPED, LAYER_IP_TRANSPORT };

struct walk {
	const uint8_t *frame;
	uint32_t size;
	uint32_t at;
	uint16_t type;       /* for LAYER_TYPED: the ethertype of what is at `at` */
	uint8_t protocol;    /* for LAYER_IP_TRANSPORT */
	uint8_t basis;       /* enum spread_basis of the innermost pair so far */
	const uint8_t *pair; /* the two addresses, one behind the other */
	uint32_t end;    /* of what a UDP port says to be a tunnel: the inner lengths must agree; 0:
			    sure */
	uint8_t tunnels; /* entered */
};

int
spread_secret_random(struct spread_secret *secret)
{
	if (getrandom(secret, sizeof(*secret), 0) != sizeof(*secret))
		return -errno;
	for (size_t i = 0; i < sizeof(secret->word) / sizeof(secret->word[0]); i++)
		secret->word[i] |= 1; /* an odd multiplier loses no bits */
	return 0;
}

static inline bool
has(const struct walk *walk, uint32_t bytes)
{
	return walk->size - walk->at >= bytes; /* at <= size, always */
}

/* Moves past a header of `length` bytes to what `type` says. */
static inline enum layer
step_to_type(struct walk *walk, uint32_t length, uint16_t type)
{
	if (!has(walk, length))
		return LAYER_END;
	walk->at += length;
	walk->type = type;
	return LAYER_TYPED;
}

static enum layer
step_to_ethernet(struct walk *walk, uint32_t length)
{
	if (!has(walk, length))
		return LAYER_END;
	walk->at += length;
	return LAYER_ETHERNET;
}

/* For tunnels that do not say which IP they carry. */
static enum layer
step_to_ip(struct walk *walk, uint32_t length)
{
	if (!has(walk, length + 1))
		return LAYER_END;
	switch (walk->frame[walk->at + length] >> 4) {
	case 4:
		return step_to_type(walk, length, ETHERTYPE_IPV4);
	case 6:
		return step_to_type(walk, length, ETHERTYPE_IPV6);
	default:
		return LAYER_END;
	}
}

static inline bool
is_vlan(uint16_t type)
{
	return type == ETHERTYPE_8021Q || type == ETHERTYPE_8021AD || type == ETHERTYPE_QINQ;
}

static inline enum layer
step_ethernet(struct walk *walk)
{
	uint32_t length = ETHERNET_SIZE;
	uint16_t type;

	if (!has(walk, length))
		return LAYER_END;
	type = load_be16(walk->frame + walk->at + 12);
	for (int i = 0; i < VLANS_MAX && is_vlan(type) && has(walk, length + 4); i++) {
		length += 4;
		type = load_be16(walk->frame + walk->at + length - 2);
	}
	if (type < ETHERTYPE_FIRST)
		return LAYER_END;
	return step_to_type(walk, length, type);
}

/* A port is a hint only. What does not fit into its datagram belongs to the outer pair, all of it:
 * bytes that are no addresses would scatter a flow over all workers. */
static inline bool
fits(struct walk *walk, uint32_t length)
{
	uint32_t end = walk->end;

	walk->end = 0;
	return end == 0 || walk->at + length <= end;
}

static inline enum layer
step_ipv4(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint32_t length;

	if (!has(walk, 20) || header[0] >> 4 != 4)
		return LAYER_END;
	length = (header[0] & 15u) * 4;
	if (length < 20 || !fits(walk, load_be16(header + 2)))
		return LAYER_END;
	walk->pair = header + 12;
	walk->basis = SPREAD_IPV4;
	/* A later fragment of a tunnel's datagram begins in the middle of the inner packet. */
	if ((load_be16(header + 6) & 0x1fff) != 0 || !has(walk, length))
		return LAYER_END;
	walk->at += length;
	walk->protocol = header[9];
	return LAYER_IP_TRANSPORT;
}

/* Past the extension headers of RFC 8200; a later fragment ends the walk. */
static enum layer
skip_extensions(struct walk *walk, uint8_t next)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *header = walk->frame + walk->at;
		uint32_t length;

		if (next != 0 && next != 43 && next != 44 && next != 60) {
			walk->protocol = next;
			return LAYER_IP_TRANSPORT;
		}
		if (!has(walk, 8) || (next == 44 && (load_be16(header + 2) & 0xfff8) != 0))
			return LAYER_END;
		length = next == 44 ? 8 : (header[1] + 1u) * 8;
		if (!has(walk, length))
			return LAYER_END;
		next = header[0];
		walk->at += length;
	}
	return LAYER_END;
}

static inline enum layer
step_ipv6(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;

	if (!has(walk, 40) || header[0] >> 4 != 6 || !fits(walk, 40u + load_be16(header + 4)))
		return LAYER_END;
	walk->pair = header + 8;
	walk->basis = SPREAD_IPV6;
	walk->at += 40;
	return skip_extensions(walk, header[6]);
}

/* What follows the bottom of the stack is not told: IP by its version, a pseudowire by its control
 * word (RFC 4385), else Ethernet without one. */
static enum layer
step_mpls(struct walk *walk)
{
	bool bottom = false;

	if (walk->tunnels++ == PACKET_MAX_TUNNELS)
		return LAYER_END;
	for (int i = 0; i < MPLS_LABELS_MAX && !bottom; i++) {
		if (!has(walk, 4))
			return LAYER_END;
		bottom = walk->frame[walk->at + 2] & 1;
		walk->at += 4;
	}
	if (!bottom || !has(walk, 1))
		return LAYER_END;
	switch (walk->frame[walk->at] >> 4) {
	case 4:
	case 6:
		return step_to_ip(walk, 0);
	case 0:
		return step_to_ethernet(walk, 4);
	default:
		return LAYER_ETHERNET;
	}
}

static enum layer
step_pppoe(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;

	if (walk->tunnels++ == PACKET_MAX_TUNNELS || !has(walk, PPPOE_SIZE + 2) ||
		header[0] != 0x11 || header[1] != 0)
		return LAYER_END;
	switch (load_be16(header + PPPOE_SIZE)) {
	case 0x0021:
		return step_to_type(walk, PPPOE_SIZE + 2, ETHERTYPE_IPV4);
	case 0x0057:
		return step_to_type(walk, PPPOE_SIZE + 2, ETHERTYPE_IPV6);
	default:
		return LAYER_END;
	}
}

static inline enum layer
step_typed(struct walk *walk)
{
	switch (walk->type) {
	case ETHERTYPE_IPV4:
		return step_ipv4(walk);
	case ETHERTYPE_IPV6:
		return step_ipv6(walk);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return step_mpls(walk);
	case ETHERTYPE_PPPOE:
		return step_pppoe(walk);
	default:
		return LAYER_END;
	}
}

/* draft-foschiano-erspan-03: without a sequence number it is type I, which has no header of its
 * own; else the header's version tells. */
static enum layer
step_erspan(struct walk *walk, uint32_t gre, bool sequence)
{
	const uint8_t *header = walk->frame + walk->at + gre;
	uint32_t length = 12;
	unsigned frame_type;

	if (!sequence)
		return step_to_ethernet(walk, gre);
	if (!has(walk, gre + 8))
		return LAYER_END;
	if (header[0] >> 4 == 1)
		return step_to_ethernet(walk, gre + 8);
	if (header[0] >> 4 != 2 || !has(walk, gre + length))
		return LAYER_END;
	frame_type = header[10] >> 2 & 0x1f;
	length += header[11] & 1 ? 8 : 0; /* a platform's subheader */
	if (frame_type == 2)
		return step_to_ip(walk, gre + length);
	return frame_type == 0 ? step_to_ethernet(walk, gre + length) : LAYER_END;
}

/* RFC 2784 and 2890. */
static enum layer
step_gre(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint16_t type;
	uint32_t length = 4;

	/* Neither routing (RFC 1701) nor version 1 (PPTP) is looked through. */
	if (!has(walk, 4) || (header[0] & 0x40) != 0 || (header[1] & 7) != 0)
		return LAYER_END;
	length += header[0] & 0x80 ? 4 : 0;
	length += header[0] & 0x20 ? 4 : 0;
	length += header[0] & 0x10 ? 4 : 0;
	type = load_be16(header + 2);
	if (type == ETHERTYPE_ERSPAN || type == ETHERTYPE_ERSPAN3)
		return step_erspan(walk, length, type == ETHERTYPE_ERSPAN3 || header[0] & 0x10);
	if (type == ETHERTYPE_ETHERNET)
		return step_to_ethernet(walk, length);
	return step_to_type(walk, length, type);
}

/* RFC 7348: the I flag is set; the reserved ones are ignored (one carries group policies). */
static enum layer
step_vxlan(struct walk *walk)
{
	if (!has(walk, 8) || (walk->frame[walk->at] & 0x08) == 0)
		return LAYER_END;
	return step_to_ethernet(walk, 8);
}

/* RFC 8926. */
static enum layer
step_geneve(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint32_t length;
	uint16_t type;

	if (!has(walk, 8) || header[0] >> 6 != 0)
		return LAYER_END;
	length = 8 + (header[0] & 63u) * 4;
	type = load_be16(header + 2);
	if (type == ETHERTYPE_ETHERNET)
		return step_to_ethernet(walk, length);
	return step_to_type(walk, length, type);
}

/* 3GPP TS 29.281 section 5: version 1, a G-PDU, extension headers in units of four bytes. */
static enum layer
step_gtp_u(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint32_t length = 8;
	uint8_t next;

	if (!has(walk, 12) || (header[0] & 0xf0) != 0x30 || header[1] != 0xff)
		return LAYER_END;
	if ((header[0] & 7) == 0)
		return step_to_ip(walk, length);
	length = 12;
	next = header[0] & 4 ? header[11] : 0;
	for (int i = 0; i < EXTENSIONS_MAX && next != 0; i++) {
		uint32_t extension;

		if (!has(walk, length + 4) || header[length] == 0)
			return LAYER_END;
		extension = header[length] * 4u;
		if (!has(walk, length + extension))
			return LAYER_END;
		next = header[length + extension - 1];
		length += extension;
	}
	return next == 0 ? step_to_ip(walk, length) : LAYER_END;
}

/* RFC 4380 section 5.1.1: authentication, then origin, each optional. */
static enum layer
step_teredo(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint32_t length = 0;

	if (has(walk, 4) && load_be16(header) == 1)
		length = 13u + header[2] + header[3];
	if (has(walk, length + 8) && load_be16(header + length) == 0)
		length += 8;
	if (!has(walk, length + 1) || header[length] >> 4 != 6)
		return LAYER_END;
	return step_to_type(walk, length, ETHERTYPE_IPV6);
}

/* Peers of GTP-U and Teredo answer from its port, those of the others from any. */
static inline bool
may_be_tunnel(uint16_t source, uint16_t destination)
{
	return destination == PORT_VXLAN || destination == PORT_GENEVE ||
	       destination == PORT_VXLAN_LINUX || destination == PORT_GTPU || source == PORT_GTPU ||
	       destination == PORT_TEREDO || source == PORT_TEREDO;
}

static inline enum layer
step_udp(struct walk *walk)
{
	const uint8_t *header = walk->frame + walk->at;
	uint16_t source, destination, length;

	if (!has(walk, UDP_SIZE))
		return LAYER_END;
	source = load_be16(header);
	destination = load_be16(header + 2);
	length = load_be16(header + 4);
	if (!may_be_tunnel(source, destination))
		return LAYER_END;
	walk->end = length ? walk->at + length : 0;
	walk->at += UDP_SIZE;
	switch (destination) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return step_vxlan(walk);
	case PORT_GENEVE:
		return step_geneve(walk);
	default:
		return destination == PORT_GTPU || source == PORT_GTPU ? step_gtp_u(walk)
								       : step_teredo(walk);
	}
}

static inline enum layer
step_transport(struct walk *walk)
{
	if (walk->tunnels++ == PACKET_MAX_TUNNELS) /* the decoder looks no deeper */
		return LAYER_END;
	switch (walk->protocol) {
	case PROTOCOL_IPV4:
		return step_to_type(walk, 0, ETHERTYPE_IPV4);
	case PROTOCOL_UDP:
		return step_udp(walk);
	case PROTOCOL_IPV6:
		return step_to_type(walk, 0, ETHERTYPE_IPV6);
	case PROTOCOL_GRE:
		return step_gre(walk);
	default:
		return LAYER_END;
	}
}

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Twice: the two halves of the result are used for themselves. */
static inline uint64_t
finish(const struct spread_secret *secret, uint64_t word)
{
	return mix(mix(word ^ secret->word[0], secret->word[1]) ^ secret->word[2], secret->word[3]);
}

static inline uint64_t
hash_ordered(const struct spread_secret *secret, uint64_t a, uint64_t b)
{
	uint64_t low = a < b ? a : b;
	uint64_t high = a < b ? b : a;

	return finish(secret, mix(low ^ secret->word[2], high ^ secret->word[1]));
}

static inline uint64_t
hash_ipv4(const struct spread_secret *secret, const uint8_t *pair)
{
	uint32_t a, b;

	memcpy(&a, pair, 4);
	memcpy(&b, pair + 4, 4);
	return finish(secret, a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a);
}

static inline uint64_t
hash_ipv6(const struct spread_secret *secret, const uint8_t *pair)
{
	uint64_t word[4];

	memcpy(word, pair, sizeof(word));
	return hash_ordered(secret, mix(word[0] ^ secret->word[0], word[1] ^ secret->word[3]),
		mix(word[2] ^ secret->word[0], word[3] ^ secret->word[3]));
}

static inline uint64_t
hash_macs(const struct spread_secret *secret, const uint8_t *frame)
{
	uint64_t a = 0, b = 0;

	memcpy(&a, frame, 6);
	memcpy(&b, frame + 6, 6);
	return hash_ordered(secret, a, b);
}

/* Most frames of most ports: IPv4 without options or a tag, and no tunnel. Whether it is a fragment
 * does not matter then: the pair is the same. */
static inline bool
is_plain_ipv4(const uint8_t *frame, uint32_t captured)
{
	const uint8_t *header = frame + ETHERNET_SIZE;

	if (captured < ETHERNET_SIZE + 20 + 4 || load_be16(frame + 12) != ETHERTYPE_IPV4 ||
		header[0] != 0x45)
		return false;
	if (header[9] == PROTOCOL_TCP)
		return true;
	return header[9] == PROTOCOL_UDP &&
	       !may_be_tunnel(load_be16(header + 20), load_be16(header + 22));
}

/* ERSPAN II and VXLAN as usual, over IPv4 without options: most of what mirrors are carried in.
 * Both put the inner frame at one place. */
#define INNER_FRAME (ETHERNET_SIZE + 20 + 8 + 8)

static inline bool
is_usual_tunnel(const uint8_t *frame, uint32_t captured)
{
	const uint8_t *header = frame + ETHERNET_SIZE;
	static const uint8_t gre_erspan_2[4] = {0x10, 0x00, 0x88, 0xbe};

	if (captured < INNER_FRAME || load_be16(frame + 12) != ETHERTYPE_IPV4 ||
		header[0] != 0x45 || (load_be16(header + 6) & 0x1fff) != 0)
		return false;
	if (header[9] == PROTOCOL_GRE)
		return memcmp(header + 20, gre_erspan_2, sizeof(gre_erspan_2)) == 0 &&
		       header[28] >> 4 == 1;
	return header[9] == PROTOCOL_UDP && load_be16(header + 22) == PORT_VXLAN &&
	       (header[28] & 0x08) != 0 && captured >= INNER_FRAME + ETHERNET_SIZE + 4 &&
	       INNER_FRAME + ETHERNET_SIZE + load_be16(frame + INNER_FRAME + ETHERNET_SIZE + 2) <=
		       ETHERNET_SIZE + 20 + load_be16(header + 24);
}

static struct spread_hash
walk_and_hash(const struct spread_secret *secret, const uint8_t *frame, uint32_t captured)
{
	struct walk walk = {.frame = frame, .size = captured, .basis = SPREAD_MACS};
	enum layer layer = LAYER_ETHERNET;

	for (int i = 0; i < LAYERS_MAX && layer != LAYER_END; i++) {
		if (layer == LAYER_ETHERNET)
			layer = step_ethernet(&walk);
		else if (layer == LAYER_TYPED)
			layer = step_typed(&walk);
		else
			layer = step_transport(&walk);
	}
	if (walk.basis == SPREAD_IPV4)
		return (struct spread_hash){hash_ipv4(secret, walk.pair), SPREAD_IPV4};
	if (walk.basis == SPREAD_IPV6)
		return (struct spread_hash){hash_ipv6(secret, walk.pair), SPREAD_IPV6};
	return (struct spread_hash){hash_macs(secret, frame), SPREAD_MACS};
}

struct spread_hash
spread_hash(const struct spread_secret *secret, const uint8_t *frame, uint32_t captured)
{
	if (is_plain_ipv4(frame, captured))
		return (struct spread_hash){
			hash_ipv4(secret, frame + ETHERNET_SIZE + 12), SPREAD_IPV4};
	if (is_usual_tunnel(frame, captured) &&
		is_plain_ipv4(frame + INNER_FRAME, captured - INNER_FRAME))
		return (struct spread_hash){
			hash_ipv4(secret, frame + INNER_FRAME + ETHERNET_SIZE + 12), SPREAD_IPV4};
	if (captured < ETHERNET_SIZE)
		return (struct spread_hash){0, SPREAD_NOTHING};
	return walk_and_hash(secret, frame, captured);
}
