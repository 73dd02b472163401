/* SPDX-License-Identifier: Apache-2.0 */
/* The expiry wheel. A packet never touches it: a flow's timer fires at the deadline it had when it
 * was armed, is compared with the flow's real last packet, and is armed again if the flow lives.
 * New flows get a few early looks, so that policy hears of a connection long before it ends.
 *
 * A slot is a list of chunks of timers, so that arming writes one line that is warm and what is due
 * is read in order and fetched ahead in batches. A timer is never taken out: it carries a sequence
 * number of two bits, and one that is not its entry's latest is ignored when it fires, as long as
 * another is to come. Every entry has at most two timers in the wheel, and at most a quarter of
 * them has a second one. What must always hold: an entry in use has a timer that will count. */
#include "dataplane/flow_table.h"

#include <errno.h>
#include <string.h>

#define TIMER_ENTRY_BITS 30 /* entries number at most 2^30 */
#define TIMER_ENTRY_MASK ((1u << TIMER_ENTRY_BITS) - 1)
#define TIMERS_AT_ONCE   16 /* fetched ahead together */
#define SLOTS_BEHIND     2  /* half a second */
#define EXTRA_SHARE      4  /* one entry in so many may have a second timer */
#define EVICT_LOOKED_AT  16 /* entries of which the one silent longest goes */
#define EVICT_WINDOWS    8  /* of so many entries at most */

static int64_t
slot_number(int64_t time)
{
	return time >> WHEEL_SLOT_SHIFT;
}

static uint32_t
slot_of(int64_t number)
{
	return (uint32_t)(number & (WHEEL_SLOTS - 1));
}

/* Full chunks for every timer there can be, and one that is not full for every slot. */
static uint32_t
chunks_for(uint32_t timers)
{
	return timers / WHEEL_CHUNK_TIMERS + 1 + WHEEL_SLOTS;
}

int
flow_expiry_init(struct flow_table *table)
{
	struct flow_wheel *wheel = &table->wheel;
	uint32_t chunks;

	wheel->extra_max = table->size / EXTRA_SHARE + 1;
	chunks = chunks_for(table->size + wheel->extra_max);
	wheel->chunks =
		memory_allocate(table->memory, "flow wheel", chunks * sizeof(struct wheel_chunk));
	if (wheel->chunks == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < chunks; i++)
		wheel->chunks[i].next = i + 1 < chunks ? i + 2 : 0;
	wheel->free = 1;
	return 0;
}

/* Takes the first chunk of a slot out. */
static void
free_chunk(struct flow_wheel *wheel, uint32_t slot)
{
	uint32_t number = wheel->slot[slot];
	struct wheel_chunk *chunk = &wheel->chunks[number - 1];

	wheel->slot[slot] = chunk->next;
	if (chunk->next == 0)
		wheel->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	chunk->next = wheel->free;
	wheel->free = number;
}

static unsigned
timers_pending(const struct flow *flow)
{
	return flow->timer >> FLOW_PENDING_SHIFT;
}

static uint8_t
timer_sequence(const struct flow *flow)
{
	return (flow->timer & FLOW_TIMER_SEQUENCE) >> FLOW_SEQUENCE_SHIFT;
}

/* Counts one more timer of the flow, with the next sequence number. */
static void
note_armed(struct flow *flow)
{
	uint8_t sequence = (uint8_t)((timer_sequence(flow) + 1) << FLOW_SEQUENCE_SHIFT);

	flow->timer =
		(uint8_t)((flow->timer & ~FLOW_TIMER_SEQUENCE) | (sequence & FLOW_TIMER_SEQUENCE));
	flow->timer += 1 << FLOW_PENDING_SHIFT;
}

static void
push_timer(struct flow_wheel *wheel, uint32_t slot, uint32_t timer)
{
	struct wheel_chunk *chunk =
		wheel->slot[slot] ? &wheel->chunks[wheel->slot[slot] - 1] : NULL;

	if (chunk == NULL || chunk->count == WHEEL_CHUNK_TIMERS) {
		uint32_t number = wheel->free;

		chunk = &wheel->chunks[number - 1]; /* chunks_for() leaves one */
		wheel->free = chunk->next;
		chunk->next = wheel->slot[slot];
		chunk->count = 0;
		wheel->slot[slot] = number;
		wheel->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
	}
	chunk->timer[chunk->count++] = timer;
}

