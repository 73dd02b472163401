/* SPDX-License-Identifier: Apache-2.0 */
/* Who is inspected, which facts are told, and when policy hears of a flow. */
#include "tests/unit/pipeline_fixture.h"

#include <stdatomic.h>

/* A fact that found no room is told again with the next packet that shows it; one that arrived is
 * not repeated. */
static void
test_a_lost_fact_is_told_again(void)
{
	struct frame frame;

	begin();
	frame_link(&frame, 1, 0xff, 0x0806);
	frame_append(
		&frame, "\0\1\x08\0\6\4\0\1\x02\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2", 28);
	out.full = true;
	send(&frame, START);
	CU_ASSERT_TRUE(out.refused_evidence > 0);
	CU_ASSERT_EQUAL(out.evidence, 0);
	out.full = false;
	send(&frame, START + 1);
	CU_ASSERT_EQUAL(out.evidence, out.refused_evidence);
	send(&frame, START + 2);
	CU_ASSERT_EQUAL(out.evidence, out.refused_evidence);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.evidence_repeated, out.evidence);
	end();
}

static const struct frame_end rtsp_server = {9, 554};

/* The n-th request of a session, and its answer. */
static void
exchange(uint8_t host, unsigned n, int64_t time, const char *header)
{
	static const char answer[] =
		"RTSP/1.0 200 OK\r\nCSeq: %u\r\n%s: Basic realm=\"c%u\"\r\n\r\n";
	struct frame_end viewer = {host, 50000};
	struct frame frame;
	uint32_t before;
	char text[96];

	snprintf(text, sizeof(text), "OPTIONS rtsp://10.0.0.9/ RTSP/1.0\r\nCSeq: %u\r\n\r\n",
		n % 10);
	before = n * (uint32_t)strlen(text);
	frame_tcp(&frame, viewer, rtsp_server, TCP_ACK, 1000 + before, 1, text);
	send(&frame, time);
	/* Earlier answers had the header "Server". */
	before = n * (uint32_t)snprintf(text, sizeof(text), answer, n % 10, "Server", host);
	snprintf(text, sizeof(text), answer, n % 10, header, host);
	frame_tcp(&frame, rtsp_server, viewer, TCP_ACK, 1 + before, 1, text);
	send(&frame, time);
}

/* More flows than inspection states: the newest are inspected, none of which a classifier is sure
 * is given up, and every state comes back. */
static void
test_new_flows_take_states_of_which_nobody_is_sure(void)
{
	begin();
	for (uint8_t host = 10; host < 20; host++)
		for (unsigned n = 0; n < 3; n++)
			exchange(host, n, START, "Server");
	for (unsigned i = 0; i < 1000; i++)
		udp((struct frame_end){100, (uint16_t)(20000 + i)}, server, 40, START + i);
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 64);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.flows, 1010);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.cut_short, 1010 - 64);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.packets_skipped, 0);
	out.evidence = 0;
	for (uint8_t host = 10; host < 20; host++)
		exchange(host, 3, START + 2000, "Public");
	CU_ASSERT_EQUAL(out.evidence, 10);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 0);
	CU_ASSERT_EQUAL(pipeline.inspector.free_count, 64);
	end();
}

/* Single datagrams that look like the beginning of a video stream hold nothing. */
static void
test_lone_datagrams_do_not_blind(void)
{
	static const uint8_t rtp[12] = {0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
	struct frame frame;

	begin();
	for (unsigned i = 0; i < 200; i++) {
		frame_udp(&frame, (struct frame_end){100, (uint16_t)(20000 + i)}, server, rtp,
			sizeof(rtp));
		send(&frame, START + i);
	}
	out.evidence = 0;
	for (uint8_t host = 10; host < 20; host++)
		exchange(host, 0, START + 1000, "Server");
	CU_ASSERT_EQUAL(out.evidence, 10);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.packets_skipped, 0);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(pipeline.inspector.free_count, 64);
	end();
}

/* New flows of one host in full bursts, so that there is a backlog. */
static void
flood(unsigned bursts)
{
	static struct frame frames[PIPELINE_BURST];
	struct frame_view views[PIPELINE_BURST];

	for (unsigned burst = 0; burst < bursts; burst++) {
		for (unsigned i = 0; i < PIPELINE_BURST; i++) {
			frame_udp(&frames[i],
				(struct frame_end){
					100, (uint16_t)(10000 + burst * PIPELINE_BURST + i)},
				(struct frame_end){9, 9}, "nobody's", 8);
			views[i] = frame_view(&frames[i], START);
		}
		pipeline_burst(&pipeline, views, PIPELINE_BURST, LINK_ETHERNET);
	}
}

/* With a backlog and all states taken, what no classifier wants takes none from others; what one
 * wants does. */
