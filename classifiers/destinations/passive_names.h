/* SPDX-License-Identifier: Apache-2.0 */
/* Passive names: which names an address had, for whom, and who said so.
 *
 * A name is kept for a pair (client, address) and once more for the address alone, so that a client
 * whose own look-up was not seen still gets a name to show. What one client learnt never speaks for
 * another whose own name for the address is known: addresses of content networks are shared.
 * Clients of two tenants are two clients, and so are private addresses two hosts.
 *
 * Only a DNS answer ties a name to an address. TLS SNI and HTTP Host are what a client claims; a
 * claim is confirmed when some DNS answer on the network gave that name that address. */
#ifndef CAMSPAN_PASSIVE_NAMES_H
#define CAMSPAN_PASSIVE_NAMES_H

#include "classifiers/destinations/lru_table.h"
#include "dataplane/records/evidence.h"
#include "dataplane/records/health_record.h"

#define DOMAIN_SIZE    128 /* as in alert_record; longer names are refused and counted */
#define CLAIMS_MAX     16  /* also how many names one pair keeps */
#define NAME_FRESH_FOR (INT64_C(86400) * 1000000000) /* a name counts this long after last seen */

struct passive_names {
	struct lru_table table;
	const struct hash_secret *secret;
	uint64_t evicted;
	uint64_t refused; /* not a host name, or too long */
};

/* One name that may be that of a flow's destination. `name` is borrowed until the next learning. */
struct name_claim {
	const char *name;
	bool confirmed; /* a DNS answer gave it this address */
	bool spoken;    /* the client itself named it by SNI or Host */
	bool own;       /* learnt from this client */
};

/* What is asked: the names of `address` for a client known under these addresses, for traffic
 * between two times. */
struct name_question {
	uint32_t tenant;
	const struct ip_address *clients;
	size_t client_count;
	const struct ip_address *address;
	int64_t first;
	int64_t last;
};

/* Returns 0 or -ENOMEM. `secret` is borrowed. */
int passive_names_create(
	struct passive_names *names, uint32_t capacity, const struct hash_secret *secret);
void passive_names_destroy(struct passive_names *names);
/* Learns from DNS_NAME, TLS_SNI and HTTP_HOST; ignores other attributes. */
void passive_names_learn(struct passive_names *names, const struct evidence *evidence);
/* Fills `claims`, the most recent first, from the best source there is, and returns how many:
 * names that the client spoke during the traffic; else its own other names; else DNS names that
 * others got; else what others claimed (never confirmed). */
size_t passive_names_ask(struct passive_names *names, const struct name_question *question,
	struct name_claim claims[CLAIMS_MAX]);
/* Fills `answers` with the names that DNS answers to anyone gave the address, and returns how many.
 */
size_t passive_names_answers(const struct passive_names *names,
	const struct name_question *question, const char *answers[CLAIMS_MAX]);
/* The best name of an address for a client at any time, "" unknown. */
const char *passive_names_best(const struct passive_names *names, uint32_t tenant,
	const struct ip_address *client, const struct ip_address *address);
/* The latest name that a DNS answer to this client gave the address, "" none. */
const char *passive_names_answered(const struct passive_names *names, uint32_t tenant,
	const struct ip_address *client, const struct ip_address *address);
void passive_names_health(const struct passive_names *names, struct health_record *health);

#endif
