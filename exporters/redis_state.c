/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/redis_state.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct redis_entry *)a)->id, ((const struct redis_entry *)b)->id);
}

void
redis_state_init(struct redis_state *state, size_t devices, size_t streams, size_t alerts,
	size_t bytes_limit)
{
	const size_t limits[REDIS_KIND_COUNT] = {
		[REDIS_DEVICE] = devices, [REDIS_STREAM] = streams, [REDIS_ALERT] = alerts};

	memset(state, 0, sizeof(*state));
	TAILQ_INIT(&state->dirty);
	state->bytes_limit = bytes_limit;
	for (int i = 0; i < REDIS_KIND_COUNT; i++) {
		TAILQ_INIT(&state->kinds[i].age);
		state->kinds[i].limit = limits[i] > 0 ? limits[i] : 1;
	}
}

static void
mark_dirty(struct redis_state *state, struct redis_entry *entry)
{
	if (entry->is_dirty)
		return;
	entry->is_dirty = true;
	state->dirty_count++;
	TAILQ_INSERT_TAIL(&state->dirty, entry, dirty);
}

static void
mark_clean(struct redis_state *state, struct redis_entry *entry)
{
	if (!entry->is_dirty)
		return;
	entry->is_dirty = false;
	state->dirty_count--;
	TAILQ_REMOVE(&state->dirty, entry, dirty);
}

static size_t
entry_bytes(const struct redis_entry *entry)
{
	return sizeof(*entry) + entry->command_length;
}

static void
entry_free(struct redis_entry *entry)
{
	free(entry->command);
	free(entry);
}

/* Out of every list; freed at once, or by the last reply. */
static void
forget(struct redis_state *state, struct redis_entry *entry)
{
	struct redis_kind_table *table = &state->kinds[entry->kind];

	mark_clean(state, entry);
	tdelete(entry, &table->index, compare_ids);
	TAILQ_REMOVE(&table->age, entry, age);
	table->count--;
	state->bytes -= entry_bytes(entry);
	if (entry->replies > 0)
		entry->orphan = true;
	else
		entry_free(entry);
}

void
redis_state_clear(struct redis_state *state)
{
	struct redis_entry *entry;

	for (int i = 0; i < REDIS_KIND_COUNT; i++) {
		while ((entry = TAILQ_FIRST(&state->kinds[i].age)) != NULL) {
			entry->replies = 0;
			forget(state, entry);
		}
	}
}

struct redis_entry *
redis_state_find(const struct redis_state *state, enum redis_kind kind, const char *id)
{
	struct redis_entry wanted;
	struct redis_entry **found;

	snprintf(wanted.id, sizeof(wanted.id), "%s", id);
	found = tfind(&wanted, &state->kinds[kind].index, compare_ids);
	return found != NULL ? *found : NULL;
}

static void
evict_oldest(struct redis_state *state, enum redis_kind kind)
{
	struct redis_entry *oldest = TAILQ_FIRST(&state->kinds[kind].age);

	/* What is in flight is counted by its replies. */
	state->evicted_waiting += oldest->waiting - oldest->sent;
	oldest->waiting = oldest->sent;
	forget(state, oldest);
}

static void
make_room(struct redis_state *state, enum redis_kind kind, size_t bytes)
{
	struct redis_kind_table *table = &state->kinds[kind];

	while (table->count >= table->limit)
		evict_oldest(state, kind);
	while (table->count > 0 && state->bytes + bytes > state->bytes_limit)
		evict_oldest(state, kind);
}

static struct redis_entry *
add_entry(struct redis_state *state, enum redis_kind kind, const char *id, size_t bytes)
{
	struct redis_kind_table *table = &state->kinds[kind];
	struct redis_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->kind = kind;
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	make_room(state, kind, sizeof(*entry) + bytes);
	if (tsearch(entry, &table->index, compare_ids) == NULL) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&table->age, entry, age);
	table->count++;
	state->bytes += entry_bytes(entry);
	return entry;
}

