/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/event_records.h"

#include <string.h>

static bool
is_repeated(const struct health_record *health, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (health->figures[i].kind == health->figures[index].kind &&
			strcmp(health->figures[i].name, health->figures[index].name) == 0)
			return true;
	return false;
}

static void
write_figures(struct json_writer *json, const char *key, const struct health_record *health,
	enum health_kind kind)
{
	size_t count = health->figure_count < HEALTH_COUNTERS_MAX ? health->figure_count
								  : HEALTH_COUNTERS_MAX;

	json_put_object(json, key);
	for (size_t i = 0; i < count; i++)
		if (health->figures[i].kind == kind && !is_repeated(health, i))
			json_put_unsigned(json, health->figures[i].name, health->figures[i].value);
	json_put_close_object(json);
}

static void
write_balance(struct json_writer *json, const struct packet_balance *balance)
{
	json_put_object(json, "packets");
	json_put_unsigned(json, "received", balance->received);
	json_put_unsigned(json, "received_bytes", balance->received_bytes);
	json_put_unsigned(json, "decoded", balance->fates[PACKET_DECODED]);
	json_put_object(json, "drops");
	for (int fate = PACKET_DECODED + 1; fate < PACKET_DROP_COUNT; fate++)
		json_put_unsigned(json, packet_drop_name(fate), balance->fates[fate]);
	json_put_close_object(json);
	json_put_close_object(json);
}

void
event_write_health(struct json_writer *json, const struct health_record *health)
{
	json_put_object(json, "camspan");
	json_put_object(json, "health");
	json_put_unsigned(json, "uptime", health->uptime > 0 ? (uint64_t)health->uptime : 0);
	write_balance(json, &health->balance);
	json_put_object(json, "nic");
	json_put_unsigned(json, "missed", health->nic_missed);
	json_put_unsigned(json, "no_mbuf", health->nic_no_mbuf);
	json_put_unsigned(json, "errors", health->nic_errors);
	json_put_close_object(json);
	write_figures(json, "counters", health, HEALTH_COUNTER);
	write_figures(json, "gauges", health, HEALTH_GAUGE);
	write_figures(json, "losses", health, HEALTH_LOSS);
	json_put_close_object(json);
	json_put_close_object(json);
}
