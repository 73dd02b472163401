/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds the datagrams and link-layer frames of a capture file to the classifiers, packet by packet
 * and without a flow table: enough for the protocols whose packets each stand alone. */
#ifndef CAMSPAN_TESTS_CAPTURE_FEED_H
#define CAMSPAN_TESTS_CAPTURE_FEED_H

#include "classifiers/dispatch.h"

/* Returns 0, or -1 when the file cannot be read. */
int capture_feed(const char *path, const struct dispatch *dispatch, const struct report_sink *sink);

#endif
