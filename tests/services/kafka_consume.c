/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_consume BROKERS TOPIC...: prints every message of the topics, "TOPIC<tab>KEY<tab>VALUE" a
 * line, up to the end that each partition has now. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT_SECONDS 30

static bool
set(rd_kafka_conf_t *settings, const char *name, const char *value)
{
	char reason[256];

	if (rd_kafka_conf_set(settings, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
		return true;
	fprintf(stderr, "%s\n", reason);
	return false;
}

/* Every partition of a topic from its beginning. */
static bool
add_topic(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, 10000);

	if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
		for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
			rd_kafka_topic_partition_list_add(list, name, i)->offset =
				RD_KAFKA_OFFSET_BEGINNING;
		rd_kafka_metadata_destroy(metadata);
	} else {
		fprintf(stderr, "%s: %s\n", name, rd_kafka_err2str(error));
	}
	rd_kafka_topic_destroy(topic);
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void
print(const rd_kafka_message_t *message)
{
	printf("%s\t%.*s\t%.*s\n", rd_kafka_topic_name(message->rkt), (int)message->key_len,
		(const char *)message->key, (int)message->len, (const char *)message->payload);
}

static bool
consume(rd_kafka_t *client, int partitions)
{
	time_t limit = time(NULL) + LIMIT_SECONDS;

	while (partitions > 0 && time(NULL) < limit) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 1000);

		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			print(message);
		else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			partitions--;
		else
			fprintf(stderr, "%s\n", rd_kafka_message_errstr(message));
		rd_kafka_message_destroy(message);
	}
	return partitions == 0;
}

int
main(int argc, char **argv)
{
	rd_kafka_conf_t *settings = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(argc);
	rd_kafka_t *client;
	char reason[256];
	bool good = argc > 2 && set(settings, "bootstrap.servers", argv[1]) &&
		    set(settings, "group.id", "test") &&
		    set(settings, "enable.partition.eof", "true") &&
		    set(settings, "enable.auto.commit", "false");

	if (!good)
		return 1;
	client = rd_kafka_new(RD_KAFKA_CONSUMER, settings, reason, sizeof(reason));
	if (client == NULL) {
		fprintf(stderr, "%s\n", reason);
		return 1;
	}
	rd_kafka_poll_set_consumer(client);
	for (int i = 2; good && i < argc; i++)
		good = add_topic(client, list, argv[i]);
	good = good && rd_kafka_assign(client, list) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	       consume(client, list->cnt);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(client);
	rd_kafka_destroy(client);
	return good ? 0 : 1;
}
