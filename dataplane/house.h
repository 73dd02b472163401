/* SPDX-License-Identifier: Apache-2.0 */
/* What every way of running needs: the configuration and what was made from it. */
#ifndef CAMSPAN_HOUSE_H
#define CAMSPAN_HOUSE_H

#include "classifiers/devices/knowledge.h"
#include "classifiers/dispatch.h"
#include "config/config.h"
#include "dataplane/decode.h"
#include "exporters/fanout.h"

struct house {
	const struct config *config;
	const struct knowledge *knowledge;
	const struct dispatch *dispatch;
	const struct decode_options *decode;
	struct fanout *fanout;
};

#endif
