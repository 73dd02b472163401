/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are the same in every run: xorshift64 (Marsaglia, 2003). The state is never 0. */
#ifndef CAMSPAN_TESTS_RANDOM_H
#define CAMSPAN_TESTS_RANDOM_H

#include <stdint.h>

static inline uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
