/* SPDX-License-Identifier: Apache-2.0 */
/* Every classifier has a message that the benchmarks read, and takes it for its own. */
#include "bench/payloads.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool
count_evidence(void *context, const struct evidence *evidence)
{
	(void)evidence;
	(*(unsigned *)context)++;
	return true;
}

static void
ignore_media(void *context, const struct stream_media *media)
{
	(void)context;
	(void)media;
}

static void
ignore_sample(void *context, const struct stream_sample *sample)
{
	(void)context;
	(void)sample;
}

static void
test_every_classifier_has_one(void)
{
	for (size_t i = 0; i < classifier_count; i++) {
		if (payload_of(classifier_table[i]) == NULL)
			printf("\n    bench/payloads.c: none for %s ", classifier_table[i]->name);
		CU_ASSERT_PTR_NOT_NULL(payload_of(classifier_table[i]));
	}
	CU_ASSERT_EQUAL(payload_count, classifier_count);
}

static void
test_each_is_taken(void)
{
	static uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64)));

	for (size_t i = 0; i < payload_count; i++) {
		struct packet packet = payload_packet(&payloads[i]);
		unsigned facts = 0;
		struct report_sink sink = {&facts, count_evidence, ignore_media, ignore_sample};
		enum classifier_verdict verdict =
			payload_inspect(&payloads[i], &packet, scratch, &sink);

		if (verdict == CLASSIFIER_NOT_MINE)
			printf("\n    %s declines its own ", payloads[i].classifier->name);
		CU_ASSERT_NOT_EQUAL(verdict, CLASSIFIER_NOT_MINE);
		/* Those that need an answer or more packets first say nothing yet. */
		if (strcmp(payloads[i].classifier->name, "rtp") == 0 ||
			strcmp(payloads[i].classifier->name, "baichuan") == 0 ||
			strcmp(payloads[i].classifier->name, "dvrip") == 0)
			continue;
		if (facts == 0)
			printf("\n    %s finds nothing ", payloads[i].classifier->name);
		CU_ASSERT_TRUE(facts > 0);
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"every classifier has one", test_every_classifier_has_one},
		{"each is taken", test_each_is_taken},
		CU_TEST_INFO_NULL,
	};

	return unit_run("payloads", tests);
}
