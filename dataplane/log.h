/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for the operator, on stderr, or with levels for the journal when systemd owns stderr.
 * Never called from a worker lcore. One line a message: newlines and control bytes are replaced. */
#ifndef CAMSPAN_LOG_H
#define CAMSPAN_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Call once before other threads start. Messages above `level` are dropped. */
void log_open(const char *program, enum log_level level);
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)   log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
