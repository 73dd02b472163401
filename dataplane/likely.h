/* SPDX-License-Identifier: Apache-2.0 */
/* Which way a branch of the packet path nearly always goes. */
#ifndef CAMSPAN_LIKELY_H
#define CAMSPAN_LIKELY_H

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
