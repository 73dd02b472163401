/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/devices/device_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define SECOND INT64_C(1000000000)
/* A device is told at most this often; the first time at once. */
#define REPORT_INTERVAL (10 * SECOND)
/* Another verdict is told sooner: alerts wait for it. */
#define VERDICT_INTERVAL (2 * SECOND)
#define CONFIDENCE_STEP  0.05f
/* What is seen again without a change is told anew, so that stores which drop what they have not
 * heard of for forget_after keep it: often enough to lose a few reports, at most once a day. */
#define RETELL_SHARE 24
#define RETELL_MAX   (86400 * SECOND)
/* Rows that one piece of evidence may match and be explained by. */
#define ROWS_PER_EVIDENCE 4

static uint32_t
power_of_two(uint32_t at_least)
{
	uint32_t size = 16;

	while (size < at_least && size < UINT32_C(1) << 30)
		size *= 2;
	return size;
}

static bool
allocate(struct device_table *table)
{
	uint32_t buckets = power_of_two(table->max);

	table->mask = buckets - 1;
	table->devices = calloc(table->max, sizeof(struct device));
	table->by_identity = malloc(buckets * sizeof(uint32_t));
	table->by_address = malloc(buckets * sizeof(uint32_t));
	if (!table->devices || !table->by_identity || !table->by_address)
		return false;
	memset(table->by_identity, 0xff, buckets * sizeof(uint32_t));
	memset(table->by_address, 0xff, buckets * sizeof(uint32_t));
	return true;
}

struct device_table *
device_table_create(const struct config_devices *config, const struct knowledge *knowledge,
	device_changed_fn changed, void *context)
{
	const struct device_list_ends empty = {DEVICE_NONE, DEVICE_NONE, 0};
	struct device_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->knowledge = knowledge;
	table->changed = changed;
	table->context = context;
	table->max = config->max ? config->max : 1;
	/* The address index holds device * DEVICE_IPS_MAX + slot in 32 bits. */
	if (table->max > UINT32_MAX / DEVICE_IPS_MAX - 1)
		table->max = UINT32_MAX / DEVICE_IPS_MAX - 1;
	table->router_addresses = config->router_addresses < DEVICE_ADDRESSES_MAX
					  ? config->router_addresses
					  : DEVICE_ADDRESSES_MAX - 1;
	table->forget_after = (int64_t)config->forget_after_s * SECOND;
	table->retell_after =
		table->forget_after > 0 ? table->forget_after / RETELL_SHARE : RETELL_MAX;
	if (table->retell_after > RETELL_MAX)
		table->retell_after = RETELL_MAX;
	table->free_first = table->unsettled = DEVICE_NONE;
	table->lists[LIST_ANONYMOUS] = table->lists[LIST_IDENTIFIED] = table->pending = empty;
	if (getrandom(&table->seed, sizeof(table->seed), 0) != sizeof(table->seed) ||
		!allocate(table)) {
		device_table_free(table);
		return NULL;
	}
	return table;
}

void
device_table_set_estate(struct device_table *table, device_in_estate_fn in_estate, void *context)
{
	table->in_estate = in_estate;
	table->estate = context;
}

void
device_table_free(struct device_table *table)
{
	if (!table)
		return;
	free(table->devices);
	free(table->by_identity);
	free(table->by_address);
	free(table);
}

static uint64_t
hash_origin(const struct device_record *record)
{
	uint64_t hash = XXH3_64bits(record->brand, strlen(record->brand));

	return XXH3_64bits_withSeed(record->maker, strlen(record->maker), hash);
}

static uint64_t
hash_texts(const struct device_record *record)
{
	uint64_t hash = XXH3_64bits(record->model, strlen(record->model));

	return XXH3_64bits_withSeed(record->zone, strlen(record->zone), hash);
}

