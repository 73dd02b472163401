#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The flows inside of every labelled capture of encapsulations and fragments, against tshark.

usage: inner_flows.py INNER_FLOWS EXCEPTIONS [--show NAME]

Both sides are reduced to a multiset: protocol, the two ends (address and port) in order, packets.
tshark decodes all captures in one run: mergecap puts them behind each other.
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
LIMIT = 85  # seconds of all that is started here
CATEGORIES = {"ENCAP", "FRAG"}
FIELDS = ["frame.number", "frame.protocols", "ip.src", "ip.dst", "ip.proto", "ip.id", "ip.frag_offset",
          "ip.flags.mf", "ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.hopopts.nxt", "ipv6.routing.nxt",
          "ipv6.dstopts.nxt", "ipv6.fraghdr.nxt", "ipv6.fraghdr.ident", "ipv6.fraghdr.offset",
          "ipv6.fraghdr.more", "ah.next_header", "udp.srcport", "udp.dstport", "tcp.srcport",
          "tcp.dstport", "sctp.srcport", "sctp.dstport"]
# Behind these a UDP datagram is a tunnel's, not an application's.
TUNNELS = {"vxlan", "geneve", "gtp", "teredo", "mpls", "l2tp", "capwap.data"}
EXTENSIONS = {"ipv6.hopopts": "ipv6.hopopts.nxt", "ipv6.routing": "ipv6.routing.nxt",
              "ipv6.dstopts": "ipv6.dstopts.nxt", "ipv6.fraghdr": "ipv6.fraghdr.nxt",
              "ah": "ah.next_header"}
PORTS = {"udp": 17, "tcp": 6, "sctp": 132}


class Taker:
    """Takes the occurrences of each field in the order of the headers."""

    def __init__(self, row):
        self.left = {name: text.split(",") if text else [] for name, text in zip(FIELDS, row)}

    def take(self, name):
        values = self.left[name]
        return values.pop(0) if values else ""


def is_set(text):
    return text in ("1", "True")


def network(taker, layer):
    if layer == "ip":
        found = {"ends": (taker.take("ip.src"), taker.take("ip.dst")),
                 "protocol": int(taker.take("ip.proto") or 0), "ports": (0, 0)}
        identification = taker.take("ip.id")
        offset, more = int(taker.take("ip.frag_offset") or 0), is_set(taker.take("ip.flags.mf"))
        if offset or more:
            found["fragment"] = (identification, found["protocol"])
            found["later"] = offset > 0
        return found
    return {"ends": (taker.take("ipv6.src"), taker.take("ipv6.dst")),
            "protocol": int(taker.take("ipv6.nxt") or 0), "ports": (0, 0)}


def extension(taker, layer, found):
    found["protocol"] = int(taker.take(EXTENSIONS[layer]) or 0)
    if layer == "ipv6.fraghdr":
        identification = taker.take("ipv6.fraghdr.ident")
        offset, more = int(taker.take("ipv6.fraghdr.offset") or 0), is_set(taker.take("ipv6.fraghdr.more"))
        if offset or more:
            found["fragment"] = (identification,)
            found["later"] = offset > 0


def innermost(row):
    """The innermost network header of a frame and what tshark says of its transport; None: no flow."""
    taker, found, layers = Taker(row), None, row[1].split(":")
    for index, layer in enumerate(layers):
        if layer in ("ip", "ipv6"):
            inner = network(taker, layer)
            if not all(inner["ends"]):  # cut short or of another version
                return found
            found = inner
        elif layer in ("arp", "lldp"):
            return None
        elif found and layer in EXTENSIONS and (layer != "ipv6.fraghdr" or ":" in found["ends"][0]):
            extension(taker, layer, found)
        elif layer in PORTS:
            found["ports"] = int(taker.take(layer + ".srcport") or 0), int(taker.take(layer + ".dstport") or 0)
            found["protocol"] = PORTS[layer]
            if layer != "udp" or not TUNNELS & set(layers[index:]):
                return found
        elif layer in ("icmp", "icmpv6", "esp"):
            return found
    return found


