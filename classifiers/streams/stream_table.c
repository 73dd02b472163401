/* SPDX-License-Identifier: Apache-2.0 */
/* Two bounded maps: what was announced, by where its packets must go; and what was measured, by
 * source. They meet when a stream is updated or reported, so either may come first. */
#include "classifiers/streams/stream_table.h"

#include "classifiers/streams/lru_map.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SECOND INT64_C(1000000000)
/* Meters send a sample every few seconds; a stream is not silent in between. */
#define IDLE_MIN (15 * SECOND)
/* Before that, rates say nothing; a stream that ends sooner is reported at its end. */
#define FIRST_REPORT_AFTER (1 * SECOND)
/* A session that was set up plays within its time-out (RFC 2326 section 12.37: 60 s), or never. */
#define MEDIA_UNUSED_MAX (120 * SECOND)
#define FPS_MAX          1000.0
/* Each medium is kept under its source port and, for servers that announce none or another, under
 * port 0. */
#define MEDIA_KEYS 2

/* Where the packets of one medium go. Zero where it does not apply. Hashed and compared as bytes,
 * hence without padding. */
struct media_key {
	struct ip_address server;
	struct ip_address destination;
	uint16_t server_port; /* RTP; 0 for any, and for interleaved */
	uint16_t destination_port;
	uint8_t interleaved;
	uint8_t channel;
	uint32_t tenant;
};

_Static_assert(sizeof(struct media_key) == 2 * sizeof(struct ip_address) + 10, "no padding");

struct media {
	int64_t used; /* announced, or joined to a sample */
	struct stream_media announced;
};

struct source_key {
	struct ip_address source;
	struct ip_address destination;
	uint16_t source_port;
	uint16_t destination_port;
	uint16_t vlan;
	uint8_t transport;
	uint8_t channel;
	uint16_t zero; /* in the place of padding */
	uint32_t tenant;
	uint32_t ssrc;
};

_Static_assert(sizeof(struct source_key) == 2 * sizeof(struct ip_address) + 18, "no padding");

/* What meters counted before the current one began, when a flow was measured in pieces. */
struct stream_before {
	uint64_t packets, bytes, wire_bytes, expected, reordered;
	int64_t first;
};

struct stream {
	struct stream_sample sample; /* the newest */
	struct stream_before before;
	struct stream_media media; /* of the join, valid if `announced` */
	int64_t reported;          /* sample time of the last report, valid if `told` */
	bool announced;
	bool told;
	char id[STREAM_ID_SIZE];
};

struct stream_table {
	int64_t report_interval;
	int64_t idle_timeout;
	stream_changed_fn changed;
	void *context;
	struct lru_map *media;
	struct lru_map *streams;
	uint64_t media_received;
	uint64_t samples_received;
	uint64_t samples_stale;
	uint64_t reports;
	uint64_t ended;
	uint64_t evicted;
	uint64_t media_evicted;
};

struct stream_table *
stream_table_create(const struct config_streams *config, stream_changed_fn changed, void *context)
{
	struct stream_table *table = calloc(1, sizeof(*table));
	uint32_t capacity = config->max ? config->max : 1;

	if (table == NULL)
		return NULL;
	table->report_interval = config->report_interval_s * SECOND;
	table->idle_timeout = config->idle_timeout_s * SECOND;
	if (table->idle_timeout < IDLE_MIN)
		table->idle_timeout = IDLE_MIN;
	table->changed = changed;
	table->context = context;
	table->streams = lru_map_create(capacity, sizeof(struct source_key), sizeof(struct stream));
	table->media = lru_map_create(
		capacity * MEDIA_KEYS, sizeof(struct media_key), sizeof(struct media));
	if (table->streams == NULL || table->media == NULL) {
		stream_table_free(table);
		return NULL;
	}
	return table;
}

void
stream_table_free(struct stream_table *table)
{
	if (table == NULL)
		return;
	lru_map_free(table->streams);
	lru_map_free(table->media);
	free(table);
}

/* ---- announced ---- */

