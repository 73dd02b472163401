/* SPDX-License-Identifier: Apache-2.0 */
/* What pipeline.c (life, records, timers) and pipeline_burst.c (the stages of a burst) share. */
#ifndef CAMSPAN_PIPELINE_PRIVATE_H
#define CAMSPAN_PIPELINE_PRIVATE_H

#include "dataplane/pipeline.h"

/* From a flow's first packet to the first look of the wheel, in nanoseconds. */
#define PIPELINE_FIRST_LOOK INT64_C(2000000000)

/* Delivers what a flow has counted; false when there is no room. */
bool pipeline_receive_record(void *pipeline, struct flow *flow, const struct flow_origin *origin,
	const struct flow_wide *wide, enum flow_end_reason reason);
/* Both wheels, as far as the budget of one burst goes. */
void pipeline_run_timers(struct pipeline *pipeline);

#endif
