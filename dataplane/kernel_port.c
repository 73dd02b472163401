/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kernel_port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define AF_PACKET_DRIVER "net_af_packet"
#define DEFAULT_FRAME    2048
#define PAGE             4096
/* In front of a frame in its slot: struct tpacket2_hdr and sockaddr_ll, aligned, and room for the
 * link header that the MTU does not count, two VLAN tags included. */
#define SLOT_OVERHEAD 128
/* A larger MTU (loopback) is cut: packet buffers of that size would cost more than they are worth.
 */
#define FRAME_MAX 16384

/* The value of `key` among the comma-separated arguments, or NULL; `*length` is its length. */
static const char *
argument(const char *device, const char *key, size_t *length)
{
	size_t key_length = strlen(key);

	for (const char *at = strchr(device, ','); at; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, key_length) == 0 && at[key_length] == '=') {
			at += key_length + 1;
			*length = strcspn(at, ",");
			return at;
		}
	}
	return NULL;
}

static bool
has(const char *device, const char *key)
{
	size_t length;

	return argument(device, key, &length) != NULL;
}

static bool
is_af_packet(const char *device)
{
	return strncmp(device, AF_PACKET_DRIVER, strlen(AF_PACKET_DRIVER)) == 0;
}

/* False: the string names none, or one that is too long for the kernel. */
static bool
interface_name(const char *device, char name[IF_NAMESIZE])
{
	size_t length;
	const char *value = argument(device, "iface", &length);

	if (value == NULL)
		value = argument(device, "rx_iface", &length);
	if (value == NULL || length == 0 || length >= IF_NAMESIZE)
		return false;
	snprintf(name, IF_NAMESIZE, "%.*s", (int)length, value);
	return true;
}

bool
kernel_port_is(const char *device)
{
	return has(device, "iface") || has(device, "rx_iface");
}

int
kernel_port_check(const char *device, char *error, size_t error_size)
{
	char name[IF_NAMESIZE];
	int fd;

	if (!interface_name(device, name)) {
		snprintf(error, error_size, "port %s: iface must name an interface", device);
		return -1;
	}
	if (if_nametoindex(name) == 0) {
		snprintf(error, error_size, "port %s: there is no interface %s", device, name);
		return -1;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		snprintf(error, error_size,
			"port %s: packets may not be captured (%s): run as root or with "
			"CAP_NET_RAW",
			device, strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

/* Asks the kernel about the interface of a device string. */
static bool
ask_interface(const char *device, unsigned long request, struct ifreq *answer)
{
	int fd;
	bool answered;

	*answer = (struct ifreq){0};
	if (!interface_name(device, answer->ifr_name))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	answered = ioctl(fd, request, answer) == 0;
	close(fd);
	return answered;
}

bool
kernel_port_is_promiscuous(const char *device)
{
	struct ifreq answer;

	return ask_interface(device, SIOCGIFFLAGS, &answer) && (answer.ifr_flags & IFF_PROMISC);
}

static unsigned
interface_mtu(const char *device)
{
	struct ifreq answer;

	return ask_interface(device, SIOCGIFMTU, &answer) ? (unsigned)answer.ifr_mtu : 0;
}

/* Two usual frames fill a block of one page; larger ones have a block each, so that any number of
 * frames makes whole blocks, which the kernel insists on. */
static int
ring_geometry(const char *device, char *text, size_t size)
{
	unsigned frame = interface_mtu(device) + SLOT_OVERHEAD;

	if (has(device, "framesz") || has(device, "blocksz") || frame <= DEFAULT_FRAME)
		return 0;
	frame = (frame + PAGE - 1) / PAGE * PAGE;
	if (frame > FRAME_MAX)
		frame = FRAME_MAX;
	return snprintf(text, size, ",blocksz=%u,framesz=%u", frame, frame);
}

int
kernel_port_complete(
	const char *device, unsigned descriptors, unsigned workers, char *completed, size_t size)
{
	char ring[64] = "", frames[32] = "", queues[32] = "";
	int length;

	if (is_af_packet(device)) {
		ring_geometry(device, ring, sizeof(ring));
		/* Even: of two frames a block. */
		if (!has(device, "framecnt"))
			snprintf(frames, sizeof(frames), ",framecnt=%u", (descriptors + 1) & ~1u);
		if (!has(device, "qpairs") && workers > 1)
			snprintf(queues, sizeof(queues), ",qpairs=%u", workers);
	}
	length = snprintf(completed, size, "%s%s%s%s", device, ring, frames, queues);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

unsigned
kernel_port_buffer(const char *completed)
{
	size_t length;
	const char *value = argument(completed, "framesz", &length);
	unsigned long frame;

	if (!is_af_packet(completed) || value == NULL)
		return 0;
	frame = strtoul(value, NULL, 10);
	return frame > FRAME_MAX ? FRAME_MAX : (unsigned)frame;
}

static bool
is_packet_socket_of(int fd, int index)
{
	struct sockaddr_ll address;
	socklen_t length = sizeof(address);
	int domain = 0;
	socklen_t domain_length = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_length) != 0 ||
		domain != AF_PACKET)
		return false;
	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       address.sll_ifindex == index;
}

void
kernel_sockets_find(struct kernel_sockets *sockets, const char *device)
{
	char name[IF_NAMESIZE];
	struct dirent *entry;
	int index;
	DIR *directory;

	sockets->count = 0;
	sockets->dropped = 0;
	/* libpcap counts for itself, and a socket's counters are for one reader. */
	if (!is_af_packet(device) || !interface_name(device, name))
		return;
	index = (int)if_nametoindex(name);
	directory = opendir("/proc/self/fd");
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL && sockets->count < KERNEL_PORT_SOCKETS_MAX) {
		int fd = atoi(entry->d_name); /* "." and "..": 0, no packet socket */

		if (is_packet_socket_of(fd, index))
			sockets->fds[sockets->count++] = fd;
	}
	closedir(directory);
}

void
kernel_sockets_count(struct kernel_sockets *sockets)
{
	for (unsigned i = 0; i < sockets->count; i++) {
		struct tpacket_stats stats;
		socklen_t length = sizeof(stats);

		/* Reading sets the kernel's counters back to zero. */
		if (getsockopt(sockets->fds[i], SOL_PACKET, PACKET_STATISTICS, &stats, &length) ==
			0)
			sockets->dropped += stats.tp_drops;
	}
}

/* The n-th value of a line of values, 0 where there is none. */
static uint64_t
value_at(const char *line, unsigned position)
{
	while (position-- > 0) {
		line = strchr(line, ' ');
		if (line == NULL)
			return 0;
		line++;
	}
	return strtoull(line, NULL, 10);
}

/* /proc/net/snmp: a line "Ip: names" and below it "Ip: values" in the same order. */
static unsigned
position_of(const char *names, const char *name)
{
	const char *at = strstr(names, name);
	unsigned position = 0;

	for (const char *c = names; at && c < at; c++)
		position += *c == ' ';
	return position;
}

uint64_t
kernel_fragments_held(void)
{
	char names[1024], values[1024];
	FILE *file = fopen("/proc/self/net/snmp", "r");
	uint64_t taken = 0, made = 0;

	if (file == NULL)
		return 0;
	if (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file) &&
		strncmp(names, "Ip:", 3) == 0) {
		taken = value_at(values, position_of(names, "ReasmReqds"));
		made = value_at(values, position_of(names, "ReasmOKs"));
	}
	fclose(file);
	return taken > made ? taken - made : 0;
}