static struct media_key
media_key_of_announced(const struct stream_media *media)
{
	bool interleaved = media->transport == STREAM_RTP_TCP_INTERLEAVED;
	bool redirected = ip_is_set(&media->destination) && !interleaved;

	return (struct media_key){
		.server = media->server.ip,
		.destination = redirected ? media->destination : media->client.ip,
		.server_port = interleaved ? 0 : media->server_rtp_port,
		.destination_port = interleaved ? media->client.port : media->client_rtp_port,
		.interleaved = interleaved,
		.channel = interleaved ? media->channel : 0,
		.tenant = media->tenant,
	};
}

static struct media_key
media_key_of_sample(const struct stream_sample *sample)
{
	bool interleaved = sample->transport == STREAM_RTP_TCP_INTERLEAVED;

	return (struct media_key){
		.server = sample->source.ip,
		.destination = sample->destination.ip,
		.server_port = interleaved ? 0 : sample->source.port,
		.destination_port = sample->destination.port,
		.interleaved = interleaved,
		.channel = interleaved ? sample->channel : 0,
		.tenant = sample->tenant,
	};
}

static void
put_media(struct stream_table *table, const struct media_key *key, const struct stream_media *media)
{
	struct media *entry = lru_map_find(table->media, key);

	if (entry != NULL) {
		lru_map_touch(table->media, entry);
	} else {
		entry = lru_map_insert(table->media, key);
		if (entry == NULL) {
			lru_map_remove(table->media, lru_map_oldest(table->media));
			table->media_evicted++;
			entry = lru_map_insert(table->media, key);
		}
	}
	entry->announced = *media;
	entry->used = media->time;
}

void
stream_table_media(struct stream_table *table, const struct stream_media *media)
{
	struct media_key key = media_key_of_announced(media);

	table->media_received++;
	if (key.server_port != 0)
		put_media(table, &key, media);
	key.server_port = 0;
	put_media(table, &key, media);
}

/* Announcements long before the first packet belong to another session of the same ports. */
static struct media *
usable(struct media *entry, const struct stream_sample *sample)
{
	if (entry == NULL || sample->first - entry->used > MEDIA_UNUSED_MAX)
		return NULL;
	return entry;
}

static void
join_media(struct stream_table *table, struct stream *stream)
{
	const struct stream_sample *sample = &stream->sample;
	struct media_key key = media_key_of_sample(sample);
	struct media *entry = usable(lru_map_find(table->media, &key), sample);

	if (entry == NULL && key.server_port != 0) {
		key.server_port = 0;
		entry = usable(lru_map_find(table->media, &key), sample);
	}
	if (entry == NULL)
		return;
	if (entry->used < sample->last)
		entry->used = sample->last;
	lru_map_touch(table->media, entry);
	stream->media = entry->announced;
	stream->announced = true;
}

/* ---- what a stream is ---- */

/* Payload types that RFC 3551 section 6 gives to audio for good. */
static bool
is_static_audio(uint8_t payload_type)
{
	return payload_type <= 18 && payload_type != 1 && payload_type != 2;
}

static enum video_codec
codec_of(const struct stream *stream)
{
	enum video_codec measured = (enum video_codec)stream->sample.codec;
	enum video_codec announced =
		stream->announced ? (enum video_codec)stream->media.codec : CODEC_UNKNOWN;

	if (is_static_audio(stream->sample.payload_type))
		return CODEC_AUDIO;
	if (announced != CODEC_UNKNOWN &&
		(stream->media.payload_type == stream->sample.payload_type ||
			measured == CODEC_UNKNOWN))
		return announced;
	if (measured == CODEC_UNKNOWN && stream->sample.payload_type == 26) /* RFC 3551 table 5 */
		return CODEC_MJPEG;
	return measured;
}

/* Of unknown media only what a camera announced is told: the rest may be anybody's call. */
static bool
is_video(const struct stream *stream)
{
	switch (codec_of(stream)) {
	case CODEC_AUDIO:
	case CODEC_METADATA:
		return false;
	case CODEC_UNKNOWN:
		return stream->announced || stream->sample.transport == STREAM_VENDOR ||
		       stream->sample.transport == STREAM_ENCRYPTED;
	default:
		return true;
	}
}

/* By media time, which the network cannot disturb; by arrival where the sender's time stamps make
 * no sense; as announced where too little was seen. */
