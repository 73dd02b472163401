/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/generator.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_LENGTH 60 /* 64 on the wire with the FCS */

/* Ethernet, IPv4, UDP from 10.x.y.z:port to 192.0.2.1:9, padding. */
static const uint8_t frame_template[64] = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,
	0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 192, 0, 2, 1, 0x80, 0, 0, 9, 0, 26,
	0, 0};

enum { TOTAL_LENGTH = 16, SERIAL = 56, SOURCE_ADDRESS = 26, SOURCE_PORT = 34, UDP_LENGTH = 38 };

void
generator_init(struct generator *generator, struct rte_mempool *pool, uint32_t flows)
{
	*generator = (struct generator){
		.pool = pool, .flow_mask = flows - 1, .random = UINT64_C(0x9e3779b97f4a7c15)};
}

static inline uint64_t
next_random(struct generator *generator)
{
	uint64_t x = generator->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return generator->random = x;
}

/* Packets of one flow differ at their end, or deduplication would take them for copies. */
static inline void
write_frame(struct generator *generator, struct rte_mbuf *mbuf, uint32_t flow)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	/* Flow numbers spread over address and port, and stay distinct: 24 + 8 bits. */
	uint32_t address = rte_cpu_to_be_32(0x0a000000 | (flow & 0xffffff));
	uint16_t port = rte_cpu_to_be_16((uint16_t)(0x8000 | flow >> 24));

	memcpy(frame, frame_template, sizeof(frame_template));
	memcpy(frame + SOURCE_ADDRESS, &address, sizeof(address));
	memcpy(frame + SOURCE_PORT, &port, sizeof(port));
	memcpy(frame + SERIAL, &generator->serial, sizeof(generator->serial));
	generator->serial++;
	mbuf->data_len = FRAME_LENGTH;
	mbuf->pkt_len = FRAME_LENGTH;
}

void
generator_write(uint32_t flow, uint8_t *frame, uint16_t length)
{
	uint32_t address = rte_cpu_to_be_32(0x0a000000 | (flow & 0xffffff));
	uint16_t port = rte_cpu_to_be_16((uint16_t)(0x8000 | flow >> 24));
	uint16_t total = rte_cpu_to_be_16((uint16_t)(length - 14));
	uint16_t datagram = rte_cpu_to_be_16((uint16_t)(length - 34));

	memcpy(frame, frame_template, sizeof(frame_template));
	memcpy(frame + TOTAL_LENGTH, &total, sizeof(total));
	memcpy(frame + SOURCE_ADDRESS, &address, sizeof(address));
	memcpy(frame + SOURCE_PORT, &port, sizeof(port));
	memcpy(frame + UDP_LENGTH, &datagram, sizeof(datagram));
}

static inline void
take_mbufs(struct generator *generator, struct rte_mbuf *mbufs[GENERATOR_BURST])
{
	if (rte_pktmbuf_alloc_bulk(generator->pool, mbufs, GENERATOR_BURST) != 0)
		abort();
}

void
generator_burst(struct generator *generator, struct rte_mbuf *mbufs[GENERATOR_BURST])
{
	take_mbufs(generator, mbufs);
	for (unsigned i = 0; i < GENERATOR_BURST; i++)
		write_frame(generator, mbufs[i],
			(uint32_t)next_random(generator) & generator->flow_mask);
}

void
generator_burst_from(
	struct generator *generator, uint32_t first, struct rte_mbuf *mbufs[GENERATOR_BURST])
{
	take_mbufs(generator, mbufs);
	for (unsigned i = 0; i < GENERATOR_BURST; i++)
		write_frame(generator, mbufs[i], (first + i) & generator->flow_mask);
}

void
generator_burst_churn(struct generator *generator, uint32_t next, unsigned begins, uint32_t active,
	struct rte_mbuf *mbufs[GENERATOR_BURST])
{
	take_mbufs(generator, mbufs);
	for (unsigned i = 0; i < GENERATOR_BURST; i++) {
		uint64_t random = next_random(generator) & UINT32_MAX;

		if (i < begins)
			write_frame(generator, mbufs[i], next + i);
		else
			write_frame(
				generator, mbufs[i], next - 1 - (uint32_t)(random * active >> 32));
	}
}
