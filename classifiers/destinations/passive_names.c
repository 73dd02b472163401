/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/passive_names.h"

#include <ctype.h>
#include <string.h>

#define CLOCK_SLACK (INT64_C(1000) * 1000000) /* evidence and flow records round differently */
#define NEVER       INT64_MIN

/* No padding: hashed and compared as bytes. */
struct pair {
	struct ip_address client; /* ADDRESS_NONE: any */
	struct ip_address address;
	uint16_t unused;
	uint32_t tenant;
};

_Static_assert(sizeof(struct pair) == 40, "no padding");

/* Each name of a pair is an entry of its own; those of one pair share the hash. */
struct name_entry {
	struct lru_node node;
	struct pair pair;
	int64_t answered; /* last DNS answer, NEVER if none */
	int64_t spoken;   /* last SNI or Host, NEVER if none */
	char name[DOMAIN_SIZE];
};

static const struct ip_address anyone;

int
passive_names_create(
	struct passive_names *names, uint32_t capacity, const struct hash_secret *secret)
{
	*names = (struct passive_names){.secret = secret};
	return lru_table_create(&names->table, capacity, sizeof(struct name_entry));
}

void
passive_names_destroy(struct passive_names *names)
{
	lru_table_destroy(&names->table);
}

static bool
is_name_byte(char byte)
{
	return isalnum((unsigned char)byte) || byte == '-' || byte == '_';
}

/* Lower case, no port, no trailing dot. False for anything that is not a host name with a label
 * that is not a number: address literals (dotted or bracketed), damaged values, lone dots. */
static bool
normalize(const struct evidence *evidence, char name[DOMAIN_SIZE])
{
	size_t length = evidence->value_length;
	const char *colon = memchr(evidence->value, ':', length);
	bool letters = false;

	if (colon && evidence->attribute == ATTRIBUTE_HTTP_HOST)
		length = (size_t)(colon - evidence->value);
	if (length && evidence->value[length - 1] == '.')
		length--;
	if (length == 0 || length >= DOMAIN_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		char byte = evidence->value[i];
		bool dot = byte == '.';

		if (!dot && !is_name_byte(byte))
			return false;
		if (dot && (i == 0 || i == length - 1 || evidence->value[i - 1] == '.'))
			return false;
		letters = letters || isalpha((unsigned char)byte);
		name[i] = (char)tolower((unsigned char)byte);
	}
	name[length] = '\0';
	return letters;
}

static uint64_t
pair_hash(const struct passive_names *names, const struct pair *pair)
{
	return hash_bytes(names->secret, pair, sizeof(*pair));
}

/* What anyone learnt of a public address holds in every tenant. */
static struct pair
pair_of(uint32_t tenant, const struct ip_address *client, const struct ip_address *address)
{
	bool everywhere = !ip_is_set(client) && !ip_is_private(address);

	return (struct pair){
		.client = *client, .address = *address, .tenant = everywhere ? 0 : tenant};
}

/* The next entry of the pair at or after `entry`. */
static struct name_entry *
of_pair(struct name_entry *entry, const struct pair *pair)
{
	while (entry && memcmp(&entry->pair, pair, sizeof(*pair)) != 0)
		entry = lru_table_next(entry);
	return entry;
}

static struct name_entry *
first_of_pair(const struct passive_names *names, const struct pair *pair)
{
	return of_pair(lru_table_first(&names->table, pair_hash(names, pair)), pair);
}

static struct name_entry *
next_of_pair(struct name_entry *entry)
{
	return of_pair(lru_table_next(entry), &entry->pair);
}

static int64_t
last_seen(const struct name_entry *entry)
{
	return entry->answered > entry->spoken ? entry->answered : entry->spoken;
}

static struct name_entry *
find_name(const struct passive_names *names, const struct pair *pair, const char *name)
{
	struct name_entry *entry = first_of_pair(names, pair);

	while (entry && strcmp(entry->name, name) != 0)
		entry = next_of_pair(entry);
	return entry;
}

static void
evict(struct passive_names *names, struct name_entry *entry)
{
	lru_table_remove(&names->table, entry);
	names->evicted++;
}

