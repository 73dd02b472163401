/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/flow_context.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

/* No padding: hashed and compared as bytes. */
struct context_key {
	struct flow_tunnels tunnels;
	uint16_t observation_point;
	uint16_t outer_vlan;
};

struct flow_context {
	struct context_key key;
	uint32_t users;
	uint16_t next; /* of the bucket, or of the free ones */
};

_Static_assert(sizeof(struct flow_tunnels) == 44, "no padding");
_Static_assert(sizeof(struct context_key) == 48, "no padding");
_Static_assert(FLOW_CONTEXT_FIRST + FLOW_CONTEXTS <= UINT16_MAX, "numbers have 16 bits");

int
flow_contexts_init(struct flow_contexts *contexts, const struct memory_source *memory)
{
	*contexts = (struct flow_contexts){.memory = memory, .free = FLOW_CONTEXT_FIRST};
	if (getrandom(&contexts->seed, sizeof(contexts->seed), 0) < 0)
		return -errno;
	contexts->entries = memory_allocate(
		memory, "flow contexts", FLOW_CONTEXTS * sizeof(*contexts->entries));
	contexts->buckets = memory_allocate(
		memory, "flow context buckets", FLOW_CONTEXTS * sizeof(*contexts->buckets));
	if (contexts->entries == NULL || contexts->buckets == NULL) {
		flow_contexts_free(contexts);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i + 1 < FLOW_CONTEXTS; i++)
		contexts->entries[i].next = (uint16_t)(FLOW_CONTEXT_FIRST + i + 1);
	return 0;
}

void
flow_contexts_free(struct flow_contexts *contexts)
{
	if (contexts->entries)
		contexts->memory->release(contexts->entries);
	if (contexts->buckets)
		contexts->memory->release(contexts->buckets);
	*contexts = (struct flow_contexts){0};
}

static void
fill_key(struct context_key *key, const struct packet *packet)
{
	struct flow_tunnels *tunnels = &key->tunnels;

	memset(key, 0, sizeof(*key));
	key->observation_point = packet->observation_point;
	key->outer_vlan = packet->vlan_count > 1 ? packet->vlan[0] : 0;
	for (unsigned i = 0; i < packet->tunnel_count; i++) {
		const struct packet_tunnel *tunnel = &packet->tunnel[i];

		tunnels->type[i] = tunnel->type;
		if (ip_is_set(&tunnel->source)) {
			tunnels->source = tunnel->source;
			tunnels->destination = tunnel->destination;
		}
		tunnels->id = tunnel_has_shared_id(tunnel->type) ? tunnel->id : 0;
	}
}

static uint16_t *
bucket_of(const struct flow_contexts *contexts, const struct context_key *key)
{
	return &contexts->buckets[XXH3_64bits_withSeed(key, sizeof(*key), contexts->seed) %
				  FLOW_CONTEXTS];
}

static struct flow_context *
entry_of(const struct flow_contexts *contexts, uint16_t number)
{
	return &contexts->entries[number - FLOW_CONTEXT_FIRST];
}

static uint16_t
bare(const struct packet *packet)
{
	return packet->observation_point < FLOW_CONTEXT_FIRST ? packet->observation_point : 0;
}

uint16_t
flow_contexts_take(struct flow_contexts *contexts, const struct packet *packet)
{
	struct flow_context *entry;
	struct context_key key;
	uint16_t *bucket, number;

	if (packet->tunnel_count == 0 && packet->vlan_count < 2)
		return bare(packet);
	fill_key(&key, packet);
	bucket = bucket_of(contexts, &key);
	for (number = *bucket; number; number = entry->next) {
		entry = entry_of(contexts, number);
		if (memcmp(&entry->key, &key, sizeof(key)) == 0) {
			entry->users++;
			return number;
		}
	}
	number = contexts->free;
	if (number == 0) {
		contexts->refused++;
		return bare(packet);
	}
	entry = entry_of(contexts, number);
	contexts->free = entry->next;
	contexts->in_use++;
	*entry = (struct flow_context){.key = key, .users = 1, .next = *bucket};
	*bucket = number;
	return number;
}

void
flow_contexts_give_back(struct flow_contexts *contexts, uint16_t number)
{
	struct flow_context *entry;
	uint16_t *link;

	if (number < FLOW_CONTEXT_FIRST)
		return;
	entry = entry_of(contexts, number);
	if (--entry->users > 0)
		return;
	link = bucket_of(contexts, &entry->key);
	while (*link != number)
		link = &entry_of(contexts, *link)->next;
	*link = entry->next;
	entry->next = contexts->free;
	contexts->free = number;
	contexts->in_use--;
}

void
flow_contexts_describe(
	const struct flow_contexts *contexts, uint16_t number, struct flow_record *record)
{
	const struct context_key *key;

	if (number < FLOW_CONTEXT_FIRST) {
		record->observation_point = number;
		return;
	}
	key = &entry_of(contexts, number)->key;
	record->observation_point = key->observation_point;
	record->outer_vlan = key->outer_vlan;
	record->tunnels = key->tunnels;
}

void
flow_contexts_health(const struct flow_contexts *contexts, struct health_record *health)
{
	health_add(health, "tunnels.contexts", HEALTH_GAUGE, contexts->in_use);
	health_add(health, "tunnels.contexts_refused", HEALTH_COUNTER, contexts->refused);
}