static double
frames_per_second(const struct stream *stream)
{
	const struct stream_sample *sample = &stream->sample;
	double steps = sample->frames > 1 ? (double)(sample->frames - 1) : 0;
	double by_media = 0, by_arrival = 0;
	uint32_t clock = sample->clock_rate;

	if (stream->announced && stream->media.clock_rate != 0 &&
		stream->media.payload_type == sample->payload_type)
		clock = stream->media.clock_rate;
	if (sample->media_ticks != 0)
		by_media = steps * clock / (double)sample->media_ticks;
	if (sample->last_frame > sample->first_frame)
		by_arrival = steps * SECOND / (double)(sample->last_frame - sample->first_frame);
	if (steps == 0)
		return stream->announced && stream->media.fps > 0 ? (double)stream->media.fps : 0;
	if (sample->last_frame - sample->first_frame >= SECOND &&
		(by_media > 2 * by_arrival || by_media < by_arrival / 2))
		return by_arrival;
	if (by_media > 0 && by_media <= FPS_MAX)
		return by_media;
	return by_arrival <= FPS_MAX ? by_arrival : 0;
}

static uint64_t
bits_per_second(uint64_t bytes, int64_t duration)
{
	if (duration <= 0)
		return 0;
	return (uint64_t)((double)bytes * 8 * SECOND / (double)duration);
}

static struct mac_address
known_mac(const struct mac_address *seen, const struct stream *stream, bool server)
{
	if (mac_is_set(seen) || !stream->announced)
		return *seen;
	return server ? stream->media.server_mac : stream->media.client_mac;
}

static void
fill_counters(struct stream_record *record, const struct stream *stream)
{
	const struct stream_sample *sample = &stream->sample;
	uint64_t wire_bytes = stream->before.wire_bytes + sample->wire_bytes;
	uint64_t expected = stream->before.expected + sample->expected;

	record->packets = stream->before.packets + sample->packets;
	record->bytes = stream->before.bytes + sample->bytes;
	record->reordered = stream->before.reordered + sample->reordered;
	/* Meters count a packet that came twice once in `packets`. */
	record->lost = expected > record->packets ? expected - record->packets : 0;
	record->bitrate = bits_per_second(wire_bytes, record->last - record->first);
}

static struct stream_record
record_of(const struct stream *stream, bool ended)
{
	const struct stream_sample *sample = &stream->sample;
	const struct stream_media *media = stream->announced ? &stream->media : NULL;
	struct stream_record record = {
		.first = stream->before.packets ? stream->before.first : sample->first,
		.last = sample->last,
		.camera = sample->source,
		.viewer = sample->destination,
		.camera_mac = known_mac(&sample->source_mac, stream, true),
		.viewer_mac = known_mac(&sample->destination_mac, stream, false),
		.vlan = sample->vlan,
		.tenant = sample->tenant,
		.transport = sample->transport,
		.codec = (uint8_t)codec_of(stream),
		.width = sample->width,
		.height = sample->height,
		.fps = frames_per_second(stream),
		.jitter_ms = sample->jitter_ms,
		.gop = sample->gop,
		.encrypted = sample->encrypted,
		.ended = ended,
	};

	if ((record.width == 0 || record.height == 0) && media != NULL) {
		record.width = media->width;
		record.height = media->height;
	}
	if (media != NULL)
		memcpy(record.path, media->path, sizeof(record.path) - 1);
	memcpy(record.id, stream->id, sizeof(record.id));
	fill_counters(&record, stream);
	return record;
}

static void
report(struct stream_table *table, struct stream *stream, bool ended)
{
	struct stream_record record;

	if (!stream->announced)
		join_media(table, stream);
	if (!is_video(stream))
		return;
	record = record_of(stream, ended);
	stream->reported = stream->sample.last;
	stream->told = true;
	table->reports++;
	table->changed(table->context, &record);
}

static void
end_stream(struct stream_table *table, struct stream *stream)
{
	report(table, stream, true);
	lru_map_remove(table->streams, stream);
	table->ended++;
}

/* ---- measured ---- */

