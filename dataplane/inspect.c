/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/inspect.h"

#include "dataplane/inspect_state.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define RECENT_FACTS        8192 /* power of two */
#define REPEAT_AFTER        INT64_C(30000000000)
#define SHORTEST_MAGIC_DATA 8

/* So many full bursts in a row are a backlog. Then general inspection, at up to 7 us a call, gets
 * one call in so many bursts: at 30 ns a packet that is a ninth of a worker's time at most. */
#define BACKLOG_BURSTS  8
#define BURSTS_PER_CALL 64

/* What tcp_stream passes back to deliver(). */
struct delivery {
	struct inspector *inspector;
	struct inspection_state *state;
	const struct packet *packet;
	bool from_initiator;
};

static int
add_ethertypes(struct decode_options *decode, const struct match *match)
{
	int error = 0;

	if (match->layer != MATCH_ETHERTYPE)
		return 0;
	for (unsigned i = 0; error == 0 && i < CLASSIFIER_PORTS_MAX && match->ports[i]; i++)
		if (match->ports[i] != ETHERTYPE_ARP)
			error = decode_options_add_ethertype(decode, match->ports[i]);
	return error;
}

int
inspector_ethertypes(struct decode_options *decode)
{
	int error = 0;

	for (size_t i = 0; i < classifier_count; i++)
		for (unsigned m = 0; error == 0 && m < classifier_table[i]->match_count; m++)
			error = add_ethertypes(decode, &classifier_table[i]->match[m]);
	return error;
}

/* Where a fact is remembered, and what tells it from others there. The place is the same in every
 * run, so that a replay repeats alike each time; what tells facts apart is keyed, so that no fact
 * can be made to pass for another. */
struct fact_print {
	uint64_t place;
	uint64_t hash;
};

static struct fact_print
print_fact(const struct inspector *inspector, const struct evidence *evidence)
{
	struct {
		struct subject subject;
		struct ip_address client;
		uint8_t attribute, side;
		uint16_t port;
		char value[EVIDENCE_VALUE_SIZE];
	} identity;
	size_t length = offsetof(typeof(identity), value) + evidence->value_length;

	memset(&identity, 0, offsetof(typeof(identity), value));
	identity.subject.ip = evidence->subject.ip;
	identity.subject.mac = evidence->subject.mac;
	identity.subject.vlan = evidence->subject.vlan;
	identity.subject.tenant = evidence->subject.tenant;
	/* A name is known per client; other facts are the same whoever was told. */
	if (evidence_attribute_channel(evidence->attribute) == CHANNEL_NAMES)
		identity.client = evidence->peer.ip;
	identity.attribute = evidence->attribute;
	identity.side = evidence->side;
	identity.port = evidence->port;
	memcpy(identity.value, evidence->value, evidence->value_length);
	return (struct fact_print){
		.place = XXH3_64bits(&identity, length) & (RECENT_FACTS - 1),
		.hash = XXH3_64bits_withSeed(&identity, length, inspector->recent_seed),
	};
}

static bool
sink_evidence(void *context, const struct evidence *evidence)
{
	struct inspector *inspector = context;
	struct fact_print print = print_fact(inspector, evidence);
	struct recent_fact *recent = &inspector->recent[print.place];
	int64_t age = evidence->time - recent->time;

	if (recent->hash == print.hash && age >= 0 && age < REPEAT_AFTER) {
		inspector->counters.evidence_repeated++;
		return true;
	}
	if (!inspector->out.evidence(inspector->out.context, evidence))
		return false;
	/* Only what arrived need not be told again. */
	*recent = (struct recent_fact){.hash = print.hash, .time = evidence->time};
	inspector->counters.evidence++;
	return true;
}

static void
sink_media(void *context, const struct stream_media *media)
{
	struct inspector *inspector = context;

	inspector->out.media(inspector->out.context, media);
}

static void
sink_sample(void *context, const struct stream_sample *sample)
{
	struct inspector *inspector = context;

	inspector->out.sample(inspector->out.context, sample);
}

