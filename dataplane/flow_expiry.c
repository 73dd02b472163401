/* SPDX-License-Identifier: Apache-2.0 */
/* The expiry wheel. A packet never touches it: a flow's timer fires at the deadline it had when it
 * was armed, is compared with the flow's real last packet, and is armed again if the flow lives.
 * New flows get a few early looks, so that policy hears of a connection long before it ends.
 *
 * links[index].previous of a list's first entry is WHEEL_HEAD | slot, so that any entry can be
 * taken out in constant time. */
#include "dataplane/flow_table.h"

#define WHEEL_HEAD  0x80000000u /* entries number at most 2^30 */
#define EVICT_TRIES 64          /* flows moved to their real deadline before one of them must go */

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

void
flow_expiry_disarm(struct flow_table *table, uint32_t index)
{
	struct flow_link *link = &table->links[index];

	if (link->previous == FLOW_NONE)
		return;
	if (link->previous & WHEEL_HEAD)
		table->wheel[link->previous & ~WHEEL_HEAD] = link->next;
	else
		table->links[link->previous].next = link->next;
	if (link->next != FLOW_NONE)
		table->links[link->next].previous = link->previous;
	*link = (struct flow_link){FLOW_NONE, FLOW_NONE};
}

void
flow_expiry_arm(struct flow_table *table, uint32_t index, int64_t deadline)
{
	/* One slot later than the deadline's own: a slot fires when all of it has passed. */
	int64_t number = slot_number(deadline) + 1;
	uint32_t slot;

	if (!table->wheel_started) {
		table->wheel_position = slot_number(table->flows[index].start);
		table->wheel_started = true;
	}
	flow_expiry_disarm(table, index);
	if (number <= table->wheel_position)
		number = table->wheel_position + 1;
	if (number >= table->wheel_position + WHEEL_SLOTS)
		number = table->wheel_position + WHEEL_SLOTS - 1;
	slot = slot_of(number);
	table->links[index] = (struct flow_link){table->wheel[slot], WHEEL_HEAD | slot};
	if (table->wheel[slot] != FLOW_NONE)
		table->links[table->wheel[slot]].previous = index;
	table->wheel[slot] = index;
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
		table->wheel[slot] = FLOW_NONE;
	table->wheel_position = slot_number(now);
	for (uint32_t index = 0; index < table->size; index++) {
		struct flow *flow = &table->flows[index];

		if (!(flow->flags & FLOW_IN_USE))
			continue;
		table->links[index] = (struct flow_link){FLOW_NONE, FLOW_NONE};
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

	if (deadline <= now) {
		expire(table, index, now);
		return;
	}
	again = table->receiver.look(table->receiver.context, flow, &table->origins[index],
		table->wide ? &table->wide[index] : NULL);
	if (again > 0 && now + again < deadline)
		deadline = now + again;
	flow_expiry_arm(table, index, deadline);
}

uint32_t
flow_expiry_run(struct flow_table *table, int64_t now, uint32_t budget)
{
	int64_t target = slot_number(now);
	uint32_t done = 0;

	if (!table->wheel_started)
		return 0;
	/* After a jump of time every slot is due once; more rounds would find nothing. */
	if (target - table->wheel_position > WHEEL_SLOTS)
		table->wheel_position = target - WHEEL_SLOTS;
	while (table->wheel_position < target) {
		uint32_t slot = slot_of(table->wheel_position + 1);

		while (table->wheel[slot] != FLOW_NONE) {
			uint32_t index = table->wheel[slot];

			if (done == budget)
				return done;
			/* Out of the slot first: what is armed again must not land in it. */
			flow_expiry_disarm(table, index);
			table->wheel_position++;
			look_at(table, index, now);
			table->wheel_position--;
			done++;
		}
		table->wheel_position++;
	}
	return done;
}

bool
flow_expiry_flush(struct flow_table *table)
{
	for (uint32_t index = 0; index < table->size && table->occupied > 0; index++) {
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

/* The entry that is due next and the number of its slot; FLOW_NONE if no timer is armed. */
static uint32_t
next_due(const struct flow_table *table, int64_t *number)
{
	for (*number = table->wheel_position + 1; *number < table->wheel_position + WHEEL_SLOTS;
		(*number)++) {
		uint32_t index = table->wheel[slot_of(*number)];

		if (index != FLOW_NONE)
			return index;
	}
	return FLOW_NONE;
}

/* The flow with the earliest real deadline. A timer may be older than its flow's last packet: such
 * a flow is moved to where it belongs on the way, which happens at most once per arming. */
static uint32_t
find_victim(struct flow_table *table)
{
	uint32_t victim = FLOW_NONE;

	for (unsigned tries = 0; tries < EVICT_TRIES; tries++) {
		int64_t number;
		uint32_t index = next_due(table, &number);
		struct flow *flow = &table->flows[index];
		int64_t deadline;

		if (index == FLOW_NONE)
			break;
		deadline = flow_expiry_deadline(table, flow);
		if (slot_number(deadline) + 1 <= number)
			return index;
		if (victim == FLOW_NONE ||
			flow_last_time(flow) < flow_last_time(&table->flows[victim]))
			victim = index;
		flow_expiry_arm(table, index, deadline);
	}
	return victim;
}

bool
flow_expiry_evict(struct flow_table *table, int64_t now)
{
	uint32_t victim = find_victim(table);
	struct flow *flow;

	if (victim == FLOW_NONE)
		return false;
	flow = &table->flows[victim];
	if (!send_record(table, victim,
		    flow_expiry_deadline(table, flow) <= now ? reason_to_end(table, flow, now)
							     : FLOW_END_LACK_OF_RESOURCES))
		table->counters.records_lost++;
	table->counters.evicted++;
	flow_table_remove(table, victim);
	return true;
}
