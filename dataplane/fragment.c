/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/fragment.h"

#include "dataplane/records/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

/* Sets of a few entries of one cache line each: a datagram's fragments come close together, so the
 * oldest of a set is long complete. 512 KiB. */
#define WAYS 8
#define SETS 1024

#define LIFETIME INT64_C(30000000000) /* RFC 791 and RFC 8200: reassembly takes 15 s and 60 s */

/* RFC 791 section 3.2, RFC 8200 section 4.5: what names a datagram; of IPv6, the protocol is not
 * part of it. No padding: it is hashed and compared as bytes. */
struct fragment_key {
	struct ip_address source;
	struct ip_address destination;
	uint8_t protocol; /* IPv4; 0 for IPv6 */
	uint8_t unused;
	uint32_t id;
	uint32_t tenant;
	uint16_t vlan;
	uint16_t unused2;
};

struct fragment_entry {
	int64_t time; /* of the first fragment; 0: free */
	struct fragment_key key;
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t protocol;
};

_Static_assert(sizeof(struct fragment_key) == 48, "no padding");
_Static_assert(sizeof(struct fragment_entry) == 64, "an entry is one cache line");

int
fragment_table_init(struct fragment_table *table, const struct memory_source *memory)
{
	*table = (struct fragment_table){.memory = memory};
	if (getrandom(&table->seed, sizeof(table->seed), 0) < 0)
		return -errno;
	table->entries =
		memory_allocate(memory, "fragments", sizeof(*table->entries) * SETS * WAYS);
	return table->entries ? 0 : -ENOMEM;
}

void
fragment_table_free(struct fragment_table *table)
{
	if (table->entries)
		table->memory->release(table->entries);
	table->entries = NULL;
}

static struct fragment_key
key_of(const struct packet *packet)
{
	return (struct fragment_key){
		.source = packet->source,
		.destination = packet->destination,
		.protocol = packet->l3_kind == PACKET_L3_IPV4 ? packet->protocol : 0,
		.id = packet->fragment_id,
		.tenant = packet->tenant,
		.vlan = packet->key_vlan,
	};
}

static struct fragment_entry *
set_of(const struct fragment_table *table, const struct fragment_key *key)
{
	uint64_t hash = XXH3_64bits_withSeed(key, sizeof(*key), table->seed);

	return &table->entries[hash % SETS * WAYS];
}

/* Packet time may go back: from one capture to the next. */
static bool
is_live(const struct fragment_entry *entry, int64_t now)
{
	return entry->time != 0 && now - entry->time < LIFETIME && entry->time - now < LIFETIME;
}

static struct fragment_entry *
find(struct fragment_entry *set, const struct fragment_key *key)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].time != 0 && memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
	return NULL;
}

static struct fragment_entry *
oldest(struct fragment_entry *set, int64_t now)
{
	struct fragment_entry *oldest = &set[0];

	for (unsigned i = 0; i < WAYS; i++) {
		if (!is_live(&set[i], now))
			return &set[i];
		if (set[i].time < oldest->time)
			oldest = &set[i];
	}
	return oldest;
}

/* The newest first fragment counts: identifications are used again, and a forged one can do no more
 * than put packets of its own addresses into another flow of these addresses. */
static void
remember(struct fragment_table *table, const struct packet *packet)
{
	struct fragment_key key = key_of(packet);
	struct fragment_entry *set = set_of(table, &key);
	struct fragment_entry *entry = find(set, &key);

	table->counters.first++;
	if (entry == NULL) {
		entry = oldest(set, packet->time);
		table->counters.replaced += is_live(entry, packet->time);
	}
	*entry = (struct fragment_entry){
		.time = packet->time ? packet->time : 1,
		.key = key,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.protocol = packet->protocol,
	};
}

static bool
has_ports(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_DCCP ||
	       protocol == PROTOCOL_SCTP;
}

/* Later fragments of IPv6 name the header that the first one goes on with: an extension's, maybe.
 */
static bool
is_extension(uint8_t protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
	       protocol == PROTOCOL_AH || protocol == PROTOCOL_DESTINATION_OPTIONS;
}

void
fragment_follow(struct fragment_table *table, struct packet *packet)
{
	bool ipv6 = packet->l3_kind == PACKET_L3_IPV6;
	struct fragment_entry *entry;
	struct fragment_key key;

	if (!(packet->flags & PACKET_LATER_FRAGMENT)) {
		if (ipv6 || has_ports(packet->protocol))
			remember(table, packet);
		return;
	}
	if (!has_ports(packet->protocol) && !(ipv6 && is_extension(packet->protocol)))
		return;
	key = key_of(packet);
	entry = find(set_of(table, &key), &key);
	if (entry == NULL || !is_live(entry, packet->time)) {
		table->counters.unmatched++;
		return;
	}
	table->counters.joined++;
	packet->protocol = entry->protocol;
	packet->source_port = entry->source_port;
	packet->destination_port = entry->destination_port;
}

void
fragment_table_health(const struct fragment_table *table, struct health_record *health)
{
	const struct fragment_counters *counters = &table->counters;

	health_add(health, "fragments.first", HEALTH_COUNTER, counters->first);
	health_add(health, "fragments.joined", HEALTH_COUNTER, counters->joined);
	health_add(health, "fragments.unmatched", HEALTH_COUNTER, counters->unmatched);
	health_add(health, "fragments.replaced", HEALTH_COUNTER, counters->replaced);
}
