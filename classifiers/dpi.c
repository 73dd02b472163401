/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/dpi.h"

#include "classifiers/dpi_memory.h"
#include "dataplane/log.h"

#include <ndpi/ndpi_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NDPI_SINCE(major, minor)                                                                   \
	(NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

#define MEMORY_PER_FLOW    2048              /* a TLS flow with its certificates takes 1 to 2 KiB */
#define MEMORY_PER_MODULE  (4 * 1024 * 1024) /* nDPI's caches across flows */
#define NANOSECONDS_PER_MS 1000000
#define LONGEST_PACKET     UINT16_MAX

struct dpi_flow {
	struct dpi_flow *next; /* while free */
	uint16_t packets;
	bool attached;
	struct ndpi_flow_struct state;
};

struct dpi {
	struct ndpi_detection_module_struct *module;
	struct dpi_memory *memory;
	struct dpi_flow *flows;
	struct dpi_flow *free;
	uint32_t flows_max;
	uint16_t max_packets;
	struct dpi_counters counters;
};

/* nDPI's start-up touches its own globals, and the hooks below are such. */
static pthread_mutex_t start_up = PTHREAD_MUTEX_INITIALIZER;

static void
hook_memory(void)
{
#if !NDPI_SINCE(5, 0)
	set_ndpi_malloc(dpi_malloc);
	set_ndpi_free(dpi_mfree);
#endif
}

static struct ndpi_detection_module_struct *
open_module(void)
{
	struct ndpi_detection_module_struct *module;

#if NDPI_SINCE(4, 10)
	module = ndpi_init_detection_module(NULL);
#else
	module = ndpi_init_detection_module(ndpi_no_prefs);
#endif
	if (module == NULL)
		return NULL;
#if !NDPI_SINCE(5, 0)
	NDPI_PROTOCOL_BITMASK all;

	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(module, &all);
#endif
#if NDPI_SINCE(4, 10)
	ndpi_set_config(module, NULL, "dpi.guess_on_giveup", "0");
#endif
	(void)ndpi_finalize_initialization(module);
	return module;
}

static void
free_list_of_all(struct dpi *dpi)
{
	dpi->free = NULL;
	for (uint32_t i = dpi->flows_max; i > 0; i--) {
		dpi->flows[i - 1].next = dpi->free;
		dpi->free = &dpi->flows[i - 1];
	}
}

struct dpi *
dpi_create(uint32_t flows_max, uint16_t max_packets)
{
	struct dpi *dpi;

	if (ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct)) {
		log_error(
			"nDPI %s is not the release this program was built with", ndpi_revision());
		return NULL;
	}
	dpi = calloc(1, sizeof(*dpi));
	if (dpi == NULL)
		goto short_of_memory;
	dpi->flows_max = flows_max;
	dpi->max_packets = max_packets;
	dpi->flows = calloc(flows_max, sizeof(*dpi->flows));
	dpi->memory = dpi_memory_create(MEMORY_PER_MODULE + (size_t)flows_max * MEMORY_PER_FLOW);
	if (dpi->flows == NULL || dpi->memory == NULL)
		goto short_of_memory;
	pthread_mutex_lock(&start_up);
	hook_memory();
	dpi->module = open_module();
	pthread_mutex_unlock(&start_up);
	if (dpi->module == NULL)
		goto short_of_memory;
	free_list_of_all(dpi);
	return dpi;

short_of_memory:
	log_error("nDPI does not start: not enough memory");
	dpi_free(dpi);
	return NULL;
}

void
dpi_free(struct dpi *dpi)
{
	if (dpi == NULL)
		return;
	for (uint32_t i = 0; dpi->module && i < dpi->flows_max; i++)
		if (dpi->flows[i].attached)
			dpi_detach(dpi, &dpi->flows[i]);
	pthread_mutex_lock(&start_up);
	if (dpi->module)
		ndpi_exit_detection_module(dpi->module);
	pthread_mutex_unlock(&start_up);
	dpi_memory_destroy(dpi->memory);
	free(dpi->flows);
	free(dpi);
}

struct dpi_flow *
dpi_attach(struct dpi *dpi)
{
	struct dpi_flow *flow = dpi->free;

	if (flow == NULL) {
		dpi->counters.flows_refused++;
		return NULL;
	}
	dpi->free = flow->next;
	memset(flow, 0, sizeof(*flow)); /* nDPI wants a new flow to be zero */
	flow->attached = true;
	dpi->counters.flows_in_use++;
	return flow;
}

