/* SPDX-License-Identifier: Apache-2.0 */
/* SSDP: what a UPnP device says of itself in NOTIFY and in replies to a search. M-SEARCH marks the
 * host that searches. */
#include "classifiers/protocols/claim.h"
#include "classifiers/table.h"
#include "dataplane/cursor.h"

#include <strings.h>

#define SSDP_PORT 1900
#define LINES_MAX 32

struct slice {
	const char *at;
	size_t length;
};

/* The headers that are reported, and those that decide whether they are. */
struct headers {
	struct slice server, usn, type, location, subtype;
};

static struct slice
next_line(struct cursor *text)
{
	const uint8_t *newline = memchr(text->at, '\n', cursor_left(text));
	size_t length = newline ? (size_t)(newline - text->at) : cursor_left(text);
	struct slice line = {(const char *)text->at, length};

	cursor_skip(text, newline ? length + 1 : length);
	while (line.length > 0 && (uint8_t)line.at[line.length - 1] <= ' ')
		line.length--;
	return line;
}

static bool
begins(struct slice line, const char *prefix)
{
	size_t length = strlen(prefix);

	return line.length >= length && strncasecmp(line.at, prefix, length) == 0;
}

static bool
take_header(struct slice line, const char *name, struct slice *value)
{
	if (!begins(line, name) || value->at != NULL)
		return false;
	line.at += strlen(name);
	line.length -= strlen(name);
	while (line.length > 0 && *line.at == ' ')
		line.at++, line.length--;
	*value = line;
	return true;
}

static struct headers
read_headers(struct cursor *text)
{
	struct headers headers = {0};

	for (int i = 0; i < LINES_MAX && cursor_left(text) > 0; i++) {
		struct slice line = next_line(text);

		if (line.length == 0)
			break;
		if (take_header(line, "SERVER:", &headers.server) ||
			take_header(line, "USN:", &headers.usn) ||
			take_header(line, "ST:", &headers.type) ||
			take_header(line, "NT:", &headers.type) ||
			take_header(line, "LOCATION:", &headers.location))
			continue;
		take_header(line, "NTS:", &headers.subtype);
	}
	return headers;
}

/* The address in "http[s]://address[:port]/..."; none for a name or a link-local IPv6 scope. */
static struct ip_address
location_address(struct slice location)
{
	struct ip_address ip = {0};
	const char *host, *past;

	if (begins(location, "http://"))
		host = location.at + strlen("http://");
	else if (begins(location, "https://"))
		host = location.at + strlen("https://");
	else
		return ip;
	past = location.at + location.length;
	if (host < past && *host == '[') {
		const char *bracket = memchr(host, ']', (size_t)(past - host));

		host++;
		past = bracket ? bracket : past;
	} else {
		for (const char *c = host; c < past; c++)
			if (*c == ':' || *c == '/')
				past = c;
	}
	claim_ip(host, (size_t)(past - host), &ip);
	return ip;
}

/* "uuid:...::urn:..." repeats the type for each of a device's services: one identity is enough. */
static struct slice
unique_part(struct slice usn)
{
	const char *rest = memmem(usn.at, usn.length, "::", 2);

	if (rest != NULL)
		usn.length = (size_t)(rest - usn.at);
	return usn;
}

/* Every root device says so, and a type that is the uuid repeats the USN. */
static bool
tells_kind(struct slice type)
{
	return !begins(type, "upnp:rootdevice") && !begins(type, "uuid:");
}

static void
report_headers(
	const struct inspection *in, const struct headers *headers, const struct report_sink *sink)
{
	static const struct mac_address no_mac;
	struct ip_address ip = location_address(headers->location);
	struct slice usn = unique_part(headers->usn);
	struct claim claim;

	/* A host may reply by IPv6 with an IPv4 location: that contradicts nothing. */
	if (ip.family != in->packet->source.family)
		ip = in->packet->source;
	claim = claim_of(in->packet, &ip, &no_mac);
	report_claim(in, &classifier_ssdp, &claim, ATTRIBUTE_SSDP_SERVER, headers->server.at,
		headers->server.length, sink);
	report_claim(in, &classifier_ssdp, &claim, ATTRIBUTE_SSDP_USN, usn.at, usn.length, sink);
	if (tells_kind(headers->type))
		report_claim(in, &classifier_ssdp, &claim, ATTRIBUTE_SSDP_TYPE, headers->type.at,
			headers->type.length, sink);
	if (!url_has_credentials(headers->location.at, headers->location.length))
		report_claim(in, &classifier_ssdp, &claim, ATTRIBUTE_SSDP_LOCATION,
			headers->location.at, headers->location.length, sink);
}

static enum classifier_verdict
inspect(struct inspection *in, void *scratch, const struct report_sink *sink)
{
	struct cursor text = cursor_make(in->data, in->length);
	struct headers headers;
	struct slice start;

	(void)scratch;
	if (in->length == 0)
		return CLASSIFIER_NOT_MINE;
	start = next_line(&text);
	if (begins(start, "M-SEARCH ")) {
		in->recognized = true;
		report_source(in, &classifier_ssdp, ATTRIBUTE_PROTOCOL, SIDE_TOOL, "ssdp", 4, sink);
		return CLASSIFIER_MORE;
	}
	if (!begins(start, "NOTIFY ") && !begins(start, "HTTP/1.1 200"))
		return CLASSIFIER_NOT_MINE;
	headers = read_headers(&text);
	/* Replies on other ports are SSDP only if they name what was searched for. */
	if (headers.type.length == 0 || headers.usn.length == 0)
		return CLASSIFIER_NOT_MINE;
	in->recognized = true;
	if (!begins(headers.subtype, "ssdp:byebye"))
		report_headers(in, &headers, sink);
	return CLASSIFIER_MORE;
}

const struct classifier classifier_ssdp = {
	.name = "ssdp",
	.reference = "UPnP Device Architecture 2.0, section 1",
	.protocol = "ssdp",
	.match = {{.layer = MATCH_UDP,
		.ports = {SSDP_PORT},
		.magics = {{.length = 8, .bytes = "HTTP/1.1"},
			{.length = 8, .bytes = "NOTIFY *"}}}},
	.match_count = 1,
	.max_packets = 512,
	.inspect = inspect,
};
