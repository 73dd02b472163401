# SPDX-License-Identifier: Apache-2.0
"""Network time (RFC 5905), enough for one exchange. Usage: ntp.py serve ADDRESS | ask SERVER"""
import socket
import struct
import sys
import time

UNIX_TO_NTP = 2208988800


def timestamp(now):
    return struct.pack("!II", int(now) + UNIX_TO_NTP, int(now % 1 * 2**32))


def serve(address):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 123))
    while True:
        request, client = udp.recvfrom(512)
        if len(request) < 48:
            continue
        received = timestamp(time.time())
        # Leap 0, version 4, mode 4 (server), stratum 2, poll 6, precision 2^-20.
        head = struct.pack("!BBbb", 0x24, 2, 6, -20) + struct.pack("!II", 0x100, 0x100)
        reference = socket.inet_aton("192.0.2.2") + received
        udp.sendto(head + reference + request[40:48] + received + timestamp(time.time()), client)


def ask(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.bind(("", 123))
        udp.sendto(bytes([0x23]) + bytes(39) + timestamp(time.time()), (server, 123))
        udp.recv(512)


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2])
