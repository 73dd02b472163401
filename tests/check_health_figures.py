#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every health figure is documented in docs/operations.md, and nothing else is.

Usage: check_health_figures.py CAMSPAND SOURCE_ROOT

What a replay of the demonstration emits, and what the sources can emit beyond it (ports, Kafka,
Redis), against the figures that the tables of the page name.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

# What is gone for good when it grows: the log warns of these. What only ended early, or made room and
# can be learnt again, is a counter.
LOSSES = {
    "devices.evicted_identified", "export.NAME.failed", "export.NAME.queue_full",
    "flow_table.evicted", "flow_table.overflow_exhausted", "flow_table.records_lost",
    "inspection.cut_short", "inspection.packets_skipped",
    "inspection.tcp_buffers_exhausted", "policy.contacts_evicted", "policy.contacts_evicted_share",
    "replay.lost_in_capture", "reports.evidence_lost", "reports.media_lost", "reports.samples_lost",
    "ports.tags_lost", "spread.ring_full",
    "streams.media_evicted",
}
EXPORT = re.compile(r"^export\.[a-z]+\.")


def general(name):
    return EXPORT.sub("export.NAME.", name)


def emitted(camspand, root):
    """Names in the health events of a replay, and those among them that are losses."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [camspand, "-c", "config/demo.yaml", "-r", "tests/captures/demo.pcap",
             "-o", folder + "/events", "--state", folder + "/state"],
            cwd=root, check=True, stdout=subprocess.DEVNULL)
        events = [json.loads(line) for line in open(folder + "/events", encoding="utf-8")]
    names, losses = set(), set()
    for event in events:
        if event["event"]["dataset"] != "camspan.health":
            continue
        health = event["camspan"]["health"]
        names |= {"nic." + name for name in health["nic"]}
        names |= {"packets." + name for name in health["packets"] if name != "drops"}
        names |= set(health["packets"]["drops"])
        for kind in ("counters", "gauges", "losses"):
            names |= {general(name) for name in health[kind]}
        losses |= {general(name) for name in health["losses"]}
    return names, losses


def in_sources(root):
    """Names that the code passes to health_add()."""
    names = set()
    for folder in ("dataplane", "classifiers", "exporters"):
        for path in (root / folder).rglob("*.c"):
            text = path.read_text(encoding="utf-8")
            names |= set(re.findall(r'health_add\(\s*\w+,\s*"([^"]+)"', text))
            # Those of each worker are named as they are made.
            names |= {name.replace("%u", "N") for name in re.findall(r'"(worker\.%u\.[^"]+)"', text)}
            # Those of each port are named as they are made.
            names |= {name.replace("%u", "N") for name in re.findall(r'"(port\.%u\.[^"]+)"', text)}
    return names


def documented(page):
    """Names in the first column of the tables of the chapter on health events."""
    chapter = page.split("## Health events", 1)[1].split("\n## ", 1)[0]
    names = set()
    for line in chapter.splitlines():
        if line.startswith("| `"):
            names |= set(re.findall(r"`([^`]+)`", line.split("|")[1]))
    return names


def main():
    camspand, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    replayed, losses = emitted(camspand, root)
    real = replayed | in_sources(root)
    told = documented((root / "docs/operations.md").read_text(encoding="utf-8"))
    cases = [
        ("emitted, not documented in docs/operations.md", real - told),
        ("documented in docs/operations.md, never emitted", told - real),
        ("a loss that loses nothing, or LOSSES lacks it", losses - LOSSES),
        ("the replay emits hardly anything", set() if len(replayed) > 80 else replayed),
    ]
    for complaint, names in cases:
        for name in sorted(names):
            print(f"{complaint}: {name}")
    print(f"{len(replayed)} figures in the replay, {len(real)} in all")
    return any(names for _, names in cases)


if __name__ == "__main__":
    sys.exit(main())
