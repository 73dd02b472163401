/* SPDX-License-Identifier: Apache-2.0 */
/* What a served document says of its server: the title of a page, a UPnP device description (UPnP
 * Device Architecture 1.1 section 2.3), an ONVIF GetDeviceInformationResponse. */
#include "classifiers/protocols/http.h"
#include "classifiers/protocols/xml_scan.h"

#define PAGE_LIMIT  1024
#define XML_LIMIT   6144
#define ITEMS_MAX   1024
#define TITLE_BYTES 192

enum http_document
http_document_kind(struct text content_type)
{
	if (text_starts_nocase(content_type, "text/html") ||
		text_starts_nocase(content_type, "application/xhtml"))
		return HTTP_PAGE;
	if (text_starts_nocase(content_type, "text/xml") ||
		text_starts_nocase(content_type, "application/xml") ||
		text_starts_nocase(content_type, "application/soap+xml"))
		return HTTP_XML;
	return HTTP_NO_DOCUMENT;
}

size_t
http_document_limit(enum http_document kind)
{
	return kind == HTTP_PAGE ? PAGE_LIMIT : kind == HTTP_XML ? XML_LIMIT : 0;
}

bool
http_document_ready(enum http_document kind, struct text document)
{
	if (kind == HTTP_PAGE)
		return text_find_nocase(document, "</title") >= 0;
	return text_find_nocase(document, "</root") >= 0 ||
	       text_find_nocase(document, "Envelope>") > 0;
}

static struct text
title_of(struct text page)
{
	long start = text_find_nocase(page, "<title"), end;
	const char *bracket;

	if (start < 0)
		return (struct text){NULL, 0};
	page.at += start;
	page.length -= (size_t)start;
	bracket = memchr(page.at, '>', page.length);
	end = text_find_nocase(page, "</title");
	if (bracket == NULL || end < 0 || bracket > page.at + end)
		return (struct text){NULL, 0};
	return (struct text){bracket + 1, (size_t)(page.at + end - bracket - 1)};
}

static void
tell_decoded(struct http_flow *flow, const struct inspection *in, enum evidence_attribute attribute,
	const char *raw, size_t length, const struct report_sink *sink)
{
	char decoded[TITLE_BYTES];
	struct text value = {decoded, xml_decode(raw, length, decoded, sizeof(decoded))};

	http_tell(flow, in, attribute, SIDE_DEVICE, text_trim(value), sink);
}

struct wanted {
	const char *parent; /* element that must be open */
	const char *name;
	enum evidence_attribute attribute;
};

static const struct wanted wanted_elements[] = {
	{"root", "manufacturer", ATTRIBUTE_UPNP_MANUFACTURER},
	{"root", "modelName", ATTRIBUTE_UPNP_MODEL},
	{"root", "modelNumber", ATTRIBUTE_UPNP_MODEL},
	{"root", "deviceType", ATTRIBUTE_UPNP_DEVICE_TYPE},
	{"root", "friendlyName", ATTRIBUTE_UPNP_FRIENDLY_NAME},
	{"GetDeviceInformationResponse", "Manufacturer", ATTRIBUTE_ONVIF_MANUFACTURER},
	{"GetDeviceInformationResponse", "Model", ATTRIBUTE_ONVIF_MODEL},
	{"GetDeviceInformationResponse", "FirmwareVersion", ATTRIBUTE_ONVIF_FIRMWARE},
	{"GetDeviceInformationResponse", "SerialNumber", ATTRIBUTE_ONVIF_SERIAL},
};

static const struct wanted *
find_wanted(const struct xml_item *item, const char *parent)
{
	for (size_t i = 0; i < sizeof(wanted_elements) / sizeof(wanted_elements[0]); i++)
		if (strcmp(wanted_elements[i].parent, parent) == 0 &&
			xml_name_is(item, wanted_elements[i].name))
			return &wanted_elements[i];
	return NULL;
}

/* Embedded devices of a UPnP description are parts of the root device: they end the walk. */
static void
report_xml(struct http_flow *flow, const struct inspection *in, struct text document,
	const struct report_sink *sink)
{
	struct xml_scan scan = xml_scan_make(document.at, document.length);
	const struct wanted *wanted = NULL;
	const char *parent = NULL;
	struct xml_item item;

	for (int i = 0; i < ITEMS_MAX && xml_scan_next(&scan, &item) != XML_END; i++) {
		if (item.kind == XML_TEXT && wanted != NULL) {
			tell_decoded(flow, in, wanted->attribute, item.text, item.length, sink);
			wanted = NULL;
		} else if (item.kind == XML_CLOSE) {
			wanted = NULL;
		} else if (item.kind == XML_OPEN) {
			if (parent == NULL && i == 0 && xml_name_is(&item, "root"))
				parent = "root";
			else if (xml_name_is(&item, "GetDeviceInformationResponse"))
				parent = "GetDeviceInformationResponse";
			else if (xml_name_is(&item, "deviceList"))
				return;
			else if (parent != NULL)
				wanted = find_wanted(&item, parent);
		}
	}
}

void
http_document_report(struct http_flow *flow, const struct inspection *in, enum http_document kind,
	struct text document, const struct report_sink *sink)
{
	struct text title;

	if (kind == HTTP_XML) {
		report_xml(flow, in, document, sink);
	} else if (kind == HTTP_PAGE) {
		title = title_of(document);
		if (title.length > 0)
			tell_decoded(flow, in, ATTRIBUTE_HTTP_TITLE, title.at, title.length, sink);
	}
}
