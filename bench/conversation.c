/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/conversation.h"

#include "bench/payloads.h"
#include "classifiers/table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX  64
#define HEADERS    54 /* Ethernet, IPv4, TCP */
#define TCP_HEADER 20
#define UDP_HEADER 8
#define SEGMENT    1460
#define SERVERS    61 /* that an office talks to */

enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_PUSH = 8, FLAG_ACK = 16 };

struct conversation_step {
	const struct payload *payload; /* NULL: `filler` bytes that nobody reads */
	uint16_t filler;
	uint8_t flags;
	bool from_server;
	uint32_t sequence;
	uint32_t acknowledgment;
};

struct conversation_script {
	uint16_t ethertype;
	uint8_t protocol;
	bool camera_serves; /* else the camera, or the office's client, asks */
	uint16_t client_port;
	uint16_t server_port;
	uint16_t step_count;
	struct conversation_step steps[STEPS_MAX];
};

struct writer {
	struct conversation_script *script;
	uint32_t sent[2]; /* next sequence number, by from_server */
};

static struct conversation_step *
add_step(struct writer *writer, bool from_server, uint8_t flags, uint32_t length)
{
	struct conversation_step *step = &writer->script->steps[writer->script->step_count++];

	*step = (struct conversation_step){
		.filler = (uint16_t)length,
		.flags = flags,
		.from_server = from_server,
		.sequence = writer->sent[from_server],
		.acknowledgment = flags == FLAG_SYN ? 0 : writer->sent[!from_server],
	};
	writer->sent[from_server] += length + (flags & (FLAG_SYN | FLAG_FIN) ? 1 : 0);
	return step;
}

/* A whole connection: the payload, then `bulk` segments of the server with an ACK for each two. */
static void
write_tcp(struct conversation_script *script, const struct payload *payload, unsigned bulk)
{
	struct writer writer = {script, {1000, 900000}};
	struct conversation_step *said;

	add_step(&writer, false, FLAG_SYN, 0);
	add_step(&writer, true, FLAG_SYN | FLAG_ACK, 0);
	add_step(&writer, false, FLAG_ACK, 0);
	said = add_step(&writer, payload->from_device, FLAG_ACK | FLAG_PUSH, payload->length);
	said->payload = payload;
	add_step(&writer, !payload->from_device, FLAG_ACK, 0);
	for (unsigned i = 0; i < bulk; i++) {
		add_step(&writer, true, FLAG_ACK, SEGMENT);
		if (i % 2)
			add_step(&writer, false, FLAG_ACK, 0);
	}
	add_step(&writer, true, FLAG_FIN | FLAG_ACK, 0);
	add_step(&writer, false, FLAG_FIN | FLAG_ACK, 0);
	add_step(&writer, true, FLAG_ACK, 0);
}

static void
write_script(struct conversation_script *script, const struct payload *payload, unsigned bulk)
{
	bool tcp = payload->classifier->match[0].layer == MATCH_TCP;
	bool device = payload->from_device;

	*script = (struct conversation_script){
		.ethertype =
			payload->classifier->match[0].layer == MATCH_ETHERTYPE ? 0x0806 : 0x0800,
		.protocol = tcp ? 6 : 17,
		.camera_serves = tcp || !device,
		.client_port = tcp && device ? payload->destination_port : payload->source_port,
		.server_port = tcp && device ? payload->source_port : payload->destination_port,
	};
	if (tcp)
		write_tcp(script, payload, bulk);
	else
		add_step(&(struct writer){script, {0, 0}}, false, 0, 0)->payload = payload;
}

static int
make(struct conversations *set, const struct payload *const *list, uint16_t count, unsigned bulk)
{
	struct conversation_script *scripts = calloc(count, sizeof(*scripts));

	set->open = calloc(set->open_count, sizeof(*set->open));
	set->scripts = scripts;
	set->script_count = count;
	if (scripts == NULL || set->open == NULL) {
		conversations_free(set);
		return -ENOMEM;
	}
	for (uint16_t i = 0; i < count; i++)
		write_script(&scripts[i], list[i], bulk);
	for (uint32_t i = 0; i < set->open_count; i++)
		set->open[i] = (struct conversation){
			.number = set->number++, .script = (uint16_t)(i % count)};
	return 0;
}

int
conversations_signalling(struct conversations *set, uint32_t hosts, uint32_t open)
{
	const struct payload *list[32];
	uint16_t count = 0;

	*set = (struct conversations){.hosts = hosts, .open_count = open, .network = 64};
	for (size_t i = 0; i < payload_count && count < 32; i++)
		if (payloads[i].classifier != &classifier_rtp)
			list[count++] = &payloads[i];
	return make(set, list, count, 0);
}

