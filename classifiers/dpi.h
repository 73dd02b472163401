/* SPDX-License-Identifier: Apache-2.0 */
/* General protocol inspection by nDPI: one module per worker, flows from a pool, memory bounded. */
#ifndef CAMSPAN_DPI_H
#define CAMSPAN_DPI_H

#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dpi;
struct dpi_flow;

enum dpi_verdict { DPI_MORE, DPI_DONE };

/* A module for one worker with room for `flows` under inspection. Call at start, one at a time (nDPI's
 * initialisation is not reentrant; a mutex inside makes it safe). NULL when memory is short. */
struct dpi *dpi_create(uint32_t flows);
void dpi_free(struct dpi *dpi); /* NULL is allowed */

/* NULL when the pool is empty (counted). */
struct dpi_flow *dpi_flow_begin(struct dpi *dpi);
/* One packet with payload of a TCP or UDP flow. The caller caps the number of calls. */
enum dpi_verdict dpi_inspect(struct dpi *dpi, struct dpi_flow *flow, const struct packet *packet,
	bool from_initiator);
/* Gives up guessing, returns the protocol id (0 unknown) and gives the flow back. */
uint16_t dpi_flow_end(struct dpi *dpi, struct dpi_flow *flow);

/* nDPI's name of a protocol in lower case, "" for 0; for any thread that may read the worker's module
 * while it runs: names do not change after creation. */
void dpi_name(const struct dpi *dpi, uint16_t protocol, char *name, size_t size);
void dpi_health(const struct dpi *dpi, struct health_record *health);

#endif
