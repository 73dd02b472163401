#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the events of camspan against expected.json and a capture of the same traffic.

Usage: check_events.py EVENTS.jsonl CAPTURE

Of a device, stream or alert the last event counts. Rates are compared with the capture, measured by
capture_truth.py; the packet balance of the last health event must equal it."""
import json
import os
import sys

import capture_truth as truth
from check_capture import Report, find_stream

FPS_TOLERANCE, BITRATE_TOLERANCE = 0.05, 0.10
DATASETS = ("flow", "device", "stream", "alert", "health")
SURVEILLANCE = ("camera", "recorder", "doorbell")


def field(event, path, default=None):
    """A field by its dotted ECS name, nested or flat."""
    if path in event:
        return event[path]
    for name in path.split("."):
        if not isinstance(event, dict) or name not in event:
            return default
        event = event[name]
    return event


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def mac_key(mac):
    """ECS writes MACs as 00-00-5E-00-53-23."""
    return str(mac).lower().replace("-", ":")


class Events:
    def __init__(self, path, report):
        self.by_dataset = {name: [] for name in DATASETS}
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                event = json.loads(line)
                dataset = str(field(event, "event.dataset")).removeprefix("camspan.")
                if dataset not in self.by_dataset:
                    report.check(False, f"line {number}: dataset {dataset}")
                    continue
                self.by_dataset[dataset].append(event)

    def latest(self, dataset, identity):
        return {field(e, identity): e for e in self.by_dataset[dataset]}

    def check_envelope(self, report, site):
        for dataset, events in self.by_dataset.items():
            report.check(bool(events), f"{len(events)} {dataset} events")
            sequences = [field(e, "event.sequence") for e in events]
            first = sequences[0] if sequences else 0
            gapless = sequences == list(range(first, first + len(sequences)))
            report.check(gapless, f"{dataset}: event.sequence without gap")
            sites = {field(e, "labels.site") for e in events}
            report.check(sites <= {site}, f"{dataset}: labels.site {site}")


def check_devices(report, events, expected):
    """Returns device ids by host name."""
    devices = events.latest("device", "camspan.device.id").values()

    def named(host):
        found = [d for d in devices
                 if host["ip"] in as_list(field(d, "host.ip")) or
                 mac_key(host["mac"]) in map(mac_key, as_list(field(d, "host.mac")))]
        return found

    identities = {}
    for host in expected["devices"]:
        found = named(host)
        report.check(len(found) == 1, f"{host['host']}: {len(found)} devices (one wanted)")
        for device in found[:1]:
            identities[host["host"]] = field(device, "camspan.device.id")
            check_device(report, device, host)
    for host in expected["look_alikes"]:
        for device in named(host):
            device_class = field(device, "camspan.device.class")
            report.check(device_class not in SURVEILLANCE,
                         f"{host['host']}: {device_class}, no surveillance device ({host['why']})")
            identities.setdefault(host["host"], field(device, "camspan.device.id"))
    known = {identities.get(host["host"]) for host in expected["devices"]}
    others = [d for d in devices if field(d, "camspan.device.class") in SURVEILLANCE and
              field(d, "camspan.device.id") not in known]
    report.check(not others, "no other surveillance device" + "".join(
        f"; {field(d, 'host.ip')} {field(d, 'host.mac')} {field(d, 'camspan.device.class')}"
        for d in others))
    return identities


def check_device(report, device, host):
    name = host["host"]
    for attribute in ("class", "brand", "status", "zone"):
        value = field(device, f"camspan.device.{attribute}")
        report.check(value == host[attribute], f"{name}: {attribute} {value}" +
                     ("" if value == host[attribute] else f" (wanted {host[attribute]})"))
    maker = field(device, "camspan.device.maker", "") or ""
    report.check(maker in host["maker"], f"{name}: maker {maker or '(none)'}")
    report.check(host["ip"] in as_list(field(device, "host.ip")), f"{name}: address {host['ip']}")
    macs = list(map(mac_key, as_list(field(device, "host.mac"))))
    report.check(macs == [host["mac"]], f"{name}: MAC {macs}")
    report.check(bool(field(device, "camspan.device.evidence")), f"{name}: has evidence")


def check_streams(report, events, capture, expected, identities):
    hosts = {h["host"]: h["ip"] for h in expected["devices"] + expected["look_alikes"]}
    measured = truth.rtp_streams(capture)
    streams = list(events.latest("stream", "camspan.stream.id").values())
    for wanted in expected["streams"]:
        name = f"{wanted['camera']} to {wanted['viewer']}"
        found = [s for s in streams if field(s, "source.ip") == hosts[wanted["camera"]] and
                 field(s, "destination.ip") == hosts[wanted["viewer"]] and
                 field(s, "camspan.stream.transport") == wanted["transport"]]
        report.check(len(found) == 1, f"{name}: {len(found)} {wanted['transport']} streams (one wanted)")
        actual = find_stream(measured, hosts, wanted)
        if found and actual:
            check_stream(report, found[0], actual, wanted, name)
            report.check(field(found[0], "camspan.stream.device") == identities.get(wanted["camera"]),
                         f"{name}: belongs to its camera")
    report.check(len(streams) == len(expected["streams"]), f"{len(streams)} streams in all")


def check_stream(report, stream, actual, wanted, name):
    def value(attribute):
        return field(stream, f"camspan.stream.{attribute}")

    report.check(value("codec") == wanted["codec"], f"{name}: codec {value('codec')}")
    size = (value("width"), value("height"))
    report.check(size == (wanted["width"], wanted["height"]),
                 f"{name}: {size[0]}x{size[1]} (is {wanted['width']}x{wanted['height']})")
    compare(report, name, "frames a second", value("fps"), wanted["fps"], FPS_TOLERANCE)
    compare(report, name, "bit/s", value("bitrate"), actual.bitrate(), BITRATE_TOLERANCE)
    # tshark now and then skips a packet where TCP cuts it; in a connection none can be lost.
    lost = 0 if wanted["transport"] == "rtp-tcp" else actual.lost()
    report.check(value("lost") == lost == 0, f"{name}: {value('lost')} lost (is {lost})")
    if wanted["gop"]:  # every MJPEG frame is a keyframe: nothing to measure
        report.check(value("gop") == wanted["gop"], f"{name}: gop {value('gop')}")
    report.check(not value("encrypted"), f"{name}: not encrypted")


def compare(report, name, unit, value, actual, tolerance):
    near = isinstance(value, (int, float)) and abs(value / actual - 1) <= tolerance
    report.check(near, f"{name}: {value} {unit} (is {actual:.1f})")


def alert_key(alert):
    return (field(alert, "rule.id"), field(alert, "camspan.alert.device"),
            field(alert, "destination.ip"), field(alert, "destination.port"))


def matches(alert, wanted, identities):
    rule, device, address, port = alert_key(alert)
    return (rule == wanted["rule"] and device == identities.get(wanted["device"]) and
            wanted.get("destination") in (None, address) and wanted.get("port") in (None, port))


def check_alerts(report, events, expected, identities):
    alerts = list(events.latest("alert", "camspan.alert.id").values())
    for wanted in expected["alerts"]:
        name = f"{wanted['rule']}, {wanted['device']} {wanted.get('destination', '')}".rstrip()
        found = [a for a in alerts if matches(a, wanted, identities)]
        report.check(len(found) == 1, f"{name}: {len(found)} alerts (one wanted)")
        for alert in found[:1]:
            outcome = field(alert, "camspan.alert.outcome", "") or ""
            report.check(outcome == wanted.get("outcome", ""), f"{name}: outcome {outcome or '(none)'}")
            if "domain" in wanted:
                domain = field(alert, "destination.domain")
                report.check(domain == wanted["domain"], f"{name}: domain {domain}")
            report.check(bool(field(alert, "camspan.alert.reason")), f"{name}: gives a reason")
    allowed = expected["alerts"] + expected["may_also_alert"]
    others = [alert_key(a) for a in alerts
              if not any(matches(a, wanted, identities) for wanted in allowed)]
    report.check(not others, "no other alert" + "".join(f"; {key}" for key in others))


def check_balance(report, health_events, capture, where):
    """Every packet on the span was received, or is counted as missed, or is a fragment that the kernel
    kept for reassembly before the port saw it."""
    if not health_events:
        return
    health = field(health_events[-1], "camspan.health")
    packets = health["packets"]
    received, decoded, dropped = packets["received"], packets["decoded"], sum(packets["drops"].values())
    report.check(received == decoded + dropped,
                 f"balance: {received} received = {decoded} decoded + {dropped} dropped")
    captured, _ = truth.packet_count(capture)
    held = field(health, "counters", {}).get("ports.fragments_in_kernel", 0)
    missed = sum(field(health, "nic", {}).values())
    report.check(missed == 0, f"balance: {missed} missed by the port")
    report.check(received + held + missed == captured,
                 f"balance: {received} received + {held} fragments kept by the kernel, {captured} in {where}")


def check(events_file, capture):
    """The number of things that are wrong; each is printed."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    report = Report()
    events = Events(events_file, report)
    events.check_envelope(report, expected["site"])
    identities = check_devices(report, events, expected)
    check_streams(report, events, capture, expected, identities)
    check_alerts(report, events, expected, identities)
    check_balance(report, events.by_dataset["health"], capture, "the capture")
    return report.failed


if __name__ == "__main__":
    wrong = check(*sys.argv[1:])
    print(f"{wrong} wrong")
    sys.exit(1 if wrong else 0)
