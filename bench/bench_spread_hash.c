/* SPDX-License-Identifier: Apache-2.0 */
/* What the hash of a frame costs an RX lcore: ns per frame in cache, medians, by encapsulation. */
#include "dataplane/spread_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAMES 64 /* what two bursts bring into the first-level cache */
#define FRAME  160
#define HASHES (UINT64_C(1) << 22)
#define RUNS   15

#define MACS    "\x02\0\0\0\0\xaa\x02\0\0\0\0\xbb"
#define IPV4(p) MACS "\x08\0\x45\0\x05\0\0\0\0\0\x40" p "\0\0\x0a\x01\0\1\x0a\x02\0\2"
#define INNER   IPV4("\x11") "\x02\x2a\x9c\x40\0\x08\0\0"

static const struct kind {
	const char *name;
	const char *bytes;
	unsigned length;
} kinds[] = {
#define KIND(name, bytes)                                                                          \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1                                                     \
	}
	KIND("plain", INNER),
	KIND("VLAN",
		MACS "\x81\0\0\x07\x08\0\x45\0\x05\0\0\0\0\0\x40\x11\0\0\x0a\x01\0\1\x0a\x02\0\2"),
	KIND("ERSPAN II", IPV4("\x2f") "\x10\0\x88\xbe\0\0\0\1\x10\x07\0\x2a\0\0\0\3" INNER),
	KIND("VXLAN", IPV4("\x11") "\xd0\x01\x12\xb5\x06\0\0\0\x08\0\0\0\0\0\x2a\0" INNER),
};

static uint8_t frames[FRAMES][FRAME];

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The innermost source address differs from frame to frame. */
static void
fill(const struct kind *kind)
{
	const char *inner = kind->bytes + kind->length;

	while (memcmp(inner, "\x0a\x01\0\1", 4) != 0)
		inner--;
	for (uint32_t i = 0; i < FRAMES; i++) {
		memcpy(frames[i], kind->bytes, kind->length);
		frames[i][inner - kind->bytes + 3] = (uint8_t)i;
	}
}

int
main(void)
{
	struct spread_secret secret;
	uint64_t sum = 0;

	if (spread_secret_random(&secret) != 0)
		return 1;
	printf("%-12s %8s\n", "frame", "ns");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		double times[RUNS];

		fill(&kinds[k]);
		for (unsigned run = 0; run < RUNS; run++) {
			double begun = seconds();

			for (uint64_t i = 0; i < HASHES; i++)
				sum += spread_hash(&secret, frames[i % FRAMES], kinds[k].length)
					       .value;
			times[run] = (seconds() - begun) * 1e9 / (double)HASHES;
		}
		qsort(times, RUNS, sizeof(times[0]), compare);
		printf("%-12s %8.1f\n", kinds[k].name, times[RUNS / 2]);
	}
	/* Printed so that no hash can be left out. */
	fprintf(stderr, "checksum %" PRIx64 "\n", sum);
	return 0;
}
