/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/records/evidence.h"

#include "dataplane/records/secrets.h"

#include <stdbool.h>
#include <string.h>

static const char *const attribute_names[] = {
#define X(id, name, channel, meaning) [ATTRIBUTE_##id] = name,
	EVIDENCE_ATTRIBUTES(X)
#undef X
};

static const uint8_t attribute_channels[] = {
#define X(id, name, channel, meaning) [ATTRIBUTE_##id] = channel,
	EVIDENCE_ATTRIBUTES(X)
#undef X
};

static const char *const channel_names[] = {
	[CHANNEL_OUI] = "oui",
	[CHANNEL_LINK] = "link",
	[CHANNEL_DHCP] = "dhcp",
	[CHANNEL_DNS] = "dns",
	[CHANNEL_NAMES] = "names",
	[CHANNEL_DISCOVERY] = "discovery",
	[CHANNEL_ONVIF] = "onvif",
	[CHANNEL_HTTP] = "http",
	[CHANNEL_RTSP] = "rtsp",
	[CHANNEL_TLS] = "tls",
	[CHANNEL_PROTOCOL] = "protocol",
	[CHANNEL_BEHAVIOUR] = "behaviour",
};

const char *
evidence_attribute_name(enum evidence_attribute attribute)
{
	return attribute < ATTRIBUTE_COUNT ? attribute_names[attribute] : "unknown";
}

enum evidence_attribute
evidence_attribute_by_name(const char *name)
{
	int attribute = 0;

	while (attribute < ATTRIBUTE_COUNT && strcmp(attribute_names[attribute], name) != 0)
		attribute++;
	return (enum evidence_attribute)attribute;
}

enum evidence_channel
evidence_attribute_channel(enum evidence_attribute attribute)
{
	return (enum evidence_channel)attribute_channels[attribute];
}

const char *
evidence_channel_name(enum evidence_channel channel)
{
	return channel < CHANNEL_COUNT ? channel_names[channel] : "unknown";
}

const char *
evidence_side_name(enum evidence_side side)
{
	switch (side) {
	case SIDE_DEVICE:
		return "device";
	case SIDE_PEER:
		return "peer";
	case SIDE_TOOL:
		return "tool";
	}
	return "unknown";
}

static bool
is_blank(uint8_t byte)
{
	return byte <= ' ';
}

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of the valid UTF-8 sequence at `at` (RFC 3629), 0 if it is none. C1 controls are none. */
static size_t
utf8_length(const uint8_t *at, size_t left)
{
	uint8_t lead = at[0];
	size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (length == 0 || lead > 0xf4 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (!is_continuation(at[i]))
			return 0;
	if ((lead == 0xc2 && at[1] < 0xa0) || (lead == 0xe0 && at[1] < 0xa0) ||
		(lead == 0xed && at[1] > 0x9f) || (lead == 0xf0 && at[1] < 0x90) ||
		(lead == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

enum octet_kind {
	OCTET_SECRET = 1,    /* a secret may stand behind it */
	OCTET_SLASH = 2,     /* behind two of them too */
	OCTET_NOT_PLAIN = 4, /* no printable ASCII */
};

static const uint8_t octet_kinds[UINT8_MAX + 1] = {
	[0 ... ' ' - 1] = OCTET_NOT_PLAIN,
	[0x7f ... UINT8_MAX] = OCTET_NOT_PLAIN,
	['='] = OCTET_SECRET,
	[':'] = OCTET_SECRET,
	['%'] = OCTET_SECRET,
	['/'] = OCTET_SLASH,
};

/* Copies the printable ASCII at the beginning, which is mostly all; returns its length. `suspect`:
 * secrets_mask() could find something in it. */
static size_t
copy_plain(char *to, size_t room, const uint8_t *from, size_t length, bool *suspect)
{
	size_t most = length < room ? length : room, i = 0;
	uint8_t found = 0, before = 0;

	for (; i < most; i++) {
		uint8_t kind = octet_kinds[from[i]];

		if (kind & OCTET_NOT_PLAIN)
			break;
		to[i] = (char)from[i];
		found |= (kind & OCTET_SECRET) | (kind & before);
		before = kind & OCTET_SLASH;
	}
	*suspect = found;
	return i;
}

void
evidence_set_value(struct evidence *evidence, const void *value, size_t length)
{
	const uint8_t *at = value;
	bool suspect;
	size_t used;

	while (length > 0 && is_blank(at[length - 1]))
		length--;
	while (length > 0 && is_blank(at[0]))
		at++, length--;
	used = copy_plain(evidence->value, EVIDENCE_VALUE_SIZE - 1, at, length, &suspect);
	suspect |= used < length; /* told from the whole */
	at += used;
	length -= used;
	while (length > 0) {
		size_t step = utf8_length(at, length);
		bool printable = step > 1 || (step == 1 && at[0] >= ' ' && at[0] != 0x7f);
		size_t room = printable ? step : 1;

		if (used + room >= EVIDENCE_VALUE_SIZE)
			break;
		if (printable)
			memcpy(evidence->value + used, at, step);
		else
			evidence->value[used] = '?';
		used += room;
		at += printable ? step : 1;
		length -= printable ? step : 1;
	}
	evidence->value[used] = '\0';
	if (suspect)
		used = secrets_mask(evidence->value, sizeof(evidence->value));
	evidence->value_length = (uint8_t)used;
}
