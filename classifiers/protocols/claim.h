/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a discovery reply is about when its body names an address or a MAC. */
#ifndef CAMSPAN_CLAIM_H
#define CAMSPAN_CLAIM_H

#include "classifiers/classifier.h"

struct claim {
	struct ip_address ip;
	struct mac_address mac;
	enum evidence_side side;
};

/* The host that the body describes. `ip` and `mac` are what the body says; ones that identify no
 * host (unset, multicast) are taken from the packet instead. A body that names the frame's MAC, or
 * the packet's address and no MAC, is the device's own word (SIDE_DEVICE). A MAC other than the
 * frame's makes it hearsay (SIDE_PEER): of the address alone when that is the packet's, as a router
 * may have passed it on. Else somebody speaks of another host, and nothing is taken from the
 * packet. Without a link header an address that agrees is believed, a MAC is not. */
struct claim claim_of(
	const struct packet *packet, const struct ip_address *ip, const struct mac_address *mac);
void report_claim(const struct inspection *in, const struct classifier *classifier,
	const struct claim *claim, enum evidence_attribute attribute, const void *value,
	size_t length, const struct report_sink *sink);

/* Addresses written as text that is not NUL-terminated. Return false, and leave the result alone,
 * for anything else. A MAC may be written with ':' or '-' between its bytes, or none. */
bool claim_ip(const void *text, size_t length, struct ip_address *ip);
bool claim_mac(const void *text, size_t length, struct mac_address *mac);

/* True when a URL carries credentials ("http://user:password@host/"): it must not be reported. */
bool url_has_credentials(const char *url, size_t length);

#endif
