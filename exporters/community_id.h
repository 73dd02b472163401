/* SPDX-License-Identifier: Apache-2.0 */
/* Community ID version 1, seed 0: the flow identifier that Zeek, Suricata and others share.
 * Specification: https://github.com/corelight/community-id-spec */
#ifndef CAMSPAN_EXPORTERS_COMMUNITY_ID_H
#define CAMSPAN_EXPORTERS_COMMUNITY_ID_H

#include "dataplane/records/flow_record.h"

#define COMMUNITY_ID_SIZE 31 /* "1:", 28 characters of base64, NUL */

struct community_id_hasher;

/* Returns NULL when the library has no SHA-1 or memory is short. */
struct community_id_hasher *community_id_create(void);
void community_id_free(struct community_id_hasher *hasher);
/* `text` holds COMMUNITY_ID_SIZE; returns text, "" where the ends have no common address family. */
const char *community_id_format(
	struct community_id_hasher *hasher, const struct flow_record *flow, char *text);

#endif
