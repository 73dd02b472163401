/* SPDX-License-Identifier: Apache-2.0 */
/* Text in fields of fixed size. */
#ifndef CAMSPAN_RECORDS_TEXT_H
#define CAMSPAN_RECORDS_TEXT_H

#include <stddef.h>
#include <string.h>

/* As much of `from` as `size` bytes hold with the NUL. A format costs many times the copy. */
static inline void
text_copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

#endif