static uint64_t
hash_addresses(const struct device_record *record)
{
	uint64_t sum = 0;

	for (uint8_t i = 0; i < record->ip_count; i++)
		sum += XXH3_64bits(&record->ips[i], sizeof(record->ips[i])); /* in any order */
	return sum;
}

bool
device_is_telling(const struct device *device)
{
	const struct device_record *record = &device->record;

	return record->device_class != DEVICE_UNKNOWN || record->brand[0] || record->maker[0] ||
	       record->model[0] || record->hostname[0];
}

static bool
has_new_verdict(const struct device *device)
{
	const struct device_record *record = &device->record;
	const struct told *told = &device->told;

	return !told->once || told->device_class != record->device_class ||
	       told->status != record->status || told->origin != hash_origin(record) ||
	       fabsf(told->brand_confidence - record->brand_confidence) >= CONFIDENCE_STEP;
}

static bool
has_changed(const struct device *device)
{
	const struct device_record *record = &device->record;
	const struct told *told = &device->told;

	return has_new_verdict(device) ||
	       fabsf(told->confidence - record->confidence) >= CONFIDENCE_STEP ||
	       told->texts != hash_texts(record) || told->addresses != hash_addresses(record);
}

bool
device_is_stale(const struct device_table *table, const struct device *device)
{
	return device->told.once &&
	       device->record.last_seen - device->told.at >= table->retell_after;
}

static void
note_change(struct device_table *table, struct device *device)
{
	/* What was told once is told again even when it lost its meaning. */
	device_set_pending(table, device,
		(device->told.once || device_is_telling(device)) &&
			(has_changed(device) || device_is_stale(table, device)));
}

void
device_settle(struct device_table *table)
{
	struct device *device;

	if (table->unsettled == DEVICE_NONE)
		return;
	device = &table->devices[table->unsettled];
	table->unsettled = DEVICE_NONE;
	device_score(table, device);
	device_relist(table, device);
	note_change(table, device);
}

void
device_update(struct device_table *table, struct device *device)
{
	uint32_t index = (uint32_t)(device - table->devices);

	if (table->unsettled == index)
		return;
	device_settle(table);
	table->unsettled = index;
}

void
device_report(struct device_table *table, struct device *device)
{
	const struct device_record *record = &device->record;

	device_set_pending(table, device, false);
	device->told = (struct told){
		.at = record->last_seen,
		.once = true,
		.device_class = record->device_class,
		.status = record->status,
		.confidence = record->confidence,
		.brand_confidence = record->brand_confidence,
		.origin = hash_origin(record),
		.texts = hash_texts(record),
		.addresses = hash_addresses(record),
	};
	table->counters.reports++;
	if (table->changed)
		table->changed(table->context, record);
}

/* The rows that one piece of evidence matched, strongest first. */
struct matches {
	const struct fingerprint *rows[ROWS_PER_EVIDENCE];
	size_t count;
};

static float
row_weight(const struct fingerprint *row)
{
	return row->weight_class + row->weight_vendor;
}

static void
keep_match(void *context, const struct fingerprint *row)
{
	struct matches *matches = context;
	size_t at = matches->count;

	while (at > 0 && row_weight(matches->rows[at - 1]) < row_weight(row))
		at--;
	if (at == ROWS_PER_EVIDENCE)
		return;
	if (matches->count < ROWS_PER_EVIDENCE)
		matches->count++;
	memmove(matches->rows + at + 1, matches->rows + at,
		(matches->count - at - 1) * sizeof(matches->rows[0]));
	matches->rows[at] = row;
}

static void
take_evidence(struct device_table *table, struct device *device, const struct evidence *evidence)
{
	uint64_t key = device_fact_key(evidence);
	struct matches matches = {0};

	if (device_repeat_fact(device, evidence, key))
		return;
	knowledge_match(table->knowledge, evidence, keep_match, &matches);
	for (size_t i = 0; i < matches.count; i++)
		device_add_fact(table, device, evidence, matches.rows[i]);
	if (matches.count == 0)
		device_add_fact(table, device, evidence, NULL);
	device_take_values(table, device, evidence);
	device_update(table, device);
}

