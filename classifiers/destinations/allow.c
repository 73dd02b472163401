/* SPDX-License-Identifier: Apache-2.0 */
#include "classifiers/destinations/allow.h"

#include <stdlib.h>
#include <string.h>

/* The device selector, parsed once. An id looks like neither a MAC nor an address. */
enum device_selector { SELECT_ANY, SELECT_ID, SELECT_MAC, SELECT_ADDRESS };

struct allow_row {
	const struct config_allow *config;
	enum device_selector selector;
	struct mac_address mac;
	struct ip_address ip;
};

struct allow_list {
	size_t count;
	struct allow_row rows[];
};

static void
parse_selector(struct allow_row *row)
{
	const char *device = row->config->device;

	if (device[0] == '\0')
		row->selector = SELECT_ANY;
	else if (mac_parse(device, &row->mac) == 0)
		row->selector = SELECT_MAC;
	else if (ip_parse(device, &row->ip) == 0)
		row->selector = SELECT_ADDRESS;
	else
		row->selector = SELECT_ID;
}

struct allow_list *
allow_create(const struct config *config)
{
	size_t count = config->allow_count;
	struct allow_list *allow = calloc(1, sizeof(*allow) + count * sizeof(struct allow_row));

	if (allow == NULL)
		return NULL;
	allow->count = count;
	for (size_t i = 0; i < count; i++) {
		allow->rows[i].config = &config->allow[i];
		parse_selector(&allow->rows[i]);
	}
	return allow;
}

void
allow_free(struct allow_list *allow)
{
	free(allow);
}

static size_t
length_without_dot(const char *name)
{
	size_t length = strlen(name);

	return length && name[length - 1] == '.' ? length - 1 : length;
}

bool
allow_domain_matches(const char *pattern, const char *name)
{
	bool exact = pattern[0] == '=';
	size_t pattern_length, name_length = length_without_dot(name);
	const char *tail;

	pattern += exact;
	pattern_length = length_without_dot(pattern);
	if (pattern_length == 0 || pattern_length > name_length)
		return false;
	tail = name + name_length - pattern_length;
	if (strncasecmp(tail, pattern, pattern_length) != 0)
		return false;
	return tail == name || (!exact && tail[-1] == '.');
}

static bool
device_selected(
	const struct allow_row *row, const struct suspect *suspect, const struct ip_address *client)
{
	switch (row->selector) {
	case SELECT_ANY:
		return true;
	case SELECT_ID:
		return strcasecmp(row->config->device, suspect->id) == 0;
	case SELECT_MAC:
		return mac_equal(&row->mac, &suspect->mac);
	case SELECT_ADDRESS:
		return ip_equal(&row->ip, client);
	}
	return false;
}

static bool
is_selected(const struct allow_row *row, const struct suspect *suspect,
	const struct config_zone *own_zone, const struct contact_facts *facts)
{
	const struct config_allow *config = row->config;

	if (config->zone[0] && (own_zone == NULL || strcmp(config->zone, own_zone->name) != 0))
		return false;
	if (config->vendor[0] && strcasecmp(config->vendor, suspect->brand) != 0 &&
		strcasecmp(config->vendor, suspect->maker) != 0)
		return false;
	return device_selected(row, suspect, &facts->client);
}

static bool
port_matches(const struct config_allow *config, const struct contact_facts *facts)
{
	if (config->protocol != 0 && config->protocol != facts->protocol)
		return false;
	for (size_t i = 0; i < config->port_count; i++)
		if (config->ports[i] == facts->peer.port)
			return true;
	return config->port_count == 0;
}

static bool
network_matches(const struct config_allow *config, const struct ip_address *ip)
{
	for (size_t i = 0; i < config->network_count; i++)
		if (network_contains(&config->networks[i], ip))
			return true;
	return false;
}

static bool
domain_matches(const struct config_allow *config, const char *name)
{
	for (size_t i = 0; i < config->domain_count; i++)
		if (allow_domain_matches(config->domains[i], name))
			return true;
	return false;
}

static bool
row_applies(const struct allow_row *row, const struct allow_case *which)
{
	return port_matches(row->config, which->facts) &&
	       is_selected(row, which->suspect, which->own_zone, which->facts);
}

static const struct config_allow *
row_by_network(const struct allow_list *allow, const struct allow_case *which)
{
	for (size_t i = 0; i < allow->count; i++) {
		const struct allow_row *row = &allow->rows[i];

		if (network_matches(row->config, &which->facts->peer.ip) && row_applies(row, which))
			return row->config;
	}
	return NULL;
}

static bool
is_answered(const struct config_allow *row, const struct allow_case *which)
{
	for (size_t i = 0; i < which->answer_count; i++)
		if (domain_matches(row, which->answers[i]))
			return true;
	return false;
}

/* The row that allows the claimed name, with a DNS answer behind it if there is such a row. */
static const struct config_allow *
row_by_name(const struct allow_list *allow, const struct allow_case *which,
	const struct name_claim *claim, bool *confirmed)
{
	const struct config_allow *unconfirmed = NULL;

	for (size_t i = 0; i < allow->count; i++) {
		const struct allow_row *row = &allow->rows[i];

		if (!domain_matches(row->config, claim->name) || !row_applies(row, which))
			continue;
		*confirmed = claim->confirmed || is_answered(row->config, which);
		if (*confirmed)
			return row->config;
		unconfirmed = row->config;
	}
	*confirmed = false;
	return unconfirmed;
}

struct allow_verdict
allow_judge(const struct allow_list *allow, const struct allow_case *which)
{
	struct allow_verdict verdict = {.row = row_by_network(allow, which), .blamed = -1};
	const struct config_allow *by_name = NULL;

	if (verdict.row)
		return verdict;
	for (size_t i = 0; i < which->claim_count; i++) {
		const struct name_claim *claim = &which->claims[i];
		bool confirmed;
		const struct config_allow *row = row_by_name(allow, which, claim, &confirmed);

		if (row && confirmed) {
			by_name = row;
			if (!claim->spoken)
				return (struct allow_verdict){.row = row, .blamed = -1};
		} else if (verdict.blamed < 0) {
			verdict.blamed = (int)i;
			verdict.unconfirmed = row != NULL;
		}
	}
	if (verdict.blamed < 0)
		verdict.row = by_name;
	return verdict;
}
