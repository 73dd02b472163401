/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon on live ports: workers on their lcores, the control loop on this thread. */
#ifndef CAMSPAN_LIVE_H
#define CAMSPAN_LIVE_H

#include "dataplane/house.h"

#include <stdatomic.h>

/* Runs until *stop. Needs EAL. Returns 0, or 1 with the cause logged when it could not start. */
int live_run(const struct house *house, const atomic_bool *stop);

#endif
