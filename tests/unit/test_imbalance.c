/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/imbalance.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static unsigned busiest;

static unsigned
look(struct imbalance *imbalance, unsigned count, const uint64_t *totals)
{
	imbalance_begin(imbalance, count);
	for (unsigned i = 0; i < count; i++)
		imbalance_add(imbalance, i, totals[i]);
	return imbalance_percent(imbalance, &busiest);
}

/* Each look is about what came since the one before. */
static void
test_looks(void)
{
	static const struct {
		uint64_t totals[4];
		unsigned percent, busiest;
	} looks[] = {
		{{5000, 5000, 5000, 5000}, 100, 0},
		{{5000, 5000, 45000, 5000}, 400, 2},
		{{5000, 5000, 45000, 5999}, 0, 3},      /* too few to say */
		{{15000, 15000, 55000, 35999}, 200, 3}, /* 10, 10, 10 and 30 thousand */
		{{15000, 15000, 55000, 35999}, 0, 3},
	};
	struct imbalance imbalance = {0};

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		CU_ASSERT_EQUAL(look(&imbalance, 4, looks[i].totals), looks[i].percent);
		if (looks[i].percent > 100)
			CU_ASSERT_EQUAL(busiest, looks[i].busiest);
	}
}

static void
test_one_share_is_no_imbalance(void)
{
	struct imbalance imbalance = {0};

	CU_ASSERT_EQUAL(look(&imbalance, 1, (uint64_t[]){1000000}), 0);
	imbalance_begin(&imbalance, IMBALANCE_SHARES_MAX + 5);
	imbalance_add(&imbalance, IMBALANCE_SHARES_MAX + 1, 1);
	CU_ASSERT_EQUAL(imbalance_percent(&imbalance, NULL), 0);
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"each look is about what came since", test_looks},
		{"one share, and too many", test_one_share_is_no_imbalance},
		CU_TEST_INFO_NULL,
	};

	return unit_run("imbalance", tests);
}
