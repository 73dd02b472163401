/* SPDX-License-Identifier: Apache-2.0 */
/* The results as one drawing: the highest rate of each kind of traffic, and below what a packet
 * costs by stage. Plain SVG 1.1, colours that differ in grey too. */
#include "bench/capacity.h"

#include <math.h>

#define WIDTH      860
#define LEFT       130
#define RIGHT      210
#define BAR        22
#define ROW        34
#define TITLE      40
#define FOOT       54
#define PLOT_WIDTH (WIDTH - LEFT - RIGHT)

static const char *const colours[STAGE_COUNT] = {
	"#d9d9d9", "#1f4e79", "#2e8b57", "#e0a030", "#b03a2e"};

static void
text(FILE *out, double x, double y, const char *anchor, const char *weight, const char *words)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-weight=\"%s\">", x, y,
		anchor, weight);
	for (; *words; words++)
		if (*words == '<' || *words == '>' || *words == '&')
			fprintf(out, "&#%d;", *words);
		else if ((unsigned char)*words >= 0x20)
			fputc(*words, out);
	fputs("</text>\n", out);
}

static void
bar(FILE *out, double x, double y, double width, const char *colour, const char *title)
{
	if (width <= 0)
		return;
	fprintf(out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\">"
		"<title>%s</title></rect>\n",
		x, y, width, BAR, colour, title);
}

/* A round number of at least `value`: 1, 2 or 5 and noughts. */
static double
round_up(double value)
{
	double power = pow(10, floor(log10(value > 0 ? value : 1)));

	return value <= power       ? power
	       : value <= 2 * power ? 2 * power
	       : value <= 5 * power ? 5 * power
				    : 10 * power;
}

static void
axis(FILE *out, double top, double height, double most, const char *unit)
{
	char label[48];

	for (int i = 0; i <= 5; i++) {
		double x = LEFT + PLOT_WIDTH * i / 5.0;

		fprintf(out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n",
			x, top, x, top + height);
		snprintf(label, sizeof(label), "%g%s%s", most * i / 5, i == 5 ? " " : "",
			i == 5 ? unit : "");
		text(out, x, top + height + 16, "middle", "normal", label);
	}
}

static double
draw_rates(FILE *out, double top, const struct capacity_result *results, unsigned count)
{
	double most = 0, height = count * ROW;
	char label[64];

	for (unsigned i = 0; i < count; i++)
		most = fmax(most, results[i].capacity_mpps);
	most = round_up(most);
	text(out, LEFT, top + 20, "start", "bold", "Highest rate without loss");
	top += TITLE;
	axis(out, top, height, most, "Mpps");
	for (unsigned i = 0; i < count; i++) {
		double y = top + i * ROW + (ROW - BAR) / 2.0;
		double width = PLOT_WIDTH * results[i].capacity_mpps / most;

		snprintf(label, sizeof(label), "%s%.2f Mpps, %.1f Gb/s",
			results[i].unquiet             ? "unknown, over "
			: results[i].generator_limited ? "at least "
						       : "",
			results[i].capacity_mpps,
			results[i].capacity_mpps * (results[i].frame_length + 20) * 8 / 1e3);
		text(out, LEFT - 10, y + 16, "end", "normal", results[i].profile);
		bar(out, LEFT, y, width, "#1f4e79", label);
		text(out, LEFT + width + 6, y + 16, "start", "normal", label);
	}
	return top + height + FOOT;
}

static void
draw_legend(FILE *out, double y)
{
	double x = LEFT;

	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		bar(out, x, y, 14, colours[stage], stage_name(stage));
		text(out, x + 20, y + 16, "start", "normal", stage_name(stage));
		x += 100;
	}
}

static double
draw_stages(FILE *out, double top, const struct capacity_result *results, unsigned count)
{
	double most = 0, height = count * ROW;
	char label[64];

	for (unsigned i = 0; i < count; i++)
		most = fmax(most, results[i].total_ns + results[i].stage_ns[STAGE_GENERATE]);
	most = round_up(most);
	text(out, LEFT, top + 20, "start", "bold", "Cost of a packet on one core");
	top += TITLE;
	axis(out, top, height, most, "ns");
	for (unsigned i = 0; i < count; i++) {
		double y = top + i * ROW + (ROW - BAR) / 2.0, x = LEFT;

		text(out, LEFT - 10, y + 16, "end", "normal", results[i].profile);
		for (int stage = 0; stage < STAGE_COUNT; stage++) {
			double width = PLOT_WIDTH * results[i].stage_ns[stage] / most;

			snprintf(label, sizeof(label), "%s %.1f ns", stage_name(stage),
				results[i].stage_ns[stage]);
			bar(out, x, y, width, colours[stage], label);
			x += width;
		}
		snprintf(label, sizeof(label), "%.1f ns", results[i].total_ns);
		text(out, x + 6, y + 16, "start", "normal", label);
	}
	draw_legend(out, top + height + 26);
	return top + height + FOOT + 20;
}

int
capacity_write_svg(const struct capacity *capacity, const struct capacity_result *results,
	unsigned count, FILE *out)
{
	bool rates = !capacity->options.same_lcore;
	double height = 20 + (rates ? count * ROW + TITLE + FOOT : 0) + count * ROW + TITLE + FOOT +
			20 + 24;
	double top = 20;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" font-size=\"13\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, height, WIDTH, height);
	if (rates)
		top = draw_rates(out, top, results, count);
	top = draw_stages(out, top, results, count);
	text(out, LEFT, top + 8, "start", "normal",
		rig_has_huge_pages() ? "camspan " CAMSPAN_VERSION
				       ". Without NIC, PCIe, control thread and exporters."
				     : "WITHOUT HUGE PAGES: these figures mean nothing.");
	fputs("</svg>\n", out);
	return ferror(out) ? -1 : 0;
}
