/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of classifiers. Each line X(name) stands for a descriptor `classifier_name`, defined
 * in protocols/name.c. The order matters: of several candidates for a flow the first that does not
 * answer NOT_MINE owns it, so the specific stand before the general. */
#ifndef CAMSPAN_CLASSIFIER_TABLE_H
#define CAMSPAN_CLASSIFIER_TABLE_H

#include "classifiers/classifier.h"

/* clang-format off */
#define CLASSIFIERS(X) \
	/* discovery: what devices announce */ \
	X(arp) \
	X(dhcp) \
	X(dns) \
	X(mdns) \
	X(ssdp) \
	X(wsd) \
	X(sadp) \
	X(dhip_discovery) \
	X(pppp) \
	X(tlv_discovery) \
	X(magic_protocols) \
	/* sessions: what devices serve */ \
	X(baichuan) \
	X(dvrip) \
	X(tls) \
	X(rtsp) \
	X(http) \
	X(rtp) \
	/* the end of the list: no line may follow */
/* clang-format on */

#define X(name) extern const struct classifier classifier_##name;
CLASSIFIERS(X)
#undef X

#endif
