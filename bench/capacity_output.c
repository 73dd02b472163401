/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define WIRE_OVERHEAD 20 /* preamble, start of frame, gap: what a frame takes of a line besides */

static const char excluded[] =
	"Not in these figures: a NIC, its driver and PCIe, which take about 20 to 40 ns a packet "
	"more;\nthe control thread and the exporters, which have CPUs of their own. Generated "
	"packets come from\nmemory that another core or this one has just written.";

void
capacity_progress(const struct capacity *capacity, const char *format, ...)
{
	va_list list;

	if (!capacity->shows_progress)
		return;
	fputs("\r\033[K", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fflush(stderr);
}

static double
gigabits(const struct capacity_result *result, double mpps)
{
	return mpps * (result->frame_length + WIRE_OVERHEAD) * 8 / 1e3;
}

static void
print_capacities(
	const struct capacity *capacity, const struct capacity_result *results, unsigned count)
{
	printf("Highest rate without loss, %u worker%s; trials of %.3g s, to %.2g %%\n\n",
		capacity->options.workers, capacity->options.workers > 1 ? "s" : "",
		capacity->options.trial_s, capacity->options.resolution * 100);
	printf("%-10s %8s %8s %8s %8s %10s %10s %8s\n", "traffic", "frame B", "Mpps", "Gb/s",
		"trials", "records", "facts", "losses");
	for (unsigned i = 0; i < count; i++) {
		const struct capacity_result *result = &results[i];

		printf("%-10s %8.0f %7.2f%s %8.1f %8u %10" PRIu64 " %10" PRIu64 " %8" PRIu64 "\n",
			result->profile, result->frame_length, result->capacity_mpps,
			result->unquiet             ? "?"
			: result->generator_limited ? "+"
						    : " ",
			gigabits(result, result->capacity_mpps), result->trial_count,
			result->flow_records, result->facts, result->internal_losses);
	}
	puts("\n+ the generators could make no more: the workers take at least this.\n"
	     "losses: records, facts and inspections that found no room in all trials; no packet "
	     "among them.\n");
}

static void
print_stages(const struct capacity_result *results, unsigned count)
{
	puts("What a packet costs on one core, ns (medians; each stage is the difference to the "
	     "one before)\n");
	printf("%-10s %8s", "traffic", "frame B");
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		printf(" %9s", stage_name(stage));
	printf(" %9s %9s\n", "path", "Mpps");
	for (unsigned i = 0; i < count; i++) {
		printf("%-10s %8.0f", results[i].profile, results[i].frame_length);
		for (int stage = 0; stage < STAGE_COUNT; stage++)
			printf(" %9.1f", results[i].stage_ns[stage]);
		printf(" %9.1f %9.1f\n", results[i].total_ns,
			results[i].total_ns > 0 ? 1e3 / results[i].total_ns : 0);
	}
	puts("\npath: all stages but generate.\n");
}

static void
print_disturbances(const struct capacity_result *results, unsigned count)
{
	unsigned disturbed = 0;
	bool unquiet = false;

	for (unsigned i = 0; i < count; i++) {
		unquiet |= results[i].unquiet;
		for (unsigned k = 0; k < results[i].trial_count; k++)
			disturbed += results[i].trials[k].disturbed;
	}
	if (unquiet)
		puts("? the search ended early: other work ran on the CPUs all the time, and the "
		     "capacity is unknown.\nIsolate the CPUs or let the machine do nothing "
		     "else.\n");
	else if (disturbed > 0)
		printf("Lcores lost their CPUs %u times to other work; what was sent around these "
		       "moments is left out.\n\n",
			disturbed);
}

void
capacity_print(
	const struct capacity *capacity, const struct capacity_result *results, unsigned count)
{
	if (!rig_has_huge_pages())
		puts("WITHOUT HUGE PAGES THESE FIGURES MEAN NOTHING: reserve them (sysctl "
		     "vm.nr_hugepages) and repeat\n");
	if (!capacity->options.same_lcore)
		print_capacities(capacity, results, count);
	print_stages(results, count);
	print_disturbances(results, count);
	puts(excluded);
}

static void
json_trials(const struct capacity_result *result, FILE *out)
{
	for (unsigned i = 0; i < result->trial_count; i++) {
		const struct trial *trial = &result->trials[i];

		fprintf(out,
			"%s{\"offered_mpps\":%.4f,\"sent_mpps\":%.4f,\"sent\":%" PRIu64
			",\"ring_full\":%" PRIu64 ",\"no_buffer\":%" PRIu64
			",\"quiet_seconds\":%.4f,\"disturbed\":%u}",
			i ? "," : "", trial->offered_mpps, trial->sent_mpps, trial->sent,
			trial->ring_full, trial->no_buffer, trial->seconds, trial->disturbed);
	}
}

static void
json_result(const struct capacity *capacity, const struct capacity_result *result, FILE *out)
{
	fputs("{\"traffic\":\"", out);
	/* A file name may hold anything. */
	for (const char *at = result->profile; *at; at++)
		if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if ((unsigned char)*at < 0x20)
			fprintf(out, "\\u%04x", *at);
		else
			fputc(*at, out);
	fprintf(out, "\",\"frame_bytes\":%.1f", result->frame_length);
	if (!capacity->options.same_lcore)
		fprintf(out,
			",\"capacity_mpps\":%.4f,\"capacity_gbps\":%.3f,\"generator_limited\":%s,"
			"\"unquiet\":%s"
			",\"flow_records\":%" PRIu64 ",\"facts\":%" PRIu64 ",\"samples\":%" PRIu64
			",\"internal_losses\":%" PRIu64,
			result->capacity_mpps, gigabits(result, result->capacity_mpps),
			result->generator_limited ? "true" : "false",
			result->unquiet ? "true" : "false", result->flow_records, result->facts,
			result->samples, result->internal_losses);
	fputs(",\"stages_ns\":{", out);
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		fprintf(out, "%s\"%s\":%.2f", stage ? "," : "", stage_name(stage),
			result->stage_ns[stage]);
	fprintf(out, "},\"path_ns\":%.2f,\"slices_dropped\":%u,\"trials\":[", result->total_ns,
		result->slices_dropped);
	json_trials(result, out);
	fputs("]}", out);
}

int
capacity_write_json(const struct capacity *capacity, const struct capacity_result *results,
	unsigned count, FILE *out)
{
	const struct capacity_options *options = &capacity->options;

	fprintf(out,
		"{\"version\":\"" CAMSPAN_VERSION "\",\"mode\":\"%s\",\"workers\":%u"
		",\"trial_seconds\":%g,\"resolution\":%g,\"ring\":%u,\"huge_pages\":%s"
		",\"excluded\":[\"nic\",\"pcie\",\"control\",\"exporters\"],\"results\":[",
		options->same_lcore ? "same-lcore" : "generator-lcore", options->workers,
		options->trial_s, options->resolution, options->ring,
		rig_has_huge_pages() ? "true" : "false");
	for (unsigned i = 0; i < count; i++) {
		if (i)
			fputc(',', out);
		json_result(capacity, &results[i], out);
	}
	fputs("]}\n", out);
	return ferror(out) ? -1 : 0;
}
