/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what classifiers report, for tests to ask about. */
#ifndef CAMSPAN_TESTS_SESSION_RECORD_H
#define CAMSPAN_TESTS_SESSION_RECORD_H

#include "classifiers/classifier.h"

#include <string.h>

#define RECORDED_MAX 512

struct session_record {
	size_t evidence_count, media_count, sample_count;
	struct evidence evidence[RECORDED_MAX];
	struct stream_media media[RECORDED_MAX];
	struct stream_sample samples[RECORDED_MAX];
};

static inline bool
record_evidence(void *context, const struct evidence *evidence)
{
	struct session_record *record = context;

	if (record->evidence_count < RECORDED_MAX)
		record->evidence[record->evidence_count++] = *evidence;
	return true;
}

static inline void
record_media(void *context, const struct stream_media *media)
{
	struct session_record *record = context;

	if (record->media_count < RECORDED_MAX)
		record->media[record->media_count++] = *media;
}

static inline void
record_sample(void *context, const struct stream_sample *sample)
{
	struct session_record *record = context;

	if (record->sample_count < RECORDED_MAX)
		record->samples[record->sample_count++] = *sample;
}

static inline struct report_sink
record_sink(struct session_record *record)
{
	memset(record, 0, sizeof(*record));
	return (struct report_sink){record, record_evidence, record_media, record_sample};
}

/* The first fact of that kind about the address, NULL if there is none. */
static inline const char *
recorded(
	const struct session_record *record, const char *address, enum evidence_attribute attribute)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < record->evidence_count; i++)
		if (record->evidence[i].attribute == attribute &&
			strcmp(ip_format(&record->evidence[i].subject.ip, text), address) == 0)
			return record->evidence[i].value;
	return NULL;
}

static inline bool
recorded_is(const struct session_record *record, const char *address,
	enum evidence_attribute attribute, const char *value)
{
	const char *found = recorded(record, address, attribute);

	return found != NULL && strcmp(found, value) == 0;
}

/* Is the text in any value or path? For what must never be there. */
static inline bool
recorded_anywhere(const struct session_record *record, const char *text)
{
	for (size_t i = 0; i < record->evidence_count; i++)
		if (strstr(record->evidence[i].value, text))
			return true;
	for (size_t i = 0; i < record->media_count; i++)
		if (strstr(record->media[i].path, text))
			return true;
	return false;
}

#endif
