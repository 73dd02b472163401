/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka exporter against a mock cluster in another process: what was produced is consumed back.
 */
#include "tests/services/child.h"
#include "tests/unit/exporter_fixture.h"
#include "tests/unit/unit.h"

#include <librdkafka/rdkafka.h>

#define EVENTS 2000

static const char *mock_path;
static struct exporter_fixture kafka;
static struct child mock;
static char written[EVENTS * 2][2048]; /* by sequence - 1 */

static void
command(const char *text)
{
	char answer[16];

	fprintf(mock.in, "%s\n", text);
	fflush(mock.in);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(answer, sizeof(answer), mock.out));
}

static void
begin(void)
{
	char *argv[] = {(char *)(uintptr_t)mock_path, NULL};
	char *brokers;

	fixture_init(&kafka, &kafka_exporter);
	mock = child_start(argv);
	brokers = kafka.config->export.kafka.brokers;
	CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(brokers, CONFIG_TEXT_SIZE, mock.out));
	brokers[strcspn(brokers, "\n")] = '\0';
	CU_ASSERT_TRUE_FATAL(fixture_open(&kafka));
}

static void
end(void)
{
	fixture_end(&kafka);
	child_stop(&mock, SIGTERM);
}

static void
write_flows(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flow_event flow = sample_flow(i);
		const struct event event = {EVENT_FLOW, SAMPLE_TIME, .flow = &flow};
		uint64_t sequence = kafka.sequences[EVENT_FLOW] + 1;
		size_t length;
		const char *json = event_encode(kafka.encoder, &event, sequence, &length);

		snprintf(written[sequence - 1], sizeof(written[0]), "%s", json);
		fixture_write(&kafka, &event);
		kafka.exporter->poll(kafka.instance);
	}
}

/* Every message must be one that was written; duplicates are allowed, gaps are not. */
static void
expect_consumed(unsigned count)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[256], seen[EVENTS * 2] = {0};
	unsigned distinct = 0;
	int64_t limit = monotonic_in_ms(20000);
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(4);
	rd_kafka_t *consumer;

	rd_kafka_conf_set(conf, "bootstrap.servers", kafka.config->export.kafka.brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
	for (int i = 0; i < 4; i++) /* the mock makes topics of four partitions */
		rd_kafka_topic_partition_list_add(topics, "camspan.flow.v1", i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(consumer, topics);
	while (distinct < count && monotonic_now() < limit) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
		const char *field;
		unsigned sequence;

		if (message == NULL)
			continue;
		if (message->err == 0) {
			char *text = strndup(message->payload, message->len);

			field = strstr(text, "\"sequence\":");
			sequence = field != NULL ? (unsigned)atoi(field + 11) : 0;
			CU_ASSERT_TRUE_FATAL(sequence >= 1 && sequence <= EVENTS * 2);
			CU_ASSERT_STRING_EQUAL(text, written[sequence - 1]);
			CU_ASSERT_EQUAL(message->key_len, strlen("hq|0123456789abcdef"));
			distinct += !seen[sequence - 1];
			seen[sequence - 1] = 1;
			free(text);
		}
		rd_kafka_message_destroy(message);
	}
	CU_ASSERT_EQUAL(distinct, count);
	rd_kafka_topic_partition_list_destroy(topics);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
}

static void
test_everything_arrives(void)
{
	begin();
	write_flows(EVENTS);
	CU_ASSERT_EQUAL(kafka.exporter->flush(kafka.instance, 20000), 0);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.delivered), EVENTS);
	expect_consumed(EVENTS);
	end();
}

static void
test_outage_loses_nothing(void)
{
	begin();
	write_flows(EVENTS / 2);
	command("down");
	write_flows(EVENTS / 2);
	command("up");
	command("error 7 3");  /* request timed out */
	command("error 19 2"); /* not enough replicas */
	CU_ASSERT_EQUAL(kafka.exporter->flush(kafka.instance, 30000), 0);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.delivered), EVENTS);
	expect_consumed(EVENTS);
	end();
}

/* Out of sequence (45) at the head of the line is beyond repair for an idempotent producer. */
static void
test_fatal_error_makes_a_new_producer(void)
{
	begin();
	command("error 45 1");
	write_flows(EVENTS);
	CU_ASSERT_EQUAL(kafka.exporter->flush(kafka.instance, 30000), 0);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.delivered), EVENTS);
	expect_consumed(EVENTS);
	end();
}

static void
test_denied_topic_is_counted(void)
{
	begin();
	command("deny camspan.flow.v1");
	write_flows(100);
	kafka.exporter->flush(kafka.instance, 3000);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.failed), 100);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.delivered), 0);
	end();
}

static void
test_unreachable_is_counted_at_the_end(void)
{
	int64_t start;

	fixture_init(&kafka, &kafka_exporter);
	snprintf(kafka.config->export.kafka.brokers, CONFIG_TEXT_SIZE, "127.0.0.1:1");
	CU_ASSERT_TRUE_FATAL(fixture_open(&kafka));
	for (unsigned i = 0; i < 100; i++)
		fixture_write_flow(&kafka, i);
	start = monotonic_now();
	CU_ASSERT_EQUAL(kafka.exporter->flush(kafka.instance, 500), 100);
	CU_ASSERT_TRUE(monotonic_now() - start < 5000 * NANOSECONDS_PER_MILLISECOND);
	CU_ASSERT_EQUAL(counter_read(&kafka.counters.failed), 100);
	fixture_end(&kafka);
}

static void
test_settings_that_cannot_work(void)
{
	fixture_init(&kafka, &kafka_exporter);
	CU_ASSERT_FALSE(fixture_open(&kafka)); /* no brokers */
	snprintf(kafka.config->export.kafka.brokers, CONFIG_TEXT_SIZE, "127.0.0.1:1");
	snprintf(kafka.config->export.kafka.broker_version_fallback, 16, "0.9.0.1");
	kafka.config->export.kafka.idempotence = true;
	CU_ASSERT_FALSE(fixture_open(&kafka));
	CU_ASSERT_PTR_NOT_NULL(strstr(kafka.error, "export.kafka.idempotence"));
	kafka.config->export.kafka.idempotence = false;
	snprintf(kafka.config->export.kafka.compression, 16, "zstd");
	CU_ASSERT_FALSE(fixture_open(&kafka));
	CU_ASSERT_PTR_NOT_NULL(strstr(kafka.error, "export.kafka.compression"));
	snprintf(kafka.config->export.kafka.compression, 16, "lz4");
	snprintf(kafka.config->export.kafka.password_file, CONFIG_PATH_SIZE, "/no/such");
	CU_ASSERT_FALSE(fixture_open(&kafka));
	CU_ASSERT_PTR_NOT_NULL(strstr(kafka.error, "export.kafka.password_file"));
	fixture_end(&kafka);
}

int
main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{"everything arrives", test_everything_arrives},
		{"outage loses nothing", test_outage_loses_nothing},
		{"fatal error makes a new producer", test_fatal_error_makes_a_new_producer},
		{"denied topic is counted", test_denied_topic_is_counted},
		{"unreachable is counted at the end", test_unreachable_is_counted_at_the_end},
		{"settings that cannot work", test_settings_that_cannot_work},
		CU_TEST_INFO_NULL,
	};

	mock_path = argc > 1 ? argv[1] : "kafka_mock";
	return unit_run("kafka", tests);
}
