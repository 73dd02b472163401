/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as people read them. */
#ifndef CAMSPAN_CONSOLE_UNITS_H
#define CAMSPAN_CONSOLE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_SIZE 32

/* "4.2 Mb/s"; "" for 0, which is unknown. `text` must hold UNITS_TEXT_SIZE; each returns it. */
const char *units_bitrate(double bits_per_second, char *text);
const char *units_bytes(double bytes, char *text); /* "12.3 MB" */
/* "2026-03-01 10:20:30", UTC; "" for 0. */
const char *units_time(int64_t nanoseconds, char *text);
/* The same for machines: "2026-03-01T10:20:30.123456789Z". */
const char *units_timestamp(int64_t nanoseconds, char *text);
/* "45 s", "3 min", "2 h 10 min" */
const char *units_duration(int64_t nanoseconds, char *text);

#endif
