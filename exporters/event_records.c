/* SPDX-License-Identifier: Apache-2.0 */
/* Field names and types: https://www.elastic.co/docs/reference/ecs (version 8.11), the rest under
 * camspan.*. ECS "keyword" fields that hold numbers (network.vlan.id, network.iana_number) are
 * text, as ECS has them. docs/events.md lists every field and is tested against this file. */
#include "exporters/event_records.h"

#include "dataplane/records/evidence.h"
#include "dataplane/records/wire.h"

#include <stdio.h>
#include <string.h>

#define RELATED_MAX (DEVICE_IPS_MAX + 2)

static void
categorise_flow(const struct flow_record *flow, struct event_category *category)
{
	size_t count = 0;

	category->kind = "event";
	category->categories[0] = "network";
	category->types[count++] = "connection";
	if (flow->first_record)
		category->types[count++] = "start";
	if (flow->end_reason == FLOW_UPDATE || flow->end_reason == FLOW_END_ACTIVE_TIMEOUT)
		category->types[count++] = "info"; /* the flow lives on */
	else
		category->types[count++] = "end";
	category->start = flow->start;
	category->end = flow->end;
}

static void
categorise_alert(const struct alert_record *alert, struct event_category *category)
{
	category->kind = "alert";
	category->categories[0] = "intrusion_detection";
	category->categories[1] = ip_is_set(&alert->destination.ip) ? "network" : "host";
	category->types[0] = "info";
	if (alert->outcome == OUTCOME_CONNECTED)
		category->types[1] = "connection";
	category->severity = alert->severity;
	category->start = alert->first;
	category->end = alert->last;
}

void
event_categorise(const struct event *event, struct event_category *category)
{
	switch (event->dataset) {
	case EVENT_FLOW:
		categorise_flow(&event->flow->flow, category);
		break;
	case EVENT_DEVICE:
		category->kind = "state";
		category->categories[0] = "host";
		category->types[0] = "info";
		break;
	case EVENT_STREAM:
		category->kind = "state";
		category->categories[0] = "network";
		category->types[0] = "connection";
		category->types[1] = event->stream->ended ? "end" : "info";
		category->start = event->stream->first;
		category->end = event->stream->last;
		break;
	case EVENT_ALERT:
		categorise_alert(event->alert, category);
		break;
	case EVENT_HEALTH: /* ECS has no category for a sensor's own figures */
	case EVENT_DATASET_COUNT:
		category->kind = "metric";
		break;
	}
}

/* What one end of a conversation is, without its counters. */
static void
write_endpoint(struct json_writer *json, const struct endpoint *endpoint, bool has_port,
	const struct mac_address *mac, const char *domain)
{
	json_put_ip(json, "ip", &endpoint->ip);
	if (has_port)
		json_put_unsigned(json, "port", endpoint->port);
	if (mac != NULL)
		json_put_mac(json, "mac", mac);
	json_put_text(json, "domain", domain);
}

static void
write_related(struct json_writer *json, const struct ip_address *const *ips, size_t count)
{
	bool open = false;

	for (size_t i = 0; i < count; i++) {
		bool seen = !ip_is_set(ips[i]);

		for (size_t j = 0; j < i && !seen; j++)
			seen = ip_equal(ips[i], ips[j]);
		if (seen)
			continue;
		if (!open) {
			json_put_object(json, "related");
			json_put_array(json, "ip");
			open = true;
		}
		json_put_ip(json, NULL, ips[i]);
	}
	if (open) {
		json_put_close_array(json);
		json_put_close_object(json);
	}
}

static void
write_vlan(struct json_writer *json, uint16_t vlan)
{
	char text[8];

	if (vlan == 0)
		return;
	snprintf(text, sizeof(text), "%u", vlan);
	json_put_object(json, "vlan");
	json_put_text(json, "id", text);
	json_put_close_object(json);
}

static void
write_ip_version(struct json_writer *json, const struct ip_address *ip)
{
	if (ip_is_set(ip))
		json_put_text(json, "type", ip->family == ADDRESS_IPV4 ? "ipv4" : "ipv6");
}

