/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target without libFuzzer: over the files named, or "-n N" random inputs of a fixed seed.
 * A crash leaves the last input in "fuzz-last-input" when FUZZ_KEEP is set. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 4096

static void
keep(const uint8_t *data, size_t size)
{
	FILE *file = getenv("FUZZ_KEEP") ? fopen("fuzz-last-input", "wb") : NULL;

	if (file) {
		fwrite(data, 1, size, file);
		fclose(file);
	}
}

static void
run_random(unsigned long count)
{
	uint64_t random = 0x2545f4914f6cdd1d;

	for (unsigned long i = 0; i < count; i++) {
		size_t size = next_random(&random) % (i % 8 ? 256 : INPUT_MAX);
		uint8_t *exact = malloc(size + 1);

		if (exact == NULL)
			abort();
		for (size_t at = 0; at < size; at++)
			exact[at] = (uint8_t)(next_random(&random) >> 32);
		keep(exact, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
}

static int
run_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		perror(path);
		return 1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	return 0;
}

int
main(int count, char **arguments)
{
	int failed = 0;

	if (count == 3 && strcmp(arguments[1], "-n") == 0) {
		run_random(strtoul(arguments[2], NULL, 10));
		return 0;
	}
	for (int i = 1; i < count; i++)
		failed |= run_file(arguments[i]);
	return failed;
}
