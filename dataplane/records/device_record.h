/* SPDX-License-Identifier: Apache-2.0 */
/* A device: what the evidence says of one machine on the network, and why. */
#ifndef CAMSPAN_RECORDS_DEVICE_RECORD_H
#define CAMSPAN_RECORDS_DEVICE_RECORD_H

#include "dataplane/records/address.h"
#include "dataplane/records/evidence.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_ID_SIZE     17
#define DEVICE_FACTS_MAX   32 /* strongest kept; what was dropped is counted */
#define DEVICE_IPS_MAX     8
#define VENDOR_ID_SIZE     24
#define DEVICE_TEXT_SIZE   64
#define DEVICE_REASON_SIZE 512
#define DEVICE_SOURCE_SIZE 224

enum device_class {
	DEVICE_UNKNOWN,
	DEVICE_CAMERA,
	DEVICE_RECORDER,
	DEVICE_DOORBELL,
	DEVICE_VIEWER,
	DEVICE_OTHER,
};

/* Legal standing of the maker (or brand), an opinion that each operator edits. */
enum vendor_status {
	STATUS_UNKNOWN,
	STATUS_ALLOWED,
	STATUS_REVIEW,
	STATUS_RESTRICTED_PRC, /* subject to the PRC National Intelligence Law */
	STATUS_RESTRICTED,     /* named by an order or list */
};

/* One fact as kept for the explanation. */
struct device_fact {
	int64_t first_seen;
	int64_t last_seen;
	uint32_t count;
	uint8_t attribute;               /* enum evidence_attribute */
	uint8_t side;                    /* enum evidence_side */
	uint8_t classifier;              /* index into classifier_table */
	uint8_t channel;                 /* enum evidence_channel that it counts in */
	float weight_class;              /* log-odds added towards `says_class`, 0 none */
	float weight_vendor;             /* log-odds added towards the brand or maker */
	char says_brand[VENDOR_ID_SIZE]; /* "" none */
	char says_maker[VENDOR_ID_SIZE];
	uint8_t says_class; /* enum device_class */
	char value[EVIDENCE_VALUE_SIZE];
	char source[DEVICE_SOURCE_SIZE]; /* the data row that gave the fact its meaning */
};

/* What the facts of one channel add to a verdict, in log-odds. */
struct device_share {
	float raw;     /* plain sum of the weights of its facts */
	float counted; /* after the rules of the channel and its cap */
};

/* How a confidence came about, to be checked with pencil and paper:
 * factor / (1 + exp(-(prior + sum of supports[].counted - sum of opposes[].counted))). */
struct device_account {
	float prior;                      /* log-odds before any fact */
	float factor;                     /* below 1 when the facts disagree on the kind */
	char supports_id[VENDOR_ID_SIZE]; /* vendor, "" in the account of the class */
	char opposes_id[VENDOR_ID_SIZE];
	struct device_share supports[CHANNEL_COUNT];
	struct device_share opposes[CHANNEL_COUNT];
};

struct device_record {
	char id[DEVICE_ID_SIZE]; /* 16 hex digits, keyed by identity, stable across runs */
	int64_t first_seen;
	int64_t last_seen;
	struct mac_address mac;                /* zero when only the address is known */
	struct ip_address ips[DEVICE_IPS_MAX]; /* latest first */
	uint8_t ip_count;
	uint8_t device_class; /* enum device_class */
	uint8_t status;       /* enum vendor_status, of the maker if known, else of the brand */
	uint16_t vlan;
	uint32_t tenant;
	float confidence;       /* 0..1 that the class is right */
	float brand_confidence; /* 0..1 */
	/* Of the confidences. An unknown class has confidence 0; its account is that of a camera,
	 * recorder or doorbell, which was too little. */
	struct device_account class_account;
	struct device_account vendor_account;   /* all zero without brand and maker */
	char status_reason[DEVICE_REASON_SIZE]; /* an opinion of the vendor list, with its row */
	char hostname[DEVICE_TEXT_SIZE];
	char brand[VENDOR_ID_SIZE]; /* id of a vendor, "" unknown */
	char maker[VENDOR_ID_SIZE]; /* id of the vendor that made it (OEM), "" unknown */
	char model[DEVICE_TEXT_SIZE];
	char firmware[DEVICE_TEXT_SIZE];
	char serial[DEVICE_TEXT_SIZE];
	char zone[32];     /* name of the zone it is in, "" none; set by destinations/ */
	uint8_t zone_kind; /* enum zone_kind of config.h */
	uint8_t fact_count;
	uint32_t facts_dropped;
	struct device_fact facts[DEVICE_FACTS_MAX];
};

const char *device_class_name(enum device_class device_class); /* "camera", ... */
enum device_class device_class_by_name(const char *name);      /* DEVICE_UNKNOWN if unknown */
const char *vendor_status_name(enum vendor_status status);     /* "restricted-prc", ... */
enum vendor_status vendor_status_by_name(const char *name);

#endif
