/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/dispatch.h"

#include "dataplane/log.h"

#include <stdlib.h>
#include <string.h>

#define PORT_SETS_MAX                                                                              \
	256                 /* distinct sets of classifiers that ports lead to, the empty included \
			     */
#define MAGIC_OFFSETS_MAX 8 /* distinct offsets that magics of one layer stand at */
#define MAGICS_MAX        256 /* of one layer */
#define ETHERTYPES_MAX    32
#define ANY_PORTS_MAX     4 /* of one layer */
#define TRANSPORTS        2 /* MATCH_UDP and MATCH_TCP */

struct magic {
	uint64_t bytes; /* as loaded from memory */
	uint64_t mask;
	uint32_t bit;
	uint8_t length;
};

/* The magics at one offset, ordered by their first byte: those with first byte b are
 * magics[start[b]] .. magics[start[b + 1]]. A payload that no magic fits costs two loads. */
struct magic_group {
	uint8_t offset;
	uint16_t start[257];
};

/* A classifier of every port, asked before it becomes a candidate. */
struct any_port {
	uint32_t bit;
	bool (*glance)(const uint8_t *data, uint32_t length);
};

struct transport {
	uint8_t port_set[UINT16_MAX + 1]; /* index into sets; most ports lead to set 0, the empty */
	uint32_t sets[PORT_SETS_MAX];
	unsigned set_count;
	struct any_port any_ports[ANY_PORTS_MAX];
	unsigned any_port_count;
	unsigned group_count;
	struct magic_group groups[MAGIC_OFFSETS_MAX];
	struct magic magics[MAGICS_MAX];
};

struct dispatch {
	struct transport transports[TRANSPORTS];
	unsigned ethertype_count;
	uint16_t ethertypes[ETHERTYPES_MAX];
	uint32_t ethertype_sets[ETHERTYPES_MAX];
};

/* Returns false when the table of sets is full. */
static bool
add_to_port(struct transport *transport, uint16_t port, uint32_t bit)
{
	uint32_t wanted = transport->sets[transport->port_set[port]] | bit;
	unsigned set = 0;

	while (set < transport->set_count && transport->sets[set] != wanted)
		set++;
	if (set == PORT_SETS_MAX)
		return false;
	if (set == transport->set_count)
		transport->sets[transport->set_count++] = wanted;
	transport->port_set[port] = (uint8_t)set;
	return true;
}

static bool
add_ethertype(struct dispatch *dispatch, uint16_t ethertype, uint32_t bit)
{
	unsigned i = 0;

	while (i < dispatch->ethertype_count && dispatch->ethertypes[i] != ethertype)
		i++;
	if (i == ETHERTYPES_MAX)
		return false;
	if (i == dispatch->ethertype_count)
		dispatch->ethertypes[dispatch->ethertype_count++] = ethertype;
	dispatch->ethertype_sets[i] |= bit;
	return true;
}

static struct magic_group *
group_at(struct transport *transport, uint8_t offset)
{
	unsigned i = 0;

	while (i < transport->group_count && transport->groups[i].offset != offset)
		i++;
	if (i == MAGIC_OFFSETS_MAX)
		return NULL;
	if (i == transport->group_count)
		transport->groups[transport->group_count++].offset = offset;
	return &transport->groups[i];
}

/* First pass: count the magics by first byte in start[byte + 1]. */
static bool
count_magic(struct transport *transport, const struct match_magic *magic)
{
	struct magic_group *group = group_at(transport, magic->offset);

	if (group == NULL || magic->length > sizeof(magic->bytes))
		return false;
	group->start[magic->bytes[0] + 1]++;
	return true;
}

/* Between the passes: counts become positions. Returns false when there are too many magics. */
static bool
place_groups(struct transport *transport)
{
	unsigned total = 0;

	for (unsigned g = 0; g < transport->group_count; g++)
		for (unsigned byte = 0; byte < 257; byte++) {
			total += transport->groups[g].start[byte];
			transport->groups[g].start[byte] = (uint16_t)total;
		}
	return total <= MAGICS_MAX;
}

/* Second pass: fill the first free slot of the byte's run. */
static void
store_magic(struct transport *transport, const struct match_magic *magic, uint32_t bit)
{
	static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	struct magic *slot =
		&transport->magics[group_at(transport, magic->offset)->start[magic->bytes[0]]];

	while (slot->length != 0)
		slot++;
	memcpy(&slot->bytes, magic->bytes, magic->length);
	memcpy(&slot->mask, ones, magic->length);
	slot->length = magic->length;
	slot->bit = bit;
}

