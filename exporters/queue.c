/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	size_t capacity;
	size_t head; /* next to take */
	size_t count;
	size_t wanted;            /* worth waking a consumer for */
	size_t consumers_waiting; /* signals are system calls: sent only to somebody */
	size_t producers_waiting;
	bool closed;
	void *items[];
};

struct queue *
queue_create(size_t capacity)
{
	struct queue *queue;
	pthread_condattr_t monotonic;

	if (capacity == 0)
		capacity = 1;
	queue = calloc(1, sizeof(*queue) + capacity * sizeof(queue->items[0]));
	if (queue == NULL)
		return NULL;
	queue->capacity = capacity;
	queue->wanted = 1;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->not_empty, &monotonic);
	pthread_cond_init(&queue->not_full, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return queue;
}

void
queue_gather(struct queue *queue, size_t count)
{
	pthread_mutex_lock(&queue->lock);
	queue->wanted = count < queue->capacity ? count : queue->capacity;
	pthread_mutex_unlock(&queue->lock);
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	pthread_cond_destroy(&queue->not_full);
	pthread_cond_destroy(&queue->not_empty);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* With the lock held and room for one. */
static void
append(struct queue *queue, void *item)
{
	size_t tail = queue->head + queue->count;

	queue->items[tail < queue->capacity ? tail : tail - queue->capacity] = item;
	queue->count++;
	if (queue->consumers_waiting > 0 && queue->count >= queue->wanted)
		pthread_cond_signal(&queue->not_empty);
}

bool
queue_try_push(struct queue *queue, void *item)
{
	bool pushed;

	pthread_mutex_lock(&queue->lock);
	pushed = !queue->closed && queue->count < queue->capacity;
	if (pushed)
		append(queue, item);
	pthread_mutex_unlock(&queue->lock);
	return pushed;
}

static void
deadline_in(int timeout_ms, struct timespec *deadline)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += timeout_ms / 1000;
	deadline->tv_nsec += (timeout_ms % 1000) * 1000000L;
	if (deadline->tv_nsec >= 1000000000L) {
		deadline->tv_nsec -= 1000000000L;
		deadline->tv_sec++;
	}
}

static void
wait_for_items(struct queue *queue, int timeout_ms)
{
	struct timespec deadline;
	int expired = 0;

	deadline_in(timeout_ms, &deadline);
	while (queue->count < queue->wanted && !queue->closed && !expired) {
		queue->consumers_waiting++;
		expired = pthread_cond_timedwait(&queue->not_empty, &queue->lock, &deadline);
		queue->consumers_waiting--;
	}
}

bool
queue_push(struct queue *queue, void *item, int timeout_ms)
{
	struct timespec deadline;
	int expired = 0;
	bool pushed;

	deadline_in(timeout_ms, &deadline);
	pthread_mutex_lock(&queue->lock);
	while (!queue->closed && queue->count == queue->capacity && !expired) {
		queue->producers_waiting++;
		expired = pthread_cond_timedwait(&queue->not_full, &queue->lock, &deadline);
		queue->producers_waiting--;
	}
	pushed = !queue->closed && queue->count < queue->capacity;
	if (pushed)
		append(queue, item);
	pthread_mutex_unlock(&queue->lock);
	return pushed;
}

size_t
queue_pop(struct queue *queue, void **items, size_t max, int timeout_ms)
{
	size_t taken = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->count < queue->wanted && !queue->closed && timeout_ms > 0)
		wait_for_items(queue, timeout_ms);
	while (taken < max && queue->count > 0) {
		items[taken++] = queue->items[queue->head];
		queue->head = queue->head + 1 < queue->capacity ? queue->head + 1 : 0;
		queue->count--;
	}
	if (taken > 0 && queue->producers_waiting > 0)
		pthread_cond_broadcast(&queue->not_full);
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

void
queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->not_empty);
	pthread_cond_broadcast(&queue->not_full);
	pthread_mutex_unlock(&queue->lock);
}

bool
queue_is_closed(struct queue *queue)
{
	bool closed;

	pthread_mutex_lock(&queue->lock);
	closed = queue->closed;
	pthread_mutex_unlock(&queue->lock);
	return closed;
}

size_t
queue_depth(struct queue *queue)
{
	size_t count;

	pthread_mutex_lock(&queue->lock);
	count = queue->count;
	pthread_mutex_unlock(&queue->lock);
	return count;
}
