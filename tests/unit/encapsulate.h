/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from a recipe: words, the outermost first, each a header around all that follows.
 *
 *   eth=TYPE    Ethernet header; its MACs end with the number of the word
 *   ip4=PROTO   IPv4 header, 192.0.2.WORD to 198.51.100.WORD; the last of a recipe has the host's
 *   ip6=PROTO   addresses: 10.1.1.1 to 10.1.1.2, 2001:db8::1 to 2001:db8::2
 *   udp=PORT    UDP header from port 1000
 *   hex=BYTES   as written; "LLLL" stands for the length of what follows
 *   data        twelve bytes
 */
#ifndef CAMSPAN_TESTS_ENCAPSULATE_H
#define CAMSPAN_TESTS_ENCAPSULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENCAPSULATE_WORDS 96
#define ENCAPSULATE_SIZE  4096

/* Built from the end: the bytes are at the end of `room`. */
struct encapsulation {
	uint8_t room[ENCAPSULATE_SIZE];
	size_t length;
};

static inline const uint8_t *
encapsulation_bytes(const struct encapsulation *frame)
{
	return frame->room + ENCAPSULATE_SIZE - frame->length;
}

static inline uint8_t *
encapsulation_prepend(struct encapsulation *frame, size_t length)
{
	if (frame->length + length > ENCAPSULATE_SIZE)
		abort();
	frame->length += length;
	memset(frame->room + ENCAPSULATE_SIZE - frame->length, 0, length);
	return frame->room + ENCAPSULATE_SIZE - frame->length;
}

static inline void
encapsulation_put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
encapsulate_ethernet(struct encapsulation *frame, unsigned type, unsigned word)
{
	uint8_t *header = encapsulation_prepend(frame, 14);

	header[0] = header[6] = 2;
	header[4] = 2;
	header[10] = 1;
	header[5] = header[11] = (uint8_t)word;
	encapsulation_put16(header + 12, type);
}

static inline void
encapsulate_ipv4(struct encapsulation *frame, unsigned protocol, unsigned word, bool host)
{
	static const uint8_t hosts[8] = {10, 1, 1, 1, 10, 1, 1, 2};
	uint8_t ends[8] = {192, 0, 2, (uint8_t)word, 198, 51, 100, (uint8_t)word};
	uint8_t *header = encapsulation_prepend(frame, 20);

	header[0] = 0x45;
	encapsulation_put16(header + 2, frame->length);
	header[8] = 64;
	header[9] = (uint8_t)protocol;
	memcpy(header + 12, host ? hosts : ends, 8);
}

static inline void
encapsulate_ipv6(struct encapsulation *frame, unsigned protocol, unsigned word, bool host)
{
	uint8_t *header = encapsulation_prepend(frame, 40);

	header[0] = 0x60;
	encapsulation_put16(header + 4, frame->length - 40);
	header[6] = (uint8_t)protocol;
	header[7] = 64;
	memcpy(header + 8, "\x20\x01\x0d\xb8", 4);
	memcpy(header + 24, "\x20\x01\x0d\xb8", 4);
	header[22] = header[38] = host ? 0 : (uint8_t)word;
	header[23] = 1;
	header[39] = 2;
}

static inline void
encapsulate_udp(struct encapsulation *frame, unsigned port)
{
	uint8_t *header = encapsulation_prepend(frame, 8);

	encapsulation_put16(header, 1000);
	encapsulation_put16(header + 2, port);
	encapsulation_put16(header + 4, frame->length);
}

static inline void
encapsulate_hex(struct encapsulation *frame, const char *text)
{
	size_t inner = frame->length;
	size_t length = strlen(text) / 2;
	uint8_t *bytes = encapsulation_prepend(frame, length);
	unsigned value;

	for (size_t i = 0; i < length; i++) {
		if (strncmp(text + 2 * i, "LLLL", 4) == 0) {
			encapsulation_put16(bytes + i++, inner);
			continue;
		}
		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			abort();
		bytes[i] = (uint8_t)value;
	}
}

static inline void
encapsulate_word(struct encapsulation *frame, const char *word, unsigned number, bool last_ip)
{
	if (strncmp(word, "eth=", 4) == 0)
		encapsulate_ethernet(frame, (unsigned)strtoul(word + 4, NULL, 16), number);
	else if (strncmp(word, "ip4=", 4) == 0)
		encapsulate_ipv4(frame, (unsigned)atoi(word + 4), number, last_ip);
	else if (strncmp(word, "ip6=", 4) == 0)
		encapsulate_ipv6(frame, (unsigned)atoi(word + 4), number, last_ip);
	else if (strncmp(word, "udp=", 4) == 0)
		encapsulate_udp(frame, (unsigned)atoi(word + 4));
	else if (strncmp(word, "hex=", 4) == 0)
		encapsulate_hex(frame, word + 4);
	else if (strcmp(word, "data") == 0)
		memcpy(encapsulation_prepend(frame, 12), "abcdefghijkl", 12);
	else
		abort();
}

/* Puts the recipe's headers around what `frame` holds already. */
static inline void
encapsulate(struct encapsulation *frame, const char *recipe)
{
	char text[ENCAPSULATE_SIZE], *words[ENCAPSULATE_WORDS], *rest = text;
	unsigned count = 0;
	bool last_ip = true;

	snprintf(text, sizeof(text), "%s", recipe);
	while (rest && count < ENCAPSULATE_WORDS)
		words[count++] = strsep(&rest, " ");
	while (count-- > 0) {
		encapsulate_word(frame, words[count], count, last_ip);
		if (strncmp(words[count], "ip", 2) == 0)
			last_ip = false;
	}
}

#endif