void
flow_expiry_arm(struct flow_table *table, uint32_t index, int64_t deadline)
{
	struct flow_wheel *wheel = &table->wheel;
	struct flow *flow = &table->flows[index];
	/* One slot later than the deadline's own: a slot fires when all of it has passed. */
	int64_t number = slot_number(deadline) + 1;
	unsigned pending = timers_pending(flow);

	if (!wheel->started) {
		wheel->position = slot_number(flow->start);
		wheel->started = true;
	}
	if (pending == 2 || (pending == 1 && wheel->extra == wheel->extra_max))
		return;
	wheel->extra += pending;
	if (number <= wheel->position)
		number = wheel->position + 1;
	if (number >= wheel->position + WHEEL_SLOTS)
		number = wheel->position + WHEEL_SLOTS - 1;
	note_armed(flow);
	push_timer(
		wheel, slot_of(number), (uint32_t)timer_sequence(flow) << TIMER_ENTRY_BITS | index);
}

int64_t
flow_expiry_deadline(const struct flow_table *table, const struct flow *flow)
{
	int64_t last = flow_last_time(flow);
	int64_t idle = last + table->timeouts.idle;
	int64_t active = flow->start + table->timeouts.active;

	if (flow->flags & FLOW_TCP_ENDED)
		idle = last + table->timeouts.tcp_linger;
	return idle < active ? idle : active;
}

void
flow_expiry_restart(struct flow_table *table, int64_t now)
{
	for (uint32_t slot = 0; slot < WHEEL_SLOTS; slot++)
		while (table->wheel.slot[slot] != 0)
			free_chunk(&table->wheel, slot);
	table->wheel.extra = 0;
	table->wheel.position = slot_number(now);
	for (uint32_t index = 0; index < table->touched; index++) {
		struct flow *flow = &table->flows[index];

		flow->timer &= (uint8_t)~FLOW_TIMER_BITS;
		if (flow->flags & FLOW_IN_USE)
			flow_expiry_arm(table, index, flow_expiry_deadline(table, flow));
	}
}

static enum flow_end_reason
reason_to_end(const struct flow_table *table, const struct flow *flow, int64_t now)
{
	if ((flow->flags & FLOW_TCP_ENDED) &&
		now - flow_last_time(flow) >= table->timeouts.tcp_linger)
		return FLOW_END_DETECTED;
	return now - flow_last_time(flow) >= table->timeouts.idle ? FLOW_END_IDLE_TIMEOUT
								  : FLOW_END_ACTIVE_TIMEOUT;
}

static bool
has_news(const struct flow *flow)
{
	return flow->packets[0] || flow->packets[1];
}

static bool
send_record(struct flow_table *table, uint32_t index, enum flow_end_reason reason)
{
	struct flow_receiver *receiver = &table->receiver;
	struct flow *flow = &table->flows[index];

	/* Nothing since its last record: that record already told all there is. */
	if (!has_news(flow))
		return true;
	return receiver->record(receiver->context, flow, &table->origins[index],
		table->wide ? &table->wide[index] : NULL, reason);
}

/* A flow whose deadline has passed: ends it, or starts its next record. */
static void
expire(struct flow_table *table, uint32_t index, int64_t now)
{
	struct flow *flow = &table->flows[index];
	enum flow_end_reason reason = reason_to_end(table, flow, now);

	if (!send_record(table, index, reason)) {
		table->counters.records_deferred++;
		flow_expiry_arm(table, index, now);
		return;
	}
	table->counters.expired++;
	if (reason != FLOW_END_ACTIVE_TIMEOUT) {
		flow_table_remove(table, index);
		return;
	}
	flow->start = flow_last_time(flow);
	flow->last = 0;
	flow->packets[0] = flow->packets[1] = 0;
	flow->bytes[0] = flow->bytes[1] = 0;
	flow_expiry_arm(table, index, flow_expiry_deadline(table, flow));
}

