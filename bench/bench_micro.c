/* SPDX-License-Identifier: Apache-2.0 */
/* What each part of the path costs by itself: Google Benchmark's options and output. */
#include "bench/micro_suites.h"
#include "dataplane/log.h"

#include <stdio.h>
#include <string.h>

#define MBUFS     8191
#define MBUF_ROOM 1600

static int
run(bool smoke, int argc, char **argv)
{
	struct rig_settings settings = {
		.lcores = 1,
		.flows = smoke ? 65536 : 18u << 20, /* what the table of 16M takes */
		.mbufs = MBUFS,
		.mbuf_room = MBUF_ROOM,
		.no_huge_pages = smoke,
	};
	struct rig rig;
	struct micro_lab lab = {&rig, smoke};
	int code;

	if (rig_open(&rig, &settings) != 0)
		return 1;
	if (!rig_has_huge_pages())
		puts("WITHOUT HUGE PAGES OR IN A SMOKE RUN THESE FIGURES MEAN NOTHING");
	micro_add_decode(&lab);
	micro_add_flow(&lab);
	micro_add_classifiers(&lab);
	micro_add_events(&lab);
	micro_add_pipeline(&lab);
	code = micro_run(argc, argv);
	rig_close(&rig);
	return code;
}

int
main(int argc, char **argv)
{
	static char short_time[] = "--benchmark_min_time=0.001";
	bool smoke = false;

	/* Ours is not Google Benchmark's: it becomes the one option that a smoke run needs. */
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--smoke") == 0) {
			smoke = true;
			argv[i] = short_time;
		}
	log_open("bench", LOG_LEVEL_INFO);
	return run(smoke, argc, argv);
}
