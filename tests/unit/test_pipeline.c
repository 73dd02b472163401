/* SPDX-License-Identifier: Apache-2.0 */
/* Given these packets, these flow records and facts: the worker's path without DPDK. */
#include "dataplane/feed.h"
#include "tests/unit/pipeline_fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void
test_a_conversation_is_one_flow(void)
{
	const struct flow_record *record;

	begin();
	tcp(client, server, TCP_SYN, "", START);
	tcp(server, client, TCP_SYN | TCP_ACK, "", START + 1000000);
	tcp(client, server, TCP_ACK, "OPTIONS", START + 2000000);
	tcp(server, client, TCP_ACK, "RTSP/1.0 200 OK", START + 3000000);
	record = only_record();
	CU_ASSERT_EQUAL(record->initiator.port, client.port);
	CU_ASSERT_EQUAL(record->responder.port, server.port);
	CU_ASSERT_EQUAL(record->initiator.ip.bytes[3], client.host);
	CU_ASSERT_EQUAL(record->initiator_mac.bytes[5], client.host);
	CU_ASSERT_EQUAL(record->responder_mac.bytes[5], server.host);
	CU_ASSERT_EQUAL(record->packets[0], 2);
	CU_ASSERT_EQUAL(record->packets[1], 2);
	CU_ASSERT_EQUAL(record->bytes[0], 40 + 40 + 7);
	CU_ASSERT_EQUAL(record->bytes[1], 40 + 40 + 15);
	CU_ASSERT_EQUAL(record->start, START);
	CU_ASSERT_TRUE(llabs(record->end - (START + 3000000)) < 2048);
	CU_ASSERT_EQUAL(record->end_reason, FLOW_END_FORCED);
	CU_ASSERT_TRUE(record->answered && record->initiator_certain && record->first_record);
	end();
}

static void
test_padding_is_not_counted(void)
{
	struct frame frame;

	begin();
	frame_udp(&frame, client, server, "x", 1);
	frame.length = 60;
	send(&frame, START);
	CU_ASSERT_EQUAL(only_record()->bytes[0], 20 + 8 + 1);
	end();
}

static void
test_who_answered(void)
{
	static const struct {
		uint8_t flags;
		const char *payload;
		bool answered;
	} replies[] = {
		{TCP_SYN | TCP_ACK, "", true},
		{TCP_RST | TCP_ACK, "", false},
		{TCP_ACK, "data", true},
		{TCP_ACK, "", false},
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		begin();
		tcp(client, server, TCP_SYN, "", START);
		tcp(server, client, replies[i].flags, replies[i].payload, START + 1);
		CU_ASSERT_EQUAL(only_record()->answered, replies[i].answered);
		end();
	}
	begin();
	tcp(client, server, TCP_SYN, "", START);
	tcp(client, server, TCP_SYN, "", START + SECOND);
	CU_ASSERT_FALSE(only_record()->answered);
	end();
}

static void
test_who_began(void)
{
	const struct flow_record *record;

	begin(); /* the opening was missed: the well-known port tells, but not for certain */
	tcp(server, client, TCP_ACK, "data", START);
	record = only_record();
	CU_ASSERT_EQUAL(record->initiator.port, client.port);
	CU_ASSERT_FALSE(record->initiator_certain);
	end();
	begin(); /* the first packet seen is the answer to a SYN */
	tcp(server, client, TCP_SYN | TCP_ACK, "", START);
	record = only_record();
	CU_ASSERT_EQUAL(record->initiator.port, client.port);
	CU_ASSERT_TRUE(record->initiator_certain);
	end();
	begin(); /* an answer whose question was missed, and what follows it */
	udp((struct frame_end){2, 53}, client, 20, START);
	udp(client, (struct frame_end){2, 53}, 20, START);
	record = only_record();
	CU_ASSERT_EQUAL(record->initiator.port, client.port);
	CU_ASSERT_FALSE(record->initiator_certain);
	CU_ASSERT_TRUE(record->answered);
	end();
	begin(); /* who talks alone has begun, whatever its port */
	udp((struct frame_end){2, 123}, client, 20, START);
	record = only_record();
	CU_ASSERT_EQUAL(record->initiator.port, 123);
	CU_ASSERT_FALSE(record->answered);
	end();
}

