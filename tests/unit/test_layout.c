/* SPDX-License-Identifier: Apache-2.0 */
/* Lcores and queues of machines that are hard to come by: several sockets, many ports. */
#include "dataplane/layout.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct layout layout;

static void
begin(bool software, uint16_t rx, uint16_t workers, const struct layout_port *ports, uint16_t count)
{
	memset(&layout, 0, sizeof(layout));
	layout.software = software;
	layout.rx_count = rx;
	layout.worker_count = workers;
	layout.port_count = count;
	memcpy(layout.ports, ports, count * sizeof(*ports));
}

/* Lcores 1 to 8, of which the even ones are on socket 0. */
static int
assign_eight(void)
{
	struct layout_lcore lcores[8];

	for (unsigned i = 0; i < 8; i++)
		lcores[i] = (struct layout_lcore){i + 1, (int)(i + 1) % 2};
	if (layout_assign_lcores(&layout, lcores, 8) != 0)
		return -1;
	return layout_assign_queues(&layout);
}

static void
test_queue_per_worker(void)
{
	const struct layout_port ports[] = {{1, 64, false, true}, {1, 2, false, true}};

	begin(false, 1, 4, ports, 2);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout.queues[0], 4);
	CU_ASSERT_EQUAL(layout.queues[1], 2);
	CU_ASSERT_EQUAL(layout.worker_queues[1].count, 2);
	CU_ASSERT_EQUAL(layout.worker_queues[3].count, 1);
	CU_ASSERT_EQUAL(layout.worker_queues[3].list[0].queue, 3);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(layout.workers[i].socket, 1);
	CU_ASSERT_EQUAL(layout_crossings(&layout, 0), 0);
}

/* A port that fills queues which nobody reads would lose what is in them. */
static void
test_every_filled_queue_is_read(void)
{
	const struct layout_port ports[] = {{-1, 5, true, true}};
	unsigned read = 0;

	begin(false, 1, 2, ports, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout.queues[0], 5);
	CU_ASSERT_EQUAL(layout.worker_queues[0].count, 3);
	CU_ASSERT_EQUAL(layout.worker_queues[1].count, 2);
	begin(true, 2, 2, ports, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	for (unsigned i = 0; i < 2; i++)
		read += layout.rx_queues[i].count;
	CU_ASSERT_EQUAL(read, 5);
	CU_ASSERT_EQUAL(layout.worker_queues[0].count, 0);
}

static void
test_too_many_queues(void)
{
	const struct layout_port ports[] = {
		{-1, LAYOUT_QUEUES_MAX, true, true}, {-1, 1, true, true}};

	begin(true, 1, 1, ports, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	begin(true, 1, 1, ports, 2);
	CU_ASSERT_EQUAL(assign_eight(), -1);
}

static void
test_rx_lcores_by_socket(void)
{
	const struct layout_port ports[] = {
		{0, 16, false, true}, {1, 16, false, true}, {1, 16, false, true}};

	begin(true, 2, 4, ports, 3);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout.rx[0].socket, 0);
	CU_ASSERT_EQUAL(layout.rx[1].socket, 1);
	CU_ASSERT_EQUAL(layout.rx_queues[0].count, 1);
	CU_ASSERT_EQUAL(layout.rx_queues[0].list[0].port, 0);
	CU_ASSERT_EQUAL(layout.rx_queues[1].count, 2);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(layout_crossings(&layout, i), 0);
}

/* More RX lcores than ports: a port that can spread has a queue for each of them. */
static void
test_more_rx_than_ports(void)
{
	const struct layout_port spreads[] = {{0, 16, false, true}};
	const struct layout_port single[] = {{0, 1, false, false}};

	begin(true, 3, 2, spreads, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout.queues[0], 3);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(layout.rx_queues[i].count, 1);
	begin(true, 3, 2, single, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout.queues[0], 1);
	CU_ASSERT_EQUAL(layout.rx_queues[1].count + layout.rx_queues[2].count, 0);
}

static void
test_crossings_are_told(void)
{
	const struct layout_port ports[] = {{0, 16, false, true}};

	begin(false, 1, 6, ports, 1); /* four lcores are on its socket */
	CU_ASSERT_EQUAL(assign_eight(), 0);
	CU_ASSERT_EQUAL(layout_crossings(&layout, 0), 2);
	begin(false, 1, 8, ports, 1);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	begin(true, 1, 8, ports, 1);
	CU_ASSERT_EQUAL(assign_eight(), -1);
}

static void
test_no_lcore_twice(void)
{
	const struct layout_port ports[] = {{0, 16, false, true}, {1, 16, false, true}};
	unsigned seen = 0;

	begin(true, 3, 5, ports, 2);
	CU_ASSERT_EQUAL(assign_eight(), 0);
	for (unsigned i = 0; i < 3; i++)
		seen |= 1u << layout.rx[i].id;
	for (unsigned i = 0; i < 5; i++)
		seen |= 1u << layout.workers[i].id;
	CU_ASSERT_EQUAL(seen, 0x1fe);
}

static void
test_prefer_sockets(void)
{
	const struct layout_port ports[] = {{1, 1, false, false}};
	struct layout_lcore lcores[] = {{0, 0}, {1, 1}, {2, 0}, {3, 1}};
	static const unsigned expected[] = {1, 3, 0, 2};

	layout_prefer_sockets(lcores, 4, ports, 1);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(lcores[i].id, expected[i]);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"a queue of every port for each worker", test_queue_per_worker},
		{"every queue that is filled is read", test_every_filled_queue_is_read},
		{"queues that nobody could read", test_too_many_queues},
		{"RX lcores serve the ports of their socket", test_rx_lcores_by_socket},
		{"more RX lcores than ports", test_more_rx_than_ports},
		{"crossings are told, too few lcores too", test_crossings_are_told},
		{"no lcore twice", test_no_lcore_twice},
		{"lcores of a port's socket first", test_prefer_sockets},
		CU_TEST_INFO_NULL,
	};

	return unit_run("layout", tests);
}
