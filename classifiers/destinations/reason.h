/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an alert. */
#ifndef CAMSPAN_REASON_H
#define CAMSPAN_REASON_H

#include "classifiers/destinations/passive_names.h"
#include "classifiers/destinations/suspect.h"

#define REASON_SIZE 192 /* as in alert_record */

/* printf into a reason, cut at a character boundary. */
void reason_set(char reason[REASON_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What a contact was judged by. */
struct contact_grounds {
	struct place own;
	struct place peer;
	const struct name_claim *claim; /* NULL: no name */
	bool unconfirmed;               /* the name would be allowed if a DNS answer had it */
	bool folded;                    /* one of many destinations that share an alert */
};

void reason_restricted(char reason[REASON_SIZE], const struct suspect *suspect);
void reason_on_core(char reason[REASON_SIZE], const struct suspect *suspect,
	const struct place *place, const struct ip_address *ip);
void reason_contact(char reason[REASON_SIZE], const struct suspect *suspect,
	const struct contact_facts *facts, const struct contact_grounds *grounds);

#endif