bool
redis_state_put(struct redis_state *state, enum redis_kind kind, const char *id, int64_t time,
	double score, char *command, size_t command_length)
{
	struct redis_kind_table *table = &state->kinds[kind];
	struct redis_entry *entry = redis_state_find(state, kind, id);

	if (entry == NULL)
		entry = add_entry(state, kind, id, command_length);
	if (entry == NULL) {
		free(command);
		return false;
	}
	TAILQ_REMOVE(&table->age, entry, age);
	TAILQ_INSERT_TAIL(&table->age, entry, age);
	state->bytes -= entry_bytes(entry);
	free(entry->command);
	entry->command = command;
	entry->command_length = command_length;
	state->bytes += entry_bytes(entry);
	entry->time = time;
	entry->score = score;
	entry->gone = false;
	entry->waiting++;
	mark_dirty(state, entry);
	return true;
}

void
redis_state_rewrite(struct redis_state *state)
{
	for (int i = 0; i < REDIS_KIND_COUNT; i++) {
		struct redis_entry *entry;

		TAILQ_FOREACH(entry, &state->kinds[i].age, age)
		{
			entry->replies = 0;
			entry->sent = 0;
			entry->failed = false;
			mark_dirty(state, entry);
		}
	}
}

void
redis_state_refresh(struct redis_state *state)
{
	for (int i = REDIS_DEVICE; i <= REDIS_STREAM; i++) {
		struct redis_entry *entry;

		TAILQ_FOREACH(entry, &state->kinds[i].age, age)
		mark_dirty(state, entry);
	}
}

void
redis_state_expire(struct redis_state *state, enum redis_kind kind, int64_t before)
{
	struct redis_entry *entry;

	TAILQ_FOREACH(entry, &state->kinds[kind].age, age)
	{
		if (entry->time >= before)
			break; /* the others are younger */
		if (entry->gone)
			continue;
		entry->gone = true;
		mark_dirty(state, entry);
	}
}

struct redis_entry *
redis_state_next(struct redis_state *state)
{
	struct redis_entry *entry;

	/* One that is in flight waits for its replies, so that they cannot be confused. */
	TAILQ_FOREACH(entry, &state->dirty, dirty)
	if (entry->replies == 0)
		break;
	if (entry == NULL)
		return NULL;
	mark_clean(state, entry);
	entry->failed = false;
	entry->sent = entry->waiting;
	return entry;
}

static uint64_t
confirm_sent(struct redis_state *state, struct redis_entry *entry)
{
	uint64_t confirmed = entry->sent;

	entry->waiting -= confirmed;
	entry->sent = 0;
	if (entry->orphan)
		entry_free(entry);
	else if (entry->gone && !entry->is_dirty)
		forget(state, entry);
	return confirmed;
}

uint64_t
redis_state_reply(
	struct redis_state *state, struct redis_entry *entry, bool good, bool again, uint64_t *lost)
{
	if (!good)
		entry->failed = true;
	if (--entry->replies > 0)
		return 0;
	if (!entry->failed)
		return confirm_sent(state, entry);
	if (again && !entry->orphan) {
		entry->sent = 0;
		mark_dirty(state, entry);
		return 0;
	}
	*lost += confirm_sent(state, entry);
	return 0;
}

uint64_t
redis_state_abandon(struct redis_entry *entry)
{
	uint64_t lost;

	if (!entry->orphan || --entry->replies > 0)
		return 0;
	lost = entry->sent;
	entry_free(entry);
	return lost;
}

uint64_t
redis_state_confirm(struct redis_state *state, struct redis_entry *entry)
{
	mark_clean(state, entry);
	entry->sent = entry->waiting;
	return confirm_sent(state, entry);
}

uint64_t
redis_state_waiting(const struct redis_state *state)
{
	uint64_t waiting = 0;

	for (int i = 0; i < REDIS_KIND_COUNT; i++) {
		const struct redis_entry *entry;

		TAILQ_FOREACH(entry, &state->kinds[i].age, age)
		waiting += entry->waiting;
	}
	return waiting;
}
