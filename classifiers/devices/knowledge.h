/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors, OUIs, fingerprints and domains, loaded from data files; read-only once loaded. */
#ifndef CAMSPAN_KNOWLEDGE_H
#define CAMSPAN_KNOWLEDGE_H

#include "dataplane/records/device_record.h"
#include "dataplane/records/evidence.h"

#include <stddef.h>

struct knowledge;

struct vendor {
	const char *id;    /* "hikvision" */
	const char *name;  /* "Hangzhou Hikvision Digital Technology" */
	const char *maker; /* vendor id of the usual maker, its own id if it builds itself, ""
			      unknown */
	enum vendor_status status;
	const char *reason; /* of the status */
	const char *source; /* where the row is from, with its file and line */
};

/* What one data row says when a value matches it. */
struct fingerprint {
	enum evidence_attribute attribute;
	const char *brand;              /* vendor id, "" none */
	const char *maker;              /* vendor id, "" none */
	enum device_class device_class; /* DEVICE_UNKNOWN: says nothing of the class */
	bool any_video;      /* camera, recorder or doorbell alike; class is then camera */
	bool any_side;       /* holds for clients and servers */
	bool of_tool;        /* holds for the side that asks; else for the device's side */
	float weight_class;  /* log-odds */
	float weight_vendor; /* log-odds */
	const char *meaning;
	const char *source; /* where the row is from, with the row's file and line */
};

/* Loads every file of `directory` (vendors/, fingerprints/, destinations/) and then of
 * `override_directory` ("" none), whose rows win over equal keys. On failure returns NULL with one
 * line in `error`: file:line: what is wrong and the remedy. */
struct knowledge *knowledge_load(
	const char *directory, const char *override_directory, char *error, size_t error_size);
void knowledge_free(struct knowledge *knowledge);

const struct vendor *knowledge_vendor(const struct knowledge *knowledge, const char *id);
/* Calls `matched` for each row that the evidence matches. Owner thread: control (scratch inside).
 */
void knowledge_match(const struct knowledge *knowledge, const struct evidence *evidence,
	void (*matched)(void *context, const struct fingerprint *fingerprint), void *context);
/* The model that a device's evidence names, cut out of free text where need be; 0 if none, else its
 * length. Owner thread: control. */
size_t knowledge_model(const struct knowledge *knowledge, const struct evidence *evidence,
	char *model, size_t size);
/* Registrant row of a MAC prefix (24, 28 or 36 bits), NULL unknown. */
const struct fingerprint *knowledge_oui(
	const struct knowledge *knowledge, const struct mac_address *mac);

#endif
