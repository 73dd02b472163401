/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines in a file or on stdout.
 *
 * Lines wait in a buffer until they are written. While the file takes no bytes (disk full, reader
 * gone) the buffer fills, then new events are given up; what is buffered is tried again in every
 * poll. A line that was written in part is continued where it stopped, so one torn by a full disk
 * becomes whole when there is space again. */
#include "dataplane/log.h"
#include "exporters/exporters.h"
#include "exporters/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE          (256 * 1024)
#define WAIT_FOR_READER_MS   50 /* a pipe whose reader is slow */
#define ROTATION_INTERVAL_MS 100
#define FILE_MODE            0640

struct exporter_instance {
	const char *path;
	const struct exporter_run *run;
	struct exporter_counters *counters;
	int fd;
	bool is_stdout;
	bool ends_torn; /* the file's last line is incomplete and not ours to continue */
	int failure;    /* errno of the last failed write, 0: writes succeed */
	uint64_t lost;  /* since writes began to fail */
	int64_t next_rotation_check;
	size_t used;     /* bytes in the buffer, whole lines from its start */
	size_t sent;     /* of these, bytes written */
	size_t capacity; /* grows only for a line longer than the buffer */
	char *buffer;
};

static bool
file_enabled(const struct config *config)
{
	return config->export.file.enabled;
}

static bool
file_accepts(const struct config *config, enum event_dataset dataset)
{
	return config->export.file.datasets[dataset];
}

/* A crash in mid-write leaves a line without its end: the next line must not be joined to it. */
static bool
last_line_is_torn(const char *path, int fd)
{
	struct stat status;
	char last;
	int reader;
	bool torn;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
		return false;
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return false;
	torn = pread(reader, &last, 1, status.st_size - 1) == 1 && last != '\n';
	close(reader);
	return torn;
}

/* Not for reading too: a pipe would then be its own reader and never report that the other is gone.
 * Not blocking: a pipe that nobody reads must not hold the shutdown up. */
static int
open_path(struct exporter_instance *file)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		FILE_MODE);

	if (fd < 0)
		return -errno;
	file->fd = fd;
	file->ends_torn = last_line_is_torn(file->path, fd);
	if (file->ends_torn)
		log_warning("file: %s ends in an incomplete line; it stays, on a line of its own",
			file->path);
	return 0;
}

static struct exporter_instance *
file_open(const struct config *config, const struct exporter_run *run,
	struct exporter_counters *counters, char *error, size_t error_size)
{
	struct exporter_instance *file = calloc(1, sizeof(*file));
	int failure = -ENOMEM;

	if (file != NULL) {
		file->path = config->export.file.path;
		file->run = run;
		file->counters = counters;
		file->fd = -1;
		file->is_stdout = strcmp(file->path, "-") == 0;
		file->capacity = BUFFER_SIZE;
		file->buffer = malloc(file->capacity);
		if (file->buffer != NULL)
			failure = file->is_stdout ? 0 : open_path(file);
		if (file->is_stdout)
			file->fd = STDOUT_FILENO;
	}
	if (failure == 0)
		return file;
	snprintf(error, error_size,
		"export.file.path: cannot write %s: %s; choose a path that can be written",
		config->export.file.path, strerror(-failure));
	if (file != NULL)
		free(file->buffer);
	free(file);
	return NULL;
}

static uint64_t
count_lines(const char *bytes, size_t length)
{
	const char *end = bytes + length;
	uint64_t lines = 0;

	while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		lines++;
		bytes++;
	}
	return lines;
}

static void
note_failure(struct exporter_instance *file, int failure)
{
	if (failure == file->failure)
		return;
	file->failure = failure;
	log_error("file: cannot write %s: %s; %u KiB are kept, later events are lost until it can "
		  "be written again",
		file->path, strerror(failure), BUFFER_SIZE / 1024);
}

static void
note_success(struct exporter_instance *file)
{
	if (file->failure == 0)
		return;
	file->failure = 0;
	log_info("file: %s is written again; %llu events were lost", file->path,
		(unsigned long long)file->lost);
	file->lost = 0;
	counter_add(&file->counters->reconnects, 1);
}

/* Waits a little for a slow reader of a pipe; false: still no room. */
static bool
wait_for_reader(const struct exporter_instance *file)
{
	struct pollfd ready = {.fd = file->fd, .events = POLLOUT};

	return poll(&ready, 1, WAIT_FOR_READER_MS) > 0;
}

/* Writes some of `length` bytes. Returns their number, or -errno. */
static ssize_t
write_some(const struct exporter_instance *file, const char *bytes, size_t length)
{
	for (;;) {
		ssize_t written = write(file->fd, bytes, length);

		if (written > 0)
			return written;
		if (written == 0)
			return -ENOSPC;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || !wait_for_reader(file))
			return -errno;
	}
}

