/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the flow key that keeps equal addresses of different networks apart. It depends on
 * the packet and the configuration only, so every worker and every sensor makes the same of it. */
#include "dataplane/decode_private.h"

/* Labels do not: the last switch of a path takes them off early, so one direction of a flow may
 * come with one and the other without. FabricPath is but another way through the same network. */
static bool
takes_part(const struct packet_tunnel *tunnel)
{
	return tunnel->type != TUNNEL_MPLS && tunnel->type != TUNNEL_FABRICPATH;
}

/* Murmur's finalizer over a chain: any bit of any part changes half of the bits. */
static uint64_t
mix(uint64_t state, uint64_t part)
{
	state ^= part + UINT64_C(0x9e3779b97f4a7c15);
	state = (state ^ state >> 33) * UINT64_C(0xff51afd7ed558ccd);
	state = (state ^ state >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return state ^ state >> 33;
}

/* What is gathered: exact while it is one thing of 24 bits, a digest of all of it beyond. */
struct gathered {
	unsigned parts;
	uint32_t exact; /* 0: the part does not fit */
	uint64_t digest;
};

static void
gather(struct gathered *gathered, uint32_t exact, uint64_t part)
{
	gathered->parts++;
	gathered->exact = exact;
	gathered->digest = mix(gathered->digest, part);
}

/* An id that differs by direction would part the two directions of a flow. In place of it, or of
 * none, stands the tag of the network that carries the tunnel. */
static void
gather_tunnel(struct gathered *gathered, const struct packet_tunnel *tunnel, bool vlans)
{
	uint32_t id = tunnel_has_shared_id(tunnel->type) ? tunnel->id : vlans ? tunnel->vlan : 0;
	uint64_t part = (uint64_t)tunnel->type << 32 | id;
	uint32_t exact = 0;

	switch (tunnel->type) {
	case TUNNEL_VXLAN:
		exact = tenant_make(TENANT_VXLAN, id);
		break;
	case TUNNEL_GENEVE:
		exact = tenant_make(TENANT_GENEVE, id);
		break;
	case TUNNEL_NVGRE:
		exact = tenant_make(TENANT_NVGRE, id);
		break;
	case TUNNEL_GRE_KEY:
		exact = id <= TENANT_ID_MASK ? tenant_make(TENANT_GRE_KEY, id) : 0;
		break;
	default:
		exact = id <= UINT16_MAX
				? tenant_make(TENANT_OTHER, (uint32_t)tunnel->type << 16 | id)
				: 0;
	}
	gather(gathered, exact, part);
}

/* All tags but the innermost, which has a place of its own in the key. */
static void
gather_vlans(struct gathered *gathered, const struct packet *packet)
{
	uint64_t tags = 0;

	for (unsigned i = 0; i + 1 < packet->vlan_count; i++)
		tags = tags << 12 | packet->vlan[i];
	if (tags == 0)
		return;
	gather(gathered, tags <= TENANT_ID_MASK ? tenant_make(TENANT_VLANS, (uint32_t)tags) : 0,
		tags);
}

void
decode_tenant(struct packet *packet, const struct decode_options *options)
{
	bool vlans = options == NULL || !options->ignore_vlans;
	struct gathered gathered = {0};

	packet->tenant = 0;
	packet->key_vlan = packet_vlan(packet);
	if (packet->tunnel_count == 0 && packet->vlan_count < 2 && vlans &&
		(options == NULL || !options->by_port))
		return;
	if (options == NULL || !options->ignore_tunnels)
		for (unsigned i = 0; i < packet->tunnel_count; i++)
			if (takes_part(&packet->tunnel[i]))
				gather_tunnel(&gathered, &packet->tunnel[i], vlans);
	if (vlans)
		gather_vlans(&gathered, packet);
	else
		packet->key_vlan = 0;
	if (gathered.parts == 1 && gathered.exact != 0)
		packet->tenant = gathered.exact;
	else if (gathered.parts > 0)
		packet->tenant = tenant_make(TENANT_DIGEST, (uint32_t)gathered.digest);
	if (options && options->by_port)
		packet->tenant |= (uint32_t)(packet->observation_point & TENANT_PORT_MAX)
				  << TENANT_PORT_SHIFT;
}
