/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through a port, RX lcore, rings and workers. The port is a ring of DPDK (net_ring), so
 * that a test decides which packets come, and when. */
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "dataplane/mbuf_time.h"
#include "tests/unit/frames.h"
#include "tests/unit/unit.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW       INT64_C(1700000000000000000)
#define WIRE_SIZE 8192 /* packets that the port holds */
#define FLOWS     64

static struct {
	struct rte_ring *wire; /* what is enqueued here comes in by the port */
	struct rte_mempool *pool;
	struct config *config;
	struct dispatch *dispatch;
	struct decode_options decode;
	struct ports ports;
	struct layout layout;
	struct spread_secret secret;
} fixture;

/* Payload of a packet: which flow, which direction, the how many-th. */
struct mark {
	uint16_t flow;
	uint16_t back;
	uint32_t sequence;
};

static struct rte_mbuf *
bring(const struct frame *frame)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(fixture.pool);

	if (mbuf == NULL)
		return NULL;
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)frame->length), frame->bytes, frame->length);
	if (rte_ring_enqueue(fixture.wire, mbuf) == 0)
		return mbuf;
	rte_pktmbuf_free(mbuf);
	return NULL;
}

static bool
wire_in(struct mark mark)
{
	struct frame frame;
	struct frame_end a = {(uint8_t)(1 + mark.flow), 554}, b = {200, 40000};

	frame_udp(&frame, mark.back ? b : a, mark.back ? a : b, &mark, sizeof(mark));
	return bring(&frame) != NULL;
}

static struct mark
mark_of(const struct rte_mbuf *mbuf)
{
	struct mark mark;

	memcpy(&mark, rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, 42), sizeof(mark));
	return mark;
}

/* Both directions of all flows in turn. */
static void
send_all(unsigned packets)
{
	for (unsigned i = 0; i < packets; i++)
		CU_ASSERT_TRUE_FATAL(wire_in((struct mark){
			(uint16_t)(i / 2 % FLOWS), (uint16_t)(i % 2), i / (2 * FLOWS)}));
}

static int
begin_spread(struct spread *spread, uint16_t workers, uint32_t slots, uint32_t sampling)
{
	struct spread_settings settings = {
		.ports = &fixture.ports,
		.queues = &fixture.layout.rx_queues[0],
		.secret = &fixture.secret,
		.sampling = sampling,
		.ring_slots = slots,
		.workers = workers,
		.socket = -1,
	};

	return spread_init(spread, &settings);
}

static uint64_t
figure(const struct health_record *health, const char *name)
{
	for (size_t i = 0; i < health->figure_count; i++)
		if (strcmp(health->figures[i].name, name) == 0)
			return health->figures[i].value;
	CU_FAIL("a figure is missing");
	return 0;
}

/* Takes what is in a worker's ring; each flow that is there has `owner` set, and its packets are in
 * order. */
static unsigned
check_ring(struct rte_ring *ring, unsigned worker, unsigned owner[FLOWS], uint32_t next[FLOWS][2])
{
	struct rte_mbuf *mbuf;
	unsigned count = 0;

	while (rte_ring_sc_dequeue(ring, (void **)&mbuf) == 0) {
		struct mark mark = mark_of(mbuf);

		CU_ASSERT_FATAL(mark.flow < FLOWS && mark.back < 2);
		if (owner[mark.flow] == UINT32_MAX)
			owner[mark.flow] = worker;
		CU_ASSERT_EQUAL(owner[mark.flow], worker);
		CU_ASSERT_EQUAL(next[mark.flow][mark.back]++, mark.sequence);
		CU_ASSERT_EQUAL(mbuf_time(mbuf), NOW);
		CU_ASSERT_EQUAL(mbuf->port, 0);
		rte_pktmbuf_free(mbuf);
		count++;
	}
	return count;
}

static void
test_one_worker_per_flow_in_order(void)
{
	for (uint16_t workers = 1; workers <= 5; workers++) {
		unsigned owner[FLOWS], total = 0;
		uint32_t next[FLOWS][2] = {0};
		struct spread spread;

		memset(owner, 0xff, sizeof(owner));
		CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, workers, 8192, 1), 0);
		send_all(5000);
		while (spread_round(&spread, NOW) > 0)
			;
		for (unsigned i = 0; i < workers; i++)
			total += check_ring(spread_ring(&spread, i), i, owner, next);
		CU_ASSERT_EQUAL(total, 5000);
		spread_free(&spread);
		CU_ASSERT_EQUAL(rte_mempool_in_use_count(fixture.pool), 0);
	}
}

