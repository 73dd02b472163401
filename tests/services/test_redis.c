/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis exporter against a real redis-server on a Unix socket. */
#include "tests/services/child.h"
#include "tests/unit/exporter_fixture.h"
#include "tests/unit/unit.h"

#include <hiredis/hiredis.h>

static struct exporter_fixture redis;
static struct child server;
static char socket_path[128];
static redisContext *client;

static void
start_server(void)
{
	char *argv[] = {"redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "",
		"--appendonly", "no", "--dir", redis.directory, NULL};
	int64_t limit = monotonic_in_ms(10000);

	server = child_start(argv);
	do {
		if (client != NULL)
			redisFree(client);
		client = redisConnectUnix(socket_path);
	} while (client->err && monotonic_now() < limit);
	CU_ASSERT_EQUAL_FATAL(client->err, 0);
}

static void
stop_server(void)
{
	if (client != NULL)
		redisFree(client);
	client = NULL;
	child_stop(&server, SIGKILL);
	unlink(socket_path);
}

static void
begin(void)
{
	fixture_init(&redis, &redis_exporter);
	snprintf(socket_path, sizeof(socket_path), "%s/s", redis.directory);
	snprintf(redis.config->export.redis.address, CONFIG_PATH_SIZE, "unix:%s", socket_path);
}

static void
end(void)
{
	stop_server();
	fixture_end(&redis);
}

static long long
ask(const char *text)
{
	redisReply *reply = redisCommand(client, text);
	long long value = -1;

	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	if (reply->type == REDIS_REPLY_INTEGER)
		value = reply->integer;
	if (reply->type == REDIS_REPLY_ERROR)
		fprintf(stderr, "%s: %s\n", text, reply->str);
	freeReplyObject(reply);
	return value;
}

static void
expect_text(const char *text, const char *expected)
{
	redisReply *reply = redisCommand(client, text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT_EQUAL_FATAL(reply->type, REDIS_REPLY_STRING);
	CU_ASSERT_STRING_EQUAL(reply->str, expected);
	freeReplyObject(reply);
}

static void
write_state(unsigned devices, unsigned alerts)
{
	for (unsigned i = 0; i < devices; i++) {
		struct device_record device = sample_device(i);

		fixture_write(
			&redis, &(struct event){EVENT_DEVICE, SAMPLE_TIME, .device = &device});
	}
	for (unsigned i = 0; i < alerts; i++) {
		struct stream_record stream = sample_stream(i);
		struct alert_record alert = sample_alert(i);

		fixture_write(
			&redis, &(struct event){EVENT_STREAM, SAMPLE_TIME, .stream = &stream});
		fixture_write(&redis, &(struct event){EVENT_ALERT, SAMPLE_TIME, .alert = &alert});
	}
}

static void
expect_state(long long devices, long long alerts)
{
	CU_ASSERT_EQUAL(ask("ZCARD camspan:{hq}:devices"), devices);
	CU_ASSERT_EQUAL(ask("ZCARD camspan:{hq}:streams"), alerts);
	CU_ASSERT_EQUAL(ask("XLEN camspan:{hq}:alerts"), alerts);
	CU_ASSERT_EQUAL(ask("ZCARD camspan:sites"), 1);
	CU_ASSERT_TRUE(ask("TTL camspan:{hq}:device:0000000000000001") > 0);
	expect_text("HGET camspan:{hq}:device:0000000000000001 maker", "hikvision");
}

static void
test_state_is_written(void)
{
	begin();
	start_server();
	CU_ASSERT_TRUE_FATAL(fixture_open(&redis));
	write_state(500, 40);
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 10000), 0);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.delivered), 580);
	expect_state(500, 40);
	end();
}

/* Killed without a trace in mid-run: everything is there again, alerts once. */
static void
test_restart_converges(void)
{
	begin();
	CU_ASSERT_TRUE_FATAL(fixture_open(&redis)); /* unreachable at start */
	write_state(100, 10);
	redis.exporter->poll(redis.instance);
	start_server();
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 20000), 0);
	stop_server();
	write_state(200, 0);
	start_server();
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 20000), 0);
	for (int i = 0; i < 20; i++) /* the rewrite of what was confirmed before */
		redis.exporter->poll(redis.instance);
	expect_state(200, 10);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.failed), 0);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.delivered), 320);
	end();
}

static void
test_lost_connection_repeats_no_alert(void)
{
	begin();
	start_server();
	CU_ASSERT_TRUE_FATAL(fixture_open(&redis));
	write_state(1, 10);
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 10000), 0);
	CU_ASSERT_EQUAL(ask("CLIENT KILL TYPE normal SKIPME yes"), 1);
	write_state(1, 0);
	redis.exporter->poll(redis.instance);
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 10000), 0);
	CU_ASSERT_EQUAL(ask("XLEN camspan:{hq}:alerts"), 10);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.reconnects), 1);
	end();
}

static void
test_wrong_password_is_counted(void)
{
	begin();
	start_server();
	ask("CONFIG SET requirepass right");
	CU_ASSERT_TRUE_FATAL(fixture_open(&redis));
	write_state(3, 0);
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 500), 3);
	end();
}

/* No disk to save to: writes are refused, then taken again. */
static void
test_refusing_server_is_waited_for(void)
{
	begin();
	start_server();
	ask("CONFIG SET min-replicas-to-write 0");
	ask("CONFIG SET maxmemory 1");
	CU_ASSERT_TRUE_FATAL(fixture_open(&redis));
	write_state(3, 1);
	for (int i = 0; i < 10; i++)
		redis.exporter->poll(redis.instance);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.delivered), 0);
	ask("CONFIG SET maxmemory 0");
	CU_ASSERT_EQUAL(redis.exporter->flush(redis.instance, 15000), 0);
	CU_ASSERT_EQUAL(counter_read(&redis.counters.delivered), 5);
	CU_ASSERT_EQUAL(ask("ZCARD camspan:{hq}:devices"), 3);
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"state is written", test_state_is_written},
		{"restart converges", test_restart_converges},
		{"lost connection repeats no alert", test_lost_connection_repeats_no_alert},
		{"wrong password is counted", test_wrong_password_is_counted},
		{"refusing server is waited for", test_refusing_server_is_waited_for},
		CU_TEST_INFO_NULL,
	};

	signal(SIGPIPE, SIG_IGN);
	return unit_run("redis", tests);
}
