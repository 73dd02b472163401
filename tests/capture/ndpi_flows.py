#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flows, packets and bytes of real captures, by camspan and by ndpiReader, which counts on its own.

usage: ndpi_flows.py LIST_FLOWS DIFFERENCES.tsv [PATH...]

Every labelled capture of category PROTO (or the paths given, as labelled) must agree per flow. What
the two mean differently is made alike first:

* ndpiReader never ends a flow of a file; here the flows of one key are added up. A key may have more
  than one flow of camspan only where each but the last was ended by silence or by TCP.
* ndpiReader counts captured bytes of frames, camspan bytes of IP: the rest of each frame (link
  header, padding) is added, as dissect() finds it, which reads headers on its own.
* ndpiReader passes over a packet of which the capture holds less than its IP header promises, and
  one whose IPv4 header leaves the length to the hardware (0, segmentation offload).
* ndpiReader writes ":0:" in an IPv6 address as "::".
* Link types that camspan does not read give no flow at all.

Anything else that differs is in the list with its figures and its reason, or is a failure; a listed
capture whose figures have changed is one too.
"""
import collections
import csv
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import capture_reader  # noqa: E402 pylint: disable=wrong-import-position
import harness  # noqa: E402 pylint: disable=wrong-import-position

VERSION = "4.2"  # of ndpiReader: others count otherwise
UNREAD_LINKS = {0: "BSD loopback", 9: "PPP"}
ENDED = {"idle timeout", "end of flow detected"}
PROTOCOLS = {"ICMP": 1, "IGMP": 2, "TCP": 6, "UDP": 17, "ICMPV6": 58, "VRRP": 112}
EXTENSIONS = {0, 43, 60}
FLOW_LINE = re.compile(
    r"\t\d+\t(\w+) \[?([^\s\]]+?)\]?:(\d+) <?-> \[?([^\s\]]+?)\]?:(\d+) (?:\[VLAN: (\d+)\])?.*?"
    r"\[(\d+) pkts/(\d+) bytes <?-> (\d+) pkts/(\d+) bytes\]")


class Counts:
    """Of one key: packets and bytes."""

    def __init__(self, packets=0, count=0):
        self.packets, self.bytes = packets, count

    def add(self, packets, count):
        self.packets += packets
        self.bytes += count

    def __eq__(self, other):
        return (self.packets, self.bytes) == (other.packets, other.bytes)


def written(address):
    """An address as ndpiReader writes it."""
    return address.replace(":0:", "::") if ":" in address else address


def key(protocol, vlan, one, other):
    return (int(protocol), int(vlan or 0),
            *sorted(((one[0], int(one[1])), (other[0], int(other[1])))))


def list_flows(program, paths):
    """Path -> key -> Counts, and what is wrong with the way flows were ended."""
    run = subprocess.run([program, *paths], capture_output=True, text=True, timeout=300, check=False)
    files, problems, last_end = {}, [], {}
    for line in run.stdout.splitlines():
        kind, *fields = line.split("\t")
        if kind == "file":
            flows = files[fields[0]] = collections.defaultdict(Counts)
            last_end, path = {}, fields[0]
            continue
        number, protocol, one, port, other, other_port, vlan, *counts, end = fields
        which = key(protocol, vlan, (written(one), port), (written(other), other_port))
        before = last_end.get(which)
        if before and before[0] != number and before[1] not in ENDED:
            problems.append(f"{path}: {which} was ended by {before[1]} and went on")
        last_end[which] = number, end
        flows[which].add(int(counts[0]) + int(counts[1]), int(counts[2]) + int(counts[3]))
    if run.returncode != 0 or set(files) != set(paths):
        problems.append(f"{program}: exit code {run.returncode}: {run.stderr[-500:]}")
    return files, problems


def ndpi_flows(program, path):
    run = subprocess.run([program, "-i", path, "-v", "2"], capture_output=True, text=True,
                         errors="replace", timeout=60, check=False)
    flows = collections.defaultdict(Counts)
    for line in run.stdout.splitlines():
        match = FLOW_LINE.match(line)
        if match:
            which = key(PROTOCOLS.get(match[1]) or match[1], match[6], match.group(2, 3),
                        match.group(4, 5))
            flows[which].add(int(match[7]) + int(match[9]), int(match[8]) + int(match[10]))
    return flows


def ip_offset(packet):
    """Where IP begins in the frame, and the VLAN; (None, 0) if there is none."""
    data = packet.data
    if packet.link in (12, 14, 101, 228, 229):
        return 0, 0
    at = {1: 12, 113: 14}.get(packet.link)
    if packet.link == 276:
        return (20, 0) if data[:2] in (b"\x08\x00", b"\x86\xdd") else (None, 0)
    vlan = 0
    while at is not None and data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        vlan = struct.unpack_from(">H", data.ljust(at + 4, b"\0"), at + 2)[0] & 0xFFF
        at += 4
    if at is None or data[at:at + 2] not in (b"\x08\x00", b"\x86\xdd"):
        return None, 0
    return at + 2, vlan


def transport(data):
    """Protocol, header's place and IP length of an IP packet; None if it is too short."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        return data[9], (data[0] & 15) * 4, struct.unpack_from(">H", data, 2)[0]
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    protocol, at = data[6], 40
    while protocol in EXTENSIONS and at + 2 <= len(data):
        protocol, at = data[at], at + 8 + data[at + 1] * 8
    return protocol, at, 40 + struct.unpack_from(">H", data, 4)[0]


