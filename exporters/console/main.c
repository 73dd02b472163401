/* SPDX-License-Identifier: Apache-2.0 */
/* camspan, the operator's tool: reads what camspand found. */
#include "exporters/console/commands.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	const char *arguments;
	const char *about;
	unsigned allowed;
	int operands_min;
	int operands_max;
	int (*run)(const struct options *options);
};

#define LISTING (OPTION_CONFIG | OPTION_STATE | OPTION_JSON | OPTION_ALL | OPTION_FILTER)

static const struct command commands[] = {
	{"read", "CAPTURE... [-c FILE] [--json] [-o EVENTS.jsonl] [--all]",
		"replay captures and show cameras, streams and alerts",
		OPTION_CONFIG | OPTION_JSON | OPTION_OUTPUT | OPTION_ALL, 1, 1 << 20, command_read},
	{"devices", "[-c FILE] [--state PATH] [--json] [--all] [--class C]... [--brand B]...",
		"cameras, recorders and doorbells; every device with --all", LISTING, 0, 0,
		command_devices},
	{"streams", "[-c FILE] [--state PATH] [--json] [--all] [--class C]... [--brand B]...",
		"running video streams; ended ones too with --all", LISTING, 0, 0, command_streams},
	{"alerts", "[-c FILE] [--state PATH] [--json] [--all] [--class C]... [--brand B]...",
		"open alerts; closed ones too with --all", LISTING, 0, 0, command_alerts},
	{"explain", "ID [-c FILE] [--state PATH] [--json]",
		"every fact behind a device, an alert or a stream",
		OPTION_CONFIG | OPTION_STATE | OPTION_JSON, 1, 1, command_explain},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct {
	unsigned flag;
	const char *text;
} option_help[] = {
	{OPTION_CONFIG, "  -c, --config FILE    configuration of camspand (else the defaults)"},
	{OPTION_STATE, "      --state PATH     state file (else that of the configuration)"},
	{OPTION_OUTPUT, "  -o, --output FILE    also write every event as a JSON line"},
	{OPTION_JSON, "      --json           JSON for machines instead of tables"},
	{OPTION_ALL, "      --all            leave nothing out"},
	{OPTION_FILTER, "      --class CLASS    only camera, recorder, doorbell, viewer, other or "
			"unknown\n"
			"      --brand VENDOR   only this brand or maker; both may be repeated"},
};

static void
print_help(FILE *out)
{
	fputs("usage: camspan COMMAND [ARGUMENTS]\n\n"
	      "Shows the surveillance cameras that camspand found, who made them, what they "
	      "stream\nand what they talk to.\n\n",
		out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].about);
	fputs("  bench     measure how much traffic this machine takes; camspan-bench(1)\n", out);
	fputs("\ncamspan COMMAND --help tells more; camspan --version the version.\n"
	      "Exit codes: 0 found, 1 nothing found or failed, 2 wrong use. Manual: camspan(1).\n",
		out);
}

static int
print_command_help(const struct command *command)
{
	printf("usage: camspan %s %s\n\n%s.\n\n", command->name, command->arguments,
		command->about);
	for (size_t i = 0; i < sizeof(option_help) / sizeof(option_help[0]); i++)
		if (command->allowed & option_help[i].flag)
			puts(option_help[i].text);
	if (command->run == command_explain)
		puts("\nID is the id of a device, alert or stream, or its beginning; or a "
		     "device's MAC or address.");
	return EXIT_FOUND;
}

static size_t
common_prefix(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	return length;
}

static int
unknown_command(const char *name)
{
	const char *nearest = NULL;
	size_t best = 0;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		size_t length = common_prefix(name, commands[i].name);

		if (length > best) {
			best = length;
			nearest = commands[i].name;
		}
	}
	if (nearest)
		fprintf(stderr, "camspan: unknown command %s; did you mean %s?\n", name, nearest);
	else
		fprintf(stderr, "camspan: unknown command %s; see camspan --help\n", name);
	return EXIT_USAGE;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, argc, argv, command->allowed) != 0)
		return EXIT_USAGE;
	if (options.help)
		return print_command_help(command);
	if (options.operand_count < command->operands_min ||
		options.operand_count > command->operands_max) {
		fprintf(stderr, "usage: camspan %s %s\n", command->name, command->arguments);
		return EXIT_USAGE;
	}
	return command->run(&options);
}

/* A full disk or closed pipe must not look like success. */
static int
flushed(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fputs("camspan: standard output cannot be written\n", stderr);
	return EXIT_NOTHING;
}

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("camspan " CAMSPAN_VERSION);
		return flushed(EXIT_FOUND);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return flushed(EXIT_FOUND);
	}
	if (strcmp(argv[1], "bench") == 0)
		return command_bench(argv + 1);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return flushed(run(&commands[i], argc - 1, argv + 1));
	return unknown_command(argv[1]);
}
