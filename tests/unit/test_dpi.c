/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/dpi.h"
#include "classifiers/dpi_memory.h"
#include "dataplane/capture.h"
#include "dataplane/decode.h"
#include "tests/unit/captures.h"
#include "tests/unit/unit.h"

#define FLOWS_MAX 256

struct seen_flow {
	struct endpoint initiator, responder;
	uint8_t protocol;
	struct dpi_flow *handle;
	bool done;
	struct dpi_result result;
};

struct replay {
	struct dpi *dpi;
	size_t flow_count;
	struct seen_flow flows[FLOWS_MAX];
};

static bool
is_end(const struct endpoint *end, const struct ip_address *ip, uint16_t port)
{
	return end->port == port && ip_equal(&end->ip, ip);
}

static struct seen_flow *
flow_of(struct replay *replay, const struct packet *p, bool *from_initiator)
{
	struct seen_flow *flow;

	for (size_t i = 0; i < replay->flow_count; i++) {
		flow = &replay->flows[i];
		*from_initiator = is_end(&flow->initiator, &p->source, p->source_port) &&
				  is_end(&flow->responder, &p->destination, p->destination_port);
		if (flow->protocol != p->protocol)
			continue;
		if (*from_initiator ||
			(is_end(&flow->responder, &p->source, p->source_port) &&
				is_end(&flow->initiator, &p->destination, p->destination_port)))
			return flow;
	}
	if (replay->flow_count == FLOWS_MAX)
		return NULL;
	flow = &replay->flows[replay->flow_count++];
	*flow = (struct seen_flow){
		.initiator = {p->source, p->source_port},
		.responder = {p->destination, p->destination_port},
		.protocol = p->protocol,
		.handle = dpi_attach(replay->dpi),
	};
	*from_initiator = true;
	return flow;
}

static void
inspect_packet(struct replay *replay, const struct frame_view *captured)
{
	struct packet packet = {
		.data = captured->data,
		.captured = captured->captured,
		.wire_length = captured->wire_length,
		.time = captured->time,
	};
	bool from_initiator;
	struct seen_flow *flow;

	if (decode_packet(&packet, captured->link, NULL) != PACKET_DECODED)
		return;
	flow = flow_of(replay, &packet, &from_initiator);
	if (flow == NULL || flow->handle == NULL || flow->done)
		return;
	flow->done = dpi_inspect(replay->dpi, flow->handle, packet.data + packet.l3,
			     packet.captured - packet.l3, packet.time, from_initiator,
			     &flow->result) == DPI_DONE;
}

static void
replay_capture(struct replay *replay, const char *path)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct frame_view packet;

	CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
	while (capture_burst(capture, &packet, 1) == 1)
		inspect_packet(replay, &packet);
	capture_close(capture);
	for (size_t i = 0; i < replay->flow_count; i++) {
		struct seen_flow *flow = &replay->flows[i];

		if (flow->handle && !flow->done)
			dpi_conclude(replay->dpi, flow->handle, &flow->result);
		dpi_detach(replay->dpi, flow->handle);
	}
}

static bool
found(const struct replay *replay, const char *name)
{
	for (size_t i = 0; i < replay->flow_count; i++)
		if (strcmp(replay->flows[i].result.name, name) == 0)
			return replay->flows[i].result.protocol != 0;
	return false;
}

static void
test_protocols_of_captures(void)
{
	static const struct {
		const char *capture, *name;
	} cases[] = {
		{"ntop__nDPI/tests/cfgs/default/pcap/dns_long_domainname.pcap", "dns"},
		{"ntop__nDPI/tests/cfgs/default/pcap/tls_long_cert.pcap", "tls"},
		{"ntop__nDPI/tests/cfgs/default/pcap/rtsp.pcap", "rtsp"},
		{"ntop__nDPI/tests/cfgs/default/pcap/http-lines-split.pcap", "http"},
		{"ntop__nDPI/tests/cfgs/default/pcap/http_ipv6.pcap", "tls"},
	};
	struct replay *replay = malloc(sizeof(*replay));
	char path[600];

	CU_ASSERT_PTR_NOT_NULL_FATAL(replay);
	replay->dpi = dpi_create(FLOWS_MAX, 16);
	CU_ASSERT_PTR_NOT_NULL_FATAL(replay->dpi);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!captures_find(cases[i].capture, path, sizeof(path)))
			continue;
		replay->flow_count = 0;
		replay_capture(replay, path);
		if (!found(replay, cases[i].name))
			fprintf(stderr, "%s: no %s, but %s\n", cases[i].capture, cases[i].name,
				replay->flow_count ? replay->flows[0].result.name : "no flow");
		CU_ASSERT_TRUE(found(replay, cases[i].name));
		CU_ASSERT_EQUAL(dpi_counters(replay->dpi).flows_in_use, 0);
	}
	CU_ASSERT_EQUAL(dpi_counters(replay->dpi).memory_fallbacks, 0);
	dpi_free(replay->dpi);
	free(replay);
}

