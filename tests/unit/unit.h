/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a unit test program: a list of named tests, run by CUnit, exit code 1 on failure. */
#ifndef CAMSPAN_TESTS_UNIT_H
#define CAMSPAN_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stddef.h>

static inline int
unit_run(const char *suite_name, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = {{.pName = suite_name, .pTests = tests}, CU_SUITE_INFO_NULL};
	unsigned failures;

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 1;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}

#endif
