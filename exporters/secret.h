/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets live in files of their own, never in the configuration or a log line. */
#ifndef CAMSPAN_EXPORTERS_SECRET_H
#define CAMSPAN_EXPORTERS_SECRET_H

#include <stddef.h>

#define SECRET_SIZE 512

/* The first line of a file, without its end. Returns 0, -EMSGSIZE (longer than the buffer),
 * -ENODATA (empty), or the errno of open() or read(). */
int secret_read(const char *path, char *secret, size_t secret_size);

#endif