static void
look_at(struct flow_table *table, uint32_t index, int64_t now)
{
	struct flow *flow = &table->flows[index];
	int64_t deadline = flow_expiry_deadline(table, flow);
	int64_t again;

	/* 32 bits count 67 million packets a second until the next look. */
	if (deadline <= now || (flow->packets[0] | flow->packets[1]) >> 31) {
		expire(table, index, now);
		return;
	}
	again = table->receiver.look(table->receiver.context, flow, &table->origins[index],
		table->wide ? &table->wide[index] : NULL);
	if (again > 0 && now + again < deadline)
		deadline = now + again;
	flow_expiry_arm(table, index, deadline);
}

/* Takes up to `most` timers out of a slot. */
static unsigned
take_timers(struct flow_wheel *wheel, uint32_t slot, uint32_t *timers, uint32_t most)
{
	unsigned taken = 0;

	while (taken < most && wheel->slot[slot] != 0) {
		struct wheel_chunk *chunk = &wheel->chunks[wheel->slot[slot] - 1];

		while (taken < most && chunk->count > 0)
			timers[taken++] = chunk->timer[--chunk->count];
		if (chunk->count > 0)
			break;
		free_chunk(wheel, slot);
	}
	return taken;
}

/* Forgets those that were armed again or whose flow is gone; returns how many are left. */
static unsigned
keep_valid(struct flow_table *table, uint32_t *timers, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t index = timers[i] & TIMER_ENTRY_MASK;
		struct flow *flow = &table->flows[index];

		table->wheel.extra -= timers_pending(flow) == 2;
		flow->timer -= 1 << FLOW_PENDING_SHIFT;
		/* The last one counts whatever its number: a new flow may have found no room for a
		 * timer beside one that was left of the entry's former flow. */
		if (!(flow->flags & FLOW_IN_USE) ||
			(timers_pending(flow) > 0 &&
				timers[i] >> TIMER_ENTRY_BITS != timer_sequence(flow)))
			continue;
		timers[kept++] = index;
		__builtin_prefetch(&table->origins[index], 0, 3);
		__builtin_prefetch(
			flow_table_bucket(table, flow_key_hash(&flow->key, &table->secret)), 1, 3);
		if (table->wide)
			__builtin_prefetch(&table->wide[index], 0, 3);
	}
	return kept;
}

/* Up to TIMERS_AT_ONCE timers of the slot that is due, their lines fetched ahead. Returns how many
 * fired, whether they meant something or not; 0: the slot is empty. */
static unsigned
fire_some(struct flow_table *table, int64_t now, uint32_t most)
{
	uint32_t timers[TIMERS_AT_ONCE];
	unsigned taken, valid;

	taken = take_timers(&table->wheel, slot_of(table->wheel.position), timers,
		most < TIMERS_AT_ONCE ? most : TIMERS_AT_ONCE);
	for (unsigned i = 0; i < taken; i++)
		__builtin_prefetch(&table->flows[timers[i] & TIMER_ENTRY_MASK], 1, 3);
	valid = keep_valid(table, timers, taken);
	/* Sequence numbers come round: two timers of one entry may count, and the first end it. */
	for (unsigned i = 0; i < valid; i++)
		if (table->flows[timers[i]].flags & FLOW_IN_USE)
			look_at(table, timers[i], now);
	return taken;
}

/* The next slot up to `target` that has timers, else `target`: in a replay, and where little goes
 * on, most slots are empty. */
static int64_t
next_occupied(const struct flow_wheel *wheel, int64_t target)
{
	int64_t number = wheel->position + 1;

	while (number < target) {
		uint32_t slot = slot_of(number);
		uint64_t rest = wheel->occupied[slot / 64] >> slot % 64;

		number += rest ? (uint32_t)__builtin_ctzll(rest) : 64 - slot % 64;
		if (rest)
			break;
	}
	return number < target ? number : target;
}

