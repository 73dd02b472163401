/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that devices and tools put into text: they never leave the packet. */
#ifndef CAMSPAN_RECORDS_SECRETS_H
#define CAMSPAN_RECORDS_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether secrets_mask() could begin to mask at `c` behind `before`. Most texts have no such place
 * and need not be searched. */
static inline bool
secrets_may_follow(char before, char c)
{
	return c == '=' || c == ':' || c == '%' || (c == '/' && before == '/');
}

/* In place, in a buffer of `size` bytes: the value behind every `password=`, `pwd:`, `token=` and
 * the like becomes "***"; `user:secret@` behind "//" goes. An empty value stays empty, so that
 * patterns of paths still match. Returns the new length. */
size_t secrets_mask(char *text, size_t size);

#endif