/* A reset that was forged, or meant nothing: the transfer goes on and is reported as it goes. */
static void
test_data_after_a_reset_is_no_end(void)
{
	begin();
	tcp(client, server, TCP_SYN, "", START);
	tcp(server, client, TCP_SYN | TCP_ACK, "", START + 1000);
	tcp(server, client, TCP_RST, "", START + 2000);
	for (int second = 1; second < 700; second++)
		tcp(client, server, TCP_ACK, "data", START + second * SECOND);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(out.count, 3);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_END_ACTIVE_TIMEOUT);
	for (unsigned i = 0; i < out.count; i++)
		CU_ASSERT_TRUE(out.records[i].answered && out.records[i].id == out.records[0].id);
	end();
}

static void
test_a_reset_with_text_is_no_answer(void)
{
	begin();
	tcp(client, server, TCP_SYN, "", START);
	tcp(server, client, TCP_RST | TCP_ACK, "refused by policy", START + 1);
	CU_ASSERT_FALSE(only_record()->answered);
	end();
}

/* A lone strange time stamp changes nothing; a capture that goes back starts the timers anew. */
static void
test_packet_time_may_jump(void)
{
	begin();
	udp(client, server, 10, START);
	udp((struct frame_end){9, 9}, server, 10, START + 400000000 * SECOND);
	udp((struct frame_end){8, 8}, server, 10, START + SECOND);
	CU_ASSERT_EQUAL(pipeline.now, START + SECOND);
	CU_ASSERT_EQUAL(out.count, 0);
	for (int second = 0; second < 100; second++)
		udp((struct frame_end){8, 8}, server, 10, START + (second - 86400) * SECOND);
	CU_ASSERT_TRUE(pipeline.now < START);
	for (int second = 100; second < 1000; second++)
		udp((struct frame_end){7, 7}, server, 10, START + (second - 86400) * SECOND);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_END_ACTIVE_TIMEOUT);
	CU_ASSERT_TRUE(out.count >= 2);
	end();
}

static void
test_connections_end_and_begin_again(void)
{
	begin();
	tcp(client, server, TCP_SYN, "", START);
	tcp(client, server, TCP_FIN | TCP_ACK, "", START + 1000);
	tcp(server, client, TCP_FIN | TCP_ACK, "", START + 2000);
	tcp(client, server, TCP_ACK, "", START + 3000); /* the last word lingers with its flow */
	tcp(client, server, TCP_SYN, "", START + SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 1);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_END_DETECTED);
	CU_ASSERT_EQUAL(out.records[0].packets[0], 3);
	CU_ASSERT_EQUAL(out.records[0].packets[1], 1);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	CU_ASSERT_NOT_EQUAL(out.records[1].id, out.records[0].id);
	CU_ASSERT_EQUAL(out.records[1].packets[0], 1);
	end();
}

static void
test_a_silence_parts_flows_even_before_the_wheel_turns(void)
{
	begin();
	udp(client, server, 100, START);
	udp(client, server, 100, START + 3600 * SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 1);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_END_IDLE_TIMEOUT);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(out.count, 2);
	end();
}

static void
test_records_of_a_long_flow_add_up(void)
{
	uint64_t packets = 0, bytes = 0;

	begin();
	for (int second = 0; second < 1000; second++)
		udp(client, server, 100, START + second * SECOND);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_TRUE(out.count >= 3);
	for (unsigned i = 0; i < out.count; i++) {
		packets += out.records[i].packets[0];
		bytes += out.records[i].bytes[0];
		CU_ASSERT_EQUAL(out.records[i].id, out.records[0].id);
		CU_ASSERT_EQUAL(out.records[i].first_record, i == 0);
		if (i)
			CU_ASSERT_TRUE(out.records[i].start > out.records[i - 1].end);
	}
	CU_ASSERT_EQUAL(packets, 1000);
	CU_ASSERT_EQUAL(bytes, 1000 * 128);
	end();
}

