# SPDX-License-Identifier: Apache-2.0
"""Reads pcap and pcapng files, plain or gzip, in plain Python: what tests and benches need of them.

A file that is broken gives what comes before the break, as every reader of captures does.
"""
import gzip
import struct
import typing

LINK_ETHERNET = 1
NANOSECONDS = 1_000_000_000
_PCAP_MAGICS = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
                b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_LONGEST = 262144


class Packet(typing.NamedTuple):
    time: int  # nanoseconds since the epoch
    link: int  # LINKTYPE_
    wire_length: int
    data: bytes


def content(path):
    """The bytes of a file, unpacked if it is gzip."""
    with open(path, "rb") as file:
        data = file.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def packets(data):
    """Yields the packets of a capture file's bytes."""
    if data[:4] in _PCAP_MAGICS:
        yield from _pcap(data)
    elif data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from _pcapng(data)


def _pcap(data):
    order, unit = _PCAP_MAGICS[data[:4]]
    if len(data) < 24:
        return
    link = struct.unpack_from(order + "I", data, 20)[0] & 0x03FFFFFF
    record = struct.Struct(order + "IIII")
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = record.unpack_from(data, at)
        at += 16
        if captured > _LONGEST or at + captured > len(data):
            return
        yield Packet(seconds * NANOSECONDS + fraction * unit, link, max(wire, captured),
                     data[at:at + captured])
        at += captured


def _interface(body, order):
    """Link type, snapshot length, units per second and offset in seconds."""
    link, snap = struct.unpack_from(order + "HxxI", body)
    per_second, offset, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4:at + 4 + length]
        if code == 9 and length == 1:
            per_second = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == 14 and length == 8:
            offset = struct.unpack(order + "q", value)[0]
        elif code == 0:
            break
        at += 4 + (length + 3) // 4 * 4
    return link, snap, per_second, offset


def _block_packet(kind, body, order, interfaces, last):
    if kind == _SIMPLE_PACKET:
        wire = struct.unpack_from(order + "I", body)[0]
        link, snap, _, _ = interfaces[0]
        captured = min(wire, snap or wire)
        return Packet(last, link, wire, body[4:4 + captured])
    form = "IIIII" if kind == _PACKET else "HHIIII"
    fields = struct.unpack_from(order + form, body)
    high, low, captured, wire = fields[-4:]
    link, _, per_second, offset = interfaces[fields[0]]
    time = (high << 32 | low) * NANOSECONDS // per_second + offset * NANOSECONDS
    return Packet(time, link, max(wire, captured), body[20:20 + captured])


def _pcapng(data):
    order, interfaces, at, last = "<", [], 0, 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or at + length > len(data):
            return
        body = data[at + 8:at + length - 4]
        try:
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind in (_OLD_PACKET, _SIMPLE_PACKET, _PACKET):
                packet = _block_packet(kind, body, order, interfaces, last)
                last = packet.time
                yield packet
        except (struct.error, IndexError, ZeroDivisionError):
            return
        at += (length + 3) // 4 * 4