/* Bounds how many names one pair has, which also bounds every walk. */
static void
make_room(struct passive_names *names, const struct pair *pair)
{
	struct name_entry *oldest = NULL;
	unsigned count = 0;

	for (struct name_entry *e = first_of_pair(names, pair); e; e = next_of_pair(e), count++)
		if (oldest == NULL || last_seen(e) < last_seen(oldest))
			oldest = e;
	if (count >= CLAIMS_MAX)
		evict(names, oldest);
	else if (lru_table_full(&names->table))
		evict(names, (struct name_entry *)names->table.oldest);
}

static void
learn(struct passive_names *names, const struct pair *pair, const char *name, bool from_dns,
	int64_t time)
{
	struct name_entry *entry = find_name(names, pair, name);
	int64_t *when;

	if (entry == NULL) {
		make_room(names, pair);
		entry = lru_table_add(&names->table, pair_hash(names, pair));
		entry->pair = *pair;
		entry->answered = NEVER;
		entry->spoken = NEVER;
		memcpy(entry->name, name, strlen(name) + 1);
	}
	lru_table_touch(&names->table, entry);
	when = from_dns ? &entry->answered : &entry->spoken;
	if (time > *when)
		*when = time;
}

void
passive_names_learn(struct passive_names *names, const struct evidence *evidence)
{
	bool from_dns = evidence->attribute == ATTRIBUTE_DNS_NAME;
	const struct ip_address *client = &evidence->peer.ip;
	const struct ip_address *address = &evidence->subject.ip;
	char name[DOMAIN_SIZE];
	struct pair own, shared;

	if (!from_dns && evidence->attribute != ATTRIBUTE_TLS_SNI &&
		evidence->attribute != ATTRIBUTE_HTTP_HOST)
		return;
	/* A client that asks is the subject of what it asks for (SNI). */
	if (!from_dns &&
		(evidence->side == SIDE_TOOL || (evidence->attribute == ATTRIBUTE_TLS_SNI &&
							evidence->side == SIDE_DEVICE))) {
		client = &evidence->subject.ip;
		address = &evidence->peer.ip;
	}
	if (!ip_is_unicast(address))
		return;
	if (!normalize(evidence, name)) {
		names->refused++;
		return;
	}
	own = pair_of(evidence->subject.tenant, client, address);
	shared = pair_of(evidence->subject.tenant, &anyone, address);
	learn(names, &shared, name, from_dns, evidence->time);
	if (ip_is_set(client))
		learn(names, &own, name, from_dns, evidence->time);
}

/* Keeps the most recent claims first; `times` runs beside `claims`. */
static void
insert_claim(struct name_claim *claims, int64_t *times, size_t *count,
	const struct name_claim *claim, int64_t time)
{
	size_t at = *count < CLAIMS_MAX ? (*count)++ : CLAIMS_MAX - 1;

	if (at == CLAIMS_MAX - 1 && *count == CLAIMS_MAX && claims[at].name && times[at] >= time)
		return;
	for (; at > 0 && times[at - 1] < time; at--) {
		claims[at] = claims[at - 1];
		times[at] = times[at - 1];
	}
	claims[at] = *claim;
	times[at] = time;
}

static bool
is_confirmed(const struct passive_names *names, const struct name_entry *entry, int64_t since)
{
	struct pair shared = pair_of(entry->pair.tenant, &anyone, &entry->pair.address);
	const struct name_entry *answer;

	if (entry->answered >= since)
		return true;
	answer = find_name(names, &shared, entry->name);
	return answer && answer->answered >= since;
}

enum claim_source { SPOKEN_IN_TIME, OWN_OTHER, OTHERS_ANSWERS, OTHERS_CLAIMS };

static bool
entry_counts(const struct name_entry *entry, enum claim_source source,
	const struct name_question *question, int64_t since)
{
	switch (source) {
	case SPOKEN_IN_TIME:
		return entry->spoken >= question->first - CLOCK_SLACK &&
		       entry->spoken <= question->last + CLOCK_SLACK;
	case OWN_OTHER:
	case OTHERS_CLAIMS:
		return last_seen(entry) >= since;
	case OTHERS_ANSWERS:
		return entry->answered >= since;
	}
	return false;
}

