/* SPDX-License-Identifier: Apache-2.0 */
/* The names of enumerations as users see them in events, tables and data files. */
#include "dataplane/records/alert_record.h"
#include "dataplane/records/device_record.h"
#include "dataplane/records/event.h"
#include "dataplane/records/flow_record.h"
#include "dataplane/records/health_record.h"
#include "dataplane/records/packet.h"
#include "dataplane/records/stream_record.h"

#include <stdio.h>
#include <string.h>

#define NAME_OF(names, value)                                                                      \
	((size_t)(value) < sizeof(names) / sizeof((names)[0]) && (names)[value] ? (names)[value]   \
										: "unknown")

static const char *const flow_end_reasons[] = {
	[FLOW_UPDATE] = "update",
	[FLOW_END_IDLE_TIMEOUT] = "idle timeout",
	[FLOW_END_ACTIVE_TIMEOUT] = "active timeout",
	[FLOW_END_DETECTED] = "end of flow detected",
	[FLOW_END_FORCED] = "forced end",
	[FLOW_END_LACK_OF_RESOURCES] = "lack of resources",
};

static const char *const tunnels[] = {[TUNNEL_NONE] = "",
#define X(name, number, text, id) [TUNNEL_##name] = text,
	TUNNEL_TYPES(X)
#undef X
};

static const char *const codecs[] = {
	[CODEC_UNKNOWN] = "unknown",
	[CODEC_H264] = "h264",
	[CODEC_H265] = "h265",
	[CODEC_MJPEG] = "mjpeg",
	[CODEC_MPEG4] = "mpeg4",
	[CODEC_AUDIO] = "audio",
	[CODEC_METADATA] = "metadata",
};

static const char *const transports[] = {
	[STREAM_RTP_UDP] = "rtp-udp",
	[STREAM_RTP_TCP_INTERLEAVED] = "rtp-tcp",
	[STREAM_RTP_MULTICAST] = "rtp-multicast",
	[STREAM_HTTP_MJPEG] = "http-mjpeg",
	[STREAM_VENDOR] = "vendor",
	[STREAM_ENCRYPTED] = "encrypted",
};

static const char *const classes[] = {
	[DEVICE_UNKNOWN] = "unknown",
	[DEVICE_CAMERA] = "camera",
	[DEVICE_RECORDER] = "recorder",
	[DEVICE_DOORBELL] = "doorbell",
	[DEVICE_VIEWER] = "viewer",
	[DEVICE_OTHER] = "other",
};

static const char *const statuses[] = {
	[STATUS_UNKNOWN] = "unknown",
	[STATUS_ALLOWED] = "allowed",
	[STATUS_REVIEW] = "review",
	[STATUS_RESTRICTED_PRC] = "restricted-prc",
	[STATUS_RESTRICTED] = "restricted",
};

static const char *const alert_states[] = {
	[ALERT_OPENED] = "opened",
	[ALERT_UPDATED] = "updated",
	[ALERT_CLOSED] = "closed",
};

static const char *const alert_outcomes[] = {
	[OUTCOME_NONE] = "",
	[OUTCOME_ATTEMPTED] = "attempted",
	[OUTCOME_CONNECTED] = "connected",
};

static const char *const datasets[] = {
	[EVENT_FLOW] = "flow",
	[EVENT_DEVICE] = "device",
	[EVENT_STREAM] = "stream",
	[EVENT_ALERT] = "alert",
	[EVENT_HEALTH] = "health",
};

static const char *const drop_names[] = {[PACKET_DECODED] = "decoded",
#define X(id, name, meaning) [DROP_##id] = name,
	PACKET_DROPS(X)
#undef X
};

static const char *const drop_meanings[] = {[PACKET_DECODED] = "decoded",
#define X(id, name, meaning) [DROP_##id] = meaning,
	PACKET_DROPS(X)
#undef X
};

const char *
tunnel_type_name(uint8_t type)
{
	return NAME_OF(tunnels, type);
}

const char *
flow_end_reason_name(enum flow_end_reason reason)
{
	return NAME_OF(flow_end_reasons, reason);
}

const char *
ip_protocol_name(uint8_t protocol, char *buffer)
{
	switch (protocol) {
	case 1:
		return "icmp";
	case 2:
		return "igmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 47:
		return "gre";
	case 50:
		return "esp";
	case 58:
		return "ipv6-icmp";
	case 132:
		return "sctp";
	default:
		snprintf(buffer, 4, "%u", protocol);
		return buffer;
	}
}

const char *
video_codec_name(enum video_codec codec)
{
	return NAME_OF(codecs, codec);
}

const char *
stream_transport_name(enum stream_transport transport)
{
	return NAME_OF(transports, transport);
}

const char *
device_class_name(enum device_class device_class)
{
	return NAME_OF(classes, device_class);
}

enum device_class
device_class_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i], name) == 0)
			return (enum device_class)i;
	return DEVICE_UNKNOWN;
}

const char *
vendor_status_name(enum vendor_status status)
{
	return NAME_OF(statuses, status);
}

enum vendor_status
vendor_status_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i], name) == 0)
			return (enum vendor_status)i;
	return STATUS_UNKNOWN;
}

const char *
alert_state_name(enum alert_state state)
{
	return NAME_OF(alert_states, state);
}

const char *
alert_outcome_name(enum alert_outcome outcome)
{
	return NAME_OF(alert_outcomes, outcome);
}

const char *
event_dataset_name(enum event_dataset dataset)
{
	return NAME_OF(datasets, dataset);
}

const char *
packet_drop_name(enum packet_drop drop)
{
	return NAME_OF(drop_names, drop);
}

const char *
packet_drop_meaning(enum packet_drop drop)
{
	return NAME_OF(drop_meanings, drop);
}

void
health_add(struct health_record *record, const char *name, enum health_kind kind, uint64_t value)
{
	for (size_t i = 0; i < record->figure_count; i++) {
		if (strcmp(record->figures[i].name, name) == 0) {
			record->figures[i].value += value;
			return;
		}
	}
	if (record->figure_count == HEALTH_COUNTERS_MAX)
		return;
	record->figures[record->figure_count++] =
		(struct health_figure){.name = name, .value = value, .kind = (uint8_t)kind};
}

void
health_add_record(struct health_record *record, const struct health_record *part)
{
	record->balance.received += part->balance.received;
	record->balance.received_bytes += part->balance.received_bytes;
	for (int fate = 0; fate < PACKET_DROP_COUNT; fate++)
		record->balance.fates[fate] += part->balance.fates[fate];
	record->nic_missed += part->nic_missed;
	record->nic_no_mbuf += part->nic_no_mbuf;
	record->nic_errors += part->nic_errors;
	for (size_t i = 0; i < part->figure_count; i++)
		health_add(record, part->figures[i].name, part->figures[i].kind,
			part->figures[i].value);
}
