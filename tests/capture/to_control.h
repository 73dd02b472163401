/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline tells goes straight to the control part: no ring between them. */
#ifndef CAMSPAN_TESTS_TO_CONTROL_H
#define CAMSPAN_TESTS_TO_CONTROL_H

#include "dataplane/control.h"
#include "dataplane/pipeline.h"

static inline bool
to_control_flow(void *control, const struct flow_record *record)
{
	control_report(control, &(struct report){.kind = REPORT_FLOW, .flow = *record});
	return true;
}

static inline bool
to_control_evidence(void *control, const struct evidence *evidence)
{
	control_report(control, &(struct report){.kind = REPORT_EVIDENCE, .evidence = *evidence});
	return true;
}

static inline void
to_control_media(void *control, const struct stream_media *media)
{
	control_report(control, &(struct report){.kind = REPORT_MEDIA, .media = *media});
}

static inline void
to_control_sample(void *control, const struct stream_sample *sample)
{
	control_report(control, &(struct report){.kind = REPORT_SAMPLE, .sample = *sample});
}

static inline struct pipeline_output
to_control(struct control *control)
{
	return (struct pipeline_output){.context = control,
		.flow = to_control_flow,
		.sink = {control, to_control_evidence, to_control_media, to_control_sample}};
}

#endif
