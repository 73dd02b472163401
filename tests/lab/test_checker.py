#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the checker: right events pass, and each kind of wrong event is noticed. Needs no root.

The right events are made from expected.json and the truth of tests/captures/demo.pcap."""
import contextlib
import copy
import io
import json
import os
import sys
import tempfile

import capture_truth as truth
import check_events
from check_capture import find_stream

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURE = os.path.join(os.path.dirname(HERE), "captures", "demo.pcap")


def right_events(expected):
    """Events as camspan should write them, one per device, stream and alert, and a flow."""
    hosts = {h["host"]: h for h in expected["devices"] + expected["look_alikes"]}
    measured = truth.rtp_streams(CAPTURE)
    addresses = {name: host["ip"] for name, host in hosts.items()}
    events = [device_event(hosts[h["host"]]) for h in expected["devices"] + expected["look_alikes"]]
    events += [stream_event(wanted, hosts, find_stream(measured, addresses, wanted))
               for wanted in expected["streams"]]
    events += [alert_event(number, wanted, hosts) for number, wanted in enumerate(expected["alerts"])]
    events += [{"event": {"dataset": "camspan.flow"}}, health_event()]
    return events


def device_event(host):
    return {"event": {"dataset": "camspan.device"},
            "host": {"ip": [host["ip"]], "mac": [host["mac"].upper().replace(":", "-")]},
            "camspan": {"device": {
                "id": host["host"], "class": host.get("class", "other"), "brand": host.get("brand"),
                "maker": host.get("maker", [""])[0], "status": host.get("status"),
                "zone": host.get("zone"), "evidence": [{"attribute": "oui"}]}}}


def stream_event(wanted, hosts, actual):
    shown = {key: wanted[key] for key in ("codec", "width", "height", "fps", "gop", "transport")}
    return {"event": {"dataset": "camspan.stream"},
            "source": {"ip": hosts[wanted["camera"]]["ip"]},
            "destination": {"ip": hosts[wanted["viewer"]]["ip"]},
            "camspan": {"stream": {**shown, "id": "stream-" + wanted["camera"], "lost": 0,
                                   "device": wanted["camera"], "encrypted": False,
                                   "bitrate": actual.bitrate()}}}


def alert_event(number, wanted, hosts):
    alert = {"event": {"dataset": "camspan.alert"}, "rule": {"id": wanted["rule"]},
             "camspan": {"alert": {"id": f"alert-{number}", "state": "opened", "reason": "because",
                                   "device": hosts[wanted["device"]]["host"]}}}
    if "destination" in wanted:
        alert["destination"] = {"ip": wanted["destination"], "port": wanted["port"]}
        alert["camspan"]["alert"]["outcome"] = wanted["outcome"]
        if "domain" in wanted:
            alert["destination"]["domain"] = wanted["domain"]
    return alert


def health_event():
    count, _ = truth.packet_count(CAPTURE)
    return {"event": {"dataset": "camspan.health"}, "camspan": {"health": {"packets": {
        "received": count, "decoded": count - 2, "drops": {"not_ip": 2, "ip_truncated": 0}}}}}


def numbered(events, site):
    sequence = {}
    for event in events:
        dataset = event["event"]["dataset"]
        sequence[dataset] = sequence.get(dataset, 0) + 1
        event["event"].setdefault("sequence", sequence[dataset])
        event.setdefault("labels", {"site": site})
    return events


def find(events, dataset, key, value):
    return next(e for e in events if e["event"]["dataset"] == "camspan." + dataset and
                e["camspan"][dataset][key] == value)


def change(dataset, key, value, attribute, to):
    def apply(events):
        find(events, dataset, key, value)["camspan"][dataset][attribute] = to
    return apply


def lose(dataset, key, value):
    return lambda events: events.remove(find(events, dataset, key, value))


def accuse(device, rule, destination):
    def apply(events):
        events.append({"event": {"dataset": "camspan.alert"}, "rule": {"id": rule},
                       "destination": {"ip": destination, "port": 53},
                       "camspan": {"alert": {"id": "false", "device": device, "outcome": "connected",
                                             "reason": "none"}}})
    return apply


def skip_sequence(events):
    find(events, "stream", "device", "axis")["event"]["sequence"] = 99


def miscount(events):
    next(e for e in events if e["event"]["dataset"] == "camspan.health")[
        "camspan"]["health"]["packets"]["received"] += 1


def second_device(events):
    twin = copy.deepcopy(find(events, "device", "id", "axis"))
    twin["camspan"]["device"]["id"] = "twin"
    events.append(twin)


def strange_camera(events):
    stranger = copy.deepcopy(find(events, "device", "id", "axis"))
    stranger["camspan"]["device"]["id"] = "stranger"
    stranger["host"] = {"ip": ["10.20.9.9"], "mac": ["00-00-5E-00-53-01"]}
    events.append(stranger)


WRONGS = {
    "a camera that was not found": lose("device", "id", "hanwha"),
    "a device found twice": second_device,
    "a camera that is not there": strange_camera,
    "the brand taken for the maker": change("device", "id", "annke", "maker", "annke"),
    "a wrong status": change("device", "id", "annke", "status", "allowed"),
    "a recorder taken for a camera": change("device", "id", "nvr", "class", "camera"),
    "a viewer taken for a camera": change("device", "id", "pc", "class", "camera"),
    "a searching tool taken for a recorder": change("device", "id", "laptop", "class", "recorder"),
    "a device without evidence": change("device", "id", "axis", "evidence", []),
    "a stream that was not found": lose("stream", "device", "reolink"),
    "a stream of another camera": change("stream", "device", "axis", "device", "annke"),
    "a wrong codec": change("stream", "device", "hanwha", "codec", "h264"),
    "a wrong size": change("stream", "device", "axis", "height", 272),
    "a frame rate 6 percent off": change("stream", "device", "axis", "fps", 15.9),
    "a bitrate 20 percent off": change("stream", "device", "axis", "bitrate", 100000),
    "a loss that was none": change("stream", "device", "dahua", "lost", 1),
    "a wrong distance of keyframes": change("stream", "device", "dahua", "gop", 10),
    "an alert that is missing": lose("alert", "device", "vivotek"),
    "an attempt called a connection": change("alert", "id", "alert-7", "outcome", "connected"),
    "an accusation for an allowed contact": accuse("axis", "unexpected-destination", "10.20.3.53"),
    "an accusation of a look-alike": accuse("pc", "restricted-vendor-present", "203.0.113.10"),
    "a gap in a sequence": skip_sequence,
    "a packet too many": miscount,
}


def checker_passes(events, folder):
    path = os.path.join(folder, "events.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    with contextlib.redirect_stdout(io.StringIO()):
        return check_events.check(path, CAPTURE) == 0


def main():
    with open(os.path.join(HERE, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    right = right_events(expected)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        if not checker_passes(numbered(copy.deepcopy(right), expected["site"]), folder):
            failed += 1
            print("WRONG right events do not pass")
        for name, apply in WRONGS.items():
            events = copy.deepcopy(right)
            apply(events)
            if checker_passes(numbered(events, expected["site"]), folder):
                failed += 1
                print(f"WRONG not noticed: {name}")
    print(f"{len(WRONGS)} kinds of wrong events, {failed} failures")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
