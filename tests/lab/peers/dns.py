# SPDX-License-Identifier: Apache-2.0
"""A DNS server for the names of the lab. Usage: dns.py ADDRESS"""
import socket
import struct
import sys

import wire

NAMES = {
    "litedev.hik-connect.com": "203.0.113.80",  # answers on 443
    "eucas.ezvizlife.com": "198.51.100.65",     # routed, and nobody is there
    "www.example.com": "203.0.113.10",
    "mail.example.net": "203.0.113.20",
    "ntp.demo.example": "10.20.3.53",
}


def answer(query):
    name = wire.dns_question_name(query)
    identifier = struct.unpack("!H", query[:2])[0]
    question = query[12:]
    address = NAMES.get((name or "").lower())
    if address is None:
        return wire.dns_message(identifier, 0x8183, [question])
    record = wire.dns_record(b"\xc0\x0c", wire.TYPE_A, socket.inet_aton(address), ttl=300)
    return wire.dns_message(identifier, 0x8180, [question], [record])


def main():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((sys.argv[1], 53))
    while True:
        query, client = udp.recvfrom(1500)
        if len(query) > 12:
            udp.sendto(answer(query), client)


if __name__ == "__main__":
    main()
