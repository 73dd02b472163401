/* SPDX-License-Identifier: Apache-2.0 */
#include "config/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARENTS_MAX 4 /* of the executable, up to the root of a source tree */

static void
host_name(char *name, size_t size)
{
	if (gethostname(name, size) != 0 || name[0] == '\0')
		snprintf(name, size, "sensor");
	name[size - 1] = '\0';
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
}

/* A program run from a build directory inside the source tree uses that tree's data, not those of
 * an older installation. */
static bool
find_in_source_tree(char *directory, size_t size)
{
	char program[CONFIG_PATH_SIZE], mark[CONFIG_PATH_SIZE + 32];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length <= 0)
		return false;
	program[length] = '\0';
	for (int i = 0; i <= PARENTS_MAX; i++) {
		char *slash = strrchr(program, '/');

		if (slash == NULL || slash == program)
			return false;
		*slash = '\0';
		snprintf(mark, sizeof(mark), "%s/config/camspan.yaml", program);
		if (access(mark, R_OK) != 0)
			continue;
		snprintf(mark, sizeof(mark), "%s/meson.build", program);
		if (access(mark, R_OK) != 0 || strlen(program) + sizeof("/config") > size)
			continue;
		snprintf(directory, size, "%.*s/config", (int)(size - sizeof("/config")), program);
		return true;
	}
	return false;
}

static void
data_directory(char *directory, size_t size)
{
	const char *chosen = getenv("CAMSPAN_DATA");

	if (chosen && chosen[0] && strlen(chosen) < size)
		snprintf(directory, size, "%s", chosen);
	else if (!find_in_source_tree(directory, size))
		snprintf(directory, size, "%s", CAMSPAN_DATA_DIRECTORY);
}

void
place_fill_in(struct config *config)
{
	if (config->sensor_name[0] == '\0')
		host_name(config->sensor_name, sizeof(config->sensor_name));
	if (config->data_directory[0] == '\0')
		data_directory(config->data_directory, sizeof(config->data_directory));
}