static int
allocate(struct inspector *inspector)
{
	int error = inspection_states_init(inspector);

	inspector->recent = memory_allocate(
		inspector->memory, "recent facts", RECENT_FACTS * sizeof(*inspector->recent));
	if (error || inspector->recent == NULL)
		return -ENOMEM;
	return tcp_buffers_init(
		&inspector->buffers, inspector->config->stream_buffers, inspector->memory);
}

int
inspector_init(struct inspector *inspector, const struct config_inspection *config,
	const struct dispatch *dispatch, struct dpi *dpi, bool unhurried,
	const struct report_sink *out, const struct memory_source *memory)
{
	int error;

	*inspector = (struct inspector){
		.dispatch = dispatch,
		.config = config,
		.out = *out,
		.sink = {inspector, sink_evidence, sink_media, sink_sample},
		.dpi = dpi,
		.unhurried = unhurried,
		.idle = config->max_packets == 0,
		.memory = memory,
	};
	if (getrandom(&inspector->recent_seed, sizeof(inspector->recent_seed), 0) < 0)
		return -errno;
	error = allocate(inspector);
	if (error) {
		inspector->dpi = NULL; /* still the caller's */
		inspector_free(inspector);
	}
	return error;
}

void
inspector_free(struct inspector *inspector)
{
	inspection_states_free(inspector);
	if (inspector->recent)
		inspector->memory->release(inspector->recent);
	tcp_buffers_free(&inspector->buffers);
	if (inspector->dpi)
		dpi_free(inspector->dpi);
	*inspector = (struct inspector){0};
}

static bool
has_backlog(const struct inspector *inspector)
{
	return inspector->full_bursts >= BACKLOG_BURSTS && !inspector->unhurried;
}

void
inspector_burst(struct inspector *inspector, bool full)
{
	inspector->full_bursts = full ? inspector->full_bursts + 1 : 0;
	if (!has_backlog(inspector))
		inspection_states_prefetch(inspector);
	if (inspector->unhurried)
		inspector->dpi_left = UINT32_MAX;
	else if (!has_backlog(inspector))
		inspector->dpi_left = inspector->config->dpi_per_burst;
	else
		inspector->dpi_left = inspector->full_bursts % BURSTS_PER_CALL == 0 &&
				      inspector->config->dpi_per_burst > 0;
}

/* One packet for a classifier that keeps nothing. */
static enum classifier_verdict
ask_alone(struct inspector *inspector, const struct classifier *classifier,
	const struct packet *packet)
{
	uint8_t scratch[CLASSIFIER_SCRATCH_MAX] __attribute__((aligned(64)));
	struct inspection in = {
		.data = packet_payload(packet),
		.length = packet->payload_length,
		.missing = packet->payload_wire_length - packet->payload_length,
		.packet = packet,
		.from_initiator = true,
		.wire_bytes = packet->wire_length,
	};

	memset(scratch, 0, classifier->scratch_size);
	return classifier->inspect(&in, scratch, &inspector->sink);
}

/* A datagram without state: discovery replies are whole in one packet. */
static void
classify_alone(struct inspector *inspector, const struct packet *packet)
{
	uint32_t candidates =
		dispatch_candidates(inspector->dispatch, MATCH_UDP, packet->source_port,
			packet->destination_port, packet_payload(packet), packet->payload_length);

	for (; candidates; candidates &= candidates - 1)
		if (ask_alone(inspector, classifier_table[__builtin_ctz(candidates)], packet) !=
			CLASSIFIER_NOT_MINE)
			return;
}

/* A classifier that was asked so often is sure of its flow: RTP is confirmed by then. Only such a
 * state is safe from newer flows; a single datagram that looks like the beginning of something
 * holds nothing. */
#define CALLS_UNTIL_SURE 6