static void
test_no_room_loses_no_record(void)
{
	begin();
	udp(client, server, 100, START);
	out.full = true;
	pipeline_idle(&pipeline, START + 120 * SECOND);
	udp(client, server, 100, START + 200 * SECOND); /* merges rather than loses */
	CU_ASSERT_FALSE(pipeline_flush(&pipeline));
	out.full = false;
	CU_ASSERT_EQUAL(only_record()->packets[0], 2);
	CU_ASSERT_EQUAL(pipeline.ipv4.counters.records_lost, 0);
	end();
}

static void
test_tenants_and_vlans_never_merge(void)
{
	struct frame plain, tagged;
	struct frame_view views[2];
	struct watch_set *watch = watch_set_create(4);
	struct ip_address ip = ip_from_ipv4((const uint8_t[]){10, 0, 0, 1});
	uint64_t words[2];

	begin();
	frame_udp(&plain, client, server, "x", 1);
	tagged = plain;
	memmove(tagged.bytes + 16, plain.bytes + 12, plain.length - 12);
	memcpy(tagged.bytes + 12, "\x81\0\0\x07", 4);
	tagged.length += 4;
	views[0] = frame_view(&plain, START);
	views[1] = frame_view(&tagged, START);
	pipeline_burst(&pipeline, views, 2, LINK_ETHERNET);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	CU_ASSERT_EQUAL(out.records[0].vlan + out.records[1].vlan, 7);
	watch_set_add(watch, 9, &ip);
	memcpy(words, ip.bytes, sizeof(words));
	CU_ASSERT_TRUE(watch_set_has(watch, 9, ADDRESS_IPV4, words));
	CU_ASSERT_FALSE(watch_set_has(watch, 0, ADDRESS_IPV4, words));
	CU_ASSERT_FALSE(watch_set_has(watch, 9, ADDRESS_IPV6, words));
	watch_set_free(watch);
	end();
}

static void
on_burst(void *context)
{
	(void)context;
}

/* Some link types (here D-Bus) allow frames far larger than a burst's memory. */
static void
test_a_frame_of_three_mebibytes_is_cut(void)
{
	enum { LENGTH = 3 << 20 };
	const uint32_t header[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 1 << 27, 231};
	const uint32_t record[] = {1700000000, 0, LENGTH, LENGTH};
	char path[] = "/tmp/camspan-feed-XXXXXX", error[CAPTURE_ERROR_SIZE] = "";
	atomic_bool stop = false;
	FILE *file = fdopen(mkstemp(path), "wb");
	uint8_t *bytes = calloc(1, LENGTH);
	struct feed *feed;

	begin();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite(header, sizeof(header), 1, file);
	fwrite(record, sizeof(record), 1, file);
	fwrite(bytes, LENGTH, 1, file);
	fclose(file);
	feed = feed_create(&pipeline, on_burst, NULL);
	CU_ASSERT_EQUAL(feed_file(feed, path, &stop, error), 0);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_EQUAL(pipeline.balance.received, 1);
	CU_ASSERT_EQUAL(pipeline.balance.received_bytes, LENGTH);
	CU_ASSERT_EQUAL(pipeline.balance.fates[DROP_LINK_UNSUPPORTED], 1);
	feed_free(feed);
	unlink(path);
	free(bytes);
	end();
}

