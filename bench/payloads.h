/* SPDX-License-Identifier: Apache-2.0 */
/* A message for every classifier, such as its protocol sends most: what it costs to read one. */
#ifndef CAMSPAN_BENCH_PAYLOADS_H
#define CAMSPAN_BENCH_PAYLOADS_H

#include "classifiers/classifier.h"

struct payload {
	const struct classifier *classifier;
	uint16_t source_port;
	uint16_t destination_port;
	bool from_device; /* sent by the camera: the responder of a TCP connection */
	const void *bytes;
	uint32_t length;
};

extern const struct payload payloads[];
extern const size_t payload_count;

/* NULL when there is none: a test fails then. */
const struct payload *payload_of(const struct classifier *classifier);
/* The packet that brings it: camera 10.0.0.5, other side 10.0.0.7. */
struct packet payload_packet(const struct payload *payload);
/* As the first call of a flow; `scratch` is zeroed here and holds CLASSIFIER_SCRATCH_MAX. */
enum classifier_verdict payload_inspect(const struct payload *payload, const struct packet *packet,
	void *scratch, const struct report_sink *sink);

#endif
