/* SPDX-License-Identifier: Apache-2.0 */
/* What ports can, and what is done with them: camspand --ports. */
#ifndef CAMSPAN_PORT_REPORT_H
#define CAMSPAN_PORT_REPORT_H

#include "config/config.h"

#include <stdio.h>

/* Starts the ports as the daemon would, writes a block of lines for each to `out`, and stops them.
 * Needs EAL. Returns 0, or 1 with the cause logged when a port cannot be used or none is there. */
int port_report_run(const struct config *config, FILE *out);

#endif
