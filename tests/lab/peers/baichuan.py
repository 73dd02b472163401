# SPDX-License-Identifier: Apache-2.0
"""Reolink's Baichuan protocol on TCP 9000: the first exchange of a login.

The client offers encryption, the camera answers with an XML that names the method and a nonce,
obscured with the protocol's fixed key. Usage: baichuan.py serve ADDRESS | ask CAMERA"""
import socket
import struct
import sys

import wire

MAGIC, LOGIN = 0x0abcdef0, 1
CLASS_LEGACY, CLASS_MODERN = 0x6514, 0x6614
HEADER = struct.Struct("<IIIBBHHH")  # magic, message, length, channel, stream, handle, status, class
KEY = bytes.fromhex("1f2d3c4b5a6978ff")


def obscured(data):
    return bytes(byte ^ KEY[i % len(KEY)] for i, byte in enumerate(data))


def greeting():
    body = obscured(b'<?xml version="1.0" encoding="UTF-8" ?>\n<body>\n<Encryption version="1.1">\n'
                    b"<type>md5</type>\n<nonce>5A2501-0cYbPDGdw7nZ</nonce>\n</Encryption>\n</body>\n")
    return HEADER.pack(MAGIC, LOGIN, len(body), 0, 0, 0x0100, 0xdd02, CLASS_MODERN) + body


def serve(address):
    listener = socket.create_server((address, 9000))
    while True:
        client, _ = listener.accept()
        with client:
            try:
                length = HEADER.unpack(wire.receive_exactly(client, HEADER.size))[2]
                wire.receive_exactly(client, min(length, 4096))
                client.sendall(greeting())
                client.recv(1)  # until the client is done
            except (EOFError, OSError):
                pass  # a peer that hangs up early is its own affair


def ask(camera):
    with socket.create_connection((camera, 9000), timeout=5) as tcp:
        # User and password digests of 32 bytes each, left empty to ask for the modern login.
        body = bytes(1836)
        tcp.sendall(HEADER.pack(MAGIC, LOGIN, len(body), 0, 0, 0x0100, 0xdc01, CLASS_LEGACY) + body)
        header = HEADER.unpack(wire.receive_exactly(tcp, HEADER.size))
        wire.receive_exactly(tcp, header[2])


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2])
