/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's mock cluster as a process of its own. Prints its address, then obeys lines on stdin:
 * "down", "up", "error CODE COUNT" (of produce requests), "deny TOPIC". Ends with stdin. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#define API_PRODUCE 0

static void
obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
	char topic[128];
	int code, count;

	if (sscanf(line, "error %d %d", &code, &count) == 2) {
		while (count-- > 0)
			rd_kafka_mock_push_request_errors(
				cluster, API_PRODUCE, 1, (rd_kafka_resp_err_t)code);
	} else if (sscanf(line, "deny %127s", topic) == 1) {
		rd_kafka_mock_topic_set_error(
			cluster, topic, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	} else if (line[0] == 'd') {
		rd_kafka_mock_broker_set_down(cluster, 1);
	} else if (line[0] == 'u') {
		rd_kafka_mock_broker_set_up(cluster, 1);
	}
}

int
main(void)
{
	char reason[256], line[256];
	rd_kafka_t *owner =
		rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof(reason));
	rd_kafka_mock_cluster_t *cluster =
		owner != NULL ? rd_kafka_mock_cluster_new(owner, 1) : NULL;

	if (cluster == NULL)
		return 1;
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		obey(cluster, line);
		printf("ok\n");
		fflush(stdout);
	}
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	return 0;
}