/* Names older than this say nothing of the traffic in question. */
static int64_t
fresh_since(const struct name_question *question)
{
	return question->first < INT64_MIN + NAME_FRESH_FOR ? INT64_MIN + 1
							    : question->first - NAME_FRESH_FOR;
}

static size_t
collect(struct passive_names *names, const struct name_question *question, enum claim_source source,
	struct name_claim *claims)
{
	bool own = source == SPOKEN_IN_TIME || source == OWN_OTHER;
	int64_t since = fresh_since(question);
	int64_t times[CLAIMS_MAX] = {0};
	size_t count = 0;

	memset(claims, 0, sizeof(*claims) * CLAIMS_MAX);
	for (size_t i = 0; i < (own ? question->client_count : 1); i++) {
		struct pair pair = pair_of(
			question->tenant, own ? &question->clients[i] : &anyone, question->address);

		for (struct name_entry *e = first_of_pair(names, &pair); e; e = next_of_pair(e)) {
			struct name_claim claim = {.name = e->name,
				.confirmed = is_confirmed(names, e, since),
				.spoken = source == SPOKEN_IN_TIME,
				.own = own};

			if (!entry_counts(e, source, question, since))
				continue;
			insert_claim(claims, times, &count, &claim, last_seen(e));
			lru_table_touch(&names->table, e);
		}
	}
	return count;
}

size_t
passive_names_ask(struct passive_names *names, const struct name_question *question,
	struct name_claim claims[CLAIMS_MAX])
{
	size_t count = 0;

	for (int source = SPOKEN_IN_TIME; source <= OTHERS_CLAIMS && count == 0; source++)
		count = collect(names, question, (enum claim_source)source, claims);
	return count;
}

size_t
passive_names_answers(const struct passive_names *names, const struct name_question *question,
	const char *answers[CLAIMS_MAX])
{
	struct pair shared = pair_of(question->tenant, &anyone, question->address);
	int64_t since = fresh_since(question);
	size_t count = 0;

	for (struct name_entry *e = first_of_pair(names, &shared); e && count < CLAIMS_MAX;
		e = next_of_pair(e))
		if (e->answered >= since)
			answers[count++] = e->name;
	return count;
}

/* An answer outranks a claim; among equals the later one. */
static bool
is_better(const struct name_entry *a, const struct name_entry *b)
{
	if (b == NULL)
		return true;
	if ((a->answered == NEVER) != (b->answered == NEVER))
		return a->answered != NEVER;
	return last_seen(a) > last_seen(b);
}

const char *
passive_names_best(const struct passive_names *names, uint32_t tenant,
	const struct ip_address *client, const struct ip_address *address)
{
	struct pair pairs[2] = {
		pair_of(tenant, client, address), pair_of(tenant, &anyone, address)};
	const struct name_entry *best = NULL;

	if (names->table.used == 0)
		return "";
	for (size_t i = ip_is_set(client) ? 0 : 1; i < 2 && best == NULL; i++)
		for (struct name_entry *e = first_of_pair(names, &pairs[i]); e; e = next_of_pair(e))
			if (is_better(e, best))
				best = e;
	return best ? best->name : "";
}

const char *
passive_names_answered(const struct passive_names *names, uint32_t tenant,
	const struct ip_address *client, const struct ip_address *address)
{
	struct pair pair = pair_of(tenant, client, address);
	const struct name_entry *latest = NULL;

	for (struct name_entry *e = first_of_pair(names, &pair); e; e = next_of_pair(e))
		if (e->answered != NEVER && (latest == NULL || e->answered > latest->answered))
			latest = e;
	return latest ? latest->name : "";
}

void
passive_names_health(const struct passive_names *names, struct health_record *health)
{
	health_add(health, "policy.names", HEALTH_GAUGE, names->table.used);
	health_add(health, "policy.names_evicted", HEALTH_COUNTER, names->evicted);
	health_add(health, "policy.names_refused", HEALTH_COUNTER, names->refused);
}
