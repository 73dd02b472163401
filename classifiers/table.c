/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/table.h"

#define X(name) &classifier_##name,
const struct classifier *const classifier_table[] = {CLASSIFIERS(X)};
#undef X

const size_t classifier_count = sizeof(classifier_table) / sizeof(classifier_table[0]);

_Static_assert(sizeof(classifier_table) / sizeof(classifier_table[0]) <= 32,
	"a candidate mask has 32 bits");

uint8_t
classifier_index(const struct classifier *classifier)
{
	uint8_t index = 0;

	while (index < classifier_count && classifier_table[index] != classifier)
		index++;
	return index;
}
