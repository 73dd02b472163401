/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the elements of an XML document without building it: no allocation, no recursion, each byte
 * read once. Prefixes are ignored (ONVIF devices choose any), attributes, comments, instructions
 * and document types are skipped. A document that is cut off or malformed ends early. */
#ifndef CAMSPAN_XML_SCAN_H
#define CAMSPAN_XML_SCAN_H

#include "dataplane/cursor.h"

enum xml_kind {
	XML_END,
	XML_OPEN, /* also stands for an empty element, which its CLOSE follows */
	XML_CLOSE,
	XML_TEXT, /* raw: decode with xml_decode; blank text is not told */
};

struct xml_item {
	enum xml_kind kind;
	const char *text; /* local name of an element, or the text; borrowed */
	size_t length;
};

struct xml_scan {
	struct cursor at;
	struct xml_item pending_close; /* of an empty element */
};

struct xml_scan xml_scan_make(const void *document, size_t length);
/* Fills `item`; returns item->kind. */
enum xml_kind xml_scan_next(struct xml_scan *scan, struct xml_item *item);
bool xml_name_is(const struct xml_item *item, const char *local_name);

/* Writes `length` bytes of raw text with the predefined and numeric entities replaced, and NUL, to
 * `out`; cuts what does not fit. Returns the length written. */
size_t xml_decode(const char *raw, size_t length, char *out, size_t size);

#endif
