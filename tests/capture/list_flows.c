/* SPDX-License-Identifier: Apache-2.0 */
/* The flow records of captures, each through a fresh pipeline without EAL, as lines of tabs:
 *   file PATH
 *   flow ID PROTOCOL ADDRESS PORT ADDRESS PORT VLAN PACKETS PACKETS BYTES BYTES END_REASON
 * initiator first. Arguments: the captures. */
#include "classifiers/dispatch.h"
#include "dataplane/feed.h"
#include "tests/unit/no_reports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool
print_flow(void *context, const struct flow_record *flow)
{
	char initiator[ADDRESS_TEXT_SIZE], responder[ADDRESS_TEXT_SIZE];

	(void)context;
	if (flow->end_reason == FLOW_UPDATE)
		return true;
	ip_format(&flow->initiator.ip, initiator);
	ip_format(&flow->responder.ip, responder);
	printf("flow\t%" PRIu64 "\t%u\t%s\t%u\t%s\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
	       "\t%" PRIu64 "\t%s\n",
		flow->id, flow->protocol, initiator, flow->initiator.port, responder,
		flow->responder.port, flow->vlan, flow->packets[0], flow->packets[1],
		flow->bytes[0], flow->bytes[1],
		flow_end_reason_name((enum flow_end_reason)flow->end_reason));
	return true;
}

static void
burst_done(void *context)
{
	(void)context;
}

static bool
list_capture(const struct pipeline_settings *settings, struct pipeline *pipeline, const char *path)
{
	static const atomic_bool never;
	char error[CAPTURE_ERROR_SIZE] = "";
	struct feed *feed;

	if (pipeline_init(pipeline, settings) != 0)
		return false;
	feed = feed_create(pipeline, burst_done, NULL);
	if (feed == NULL)
		return false;
	printf("file\t%s\n", path);
	if (feed_file(feed, path, &never, error) != 0)
		fprintf(stderr, "%s\n", error); /* what came before it counts, as for others */
	while (!pipeline_flush(pipeline))
		;
	feed_free(feed);
	pipeline_free(pipeline);
	return true;
}

int
main(int argc, char **argv)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct config *config = config_defaults();
	struct dispatch *dispatch = dispatch_create();
	struct decode_options decode = {0};
	struct pipeline_settings settings = {
		.config = config,
		.dispatch = dispatch,
		.decode = &decode,
		.output = {NULL, print_flow, no_reports},
		.memory = &memory_from_system,
		.replay = true,
	};

	if (pipeline == NULL || config == NULL || dispatch == NULL ||
		inspector_ethertypes(&decode) != 0)
		return EXIT_FAILURE;
	/* Small tables: most of the time of a short capture would go into clearing large ones. */
	config->flows.ipv4_max = 16384;
	config->flows.ipv6_max = 16384;
	config->inspection.flows_max = 1024;
	config->inspection.stream_buffers = 128;
	for (int i = 1; i < argc; i++)
		if (!list_capture(&settings, pipeline, argv[i]))
			return EXIT_FAILURE;
	dispatch_free(dispatch);
	config_free(config);
	free(pipeline);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
