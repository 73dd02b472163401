# SPDX-License-Identifier: Apache-2.0
"""Multicast DNS (RFC 6762) with service discovery (RFC 6763).

Usage: mdns.py serve ADDRESS HOST SERVICE PORT INSTANCE [KEY=VALUE...]      answers queries
       mdns.py announce ADDRESS HOST SERVICE PORT INSTANCE [KEY=VALUE...]   once, unasked
       mdns.py ask ADDRESS SERVICE                                        waits for one answer"""
import socket
import struct
import sys

import wire

GROUP, PORT = "224.0.0.251", 5353


def announcement(address, host, service, port, instance, texts):
    unique = wire.CLASS_IN | wire.CACHE_FLUSH
    full_name = wire.dns_instance(instance, service)
    server = struct.pack("!HHH", 0, 0, int(port)) + wire.dns_name(host)
    text = b"".join(bytes([len(item)]) + item.encode() for item in texts) or b"\0"
    return wire.dns_message(0, 0x8400, answers=[
        wire.dns_record(wire.dns_name(service), wire.TYPE_PTR, full_name, 4500),
    ], additional=[
        wire.dns_record(full_name, wire.TYPE_SRV, server, 120, unique),
        wire.dns_record(full_name, wire.TYPE_TXT, text, 4500, unique),
        wire.dns_record(wire.dns_name(host), wire.TYPE_A, socket.inet_aton(address), 120, unique),
    ])


def serve(address, host, service, port, instance, *texts):
    udp = wire.multicast_socket(address, GROUP, PORT)
    message = announcement(address, host, service, port, instance, texts)
    while True:
        query, _ = udp.recvfrom(9000)
        is_query = len(query) > 12 and not query[2] & 0x80
        if is_query and wire.dns_question_name(query) == service:
            udp.sendto(message, (GROUP, PORT))


def announce(address, *service):
    udp = wire.multicast_socket(address, GROUP, PORT)
    udp.sendto(announcement(address, *service[:4], service[4:]), (GROUP, PORT))


def ask(address, service):
    udp = wire.multicast_socket(address, GROUP, PORT)
    question = wire.dns_question(service, wire.TYPE_PTR)
    udp.sendto(wire.dns_message(0, 0, [question]), (GROUP, PORT))
    udp.settimeout(5)
    while not udp.recv(9000)[2] & 0x80:
        pass


if __name__ == "__main__":
    {"serve": serve, "announce": announce, "ask": ask}[sys.argv[1]](*sys.argv[2:])
