/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kernel_port.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_which_devices_are_kernel_ports(void)
{
	static const struct {
		const char *device;
		bool kernel;
	} cases[] = {
		{"net_af_packet0,iface=span0", true},
		{"net_af_xdp0,queue_count=2,iface=span0", true}, {"net_pcap0,rx_iface=span0", true},
		{"0000:03:00.0", false}, {"net_ring0,surface=a", false},
		{"iface=span0", false}, /* arguments follow the first comma */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(kernel_port_is(cases[i].device), cases[i].kernel);
}

static void
test_missing_interface_is_named(void)
{
	char error[256] = "";

	CU_ASSERT_EQUAL(
		kernel_port_check("net_af_packet0,iface=no-such-port", error, sizeof(error)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "no interface no-such-port"));
	CU_ASSERT_EQUAL(kernel_port_check("net_af_packet0,iface=", error, sizeof(error)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "must name an interface"));
	CU_ASSERT_EQUAL(kernel_port_check("net_af_packet0,iface=longer-than-the-kernel-allows",
				error, sizeof(error)),
		-1);
}

/* Loopback has an MTU of 65536, an unknown interface none: the largest and the usual frame. */
static void
test_device_strings_are_completed(void)
{
	static const struct {
		const char *device;
		unsigned descriptors, workers;
		const char *completed;
		unsigned buffer;
	} cases[] = {
		{"net_af_packet0,iface=no-such-port", 2048, 1,
			"net_af_packet0,iface=no-such-port,framecnt=2048", 0},
		{"net_af_packet0,iface=no-such-port", 2047, 3,
			"net_af_packet0,iface=no-such-port,framecnt=2048,qpairs=3", 0},
		{"net_af_packet0,iface=lo", 64, 1,
			"net_af_packet0,iface=lo,blocksz=16384,framesz=16384,framecnt=64", 16384},
		{"net_af_packet0,iface=lo,blocksz=8192,framesz=4096,framecnt=10,qpairs=1", 64, 2,
			"net_af_packet0,iface=lo,blocksz=8192,framesz=4096,framecnt=10,qpairs=1",
			4096},
		{"net_af_xdp0,iface=lo", 64, 2, "net_af_xdp0,iface=lo", 0},
		{"0000:03:00.0", 64, 2, "0000:03:00.0", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char completed[256];

		CU_ASSERT_EQUAL(kernel_port_complete(cases[i].device, cases[i].descriptors,
					cases[i].workers, completed, sizeof(completed)),
			0);
		CU_ASSERT_STRING_EQUAL(completed, cases[i].completed);
		CU_ASSERT_EQUAL(kernel_port_buffer(completed), cases[i].buffer);
	}
}

static void
test_a_string_that_does_not_fit_is_refused(void)
{
	char completed[40];

	CU_ASSERT_EQUAL(kernel_port_complete("net_af_packet0,iface=no-such-port", 2048, 2,
				completed, sizeof(completed)),
		-ENAMETOOLONG);
}

/* A socket on loopback that nobody reads: the kernel drops, and the drops are counted once. */
static void
test_drops_of_a_socket_are_counted(void)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct kernel_sockets sockets;
	char frame[64] = {0};
	int small = 1;
	uint64_t first;

	if (fd < 0) {
		puts("skipped: packet sockets need root");
		return;
	}
	address.sll_protocol = __builtin_bswap16(ETH_P_ALL);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	kernel_sockets_find(&sockets, "net_af_packet0,iface=lo");
	CU_ASSERT_EQUAL(sockets.count, 1);
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(send(fd, frame, sizeof(frame), 0), sizeof(frame));
	kernel_sockets_count(&sockets);
	first = sockets.dropped;
	CU_ASSERT(first > 0);
	for (int i = 0; i < 10; i++)
		send(fd, frame, sizeof(frame), 0);
	kernel_sockets_count(&sockets);
	CU_ASSERT(sockets.dropped >= first + 10);
	close(fd);
	kernel_sockets_find(&sockets, "net_af_packet0,iface=lo");
	CU_ASSERT_EQUAL(sockets.count, 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"which devices are kernel ports", test_which_devices_are_kernel_ports},
		{"a missing interface is named", test_missing_interface_is_named},
		{"device strings are completed", test_device_strings_are_completed},
		{"a string that does not fit is refused",
			test_a_string_that_does_not_fit_is_refused},
		{"drops of a socket are counted", test_drops_of_a_socket_are_counted},
		CU_TEST_INFO_NULL,
	};

	return unit_run("kernel_port", tests);
}