int
conversations_office(struct conversations *set, uint32_t hosts, uint32_t open)
{
	const struct payload *list[] = {payload_of(&classifier_tls), payload_of(&classifier_tls),
		payload_of(&classifier_http), payload_of(&classifier_dns)};

	*set = (struct conversations){.hosts = hosts, .open_count = open, .network = 128};
	return make(set, list, sizeof(list) / sizeof(list[0]), 32);
}

void
conversations_free(struct conversations *set)
{
	free((void *)set->scripts);
	free(set->open);
	*set = (struct conversations){0};
}

static void
put16(uint8_t *at, uint16_t value)
{
	value = htobe16(value);
	memcpy(at, &value, sizeof(value));
}

static void
put32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

/* The host that the conversation is about, and whom it talks to. */
static uint32_t
host_address(const struct conversations *set, const struct conversation *conversation)
{
	return 0x0a000000u | (uint32_t)set->network << 16 |
	       (conversation->number % set->hosts & 0x3fffff);
}

static uint32_t
peer_address(const struct conversations *set, const struct conversation *conversation)
{
	return set->network == 128 ? 0xc6336400u + conversation->number % SERVERS
				   : 0x0aff0001u + conversation->number % 16;
}

static void
write_link(uint8_t *frame, uint32_t source, uint32_t destination, uint16_t ethertype)
{
	frame[0] = frame[6] = 0x02;
	frame[1] = frame[7] = 0;
	put32(frame + 2, destination);
	put32(frame + 8, source);
	put16(frame + 12, ethertype);
}

static void
write_ipv4(uint8_t *frame, uint32_t source, uint32_t destination, uint8_t protocol, uint32_t length)
{
	uint8_t *ip = frame + 14;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(20 + length));
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, source);
	put32(ip + 16, destination);
}

/* Returns the length of the transport header. */
static uint32_t
write_transport(uint8_t *l4, const struct conversation_script *script,
	const struct conversation_step *step, uint16_t client_port, uint32_t length)
{
	put16(l4, step->from_server ? script->server_port : client_port);
	put16(l4 + 2, step->from_server ? client_port : script->server_port);
	if (script->protocol == 17) {
		put16(l4 + 4, (uint16_t)(UDP_HEADER + length));
		put16(l4 + 6, 0);
		return UDP_HEADER;
	}
	put32(l4 + 4, step->sequence);
	put32(l4 + 8, step->acknowledgment);
	l4[12] = 5 << 4;
	l4[13] = step->flags;
	put16(l4 + 14, 4096);
	put32(l4 + 16, 0);
	return TCP_HEADER;
}

static uint16_t
write_step(const struct conversations *set, const struct conversation *conversation, uint8_t *frame)
{
	const struct conversation_script *script = &set->scripts[conversation->script];
	const struct conversation_step *step = &script->steps[conversation->step];
	uint32_t host = host_address(set, conversation), peer = peer_address(set, conversation);
	/* A camera that serves is the server; an office's host always asks. */
	bool host_serves = script->camera_serves && set->network != 128;
	bool from_host = step->from_server == host_serves;
	uint32_t length = step->payload ? step->payload->length : step->filler;
	uint32_t header = script->protocol == 17 ? UDP_HEADER : TCP_HEADER;
	uint16_t port = script->protocol == 6
				? (uint16_t)(32768 + conversation->number / set->hosts % 28000)
				: script->client_port;
	uint8_t *l4 = frame + 34;

	write_link(frame, from_host ? host : peer, from_host ? peer : host, script->ethertype);
	if (script->ethertype != 0x0800) {
		memcpy(frame + 14, step->payload->bytes, length);
		return (uint16_t)(14 + length);
	}
	write_ipv4(frame, from_host ? host : peer, from_host ? peer : host, script->protocol,
		header + length);
	l4 += write_transport(l4, script, step, port, length);
	if (step->payload)
		memcpy(l4, step->payload->bytes, length);
	return (uint16_t)(l4 - frame + length);
}

uint16_t
conversations_write(struct conversations *set, uint8_t *frame)
{
	struct conversation *conversation = &set->open[set->next];
	uint16_t length = write_step(set, conversation, frame);

	if (++conversation->step == set->scripts[conversation->script].step_count) {
		conversation->step = 0;
		conversation->number = set->number++;
		conversation->script = (uint16_t)((conversation->script + 1) % set->script_count);
	}
	if (++set->next == set->open_count)
		set->next = 0;
	return length < 60 ? 60 : length;
}
