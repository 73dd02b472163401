/* SPDX-License-Identifier: Apache-2.0 */
/* Expected destinations: which row of the configuration allows a contact, if any.
 *
 * A domain allows only what a DNS answer ties to the address: a device can write any name into SNI
 * or Host. Where the device named its peer during the traffic, every name it used must be
 * confirmed and allowed; where it did not, one allowed name among those that resolved to the
 * address is enough. */
#ifndef CAMSPAN_ALLOW_H
#define CAMSPAN_ALLOW_H

#include "classifiers/destinations/passive_names.h"
#include "classifiers/destinations/suspect.h"

struct allow_list;

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
struct allow_verdict allow_judge(const struct allow_list *allow, const struct suspect *suspect,
	const struct config_zone *own_zone, const struct contact_facts *facts,
	const struct name_claim *claims, size_t claim_count);
/* "example.com" matches itself and names below it, "=host.example.com" only itself. Case and one
 * trailing dot do not matter. */
bool allow_domain_matches(const char *pattern, const char *name);

#endif
