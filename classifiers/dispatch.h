/* SPDX-License-Identifier: Apache-2.0 */
/* Which classifiers may own a packet: a mask by port, ethertype and first bytes, built once from
 * the table and read by every worker. */
#ifndef CAMSPAN_DISPATCH_H
#define CAMSPAN_DISPATCH_H

#include "classifiers/classifier.h"

struct dispatch;

/* Returns NULL when memory is short or the table breaks a limit of classifier.h (logged). */
struct dispatch *dispatch_create(void);
/* The same for another table of at most 32 descriptors, which must outlive the result. */
struct dispatch *dispatch_create_for(const struct classifier *const *table, size_t count);
void dispatch_free(struct dispatch *dispatch);
/* Bit n stands for classifier_table[n]. Costs two table reads and a few compares. */
uint32_t dispatch_candidates(const struct dispatch *dispatch, enum match_layer layer,
	uint16_t source_port, uint16_t destination_port, const uint8_t *data, uint32_t length);
uint32_t dispatch_ethertype(const struct dispatch *dispatch, uint16_t ethertype);

#endif
