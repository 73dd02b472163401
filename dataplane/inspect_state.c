/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/inspect_state.h"

#include <errno.h>
#include <string.h>

#define PREFETCH_OLDEST 8

int
inspection_states_init(struct inspector *inspector)
{
	const struct memory_source *memory = inspector->memory;
	uint32_t flows = inspector->config->flows_max;

	inspector->states =
		memory_allocate(memory, "inspection states", flows * sizeof(*inspector->states));
	inspector->free_list =
		memory_allocate(memory, "inspection list", flows * sizeof(*inspector->free_list));
	if (inspector->states == NULL || inspector->free_list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++)
		inspector->free_list[i] = flows - i;
	inspector->free_count = flows;
	return 0;
}

void
inspection_states_free(struct inspector *inspector)
{
	if (inspector->states)
		inspector->memory->release(inspector->states);
	if (inspector->free_list)
		inspector->memory->release(inspector->free_list);
}

static void
list_newest(struct inspector *inspector, struct inspection_state *state)
{
	uint32_t number = (uint32_t)(state - inspector->states) + 1;

	state->kept = false;
	state->older = inspector->loose_last;
	state->newer = 0;
	if (state->older)
		inspector->states[state->older - 1].newer = number;
	else
		inspector->loose_first = number;
	inspector->loose_last = number;
}

void
inspection_state_keep(struct inspector *inspector, struct inspection_state *state)
{
	if (state->kept)
		return;
	state->kept = true;
	if (state->older)
		inspector->states[state->older - 1].newer = state->newer;
	else
		inspector->loose_first = state->newer;
	if (state->newer)
		inspector->states[state->newer - 1].older = state->older;
	else
		inspector->loose_last = state->older;
}

void
inspection_state_disown(struct inspector *inspector, struct inspection_state *state)
{
	state->owner = INSPECTION_NO_OWNER;
	if (state->kept)
		list_newest(inspector, state);
}

struct inspection_state *
inspection_state_oldest(const struct inspector *inspector)
{
	return inspector->loose_first ? &inspector->states[inspector->loose_first - 1] : NULL;
}

struct inspection_state *
inspection_state_take(struct inspector *inspector, struct flow *flow)
{
	struct inspection_state *state;

	if (inspector->free_count == 0)
		return NULL;
	flow->inspection = inspector->free_list[--inspector->free_count];
	inspector->in_use++;
	state = inspection_state_of(inspector, flow);
	/* The scratch is zeroed for each owner. */
	memset(state, 0, offsetof(struct inspection_state, scratch));
	state->flow = flow;
	state->owner = INSPECTION_NO_OWNER;
	state->recognizer = INSPECTION_NO_OWNER;
	list_newest(inspector, state);
	return state;
}

void
inspection_state_release(struct inspector *inspector, struct flow *flow)
{
	struct inspection_state *state = inspection_state_of(inspector, flow);

	inspection_state_keep(inspector, state); /* out of the list */
	if (state->dpi)
		dpi_detach(inspector->dpi, state->dpi);
	tcp_stream_end(&state->streams[0], &inspector->buffers);
	tcp_stream_end(&state->streams[1], &inspector->buffers);
	inspector->free_list[inspector->free_count++] = flow->inspection;
	inspector->in_use--;
	flow->inspection = 0;
}

void
inspection_states_prefetch(const struct inspector *inspector)
{
	uint32_t number = inspector->free_count == 0 ? inspector->loose_first : 0;

	for (unsigned i = 0; i < PREFETCH_OLDEST && number != 0; i++) {
		const struct inspection_state *state = &inspector->states[number - 1];

		__builtin_prefetch(state->flow, 1, 3);
		__builtin_prefetch(&state->streams[1], 1, 3);
		number = state->newer;
	}
}
