/* SPDX-License-Identifier: Apache-2.0 */
/* Every classifier over a message of its own, the search for candidates, and the meter that looks
 * at every packet of a video. */
#include "bench/micro_suites.h"
#include "bench/payloads.h"
#include "classifiers/dispatch.h"
#include "classifiers/dpi.h"
#include "classifiers/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DPI_FLOWS 64

struct classifier_case {
	const struct payload *payload;
	struct rig *rig;
	char name[48];
};

static bool
take_evidence(void *context, const struct evidence *evidence)
{
	(void)context;
	micro_use(evidence);
	return true;
}

static void
take_media(void *context, const struct stream_media *media)
{
	(void)context;
	micro_use(media);
}

static void
take_sample(void *context, const struct stream_sample *sample)
{
	(void)context;
	micro_use(sample);
}

static const struct report_sink sink = {NULL, take_evidence, take_media, take_sample};

static void
run_classifier(struct micro_loop *loop, const void *argument)
{
	const struct classifier_case *test = argument;
	struct packet packet = payload_packet(test->payload);
	uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64)));

	if (payload_inspect(test->payload, &packet, scratch, &sink) == CLASSIFIER_NOT_MINE) {
		micro_skip(loop, "declines its own message");
		return;
	}
	while (micro_next(loop, 1)) {
		payload_inspect(test->payload, &packet, scratch, &sink);
		micro_use(scratch);
	}
}

/* Bytes that are nobody's: every candidate must decline. */
static void
run_dispatch(struct micro_loop *loop, const void *argument)
{
	const struct classifier_case *test = argument;
	static const uint8_t noise[18] = {0x4f, 0x11, 0x92, 0x3c, 0x5d};
	uint32_t candidates = 0;

	while (micro_next(loop, 1)) {
		candidates += dispatch_candidates(
			test->rig->dispatch, MATCH_UDP, 50000, 50001, noise, sizeof(noise));
		micro_use(&candidates);
	}
}

/* A confirmed stream: 16 packets a picture, 25 pictures a second. */
static void
run_meter(struct micro_loop *loop, const void *argument)
{
	const struct classifier_case *test = argument;
	struct packet packet = payload_packet(test->payload);
	uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64))) = {0};
	uint8_t bytes[1200];
	uint32_t number = 0;
	struct inspection in = {
		.data = bytes,
		.length = test->payload->length,
		.packet = &packet,
		.from_initiator = true,
		.wire_bytes = 1200,
	};

	memcpy(bytes, test->payload->bytes, test->payload->length);
	while (micro_next(loop, 1)) {
		uint32_t timestamp = __builtin_bswap32(number / 16 * 3600 + 1);
		uint16_t sequence = __builtin_bswap16((uint16_t)number);
		bool first = number % 16 == 0, last = number % 16 == 15;

		memcpy(bytes + 2, &sequence, sizeof(sequence));
		memcpy(bytes + 4, &timestamp, sizeof(timestamp));
		bytes[1] = last ? 0xe0 : 0x60;
		bytes[13] = (uint8_t)(first ? 0x81 : last ? 0x41 : 0x01);
		packet.time += 2500000;
		number++;
		test->payload->classifier->inspect(&in, scratch, &sink);
	}
}

/* nDPI's look at the first payload of a TLS connection, as the daemon shows it. */
static void
run_dpi(struct micro_loop *loop, const void *argument)
{
	const struct classifier_case *test = argument;
	struct dpi *dpi = dpi_create(DPI_FLOWS, 8);
	uint8_t ip[256] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 7, 10, 0, 0, 5, 0x9c,
		0x40, 0x01, 0xbb};
	uint32_t length = 40 + test->payload->length;
	struct dpi_result result;

	if (dpi == NULL || length > sizeof(ip)) {
		micro_skip(loop, "nDPI does not start");
		dpi_free(dpi);
		return;
	}
	ip[3] = (uint8_t)length;
	ip[32] = 0x50;
	ip[33] = 0x18;
	memcpy(ip + 40, test->payload->bytes, test->payload->length);
	while (micro_next(loop, 1)) {
		struct dpi_flow *flow = dpi_attach(dpi);

		dpi_inspect(dpi, flow, ip, length, INT64_C(1700000000000000000), true, &result);
		dpi_detach(dpi, flow);
	}
	dpi_free(dpi);
}

void
micro_add_classifiers(const struct micro_lab *lab)
{
	static struct classifier_case cases[32], dispatch, meter, general;

	for (size_t i = 0; i < classifier_count; i++) {
		cases[i] = (struct classifier_case){payload_of(classifier_table[i]), lab->rig, ""};
		snprintf(cases[i].name, sizeof(cases[i].name), "classifier/%s",
			classifier_table[i]->name);
		if (cases[i].payload)
			micro_add(cases[i].name, run_classifier, &cases[i]);
	}
	meter = (struct classifier_case){payload_of(&classifier_rtp), lab->rig, ""};
	micro_add("classifier/rtp_established", run_meter, &meter);
	dispatch = (struct classifier_case){NULL, lab->rig, ""};
	micro_add("dispatch/candidates", run_dispatch, &dispatch);
	general = (struct classifier_case){payload_of(&classifier_tls), lab->rig, ""};
	micro_add("ndpi/tls_first_payload", run_dpi, &general);
}