static void
write_transport(struct json_writer *json, uint8_t protocol)
{
	char number[4], name[4] = "";
	const char *text = ip_protocol_name(protocol, name);

	if (text != name) /* not just the number again */
		json_put_text(json, "transport", text);
	snprintf(number, sizeof(number), "%u", protocol);
	json_put_text(json, "iana_number", number);
}

static bool
protocol_has_ports(uint8_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
	       protocol == PROTOCOL_DCCP;
}

static void
write_flow_end(struct json_writer *json, const char *key, const struct flow_event *event, int side)
{
	const struct flow_record *flow = &event->flow;

	json_put_object(json, key);
	write_endpoint(json, side ? &flow->responder : &flow->initiator,
		protocol_has_ports(flow->protocol),
		side ? &flow->responder_mac : &flow->initiator_mac,
		side ? event->responder_domain : event->initiator_domain);
	json_put_unsigned(json, "bytes", flow->bytes[side]);
	json_put_unsigned(json, "packets", flow->packets[side]);
	json_put_close_object(json);
}

static void
write_tcp_flags(struct json_writer *json, const char *key, uint8_t flags)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};

	json_put_array(json, key);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & (1u << i))
			json_put_text(json, NULL, names[i]);
	json_put_close_array(json);
}

static void
write_outer_end(struct json_writer *json, const char *key, const struct ip_address *ip)
{
	if (!ip_is_set(ip))
		return;
	json_put_object(json, key);
	json_put_ip(json, "ip", ip);
	json_put_close_object(json);
}

/* `type` and `id` are the innermost encapsulation's, `layers` names all of them. */
static void
write_tunnels(struct json_writer *json, const struct flow_record *flow)
{
	const struct flow_tunnels *tunnels = &flow->tunnels;
	unsigned count = 0;

	while (count < PACKET_MAX_TUNNELS && tunnels->type[count] != TUNNEL_NONE)
		count++;
	if (count == 0 && flow->tenant == 0)
		return;
	json_put_object(json, "tunnel");
	if (flow->tenant != 0)
		json_put_unsigned(json, "tenant", flow->tenant);
	if (count > 0) {
		uint8_t innermost = tunnels->type[count - 1];

		json_put_text(json, "type", tunnel_type_name(innermost));
		if (tunnel_has_shared_id(innermost))
			json_put_unsigned(json, "id", tunnels->id);
		json_put_array(json, "layers");
		for (unsigned i = 0; i < count; i++)
			json_put_text(json, NULL, tunnel_type_name(tunnels->type[i]));
		json_put_close_array(json);
		write_outer_end(json, "source", &tunnels->source);
		write_outer_end(json, "destination", &tunnels->destination);
	}
	json_put_close_object(json);
}

static void
write_flow_details(struct json_writer *json, const struct flow_event *event)
{
	const struct flow_record *flow = &event->flow;

	json_put_object(json, "flow");
	json_put_unsigned(json, "id", flow->id);
	json_put_text(json, "end_reason", flow_end_reason_name(flow->end_reason));
	json_put_boolean(json, "inspected", flow->inspected);
	json_put_boolean(json, "answered", flow->answered);
	json_put_boolean(json, "initiator_certain", flow->initiator_certain);
	json_put_unsigned(json, "observation_point", flow->observation_point);
	if (event->sampling_interval > 1)
		json_put_unsigned(json, "sampling_interval", event->sampling_interval);
	json_put_text(json, "source_device", event->initiator_device);
	json_put_text(json, "destination_device", event->responder_device);
	if (flow->protocol == PROTOCOL_TCP) {
		write_tcp_flags(json, "source_tcp_flags", flow->tcp_flags[0]);
		write_tcp_flags(json, "destination_tcp_flags", flow->tcp_flags[1]);
	}
	if (flow->protocol == 1 || flow->protocol == 58) {
		json_put_unsigned(json, "icmp_type", flow->icmp_type);
		json_put_unsigned(json, "icmp_code", flow->icmp_code);
	}
	write_tunnels(json, flow);
	json_put_close_object(json);
}

