/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a device: itself, its facts, and what they add up to. */
#include "config/config.h"
#include "dataplane/records/evidence.h"
#include "exporters/state_database_private.h"

#include <stdio.h>
#include <string.h>

/* The addresses of a device, latest first, separated by blanks. */
static void
bind_ips(struct binder *binder, const struct device_record *device)
{
	char text[DEVICE_IPS_MAX * ADDRESS_TEXT_SIZE + 1] = "", one[ADDRESS_TEXT_SIZE];
	size_t used = 0;

	for (size_t i = 0; i < device->ip_count && i < DEVICE_IPS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
			used > 0 ? " " : "", ip_format(&device->ips[i], one));
	bind_text(binder, text);
}

/* The classifier of a fact is the first word of its attribute: "rtsp" of "rtsp.server". */
static void
bind_classifier(struct binder *binder, enum evidence_attribute attribute)
{
	char text[32];
	const char *name = evidence_attribute_name(attribute);

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "."), name);
	bind_text(binder, text);
}

static int
insert_fact(struct state_database *database, const char *device, size_t position,
	const struct device_fact *fact)
{
	struct binder binder = binder_of(database, SQL_FACT);

	bind_text(&binder, device);
	bind_integer(&binder, (int64_t)position);
	bind_text(&binder, evidence_attribute_name(fact->attribute));
	bind_text(&binder, evidence_side_name(fact->side));
	bind_classifier(&binder, fact->attribute);
	bind_text(&binder, fact->value);
	bind_text(&binder, fact->source);
	bind_text(&binder,
		fact->says_class == DEVICE_UNKNOWN ? "" : device_class_name(fact->says_class));
	bind_text(&binder, fact->says_brand);
	bind_text(&binder, fact->says_maker);
	bind_real(&binder, fact->weight_class);
	bind_real(&binder, fact->weight_vendor);
	bind_integer(&binder, fact->first_seen);
	bind_integer(&binder, fact->last_seen);
	bind_integer(&binder, fact->count);
	bind_text(&binder, evidence_channel_name((enum evidence_channel)fact->channel));
	return run(&binder);
}

static int
replace_facts(struct state_database *database, const struct device_record *device)
{
	struct binder binder = binder_of(database, SQL_FORGET_FACTS);
	int result;

	bind_text(&binder, device->id);
	result = run(&binder);
	for (size_t i = 0; i < device->fact_count && i < DEVICE_FACTS_MAX && result == SQLITE_OK;
		i++)
		result = insert_fact(database, device->id, i, &device->facts[i]);
	return result;
}

static int
insert_shares(struct state_database *database, const char *device, const char *name,
	const struct device_account *account)
{
	int result = SQLITE_OK;

	for (int i = 0; i < CHANNEL_COUNT && result == SQLITE_OK; i++) {
		const struct device_share *supports = &account->supports[i];
		const struct device_share *opposes = &account->opposes[i];
		struct binder binder;

		if (supports->raw == 0 && opposes->raw == 0)
			continue;
		binder = binder_of(database, SQL_SHARE);
		bind_text(&binder, device);
		bind_text(&binder, name);
		bind_text(&binder, evidence_channel_name((enum evidence_channel)i));
		bind_real(&binder, supports->raw);
		bind_real(&binder, supports->counted);
		bind_real(&binder, opposes->raw);
		bind_real(&binder, opposes->counted);
		result = run(&binder);
	}
	return result;
}

static int
replace_shares(struct state_database *database, const struct device_record *device)
{
	struct binder binder = binder_of(database, SQL_FORGET_SHARES);
	int result;

	bind_text(&binder, device->id);
	result = run(&binder);
	if (result == SQLITE_OK)
		result = insert_shares(database, device->id, "class", &device->class_account);
	if (result == SQLITE_OK)
		result = insert_shares(database, device->id, "vendor", &device->vendor_account);
	return result;
}

static void
bind_accounts(struct binder *binder, const struct device_record *device)
{
	bind_real(binder, device->class_account.prior);
	bind_real(binder, device->class_account.factor);
	bind_real(binder, device->vendor_account.prior);
	bind_real(binder, device->vendor_account.factor);
	bind_text(binder, device->vendor_account.supports_id);
	bind_text(binder, device->vendor_account.opposes_id);
}

int
state_database_device(struct state_database *database, const struct device_record *device)
{
	struct binder binder = binder_of(database, SQL_DEVICE);
	struct ip_address none = {0};
	int result;

	bind_text(&binder, device->id);
	bind_mac(&binder, &device->mac);
	bind_ip(&binder, device->ip_count > 0 ? &device->ips[0] : &none);
	bind_ips(&binder, device);
	bind_text(&binder, device->hostname);
	bind_text(&binder, device_class_name(device->device_class));
	bind_text(&binder, device->brand);
	bind_text(&binder, device->maker);
	bind_text(&binder, device->model);
	bind_text(&binder, device->firmware);
	bind_text(&binder, device->serial);
	bind_text(&binder, vendor_status_name(device->status));
	bind_real(&binder, device->confidence);
	bind_real(&binder, device->brand_confidence);
	bind_text(&binder, device->zone);
	bind_text(&binder, device->zone_kind == ZONE_NONE ? "" : zone_kind_name(device->zone_kind));
	bind_integer(&binder, device->vlan);
	bind_integer(&binder, device->tenant);
	bind_integer(&binder, device->first_seen);
	bind_integer(&binder, device->last_seen);
	bind_integer(&binder, device->facts_dropped);
	bind_text(&binder, device->status_reason);
	bind_accounts(&binder, device);
	result = run(&binder);
	if (result == SQLITE_OK)
		result = replace_facts(database, device);
	return result == SQLITE_OK ? replace_shares(database, device) : result;
}
