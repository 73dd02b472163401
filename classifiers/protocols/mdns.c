/* SPDX-License-Identifier: Apache-2.0 */
/* Multicast DNS: host names and services that a host announces for itself. A query says nothing of
 * the hosts asked for and only marks the asking host as one that searches. */
#include "classifiers/protocols/dns_message.h"
#include "classifiers/table.h"

#include <strings.h>

#define MDNS_PORT     5353
#define INSTANCES_MAX 24 /* told apart in one message; more may be reported twice */

struct announcer {
	struct inspection *in;
	const struct report_sink *sink;
	bool relayed;         /* the message names other addresses than its sender's */
	struct ip_address ip; /* whose it is, if relayed */
	uint32_t instances[INSTANCES_MAX];
	unsigned instance_count;
	bool host_reported;
};

/* Facts of a TXT record that name a product or tell its kind; the others are settings and noise. */
static bool
is_telling_key(const uint8_t *key, size_t length)
{
	static const char *const keys[] = {"am", "ci", "firmware", "fv", "fw", "hw", "mac",
		"macaddress", "manufacturer", "md", "mf", "mfg", "model", "modelname", "product",
		"serial", "serialnumber", "sn", "ty", "usb_mdl", "usb_mfg", "vendor", "version"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i]) == length &&
			strncasecmp((const char *)key, keys[i], length) == 0)
			return true;
	return false;
}

static void
report(const struct announcer *announcer, enum evidence_attribute attribute, const void *value,
	size_t length)
{
	if (announcer->relayed)
		report_subject(announcer->in, &classifier_mdns, attribute, SIDE_PEER,
			&announcer->ip, NULL, value, length, announcer->sink);
	else
		report_source(announcer->in, &classifier_mdns, attribute, SIDE_DEVICE, value,
			length, announcer->sink);
}

/* Link-local and routable IPv6 addresses of one host never compare equal, so only addresses of the
 * sender's own kind can contradict it. */
static bool
same_kind(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family &&
	       (a->family == ADDRESS_IPV4 || ip_is_link_local(a) == ip_is_link_local(b));
}

/* Repeaters between subnets send the announcements of others from their own address, and sleep
 * proxies answer for others; both leave the true address in the address records. Returns false when
 * several hosts are named, of which none is the sender: then nothing can be attributed. */
static bool
find_announcer(const struct dns_message *records, struct announcer *announcer)
{
	const struct ip_address *sender = &announcer->in->packet->source;
	struct dns_message message = *records;
	struct dns_record record;
	struct ip_address ip;
	bool several = false;

	while (dns_message_record(&message, &record)) {
		if (record.section == DNS_AUTHORITY || !dns_record_address(&record, &ip) ||
			!same_kind(&ip, sender))
			continue;
		if (ip_equal(&ip, sender)) {
			announcer->relayed = false;
			return true;
		}
		several |= announcer->relayed && !ip_equal(&ip, &announcer->ip);
		announcer->relayed = true;
		announcer->ip = ip;
	}
	return !several;
}

static bool
is_new_instance(struct announcer *announcer, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	for (unsigned i = 0; i < announcer->instance_count; i++)
		if (announcer->instances[i] == hash)
			return false;
	if (announcer->instance_count < INSTANCES_MAX)
		announcer->instances[announcer->instance_count++] = hash;
	return true;
}

/* "Front door._axis-video._tcp.local" (RFC 6763 section 4.1), not a bare service type. */
static void
report_instance(struct announcer *announcer, const char *name)
{
	bool service = strstr(name, "._tcp.") != NULL || strstr(name, "._udp.") != NULL;

	if (service && name[0] != '_' && is_new_instance(announcer, name))
		report(announcer, ATTRIBUTE_MDNS_INSTANCE, name, strlen(name));
}

static void
report_host(struct announcer *announcer, const char *name)
{
	if (announcer->host_reported)
		return;
	announcer->host_reported = true;
	report(announcer, ATTRIBUTE_MDNS_HOST, name, strlen(name));
}

static void
report_text(const struct announcer *announcer, struct cursor text)
{
	while (cursor_left(&text) > 0) {
		uint8_t length = cursor_u8(&text);
		const uint8_t *pair = cursor_take(&text, length);
		const uint8_t *equals = pair ? memchr(pair, '=', length) : NULL;

		if (equals != NULL && equals + 1 < pair + length &&
			is_telling_key(pair, (size_t)(equals - pair)))
			report(announcer, ATTRIBUTE_MDNS_TXT, pair, length);
	}
}

static void
report_record(
	struct announcer *announcer, const struct dns_message *message, struct dns_record *record)
{
	char target[DNS_NAME_SIZE];
	struct ip_address ip;

	/* A TTL of zero takes the record back (RFC 6762 section 10.1). */
	if (record->class != DNS_CLASS_IN || record->ttl == 0)
		return;
	switch (record->type) {
	case DNS_TYPE_PTR:
		if (record->name[0] == '_' && dns_name_read(message, &record->data, target))
			report_instance(announcer, target);
		break;
	case DNS_TYPE_SRV:
		report_instance(announcer, record->name);
		cursor_skip(&record->data, 6); /* priority, weight, port */
		if (cursor_ok(&record->data) && dns_name_read(message, &record->data, target))
			report_host(announcer, target);
		break;
	case DNS_TYPE_TXT:
		report_text(announcer, record->data);
		break;
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (dns_record_address(record, &ip) && !dns_name_ends_with(record->name, ".arpa"))
			report_host(announcer, record->name);
		break;
	default:
		break;
	}
}

static void
report_announcement(
	struct inspection *in, struct dns_message *message, const struct report_sink *sink)
{
	struct announcer announcer = {.in = in, .sink = sink};
	struct dns_record record;

	if (!find_announcer(message, &announcer))
		return;
	while (dns_message_record(message, &record))
		if (record.section != DNS_AUTHORITY)
			report_record(&announcer, message, &record);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct dns_message message;

	(void)scratch;
	if (!dns_message_open(&message, in->data, in->length))
		return CLASSIFIER_NOT_MINE;
	if (message.opcode != 0)
		return CLASSIFIER_MORE;
	in->recognized = in->recognized || dns_message_is_sound(&message);
	if (message.response) {
		/* Responses come from the multicast DNS port (RFC 6762 section 6). */
		if (in->packet->source_port == MDNS_PORT)
			report_announcement(in, &message, sink);
	} else if (message.questions > 0 && message.records[DNS_AUTHORITY] == 0) {
		/* A query with authority records probes for a name of its own (section 8.2). */
		report_source(in, &classifier_mdns, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "mdns", 4, sink);
	}
	return CLASSIFIER_MORE;
}

const struct classifier classifier_mdns = {
	.name = "mdns",
	.reference = "RFC 6762, RFC 6763",
	.protocol = "mdns",
	.match = {{.layer = MATCH_UDP, .ports = {MDNS_PORT}}},
	.match_count = 1,
	.max_packets = 512,
	.inspect = inspect,
};
