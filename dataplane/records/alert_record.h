/* SPDX-License-Identifier: Apache-2.0 */
/* An alert: one per rule, device and destination, with a life cycle. */
#ifndef CAMSPAN_RECORDS_ALERT_RECORD_H
#define CAMSPAN_RECORDS_ALERT_RECORD_H

#include "dataplane/records/address.h"
#include "dataplane/records/device_record.h"

#include <stdint.h>

#define ALERT_ID_SIZE 17

enum alert_state { ALERT_OPENED, ALERT_UPDATED, ALERT_CLOSED };
/* NONE: the rule is about the device itself, not about a destination. */
enum alert_outcome { OUTCOME_NONE, OUTCOME_ATTEMPTED, OUTCOME_CONNECTED };

struct alert_record {
	char id[ALERT_ID_SIZE];
	char rule_id[40];   /* "unexpected-destination" */
	char rule_name[80]; /* one line for people */
	char device_id[DEVICE_ID_SIZE];
	char device_brand[VENDOR_ID_SIZE];
	char device_maker[VENDOR_ID_SIZE];
	struct mac_address device_mac;
	struct ip_address device_ip;
	uint8_t severity;             /* 0..100, ECS event.severity */
	uint8_t state;                /* enum alert_state */
	uint8_t outcome;              /* enum alert_outcome */
	uint8_t protocol;             /* IANA, of the last flow */
	struct endpoint destination;  /* ADDRESS_NONE for rules about the device itself */
	char destination_domain[128]; /* best name known, "" none */
	char zone[32];                /* zone of the destination or of the device */
	uint64_t bytes_out;           /* from the device */
	uint64_t bytes_in;
	uint64_t count; /* flows */
	int64_t first;
	int64_t last;
	char reason[192]; /* why, in words, with the facts used */
};

const char *alert_state_name(enum alert_state state);
const char *alert_outcome_name(enum alert_outcome outcome); /* "", "attempted", "connected" */

#endif