def join_fragment(found, known):
    """A later fragment has the ports of the first one, if that came before."""
    if "fragment" not in found:
        return
    key = (found["ends"], found["fragment"])
    if found["later"]:
        found["protocol"], found["ports"] = known.get(key, (found["protocol"], (0, 0)))
    else:
        known[key] = found["protocol"], found["ports"]


def flow_key(protocol, ends, ports):
    return (protocol, *sorted(zip(ends, ports)))


def tshark_flows(rows):
    flows, known = collections.Counter(), {}
    for row in rows:
        found = innermost(row)
        if found:
            join_fragment(found, known)
            flows[flow_key(found["protocol"], found["ends"], found["ports"])] += 1
    return flows


def our_flows(program, paths):
    """For each file: packets, whether it broke off, flows."""
    run = subprocess.run([program, *paths], capture_output=True, text=True, timeout=LIMIT, check=True)
    files, flows = [], collections.Counter()
    for line in run.stdout.splitlines():
        fields = line.split(" ", 3) if line.startswith("=") else line.split()
        if fields[0] == "=":
            files.append((int(fields[1]), fields[2] == "1", flows))
            flows = collections.Counter()
            continue
        ends, ports = (fields[1], fields[3]), (int(fields[2]), int(fields[4]))
        flows[flow_key(int(fields[0]), ends, ports)] += int(fields[5])
    return files


def tshark_rows(paths):
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as merged:
        subprocess.run(["mergecap", "-a", "-F", "pcapng", "-w", merged.name, *paths], check=True,
                       capture_output=True, timeout=LIMIT)
        command = ["tshark", "-n", "-r", merged.name, "-T", "fields", "-d", "udp.port==8472,vxlan"]
        for option in ("ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "ip.tso_support"):
            command += ["-o", option + (":TRUE" if option == "ip.tso_support" else ":FALSE")]
        for field in FIELDS:
            command += ["-e", field]
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


def read_exceptions(path):
    exceptions = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, reason = line.split("\t", 1)
            exceptions[name] = reason
    return exceptions


def captures(folder):
    for line in (folder / "labels.tsv").read_text(encoding="utf-8").splitlines():
        name, category = line.split("\t")[:2]
        if category in CATEGORIES:
            yield name


def difference(ours, theirs):
    lines = []
    for key in sorted(set(ours) | set(theirs), key=str):
        if ours[key] != theirs[key]:
            protocol, (a, b) = key[0], key[1:]
            lines.append(f"  protocol {protocol}, {a[0]} {a[1]} - {b[0]} {b[1]}: "
                         f"{ours[key]} packets, tshark {theirs[key]}")
    return lines


def main():
    program, exceptions = sys.argv[1], read_exceptions(sys.argv[2])
    shown = sys.argv[4] if len(sys.argv) == 5 else None
    folder = pathlib.Path(os.environ.get("CAMSPAN_CAPTURES") or "../shared/captures")
    if not (folder / "labels.tsv").exists() or not shutil.which("tshark"):
        print("skipped: the labelled captures or tshark are not here")
        return SKIPPED
    names = [name for name in captures(folder) if shown in (None, name)]
    paths = [str(folder / name) for name in names]
    files = our_flows(program, paths)
    readable = [not broke for _, broke, _ in files]
    rows = tshark_rows([path for path, good in zip(paths, readable) if good])
    at = failures = equal = 0
    for name, (packets, broke, flows) in zip(names, files):
        if broke:
            lines = ["  libpcap does not read it"]
        else:
            lines = difference(flows, tshark_flows(rows[at:at + packets]))
            at += packets
        equal += not lines
        if bool(lines) != (name in exceptions):
            failures += 1
            print(name if lines else f"{name}: equal, but listed as an exception", *lines[:12], sep="\n")
    if at != len(rows):
        failures += 1
        print(f"{len(rows)} packets in tshark, {at} here")
    print(f"{len(names)} captures, {equal} equal, {len(names) - equal} differ, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