static struct source_key
source_key_of(const struct stream_sample *sample)
{
	return (struct source_key){
		.source = sample->source.ip,
		.destination = sample->destination.ip,
		.source_port = sample->source.port,
		.destination_port = sample->destination.port,
		.vlan = sample->vlan,
		.transport = sample->transport,
		.channel = sample->channel,
		.tenant = sample->tenant,
		.ssrc = sample->ssrc,
	};
}

/* The same endpoints and source give the same id in every run. */
static void
set_id(struct stream *stream, const struct source_key *key)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = XXH3_64bits(key, sizeof(*key));

	for (int i = 0; i < STREAM_ID_SIZE - 1; i++)
		stream->id[i] = digits[hash >> (60 - 4 * i) & 15];
}

static struct stream *
find_or_start(struct stream_table *table, const struct stream_sample *sample)
{
	struct source_key key = source_key_of(sample);
	struct stream *stream = lru_map_find(table->streams, &key);

	if (stream != NULL) {
		lru_map_touch(table->streams, stream);
		return stream;
	}
	stream = lru_map_insert(table->streams, &key);
	if (stream == NULL) {
		end_stream(table, lru_map_oldest(table->streams));
		table->evicted++;
		stream = lru_map_insert(table->streams, &key);
	}
	set_id(stream, &key);
	return stream;
}

/* A meter that began after the last packet seen goes on where its predecessor was lost. */
static void
keep_before(struct stream *stream)
{
	const struct stream_sample *old = &stream->sample;

	if (stream->before.packets == 0)
		stream->before.first = old->first;
	stream->before.packets += old->packets;
	stream->before.bytes += old->bytes;
	stream->before.wire_bytes += old->wire_bytes;
	stream->before.expected += old->expected;
	stream->before.reordered += old->reordered;
}

static bool
take_sample(struct stream *stream, const struct stream_sample *sample)
{
	bool fresh = stream->sample.packets == 0;

	if (!fresh && sample->first > stream->sample.last)
		keep_before(stream);
	else if (!fresh && sample->packets < stream->sample.packets)
		return false; /* an older state of the meter, or a second one on the same packets */
	stream->sample = *sample;
	return true;
}

static bool
is_report_due(const struct stream_table *table, const struct stream *stream)
{
	const struct stream_sample *sample = &stream->sample;

	if (!stream->told)
		return sample->last - sample->first >= FIRST_REPORT_AFTER;
	return sample->last - stream->reported >= table->report_interval;
}

void
stream_table_sample(struct stream_table *table, const struct stream_sample *sample)
{
	struct stream *stream;

	table->samples_received++;
	if (sample->packets == 0)
		return;
	stream = find_or_start(table, sample);
	if (!take_sample(stream, sample))
		table->samples_stale++;
	join_media(table, stream);
	if (sample->ended)
		end_stream(table, stream);
	else if (is_report_due(table, stream))
		report(table, stream, false);
}

void
stream_table_tick(struct stream_table *table, int64_t now, bool all)
{
	struct stream *stream;
	struct media *media;

	while ((stream = lru_map_oldest(table->streams)) != NULL &&
		(all || now - stream->sample.last > table->idle_timeout))
		end_stream(table, stream);
	while ((media = lru_map_oldest(table->media)) != NULL &&
		(all || now - media->used > MEDIA_UNUSED_MAX))
		lru_map_remove(table->media, media);
}

void
stream_table_health(const struct stream_table *table, struct health_record *health)
{
	health_add(health, "streams.measured", HEALTH_GAUGE, lru_map_count(table->streams));
	health_add(health, "streams.announced", HEALTH_GAUGE, lru_map_count(table->media));
	health_add(health, "streams.media", HEALTH_COUNTER, table->media_received);
	health_add(health, "streams.samples", HEALTH_COUNTER, table->samples_received);
	health_add(health, "streams.samples_stale", HEALTH_COUNTER, table->samples_stale);
	health_add(health, "streams.reports", HEALTH_COUNTER, table->reports);
	health_add(health, "streams.ended", HEALTH_COUNTER, table->ended);
	health_add(health, "streams.evicted", HEALTH_COUNTER, table->evicted);
	health_add(health, "streams.media_evicted", HEALTH_LOSS, table->media_evicted);
}