/* Nobody drains: what does not fit is dropped, counted, and freed. */
static void
test_full_rings_are_counted(void)
{
	struct health_record health = {0};
	struct spread spread;
	uint64_t queued;

	CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, 3, 256, 1), 0);
	send_all(5000);
	while (spread_round(&spread, NOW) > 0)
		;
	spread_health(&spread, &health);
	queued = figure(&health, "spread.queued");
	CU_ASSERT_EQUAL(queued, 3 * 255);
	CU_ASSERT_EQUAL(figure(&health, "spread.received"), 5000);
	CU_ASSERT_EQUAL(figure(&health, "spread.handed"), queued);
	CU_ASSERT_EQUAL(figure(&health, "spread.ring_full"), 5000 - queued);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(fixture.pool), queued);
	spread_free(&spread);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(fixture.pool), 0);
}

static void
test_sampling_keeps_flows_whole(void)
{
	struct health_record health = {0};
	uint32_t next[FLOWS][2] = {0};
	unsigned owner[FLOWS], kept = 0, flows = 0;
	struct spread spread;

	memset(owner, 0xff, sizeof(owner));
	CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, 2, 8192, 4), 0);
	send_all(6400);
	while (spread_round(&spread, NOW) > 0)
		;
	for (unsigned i = 0; i < 2; i++)
		kept += check_ring(spread_ring(&spread, i), i, owner, next);
	for (unsigned i = 0; i < FLOWS; i++)
		flows += owner[i] != UINT32_MAX;
	CU_ASSERT(flows > 4 && flows < 32); /* 16 are expected of 64 */
	CU_ASSERT_EQUAL(kept, flows * 100);
	spread_health(&spread, &health);
	CU_ASSERT_EQUAL(health.balance.received, 6400 - kept);
	CU_ASSERT_EQUAL(health.balance.fates[DROP_NOT_SAMPLED], 6400 - kept);
	CU_ASSERT_EQUAL(figure(&health, "spread.handed"), kept);
	spread_free(&spread);
}

/* A worker that gets one packet in many gets it at once when no more come. */
static void
test_nothing_stays_behind(void)
{
	struct spread spread;

	CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, 5, 1024, 1), 0);
	send_all(33);
	CU_ASSERT_EQUAL(spread_round(&spread, NOW), 32);
	CU_ASSERT_EQUAL(spread_round(&spread, NOW), 1);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(spread.lanes[i].staged, 0);
	spread_free(&spread);
}

/* A tag that the port took off is put back before the frame is hashed and handed over. */
static void
test_stripped_tags(void)
{
	struct frame frame;
	struct rte_mbuf *mbuf;
	struct spread spread;

	CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, 1, 1024, 1), 0);
	frame_udp(&frame, (struct frame_end){1, 1}, (struct frame_end){2, 2}, "x", 1);
	mbuf = bring(&frame);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mbuf);
	mbuf->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbuf->vlan_tci = 0x0123;
	CU_ASSERT_EQUAL(spread_round(&spread, NOW), 1);
	CU_ASSERT_EQUAL_FATAL(rte_ring_sc_dequeue(spread_ring(&spread, 0), (void **)&mbuf), 0);
	CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(mbuf), frame.length + 4);
	CU_ASSERT_EQUAL(
		memcmp(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 12), "\x81\x00\x01\x23\x08\x00", 6),
		0);
	rte_pktmbuf_free(mbuf);
	spread_free(&spread);
}

/* The port's time where it is believable, else that of the burst; what is refused is counted. */
static void
test_port_timestamps(void)
{
	static const struct {
		int64_t stamp; /* 0: the packet has none */
		int64_t expected;
	} cases[] = {{NOW - 5000, NOW - 5000}, {0, NOW}, {NOW - 5000000000, NOW}, {777, NOW}};
	struct ports *ports = &fixture.ports;
	struct frame frame;
	struct spread spread;

	CU_ASSERT_EQUAL(rte_mbuf_dyn_rx_timestamp_register(
				&ports->timestamp_offset, &ports->timestamp_flag),
		0);
	port_clock_init(&ports->ports[0].clock, PORT_CLOCK_UTC);
	CU_ASSERT_EQUAL_FATAL(begin_spread(&spread, 1, 1024, 1), 0);
	frame_udp(&frame, (struct frame_end){1, 1}, (struct frame_end){2, 2}, "x", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rte_mbuf *mbuf = bring(&frame);

		CU_ASSERT_PTR_NOT_NULL_FATAL(mbuf);
		if (cases[i].stamp)
			mbuf->ol_flags |= ports->timestamp_flag;
		*RTE_MBUF_DYNFIELD(mbuf, ports->timestamp_offset, rte_mbuf_timestamp_t *) =
			(uint64_t)cases[i].stamp;
		CU_ASSERT_EQUAL(spread_round(&spread, NOW), 1);
		CU_ASSERT_EQUAL_FATAL(
			rte_ring_sc_dequeue(spread_ring(&spread, 0), (void **)&mbuf), 0);
		CU_ASSERT_EQUAL(mbuf_time(mbuf), cases[i].expected);
		rte_pktmbuf_free(mbuf);
	}
	CU_ASSERT_EQUAL(counter_read(&spread.receiver.refused[0]), 2);
	spread_free(&spread);
	port_clock_init(&ports->ports[0].clock, PORT_CLOCK_NONE);
}