/* 10.0.0.1:4000 -> 10.0.0.2:4001 with bytes that nothing claims. */
static size_t
nameless_packet(uint8_t packet[48])
{
	static const uint8_t head[28] = {0x45, 0, 0, 48, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1,
		10, 0, 0, 2, 0x0f, 0xa0, 0x0f, 0xa1, 0, 28};

	memcpy(packet, head, sizeof(head));
	memset(packet + sizeof(head), 0xee, 20);
	return 48;
}

static void
test_gives_up(void)
{
	struct dpi *dpi = dpi_create(1, 3);
	struct dpi_result result = {.protocol = 99, .name = "?"};
	struct dpi_flow *flow;
	uint8_t packet[48];
	size_t length = nameless_packet(packet);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dpi);
	flow = dpi_attach(dpi);
	CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(
			dpi_inspect(dpi, flow, packet, length, i, true, &result), DPI_WORKING);
	CU_ASSERT_EQUAL(result.protocol, 99);
	CU_ASSERT_EQUAL(dpi_inspect(dpi, flow, packet, length, 3, true, &result), DPI_DONE);
	CU_ASSERT_EQUAL(result.protocol, 0);
	CU_ASSERT_STRING_EQUAL(result.name, "");
	CU_ASSERT_EQUAL(dpi_counters(dpi).gave_up, 1);
	CU_ASSERT_EQUAL(dpi_counters(dpi).packets, 3);
	dpi_free(dpi);
}

static void
test_handles_are_bounded(void)
{
	struct dpi *dpi = dpi_create(2, 8);
	struct dpi_flow *a, *b;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dpi);
	a = dpi_attach(dpi);
	b = dpi_attach(dpi);
	CU_ASSERT_PTR_NOT_NULL(a);
	CU_ASSERT_PTR_NOT_NULL(b);
	CU_ASSERT_PTR_NULL(dpi_attach(dpi));
	CU_ASSERT_EQUAL(dpi_counters(dpi).flows_refused, 1);
	dpi_detach(dpi, a);
	dpi_detach(dpi, a); /* twice is no harm */
	dpi_detach(dpi, NULL);
	CU_ASSERT_PTR_EQUAL(dpi_attach(dpi), a);
	CU_ASSERT_PTR_NULL(dpi_attach(dpi));
	CU_ASSERT_EQUAL(dpi_counters(dpi).flows_in_use, 2);
	dpi_free(dpi);
}

/* Every prefix of a packet, and absurd ones: nDPI must hold behind our interface. */
static void
test_short_packets(void)
{
	struct dpi *dpi = dpi_create(4, 200);
	struct dpi_result result;
	uint8_t packet[48];
	size_t length = nameless_packet(packet);
	struct dpi_flow *flow = dpi_attach(dpi);

	CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
	for (size_t cut = 0; cut <= length; cut++) {
		uint8_t *exact = malloc(cut + 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
		memcpy(exact, packet, cut);
		dpi_inspect(dpi, flow, exact, (uint32_t)cut, 0, true, &result);
		free(exact);
	}
	dpi_free(dpi);
}

static void
test_memory(void)
{
	struct dpi_memory *memory = dpi_memory_create(16 * 1024);
	void *small[4], *large, *again;

	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
	dpi_memory_enter(memory);
	for (size_t i = 0; i < 4; i++) {
		small[i] = dpi_malloc(33 * i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(small[i]);
		CU_ASSERT_EQUAL((uintptr_t)small[i] % 16, 0);
		memset(small[i], 0xff, 33 * i);
	}
	CU_ASSERT_EQUAL(dpi_memory_in_use(memory), 32 + 64 + 128 + 128);
	CU_ASSERT_EQUAL(dpi_memory_fallbacks(memory), 0);
	dpi_mfree(small[2]);
	again = dpi_malloc(100);
	CU_ASSERT_PTR_EQUAL(again, small[2]);
	large = dpi_malloc(15000); /* its class no longer fits */
	CU_ASSERT_PTR_NOT_NULL_FATAL(large);
	memset(large, 0xff, 15000);
	CU_ASSERT_EQUAL(dpi_memory_fallbacks(memory), 1);
	CU_ASSERT_PTR_NULL(dpi_malloc(SIZE_MAX));
	CU_ASSERT_EQUAL(dpi_memory_fallbacks(memory), 2);
	dpi_memory_enter(NULL);
	dpi_mfree(large);
	dpi_mfree(small[0]);
	dpi_mfree(small[1]);
	dpi_mfree(again);
	dpi_mfree(small[3]);
	dpi_mfree(NULL);
	CU_ASSERT_EQUAL(dpi_memory_in_use(memory), 0);
	large = dpi_malloc(10);
	CU_ASSERT_EQUAL(dpi_memory_in_use(memory), 0);
	dpi_mfree(large);
	dpi_memory_destroy(memory);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"memory", test_memory},
		{"handles are bounded", test_handles_are_bounded},
		{"gives up", test_gives_up},
		{"short packets", test_short_packets},
		{"protocols of captures", test_protocols_of_captures},
		CU_TEST_INFO_NULL,
	};

	return unit_run("dpi", tests);
}
