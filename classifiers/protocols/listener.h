/* SPDX-License-Identifier: Apache-2.0 */
/* Which end of a connection listens. The port of a protocol says it even when the capture began
 * within the connection, so that who spoke first is unknown. */
#ifndef CAMSPAN_PROTOCOLS_LISTENER_H
#define CAMSPAN_PROTOCOLS_LISTENER_H

#include "classifiers/classifier.h"

static inline bool
listener_sent(const struct inspection *in, uint16_t port)
{
	bool source = in->packet->source_port == port;

	return source != (in->packet->destination_port == port) ? source : !in->from_initiator;
}

#endif
