#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of camspan and of other passive flow probes on one capture file.

usage: peers.py [--camspand PROGRAM] [--runs N] [--core N] [--only NAME]... [--json FILE] CAPTURE

CAPTURE is a pcap file of join.py. Every tool that is installed reads it, pinned to one core, N
times (5), and N times a file with only its first packet, in turn with it. The figure is user +
system time of the process and its children, less the median for the one packet, per packet. It is
CPU time, so that other load on the machine disturbs it by the caches only; the load average stands
beside it.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
PART_PACKETS = 250_000  # of the capture, for a tool that would take minutes
IDLE, ACTIVE = 60, 300  # seconds: camspan's defaults, given to every tool that can be told
NO_STATE = "export:\n  state:\n    enabled: false\n"
CONFIGURATIONS = {"off": "inspection:\n  mode: off\n" + NO_STATE,
                  "flows": "inspection:\n  mode: off\n  max_packets: 0\n" + NO_STATE}


class Tool(typing.NamedTuple):
    name: str
    program: str
    arguments: list  # {capture}, {out} and the names of CONFIGURATIONS are replaced
    flows: str  # how to find the number of flows: see count_flows()
    does: str
    part: bool = False


TOOLS = [
    Tool("camspan", "camspand", ["-r", "{capture}"], "none",
         "flows of both directions, nDPI on 8 packets of a flow, camera protocols, devices, "
         "streams, policy; no events out"),
    Tool("camspan, events to a file", "camspand", ["-r", "{capture}", "-o", "{out}/events.jsonl"],
         "events", "the same, and every event as a line of JSON"),
    Tool("camspan, inspection off", "camspand", ["-r", "{capture}", "-c", "{off}"], "none",
         "the same as the first without nDPI; camera protocols are recognised"),
    Tool("camspan, flows only", "camspand", ["-r", "{capture}", "-c", "{flows}"], "none",
         "flows of both directions, devices by MAC and ARP, policy; no payload"),
    Tool("ndpiReader", "ndpiReader", ["-i", "{capture}"], "ndpireader",
         "flows of both directions, nDPI on up to 80 packets of a flow (UDP 24), totals; no "
         "timeouts, no events, no devices"),
    Tool("nfpcapd", "nfpcapd", ["-r", "{capture}", "-w", "{out}", "-t", "86400", "-e",
                                f"{ACTIVE},{IDLE}"], "nfdump",
         "flows of one direction to its files; no payload"),
    Tool("softflowd", "softflowd",
         ["-r", "{capture}", "-d", "-a", "-6", "-T", "vlan", "-c", "none", "-p", "{out}/pid",
          "-m", "1000000", "-t", f"maxlife={ACTIVE}", *(
              word for timeout in ("tcp", "udp", "icmp", "general", "tcp.rst", "tcp.fin")
              for word in ("-t", f"{timeout}={IDLE}"))], "softflowd",
         "flows of both directions, counted and not exported; no payload; in a file its timeouts "
         "hardly act"),
    Tool("argus", "argus",
         ["-X", "-r", "{capture}", "-w", "{out}/argus", "-S", str(ACTIVE)], "argus",
         "flows of both directions to its file, TCP states and losses; no payload"),
    Tool("suricata, no rules", "suricata",
         ["-r", "{capture}", "-c", "/etc/suricata/suricata.yaml", "-S", "/dev/null", "-l", "{out}",
          "--runmode", "single"], "suricata",
         "flows, TCP reassembly, application parsers, eve.json as Debian sets it; no rules"),
    Tool("tshark", "tshark", ["-q", "-n", "-z", "conv,ip", "-r", "{capture}"], "none",
         "full dissection, no name look-ups; estimated on the first "
         f"{PART_PACKETS} packets", True),
]


def head(capture, output, packets):
    """The first packets of a pcap file; returns how many there were."""
    with open(capture, "rb") as file, open(output, "wb") as out:
        out.write(file.read(24))
        for count in range(packets):
            record = file.read(16)
            if len(record) < 16:
                return count
            out.write(record + file.read(struct.unpack("<8xI4x", record)[0]))
    return packets


def count_packets(capture):
    count = 0
    with open(capture, "rb", buffering=1 << 20) as file:
        if file.read(4) != b"\xd4\xc3\xb2\xa1":
            sys.exit(f"{capture}: not a pcap file as join.py writes it")
        file.read(20)
        while True:
            record = file.read(16)
            if len(record) < 16:
                return count
            file.read(struct.unpack("<8xI4x", record)[0])
            count += 1