/* ECS: with several tags, network.vlan is the outermost and network.inner.vlan the innermost. */
static void
write_flow_vlans(struct json_writer *json, const struct flow_record *flow)
{
	if (flow->outer_vlan == 0) {
		write_vlan(json, flow->vlan);
		return;
	}
	write_vlan(json, flow->outer_vlan);
	if (flow->vlan == 0)
		return;
	json_put_object(json, "inner");
	write_vlan(json, flow->vlan);
	json_put_close_object(json);
}

void
event_write_flow(struct json_writer *json, const struct flow_event *event, const char *community_id)
{
	const struct flow_record *flow = &event->flow;
	const struct ip_address *ips[] = {&flow->initiator.ip, &flow->responder.ip};

	write_flow_end(json, "source", event, 0);
	write_flow_end(json, "destination", event, 1);
	json_put_object(json, "network");
	write_ip_version(json, &flow->initiator.ip);
	write_transport(json, flow->protocol);
	json_put_text(json, "protocol", flow->application_name);
	json_put_text(json, "direction", event->direction);
	json_put_text(json, "community_id", community_id);
	json_put_unsigned(json, "bytes", flow->bytes[0] + flow->bytes[1]);
	json_put_unsigned(json, "packets", flow->packets[0] + flow->packets[1]);
	write_flow_vlans(json, flow);
	json_put_close_object(json);
	write_related(json, ips, 2);
	json_put_object(json, "camspan");
	write_flow_details(json, event);
	json_put_close_object(json);
}

static void
write_fact(struct json_writer *json, const struct device_fact *fact)
{
	json_put_object(json, NULL);
	json_put_text(json, "attribute", evidence_attribute_name(fact->attribute));
	json_put_text(json, "channel", evidence_channel_name((enum evidence_channel)fact->channel));
	json_put_text(json, "side", evidence_side_name(fact->side));
	json_put_text(json, "value", fact->value);
	json_put_text(json, "source", fact->source);
	if (fact->says_class != DEVICE_UNKNOWN)
		json_put_text(json, "class", device_class_name(fact->says_class));
	json_put_text(json, "brand", fact->says_brand);
	json_put_text(json, "maker", fact->says_maker);
	json_put_decimal(json, "weight_class", fact->weight_class, 3);
	json_put_decimal(json, "weight_vendor", fact->weight_vendor, 3);
	json_put_unsigned(json, "count", fact->count);
	json_put_time(json, "first_seen", fact->first_seen);
	json_put_time(json, "last_seen", fact->last_seen);
	json_put_close_object(json);
}

/* Only channels with a fact: absent ones are zero. */
static void
write_account(struct json_writer *json, const char *name, const struct device_account *account)
{
	json_put_object(json, name);
	json_put_decimal(json, "prior", account->prior, 4);
	json_put_decimal(json, "factor", account->factor, 4);
	json_put_text(json, "supports_id", account->supports_id);
	json_put_text(json, "opposes_id", account->opposes_id);
	json_put_array(json, "channels");
	for (int i = 0; i < CHANNEL_COUNT; i++) {
		const struct device_share *supports = &account->supports[i];
		const struct device_share *opposes = &account->opposes[i];

		if (supports->raw == 0 && opposes->raw == 0)
			continue;
		json_put_object(json, NULL);
		json_put_text(json, "channel", evidence_channel_name((enum evidence_channel)i));
		json_put_decimal(json, "supports_raw", supports->raw, 4);
		json_put_decimal(json, "supports", supports->counted, 4);
		json_put_decimal(json, "opposes_raw", opposes->raw, 4);
		json_put_decimal(json, "opposes", opposes->counted, 4);
		json_put_close_object(json);
	}
	json_put_close_array(json);
	json_put_close_object(json);
}

static size_t
device_ip_count(const struct device_record *device)
{
	return device->ip_count < DEVICE_IPS_MAX ? device->ip_count : DEVICE_IPS_MAX;
}

