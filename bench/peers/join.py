#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins captures to one pcap file that any flow probe reads, repeated to a number of packets.

usage: join.py [--packets N] [--category NAME]... [--no-vlans] OUTPUT.pcap [CAPTURES]

CAPTURES is a folder (default: CAMSPAN_CAPTURES). With a labels.tsv in it, the captures of the given
categories are taken (default: those recorded from real devices and programs), else every *.pcap*
below it. Only Ethernet frames are taken. What is changed, and why:

* Time moves on: each capture begins GAP after the one before has ended, each repetition after the
  whole, so that no flow of one goes on in the next. Times are in microseconds.
* An idle gap inside a capture that is longer than GAP is shortened to GAP, so that a capture of a
  day costs no tool more rounds of its timers than one of a minute; GAP is longer than the idle
  timeout of every tool as bench/peers/peers.py runs it, so a flow that pauses so long ends in all.
* A packet stamped before the one ahead of it gets that one's time: probes differ in what they do
  with time that goes back.
* Each repetition is in a VLAN of its own (802.1Q, 1 to 4094), as on a span port of many VLANs:
  ndpiReader never ends a flow of a file, and would look at the payload of the first repetition
  only. --no-vlans leaves the frames as they are.

Addresses stay, so that names, devices and tables of them repeat as they do on a site.
"""
import argparse
import csv
import os
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/capture"))
import capture_reader  # noqa: E402 pylint: disable=wrong-import-position

GAP = 70_000_000  # microseconds
RECORDED = ["CAM", "CAM-LIKE", "IOT-NEG", "PROTO"]
BEGIN = 1_600_000_000_000_000
SNAP_LENGTH = 262144
VLANS = 4094


def listed(folder, categories):
    labels = folder / "labels.tsv"
    if not labels.is_file():
        return sorted(p for p in folder.rglob("*.pcap*") if p.is_file())
    with open(labels, encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [folder / row["path"] for row in rows if row["category"] in categories]


def frames(path):
    """(microseconds, wire length, bytes) of the Ethernet frames of a file."""
    try:
        data = capture_reader.content(path)
    except (OSError, EOFError):
        return
    for packet in capture_reader.packets(data):
        if packet.link == capture_reader.LINK_ETHERNET and packet.data:
            yield packet.time // 1000, packet.wire_length, packet.data


def joined(paths):
    """All frames as (microseconds after the first, wire length, bytes), how many files, the span."""
    records, files, now = [], 0, 0
    for path in paths:
        before, count = None, len(records)
        for time, wire, data in frames(path):
            if before is not None:
                now += min(max(time - before, 0), GAP)
            before = time if before is None else max(before, time)
            records.append((now, wire, data))
        if len(records) > count:
            files += 1
            now += GAP
    return records, files, now


def tagged(records, vlan):
    """The rest of each record after its time: lengths and frame, with a VLAN tag unless 0."""
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    for time, wire, data in records:
        here = tag if len(data) >= 12 else b""
        lengths = struct.pack("<II", len(data) + len(here), wire + len(here))
        yield time, lengths + data[:12] + here + data[12:]


def write(path, records, span, repetitions, vlans):
    stamp = struct.Struct("<II").pack
    with open(path, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LENGTH, 1))
        for repetition in range(repetitions):
            begin = BEGIN + repetition * span
            vlan = 1 + repetition % VLANS if vlans else 0
            for time, rest in tagged(records, vlan):
                out.write(stamp(*divmod(begin + time, 1_000_000)) + rest)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("output")
    parser.add_argument("captures", nargs="?", default=os.environ.get("CAMSPAN_CAPTURES"))
    parser.add_argument("--packets", type=int, default=5_000_000, help="at least so many")
    parser.add_argument("--category", action="append")
    parser.add_argument("--no-vlans", dest="vlans", action="store_false")
    options = parser.parse_args()
    if options.captures is None:
        parser.error("name a folder of captures, or set CAMSPAN_CAPTURES")
    paths = listed(pathlib.Path(options.captures), options.category or RECORDED)
    records, files, span = joined(paths)
    if not records:
        parser.error(f"no Ethernet packets below {options.captures}")
    repetitions = max(1, -(-options.packets // len(records)))
    write(options.output, records, span, repetitions, options.vlans)
    print(f"{options.output}: {len(records) * repetitions} packets = {repetitions} times "
          f"{len(records)} packets of {files} captures, {span * repetitions // 1_000_000} s")


if __name__ == "__main__":
    main()
