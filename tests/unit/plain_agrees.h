/* SPDX-License-Identifier: Apache-2.0 */
/* plain_decode() is a second reader of the same bytes: it may decline, never disagree. */
#ifndef CAMSPAN_TESTS_PLAIN_AGREES_H
#define CAMSPAN_TESTS_PLAIN_AGREES_H

#include "dataplane/plain_decode.h"

#include <stddef.h>

/* NULL, or what differs. `taken` tells whether the frame was plain. */
static inline const char *
plain_disagrees(const struct frame_view *frame, const struct decode_options *options,
	const struct flow_secret *secret, bool *taken)
{
	struct flow_packet plain = {0}, general = {0};
	struct flow_wide plain_wide = {0}, general_wide = {0};
	struct plain_options plain_options = plain_options_from(options);
	struct packet packet, view;

	*taken = plain_decode(frame, &plain_options, secret, &plain, &plain_wide);
	if (!*taken)
		return NULL;
	memset(&packet, 0, sizeof(packet));
	memset(&view, 0, sizeof(view));
	packet_from_frame(&packet, frame);
	if (decode_packet(&packet, LINK_ETHERNET, options) != PACKET_DECODED)
		return "fate";
	flow_packet_summarize(&packet, secret, &general, &general_wide);
	if (memcmp(&plain.key, &general.key, sizeof(plain.key)) != 0)
		return "key";
	if (memcmp(&plain_wide, &general_wide, sizeof(plain_wide)) != 0)
		return "wide addresses";
	if (plain.hash != general.hash || plain.end != general.end || plain.ipv6 != general.ipv6)
		return "hash, end or family";
	if (plain.octets != general.octets || plain.payload_length != general.payload_length ||
		plain.l3 != general.l3 || plain.payload != general.payload ||
		plain.carries != general.carries)
		return "lengths";
	if (plain.tcp_flags != general.tcp_flags || plain.icmp_type != general.icmp_type)
		return "flags";
	if (plain_view(frame, &plain_options, &plain, &view) &&
		memcmp(&view, &packet, sizeof(view)) != 0)
		return "packet view";
	return NULL;
}

#endif
