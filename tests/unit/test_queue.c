/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/monotonic.h"
#include "exporters/queue.h"
#include "exporters/shared_event.h"
#include "tests/unit/sample_events.h"
#include "tests/unit/unit.h"

#include <pthread.h>

#define ITEMS       200000
#define CAPACITY    64
#define PATIENCE_MS 30000
#define PRODUCERS   3

static void *
item(uintptr_t number)
{
	return (void *)number;
}

static void
test_order_and_bound(void)
{
	struct queue *queue = queue_create(3);
	void *items[8];

	for (int round = 0; round < 5; round++) { /* wraps around */
		CU_ASSERT_TRUE(queue_try_push(queue, item(1)));
		CU_ASSERT_TRUE(queue_try_push(queue, item(2)));
		CU_ASSERT_TRUE(queue_try_push(queue, item(3)));
		CU_ASSERT_FALSE(queue_try_push(queue, item(4)));
		CU_ASSERT_EQUAL(queue_depth(queue), 3);
		CU_ASSERT_EQUAL(queue_pop(queue, items, 2, 0), 2);
		CU_ASSERT_PTR_EQUAL(items[0], item(1));
		CU_ASSERT_TRUE(queue_try_push(queue, item(4)));
		CU_ASSERT_EQUAL(queue_pop(queue, items, 8, 0), 2);
		CU_ASSERT_PTR_EQUAL(items[0], item(3));
		CU_ASSERT_PTR_EQUAL(items[1], item(4));
	}
	queue_free(queue);
}

static void
test_pop_times_out(void)
{
	struct queue *queue = queue_create(1);
	int64_t start = monotonic_now();
	void *items[1];

	CU_ASSERT_EQUAL(queue_pop(queue, items, 1, 30), 0);
	CU_ASSERT_TRUE(monotonic_now() - start >= 29 * NANOSECONDS_PER_MILLISECOND);
	queue_free(queue);
}

static void
test_closed_queue_gives_what_is_inside(void)
{
	struct queue *queue = queue_create(2);
	void *items[2];

	queue_try_push(queue, item(1));
	queue_close(queue);
	CU_ASSERT_FALSE(queue_push(queue, item(2), PATIENCE_MS));
	CU_ASSERT_FALSE(queue_try_push(queue, item(2)));
	CU_ASSERT_EQUAL(queue_pop(queue, items, 2, 10000), 1);
	CU_ASSERT_EQUAL(queue_pop(queue, items, 2, 10000), 0); /* at once */
	queue_free(queue);
}

static void *
push_many(void *argument)
{
	for (uintptr_t i = 1; i <= ITEMS; i++)
		if (!queue_push(argument, item(i), PATIENCE_MS))
			return item(1);
	return NULL;
}

static void
test_threads_lose_nothing(void)
{
	struct queue *queue = queue_create(CAPACITY);
	pthread_t producers[PRODUCERS];
	uint64_t sum = 0, count = 0;
	void *items[16];

	for (int i = 0; i < PRODUCERS; i++)
		pthread_create(&producers[i], NULL, push_many, queue);
	while (count < (uint64_t)PRODUCERS * ITEMS) {
		size_t taken = queue_pop(queue, items, 16, 10000);

		CU_ASSERT_TRUE_FATAL(taken > 0);
		for (size_t i = 0; i < taken; i++)
			sum += (uintptr_t)items[i];
		count += taken;
	}
	for (int i = 0; i < PRODUCERS; i++) {
		void *failed;

		pthread_join(producers[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	CU_ASSERT_EQUAL(sum, (uint64_t)PRODUCERS * ITEMS * (ITEMS + 1) / 2);
	queue_free(queue);
}

static void *
push_until_closed(void *argument)
{
	while (queue_push(argument, item(1), PATIENCE_MS))
		;
	return NULL;
}

static void
test_push_ends_without_room(void)
{
	struct queue *queue = queue_create(1);
	void *items[1];

	CU_ASSERT_TRUE(queue_push(queue, item(1), 0));
	CU_ASSERT_FALSE(queue_push(queue, item(2), 20));
	CU_ASSERT_EQUAL(queue_pop(queue, items, 1, 0), 1);
	CU_ASSERT_TRUE(queue_push(queue, item(3), 20));
	queue_free(queue);
}

static void *
push_two(void *argument)
{
	CU_ASSERT_TRUE(queue_try_push(argument, item(1)));
	CU_ASSERT_TRUE(queue_try_push(argument, item(2)));
	return NULL;
}

static void
test_gathers_before_it_wakes(void)
{
	struct queue *queue = queue_create(2);
	pthread_t producer;
	void *items[8];

	queue_gather(queue, 8); /* as many as it holds */
	CU_ASSERT_TRUE(queue_try_push(queue, item(1)));
	CU_ASSERT_EQUAL(queue_pop(queue, items, 8, 20), 1); /* its time is over */
	pthread_create(&producer, NULL, push_two, queue);
	CU_ASSERT_EQUAL(queue_pop(queue, items, 8, PATIENCE_MS), 2);
	pthread_join(producer, NULL);
	CU_ASSERT_TRUE(queue_try_push(queue, item(3)));
	queue_close(queue);
	CU_ASSERT_EQUAL(queue_pop(queue, items, 8, PATIENCE_MS), 1); /* no more will come */
	queue_free(queue);
}

static void
test_close_wakes_a_producer(void)
{
	struct queue *queue = queue_create(1);
	pthread_t producer;
	void *items[1];

	pthread_create(&producer, NULL, push_until_closed, queue);
	CU_ASSERT_EQUAL(queue_pop(queue, items, 1, 10000), 1);
	queue_close(queue);
	pthread_join(producer, NULL);
	queue_free(queue);
}

static void
test_shared_events_carry_copies(void)
{
	struct device_record device = sample_device(4);
	struct event event = {EVENT_DEVICE, SAMPLE_TIME, .device = &device};
	struct exported_event *shared = shared_event_create(&event, "run-device-9", 9, "{}", 2, 2);

	memset(&device, 0, sizeof(device));
	CU_ASSERT_PTR_NOT_NULL_FATAL(shared);
	CU_ASSERT_STRING_EQUAL(shared->device->hostname, "camera-12");
	CU_ASSERT_STRING_EQUAL(shared->key, "0000000000000005");
	CU_ASSERT_STRING_EQUAL(shared->id, "run-device-9");
	CU_ASSERT_STRING_EQUAL(shared->json, "{}");
	CU_ASSERT_EQUAL(shared->sequence, 9);
	shared_event_release(shared);
	CU_ASSERT_STRING_EQUAL(shared->json, "{}"); /* the other owner's */
	shared_event_release(shared);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"order and bound", test_order_and_bound},
		{"pop times out", test_pop_times_out},
		{"closed queue gives what is inside", test_closed_queue_gives_what_is_inside},
		{"threads lose nothing", test_threads_lose_nothing},
		{"gathers before it wakes", test_gathers_before_it_wakes},
		{"close wakes a producer", test_close_wakes_a_producer},
		{"push ends without room", test_push_ends_without_room},
		{"shared events carry copies", test_shared_events_carry_copies},
		CU_TEST_INFO_NULL,
	};

	return unit_run("queue", tests);
}