static void
test_a_backlog_takes_states_for_the_wanted(void)
{
	uint64_t cut;

	begin();
	flood(12);
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 64);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.flows, 12 * PIPELINE_BURST);
	cut = pipeline.inspector.counters.cut_short;
	CU_ASSERT_EQUAL(cut, 12 * PIPELINE_BURST - 64);
	/* Those that began last, in the backlog, have none: their next packets find nothing. */
	CU_ASSERT_EQUAL(pipeline.ipv4.flows[12 * PIPELINE_BURST - 1].inspection, 0);
	out.evidence = 0;
	for (uint8_t host = 10; host < 20; host++)
		exchange(host, 0, START + 1, "Server");
	CU_ASSERT_EQUAL(out.evidence, 10);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.cut_short, cut + 10);
	end();
}

static void
test_flows_only(void)
{
	struct decode_options options = {0};
	struct frame frame;

	CU_ASSERT_EQUAL_FATAL(inspector_ethertypes(&options), 0);
	begin_with(&options);
	pipeline.inspector.idle = true;
	exchange(10, 0, START, "Server");
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 0);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.flows, 0);
	frame_link(&frame, 1, 0xff, 0x8033); /* SADP */
	frame_append(&frame, "\x21\x02\x01\x42", 4);
	send(&frame, START);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.link_packets, 0);
	frame_link(&frame, 1, 0xff, 0x0806);
	frame_append(
		&frame, "\0\1\x08\0\6\4\0\1\x02\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2", 28);
	send(&frame, START);
	CU_ASSERT_EQUAL(pipeline.inspector.counters.link_packets, 1);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(out.count, 1);
	CU_ASSERT_FALSE(out.records[0].inspected);
	end();
}

/* A flood of flows without payload takes no inspection from the one that has some. */
static void
test_a_scan_takes_no_inspection(void)
{
	begin();
	for (uint16_t port = 1; port < 500; port++)
		tcp((struct frame_end){3, port}, server, TCP_SYN, "", START);
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 0);
	tcp(client, server, TCP_ACK, "OPTIONS rtsp://x/ RTSP/1.0\r\n", START);
	CU_ASSERT_EQUAL(pipeline.inspector.in_use, 1);
	end();
}

static const char *
protocol_of_last(void)
{
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_TRUE_FATAL(out.count > 0);
	return out.records[(out.count - 1) % RECORDS_MAX].application_name;
}

/* What a classifier recognizes needs no general inspection; all else gets it. */
static void
test_general_inspection_is_for_the_rest(void)
{
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";
	struct frame frame;

	begin();
	pipeline.inspector.dpi = dpi_create(64, 8);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline.inspector.dpi);
	frame_udp(&frame, client, (struct frame_end){9, 53}, query, sizeof(query) - 1);
	send(&frame, START);
	CU_ASSERT_EQUAL(dpi_counters(pipeline.inspector.dpi).packets, 0);
	CU_ASSERT_STRING_EQUAL(protocol_of_last(), "dns");
	tcp(client, (struct frame_end){9, 22}, TCP_ACK, "SSH-2.0-OpenSSH_9.2\r\n", START + SECOND);
	CU_ASSERT_EQUAL(dpi_counters(pipeline.inspector.dpi).packets, 1);
	/* Looks like DNS by its port only. */
	udp(client, (struct frame_end){9, 53}, 40, START + 2 * SECOND);
	CU_ASSERT_EQUAL(dpi_counters(pipeline.inspector.dpi).packets, 2);
	end();
}

/* A port alone makes no protocol: a classifier that only waits for more has named nothing. */
static void
test_patience_names_nothing(void)
{
	static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n", request[] =
								     "GET /index.html HTTP/1.1\r\n"
								     "Host: a.example\r\n\r\n";
	static const struct {
		uint16_t from, to;
		const char *payload, *name;
	} cases[] = {
		{9000, 22, ssh, "ssh"},
		{34567, 22, ssh, "ssh"},
		{37777, 22, ssh, "ssh"},
		{40000, 554, "\x81\x92\xa3 nobody's protocol", ""},
		{40000, 80, "abc", ""},
		{9000, 80, request, "http"},
		{37777, 80, request, "http"},
		{40000, 9000, request, "http"},
		{40000, 37777, request, "http"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame_end from = {1, cases[i].from}, to = {9, cases[i].to};
		const char *name;
		struct frame frame;

		begin();
		pipeline.inspector.dpi = dpi_create(64, 8);
		CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline.inspector.dpi);
		for (uint32_t n = 0; n < 6; n++) {
			frame_tcp(&frame, from, to, TCP_ACK,
				1 + n * (uint32_t)strlen(cases[i].payload), 1, cases[i].payload);
			send(&frame, START + n);
		}
		name = protocol_of_last();
		if (strcmp(name, cases[i].name) != 0)
			fprintf(stderr, "%u to %u is %s, not %s\n", cases[i].from, cases[i].to,
				name, cases[i].name);
		CU_ASSERT_STRING_EQUAL(name, cases[i].name);
		end();
	}
}

