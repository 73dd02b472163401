#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What camspan read says of labelled captures, against cases.tsv, which explains its columns.

Usage: cases.py CAMSPAND CAMSPAN CASES.tsv UNREADABLE.tsv"""
import csv
import fnmatch
import json
import os
import re
import sys

from harness import Programs, Report, Workspace, captures_folder

SURVEILLANCE = ("camera", "recorder", "doorbell")
DEVICE_FIELDS = ("class", "brand", "maker", "model", "status")


def table(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line.strip() and line[0] != "#"]


class Captures:
    """The list of labelled captures, without those that cannot be read to their end."""

    def __init__(self, folder, unreadable):
        self.folder = folder
        with open(os.path.join(folder, "labels.tsv"), encoding="utf-8") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            self.rows = [row for row in rows if row["path"] not in unreadable]

    def matching(self, pattern):
        if pattern.startswith("@"):
            found = [row for row in self.rows if row["category"] == pattern[1:]]
        else:
            found = [row for row in self.rows if fnmatch.fnmatchcase(row["path"], pattern)]
        paths = [os.path.join(self.folder, row["path"]) for row in found]
        return paths, sum(int(row["packets"]) for row in found)


def is_in(value, expected):
    if expected == "*":
        return True
    if expected == "-":
        return value in ("", None)
    if ".." in expected:
        low, high = expected.split("..")
        return float(low) <= value <= float(high)
    return str(value) == expected


def check_device(report, name, result, fields):
    identity, *expected, least = fields
    found = [d for d in result["devices"] if identity in (d["mac"], *d["ips"])]
    if not report.check(len(found) == 1, f"{name}: {len(found)} devices are {identity}"):
        return None
    for key, value in zip(DEVICE_FIELDS, expected):
        report.check(is_in(found[0][key], value),
                     f"{name}: {identity}: {key} is {found[0][key]!r}, not {value}")
    report.check(found[0]["confidence"] >= float(least),
                 f"{name}: {identity}: confidence {found[0]['confidence']} under {least}")
    return found[0]


def check_stream(report, name, result, fields):
    camera, viewer, transport, codec, size, rate, bits = fields
    found = [s for s in result["streams"] if (s["camera_ip"], s["viewer_ip"]) == (camera, viewer)]
    if not report.check(len(found) == 1, f"{name}: {len(found)} streams {camera} to {viewer}"):
        return None
    stream = found[0]
    seen = (stream["transport"], stream["codec"], f"{stream['width']}x{stream['height']}",
            stream["fps"], stream["bitrate"])
    for value, expected in zip(seen, (transport, codec, size, rate, bits)):
        report.check(is_in(value, expected), f"{name}: {camera}: {value} is not {expected}")
    return stream


def check_nothing_else(report, name, result, expected):
    for device in result["devices"]:
        report.check(device["class"] not in SURVEILLANCE or device in expected,
                     f"{name}: {device['mac']} {device['ip']} is called a {device['class']}")
    for stream in result["streams"]:
        report.check(stream in expected, f"{name}: a stream of {stream['camera_ip']}")


def check_balance(report, name, result, packets):
    line = " ".join(result["balance"])
    numbers = re.match(r"packets: (\d+) received = (\d+) decoded \+ (\d+) dropped", line)
    if report.check(numbers, f"{name}: no packet balance: {line}"):
        received, decoded, dropped = map(int, numbers.groups())
        named = sum(int(n) for n in re.findall(r", [a-z0-9_]+ (\d+)", line))
        report.check(received == packets, f"{name}: {received} packets of {packets}")
        report.check(received == decoded + dropped and dropped == named, f"{name}: {line}")


def check_captures(report, programs, captures, pattern, rows):
    name = pattern.rsplit("captures_IoT-Sentinel/", 1)[-1]
    paths, packets = captures.matching(pattern)
    if not report.check(paths, f"{name}: no such capture"):
        return
    run = programs.console("read", "--json", "--all", *paths)
    report.check(run.returncode == 0 and not run.stderr,
                 f"{name}: exit code {run.returncode}: {run.stderr.strip()}")
    try:
        result = json.loads(run.stdout)
    except ValueError as error:
        report.check(False, f"{name}: {error}")
        return
    expected = []
    for kind, fields in rows:
        if kind == "device":
            expected.append(check_device(report, name, result, fields))
        elif kind == "stream":
            expected.append(check_stream(report, name, result, fields))
        else:
            report.check(kind == "none" and not result["alerts"],
                         f"{name}: {len(result['alerts'])} alerts")
    check_nothing_else(report, name, result, expected)
    check_balance(report, name, result, packets)


def main():
    camspand, camspan, cases, unreadable = sys.argv[1:]
    captures = Captures(captures_folder(), {row[0] for row in table(unreadable)})
    report = Report()
    runs = {}
    for kind, pattern, *fields in table(cases):
        runs.setdefault(pattern, []).append((kind, fields))
    with Workspace() as workspace:
        programs = Programs(camspand, camspan, workspace.directory)
        for pattern, rows in runs.items():
            check_captures(report, programs, captures, pattern, rows)
    report.finish()


main()
