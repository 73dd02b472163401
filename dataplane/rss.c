/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/rss.h"

#define PERIOD 2 /* bytes */

/* Of all words of 16 bits this is the published one; an odd number of ones, so that no two inputs
 * of 16 bits have one hash. */
static const uint8_t word[PERIOD] = {0x6d, 0x5a};

void
rss_symmetric_key(uint8_t *key, size_t length)
{
	for (size_t i = 0; i < length; i++)
		key[i] = word[i % PERIOD];
}

bool
rss_key_is_symmetric(const uint8_t *key, size_t length)
{
	if (length < RSS_KEY_MIN)
		return false;
	for (size_t i = PERIOD; i < length; i++)
		if (key[i] != key[i - PERIOD])
			return false;
	return true;
}

static uint8_t
key_byte(const uint8_t *key, size_t length, size_t at)
{
	return at < length ? key[at] : 0;
}

uint32_t
rss_toeplitz(const uint8_t *key, size_t key_length, const uint8_t *input, size_t input_length)
{
	uint32_t hash = 0;
	uint32_t window = 0;

	for (size_t i = 0; i < 4; i++)
		window = window << 8 | key_byte(key, key_length, i);
	for (size_t i = 0; i < input_length; i++) {
		uint8_t next = key_byte(key, key_length, i + 4);

		for (int bit = 7; bit >= 0; bit--) {
			if (input[i] >> bit & 1)
				hash ^= window;
			window = window << 1 | (next >> bit & 1);
		}
	}
	return hash;
}

uint16_t
rss_queue(uint32_t hash, uint16_t size, uint16_t queues)
{
	return (uint16_t)((hash & (size - 1u)) % queues);
}
