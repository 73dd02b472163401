#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a capture of the lab holds what expected.json promises. Usage: check_capture.py CAPTURE

Nothing of camspan takes part: this is the proof that the capture may judge it."""
import base64
import json
import os
import re
import sys

import capture_truth as truth

FPS_TOLERANCE = 0.02


class Report:
    def __init__(self):
        self.failed = 0

    def check(self, holds, text):
        print(("ok    " if holds else "WRONG ") + text)
        self.failed += not holds


def find_stream(streams, hosts, wanted):
    found = [s for s in streams if s.source == hosts[wanted["camera"]] and
             s.destination == hosts[wanted["viewer"]] and s.transport == wanted["transport"]]
    return found[0] if len(found) == 1 else None


def check_stream(report, stream, wanted):
    name = f"{wanted['camera']} to {wanted['viewer']}, {wanted['transport']}"
    report.check(stream is not None, f"{name}: there once")
    if stream is None:
        return
    width, height, decoded = truth.picture(stream, wanted["codec"])
    frames, fps = len(stream.frame_timestamps()), stream.fps()
    report.check((width, height) == (wanted["width"], wanted["height"]),
                 f"{name}: {wanted['codec']} {width}x{height}")
    report.check(decoded >= frames - 1, f"{name}: {decoded} of {frames} frames decode")
    report.check(abs(fps / wanted["fps"] - 1) < FPS_TOLERANCE, f"{name}: {fps:.2f} frames a second")
    report.check(stream.lost() == 0, f"{name}: {stream.lost()} of {len(stream.sequences)} lost, "
                 f"{stream.bitrate() / 1000:.0f} kbit/s on the wire")
    distance = stream.keyframe_distance(wanted["codec"])
    report.check(distance == wanted["gop"], f"{name}: keyframes {distance} frames apart")


def escaped_parameter_sets(sdp):
    """tshark 4.0 does not undo emulation prevention (ITU-T H.264 section 7.3.1) in parameter sets
    of a session description, and calls those that have any malformed."""
    sets = re.findall(r"sprop-[a-z-]+=([A-Za-z0-9+/=,]+)", sdp)
    return any(b"\0\0\3" in base64.b64decode(item) for text in sets for item in text.split(",") if item)


def check_dissection(report, capture):
    malformed = 0
    fields = ["-T", "fields", "-e", "frame.number", "-e", "sdp.fmtp.parameter", "-e", "_ws.col.Info"]
    for line in truth.tshark(capture, "-Y", "_ws.malformed", *fields).splitlines():
        number, parameters, summary = (line + "\t\t").split("\t")[:3]
        if not escaped_parameter_sets(parameters):
            malformed += 1
            print(f"      frame {number}: {summary}")
    report.check(malformed == 0, f"{malformed} malformed packets")
    seen = truth.protocols(capture)
    for protocol in ("arp", "dns", "mdns", "ssdp", "ntp", "http", "tls", "rtsp", "sdp", "rtp", "rtcp"):
        report.check(seen[protocol] > 0, f"{seen[protocol]} packets of {protocol}")
    for text, wanted in (
            ("udp.port == 37020 and udp contains \"<ProbeMatch>\"", "SADP replies"),
            ("udp.port == 37810 and udp.payload[4:4] == 44:48:49:50", "DHIP messages"),
            ("udp.port == 3702 and udp contains \"ProbeMatches\"", "WS-Discovery matches"),
            ("udp.port == 3702 and udp contains \"/Hello\"", "WS-Discovery Hellos"),
            ("tcp.srcport == 9000 and tcp.payload[0:4] == f0:de:bc:0a", "Baichuan greetings")):
        count = len(truth.tshark(capture, "-Y", text).splitlines())
        report.check(count > 0, f"{count} {wanted}")


def check_accounting(report, capture):
    """Nothing twice, nothing cut: the span shows each packet once and whole."""
    fields = ["-T", "fields", "-e", "ip.src", "-e", "ip.dst", "-e", "ip.id", "-e", "frame.len",
              "-e", "frame.cap_len", "-e", "udp.checksum", "-e", "tcp.seq_raw", "-e", "tcp.ack_raw"]
    lines = truth.tshark(capture, "-Y", "ip.id != 0 and (tcp or udp)", *fields).splitlines()
    report.check(len(lines) == len(set(lines)), f"{len(lines) - len(set(lines))} packets seen twice")
    cut = [line for line in lines if line.split("\t")[3] != line.split("\t")[4]]
    report.check(not cut, f"{len(cut)} packets cut short")
    checksums = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                 "-o", "ip.check_checksum:TRUE"]
    bad = truth.tshark(capture, *checksums, "-Y", "tcp.checksum.status == 0 or udp.checksum.status == 0"
                       " or ip.checksum.status == 0").splitlines()
    report.check(not bad, f"{len(bad)} wrong checksums")


def main():
    capture = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    hosts = {d["host"]: d["ip"] for d in expected["devices"] + expected["look_alikes"]}
    report = Report()
    streams = truth.rtp_streams(capture)
    for wanted in expected["streams"]:
        check_stream(report, find_stream(streams, hosts, wanted), wanted)
    report.check(len(streams) == len(expected["streams"]), f"{len(streams)} RTP streams in all")
    check_dissection(report, capture)
    check_accounting(report, capture)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