static void
count_owned_call(struct inspector *inspector, struct inspection_state *state)
{
	if (state->owned_calls < UINT16_MAX)
		state->owned_calls++;
	if (state->owned_calls == CALLS_UNTIL_SURE)
		inspection_state_keep(inspector, state);
}

static void
finish_classifying(struct inspector *inspector, struct inspection_state *state)
{
	if (state->owner != INSPECTION_NO_OWNER && classifier_table[state->owner]->finish)
		classifier_table[state->owner]->finish(state->scratch, &inspector->sink);
	inspection_state_disown(inspector, state);
	state->classified = true;
}

/* The classifier knows what the flow speaks: general inspection, which costs many times as much,
 * would only say it again. */
static void
recognize(struct inspector *inspector, struct inspection_state *state, uint8_t index)
{
	if (state->recognizer != INSPECTION_NO_OWNER || classifier_table[index]->protocol == NULL)
		return;
	state->recognizer = index;
	state->dpi_done = true;
	if (state->dpi)
		dpi_detach(inspector->dpi, state->dpi);
	state->dpi = NULL;
}

static enum classifier_verdict
ask(struct inspector *inspector, struct inspection_state *state, uint8_t index,
	struct inspection *in)
{
	enum classifier_verdict verdict;

	in->consumed = 0;
	in->recognized = state->recognizer == index;
	verdict = classifier_table[index]->inspect(in, state->scratch, &inspector->sink);
	if (verdict == CLASSIFIER_NOT_MINE) {
		state->rejected |= 1u << index;
		inspection_state_disown(inspector, state);
		in->consumed = 0;
	} else if (in->recognized) {
		recognize(inspector, state, index);
	}
	return verdict;
}

/* The first candidate that does not decline becomes the owner. */
static enum classifier_verdict
find_owner(struct inspector *inspector, struct inspection_state *state, struct inspection *in)
{
	const struct packet *packet = in->packet;
	uint32_t candidates =
		dispatch_candidates(inspector->dispatch, in->stream ? MATCH_TCP : MATCH_UDP,
			packet->source_port, packet->destination_port, in->data, in->length);

	for (candidates &= ~state->rejected; candidates; candidates &= candidates - 1) {
		uint8_t index = (uint8_t)__builtin_ctz(candidates);
		enum classifier_verdict verdict;

		memset(state->scratch, 0, classifier_table[index]->scratch_size);
		verdict = ask(inspector, state, index, in);
		if (verdict == CLASSIFIER_NOT_MINE)
			continue;
		state->owner = index;
		state->owned_calls = 0;
		return verdict;
	}
	return CLASSIFIER_NOT_MINE;
}

static void
classify(struct inspector *inspector, struct inspection_state *state, struct inspection *in)
{
	enum classifier_verdict verdict = CLASSIFIER_NOT_MINE;
	uint16_t limit;

	if (state->owner != INSPECTION_NO_OWNER)
		verdict = ask(inspector, state, state->owner, in);
	if (verdict == CLASSIFIER_NOT_MINE)
		verdict = find_owner(inspector, state, in);
	if (verdict == CLASSIFIER_DONE) {
		finish_classifying(inspector, state);
		return;
	}
	if (verdict == CLASSIFIER_NOT_MINE) {
		/* Too few bytes to show a magic: wait for more of them. */
		if (!in->stream || in->length >= SHORTEST_MAGIC_DATA)
			in->consumed = in->length;
		if (state->packets >= inspector->config->max_packets)
			finish_classifying(inspector, state);
		return;
	}
	count_owned_call(inspector, state);
	limit = classifier_table[state->owner]->max_packets;
	if (limit != CLASSIFIER_WHOLE_FLOW && state->owned_calls >= limit)
		finish_classifying(inspector, state);
}

static uint32_t
deliver(void *context, const uint8_t *data, uint32_t length, bool gap)
{
	struct delivery *delivery = context;
	struct inspection in = {
		.data = data,
		.length = length,
		.packet = delivery->packet,
		.from_initiator = delivery->from_initiator,
		.stream = true,
		.gap = gap,
		.wire_bytes = delivery->packet->wire_length,
	};

	if (delivery->state->classified)
		return length;
	classify(delivery->inspector, delivery->state, &in);
	return delivery->state->classified ? length : in.consumed;
}

