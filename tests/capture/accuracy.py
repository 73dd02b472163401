#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what camspan finds in labelled captures; the table goes into docs/accuracy.md.

usage: accuracy.py [--camspan PROGRAM] [--category NAME]... [--batch N] [--details] CAPTURES

CAPTURES holds labels.tsv (path, category, vendor, device, ...) and the captures it names. Category
CAM: one camera each; any other category: none. --batch reads that many captures of categories
without cameras in one run, and those of a run with a finding again one by one.
"""
import argparse
import csv
import json
import pathlib
import re
import subprocess
import sys

VIDEO = {"camera", "recorder", "doorbell"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def vendors():
    """Plain id -> plain id of the maker, "" where it differs by model or is unknown."""
    makers = {}
    with open(ROOT / "config/vendors/vendors.tsv", encoding="utf-8") as file:
        rows = (line for line in file if not line.startswith("#"))
        for row in csv.DictReader(rows, delimiter="\t"):
            maker = {"self": row["id"], "-": ""}.get(row["maker"], row["maker"])
            makers[plain(row["id"])] = plain(maker)
    return makers


def truth(label, makers):
    """Brand and maker that a label like "EZVIZ(Hikvision)" names; "" what it does not tell."""
    match = re.match(r"([^(]*)(?:\(([^)]*)\))?", label)
    brand, maker = plain(match[1]), plain(match[2] or "")
    if maker not in makers:
        maker = makers.get(brand, "")
    return (brand if brand in makers else ""), maker


def read(program, paths):
    run = subprocess.run([program, "read", "--json", *map(str, paths)],
                         capture_output=True, text=True, timeout=900, check=False)
    try:
        found = json.loads(run.stdout)
    except ValueError:
        lines = run.stderr.strip().splitlines() or ["no output"]
        return None, lines[-1]
    return [d for d in found["devices"] if d["class"] in VIDEO], ""


def show(path, device):
    print("  %s: %s %s brand '%s' maker '%s' model '%s' %.2f" % (
        path, device["class"], device["ip"] or device["mac"], device["brand"], device["maker"],
        device["model"], device["confidence"]), file=sys.stderr)


class Tally:
    def __init__(self):
        self.captures = self.unread = self.expected = self.found = self.false = 0
        self.brands = [0, 0]
        self.makers = [0, 0]

    def camera(self, devices, brand, maker):
        """The surest device is taken for the labelled camera; any other is one too many."""
        self.expected += 1
        if not devices:
            return
        best = max(devices, key=lambda d: d["confidence"])
        self.found += 1
        self.false += len(devices) - 1
        for counts, got, true in ((self.brands, best["brand"], brand),
                                  (self.makers, best["maker"], maker)):
            if true:
                counts[0] += plain(got) == true
                counts[1] += 1


def measure_one(options, tally, row, makers):
    devices, problem = read(options.camspan, [options.captures / row["path"]])
    if devices is None:
        tally.unread += 1
        print("  %s: %s" % (row["path"], problem), file=sys.stderr)
        return
    if row["category"] == "CAM":
        tally.camera(devices, *truth(row["vendor"], makers))
        if not devices and options.details:
            print("  %s: not found" % row["path"], file=sys.stderr)
    else:
        tally.false += len(devices)
    if devices and (options.details or row["category"] != "CAM"):
        for device in devices:
            show(row["path"], device)


def measure(options, category, rows, makers):
    tally = Tally()
    tally.captures = len(rows)
    size = options.batch if category != "CAM" else 1
    for start in range(0, len(rows), size):
        batch = rows[start:start + size]
        if len(batch) > 1:
            devices, _ = read(options.camspan, [options.captures / row["path"] for row in batch])
            if devices == []:
                continue
        for row in batch:
            measure_one(options, tally, row, makers)
    return tally


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("captures", type=pathlib.Path)
    parser.add_argument("--camspan", default=str(ROOT / "build/exporters/console/camspan"))
    parser.add_argument("--category", action="append")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--details", action="store_true")
    options = parser.parse_args()
    makers = vendors()
    with open(options.captures / "labels.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    print("| category | captures | cameras expected | found | brand right | maker right "
          "| false accusations | not read |\n|---|---|---|---|---|---|---|---|")
    for category in options.category or sorted({row["category"] for row in rows}):
        mine = [row for row in rows if row["category"] == category]
        t = measure(options, category, mine, makers)
        print("| %s | %d | %d | %d | %d of %d | %d of %d | %d | %d |" % (
            category, t.captures, t.expected, t.found, *t.brands, *t.makers, t.false, t.unread),
            flush=True)


if __name__ == "__main__":
    main()
