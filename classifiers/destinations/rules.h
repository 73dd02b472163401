/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: what a device is, where it is and whom it contacts, against what is expected. */
#ifndef CAMSPAN_RULES_H
#define CAMSPAN_RULES_H

#include "classifiers/destinations/alerts.h"
#include "classifiers/destinations/allow.h"

/* What the rules read and write. */
struct rulebook {
	const struct config *config;
	const struct zones *zones;
	const struct allow_list *allow;
	struct passive_names *names;
	struct alerts *alerts;
	uint64_t locality_unknown; /* not accused: could be a peer on the device's own VLAN */
};

/* restricted-vendor-present and camera-on-core-network: opens, updates or withdraws. */
void rules_judge_device(struct rulebook *rules, struct dossier *dossier, int64_t now);
/* camera-reaches-core, else unexpected-destination. The dossier is watched (see suspect.h). */
void rules_judge_contact(struct rulebook *rules, struct dossier *dossier,
	const struct contact_facts *facts, int64_t now);
/* Closes the alerts about destinations that what is now known of the device makes expected. */
void rules_review(struct rulebook *rules, struct dossier *dossier, int64_t now);
/* Closes every alert of a device that is not a camera, recorder or doorbell any more. */
void rules_withdraw(struct rulebook *rules, struct dossier *dossier, int64_t now);
/* Watched, or once was and no evidence against it is strong: keeps its alerts open. */
bool rules_still_watched(const struct rulebook *rules, const struct suspect *suspect);

#endif
