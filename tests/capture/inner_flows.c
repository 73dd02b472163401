/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what a pipeline counts in each capture named, for inner_flows.py: one line a flow record
 * "PROTOCOL ADDRESS PORT ADDRESS PORT PACKETS", then "= PACKETS ERROR PATH" for the file. */
#include "classifiers/dispatch.h"
#include "dataplane/feed.h"
#include "tests/unit/no_reports.h"

#include <inttypes.h>
#include <stdlib.h>

static bool
print_flow(void *context, const struct flow_record *record)
{
	char initiator[ADDRESS_TEXT_SIZE], responder[ADDRESS_TEXT_SIZE];

	(void)context;
	if (record->packets[0] + record->packets[1] == 0)
		return true;
	printf("%u %s %u %s %u %" PRIu64 "\n", record->protocol,
		ip_format(&record->initiator.ip, initiator), record->initiator.port,
		ip_format(&record->responder.ip, responder), record->responder.port,
		record->packets[0] + record->packets[1]);
	return true;
}

static void
burst_done(void *context)
{
	(void)context;
}

static int
print_capture(const struct pipeline_settings *settings, const char *path)
{
	static const atomic_bool never;
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct feed *feed = pipeline ? feed_create(pipeline, burst_done, NULL) : NULL;
	char error[CAPTURE_ERROR_SIZE];
	int failed;

	if (feed == NULL || pipeline_init(pipeline, settings) != 0) {
		fprintf(stderr, "out of memory\n");
		return EXIT_FAILURE;
	}
	failed = feed_file(feed, path, &never, error) != 0;
	while (!pipeline_flush(pipeline))
		;
	printf("= %" PRIu64 " %d %s\n", pipeline->balance.received, failed, path);
	pipeline_free(pipeline);
	feed_free(feed);
	free(pipeline);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct config *config = config_defaults();
	struct decode_options decode = {0};
	struct dispatch *dispatch = dispatch_create();
	struct pipeline_settings settings = {
		.config = config,
		.dispatch = dispatch,
		.decode = &decode,
		.output = {NULL, print_flow, no_reports},
		.memory = &memory_from_system,
	};
	int result = EXIT_SUCCESS;

	if (config == NULL || dispatch == NULL || inspector_ethertypes(&decode) != 0)
		return EXIT_FAILURE;
	config->flows.ipv4_max = 16384;
	config->flows.ipv6_max = 16384;
	config->inspection.flows_max = 64;
	config->inspection.stream_buffers = 16;
	for (int i = 1; i < argc && result == EXIT_SUCCESS; i++)
		result = print_capture(&settings, argv[i]);
	dispatch_free(dispatch);
	config_free(config);
	return result;
}
