/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/fanout.h"
#include "exporters/monotonic.h"
#include "tests/unit/sample_events.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct config *config;
static char directory[64];
static char error[512];

static void
begin(void)
{
	config = sample_config();
	snprintf(directory, sizeof(directory), "/tmp/camspan-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	config->export.file.enabled = config->export.state.enabled = true;
	snprintf(config->export.file.path, CONFIG_PATH_SIZE, "%s/events.jsonl", directory);
	snprintf(config->export.state.path, CONFIG_PATH_SIZE, "%s/state.db", directory);
}

static void
end(void)
{
	char command[128];

	config_free(config);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	CU_ASSERT_EQUAL(system(command), 0);
}

static uint64_t
figure(const struct health_record *health, const char *name)
{
	for (size_t i = 0; i < health->figure_count; i++)
		if (strcmp(health->figures[i].name, name) == 0)
			return health->figures[i].value;
	CU_FAIL("no such figure");
	return 0;
}

static void
send_flows(struct fanout *fanout, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flow_event flow = sample_flow(i);

		fanout_event(fanout, &(struct event){EVENT_FLOW, SAMPLE_TIME, .flow = &flow});
	}
}

/* Sequences of a dataset in the file must be 1, 2, 3, ... */
static void
expect_gapless(unsigned flows, unsigned devices)
{
	FILE *file = fopen(config->export.file.path, "r");
	json_int_t last_flow = 0, last_device = 0;
	json_error_t parse_error;
	json_t *json;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while ((json = json_loadf(file, JSON_DISABLE_EOF_CHECK, &parse_error)) != NULL) {
		json_t *event = json_object_get(json, "event");
		json_int_t sequence = json_integer_value(json_object_get(event, "sequence"));
		const char *dataset = json_string_value(json_object_get(event, "dataset"));
		json_int_t *last = strcmp(dataset, "camspan.flow") == 0 ? &last_flow : &last_device;

		CU_ASSERT_EQUAL(sequence, *last + 1);
		*last = sequence;
		json_decref(json);
	}
	CU_ASSERT_EQUAL(last_flow, flows);
	CU_ASSERT_EQUAL(last_device, devices);
	fclose(file);
}

