/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults that depend on where the program runs: host name and data directory. Private. */
#ifndef CAMSPAN_CONFIG_PLACE_H
#define CAMSPAN_CONFIG_PLACE_H

#include "config/config.h"

/* Fills the settings that are still empty: sensor.name and data.directory. */
void place_fill_in(struct config *config);

#endif