static void
write_device_details(struct json_writer *json, const struct device_record *device)
{
	size_t facts =
		device->fact_count < DEVICE_FACTS_MAX ? device->fact_count : DEVICE_FACTS_MAX;

	json_put_object(json, "device");
	json_put_text(json, "id", device->id);
	json_put_text(json, "class", device_class_name(device->device_class));
	json_put_text(json, "brand", device->brand);
	json_put_text(json, "maker", device->maker);
	json_put_text(json, "model", device->model);
	json_put_text(json, "firmware", device->firmware);
	json_put_text(json, "serial", device->serial);
	json_put_text(json, "status", vendor_status_name(device->status));
	json_put_text(json, "status_reason", device->status_reason);
	json_put_decimal(json, "confidence", device->confidence, 4);
	json_put_decimal(json, "brand_confidence", device->brand_confidence, 4);
	write_account(json, "class_account", &device->class_account);
	if (device->vendor_account.factor > 0)
		write_account(json, "vendor_account", &device->vendor_account);
	json_put_text(json, "zone", device->zone);
	if (device->tenant != 0)
		json_put_unsigned(json, "tenant", device->tenant);
	json_put_time(json, "first_seen", device->first_seen);
	json_put_time(json, "last_seen", device->last_seen);
	json_put_unsigned(json, "evidence_dropped", device->facts_dropped);
	json_put_array(json, "evidence");
	for (size_t i = 0; i < facts; i++)
		write_fact(json, &device->facts[i]);
	json_put_close_array(json);
	json_put_close_object(json);
}

void
event_write_device(struct json_writer *json, const struct device_record *device)
{
	const struct ip_address *ips[RELATED_MAX];
	size_t count = device_ip_count(device);

	json_put_object(json, "host");
	if (count > 0) {
		json_put_array(json, "ip");
		for (size_t i = 0; i < count; i++)
			json_put_ip(json, NULL, &device->ips[i]);
		json_put_close_array(json);
	}
	if (mac_is_set(&device->mac)) {
		json_put_array(json, "mac");
		json_put_mac(json, NULL, &device->mac);
		json_put_close_array(json);
	}
	json_put_text(json, "hostname", device->hostname);
	json_put_close_object(json);
	if (device->vlan != 0) {
		json_put_object(json, "network");
		write_vlan(json, device->vlan);
		json_put_close_object(json);
	}
	for (size_t i = 0; i < count; i++)
		ips[i] = &device->ips[i];
	write_related(json, ips, count);
	json_put_object(json, "camspan");
	write_device_details(json, device);
	json_put_close_object(json);
}

static const char *
stream_ip_protocol(enum stream_transport transport)
{
	switch (transport) {
	case STREAM_RTP_UDP:
	case STREAM_RTP_MULTICAST:
		return "udp";
	case STREAM_RTP_TCP_INTERLEAVED:
	case STREAM_HTTP_MJPEG:
		return "tcp";
	case STREAM_VENDOR:
	case STREAM_ENCRYPTED:
		break;
	}
	return "";
}

static const char *
stream_application(enum stream_transport transport)
{
	switch (transport) {
	case STREAM_RTP_UDP:
	case STREAM_RTP_MULTICAST:
	case STREAM_RTP_TCP_INTERLEAVED:
		return "rtp";
	case STREAM_HTTP_MJPEG:
		return "http";
	case STREAM_VENDOR:
	case STREAM_ENCRYPTED:
		break;
	}
	return "";
}

static void
write_stream_details(struct json_writer *json, const struct stream_record *stream)
{
	json_put_object(json, "stream");
	json_put_text(json, "id", stream->id);
	json_put_text(json, "device", stream->device_id);
	json_put_text(json, "transport", stream_transport_name(stream->transport));
	json_put_text(json, "codec", video_codec_name(stream->codec));
	if (stream->width != 0)
		json_put_unsigned(json, "width", stream->width);
	if (stream->height != 0)
		json_put_unsigned(json, "height", stream->height);
	if (stream->fps > 0)
		json_put_decimal(json, "fps", stream->fps, 3);
	json_put_unsigned(json, "bitrate", stream->bitrate);
	json_put_unsigned(json, "packets", stream->packets);
	json_put_unsigned(json, "bytes", stream->bytes);
	json_put_unsigned(json, "lost", stream->lost);
	json_put_unsigned(json, "reordered", stream->reordered);
	json_put_decimal(json, "jitter_ms", stream->jitter_ms, 3);
	if (stream->gop != 0)
		json_put_unsigned(json, "gop", stream->gop);
	json_put_boolean(json, "encrypted", stream->encrypted);
	json_put_boolean(json, "ended", stream->ended);
	json_put_text(json, "path", stream->path);
	if (stream->tenant != 0)
		json_put_unsigned(json, "tenant", stream->tenant);
	json_put_close_object(json);
}

