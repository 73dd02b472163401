#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Broken captures, places that cannot be written, configurations that make no sense, servers that are
not there: the documented exit code, one clear line each, and nothing else is lost.

Usage: bad_input.py CAMSPAND CAMSPAN"""
import gzip
import json
import os
import random
import re
import socket
import struct
import sys
import time

from harness import (DEMO_CAPTURE, DEMO_CONFIG, LINK_ETHERNET, SOURCE, Programs, Report, Workspace,
                     pcap, pcapng, pcapng_interface, pcapng_lost, pcapng_packet)

OK, FAILED, USAGE = 0, 1, 2
DEMO_PACKETS = 2327
ETHERNET_IPV4 = bytes.fromhex("020000000002" "020000000001" "0800")
DLT_USER0 = 147
LINK_RAW = 101


def what_it_waits_for(pid):
    with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
        return file.read()


def wait_until(holds, limit=60):
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def udp_packet(payload, claims=None):
    """An Ethernet frame; `claims` is the total length that the IP header gives."""
    length = 28 + len(payload) if claims is None else claims
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length & 0xFFFF, 1, 0, 64, 17, 0,
                     bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    return ETHERNET_IPV4 + ip + struct.pack(">HHHH", 4000, 5000, (length - 20) & 0xFFFF, 0) + payload


def random_packets(count):
    generator = random.Random(20260101)
    for number in range(count):
        data = generator.randbytes(generator.randrange(200))
        yield number * 0.001, (ETHERNET_IPV4 + data if number % 2 else data)


# name: content, packets, drops that must be named, exit code, what the line says
def capture_cases():
    good = pcap([(1, udp_packet(b"x"))] * 3)
    frame = udp_packet(b"x")
    mixed = [pcapng_interface(LINK_ETHERNET, 65535), pcapng_packet(0, frame),
             pcapng_interface(LINK_RAW), pcapng_packet(1, frame[len(ETHERNET_IPV4):]),
             pcapng_interface(DLT_USER0, 64), pcapng_packet(2, frame)]
    return {
        "zero-length.pcap": (pcap([(1, b"")] * 3), 3, {"link_truncated": 3}, OK, None),
        "short.pcap": (pcap([(1, udp_packet(b"x" * 50)[:n]) for n in range(1, 42)]), 41,
                       {"link_truncated": 13}, OK, None),
        "jumbo.pcap": (pcap([(1, udp_packet(b"x" * 65507)), (2, udp_packet(b"y" * 9000)),
                             (3, udp_packet(b"z" * 200000, 60000))]), 3, {}, OK, None),
        "length-lies.pcap": (pcap([(1, udp_packet(b"x", claims)) for claims in (0, 19, 20, 65535)]
                                  + [(2, udp_packet(b"x"), 43, 0xFFFFFFFF)]), 5, {}, OK, None),
        "random.pcap": (pcap(random_packets(5000)), 5000, {}, OK, None),
        "unknown-link.pcap": (pcap([(1, b"abcdef")] * 4, DLT_USER0), 4,
                              {"link_unsupported": 4}, OK, None),
        "no-packets.pcap": (pcap([]), 0, {}, OK, None),
        "empty.pcap": (b"", 0, {}, FAILED, "is empty"),
        "corrupt.pcap": (bytes(range(1, 200)), 0, {}, FAILED, "not a readable capture"),
        "header-cut.pcap": (good[:20], 0, {}, FAILED, "not a readable capture"),
        "cut.pcap": (good[:-10], 2, {}, FAILED, "packet 3: "),
        "absurd.pcap": (good + struct.pack("<IIII", 1, 1, 0x7FFFFFFF, 0x7FFFFFFF) + b"x" * 99, 3,
                        {}, FAILED, "packet 4: "),
        "mixed.pcapng": (pcapng(*mixed), 3, {"link_unsupported": 1}, OK, None),
        "mixed.pcapng.gz": (gzip.compress(pcapng(*mixed)), 3, {"link_unsupported": 1}, OK, None),
        "no-packets.pcapng": (pcapng(), 0, {}, OK, None),
        "cut.pcapng": (pcapng(*mixed)[:-10], 2, {}, FAILED, "packet 3: the file ends after "),
        "no-interface.pcapng": (pcapng(*mixed, pcapng_packet(3, frame)), 3, {}, FAILED,
                                "packet 4: a packet of interface 3 "),
        "captured-lies.pcapng": (pcapng(*mixed, pcapng_packet(0, frame, 1 << 31)), 3, {}, FAILED,
                                 "packet 4: 2147483648 bytes captured "),
        "gzip-cut.pcapng.gz": (gzip.compress(pcapng(*mixed))[:-9], 3, {}, FAILED,
                               "packet 4: gzip: unexpected end of file"),
        "gzip-cut.pcap.gz": (b"\x1f\x8b\x08\x00", 0, {}, FAILED, "not a readable capture"),
    }


class Checks:
    def __init__(self, report, programs, workspace):
        self.report = report
        self.programs = programs
        self.workspace = workspace

    def ends(self, name, run, code, *lines):
        """The exit code, no crash, and on stderr exactly one line that has each of the texts."""
        told = run.stderr.splitlines()
        self.report.check(run.returncode == code,
                          f"{name}: exit code {run.returncode}, not {code}: {run.stderr[-2000:]}")
        self.report.check(len(told) == len(lines), f"{name}: {len(told)} lines on stderr: {told}")
        self.tells_once(name, run, *lines)

    def tells_once(self, name, run, *lines):
        told = run.stderr.splitlines()
        for line in lines:
            self.report.check(sum(line in text for text in told) == 1,
                              f"{name}: not one line says {line!r}: {told}")

    def balance(self, name, run, packets, drops=None):
        """Stdout is the packet balance and nothing else, and it adds up."""
        match = re.fullmatch(r"packets: (\d+) received = (\d+) decoded \+ (\d+) dropped(.*)\n",
                             run.stdout)
        if not self.report.check(match, f"{name}: stdout is {run.stdout!r}"):
            return
        received, decoded, dropped = (int(n) for n in match.groups()[:3])
        named = {drop: int(n) for drop, n in re.findall(r", ([a-z0-9_]+) (\d+)", match.group(4))}
        self.report.check(received == packets,
                          f"{name}: {received} packets, not {packets}: {run.stderr}")
        self.report.check(received == decoded + dropped and dropped == sum(named.values()),
                          f"{name}: {run.stdout}")
        for drop, count in (drops or {}).items():
            self.report.check(named.get(drop) == count, f"{name}: {drop} is not {count}: {named}")

    def captures(self):
        """Each by itself, then all of them before and behind a good one."""
        everything, failing, total = [], [], DEMO_PACKETS
        for name, (content, packets, drops, code, line) in capture_cases().items():
            path = self.workspace.write(name, content)
            run = self.programs.run("-r", path)
            lines = [f"{path}: {line}"] if line else []
            self.ends(name, run, code, *lines)
            self.balance(name, run, packets, drops)
            everything += ["-r", path]
            failing += lines
            total += packets
        run = self.programs.run(*everything, "-r", DEMO_CAPTURE, *everything)
        doubled = 2 * total - DEMO_PACKETS
        told = run.stderr.splitlines()
        self.report.check(run.returncode == FAILED, f"all captures: exit code {run.returncode}")
        self.report.check(len(told) == 2 * len(failing), f"all captures: {told}")
        self.balance("all captures", run, doubled)

    def losses(self):
        """What captures say to have lost is told behind the balance and in the health event."""
        content = pcapng(pcapng_interface(LINK_ETHERNET), pcapng_packet(0, udp_packet(b"x")),
                         pcapng_lost(0, 7))
        path, events = self.workspace.write("lost.pcapng", content), self.workspace.path("lost")
        run = self.programs.run("-r", path, "-r", path, "-o", events)
        self.ends("lost", run, OK)
        balance, told = run.stdout.split("\n", 1)
        self.report.check(balance.startswith("packets: 2 received = 2 decoded + 0 dropped")
                          and told == "lost while capturing: 14 packets, by the captures' own count\n",
                          f"lost: {run.stdout!r}")
        with open(events, encoding="utf-8") as file:
            health = [event["camspan"]["health"] for event in map(json.loads, file)
                      if event["event"]["dataset"] == "camspan.health"]
        self.report.check([h["losses"].get("replay.lost_in_capture") for h in health] == [14],
                          f"lost: health {health}")

    def quiet_pipe(self):
        """A signal ends the wait for a pipe, also for its header, and no further source is opened."""
        process = self.programs.start("-r", "-", "-r", DEMO_CAPTURE)
        try:
            waits = wait_until(lambda: "pipe" in what_it_waits_for(process.pid))
            self.report.check(waits, "quiet pipe: it does not wait for the pipe")
            process.terminate()
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        self.report.check(process.returncode == OK, f"quiet pipe: {process.returncode}: {errors}")
        self.report.check(output.startswith("packets: 0 received") and errors == "",
                          f"quiet pipe: {output!r} {errors!r}")

    def places(self):
        missing = self.workspace.path("missing.pcap")
        for name, path, line in (("missing", missing, "No such file"),
                                 ("directory", self.workspace.directory, "is a directory")):
            run = self.programs.run("-r", path, "-r", DEMO_CAPTURE)
            self.ends(name, run, FAILED, f"{path}: {line}")
            self.balance(name, run, DEMO_PACKETS)
        for option in ("-o", "--state"):
            path = self.workspace.path("no/such/folder/file")
            run = self.programs.run("-r", DEMO_CAPTURE, option, path)
            self.ends(f"unwritable {option}", run, FAILED, path)
            self.report.check(run.stdout == "", f"unwritable {option}: stdout is {run.stdout!r}")
        run = self.programs.run("-r", DEMO_CAPTURE, "-o", "/dev/full")
        self.ends("disk full", run, FAILED, "cannot write /dev/full: No space",
                  " events could not be delivered")
        self.balance("disk full", run, DEMO_PACKETS)
        run = self.programs.run("-r", DEMO_CAPTURE, "-o", "-")
        events = [json.loads(line)["event"]["dataset"] for line in run.stdout.splitlines()]
        self.ends("-o -", run, OK, f"packets: {DEMO_PACKETS} received")
        self.report.check("camspan.device" in events, "-o -: no events on stdout")

    def configurations(self):
        cases = {
            "unknown-key": ("site:\n  nam: x\n", ":2: ", "nam"),
            "unknown-section": ("sites:\n  name: x\n", ":1: ", "sites"),
            "ill-typed": ("flows:\n  ipv4_max: many\n", ":2: ", "ipv4_max"),
            "out-of-range": ("flows:\n  ipv4_max: 99999999999999\n", ":2: ", "ipv4_max"),
            "bad-duration": ("health:\n  interval: 10 parsecs\n", ":2: ", "interval"),
            "list-for-text": ("site:\n  name: [a, b]\n", ":2: ", "name"),
            "bad-network": ("zones:\n  - name: a\n    kind: core\n    networks: [10.0.0.0/99]\n",
                            ":4: ", "networks"),
            "no-yaml": ("site: [\n", ":", "config"),
            "twice": ("site:\n  name: a\nsite:\n  name: b\n", ":3: ", "site"),
        }
        for name, (text, place, key) in cases.items():
            path = self.workspace.write(f"config-{name}.yaml", text)
            for arguments in (("-t", "-c", path), ("-c", path, "-r", DEMO_CAPTURE)):
                run = self.programs.run(*arguments)
                self.ends(name, run, USAGE, path + place)
                self.report.check(key in run.stderr and run.stdout == "",
                                  f"{name}: {run.stderr} {run.stdout}")
        missing = self.workspace.path("missing.yaml")
        self.ends("missing config", self.programs.run("-t", "-c", missing), USAGE, missing)
        no_data = self.workspace.write("no-data.yaml", "data:\n  directory: /no/such/folder\n")
        self.ends("no data", self.programs.run("-c", no_data, "-r", DEMO_CAPTURE), USAGE,
                  "/no/such/folder")
        no_ports = self.workspace.write("no-ports.yaml", "site:\n  name: a\n")
        self.ends("no ports", self.programs.run("-c", no_ports), USAGE, "dataplane.ports is empty")
        for file in ("config/camspan.yaml", "config/demo.yaml"):
            path = os.path.join(SOURCE, file)
            self.ends(file, self.programs.run("-t", "-c", path), OK)

    def usage(self):
        self.ends("nothing to do", self.programs.run(), USAGE, "nothing to do")
        self.ends("loose capture", self.programs.run("x.pcap"), USAGE, "captures are given with -r")
        run = self.programs.run("--no-such-option")
        self.report.check(run.returncode == USAGE and "no-such-option" in run.stderr,
                          f"unknown option: {run.stderr}")
        for arguments in (("read",), ("no-such-command",), ("read", "--no-such-option", "x.pcap"),
                          ("devices", "--class", "toaster")):
            run = self.programs.console(*arguments)
            self.report.check(run.returncode == USAGE and run.stderr and not run.stdout,
                              f"camspan {arguments}: {run.returncode} {run.stderr} {run.stdout}")
        missing = self.workspace.path("missing.pcap")
        run = self.programs.console("read", missing)
        self.ends("camspan read missing", run, FAILED, f"{missing}: No such file")
        run = self.programs.console("read", "--json", missing, DEMO_CAPTURE)
        self.ends("camspan read one of two", run, FAILED, f"{missing}: No such file")
        self.report.check(json.loads(run.stdout)["devices"], "the other capture was not read")

    def servers(self):
        """Kafka and Redis that are not there: told once each, the events counted, the file whole."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        events = self.workspace.path("events.jsonl")
        with open(DEMO_CONFIG, encoding="utf-8") as file:
            text = file.read().split("export:")[0]
        config = self.workspace.write("servers.yaml", text + f"""export:
  shutdown_timeout: 2s
  state: {{enabled: false}}
  file: {{enabled: true, path: {events}}}
  kafka: {{enabled: true, brokers: "127.0.0.1:{port}"}}
  redis: {{enabled: true, address: "127.0.0.1:{port}"}}
""")
        run = self.programs.run("-c", config, "-r", DEMO_CAPTURE)
        self.report.check(run.returncode == FAILED, f"no servers: {run.returncode} {run.stderr}")
        self.balance("no servers", run, DEMO_PACKETS)
        with open(events, encoding="utf-8") as file:
            count = len(file.readlines())
        self.tells_once("no servers", run, f"127.0.0.1:{port} failed: Connection refused",
                        "1/1 brokers are down", f"redis: 127.0.0.1:{port}: Connection refused",
                        f"kafka: {count} of {count} events could not be delivered")
        self.report.check(re.search(r"redis: (\d+) of \1 events could not be", run.stderr),
                          f"no servers: {run.stderr}")
        self.report.check(count > 100, f"no servers: {count} events in the file")


def main():
    report = Report()
    with Workspace() as workspace:
        checks = Checks(report, Programs(*sys.argv[1:], workspace.directory), workspace)
        checks.captures()
        checks.losses()
        checks.quiet_pipe()
        checks.places()
        checks.configurations()
        checks.usage()
        checks.servers()
        left = [name for name in os.listdir(workspace.directory) if name.startswith("camspan-")]
        report.check(not left, f"left behind: {left}")
    report.finish()


main()