static int
end_torn_line(struct exporter_instance *file)
{
	ssize_t written;

	if (!file->ends_torn)
		return 0;
	written = write_some(file, "\n", 1);
	if (written < 0)
		return (int)written;
	file->ends_torn = false;
	return 0;
}

/* Drops the lines that are written as a whole; keeps the start of one written in part, because a
 * rotation may make it necessary to write that line anew. */
static void
drop_sent(struct exporter_instance *file)
{
	const char *newline = memrchr(file->buffer, '\n', file->sent);
	size_t whole = newline != NULL ? (size_t)(newline - file->buffer) + 1 : 0;

	memmove(file->buffer, file->buffer + whole, file->used - whole);
	file->used -= whole;
	file->sent -= whole;
}

/* Writes what is buffered, as far as the file takes it. Returns 0, or -errno. */
static int
write_buffered(struct exporter_instance *file)
{
	int failure = file->sent < file->used ? end_torn_line(file) : 0;

	while (failure == 0 && file->sent < file->used) {
		const char *from = file->buffer + file->sent;
		ssize_t written = write_some(file, from, file->used - file->sent);

		if (written < 0) {
			failure = (int)written;
			break;
		}
		file->sent += (size_t)written;
		counter_add(&file->counters->delivered, count_lines(from, (size_t)written));
		note_success(file);
	}
	drop_sent(file);
	if (failure != 0 && failure != -EAGAIN)
		note_failure(file, -failure);
	return failure;
}

static bool
has_room(const struct exporter_instance *file, size_t needed)
{
	return file->used + needed <= file->capacity;
}

/* Makes room for a line. An EAGAIN is a reader that is slow, not dead: worth waiting for. */
static bool
make_room(struct exporter_instance *file, size_t needed)
{
	int failure = 0;

	while (!has_room(file, needed)) {
		char *larger;

		if (failure != 0 && failure != -EAGAIN)
			return false;
		if (failure == -EAGAIN && monotonic_now() > file->run->deadline)
			return false;
		failure = write_buffered(file);
		if (file->used == 0 && needed > file->capacity) {
			larger = realloc(file->buffer, needed);
			if (larger == NULL)
				return false;
			file->buffer = larger;
			file->capacity = needed;
		}
	}
	return true;
}

static bool
file_write(struct exporter_instance *file, const struct exported_event *event)
{
	size_t length = event->json_length + 1;

	if (!make_room(file, length)) {
		file->lost++;
		counter_add(&file->counters->failed, 1);
		return false;
	}
	memcpy(file->buffer + file->used, event->json, event->json_length);
	file->buffer[file->used + length - 1] = '\n';
	file->used += length;
	return true;
}

static bool
was_rotated(const struct exporter_instance *file)
{
	struct stat ours, current;

	if (fstat(file->fd, &ours) != 0)
		return false;
	if (stat(file->path, &current) != 0)
		return errno == ENOENT;
	return ours.st_dev != current.st_dev || ours.st_ino != current.st_ino;
}

/* After logrotate has moved the file away, its successor is opened. */
static void
follow_rotation(struct exporter_instance *file)
{
	int old = file->fd, failure;

	if (file->is_stdout || monotonic_now() < file->next_rotation_check)
		return;
	file->next_rotation_check = monotonic_in_ms(ROTATION_INTERVAL_MS);
	if (!was_rotated(file))
		return;
	write_buffered(file);
	failure = open_path(file);
	if (failure != 0) {
		note_failure(file, -failure);
		return;
	}
	file->sent = 0; /* the rest of a partly written line would be torn here: write it anew */
	close(old);
	log_info("file: %s was rotated, opened anew", file->path);
}

static void
file_poll(struct exporter_instance *file)
{
	follow_rotation(file);
	write_buffered(file);
}

static uint64_t
file_flush(struct exporter_instance *file, int timeout_ms)
{
	int64_t deadline = monotonic_in_ms(timeout_ms);
	int failure;
	uint64_t left;

	do {
		failure = write_buffered(file);
	} while (failure == -EAGAIN && monotonic_now() < deadline);
	left = count_lines(file->buffer, file->used);
	if (left > 0) {
		counter_add(&file->counters->failed, left);
		if (failure == -EAGAIN) /* other causes were told when they came up */
			log_error("file: the reader of %s did not take everything in time",
				file->path);
	}
	/* Best effort: fails on pipes and terminals, which have nothing to keep. */
	if (!file->is_stdout && fdatasync(file->fd) != 0 && errno != EINVAL && errno != EROFS)
		log_error("file: %s may be incomplete after a power failure: %s", file->path,
			strerror(errno));
	return left;
}

static void
file_close(struct exporter_instance *file)
{
	if (!file->is_stdout)
		close(file->fd);
	free(file->buffer);
	free(file);
}

const struct exporter file_exporter = {
	.name = "file",
	.figures = EXPORTER_FIGURES("file"),
	.enabled = file_enabled,
	.accepts = file_accepts,
	.open = file_open,
	.write = file_write,
	.poll = file_poll,
	.flush = file_flush,
	.close = file_close,
};
