/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that devices and tools put into text: they never leave the packet. */
#ifndef CAMSPAN_RECORDS_SECRETS_H
#define CAMSPAN_RECORDS_SECRETS_H

#include <stddef.h>

/* In place, in a buffer of `size` bytes: the value behind every `password=`, `pwd:`, `token=` and
 * the like becomes "***"; `user:secret@` behind "//" goes. An empty value stays empty, so that
 * patterns of paths still match. A text without '=', ':', '%' and "//" stays as it is. Returns the
 * new length. */
size_t secrets_mask(char *text, size_t size);

#endif