/* A Host header says where the client goes; the server merely answers to the name. */
static struct evidence
turn_to_client(const struct evidence *evidence)
{
	struct evidence turned = *evidence;

	turned.subject =
		(struct subject){.ip = evidence->peer.ip, .tenant = evidence->subject.tenant};
	turned.peer.ip = evidence->subject.ip;
	turned.side = SIDE_DEVICE;
	return turned;
}

static bool
is_binding(const struct evidence *evidence)
{
	return evidence->attribute == ATTRIBUTE_ARP_BINDING ||
	       evidence->attribute == ATTRIBUTE_DHCP_ADDRESS;
}

/* What a datagram says may come from anybody: when the frame's MAC is neither the device's nor a
 * router's, somebody else said it. */
static bool
is_hearsay(const struct device_table *table, const struct device *device,
	const struct evidence *evidence)
{
	enum evidence_channel channel =
		evidence_attribute_channel((enum evidence_attribute)evidence->attribute);
	struct identity frame = {.mac = evidence->subject.mac, .tenant = evidence->subject.tenant};
	const struct device *sender;

	if (evidence->side != SIDE_DEVICE ||
		(channel != CHANNEL_DISCOVERY && channel != CHANNEL_PROTOCOL) ||
		!mac_is_set(&frame.mac) || !mac_is_set(&device->identity.mac) ||
		mac_equal(&frame.mac, &device->identity.mac))
		return false;
	/* A MAC that never became a device is a gateway's by its number. */
	sender = device_find_identity(table, &frame);
	return sender && !sender->router;
}

static bool
is_valid(const struct evidence *evidence)
{
	return evidence->attribute < ATTRIBUTE_COUNT && evidence->side <= SIDE_TOOL &&
	       evidence->attribute != ATTRIBUTE_OUI; /* the table reads the prefix itself */
}

void
device_table_evidence(struct device_table *table, const struct evidence *evidence)
{
	struct evidence turned, told;
	struct device *device;
	bool host = evidence->attribute == ATTRIBUTE_HTTP_HOST;

	if (host) {
		turned = turn_to_client(evidence);
		evidence = &turned;
	}
	table->counters.evidence++;
	/* The client's MAC is not in the evidence: only a known client is credited. */
	device = is_valid(evidence) ? device_resolve(table, &evidence->subject, evidence->time,
					      is_binding(evidence), !host)
				    : NULL;
	if (!device) {
		table->counters.evidence_ignored++;
		return;
	}
	device_touch(table, device, evidence->time);
	if (is_hearsay(table, device, evidence)) {
		told = *evidence;
		told.side = SIDE_PEER;
		evidence = &told;
	}
	if (evidence_attribute_channel((enum evidence_attribute)evidence->attribute) !=
			CHANNEL_LINK &&
		evidence->value[0] != '\0')
		take_evidence(table, device, evidence);
}

static void
see_endpoint(struct device_table *table, const struct endpoint *endpoint,
	const struct mac_address *mac, const struct flow_record *flow)
{
	struct subject subject = {
		.ip = endpoint->ip, .mac = *mac, .vlan = flow->vlan, .tenant = flow->tenant};
	struct device *device = device_resolve(table, &subject, flow->end, false, false);

	if (device)
		device_touch(table, device, flow->end);
}

void
device_table_flow(struct device_table *table, const struct flow_record *flow)
{
	see_endpoint(table, &flow->initiator, &flow->initiator_mac, flow);
	/* An address that never answered may not exist. */
	if (flow->answered)
		see_endpoint(table, &flow->responder, &flow->responder_mac, flow);
}

static bool
is_due(const struct device *device, int64_t now)
{
	int64_t interval = has_new_verdict(device) ? VERDICT_INTERVAL : REPORT_INTERVAL;

	return !device->told.once || now - device->told.at >= interval || now < device->told.at;
}

