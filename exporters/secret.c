/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
secret_read(const char *path, char *secret, size_t secret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int failure = 0;

	if (fd < 0)
		return -errno;
	length = read(fd, secret, secret_size);
	if (length < 0)
		failure = -errno;
	close(fd);
	if (failure != 0)
		return failure;
	if ((size_t)length == secret_size)
		failure = -EMSGSIZE;
	secret[failure ? 0 : length] = '\0';
	secret[strcspn(secret, "\r\n")] = '\0';
	if (failure == 0 && secret[0] == '\0')
		failure = -ENODATA;
	return failure;
}
