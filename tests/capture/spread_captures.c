/* SPDX-License-Identifier: Apache-2.0 */
/* The hash that spreads packets among workers against the decoder, on every labelled capture: all
 * packets that the decoder takes for one pair of hosts have one hash, so that a flow never has two
 * workers, whatever it is carried in. */
#include "dataplane/capture.h"
#include "dataplane/decode.h"
#include "dataplane/inspect.h"
#include "dataplane/spread_hash.h"
#include "tests/unit/captures.h"

#include <inttypes.h>

#define EXIT_SKIPPED 77
#define PAIRS_MAX    (1u << 16) /* of one file; a power of two */

/* What the decoder found, the same for both directions. */
struct pair {
	uint8_t used;
	uint8_t family;  /* enum packet_l3 */
	uint8_t tunnels; /* around it: a carrier is not what it carries */
	uint8_t low[16];
	uint8_t high[16];
	uint64_t hash;
};

struct sums {
	uint64_t packets;   /* of hosts, on Ethernet */
	uint64_t inside;    /* of them in a tunnel */
	uint64_t by_inside; /* of those, by what is inside */
	uint64_t scattered; /* packets whose hash is not that of their pair */
	unsigned files;
};

static const struct spread_secret secret = {
	{0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0x27d4eb2f165667c5}};

static struct pair *
find(struct pair *pairs, const struct packet *packet)
{
	struct pair wanted = {
		.used = 1, .family = packet->l3_kind, .tunnels = packet->tunnel_count};
	size_t size = packet->l3_kind == PACKET_L3_IPV4 ? 4 : 16;
	bool swap = memcmp(packet->source.bytes, packet->destination.bytes, size) > 0;
	uint64_t at = 14695981039346656037u;

	memcpy(swap ? wanted.high : wanted.low, packet->source.bytes, size);
	memcpy(swap ? wanted.low : wanted.high, packet->destination.bytes, size);
	for (size_t i = 0; i < offsetof(struct pair, hash); i++)
		at = (at ^ ((const uint8_t *)&wanted)[i]) * 1099511628211u;
	for (;; at++) {
		struct pair *pair = &pairs[(at ^ at >> 29) & (PAIRS_MAX - 1)];

		if (!pair->used)
			*pair = wanted;
		else if (memcmp(pair, &wanted, offsetof(struct pair, hash)) != 0)
			continue;
		return pair;
	}
}

/* The addresses that the hash should be of, by a frame of nothing but them. */
static uint64_t
hash_of_pair(const struct packet *packet)
{
	uint8_t frame[64] = {[12] = 0x08, [14] = 0x45};
	unsigned length = 34;

	if (packet->l3_kind == PACKET_L3_IPV4) {
		memcpy(frame + 26, packet->source.bytes, 4);
		memcpy(frame + 30, packet->destination.bytes, 4);
	} else {
		frame[12] = 0x86;
		frame[13] = 0xdd;
		frame[14] = 0x60;
		frame[20] = 59;
		memcpy(frame + 22, packet->source.bytes, 16);
		memcpy(frame + 38, packet->destination.bytes, 16);
		length = 54;
	}
	return spread_hash(&secret, frame, length).value;
}

static void
check(const struct packet *packet, uint64_t hash, struct pair *pairs, unsigned *known,
	struct sums *sums)
{
	struct pair *pair;

	if (*known == PAIRS_MAX / 2)
		return;
	pair = find(pairs, packet);
	if (pair->hash == 0) {
		pair->hash = hash;
		(*known)++;
	}
	sums->packets++;
	sums->inside += packet->tunnel_count > 0;
	sums->by_inside += packet->tunnel_count > 0 && hash == hash_of_pair(packet);
	sums->scattered += pair->hash != hash;
}

static void
run_file(const struct capture_label *label, const struct decode_options *options,
	struct pair *pairs, struct sums *sums)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(label->path, error);
	uint64_t scattered = sums->scattered;
	struct frame_view captured;
	unsigned known = 0;

	if (capture == NULL)
		return;
	memset(pairs, 0, PAIRS_MAX * sizeof(*pairs));
	while (capture_burst(capture, &captured, 1) == 1) {
		struct packet packet = {.data = captured.data,
			.captured = captured.captured,
			.wire_length = captured.wire_length,
			.time = captured.time};
		struct spread_hash hash;

		if (captured.link != LINK_ETHERNET)
			continue;
		hash = spread_hash(&secret, captured.data, captured.captured);
		if (decode_packet(&packet, LINK_ETHERNET, options) == PACKET_DECODED &&
			(packet.l3_kind == PACKET_L3_IPV4 || packet.l3_kind == PACKET_L3_IPV6))
			check(&packet, hash.value, pairs, &known, sums);
	}
	capture_close(capture);
	sums->files++;
	if (sums->scattered > scattered)
		printf("%s: %" PRIu64 " packets are not where their pair is\n", label->name,
			sums->scattered - scattered);
}

int
main(void)
{
	struct pair *pairs = calloc(PAIRS_MAX, sizeof(*pairs));
	struct decode_options options = {0};
	struct capture_label label;
	struct sums sums = {0};
	char line[4096];
	FILE *list;

	if (!captures_find("labels.tsv", line, sizeof(line)))
		return EXIT_SKIPPED;
	list = fopen(line, "r");
	if (list == NULL || pairs == NULL || inspector_ethertypes(&options) != 0)
		return 1;
	while (fgets(line, sizeof(line), list))
		if (capture_label_parse(line, &label))
			run_file(&label, &options, pairs, &sums);
	fclose(list);
	free(pairs);
	printf("%u files, %" PRIu64 " packets, %" PRIu64 " in tunnels (%" PRIu64
	       " by what is inside), %" PRIu64 " scattered\n",
		sums.files, sums.packets, sums.inside, sums.by_inside, sums.scattered);
	return sums.scattered > 0 || sums.files == 0;
}
