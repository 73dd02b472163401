/* SPDX-License-Identifier: Apache-2.0 */
/* Link types of capture files (LINKTYPE_*, draft-ietf-opsawg-pcaplinktype). */
#ifndef CAMSPAN_LINK_TYPE_H
#define CAMSPAN_LINK_TYPE_H

#include "dataplane/records/packet.h"

#include <stdint.h>

static inline enum link_type
link_of_linktype(uint32_t linktype)
{
	switch (linktype) {
	case 1:
		return LINK_ETHERNET;
	case 113:
		return LINK_LINUX_COOKED_V1;
	case 276:
		return LINK_LINUX_COOKED_V2;
	case 12: /* DLT_RAW of most systems, written by mistake */
	case 101:
	case 228: /* IPv4 */
	case 229: /* IPv6 */
		return LINK_RAW_IP;
	default:
		return LINK_UNSUPPORTED;
	}
}

#endif
