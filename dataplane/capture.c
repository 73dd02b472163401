/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/capture.h"

#include "dataplane/pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BUFFER_SIZE       (256 * 1024)
#define NANOSECONDS_PER_SECOND INT64_C(1000000000)

struct capture {
	pcap_t *pcap; /* of a pcap file, which it owns; else NULL */
	enum link_type link;
	struct pcapng *pcapng; /* of a pcapng file, which is `file`; else NULL */
	FILE *file;
	char *read_buffer; /* of the file, unless it is stdin */
	uint64_t count;
	int state; /* what capture_next() goes on returning: 1 while there may be more */
	char path[256];
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

static void
close_file(FILE *file)
{
	if (file != stdin)
		fclose(file);
}

/* The C library takes a size for the buffer only with the buffer; else it reads 4 KiB at a time.
 * Nor does it know that one thread alone reads. */
static void
set_up_buffer(struct capture *capture, FILE *file)
{
	__fsetlocking(file, FSETLOCKING_BYCALLER);
	if (file == stdin)
		return;
	capture->read_buffer = malloc(READ_BUFFER_SIZE);
	if (capture->read_buffer != NULL)
		setvbuf(file, capture->read_buffer, _IOFBF, READ_BUFFER_SIZE);
}

/* Gives `file` to the reader of its format, or closes it. */
static bool
open_reader(struct capture *capture, FILE *file, char *reason)
{
	int first = getc(file);

	ungetc(first, file);
	if (first == PCAPNG_FIRST_BYTE) {
		capture->file = file;
		capture->pcapng = pcapng_open(file, reason);
	} else {
		capture->pcap = pcap_fopen_offline_with_tstamp_precision(
			file, PCAP_TSTAMP_PRECISION_NANO, reason);
	}
	if (capture->pcapng != NULL)
		return true;
	if (capture->pcap == NULL) {
		close_file(file);
		return false;
	}
	capture->link = link_of_dlt(pcap_datalink(capture->pcap));
	return true;
}

struct capture *
capture_open(const char *path, char *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	/* Room for the reason of either reader. */
	char reason[CAPTURE_ERROR_SIZE + PCAP_ERRBUF_SIZE] = "";
	const char *why = NULL;
	FILE *file = stdin;

	if (capture == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: out of memory", path);
		return NULL;
	}
	if (strcmp(path, "-") != 0)
		file = open_file(path, &why);
	if (file == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: %s", path, why);
		free(capture);
		return NULL;
	}
	set_up_buffer(capture, file);
	if (!open_reader(capture, file, reason)) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: not a readable capture: %s", path, reason);
		free(capture->read_buffer);
		free(capture);
		return NULL;
	}
	capture->state = 1;
	snprintf(capture->path, sizeof(capture->path), "%s", path);
	return capture;
}

/* Time stamps are hostile too: a fraction may be over a second. */
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

static int
next_of_pcap(struct capture *capture, struct capture_packet *packet)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int result = pcap_next_ex(capture->pcap, &header, &data);

	if (result == PCAP_ERROR_BREAK)
		return 0;
	if (result != 1)
		return -EIO;
	packet->data = data;
	packet->captured = header->caplen;
	packet->wire_length = header->len > header->caplen ? header->len : header->caplen;
	packet->time = time_of(&header->ts); /* tv_usec holds nanoseconds */
	packet->link = capture->link;
	return 1;
}

int
capture_next(struct capture *capture, struct capture_packet *packet)
{
	if (capture->state != 1)
		return capture->state;
	capture->state = capture->pcapng ? pcapng_next(capture->pcapng, packet)
					 : next_of_pcap(capture, packet);
	if (capture->state == 1)
		capture->count++;
	else if (capture->state < 0)
		snprintf(capture->error, sizeof(capture->error), "%s: packet %llu: %s",
			capture->path, (unsigned long long)capture->count + 1,
			capture->pcapng ? pcapng_reason(capture->pcapng)
					: pcap_geterr(capture->pcap));
	return capture->state;
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

uint64_t
capture_lost(const struct capture *capture)
{
	return capture->pcapng ? pcapng_lost(capture->pcapng) : 0;
}

void
capture_close(struct capture *capture)
{
	if (capture == NULL)
		return;
	if (capture->pcapng) {
		pcapng_free(capture->pcapng);
		close_file(capture->file);
	} else {
		pcap_close(capture->pcap);
	}
	free(capture->read_buffer); /* after the file that uses it */
	free(capture);
}