static void
classify_tcp(struct inspector *inspector, struct inspection_state *state,
	const struct packet *packet, bool from_initiator)
{
	struct tcp_stream *stream = &state->streams[!from_initiator];
	struct tcp_stream *opposite = &state->streams[from_initiator];
	struct delivery delivery = {inspector, state, packet, from_initiator};

	if (packet->tcp_flags & TCP_SYN)
		tcp_stream_syn(stream, &inspector->buffers, packet->tcp_sequence + 1);
	if (packet->payload_length > 0)
		tcp_stream_segment(stream, &inspector->buffers, packet->tcp_sequence,
			packet_payload(packet), packet->payload_length, deliver, &delivery);
	if ((packet->tcp_flags & TCP_ACK) && opposite->range_count > 0) {
		/* The bytes delivered were sent by the other side. A packet view of that side does
		 * not exist any more, so the sides of this one are exchanged. */
		struct packet reverse = *packet;

		reverse.source = packet->destination;
		reverse.destination = packet->source;
		reverse.source_port = packet->destination_port;
		reverse.destination_port = packet->source_port;
		reverse.source_mac = packet->destination_mac;
		reverse.destination_mac = packet->source_mac;
		delivery.packet = &reverse;
		delivery.from_initiator = !from_initiator;
		tcp_stream_acknowledged(opposite, &inspector->buffers, packet->tcp_acknowledgment,
			deliver, &delivery);
	}
}

static void
classify_udp(struct inspector *inspector, struct inspection_state *state,
	const struct packet *packet, bool from_initiator)
{
	struct inspection in = {
		.data = packet_payload(packet),
		.length = packet->payload_length,
		.missing = packet->payload_wire_length - packet->payload_length,
		.packet = packet,
		.from_initiator = from_initiator,
		.wire_bytes = packet->wire_length,
	};

	if (packet->payload_length > 0)
		classify(inspector, state, &in);
}

/* General inspection of one packet, as far as the mode and the budget of the burst allow. */
static void
inspect_generally(struct inspector *inspector, struct inspection_state *state,
	struct flow_origin *origin, const struct packet *packet, bool from_initiator)
{
	struct dpi_result result;

	if (inspector->config->mode == INSPECT_CANDIDATES && state->owner == INSPECTION_NO_OWNER &&
		state->rejected == 0) {
		state->dpi_done = state->classified;
		return;
	}
	if (inspector->dpi_left == 0) {
		inspector->counters.dpi_skipped++;
		/* A flow must not hold its state for an inspection that never comes. */
		state->dpi_done = state->packets >= inspector->config->dpi_max_packets;
		return;
	}
	if (state->dpi == NULL)
		state->dpi = dpi_attach(inspector->dpi);
	if (state->dpi == NULL) {
		inspector->counters.dpi_skipped++;
		state->dpi_done = true;
		return;
	}
	inspector->dpi_left--;
	if (dpi_inspect(inspector->dpi, state->dpi, packet->data + packet->l3,
		    (uint32_t)(packet->payload - packet->l3) + packet->payload_length, packet->time,
		    from_initiator, &result) == DPI_DONE) {
		origin->application = result.protocol;
		dpi_detach(inspector->dpi, state->dpi);
		state->dpi = NULL;
		state->dpi_done = true;
	}
}

/* Without a free state, the oldest inspection of which nobody is sure ends. */
static void
make_room(struct inspector *inspector)
{
	struct inspection_state *oldest;

	if (inspector->free_count > 0)
		return;
	oldest = inspection_state_oldest(inspector);
	if (oldest == NULL)
		return;
	inspector->counters.cut_short++;
	finish_classifying(inspector, oldest);
	inspection_state_release(inspector, oldest->flow);
}

