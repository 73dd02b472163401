/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BUFFER_SIZE       (256 * 1024)
#define NANOSECONDS_PER_SECOND INT64_C(1000000000)

struct capture {
	pcap_t *pcap;
	enum link_type link;
	uint64_t count;
	int state; /* what capture_next() goes on returning: 1 while there may be more */
	char path[256];
	char link_name[32];
	char error[CAPTURE_ERROR_SIZE];
};

static enum link_type
link_of_dlt(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
		return LINK_ETHERNET;
	case DLT_LINUX_SLL:
		return LINK_LINUX_COOKED_V1;
	case DLT_LINUX_SLL2:
		return LINK_LINUX_COOKED_V2;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return LINK_RAW_IP;
	default:
		return LINK_UNSUPPORTED;
	}
}

static ssize_t
gzip_read(void *cookie, char *buffer, size_t size)
{
	int got = gzread(cookie, buffer, (unsigned)(size < INT32_MAX ? size : INT32_MAX));
	int status = Z_OK;

	if (got == 0)
		gzerror(cookie, &status); /* a cut file looks like its end, but for this */
	if (got >= 0 && status == Z_OK)
		return got;
	errno = EIO;
	return -1;
}

static int
gzip_close(void *cookie)
{
	return gzclose(cookie) == Z_OK ? 0 : EOF;
}

/* A stream of the unpacked bytes. Takes `packed` over. */
static FILE *
open_gzip(FILE *packed)
{
	cookie_io_functions_t functions = {.read = gzip_read, .close = gzip_close};
	int descriptor = dup(fileno(packed));
	gzFile unpacked;
	FILE *file;

	fclose(packed);
	if (descriptor < 0)
		return NULL;
	lseek(descriptor, 0, SEEK_SET); /* shared with `packed`, which had read ahead */
	unpacked = gzdopen(descriptor, "rb");
	if (unpacked == NULL) {
		close(descriptor);
		return NULL;
	}
	file = fopencookie(unpacked, "rb", functions);
	if (file == NULL)
		gzclose(unpacked);
	return file;
}

/* Opens `path`, unpacked if it is gzip. NULL with a reason. */
static FILE *
open_file(const char *path, const char **reason)
{
	struct stat status;
	FILE *file = fopen(path, "rb");
	int first, second;

	*reason = NULL;
	if (file == NULL) {
		*reason = strerror(errno);
		return NULL;
	}
	if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
		*reason = "is a directory";
	} else if (S_ISREG(status.st_mode) && status.st_size == 0) {
		*reason = "is empty: not even a capture file's header";
	} else if (S_ISREG(status.st_mode)) {
		first = getc(file);
		second = getc(file);
		rewind(file);
		if (first == 0x1f && second == 0x8b) {
			file = open_gzip(file);
			*reason = file ? NULL : "cannot be unpacked";
		}
	}
	if (*reason != NULL && file != NULL) {
		fclose(file);
		return NULL;
	}
	return file;
}

static pcap_t *
open_pcap(const char *path, char *error)
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	const char *why;
	pcap_t *pcap;
	FILE *file = stdin;

	if (strcmp(path, "-") != 0)
		file = open_file(path, &why);
	if (file == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: %s", path, why);
		return NULL;
	}
	setvbuf(file, NULL, _IOFBF, READ_BUFFER_SIZE);
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (pcap == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: not a readable capture: %s", path, reason);
		if (file != stdin)
			fclose(file);
	}
	return pcap;
}

struct capture *
capture_open(const char *path, char *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	const char *name;
	int dlt;

	if (capture == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: out of memory", path);
		return NULL;
	}
	capture->pcap = open_pcap(path, error);
	if (capture->pcap == NULL) {
		free(capture);
		return NULL;
	}
	dlt = pcap_datalink(capture->pcap);
	name = pcap_datalink_val_to_name(dlt);
	capture->link = link_of_dlt(dlt);
	capture->state = 1;
	snprintf(capture->path, sizeof(capture->path), "%s", path);
	if (name != NULL)
		snprintf(capture->link_name, sizeof(capture->link_name), "%s", name);
	else
		snprintf(capture->link_name, sizeof(capture->link_name), "DLT %d", dlt);
	return capture;
}

/* Time stamps are hostile too: pcapng has 64 bits of any unit, pcap a fraction over a second. */
static int64_t
time_of(const struct timeval *stamp)
{
	int64_t time;

	if (__builtin_mul_overflow((int64_t)stamp->tv_sec, NANOSECONDS_PER_SECOND, &time) ||
		__builtin_add_overflow(time, (int64_t)stamp->tv_usec, &time))
		return stamp->tv_sec < 0 ? 0 : CAPTURE_TIME_MAX;
	if (time < 0)
		return 0;
	return time < CAPTURE_TIME_MAX ? time : CAPTURE_TIME_MAX;
}

int
capture_next(struct capture *capture, struct capture_packet *packet)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int result;

	if (capture->state != 1)
		return capture->state;
	result = pcap_next_ex(capture->pcap, &header, &data);
	if (result == 1) {
		capture->count++;
		packet->data = data;
		packet->captured = header->caplen;
		packet->wire_length = header->len > header->caplen ? header->len : header->caplen;
		packet->time = time_of(&header->ts); /* tv_usec holds nanoseconds */
		packet->link = capture->link;
		return 1;
	}
	if (result == PCAP_ERROR_BREAK) {
		capture->state = 0;
		return 0;
	}
	snprintf(capture->error, sizeof(capture->error), "%s: packet %llu: %s", capture->path,
		(unsigned long long)capture->count + 1, pcap_geterr(capture->pcap));
	capture->state = -EIO;
	return -EIO;
}

const char *
capture_error(const struct capture *capture)
{
	return capture->error;
}

uint64_t
capture_count(const struct capture *capture)
{
	return capture->count;
}

enum link_type
capture_link(const struct capture *capture)
{
	return capture->link;
}

const char *
capture_link_name(const struct capture *capture)
{
	return capture->link_name;
}

void
capture_close(struct capture *capture)
{
	if (capture == NULL)
		return;
	pcap_close(capture->pcap);
	free(capture);
}
