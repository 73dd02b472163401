#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""camspan explain, for a device of the recorded site: every fact behind the verdict with its value,
weight, side and source, for people and for machines.

Usage: explain.py CAMSPAND CAMSPAN"""
import json
import os
import re
import sys

from harness import DEMO_CAPTURE, DEMO_CONFIG, SOURCE, Programs, Report, Workspace

CAMERA = "10.20.1.21"  # sold by Annke, made by Hikvision
CHANNELS = 4           # independent ones that speak for it, at least


def texts(value):
    return " ".join(str(value).split())


def check_sources(report, facts):
    """Each source names a row of a data file that is there and speaks of the attribute."""
    for fact in facts:
        match = re.match(r"([a-z_]+/[a-z_]+\.tsv):(\d+)", fact["source"])
        if not report.check(match, f"{fact['attribute']}: source {fact['source']!r}"):
            continue
        with open(os.path.join(SOURCE, "config", match.group(1)), encoding="utf-8") as file:
            rows = file.read().splitlines()
        number = int(match.group(2))
        report.check(number <= len(rows) and rows[number - 1].strip()
                     and not rows[number - 1].startswith("#"),
                     f"{fact['attribute']}: {match.group(0)} is no row of data")


def check_facts(report, device):
    facts = [f for f in device["facts"] if f["weight_class"] or f["weight_vendor"]]
    report.check(len(facts) >= CHANNELS, f"{len(facts)} facts with weight")
    for fact in facts:
        report.check(fact["attribute"] and fact["value"], f"a fact without a value: {fact}")
        report.check(fact["side"] in ("device", "peer", "tool"), f"side {fact['side']!r}")
        report.check(fact["count"] > 0 and fact["first_seen"] <= fact["last_seen"],
                     f"{fact['attribute']}: seen {fact['count']} times")
    channels = {fact["attribute"].split(".")[0] for fact in facts}
    report.check(len(channels) >= CHANNELS, f"only {channels} speak")
    weights = [abs(f["weight_class"]) + abs(f["weight_vendor"]) for f in device["facts"]]
    report.check(weights == sorted(weights, reverse=True), "the weightiest fact is not first")
    check_sources(report, facts)


def check_verdict(report, device):
    expected = {"class": "camera", "brand": "annke", "maker": "hikvision", "status": "restricted",
                "mac": "44:19:b6:5a:21:01"}
    for key, value in expected.items():
        report.check(device[key] == value, f"{key} is {device[key]!r}, not {value}")
    report.check(device["confidence"] > 0.95, f"confidence {device['confidence']}")


def check_text(report, text, device):
    """The text for people tells each weight, value and source, however lines are broken."""
    flat = texts(text)
    report.check(f"Device {device['id']}" in flat and "made by hikvision" in flat, flat[:300])
    for fact in device["facts"]:
        report.check(f"{fact['attribute']} = \"{texts(fact['value'])}\"" in flat,
                     f"not in the text: {fact['attribute']} = {fact['value']}")
        for weight in (fact["weight_class"], fact["weight_vendor"]):
            report.check(not weight or f"{weight:+.2f} " in flat, f"no weight {weight:+.2f}")
        report.check(texts(fact["source"]) in flat, f"no source {fact['source']}")


def main():
    report = Report()
    with Workspace() as workspace:
        programs = Programs(*sys.argv[1:], workspace.directory)
        state = workspace.path("state.db")
        run = programs.run("-c", DEMO_CONFIG, "-r", DEMO_CAPTURE, "--state", state)
        report.check(run.returncode == 0, f"replay: {run.stderr}")
        run = programs.console("explain", "--state", state, "--json", CAMERA)
        report.check(run.returncode == 0 and not run.stderr, f"--json: {run.stderr}")
        answer = json.loads(run.stdout)
        device = dict(answer["device"], facts=answer["facts"])
        check_verdict(report, device)
        check_facts(report, device)
        for name in (device["id"], device["id"][:8], device["mac"], CAMERA):
            run = programs.console("explain", "--state", state, name)
            report.check(run.returncode == 0 and not run.stderr, f"{name}: {run.stderr}")
            check_text(report, run.stdout, device)
        run = programs.console("explain", "--state", state, "192.0.2.99")
        report.check(run.returncode == 1 and len(run.stderr.splitlines()) == 1 and not run.stdout,
                     f"a device that is not there: {run.returncode} {run.stderr}")
    report.finish()


main()
