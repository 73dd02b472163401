/* SPDX-License-Identifier: Apache-2.0 */
/* camspand: start-up and shutdown as one list. The only file that sees every part of the house. */
#include "dataplane/eal.h"
#include "dataplane/house.h"
#include "dataplane/inspect.h"
#include "dataplane/live.h"
#include "dataplane/log.h"
#include "dataplane/options.h"
#include "dataplane/port_report.h"
#include "dataplane/replay.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_SIZE 1024

static atomic_bool stop;

static void
stop_on_signal(int number)
{
	(void)number;
	atomic_store(&stop, true);
}

static void
catch_signals(void)
{
	/* Supervisors may send SIGTERM to the process and to its group: a repeated one changes
	 * nothing. A second Ctrl-C ends the process the hard way. */
	struct sigaction terminate = {.sa_handler = stop_on_signal};
	struct sigaction interrupt = {.sa_handler = stop_on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGTERM, &terminate, NULL);
	sigaction(SIGINT, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static int
fail(const char *error, int code)
{
	log_error("%s", error);
	return code;
}

/* The command line wins over the file. */
static void
apply_options(struct config *config, const struct options *options)
{
	if (options->events_path) {
		config->export.file.enabled = true;
		snprintf(config->export.file.path, sizeof(config->export.file.path), "%s",
			options->events_path);
	}
	if (options->state_path) {
		config->export.state.enabled = true;
		snprintf(config->export.state.path, sizeof(config->export.state.path), "%s",
			options->state_path);
	}
}

/* A replay without a configuration reads and tells; it writes only what it was asked to. */
static struct config *
load_config(const struct options *options, char *error, size_t error_size)
{
	struct config *config = options->config_path
					? config_load(options->config_path, error, error_size)
					: config_defaults();

	if (config == NULL)
		return NULL;
	if (options->config_path == NULL)
		config->export.state.enabled = false;
	apply_options(config, options);
	return config;
}

static int
run_house(struct house *house, const struct options *options)
{
	bool replay = options->capture_count > 0;
	bool to_stdout = strcmp(house->config->export.file.path, "-") == 0;
	char error[ERROR_SIZE];
	int code;

	if (!replay && house->config->dataplane.port_count == 0)
		return fail("dataplane.ports is empty: name a port to listen on, or replay with -r",
			EXIT_USAGE);
	if (eal_start(house->config, replay ? EAL_REPLAY : EAL_LIVE, error, sizeof(error)) != 0)
		return fail(error, 1);
	house->fanout = fanout_open(house->config, replay, &stop, error, sizeof(error));
	if (house->fanout == NULL) {
		eal_stop();
		return fail(error, 1);
	}
	code = replay ? replay_run(house, options->captures, options->capture_count, &stop,
				to_stdout ? stderr : stdout)
		      : live_run(house, &stop);
	if (fanout_close(house->fanout, (int)house->config->export.shutdown_timeout_ms) > 0)
		code = 1; /* told, exporter by exporter */
	eal_stop();
	return code;
}

static int
run(const struct options *options, struct config *config)
{
	const bool *tenant = config->flows.tenant;
	struct decode_options decode = {
		.ignore_vlans = !tenant[TENANT_PART_VLAN],
		.ignore_tunnels = !tenant[TENANT_PART_TUNNEL],
		.by_port = tenant[TENANT_PART_PORT],
	};
	struct house house = {.config = config, .decode = &decode};
	char error[ERROR_SIZE];
	struct knowledge *knowledge;
	struct dispatch *dispatch;
	int code;

	knowledge = knowledge_load(
		config->data_directory, config->data_override_directory, error, sizeof(error));
	if (knowledge == NULL)
		return fail(error, EXIT_USAGE);
	if (options->test) {
		knowledge_free(knowledge);
		printf("%s: configuration and data files are valid\n", options->config_path);
		return EXIT_SUCCESS;
	}
	dispatch = dispatch_create();
	if (dispatch == NULL || inspector_ethertypes(&decode) != 0) {
		code = fail("the classifier table cannot be used", 1);
	} else {
		house.knowledge = knowledge;
		house.dispatch = dispatch;
		code = run_house(&house, options);
	}
	dispatch_free(dispatch);
	knowledge_free(knowledge);
	return code;
}

static int
report_ports(const struct config *config)
{
	char error[ERROR_SIZE];
	int code;

	if (eal_start(config, EAL_PORTS, error, sizeof(error)) != 0)
		return fail(error, 1);
	code = port_report_run(config, stdout);
	eal_stop();
	return code;
}

static int
start(const struct options *options)
{
	struct config *config;
	char error[ERROR_SIZE];
	int code;

	log_open("camspand", LOG_LEVEL_INFO);
	if (options->reference) {
		config_print_reference(stdout);
		return EXIT_SUCCESS;
	}
	config = load_config(options, error, sizeof(error));
	if (config == NULL)
		return fail(error, EXIT_USAGE);
	log_open("camspand", (enum log_level)config->log_level);
	if (options->print_config) {
		config_print(config, stdout);
		config_free(config);
		return EXIT_SUCCESS;
	}
	catch_signals();
	code = options->ports ? report_ports(config) : run(options, config);
	config_free(config);
	return code;
}

int
main(int argc, char **argv)
{
	struct options options;
	int code = options_parse(argc, argv, &options);

	if (code < 0)
		code = start(&options);
	free(options.captures);
	if (fflush(stdout) != 0 || ferror(stdout))
		code = fail("results could not be written to standard output", EXIT_FAILURE);
	return code;
}
