/* SPDX-License-Identifier: Apache-2.0 */
/* What no single value can tell: settings that must agree with each other. Private to config/. */
#ifndef CAMSPAN_CONFIG_CHECK_H
#define CAMSPAN_CONFIG_CHECK_H

#include "config/config.h"

struct config_problem {
	char key[128];  /* "destinations.allow[2].zone" */
	char what[384]; /* "what is wrong; remedy" */
};

/* Returns 0, or -EINVAL with the first problem. */
int config_check(const struct config *config, struct config_problem *problem);
/* Logs what is legal but unwise: password files that everybody can read. */
void config_warn(const struct config *config);

#endif