def dissect(packet):
    """(key, IP length, captured bytes, bytes of IP among them) of a packet, None if it is not IP."""
    offset, vlan = ip_offset(packet)
    data = packet.data[offset:] if offset is not None else b""
    found = transport(data)
    if found is None:
        return None
    protocol, at, length = found
    first, size, family = (12, 4, socket.AF_INET) if data[0] >> 4 == 4 else (8, 16, socket.AF_INET6)
    source, destination = (written(socket.inet_ntop(family, data[begin:begin + size]))
                           for begin in (first, first + size))
    ports = (0, 0)
    if protocol in (6, 17) and at + 4 <= len(data):
        ports = struct.unpack_from(">HH", data, at)
    return (key(protocol, vlan, (source, ports[0]), (destination, ports[1])), length,
            len(packet.data), len(data))


def made_alike(flows, packets):
    """camspan's flows as ndpiReader would count them."""
    alike = {which: Counts(counts.packets, counts.bytes) for which, counts in flows.items()}
    for found in map(dissect, packets):
        if found is None or found[0] not in alike:
            continue
        which, length, captured, available = found
        if length > available or length == 0:
            alike[which].add(-1, -(length or available))
        else:
            alike[which].add(0, captured - length)
    return {which: counts for which, counts in alike.items() if counts.packets}


def totals(flows):
    return [len(flows), sum(c.packets for c in flows.values()), sum(c.bytes for c in flows.values())]


def first_difference(ours, theirs):
    for which in sorted(set(ours) | set(theirs)):
        one, other = ours.get(which, Counts()), theirs.get(which, Counts())
        if one != other:
            return (f"{which}: {one.packets} packets {one.bytes} bytes, "
                    f"ndpiReader {other.packets} packets {other.bytes} bytes")
    return ""


class Comparison:
    def __init__(self, report, listed):
        self.report = report
        self.listed = listed
        self.equal = self.explained = self.unread = 0

    def unread_link(self, name, links, flows):
        """Whether camspan does not read these links; then it must have counted nothing."""
        if not links or not links <= set(UNREAD_LINKS):
            return False
        self.unread += 1
        self.report.check(not flows, f"{name}: flows of {links}, which camspan does not read")
        return True

    def file(self, name, content, flows, theirs):
        packets = list(capture_reader.packets(content))
        if self.unread_link(name, {packet.link for packet in packets}, flows):
            return
        ours = made_alike(flows, packets)
        figures = [*map(str, totals(ours)), *map(str, totals(theirs))]
        if name in self.listed:
            self.explained += 1
            self.report.check(ours != theirs, f"{name}: listed, but equal")
            self.report.check(figures == self.listed[name],
                              f"{name}: {figures}, listed as {self.listed[name]}")
            return
        self.equal += ours == theirs
        self.report.check(ours == theirs, f"{name}\t{chr(9).join(figures)}\n  "
                          + first_difference(ours, theirs))


def labelled(folder):
    with open(os.path.join(folder, "labels.tsv"), encoding="utf-8") as file:
        return [row["path"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["category"] == "PROTO"]


def read_differences(path):
    """Path -> flows, packets, bytes of camspan and of ndpiReader, as text."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and line[0] != "#"]
    return {row[0]: row[1:7] for row in rows}


def ndpi_reader():
    program = shutil.which("ndpiReader")
    if program is None:
        print("skipped: ndpiReader is not installed (Debian: libndpi-bin)")
        sys.exit(harness.SKIPPED)
    text = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"nDPI (\d+\.\d+)", text)
    if match is None or match[1] != VERSION:
        print(f"skipped: ndpiReader is {match and match[1]}, the list is about {VERSION}")
        sys.exit(harness.SKIPPED)
    return program


def main():
    program, folder = ndpi_reader(), harness.captures_folder()
    listed = read_differences(sys.argv[2])
    names = sys.argv[3:] or labelled(folder)
    paths = [os.path.join(folder, name) for name in names]
    report = harness.Report()
    files, problems = list_flows(sys.argv[1], paths)
    for problem in problems:
        report.check(False, problem)
    comparison = Comparison(report, listed)
    with tempfile.TemporaryDirectory(prefix="camspan-ndpi-") as directory:
        for name, path in zip(names, paths):
            content = capture_reader.content(path)
            unpacked = os.path.join(directory, "unpacked")
            with open(unpacked, "wb") as file:  # ndpiReader reads no gzip
                file.write(content)
            comparison.file(name, content, files.get(path, {}), ndpi_flows(program, unpacked))
    for name in set(listed) - set(names) if not sys.argv[3:] else ():
        report.check(False, f"{name}: listed, but not labelled")
    print(f"{len(names)} captures: {comparison.equal} equal, {comparison.explained} listed with a "
          f"reason, {comparison.unread} of link types that camspan does not read")
    report.finish()


if __name__ == "__main__":
    main()
