/* SPDX-License-Identifier: Apache-2.0 */
/* Plays a capture through the classifiers without the data plane: a plain decoder, a flow list and
 * in-order delivery of TCP bytes, enough for tests of classifiers. */
#ifndef CAMSPAN_TESTS_SESSION_FEED_H
#define CAMSPAN_TESTS_SESSION_FEED_H

#include "classifiers/classifier.h"

#include <stdbool.h>
#include <stddef.h>

struct session_feed;

/* `table` are the classifiers to try, as in classifier_table. */
struct session_feed *session_feed_create(
	const struct classifier *const *table, size_t count, const struct report_sink *sink);
/* Finishes every flow. */
void session_feed_free(struct session_feed *feed);
/* Returns the packets read, or -1 with a line on stderr. */
long session_feed_file(struct session_feed *feed, const char *path);
/* One TCP segment or UDP datagram between two fixed hosts, for vectors: 10.0.0.1:40000 is the
 * client, 10.0.0.2:`port` the server. TCP is in order unless `lost` bytes went missing before. */
void session_feed_bytes(struct session_feed *feed, bool tcp, bool from_client, uint16_t port,
	const void *data, size_t length, uint32_t lost, int64_t time);
/* "<captures>/name" if the folder is there; else NULL with one line that says so. Static buffer. */
const char *session_capture_path(const char *name);

#endif
