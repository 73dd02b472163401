/* SPDX-License-Identifier: Apache-2.0 */
/* Each command takes its arguments (argv[0] is its name) and returns the exit code. */
#ifndef CAMSPAN_CONSOLE_COMMANDS_H
#define CAMSPAN_CONSOLE_COMMANDS_H

#include "exporters/console/options.h"

int command_devices(const struct options *options);
int command_streams(const struct options *options);
int command_alerts(const struct options *options);
int command_explain(const struct options *options);
int command_read(const struct options *options);
/* Returns only when it failed. argv[0] is replaced. */
int command_bench(char **argv);

#endif