static void
report_pending(struct device_table *table, int64_t now, bool all)
{
	uint32_t at = table->pending.last; /* longest waiting first */
	uint32_t left = table->pending.count;

	while (at != DEVICE_NONE && left-- > 0) {
		struct device *device = &table->devices[at];

		at = device->pending_previous;
		if (all || is_due(device, now))
			device_report(table, device);
	}
}

static void
forget_idle(struct device_table *table, int64_t now)
{
	for (int i = 0; i < LIST_COUNT; i++)
		while (table->lists[i].last != DEVICE_NONE) {
			struct device *device = &table->devices[table->lists[i].last];

			if (now - device->record.last_seen <= table->forget_after)
				break;
			device_remove(table, device);
			table->counters.forgotten++;
		}
}

void
device_table_tick(struct device_table *table, int64_t now, bool all)
{
	device_settle(table);
	report_pending(table, now, all);
	/* Told by the callback (a zone, say) and still to be passed on. */
	if (all)
		report_pending(table, now, true);
	if (table->forget_after > 0)
		forget_idle(table, now);
}

const struct device_record *
device_table_find(struct device_table *table, uint32_t tenant, const struct ip_address *ip,
	const struct mac_address *mac)
{
	struct identity identity = {.tenant = tenant};
	const struct device *device = NULL;

	device_settle(table);
	if (ip && ip_is_set(ip))
		device = device_find_address(table, tenant, ip);
	else if (mac && mac_is_set(mac)) {
		identity.mac = *mac;
		device = device_find_identity(table, &identity);
	}
	return device ? &device->record : NULL;
}

void
device_table_set_zone(
	struct device_table *table, const char *device_id, const char *zone, enum zone_kind kind)
{
	struct device *device = device_find_id(table, device_id);

	if (!device)
		return;
	snprintf(device->record.zone, sizeof(device->record.zone), "%s", zone);
	device->record.zone_kind = (uint8_t)kind;
	note_change(table, device);
}

void
device_table_each(struct device_table *table, device_changed_fn each, void *context)
{
	device_settle(table);
	for (uint32_t i = 0; i < table->used_ever; i++)
		if (table->devices[i].used && device_is_telling(&table->devices[i]))
			each(context, &table->devices[i].record);
}

void
device_table_health(const struct device_table *table, struct health_record *health)
{
	const struct device_counters *counters = &table->counters;

	health_add(health, "devices.known", HEALTH_GAUGE,
		table->lists[LIST_ANONYMOUS].count + table->lists[LIST_IDENTIFIED].count);
	health_add(health, "devices.identified", HEALTH_GAUGE, table->lists[LIST_IDENTIFIED].count);
	health_add(health, "devices.max", HEALTH_GAUGE, table->max);
	health_add(health, "devices.pending", HEALTH_GAUGE, table->pending.count);
	health_add(health, "devices.evidence", HEALTH_COUNTER, counters->evidence);
	health_add(health, "devices.evidence_ignored", HEALTH_COUNTER, counters->evidence_ignored);
	health_add(health, "devices.evicted", HEALTH_COUNTER, counters->evicted_anonymous);
	health_add(health, "devices.evicted_identified", HEALTH_LOSS, counters->evicted_identified);
	health_add(health, "devices.forgotten", HEALTH_COUNTER, counters->forgotten);
	health_add(health, "devices.facts_dropped", HEALTH_COUNTER, counters->facts_dropped);
	health_add(health, "devices.reports", HEALTH_COUNTER, counters->reports);
	health_add(health, "devices.routers", HEALTH_COUNTER, counters->routers_found);
	health_add(health, "devices.merged", HEALTH_COUNTER, counters->merged);
	health_add(health, "devices.addresses_moved", HEALTH_COUNTER, counters->addresses_moved);
}