/* In the midst of traffic: what the workers say they received is what they decoded and dropped. */
static void
expect_balance(struct crew *crew)
{
	struct health_record health = {0};
	uint64_t fates = 0;

	crew_ask(crew);
	while (!crew_has_answered(crew))
		usleep(100);
	crew_health(crew, &health);
	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		fates += health.balance.fates[fate];
	CU_ASSERT_EQUAL(fates, health.balance.received);
}

static void
drop_report(void *context, const struct report *report)
{
	(void)context;
	(void)report;
}

static void
run_crew(struct crew *crew, atomic_bool *stop, unsigned packets)
{

	crew_launch(crew);
	for (unsigned i = 0; i < packets; i++) {
		struct mark mark = {(uint16_t)(i / 2 % FLOWS), (uint16_t)(i % 2), i / (2 * FLOWS)};

		while (!wire_in(mark))
			usleep(100);
		if (i % 20000 == 0)
			expect_balance(crew);
	}
	while (rte_ring_count(fixture.wire) > 0)
		usleep(100);
	/* The stop finds packets staged, in rings and in batches. */
	atomic_store(stop, true);
	while (!crew_has_drained(crew))
		for (unsigned i = 0; i < crew->worker_count; i++)
			while (report_ring_receive(
				       &crew->workers[i]->reports, 64, drop_report, NULL) > 0)
				;
	rte_eal_mp_wait_lcore();
}

/* A worker that reads its queue itself leaves the same packets out, and counts them as received. */
static void
test_sampling_without_rx_lcores(void)
{
	static struct layout layout;
	struct layout_lcore lcore = {1, -1};
	struct config config = *fixture.config;
	struct house house = {
		.config = &config, .dispatch = fixture.dispatch, .decode = &fixture.decode};
	struct crew_settings settings = {.house = &house,
		.ports = &fixture.ports,
		.layout = &layout,
		.clock = clock_start()};
	struct health_record health = {0};
	char error[512];
	struct crew crew;

	config.dataplane.workers = 1;
	config.dataplane.sampling = 4;
	CU_ASSERT_EQUAL_FATAL(
		ports_plan(&fixture.ports, &config, &lcore, 1, &layout, error, sizeof(error)), 0);
	CU_ASSERT_FALSE(layout.software);
	CU_ASSERT_EQUAL_FATAL(crew_create(&crew, &settings), 0);
	send_all(6400);
	crew_ask(&crew);
	while (worker_round(crew.workers[0], NOW) > 0 || !crew_has_answered(&crew))
		;
	crew_ask(&crew);
	worker_round(crew.workers[0], NOW);
	crew_health(&crew, &health);
	CU_ASSERT_EQUAL(health.balance.received, 6400);
	CU_ASSERT_EQUAL(
		health.balance.fates[PACKET_DECODED] + health.balance.fates[DROP_NOT_SAMPLED],
		6400);
	CU_ASSERT_EQUAL(
		health.balance.fates[PACKET_DECODED], figure(&health, "flow_table.created") * 100);
	CU_ASSERT(figure(&health, "flow_table.created") < FLOWS / 2);
	crew_free(&crew);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(fixture.pool), 0);
}

/* From start to stop on real lcores: every packet that the port gave is in the balance or counted
 * as lost to a full ring. */
