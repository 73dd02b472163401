/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses whose connections policy wants to hear of early. Built by the control thread, read
 * by workers as an immutable snapshot; the publisher frees an old one after the workers'
 * quiescence. */
#ifndef CAMSPAN_WATCH_H
#define CAMSPAN_WATCH_H

#include "dataplane/records/address.h"

struct watch_set;

/* Room for `capacity` addresses. NULL when memory is short. */
struct watch_set *watch_set_create(uint32_t capacity);
void watch_set_free(struct watch_set *set);
/* Adding an address twice is harmless; one over the capacity is not added. */
void watch_set_add(struct watch_set *set, uint32_t tenant, const struct ip_address *ip);
/* The address is two words, as workers have it in flow keys. */
bool watch_set_has(
	const struct watch_set *set, uint32_t tenant, uint8_t family, const uint64_t words[2]);
bool watch_set_equal(const struct watch_set *a, const struct watch_set *b);
uint32_t watch_set_count(const struct watch_set *set);

#endif