def run_once(command, core, log):
    """User and system seconds of the process and what it waited for."""
    os.sched_setaffinity(0, {core})  # inherited; nothing else runs here meanwhile
    with open(log, "wb") as file:
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as file:
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{file.read()[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def found(pattern, text):
    match = re.search(pattern, text)
    return int(match[1].replace(",", "")) if match else None


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def count_lines(path, text):
    with open(path, encoding="utf-8") as file:
        return sum(text in line for line in file)


def count_flows(tool, out, log):
    """Flow records of a run, None where the tool does not tell."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if tool.flows == "events":
        return count_lines(out / "events.jsonl", '"dataset":"camspan.flow"')
    if tool.flows == "ndpireader":
        return found(r"Unique flows:\s+(\d+)", text)
    if tool.flows == "softflowd":
        return found(r"Flows expired: (\d+)", text)
    if tool.flows == "suricata":
        return count_lines(out / "eve.json", '"event_type":"flow"')
    if tool.flows == "nfdump" and shutil.which("nfdump"):
        return found(r"Flows: (\d+)", output_of("nfdump", "-R", str(out), "-I"))
    if tool.flows == "argus" and shutil.which("racount"):
        return found(r"sum\s+(\d+)", output_of("racount", "-r", str(out / "argus")))
    return None


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.packets = count_packets(options.capture)
        self.one = self.file("one.pcap", 1)
        self.configurations = {name: directory / f"{name}.yaml" for name in CONFIGURATIONS}
        for name, path in self.configurations.items():
            path.write_text(CONFIGURATIONS[name], encoding="utf-8")

    def file(self, name, packets):
        path = self.directory / name
        head(self.options.capture, path, packets)
        return path

    def command(self, tool, program, capture, out):
        values = {"capture": capture, "out": out, **self.configurations}
        return [program, *(word.format(**values) for word in tool.arguments)]

    def once(self, tool, program, capture):
        """Seconds, flows and the load before."""
        out = self.directory / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        log = self.directory / "log"
        load = os.getloadavg()[0]
        seconds = run_once(self.command(tool, program, capture, out), self.options.core, log)
        return seconds, out, log, load

    def measure(self, tool, program):
        packets = min(self.packets, PART_PACKETS) if tool.part else self.packets
        capture = self.file("part.pcap", packets) if tool.part else self.options.capture
        startup, whole, loads, flows = [], [], [], None
        for _ in range(self.options.runs):
            startup.append(self.once(tool, program, self.one)[0])
            seconds, out, log, load = self.once(tool, program, capture)
            whole.append(seconds)
            loads.append(load)
            flows = count_flows(tool, out, log) if flows is None else flows
        net = [(seconds - statistics.median(startup)) / packets * 1e9 for seconds in whole]
        return {"tool": tool.name, "ns": round(statistics.median(net), 1),
                "ns_min": round(min(net), 1), "ns_max": round(max(net), 1),
                "startup_s": round(statistics.median(startup), 3), "packets": packets,
                "flows": flows, "load": round(statistics.median(loads), 2),
                "version": version(tool, program), "does": tool.does}


def version(tool, program):
    """The first number with a point that the tool says of itself."""
    for option in ("--version", "-V", "-h"):
        run = subprocess.run([program, option], capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL)
        match = re.search(r"\d+\.\d+[\w.]*", run.stdout + run.stderr)
        if match:
            return match[0]
    return ""


def programs(options):
    """(tool, program) of what is installed and wanted; says what is not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for tool in TOOLS:
        if options.only and tool.name not in options.only:
            continue
        program = options.camspand if tool.program == "camspand" else shutil.which(
            tool.program, path=path)
        if program:
            yield tool, str(program)
        else:
            print(f"# {tool.name}: not installed", file=sys.stderr)


def show(rows):
    print("| tool | version | ns/packet: median (min-max) | start-up s | flows | load | it does |\n"
          "|---|---|---|---|---|---|---|")
    for row in rows:
        print("| {tool} | {version} | {ns:.0f} ({ns_min:.0f}-{ns_max:.0f}) | {startup_s:.2f} "
              "| {flows} | {load:.1f} | {does} |".format(**dict(row, flows=row["flows"] or "-")))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("capture")
    parser.add_argument("--camspand", default=ROOT / "build/dataplane/camspand")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--only", action="append")
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="camspan-peers-") as directory:
        bench = Bench(options, pathlib.Path(directory))
        for tool, program in programs(options):
            rows.append(bench.measure(tool, program))
            print(f"# {tool.name}: {rows[-1]['ns']} ns", file=sys.stderr)
    show(rows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                       "capture": os.path.basename(options.capture), "runs": options.runs,
                       "results": rows}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