static void
test_replay_delivers_everything(void)
{
	struct health_record health = {0};
	struct device_record device = sample_device(0);
	struct fanout *fanout;

	begin();
	config->export.queue_events = 64; /* far fewer than the events: fanout must wait */
	fanout = fanout_open(config, true, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	send_flows(fanout, 20000);
	for (int i = 0; i < 50; i++)
		fanout_event(fanout, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	fanout_health(fanout, &health);
	CU_ASSERT_EQUAL(figure(&health, "export.file.queue_full"), 0);
	CU_ASSERT_EQUAL(figure(&health, "export.file.failed"), 0);
	CU_ASSERT_TRUE(figure(&health, "export.file.queue_depth") <= 64);
	CU_ASSERT_EQUAL(fanout_close(fanout, 10000), 0);
	expect_gapless(20000, 50);
	end();
}

/* A reader that never reads: the daemon loses, counts and goes on, and stops in time. */
static void
test_full_queue_is_counted(void)
{
	struct health_record health = {0};
	struct fanout *fanout;
	int ends[2];
	uint64_t undelivered;

	begin();
	config->export.state.enabled = false;
	config->export.queue_events = 64;
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	snprintf(config->export.file.path, CONFIG_PATH_SIZE, "/proc/self/fd/%d", ends[1]);
	fanout = fanout_open(config, false, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	close(ends[0]); /* writes fail from now on; SIGPIPE must not reach us */
	send_flows(fanout, 5000);
	fanout_health(fanout, &health);
	undelivered = fanout_close(fanout, 200);
	CU_ASSERT_EQUAL(undelivered, 5000);
	CU_ASSERT_TRUE(figure(&health, "export.file.accepted") +
			       figure(&health, "export.file.queue_full") <=
		       5000);
	close(ends[1]);
	end();
}

/* Kafka that is not there, behind queues that are far smaller than what is sent. */
static void
begin_without_kafka(unsigned shutdown_timeout_ms)
{
	begin();
	config->export.state.enabled = false;
	config->export.queue_events = 64;
	config->export.shutdown_timeout_ms = shutdown_timeout_ms;
	config->export.kafka.enabled = true;
	config->export.kafka.datasets[EVENT_FLOW] = true;
	config->export.kafka.queue_messages = 1000;
	snprintf(config->export.kafka.brokers, CONFIG_TEXT_SIZE, "127.0.0.1:1");
}

static void
test_replay_gives_up_a_dead_exporter(void)
{
	int64_t start = monotonic_now();
	struct health_record health = {0};
	struct fanout *fanout;

	begin_without_kafka(1500);
	fanout = fanout_open(config, true, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	send_flows(fanout, 20000);
	fanout_health(fanout, &health);
	CU_ASSERT_EQUAL(figure(&health, "export.file.queue_full"), 0);
	CU_ASSERT_TRUE(figure(&health, "export.kafka.queue_full") >= 18000);
	CU_ASSERT_EQUAL(fanout_close(fanout, 1500), 20000); /* Kafka's, all of them */
	CU_ASSERT_TRUE(monotonic_now() - start < 6500 * NANOSECONDS_PER_MILLISECOND);
	expect_gapless(20000, 0);
	end();
}

static void *
stop_soon(void *stop)
{
	usleep(300000);
	atomic_store((atomic_bool *)stop, true);
	return NULL;
}

static void
expect_stop(unsigned queue_messages)
{
	int64_t start = monotonic_now();
	atomic_bool stop = false;
	struct fanout *fanout;
	pthread_t stopper;

	begin_without_kafka(30000);
	config->export.kafka.queue_messages = queue_messages;
	fanout = fanout_open(config, true, &stop, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	pthread_create(&stopper, NULL, stop_soon, &stop);
	send_flows(fanout, 20000);
	CU_ASSERT_EQUAL(fanout_close(fanout, 30000), 20000);
	CU_ASSERT_TRUE(monotonic_now() - start < 8000 * NANOSECONDS_PER_MILLISECOND);
	pthread_join(stopper, NULL);
	expect_gapless(20000, 0);
	end();
}

static void
test_stop_ends_the_patience_of_a_replay(void)
{
	expect_stop(1000);    /* while it waits for room */
	expect_stop(1000000); /* while it waits at the end */
}

/* The daemon sends more than its queue holds at the end. */
static void
test_wind_down_waits_for_room(void)
{
	struct fanout *fanout;

	begin();
	config->export.state.enabled = false;
	config->export.queue_events = 64;
	fanout = fanout_open(config, false, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	fanout_wind_down(fanout);
	send_flows(fanout, 20000);
	CU_ASSERT_EQUAL(fanout_close(fanout, 10000), 0);
	expect_gapless(20000, 0);
	end();
}

/* What is dead must not take the time of what is alive, nor more than the time there is. */
static void
test_wind_down_is_bounded(void)
{
	int64_t start = monotonic_now();
	struct fanout *fanout;

	begin_without_kafka(4000);
	fanout = fanout_open(config, false, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	fanout_wind_down(fanout);
	send_flows(fanout, 20000);
	CU_ASSERT_EQUAL(fanout_close(fanout, 4000), 20000);
	CU_ASSERT_TRUE(monotonic_now() - start < 7500 * NANOSECONDS_PER_MILLISECOND);
	expect_gapless(20000, 0);
	end();
}

static void
test_bad_exporter_fails_the_start(void)
{
	begin();
	snprintf(config->export.state.path, CONFIG_PATH_SIZE, "%s/no/such", directory);
	CU_ASSERT_PTR_NULL(fanout_open(config, true, NULL, error, sizeof(error)));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "export.state.path"));
	end();
}

static void
test_no_exporter_is_fine(void)
{
	struct fanout *fanout;

	begin();
	config->export.file.enabled = config->export.state.enabled = false;
	fanout = fanout_open(config, true, NULL, error, sizeof(error));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fanout);
	send_flows(fanout, 3);
	CU_ASSERT_EQUAL(fanout_close(fanout, 100), 0);
	CU_ASSERT_EQUAL(fanout_close(NULL, 100), 0);
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"replay delivers everything", test_replay_delivers_everything},
		{"full queue is counted", test_full_queue_is_counted},
		{"replay gives up a dead exporter", test_replay_gives_up_a_dead_exporter},
		{"stop ends the patience of a replay", test_stop_ends_the_patience_of_a_replay},
		{"wind-down waits for room", test_wind_down_waits_for_room},
		{"wind-down is bounded", test_wind_down_is_bounded},
		{"bad exporter fails the start", test_bad_exporter_fails_the_start},
		{"no exporter is fine", test_no_exporter_is_fine},
		CU_TEST_INFO_NULL,
	};

	return unit_run("fanout", tests);
}
