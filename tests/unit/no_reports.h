/* SPDX-License-Identifier: Apache-2.0 */
/* A sink for those who look at something else than facts, media and samples. */
#ifndef CAMSPAN_TESTS_NO_REPORTS_H
#define CAMSPAN_TESTS_NO_REPORTS_H

#include "classifiers/classifier.h"

static inline bool
ignore_evidence(void *context, const struct evidence *evidence)
{
	(void)context;
	(void)evidence;
	return true;
}

static inline void
ignore_media(void *context, const struct stream_media *media)
{
	(void)context;
	(void)media;
}

static inline void
ignore_sample(void *context, const struct stream_sample *sample)
{
	(void)context;
	(void)sample;
}

static const struct report_sink no_reports = {NULL, ignore_evidence, ignore_media, ignore_sample};

#endif