static bool
add_match(struct dispatch *dispatch, const struct classifier *classifier, const struct match *match,
	uint32_t bit)
{
	struct transport *transport;

	if (match->layer == MATCH_ETHERTYPE) {
		for (int i = 0; i < CLASSIFIER_PORTS_MAX && match->ports[i] != 0; i++)
			if (!add_ethertype(dispatch, match->ports[i], bit))
				return false;
		return true;
	}
	if ((unsigned)match->layer >= TRANSPORTS)
		return false;
	transport = &dispatch->transports[match->layer];
	if (match->any_port) {
		if (transport->any_port_count == ANY_PORTS_MAX || classifier->glance == NULL)
			return false;
		transport->any_ports[transport->any_port_count++] =
			(struct any_port){bit, classifier->glance};
	}
	for (int i = 0; i < CLASSIFIER_PORTS_MAX && match->ports[i] != 0; i++)
		if (!add_to_port(transport, match->ports[i], bit))
			return false;
	for (int i = 0; i < CLASSIFIER_MAGICS_MAX && match->magics[i].length != 0; i++)
		if (!count_magic(transport, &match->magics[i]))
			return false;
	return true;
}

static void
store_magics(struct dispatch *dispatch, const struct match *match, uint32_t bit)
{
	if (match->layer == MATCH_ETHERTYPE)
		return;
	for (int i = 0; i < CLASSIFIER_MAGICS_MAX && match->magics[i].length != 0; i++)
		store_magic(&dispatch->transports[match->layer], &match->magics[i], bit);
}

static bool
within_limits(const struct classifier *classifier)
{
	return classifier->name && classifier->inspect && classifier->match_count >= 1 &&
	       classifier->match_count <= 2 && classifier->max_packets > 0 &&
	       classifier->scratch_size <= CLASSIFIER_SCRATCH_MAX;
}

static bool
fill(struct dispatch *dispatch, const struct classifier *const *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool fits = within_limits(table[i]);

		for (int m = 0; fits && m < table[i]->match_count; m++)
			fits = add_match(dispatch, table[i], &table[i]->match[m], UINT32_C(1) << i);
		if (!fits) {
			log_error("classifier %s: breaks a limit of the classifier table",
				table[i]->name ? table[i]->name : "without a name");
			return false;
		}
	}
	for (int t = 0; t < TRANSPORTS; t++)
		if (!place_groups(&dispatch->transports[t])) {
			log_error("classifiers: more than %d magics in one layer", MAGICS_MAX);
			return false;
		}
	for (size_t i = 0; i < count; i++)
		for (int m = 0; m < table[i]->match_count; m++)
			store_magics(dispatch, &table[i]->match[m], UINT32_C(1) << i);
	return true;
}

struct dispatch *
dispatch_create_for(const struct classifier *const *table, size_t count)
{
	struct dispatch *dispatch = calloc(1, sizeof(*dispatch));

	if (dispatch == NULL || count > 32) {
		log_error("classifiers: %s", dispatch ? "more than 32" : "out of memory");
		free(dispatch);
		return NULL;
	}
	for (int t = 0; t < TRANSPORTS; t++)
		dispatch->transports[t].set_count = 1; /* the empty set */
	if (!fill(dispatch, table, count)) {
		free(dispatch);
		return NULL;
	}
	return dispatch;
}

struct dispatch *
dispatch_create(void)
{
	return dispatch_create_for(classifier_table, classifier_count);
}

void
dispatch_free(struct dispatch *dispatch)
{
	free(dispatch);
}

static uint32_t
magic_candidates(const struct transport *transport, const uint8_t *data, uint32_t length)
{
	uint32_t candidates = 0;

	for (unsigned g = 0; g < transport->group_count; g++) {
		const struct magic_group *group = &transport->groups[g];
		const uint8_t *at = data + group->offset;
		uint64_t word = 0;
		unsigned first, past;

		if (length <= group->offset)
			continue;
		first = group->start[at[0]];
		past = group->start[at[0] + 1];
		if (first == past)
			continue;
		length -= group->offset;
		memcpy(&word, at, length < sizeof(word) ? length : sizeof(word));
		for (unsigned i = first; i < past; i++) {
			const struct magic *magic = &transport->magics[i];

			if (magic->length <= length && (word & magic->mask) == magic->bytes)
				candidates |= magic->bit;
		}
		length += group->offset;
	}
	return candidates;
}

static uint32_t
any_port_candidates(const struct transport *transport, const uint8_t *data, uint32_t length)
{
	uint32_t candidates = 0;

	for (unsigned i = 0; i < transport->any_port_count; i++)
		if (transport->any_ports[i].glance(data, length))
			candidates |= transport->any_ports[i].bit;
	return candidates;
}

uint32_t
dispatch_candidates(const struct dispatch *dispatch, enum match_layer layer, uint16_t source_port,
	uint16_t destination_port, const uint8_t *data, uint32_t length)
{
	const struct transport *transport = &dispatch->transports[layer];

	return any_port_candidates(transport, data, length) |
	       transport->sets[transport->port_set[source_port]] |
	       transport->sets[transport->port_set[destination_port]] |
	       magic_candidates(transport, data, length);
}

uint32_t
dispatch_ethertype(const struct dispatch *dispatch, uint16_t ethertype)
{
	for (unsigned i = 0; i < dispatch->ethertype_count; i++)
		if (dispatch->ethertypes[i] == ethertype)
			return dispatch->ethertype_sets[i];
	return 0;
}