static void
test_stop_loses_nothing(void)
{
	atomic_bool stop = false;
	struct house house = {
		.config = fixture.config, .dispatch = fixture.dispatch, .decode = &fixture.decode};
	struct crew_settings settings = {.house = &house,
		.ports = &fixture.ports,
		.layout = &fixture.layout,
		.clock = clock_start(),
		.stop = &stop};
	struct health_record health = {0};
	struct crew crew;

	CU_ASSERT_TRUE(fixture.layout.software);
	CU_ASSERT_EQUAL_FATAL(crew_create(&crew, &settings), 0);
	run_crew(&crew, &stop, 100000);
	crew_health(&crew, &health);
	CU_ASSERT_EQUAL(figure(&health, "spread.received"), 100000);
	CU_ASSERT_EQUAL(
		figure(&health, "spread.handed") + figure(&health, "spread.ring_full"), 100000);
	CU_ASSERT_EQUAL(health.balance.received, figure(&health, "spread.handed"));
	CU_ASSERT_EQUAL(health.balance.received, health.balance.fates[PACKET_DECODED]);
	CU_ASSERT_EQUAL(figure(&health, "worker.0.packets") + figure(&health, "worker.1.packets"),
		health.balance.received);
	CU_ASSERT(figure(&health, "worker.0.packets") > 0);
	CU_ASSERT(figure(&health, "workers.imbalance") >= 100);
	CU_ASSERT_EQUAL(figure(&health, "flow_table.created"), FLOWS);
	crew_free(&crew);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(fixture.pool), 0);
}

/* Ordinary pages, several lcores on the CPUs that there are. */
static struct config *
small_config(void)
{
	struct config *config = config_defaults();

	if (config == NULL)
		return NULL;
	config->dataplane.huge_pages = HUGE_PAGES_OFF;
	config->dataplane.memory_mib = 256;
	config->dataplane.workers = 2;
	config->dataplane.mbufs = 8192;
	config->flows.ipv4_max = config->flows.ipv6_max = 1024;
	config->inspection.flows_max = config->inspection.stream_buffers = 1024;
	return config;
}

static int
set_up(void)
{
	struct layout_lcore lcores[8];
	char error[512];

	fixture.config = small_config();
	fixture.dispatch = dispatch_create();
	if (!fixture.config || !fixture.dispatch || spread_secret_random(&fixture.secret) != 0)
		return 1;
	if (eal_start(fixture.config, EAL_LIVE, error, sizeof(error)) != 0) {
		puts(error);
		return 1;
	}
	fixture.wire = rte_ring_create("wire", WIRE_SIZE, -1, 0);
	fixture.pool = rte_pktmbuf_pool_create("test", 16383, 0, 0, 2176, -1);
	if (!fixture.wire || !fixture.pool ||
		rte_eth_from_rings("wire", &fixture.wire, 1, &fixture.wire, 1, 0) < 0) {
		printf("no port: %s\n", rte_strerror(rte_errno));
		return 1;
	}
	if (ports_open(&fixture.ports, fixture.config, lcores, eal_lcores(lcores, 8),
		    &fixture.layout, error, sizeof(error)) == 0)
		return 0;
	puts(error);
	return 1;
}

static void
expect_next(void *context, const struct report *report)
{
	uint64_t *next = context;

	CU_ASSERT_EQUAL(report->kind, REPORT_FLOW);
	CU_ASSERT_EQUAL(report->flow.id, ++*next);
}

/* Through the end of the ring and on at its beginning; what finds no room is told. */
static void
test_reports_keep_their_order(void)
{
	struct report_ring ring;
	struct pipeline_output output;
	struct flow_record record = {0};
	uint64_t received = 0;
	unsigned sent = 0;

	CU_ASSERT_EQUAL_FATAL(report_ring_init(&ring, 99, 2048, -1), 0);
	output = report_ring_output(&ring);
	for (unsigned round = 0; round < 9; round++) {
		for (unsigned i = 0; i < 700; i++) {
			record.id++;
			CU_ASSERT_TRUE(output.flow(output.context, &record));
		}
		CU_ASSERT_EQUAL(report_ring_receive(&ring, 1000, expect_next, &received), 700);
	}
	while (output.flow(output.context, &record))
		sent++;
	CU_ASSERT_EQUAL(sent, 2047 - 1024); /* the rest is for facts */
	report_ring_free(&ring);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a flow has one worker, both ways and in order",
			test_one_worker_per_flow_in_order},
		{"what finds a ring full is counted and freed", test_full_rings_are_counted},
		{"sampling keeps flows whole", test_sampling_keeps_flows_whole},
		{"nothing stays behind in a stage", test_nothing_stays_behind},
		{"sampling without RX lcores", test_sampling_without_rx_lcores},
		{"stripped VLAN tags are put back", test_stripped_tags},
		{"the port's time where it is believable", test_port_timestamps},
		{"reports keep their order", test_reports_keep_their_order},
		{"a stop loses nothing", test_stop_loses_nothing},
		CU_TEST_INFO_NULL,
	};
	int code = set_up();

	if (code == 0)
		code = unit_run("spread", tests);
	ports_stop(&fixture.ports);
	dispatch_free(fixture.dispatch);
	config_free(fixture.config);
	eal_stop();
	return code;
}
