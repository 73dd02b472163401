/* SPDX-License-Identifier: Apache-2.0 */
/* General protocol detection by nDPI, for flows that no classifier of ours owns. dpi.c is the only
 * file that knows nDPI's headers.
 *
 * A module belongs to one worker: every call but create and free comes from that worker's thread.
 * After create, neither flows nor what nDPI keeps of them come from libc while the module's own
 * memory lasts; when it does not, nDPI gets libc memory (it does not hold for NULL everywhere) and
 * `memory_fallbacks` counts it. nDPI releases from 5.0 on offer other hooks: there it uses libc. */
#ifndef CAMSPAN_DPI_H
#define CAMSPAN_DPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DPI_NAME_SIZE 24 /* as flow_record.application_name */

struct dpi;
struct dpi_flow;

enum dpi_verdict {
	DPI_WORKING, /* give it the flow's next packet */
	DPI_DONE,    /* `result` is final; detach the flow */
};

struct dpi_result {
	uint16_t protocol; /* nDPI's id of the protocol spoken (not of a service inside), 0 unknown
			    */
	char name[DPI_NAME_SIZE]; /* nDPI's name in lower case, "" unknown */
};

/* Cumulative but for flows_in_use and memory_in_use. */
struct dpi_counters {
	uint64_t packets;
	uint64_t detected;
	uint64_t gave_up;      /* nothing found in max_packets, or until the flow ended */
	uint64_t flows_in_use; /* attached now */
	uint64_t flows_refused;
	uint64_t memory_in_use; /* bytes of the module's own memory, rounded up as handed out */
	uint64_t memory_fallbacks;
};

/* `flows_max` flows at a time, each inspected for at most `max_packets` packets (both at least 1).
 * Takes 20 ms and some 10 MB; calls from several threads queue up. Returns NULL with a line in the
 * log when memory is short or nDPI is not the release that was compiled against. */
struct dpi *dpi_create(uint32_t flows_max, uint16_t max_packets);
/* Detaches every flow. The worker has stopped; any thread may call it. */
void dpi_free(struct dpi *dpi);

/* A handle for a new flow, or NULL (counted) when all are in use. */
struct dpi_flow *dpi_attach(struct dpi *dpi);
/* Gives nDPI one packet from its IP header on: `length` captured bytes, of which those behind the
 * first 64 KiB are ignored. `result` is written with DPI_DONE only. */
enum dpi_verdict dpi_inspect(struct dpi *dpi, struct dpi_flow *flow, const uint8_t *ip,
	uint32_t length, int64_t time, bool from_initiator, struct dpi_result *result);
/* For a flow that ends while DPI_WORKING: what nDPI makes of what it saw, without guesses by port
 * or address. */
void dpi_conclude(struct dpi *dpi, struct dpi_flow *flow, struct dpi_result *result);
/* Returns the handle; NULL is ignored. */
void dpi_detach(struct dpi *dpi, struct dpi_flow *flow);

/* nDPI's name of a protocol in lower case, "" for 0. */
void dpi_name(const struct dpi *dpi, uint16_t protocol, char name[DPI_NAME_SIZE]);

struct dpi_counters dpi_counters(const struct dpi *dpi);

#endif
