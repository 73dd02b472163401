/* SPDX-License-Identifier: Apache-2.0 */
/* Every entry of classifier_table against the input: as datagrams or as a TCP stream in chunks,
 * with gaps, both directions and missing ends, under the buffering rules of classifier.h. Each
 * chunk is read from a block of its exact size. */
#include "classifiers/classifier.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_HEADER 2 /* flags, length */
#define FLAG_GAP     1
#define FLAG_REPLY   2
#define FLAG_MISSING 4
#define FLAG_LONG    8

struct direction {
	uint8_t *kept;
	size_t length;
	uint64_t skip;
	bool gap;
};

static bool
check_evidence(void *context, const struct evidence *evidence)
{
	(void)context;
	if (evidence->attribute >= ATTRIBUTE_COUNT ||
		evidence->value_length >= EVIDENCE_VALUE_SIZE ||
		strnlen(evidence->value, EVIDENCE_VALUE_SIZE) != evidence->value_length)
		abort();
	return true;
}

static void
check_media(void *context, const struct stream_media *media)
{
	(void)context;
	if (memchr(media->path, 0, sizeof(media->path)) == NULL)
		abort();
}

static void
ignore_sample(void *context, const struct stream_sample *sample)
{
	(void)context;
	(void)sample;
}

static const struct report_sink sink = {NULL, check_evidence, check_media, ignore_sample};

static void
set_packet(struct packet *packet, const struct classifier *classifier, bool reply, int64_t time)
{
	static const uint8_t a[4] = {10, 0, 0, 1}, b[4] = {10, 0, 0, 2};
	uint16_t port = classifier->match[0].ports[0] ? classifier->match[0].ports[0] : 5004;

	memset(packet, 0, sizeof(*packet));
	packet->time = time;
	packet->flags = PACKET_HAS_MACS;
	packet->source = ip_from_ipv4(reply ? b : a);
	packet->destination = ip_from_ipv4(reply ? a : b);
	packet->source_port = reply ? port : 40000;
	packet->destination_port = reply ? 40000 : port;
	packet->source_mac.bytes[5] = packet->destination_mac.bytes[0] = 2;
}

/* Adds a chunk to what a stream direction kept; skipped bytes never reach the buffer. */
static void
append(struct direction *side, const uint8_t *chunk, size_t length)
{
	size_t skipped = side->skip < length ? (size_t)side->skip : length;
	uint8_t *joined;

	side->skip -= skipped;
	length -= skipped;
	if (side->length + length > STREAM_BUFFER_SIZE) {
		side->length = 0;
		side->gap = true;
	}
	joined = malloc(side->length + length + 1);
	if (joined == NULL)
		abort();
	if (side->length)
		memcpy(joined, side->kept, side->length);
	memcpy(joined + side->length, chunk + skipped, length);
	free(side->kept);
	side->kept = joined;
	side->length += length;
	/* The spare byte of the allocation must not hide a read too far. */
	side->kept = realloc(joined, side->length ? side->length : 1);
}

static void
consume(struct direction *side, uint32_t consumed)
{
	size_t taken = consumed < side->length ? consumed : side->length;

	side->skip += consumed - taken;
	side->length -= taken;
	memmove(side->kept, side->kept + taken, side->length);
	side->kept = realloc(side->kept, side->length ? side->length : 1);
}

static enum classifier_verdict
offer(const struct classifier *classifier, void *scratch, struct direction *side,
	const struct packet *packet, uint8_t flags, bool stream)
{
	struct inspection in = {
		.data = side->length ? side->kept : NULL,
		.length = (uint32_t)side->length,
		.missing = flags & FLAG_MISSING ? 100 : 0,
		.packet = packet,
		.from_initiator = !(flags & FLAG_REPLY),
		.stream = stream,
		.gap = stream && side->gap,
		.wire_bytes = side->length + 54,
	};
	enum classifier_verdict verdict = classifier->inspect(&in, scratch, &sink);

	side->gap = false;
	if (stream)
		consume(side, in.consumed);
	else
		side->length = 0;
	return verdict;
}

static void
run_flow(const struct classifier *classifier, const uint8_t *data, size_t size)
{
	bool stream = classifier->match[0].layer == MATCH_TCP;
	struct direction sides[2] = {{0}, {0}};
	struct packet packet;
	void *scratch = calloc(1, classifier->scratch_size ? classifier->scratch_size : 1);
	enum classifier_verdict verdict = CLASSIFIER_MORE;
	int64_t time = 1;

	while (size > CHUNK_HEADER && verdict == CLASSIFIER_MORE) {
		uint8_t flags = data[0];
		size_t length = (size_t)data[1] * (flags & FLAG_LONG ? 16 : 1);
		struct direction *side = &sides[!!(flags & FLAG_REPLY)];

		length = length < size - CHUNK_HEADER ? length : size - CHUNK_HEADER;
		if (stream && flags & FLAG_GAP) {
			side->length = 0;
			side->skip = 0;
			side->gap = true;
		}
		set_packet(&packet, classifier, flags & FLAG_REPLY, time += 10000000);
		if (!stream)
			side->skip = 0;
		append(side, data + CHUNK_HEADER, length);
		packet.data = side->kept;
		packet.captured = packet.wire_length = (uint32_t)side->length;
		packet.payload_length = (uint16_t)side->length;
		packet.payload_wire_length = packet.payload_length;
		if (side->length > 0 || side->gap)
			verdict = offer(classifier, scratch, side, &packet, flags, stream);
		data += CHUNK_HEADER + length;
		size -= CHUNK_HEADER + length;
	}
	if (classifier->finish && verdict != CLASSIFIER_NOT_MINE)
		classifier->finish(scratch, &sink);
	free(scratch);
	free(sides[0].kept);
	free(sides[1].kept);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < classifier_count; i++)
		run_flow(classifier_table[i], data, size);
	return 0;
}