bool
flow_expiry_lags(const struct flow_table *table, int64_t now)
{
	return table->wheel.started && slot_number(now) - table->wheel.position > SLOTS_BEHIND;
}

uint32_t
flow_expiry_run(struct flow_table *table, int64_t now, uint32_t budget)
{
	struct flow_wheel *wheel = &table->wheel;
	int64_t target = slot_number(now);
	uint32_t done = 0;

	if (!wheel->started)
		return 0;
	/* The first flow's packet may have been from the future: see follow_time(). */
	if (wheel->position > target)
		wheel->position = target;
	/* After a jump of time every slot is due once; more rounds would find nothing. */
	if (target - wheel->position > WHEEL_SLOTS)
		wheel->position = target - WHEEL_SLOTS;
	while (wheel->position < target) {
		uint64_t deferred = table->counters.records_deferred;
		unsigned fired;

		/* What is armed again lands behind the slot that is being emptied. */
		wheel->position = next_occupied(wheel, target);
		do {
			fired = done < budget ? fire_some(table, now, budget - done) : 0;
			done += fired;
			/* No room for one record: none for the others either. */
		} while (fired > 0 && table->counters.records_deferred == deferred);
		if (wheel->slot[slot_of(wheel->position)] != 0) {
			wheel->position--;
			return done;
		}
	}
	return done;
}

bool
flow_expiry_flush(struct flow_table *table)
{
	for (uint32_t index = 0; index < table->touched && table->occupied > 0; index++) {
		struct flow *flow = &table->flows[index];

		if (!(flow->flags & FLOW_IN_USE))
			continue;
		if (!send_record(table, index,
			    flow->flags & FLOW_TCP_ENDED ? FLOW_END_DETECTED : FLOW_END_FORCED))
			return false;
		flow_table_remove(table, index);
	}
	return true;
}

static bool
is_established(const struct flow *flow)
{
	return (flow->flags & FLOW_ANSWERED) || flow->packets[0] + flow->packets[1] > 8;
}

/* A flow that was answered counts as heard of this much later than it was, one that goes on without
 * an answer a little later: a scan makes room for a scan, not a camera's control connection that
 * pauses. */
static int64_t
standing(const struct flow_table *table, const struct flow *flow)
{
	int64_t bonus = flow->flags & FLOW_ANSWERED ? table->timeouts.idle / 2
			: is_established(flow)      ? table->timeouts.idle / 8
						    : 0;

	return flow_last_time(flow) + bonus;
}

/* Of the next few entries in memory, the one that has stood longest without a word. */
static uint32_t
victim_among_next(struct flow_table *table)
{
	uint32_t victim = table->evict_hand;
	uint32_t end =
		table->size - victim < EVICT_LOOKED_AT ? table->size : victim + EVICT_LOOKED_AT;

	for (uint32_t index = victim + 1; index < end; index++)
		if (standing(table, &table->flows[index]) < standing(table, &table->flows[victim]))
			victim = index;
	table->evict_hand = end == table->size ? 0 : end;
	__builtin_prefetch(&table->flows[table->evict_hand], 0, 3);
	return victim;
}

/* The search goes on behind those it looked at, so that each flow is looked at once in a while and,
 * when all are equal, the oldest goes first. Flows that began together lie side by side: where all
 * are established, it goes on a few times. */
static uint32_t
find_victim(struct flow_table *table)
{
	uint32_t victim = victim_among_next(table);

	for (unsigned i = 1; i < EVICT_WINDOWS && is_established(&table->flows[victim]); i++) {
		uint32_t other = victim_among_next(table);

		if (standing(table, &table->flows[other]) < standing(table, &table->flows[victim]))
			victim = other;
	}
	return victim;
}

void
flow_expiry_evict(struct flow_table *table, int64_t now)
{
	uint32_t victim = find_victim(table);
	const struct flow *flow = &table->flows[victim];

	if (!send_record(table, victim,
		    flow_expiry_deadline(table, flow) <= now ? reason_to_end(table, flow, now)
							     : FLOW_END_LACK_OF_RESOURCES))
		table->counters.records_lost++;
	table->counters.evicted++;
	flow_table_remove(table, victim);
}
