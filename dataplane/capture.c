/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/capture.h"

#include "dataplane/pcap_file.h"
#include "dataplane/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct capture {
	struct byte_window window;
	struct pcapng *pcapng; /* NULL: a pcap file */
	struct pcap_file pcap;
	gzFile unpacked; /* of a gzip file, whose descriptor it owns; else NULL */
	int descriptor;  /* of a plain file, else -1 */
	uint64_t count;
	int state; /* what capture_burst() goes on returning: 1 while there may be more */
	char path[256];
	char error[CAPTURE_ERROR_SIZE];
};

static ssize_t
read_plain(void *context, void *to, size_t size)
{
	const struct capture *capture = context;

	return read(capture->descriptor, to, size);
}

static ssize_t
read_gzip(void *context, void *to, size_t size)
{
	struct capture *capture = context;
	int got = gzread(capture->unpacked, to, (unsigned)(size < INT32_MAX ? size : INT32_MAX));
	int status = Z_OK;

	/* A cut file looks like its end, but for this. */
	if (got == 0)
		gzerror(capture->unpacked, &status);
	if (got >= 0 && status == Z_OK)
		return got;
	errno = EIO;
	return -1;
}

/* NULL, or why the file is no source of packets. Takes the descriptor over. */
static const char *
use_file(struct capture *capture, int descriptor)
{
	struct stat status;
	uint8_t magic[2];

	capture->descriptor = descriptor;
	if (fstat(descriptor, &status) != 0)
		return "cannot be looked at";
	if (S_ISDIR(status.st_mode))
		return "is a directory";
	if (!S_ISREG(status.st_mode))
		return NULL;
	if (status.st_size == 0)
		return "is empty: not even a capture file's header";
	if (lseek(descriptor, 0, SEEK_CUR) != 0 || pread(descriptor, magic, 2, 0) != 2 ||
		magic[0] != 0x1f || magic[1] != 0x8b)
		return NULL;
	capture->unpacked = gzdopen(descriptor, "rb");
	if (capture->unpacked == NULL)
		return "cannot be unpacked";
	capture->descriptor = -1;
	return NULL;
}

/* Gives the window to the reader of its format: 0, or -EIO with the reason. */
static int
open_reader(struct capture *capture, char *reason)
{
	const uint8_t *first = byte_window_peek(&capture->window, 1);

	/* Not to be asked again: a signal may have ended the wait for a pipe. */
	if (first == NULL)
		return byte_window_refused(
			&capture->window, "its header", 1, reason, CAPTURE_REASON_SIZE);
	if (*first != PCAPNG_FIRST_BYTE) {
		if (pcap_file_open(&capture->pcap, &capture->window) == 0)
			return 0;
		memcpy(reason, capture->pcap.reason, sizeof(capture->pcap.reason));
		return -EIO;
	}
	capture->pcapng = pcapng_open(&capture->window, reason);
	return capture->pcapng ? 0 : -EIO;
}

/* What zlib says of a broken gzip file is more than that it cannot be read. */
static void
tell_of_gzip(const struct capture *capture, char *reason, size_t size)
{
	const char *words, *colon;
	int status;

	if (capture->unpacked == NULL)
		return;
	words = gzerror(capture->unpacked, &status);
	colon = strrchr(words, ':'); /* behind the number of the descriptor */
	if (status != Z_OK && status != Z_ERRNO)
		snprintf(reason, size, "gzip:%s", colon ? colon + 1 : words);
}

static struct capture *
create(const char *path, char *error)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture == NULL) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s: out of memory", path);
		return NULL;
	}
	capture->descriptor = -1;
	capture->state = 1;
	snprintf(capture->path, sizeof(capture->path), "%s", path);
	return capture;
}

static struct capture *
refuse(struct capture *capture, const char *why, char *error)
{
	snprintf(error, CAPTURE_ERROR_SIZE, "%s: %s", capture->path, why);
	capture_close(capture);
	return NULL;
}

static struct capture *
begin(struct capture *capture, byte_window_read *read, void *context, char *error)
{
	static const char unreadable[] = "not a readable capture: ";
	char reason[sizeof(unreadable) + CAPTURE_REASON_SIZE];

	if (byte_window_init(&capture->window, read, context) != 0)
		return refuse(capture, "out of memory", error);
	memcpy(reason, unreadable, sizeof(unreadable));
	if (open_reader(capture, reason + sizeof(unreadable) - 1) != 0) {
		tell_of_gzip(capture, reason + sizeof(unreadable) - 1, CAPTURE_REASON_SIZE);
		return refuse(capture, reason, error);
	}
	return capture;
}

struct capture *
capture_open_stream(const char *name, byte_window_read *read, void *context, char *error)
{
	struct capture *capture = create(name, error);

	return capture ? begin(capture, read, context, error) : NULL;
}

struct capture *
capture_open(const char *path, char *error)
{
	struct capture *capture = create(path, error);
	const char *why;
	int descriptor;

	if (capture == NULL)
		return NULL;
	descriptor = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					    : open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return refuse(capture, strerror(errno), error);
	why = use_file(capture, descriptor);
	if (why)
		return refuse(capture, why, error);
	return begin(capture, capture->unpacked ? read_gzip : read_plain, capture, error);
}

static int
next_packet(struct capture *capture, struct frame_view *packet)
{
	if (capture->pcapng)
		return pcapng_next(capture->pcapng, packet);
	return pcap_file_next(&capture->pcap, packet);
}

static void
fail(struct capture *capture)
{
	char reason[CAPTURE_REASON_SIZE];

	snprintf(reason, sizeof(reason), "%s",
		capture->pcapng ? pcapng_reason(capture->pcapng) : capture->pcap.reason);
	tell_of_gzip(capture, reason, sizeof(reason));
	snprintf(capture->error, sizeof(capture->error), "%s: packet %llu: %s", capture->path,
		(unsigned long long)capture->count + 1, reason);
}

int
capture_burst(struct capture *capture, struct frame_view *packets, unsigned max)
{
	unsigned count = 0;
	int result = 1;

	if (capture->state != 1)
		return capture->state;
	while (count < max && (result = next_packet(capture, &packets[count])) == 1) {
		if (packets[count].captured > CAPTURE_FRAME_MAX)
			packets[count].captured = CAPTURE_FRAME_MAX;
		count++;
		capture->window.held = true; /* until the next burst */
	}
	capture->window.held = false;
	capture->count += count;
	if (result != 1 && result != -EAGAIN) {
		capture->state = result;
		if (result < 0)
			fail(capture);
	}
	return count > 0 ? (int)count : capture->state;
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
	pcapng_free(capture->pcapng);
	byte_window_free(&capture->window);
	if (capture->unpacked)
		gzclose(capture->unpacked);
	if (capture->descriptor >= 0)
		close(capture->descriptor);
	free(capture);
}
