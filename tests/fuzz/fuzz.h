/* SPDX-License-Identifier: Apache-2.0 */
/* Targets take libFuzzer's entry point; the driver calls it without libFuzzer. */
#ifndef CAMSPAN_TESTS_FUZZ_H
#define CAMSPAN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
