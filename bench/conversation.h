/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations by script: whole TCP connections and datagrams with real payloads, many at a time,
 * each between hosts of its own. Checksums are left out: the sensor does not look at them. */
#ifndef CAMSPAN_BENCH_CONVERSATION_H
#define CAMSPAN_BENCH_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#define CONVERSATION_FRAME_MAX 1514

struct conversation_step;
struct conversation_script;

/* One that is going on. */
struct conversation {
	uint32_t number; /* gives it its hosts and port */
	uint16_t script;
	uint16_t step;
};

struct conversations {
	const struct conversation_script *scripts;
	uint16_t script_count;
	struct conversation *open;
	uint32_t open_count;
	uint32_t next;   /* of `open`, whose turn it is */
	uint32_t number; /* of the next one to begin */
	uint32_t hosts;  /* numbers repeat after so many cameras or offices' clients */
	uint8_t network; /* second byte of their addresses, 10.x.y.z */
};

/* Cameras being found and asked: ARP, DHCP, DNS, discovery, RTSP, HTTP, vendor protocols. */
int conversations_signalling(struct conversations *set, uint32_t hosts, uint32_t open);
/* People at work: TLS and HTTP connections with bulk data, DNS. */
int conversations_office(struct conversations *set, uint32_t hosts, uint32_t open);
void conversations_free(struct conversations *set);
/* Writes the next frame, of whichever conversation's turn it is. Returns its length without FCS. */
uint16_t conversations_write(struct conversations *set, uint8_t *frame);

#endif
