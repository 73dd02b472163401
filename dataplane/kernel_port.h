/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that are interfaces of the kernel (af_packet, af_xdp, pcap): what DPDK's drivers for them
 * do not do by themselves. No DPDK in here. */
#ifndef CAMSPAN_KERNEL_PORT_H
#define CAMSPAN_KERNEL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_PORT_SOCKETS_MAX 128

/* True for a device string that names a kernel interface ("...,iface=span0"). */
bool kernel_port_is(const char *device);
/* Whether the interface is there and may be opened. Returns 0, or -1 with one line in `error`. */
int kernel_port_check(const char *device, char *error, size_t error_size);
bool kernel_port_is_promiscuous(const char *device);
/* The device string with what it leaves out of an af_packet ring: frames that hold what the
 * interface's MTU allows, `descriptors` of them, one queue a worker. Others are copied as they are.
 * Returns 0, or -ENAMETOOLONG. */
int kernel_port_complete(
	const char *device, unsigned descriptors, unsigned workers, char *completed, size_t size);
/* Bytes that a packet buffer of this (completed) device string must hold; 0: the usual size. */
unsigned kernel_port_buffer(const char *completed);

/* The packet sockets of one interface that this process holds. */
struct kernel_sockets {
	int fds[KERNEL_PORT_SOCKETS_MAX];
	unsigned count;
	uint64_t dropped; /* since kernel_sockets_find() */
};

/* Finds the sockets that a driver has opened for the device. */
void kernel_sockets_find(struct kernel_sockets *sockets, const char *device);
/* Adds what the kernel had no room for since the last call. */
void kernel_sockets_count(struct kernel_sockets *sockets);

/* IPv4 fragments that the kernel of this network namespace took in, less the packets that it made
 * of them. The af_packet driver asks for reassembly: what is held here is not received. */
uint64_t kernel_fragments_held(void);

#endif