/* The first name holds: what nDPI called a flow before it went over to another protocol. */
static void
test_the_first_name_holds(void)
{
	static const char greeting[] = "220 mail.example.com ESMTP Postfix\r\n";
	static const char hello[] = "EHLO client.example.com\r\n";
	static const char secure[] = "\x16\x03\x01\0\x05\x01\0\0\x01\0";
	struct frame_end mail = {9, 25};
	struct frame frame;

	begin();
	pipeline.inspector.dpi = dpi_create(64, 8);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline.inspector.dpi);
	frame_tcp(&frame, mail, client, TCP_ACK, 1, 1, greeting);
	send(&frame, START);
	frame_tcp(&frame, client, mail, TCP_ACK, 1, sizeof(greeting), hello);
	send(&frame, START + 1);
	frame_tcp(
		&frame, mail, client, TCP_ACK, sizeof(greeting), sizeof(hello), "250 STARTTLS\r\n");
	send(&frame, START + 2);
	frame_tcp(&frame, client, mail, TCP_ACK, sizeof(hello), 60, "STARTTLS\r\n");
	send(&frame, START + 3);
	frame_tcp(&frame, client, mail, TCP_ACK, sizeof(hello) + 10, 60, secure);
	send(&frame, START + 4);
	CU_ASSERT_STRING_EQUAL(protocol_of_last(), "smtp");
	end();
}

static void
test_watched_flows_are_told_early(void)
{
	struct watch_set *watch = watch_set_create(4);
	struct ip_address camera = ip_from_ipv4((const uint8_t[]){10, 0, 0, 1});

	begin();
	watch_set_add(watch, 0, &camera);
	atomic_store(&pipeline.watch, watch);
	tcp(client, server, TCP_SYN, "", START);
	tcp((struct frame_end){7, 1}, (struct frame_end){8, 2}, TCP_SYN, "", START);
	pipeline_idle(&pipeline, START + 3 * SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 1);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_UPDATE);
	CU_ASSERT_EQUAL(out.records[0].packets[0], 0);
	CU_ASSERT_FALSE(out.records[0].answered);
	tcp(server, client, TCP_SYN | TCP_ACK, "", START + 4 * SECOND);
	pipeline_idle(&pipeline, START + 10 * SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	CU_ASSERT_TRUE(out.records[1].answered);
	pipeline_idle(&pipeline, START + 40 * SECOND);
	CU_ASSERT_EQUAL(out.count, 2);
	CU_ASSERT_TRUE(pipeline_flush(&pipeline));
	CU_ASSERT_EQUAL(out.records[2].packets[0] + out.records[2].packets[1] +
				out.records[3].packets[0] + out.records[3].packets[1],
		3);
	end();
	begin(); /* over before the first look: told then, not when it has lingered */
	atomic_store(&pipeline.watch, watch);
	tcp(client, server, TCP_SYN, "", START);
	tcp(server, client, TCP_SYN | TCP_ACK, "", START + 1000);
	tcp(client, server, TCP_RST | TCP_ACK, "", START + 2000);
	pipeline_idle(&pipeline, START + 3 * SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 1);
	CU_ASSERT_EQUAL(out.records[0].end_reason, FLOW_UPDATE);
	CU_ASSERT_TRUE(out.records[0].answered);
	pipeline_idle(&pipeline, START + 7 * SECOND);
	CU_ASSERT_EQUAL_FATAL(out.count, 2);
	CU_ASSERT_EQUAL(out.records[1].end_reason, FLOW_END_DETECTED);
	watch_set_free(watch);
	end();
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a lost fact is told again", test_a_lost_fact_is_told_again},
		{"new flows take states of which nobody is sure",
			test_new_flows_take_states_of_which_nobody_is_sure},
		{"lone datagrams do not blind", test_lone_datagrams_do_not_blind},
		{"a scan takes no inspection", test_a_scan_takes_no_inspection},
		{"general inspection is for the rest", test_general_inspection_is_for_the_rest},
		{"a backlog takes states for the wanted",
			test_a_backlog_takes_states_for_the_wanted},
		{"flows only", test_flows_only},
		{"patience names nothing", test_patience_names_nothing},
		{"the first name holds", test_the_first_name_holds},
		{"watched flows are told early", test_watched_flows_are_told_early},
		CU_TEST_INFO_NULL,
	};

	return unit_run("pipeline inspection", tests);
}