/* With a backlog and without a free state, one is taken from another flow only for a beginning that
 * some classifier wants to see. The others end before they began. */
static bool
is_worth_a_state(const struct inspector *inspector, const struct packet *packet)
{
	return inspector->free_count > 0 || !has_backlog(inspector) ||
	       dispatch_candidates(inspector->dispatch,
		       packet->protocol == PROTOCOL_TCP ? MATCH_TCP : MATCH_UDP,
		       packet->source_port, packet->destination_port, packet_payload(packet),
		       packet->payload_length) != 0;
}

void
inspector_begin(struct inspector *inspector, struct flow *flow, const struct packet *packet)
{
	struct inspection_state *state;

	if (!is_worth_a_state(inspector, packet)) {
		flow->flags |= FLOW_INSPECTED;
		inspector->counters.flows++;
		inspector->counters.cut_short++;
		return;
	}
	make_room(inspector);
	state = inspection_state_take(inspector, flow);
	if (state == NULL) {
		inspector->counters.packets_skipped++;
		if (flow->key.protocol == PROTOCOL_UDP)
			classify_alone(inspector, packet);
		return;
	}
	flow->flags |= FLOW_INSPECTED;
	inspector->counters.flows++;
	state->dpi_done = inspector->dpi == NULL;
}

bool
inspector_meter(
	struct inspector *inspector, const struct flow *flow, const struct meter_packet *packet)
{
	struct inspection_state *state = inspection_state_of(inspector, flow);
	const struct classifier *owner;

	if (state->owner == INSPECTION_NO_OWNER || !state->dpi_done)
		return false;
	owner = classifier_table[state->owner];
	return owner->meter && owner->meter(state->scratch, packet);
}

void
inspector_prefetch(const struct inspector *inspector, const struct flow *flow)
{
	const struct inspection_state *state = inspection_state_of(inspector, flow);

	__builtin_prefetch(state, 0, 3);
	__builtin_prefetch(state->scratch, 1, 3);
	__builtin_prefetch(state->scratch + 64, 1, 3);
	__builtin_prefetch(state->scratch + 128, 1, 3);
}

/* Who names the flow first is right: mail that goes over to TLS stays mail. */
static void
name_application(const struct inspection_state *state, struct flow_origin *origin)
{
	if (state->recognizer != INSPECTION_NO_OWNER && origin->application == 0)
		origin->application = APPLICATION_OF_CLASSIFIER | state->recognizer;
}

void
inspector_packet(struct inspector *inspector, struct flow *flow, struct flow_origin *origin,
	const struct packet *packet, bool from_initiator)
{
	struct inspection_state *state = inspection_state_of(inspector, flow);

	if (packet->payload_length > 0 && state->packets < UINT16_MAX)
		state->packets++;
	if (!state->classified) {
		if (packet->protocol == PROTOCOL_TCP)
			classify_tcp(inspector, state, packet, from_initiator);
		else
			classify_udp(inspector, state, packet, from_initiator);
	}
	name_application(state, origin);
	if (!state->dpi_done && packet->payload_length > 0)
		inspect_generally(inspector, state, origin, packet, from_initiator);
	if (state->classified && state->dpi_done)
		inspection_state_release(inspector, flow);
}

void
inspector_end(struct inspector *inspector, struct flow *flow)
{
	if (flow->inspection == 0)
		return;
	finish_classifying(inspector, inspection_state_of(inspector, flow));
	inspection_state_release(inspector, flow);
}

void
inspector_link_packet(struct inspector *inspector, const struct packet *packet)
{
	uint32_t candidates = dispatch_ethertype(inspector->dispatch, packet->ethertype);

	/* Which MAC has which address is asked in every mode. */
	if (inspector->idle && packet->ethertype != ETHERTYPE_ARP)
		return;
	for (; candidates; candidates &= candidates - 1) {
		inspector->counters.link_packets++;
		ask_alone(inspector, classifier_table[__builtin_ctz(candidates)], packet);
	}
}
