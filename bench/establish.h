/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAMSPAN_BENCH_ESTABLISH_H
#define CAMSPAN_BENCH_ESTABLISH_H

#include "bench/generator.h"
#include "bench/rig.h"

struct reference;

/* Every flow of the generator known, past inspection, and its timers where two minutes of traffic
 * would have them. `reference` learns the same flows; it may be NULL. */
void establish_flows(struct rig *rig, struct generator *generator, struct reference *reference,
	struct rig_worker *worker);

/* So many packets of the generator through the worker; packet time moves by `packet_ns` a packet.
 */
void run_generated(
	struct rig_worker *worker, struct generator *generator, double packet_ns, uint64_t packets);

#endif
