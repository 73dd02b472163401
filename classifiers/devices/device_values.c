/* SPDX-License-Identifier: Apache-2.0 */
/* Best values: of model, firmware, serial and host name the one from the best source is shown. */
#include "classifiers/devices/device_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum value_kind { VALUE_FIRMWARE, VALUE_SERIAL, VALUE_HOSTNAME };

/* Rank: what the device states in a field of its own protocol before what standards carry. */
static const struct {
	uint8_t attribute;
	uint8_t kind; /* enum value_kind */
	uint8_t rank;
} sources[] = {
	{ATTRIBUTE_ONVIF_FIRMWARE, VALUE_FIRMWARE, 90},
	{ATTRIBUTE_SADP_FIRMWARE, VALUE_FIRMWARE, 80},
	{ATTRIBUTE_DHIP_FIRMWARE, VALUE_FIRMWARE, 80},
	{ATTRIBUTE_ONVIF_SERIAL, VALUE_SERIAL, 90},
	{ATTRIBUTE_SADP_SERIAL, VALUE_SERIAL, 80},
	{ATTRIBUTE_DHIP_SERIAL, VALUE_SERIAL, 80},
	{ATTRIBUTE_PROTOCOL_SERIAL, VALUE_SERIAL, 70},
	{ATTRIBUTE_DHCP_HOSTNAME, VALUE_HOSTNAME, 90},
	{ATTRIBUTE_MDNS_HOST, VALUE_HOSTNAME, 80},
};

static const struct {
	uint8_t attribute;
	uint8_t rank;
} model_ranks[] = {
	{ATTRIBUTE_ONVIF_MODEL, 100},
	{ATTRIBUTE_SADP_MODEL, 95},
	{ATTRIBUTE_DHIP_MODEL, 95},
	{ATTRIBUTE_PROTOCOL_MODEL, 90},
	{ATTRIBUTE_WSD_SCOPE_HARDWARE, 80},
	{ATTRIBUTE_UPNP_MODEL, 70},
};

#define MODEL_RANK_OF_TEXT 60 /* cut out of a name, title or realm */

/* Copies what fits, cut at a character boundary (UTF-8). */
static void
copy_text(char *to, const char *from)
{
	size_t length = strlen(from);

	if (length >= DEVICE_TEXT_SIZE) {
		length = DEVICE_TEXT_SIZE - 1;
		while (length > 0 && ((uint8_t)from[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(to, from, length);
	to[length] = '\0';
}

static void
offer(char *best, uint8_t *best_rank, const char *value, uint8_t rank)
{
	if (rank < *best_rank || value[0] == '\0')
		return;
	copy_text(best, value);
	*best_rank = rank;
}

static void
offer_kind(struct device *device, uint8_t kind, const char *value, uint8_t rank)
{
	struct device_record *record = &device->record;

	if (kind == VALUE_FIRMWARE)
		offer(record->firmware, &device->firmware_rank, value, rank);
	else if (kind == VALUE_SERIAL)
		offer(record->serial, &device->serial_rank, value, rank);
	else
		offer(record->hostname, &device->hostname_rank, value, rank);
}

static void
take_model(const struct device_table *table, struct device *device, const struct evidence *evidence)
{
	char model[DEVICE_TEXT_SIZE];
	uint8_t rank = MODEL_RANK_OF_TEXT;

	if (knowledge_model(table->knowledge, evidence, model, sizeof(model)) == 0)
		return;
	for (size_t i = 0; i < sizeof(model_ranks) / sizeof(model_ranks[0]); i++)
		if (model_ranks[i].attribute == evidence->attribute)
			rank = model_ranks[i].rank;
	/* Free text may name a shorter piece of the same model: the first long one stays. */
	if (rank == MODEL_RANK_OF_TEXT && device->model_rank == rank &&
		strlen(model) <= strlen(device->record.model))
		return;
	offer(device->record.model, &device->model_rank, model, rank);
}

/* Dahua's login realm carries the serial number. */
static void
take_realm_serial(struct device *device, const struct evidence *evidence)
{
	static const char prefix[] = "Login to ";
	const char *serial = evidence->value + sizeof(prefix) - 1;

	if ((evidence->attribute == ATTRIBUTE_RTSP_REALM ||
		    evidence->attribute == ATTRIBUTE_HTTP_REALM) &&
		strncmp(evidence->value, prefix, sizeof(prefix) - 1) == 0 && strlen(serial) >= 10 &&
		strlen(serial) <= 20)
		offer_kind(device, VALUE_SERIAL, serial, 10);
}

void
device_take_values(
	const struct device_table *table, struct device *device, const struct evidence *evidence)
{
	unsigned channel;

	if (evidence->side != SIDE_DEVICE)
		return;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (sources[i].attribute == evidence->attribute)
			offer_kind(device, sources[i].kind, evidence->value, sources[i].rank);
	take_realm_serial(device, evidence);
	take_model(table, device, evidence);
	if (evidence->attribute == ATTRIBUTE_RTSP_PATH) {
		channel = device_path_channel(evidence->value);
		if (channel > 0 && channel <= 64)
			device->channels |= UINT64_C(1) << (channel - 1);
	}
}

void
device_clear_values(struct device *device)
{
	struct device_record *record = &device->record;

	record->model[0] = record->firmware[0] = record->serial[0] = record->hostname[0] = '\0';
	device->model_rank = device->firmware_rank = 0;
	device->serial_rank = device->hostname_rank = 0;
	device->channels = 0;
}

unsigned
device_path_channel(const char *path)
{
	static const struct {
		const char *before;
		bool with_stream; /* the number is channel * 100 + stream */
	} forms[] = {
		{"/Streaming/Channels/", true},
		{"channel=", false},
		{"/unicast/c", false},
		{"Preview_", false},
		{"/h264/ch", false},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *at = strcasestr(path, forms[i].before);
		unsigned long number;

		if (!at || !isdigit((unsigned char)at[strlen(forms[i].before)]))
			continue;
		number = strtoul(at + strlen(forms[i].before), NULL, 10);
		if (forms[i].with_stream)
			number = number < 100 ? number : number / 100;
		return number > 4096 ? 0 : (unsigned)number;
	}
	return 0;
}
