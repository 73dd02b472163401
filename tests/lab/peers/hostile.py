# SPDX-License-Identifier: Apache-2.0
"""Frames that no host should send: random, cut, lying about their lengths, oversized.

Usage: hostile.py INTERFACE SEED COUNT FRAMES-A-SECOND CAPTURE
The same seed gives the same frames. Most are damaged frames of the capture, because those get
deepest into a decoder; sources keep the capture's addresses, so that they are held against devices
that exist. Frames below 14 bytes cannot be sent from a packet socket."""
import random
import socket
import struct
import sys
import time

ETHERTYPES = (0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8033, 0x8847, 0x8864, 0x88cc, 0x0000, 0x05dc)
CAMERA_PORTS = (53, 80, 443, 554, 1900, 3702, 5353, 9000, 37020, 37777, 37810)
MAC = bytes.fromhex("44b4235aee01")  # a camera maker's prefix


def frames_of(capture):
    with open(capture, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    offset, frames = 24, []
    while offset + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, offset + 8)[0]
        frames.append(data[offset + 16:offset + 16 + length])
        offset += 16 + length
    return frames


def ethernet(ethertype, payload):
    return b"\xff" * 6 + MAC + struct.pack("!H", ethertype) + payload


def noise(chance, _frames):
    return ethernet(chance.choice(ETHERTYPES), chance.randbytes(chance.randrange(0, 1500)))


def runt(chance, _frames):
    return ethernet(chance.choice(ETHERTYPES), chance.randbytes(chance.randrange(0, 8)))


def jumbo(chance, _frames):
    payload = chance.randbytes(chance.choice((1501, 2000, 2034, 2048, 4096, 8900, 8970)))
    return ethernet(0x0800, ipv4(chance, 17, struct.pack("!4H", 554, 5000, 65535, 0) + payload))


def ipv4(chance, protocol, payload):
    """An IPv4 header whose lengths, version and fragment fields are often wrong."""
    version_length = chance.choice((0x45, 0x45, 0x40, 0x4f, 0x46, 0x65, 0x05))
    total = chance.choice((20 + len(payload), 0, 19, 65535, chance.randrange(65536)))
    fragment = chance.choice((0, 0, 0x2000, 0x1fff, 0x4000))
    head = struct.pack("!BBHHHBBH", version_length, 0, total, 1, fragment, 64, protocol, 0)
    return head + socket.inet_aton("10.20.1.66") + socket.inet_aton("10.20.1.10") + payload


def absurd_lengths(chance, _frames):
    port = chance.choice(CAMERA_PORTS)
    if chance.random() < 0.5:
        length = chance.choice((0, 7, 8, 65535))
        return ethernet(0x0800, ipv4(chance, 17, struct.pack("!4H", port, port, length, 0) +
                                     chance.randbytes(chance.randrange(64))))
    offset = chance.choice((0x00, 0x40, 0x50, 0xf0))
    tcp = struct.pack("!HHIIBBHHH", port, port, 1, 1, offset, chance.randrange(256), 0, 0, 0)
    return ethernet(0x0800, ipv4(chance, 6, tcp + chance.randbytes(chance.randrange(64))))


def tag_tower(chance, _frames):
    tags = b"".join(struct.pack("!HH", chance.randrange(4096), 0x8100)
                    for _ in range(chance.randrange(1, 40)))
    return ethernet(0x88a8, tags + b"\0\1\x08\0" + chance.randbytes(30))


def extension_chain(chance, _frames):
    chain = b"".join(bytes([chance.choice((0, 43, 44, 60, 51)), chance.choice((0, 0, 255))]) + bytes(6)
                     for _ in range(chance.randrange(1, 60)))
    length = chance.choice((len(chain), 0, 65535))
    return ethernet(0x86dd, struct.pack("!IHBB", 6 << 28, length, 0, 64) + bytes(32) + chain)


def damaged(chance, frames):
    frame = bytearray(chance.choice(frames))
    for _ in range(chance.randrange(1, 8)):
        frame[chance.randrange(12, len(frame))] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
    if chance.random() < 0.3:
        del frame[chance.randrange(14, len(frame)):]
    return bytes(frame)


KINDS = (noise, runt, jumbo, absurd_lengths, tag_tower, extension_chain) + (damaged,) * 6


def main():
    interface, seed, count, rate, capture = sys.argv[1:]
    chance, frames = random.Random(int(seed)), [f for f in frames_of(capture) if len(f) > 20]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    start = time.monotonic()
    for number in range(int(count)):
        link.send(chance.choice(KINDS)(chance, frames))
        # A rate, so that what is tested is the decoder and not the length of a receive ring.
        ahead = number / int(rate) - (time.monotonic() - start)
        if ahead > 0.01:
            time.sleep(ahead)


if __name__ == "__main__":
    main()