void
dpi_detach(struct dpi *dpi, struct dpi_flow *flow)
{
	if (flow == NULL || !flow->attached)
		return;
	ndpi_free_flow_data(&flow->state);
	flow->attached = false;
	flow->next = dpi->free;
	dpi->free = flow;
	dpi->counters.flows_in_use--;
}

/* The protocol spoken, not the service inside: "tls", where nDPI may add whose server it is. */
static uint16_t
protocol_of(const ndpi_protocol *found)
{
#if NDPI_SINCE(4, 11)
	const ndpi_master_app_protocol *ids = &found->proto;
#else
	const ndpi_protocol *ids = found;
#endif

	return ids->master_protocol != NDPI_PROTOCOL_UNKNOWN ? ids->master_protocol
							     : ids->app_protocol;
}

/* Names are ASCII; lower case as everywhere in our events. */
void
dpi_name(const struct dpi *dpi, uint16_t protocol, char name[DPI_NAME_SIZE])
{
	const char *text = NULL;
	size_t length = 0;

	if (protocol != NDPI_PROTOCOL_UNKNOWN)
		text = ndpi_get_proto_name(dpi->module, protocol);
	for (; text && text[length] && length < DPI_NAME_SIZE - 1; length++) {
		char c = text[length];

		name[length] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	name[length] = '\0';
}

static void
set_result(struct dpi *dpi, uint16_t protocol, struct dpi_result *result)
{
	dpi_name(dpi, protocol, result->name);
	result->protocol = protocol;
	if (protocol != NDPI_PROTOCOL_UNKNOWN)
		dpi->counters.detected++;
	else
		dpi->counters.gave_up++;
}

static ndpi_protocol
process(struct dpi *dpi, struct dpi_flow *flow, const uint8_t *ip, uint16_t length, uint64_t ms,
	bool from_initiator)
{
#if NDPI_SINCE(4, 6)
	struct ndpi_flow_input_info input = {
		.in_pkt_dir = from_initiator ? NDPI_IN_PKT_DIR_C_TO_S : NDPI_IN_PKT_DIR_S_TO_C,
		.seen_flow_beginning = NDPI_FLOW_BEGINNING_UNKNOWN,
	};

	return ndpi_detection_process_packet(dpi->module, &flow->state, ip, length, ms, &input);
#else
	(void)from_initiator; /* it finds the direction by itself */
	return ndpi_detection_process_packet(dpi->module, &flow->state, ip, length, ms);
#endif
}

static ndpi_protocol
give_up(struct dpi *dpi, struct dpi_flow *flow)
{
#if NDPI_SINCE(5, 0)
	return ndpi_detection_giveup(dpi->module, &flow->state);
#else
	uint8_t guessed = 0;

#if NDPI_SINCE(4, 10)
	return ndpi_detection_giveup(dpi->module, &flow->state, &guessed);
#else
	return ndpi_detection_giveup(dpi->module, &flow->state, 0, &guessed);
#endif
#endif
}

void
dpi_conclude(struct dpi *dpi, struct dpi_flow *flow, struct dpi_result *result)
{
	ndpi_protocol found;

	dpi_memory_enter(dpi->memory);
	found = give_up(dpi, flow);
	dpi_memory_enter(NULL);
	set_result(dpi, protocol_of(&found), result);
}

enum dpi_verdict
dpi_inspect(struct dpi *dpi, struct dpi_flow *flow, const uint8_t *ip, uint32_t length,
	int64_t time, bool from_initiator, struct dpi_result *result)
{
	uint16_t used = (uint16_t)(length < LONGEST_PACKET ? length : LONGEST_PACKET);
	ndpi_protocol found;

	dpi->counters.packets++;
	dpi_memory_enter(dpi->memory);
	found = process(dpi, flow, ip, used, (uint64_t)(time / NANOSECONDS_PER_MS), from_initiator);
	dpi_memory_enter(NULL);
	if (protocol_of(&found) != NDPI_PROTOCOL_UNKNOWN) {
		set_result(dpi, protocol_of(&found), result);
		return DPI_DONE;
	}
	if (++flow->packets < dpi->max_packets)
		return DPI_WORKING;
	dpi_conclude(dpi, flow, result);
	return DPI_DONE;
}

struct dpi_counters
dpi_counters(const struct dpi *dpi)
{
	struct dpi_counters counters = dpi->counters;

	counters.memory_in_use = dpi_memory_in_use(dpi->memory);
	counters.memory_fallbacks = dpi_memory_fallbacks(dpi->memory);
	return counters;
}