void
event_write_stream(struct json_writer *json, const struct stream_record *stream)
{
	const struct ip_address *ips[] = {&stream->camera.ip, &stream->viewer.ip};

	json_put_object(json, "source");
	write_endpoint(json, &stream->camera, stream->camera.port != 0, &stream->camera_mac, "");
	json_put_close_object(json);
	json_put_object(json, "destination");
	write_endpoint(json, &stream->viewer, stream->viewer.port != 0, &stream->viewer_mac, "");
	json_put_close_object(json);
	json_put_object(json, "network");
	write_ip_version(json, &stream->camera.ip);
	json_put_text(json, "transport", stream_ip_protocol(stream->transport));
	json_put_text(json, "protocol", stream_application(stream->transport));
	write_vlan(json, stream->vlan);
	json_put_close_object(json);
	write_related(json, ips, 2);
	json_put_object(json, "camspan");
	write_stream_details(json, stream);
	json_put_close_object(json);
}

static void
write_alert_details(struct json_writer *json, const struct alert_record *alert)
{
	json_put_object(json, "alert");
	json_put_text(json, "id", alert->id);
	json_put_text(json, "state", alert_state_name(alert->state));
	json_put_text(json, "device", alert->device_id);
	json_put_text(json, "brand", alert->device_brand);
	json_put_text(json, "maker", alert->device_maker);
	json_put_text(json, "outcome", alert_outcome_name(alert->outcome));
	json_put_text(json, "zone", alert->zone);
	json_put_unsigned(json, "bytes_out", alert->bytes_out);
	json_put_unsigned(json, "bytes_in", alert->bytes_in);
	json_put_unsigned(json, "count", alert->count);
	json_put_time(json, "first", alert->first);
	json_put_time(json, "last", alert->last);
	json_put_text(json, "reason", alert->reason);
	json_put_close_object(json);
}

/* The device of an alert: as the host, and as the source where there is a destination. */
static void
write_alert_device(struct json_writer *json, const struct alert_record *alert, bool has_destination)
{
	if (!ip_is_set(&alert->device_ip) && !mac_is_set(&alert->device_mac))
		return;
	json_put_object(json, "host");
	if (ip_is_set(&alert->device_ip)) {
		json_put_array(json, "ip");
		json_put_ip(json, NULL, &alert->device_ip);
		json_put_close_array(json);
	}
	if (mac_is_set(&alert->device_mac)) {
		json_put_array(json, "mac");
		json_put_mac(json, NULL, &alert->device_mac);
		json_put_close_array(json);
	}
	json_put_close_object(json);
	if (!has_destination)
		return;
	json_put_object(json, "source");
	json_put_ip(json, "ip", &alert->device_ip);
	json_put_mac(json, "mac", &alert->device_mac);
	json_put_close_object(json);
}

void
event_write_alert(struct json_writer *json, const struct alert_record *alert)
{
	const struct ip_address *ips[] = {&alert->device_ip, &alert->destination.ip};
	bool has_destination = ip_is_set(&alert->destination.ip);

	json_put_text(json, "message", alert->reason);
	json_put_object(json, "rule");
	json_put_text(json, "id", alert->rule_id);
	json_put_text(json, "name", alert->rule_name);
	json_put_close_object(json);
	write_alert_device(json, alert, has_destination);
	if (has_destination || alert->destination_domain[0] != '\0') {
		json_put_object(json, "destination");
		write_endpoint(json, &alert->destination, alert->destination.port != 0, NULL,
			alert->destination_domain);
		json_put_close_object(json);
	}
	if (has_destination && alert->protocol != 0) {
		json_put_object(json, "network");
		write_ip_version(json, &alert->destination.ip);
		write_transport(json, alert->protocol);
		json_put_close_object(json);
	}
	write_related(json, ips, 2);
	json_put_object(json, "camspan");
	write_alert_details(json, alert);
	json_put_close_object(json);
}
