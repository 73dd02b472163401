/* SPDX-License-Identifier: Apache-2.0 */
/* Expected destinations: which row of the configuration allows a contact, if any.
 *
 * A domain allows only what a DNS answer ties to the address: a device can write any name into SNI
 * or Host. A name that it used counts when a DNS answer gave the address that name, or another one
 * of the same row. Where the device named its peer during the traffic, every name it used must
 * pass; where it did not, one allowed name among those that resolved to the address is enough. */
#ifndef CAMSPAN_ALLOW_H
#define CAMSPAN_ALLOW_H

#include "classifiers/destinations/passive_names.h"
#include "classifiers/destinations/suspect.h"

struct allow_list;

struct allow_case {
	const struct suspect *suspect;
	const struct config_zone *own_zone; /* of the device at the time, NULL none */
	const struct contact_facts *facts;
	const struct name_claim *claims;
	size_t claim_count;
	const char *const *answers; /* names that DNS gave the address */
	size_t answer_count;
};

struct allow_verdict {
	const struct config_allow *row; /* NULL: nothing allows it */
	/* Index of the claim to hold against the device, -1 none. */
	int blamed;
	/* The blamed name would have been allowed, had a DNS answer confirmed it. */
	bool unconfirmed;
};

/* `config` is borrowed. Returns NULL when memory is short. */
struct allow_list *allow_create(const struct config *config);
void allow_free(struct allow_list *allow);
struct allow_verdict allow_judge(const struct allow_list *allow, const struct allow_case *which);
/* "example.com" matches itself and names below it, "=host.example.com" only itself. Case and one
 * trailing dot do not matter. */
bool allow_domain_matches(const char *pattern, const char *name);

#endif
