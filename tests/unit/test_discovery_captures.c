/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery facts of real captures. With capture files as arguments it prints the facts of each
 * instead, for a critical reader. */
#include "tests/unit/capture_feed.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define FACTS_MAX 4096

struct fact {
	struct evidence evidence;
	unsigned count;
};

struct facts {
	struct fact items[FACTS_MAX];
	size_t count;
};

static struct facts facts;
static struct dispatch *dispatch;

static bool
same_fact(const struct evidence *a, const struct evidence *b)
{
	return a->attribute == b->attribute && a->side == b->side &&
	       ip_equal(&a->subject.ip, &b->subject.ip) &&
	       mac_equal(&a->subject.mac, &b->subject.mac) && strcmp(a->value, b->value) == 0;
}

static void
collect(void *context, const struct evidence *evidence)
{
	size_t i = 0;

	(void)context;
	while (i < facts.count && !same_fact(&facts.items[i].evidence, evidence))
		i++;
	if (i == FACTS_MAX)
		return;
	if (i == facts.count) {
		facts.items[i] = (struct fact){.evidence = *evidence};
		facts.count++;
	}
	facts.items[i].count++;
}

static int
load(const char *path)
{
	static const struct report_sink sink = {.evidence = collect};

	facts.count = 0;
	return capture_feed(path, dispatch, &sink);
}

static void
print_facts(const char *path)
{
	char ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];

	for (size_t i = 0; i < facts.count; i++) {
		const struct evidence *evidence = &facts.items[i].evidence;

		printf("%s\t%s\t%s\t%s\t%s\t%s\t%u\n", path,
			evidence_attribute_name(evidence->attribute),
			evidence_side_name(evidence->side), ip_format(&evidence->subject.ip, ip),
			mac_format(&evidence->subject.mac, mac), evidence->value,
			facts.items[i].count);
	}
}

int
main(int argc, char **argv)
{
	dispatch = dispatch_create();
	if (dispatch == NULL)
		return 1;
	for (int i = 1; i < argc; i++) {
		if (load(argv[i]) != 0) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
		print_facts(argv[i]);
	}
	dispatch_free(dispatch);
	return 0;
}
