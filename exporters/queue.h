/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of pointers between threads. Safe for any number of either; made for one
 * producer (control) and one consumer (an export thread). */
#ifndef CAMSPAN_EXPORTERS_QUEUE_H
#define CAMSPAN_EXPORTERS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

/* `capacity` is at least 1. Returns NULL when memory is short. */
struct queue *queue_create(size_t capacity);
/* From now on queue_pop() waits for `count` items (at least 1; a full queue is enough) instead of
 * one, within its time: where throughput matters more than delay, a wake-up for each item costs
 * more than the item. */
void queue_gather(struct queue *queue, size_t count);
/* No thread may use it any more. Items that are left are the caller's to take out before. */
void queue_free(struct queue *queue);
/* False: full (or closed). */
bool queue_try_push(struct queue *queue, void *item);
/* Waits up to `timeout_ms` for room. False: there is still none, or closed. */
bool queue_push(struct queue *queue, void *item, int timeout_ms);
/* Takes up to `max` items in order; waits up to `timeout_ms` for the first, or for as many
 * as queue_gather() says. Returns their number: 0 on time-out, or when closed and empty. */
size_t queue_pop(struct queue *queue, void **items, size_t max, int timeout_ms);
/* No push succeeds from now on; what is inside can still be taken. Wakes everyone. */
void queue_close(struct queue *queue);
bool queue_is_closed(struct queue *queue);
size_t queue_depth(struct queue *queue);

#endif