static void
test_ipv6_and_icmp(void)
{
	struct frame frame;

	begin();
	frame_ipv6(&frame, 1, 2, 6, 20);
	frame_tcp_header(&frame, client, server, TCP_SYN, 1, 0);
	send(&frame, START);
	frame_ipv6(&frame, 2, 1, 6, 20);
	frame_tcp_header(&frame, server, client, TCP_SYN | TCP_ACK, 1, 2);
	send(&frame, START);
	frame_ipv4(&frame, 1, 2, 1, 8);
	frame_append(&frame, "\x08\0\0\0\0\1\0\1", 8);
	send(&frame, START);
	frame_ipv4(&frame, 2, 1, 1, 8);
	frame_append(&frame, "\0\0\0\0\0\1\0\1", 8);
	send(&frame, START);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(out.records[i].packets[0], 1);
		CU_ASSERT_EQUAL(out.records[i].packets[1], 1);
		CU_ASSERT_TRUE(out.records[i].answered);
	}
	CU_ASSERT_EQUAL(out.records[0].icmp_type, 8);
	CU_ASSERT_EQUAL(out.records[1].initiator.ip.family, ADDRESS_IPV6);
	end();
}

/* Random frames, whole bursts, small tables: the balance holds and no flow is lost unaccounted. */
static void
test_random_bursts_keep_the_balance(void)
{
	static struct frame frames[PIPELINE_BURST];
	struct frame_view views[PIPELINE_BURST];
	uint64_t fates = 0, sent = 0;

	begin();
	srandom(3);
	for (int burst = 0; burst < 20000; burst++) {
		for (unsigned i = 0; i < PIPELINE_BURST; i++) {
			struct frame_end a = {(uint8_t)random(), (uint16_t)random()};
			struct frame_end b = {
				(uint8_t)random(), (uint16_t)(random() % 2 ? 554 : 53)};

			frame_tcp(&frames[i], a, b, (uint8_t)random(), (uint32_t)random(), 0,
				"payload");
			if (random() % 4 == 0)
				frames[i].bytes[random() % frames[i].length] = (uint8_t)random();
			if (random() % 8 == 0)
				frames[i].length = (uint32_t)random() % frames[i].length;
			views[i] = frame_view(&frames[i], START + burst * (SECOND / 50));
		}
		out.count = 0;
		sent += PIPELINE_BURST;
		out.full = burst % 100 > 90;
		pipeline_burst(&pipeline, views, PIPELINE_BURST, LINK_ETHERNET);
	}
	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		fates += pipeline.balance.fates[fate];
	CU_ASSERT_EQUAL(pipeline.balance.received, sent);
	CU_ASSERT_EQUAL(fates, sent);
	CU_ASSERT_EQUAL(pipeline.inspector.in_use + pipeline.inspector.free_count, 64);
	out.full = false;
	for (bool done = false; !done;) {
		out.count = 0;
		done = pipeline_flush(&pipeline);
	}
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 0);
	CU_ASSERT_EQUAL(pipeline.inspector.buffers.free_count, 64);
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a conversation is one flow", test_a_conversation_is_one_flow},
		{"padding is not counted", test_padding_is_not_counted},
		{"who answered", test_who_answered},
		{"who began", test_who_began},
		{"data after a reset is no end", test_data_after_a_reset_is_no_end},
		{"a reset with text is no answer", test_a_reset_with_text_is_no_answer},
		{"packet time may jump", test_packet_time_may_jump},
		{"connections end and begin again", test_connections_end_and_begin_again},
		{"a silence parts flows even before the wheel turns",
			test_a_silence_parts_flows_even_before_the_wheel_turns},
		{"records of a long flow add up", test_records_of_a_long_flow_add_up},
		{"no room loses no record", test_no_room_loses_no_record},
		{"tenants and VLANs never merge", test_tenants_and_vlans_never_merge},
		{"a frame of three MiB is cut", test_a_frame_of_three_mebibytes_is_cut},
		{"IPv6 and ICMP", test_ipv6_and_icmp},
		{"random bursts keep the balance", test_random_bursts_keep_the_balance},
		CU_TEST_INFO_NULL,
	};

	return unit_run("pipeline", tests);
}
