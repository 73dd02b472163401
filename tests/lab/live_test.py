#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""camspand live on the lab's span port, against the truth of the lab. Needs root.

Usage: live_test.py CAMSPAND [SECONDS]             cameras, streams and alerts of a normal site
       live_test.py CAMSPAND --hostile [FRAMES]    the same site while a host sends broken frames
With --spread as well, an RX lcore spreads the packets among two workers.
A run of more than SOAK seconds also checks that the daemon's memory does not grow.

Both the daemon and tcpdump listen while the span is still disconnected, and it is disconnected
again before they stop: they must have received the same number of packets. What fails is kept in a
folder that the last line names."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import capture_truth as truth
import check_events
from check_events import Report, check_balance, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(HERE, "lab.sh")
PREFIX = f"camspan-live-{os.getpid()}"
START_LIMIT, DRAIN_LIMIT, STOP_LIMIT = 60, 30, 60  # seconds; the machine may be busy
ALERT_LIMIT = 5  # seconds from the first packet that shows it to the line in the file
SOAK, WARM_UP, GROWTH_LIMIT = 120, 60, 1024  # seconds, seconds, KiB
SECONDS, HOSTILE_SECONDS, HOSTILE_FRAMES, HOSTILE_RATE = 12, 4, 15000, 3000
# What of camspan's settings the test replaces in the site's configuration.
PORT = """dataplane:
  {spreading}
  ports:
    - device: "net_af_packet0,iface=span0,framecnt=4096"
health:
  interval: 1s
"""
ONE_WORKER = "workers: 1"
SPREAD = "workers: 2\n  spreading: software"
FILE = """  file:
    enabled: true
    path: {events}
"""


class Failure(Exception):
    pass


def wait_for(condition, limit, what):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {limit} s")
        time.sleep(0.05)


def lab(*arguments):
    environment = dict(os.environ, LAB_PREFIX=PREFIX)
    if subprocess.run([LAB, *arguments], env=environment, check=False).returncode:
        raise Failure(f"lab.sh {' '.join(arguments)} failed")


def on_sensor(command, output):
    """`ip netns exec` becomes the command: the process has the command's pid."""
    return subprocess.Popen(["ip", "netns", "exec", PREFIX + "-sensor", *command],
                            stdout=output, stderr=subprocess.STDOUT)


def configuration(folder):
    """The demonstration's configuration, live on the span, events into a file."""
    with open(os.path.join(ROOT, "config", "demo.yaml"), encoding="utf-8") as file:
        text = file.read()
    port = PORT.format(spreading=SPREAD if "--spread" in sys.argv else ONE_WORKER)
    for old, new in (("dataplane:\n  workers: 1\n", port), ("  file:\n    enabled: false\n",
                     FILE.format(events=os.path.join(folder, "events.jsonl")))):
        if text.count(old) != 1:
            raise Failure(f"config/demo.yaml no longer has exactly one {old!r}")
        text = text.replace(old, new)
    path = os.path.join(folder, "lab.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def text_of(log):
    with open(log.name, encoding="utf-8") as text:
        return text.read()


def start_listeners(camspand, folder):
    dump_log = open(os.path.join(folder, "tcpdump.log"), "w", encoding="utf-8")
    dump = on_sensor(["tcpdump", "-i", "span0", "-s", "0", "-B", "32768", "-Z", "root",
                      "--immediate-mode", "-U", "-w", os.path.join(folder, "span.pcap")], dump_log)

    wait_for(lambda: "listening on" in text_of(dump_log), START_LIMIT, "tcpdump listens")
    daemon_log = open(os.path.join(folder, "camspand.log"), "w", encoding="utf-8")
    daemon = on_sensor([camspand, "-c", configuration(folder)], daemon_log)

    def listens():
        if daemon.poll() is not None:
            raise Failure(f"camspand ended with {daemon.returncode} at start: {text_of(daemon_log)}")
        return "listening on" in text_of(daemon_log)

    # Its port is open long before: packets that wait in the ring would get a later time.
    wait_for(listens, START_LIMIT, "camspand listens")
    return dump, daemon


class Observer(threading.Thread):
    """Notes when the line of each alert appears, and the daemon's memory once a second."""

    def __init__(self, daemon, path):
        super().__init__(daemon=True)
        self.process, self.path = daemon, path
        self.alerts, self.memory = [], []  # (time, event), (seconds since start, KiB)
        self.start()

    def run(self):
        started = last_look = time.monotonic()
        wait_for(lambda: os.path.exists(self.path), START_LIMIT, "events file")
        with open(self.path, encoding="utf-8") as lines:
            pending = ""
            while self.process.poll() is None:
                pending += lines.read()
                whole, _, pending = pending.rpartition("\n")
                now = time.time()
                self.alerts += [(now, json.loads(line)) for line in whole.splitlines()
                                if "camspan.alert" in line]
                if time.monotonic() - last_look >= 1:
                    last_look = time.monotonic()
                    self.memory.append((last_look - started, resident(self.process.pid)))
                time.sleep(0.02)


def resident(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    except (OSError, StopIteration):  # it has just ended
        return 0


def first_packet(capture, alert):
    """Of the device, or of its connection where the alert is about one."""
    display = f"ip.src == {field(alert, 'host.ip')[0]}"
    if field(alert, "destination.ip"):
        display += f" and ip.dst == {field(alert, 'destination.ip')}"
        display += f" and (tcp.port == {field(alert, 'destination.port')} or " \
                   f"udp.port == {field(alert, 'destination.port')})"
    times = truth.tshark(capture, "-Y", display, "-T", "fields", "-e", "frame.time_epoch").split()
    return float(times[0]) if times else None


def check_promptness(report, folder, observer):
    """An alert is there while its flow lives, not when it has ended."""
    seen = set()
    for when, alert in observer.alerts:
        identity = field(alert, "camspan.alert.id")
        if identity in seen:
            continue
        seen.add(identity)
        first = first_packet(os.path.join(folder, "span.pcap"), alert)
        name = f"{field(alert, 'rule.id')}, {field(alert, 'host.ip')[0]} " \
               f"{field(alert, 'destination.ip', '')}".rstrip()
        report.check(first is not None and when - first < ALERT_LIMIT,
                     f"{name}: alert {when - first:.2f} s after the first packet" if first
                     else f"{name}: no packet in the capture")


def check_memory(report, observer):
    settled = [kib for seconds, kib in observer.memory if seconds >= WARM_UP and kib]
    if not settled or observer.memory[-1][0] < SOAK:
        return
    report.check(max(settled) - settled[0] <= GROWTH_LIMIT,
                 f"memory: {settled[0]} KiB after {WARM_UP} s, {settled[-1]} KiB after "
                 f"{observer.memory[-1][0]:.0f} s, {max(settled)} KiB at most")


def health_events(folder):
    path = os.path.join(folder, "events.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [e for e in events if field(e, "event.dataset") == "camspan.health"]


def received(folder):
    events = health_events(folder)
    return field(events[-1], "camspan.health.packets.received") if events else None


def stop_listeners(dump, daemon, folder):
    """The span is disconnected. Two health events that agree say that the daemon is done."""
    seen = [len(health_events(folder))]

    def drained():
        events = health_events(folder)
        counts = [field(e, "camspan.health.packets.received") for e in events[seen[0]:]]
        return len(counts) >= 2 and counts[-1] == counts[-2]

    wait_for(lambda: daemon.poll() is not None or drained(), DRAIN_LIMIT, "camspand drains the span")
    if daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
    try:
        status = daemon.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired as late:
        daemon.kill()
        raise Failure(f"camspand does not stop within {STOP_LIMIT} s of SIGTERM") from late
    dump.send_signal(signal.SIGINT)
    dump.wait(STOP_LIMIT)
    with open(os.path.join(folder, "tcpdump.log"), encoding="utf-8") as log:
        if "\n0 packets dropped by kernel" not in log.read():
            raise Failure("tcpdump lost packets: no truth to compare with")
    if status:
        raise Failure(f"camspand ended with {status}")


def normal_traffic(seconds):
    lab("run", seconds)


def hostile_traffic(frames):
    """An ordinary run with a host on the camera LAN that floods it with broken frames."""
    lab("exec", "laptop", "ip", "link", "set", "eth0", "mtu", "9000")
    lab("exec", "switch", "ip", "link", "set", "laptop", "mtu", "9000")
    sender = subprocess.Popen(
        ["ip", "netns", "exec", PREFIX + "-laptop", "/usr/bin/python3", "-B",
         os.path.join(HERE, "peers", "hostile.py"), "eth0", "1", frames, str(HOSTILE_RATE),
         os.path.join(ROOT, "tests", "captures", "demo.pcap")])
    lab("run", str(HOSTILE_SECONDS))
    if sender.wait(600):
        raise Failure("the hostile sender failed")


def check_normal(folder, observer):
    wrong = check_events.check(os.path.join(folder, "events.jsonl"),
                               os.path.join(folder, "span.pcap"))
    report = Report()
    check_promptness(report, folder, observer)
    check_memory(report, observer)
    return wrong + report.failed == 0


def check_hostile(folder, _observer):
    """It lives, answers for every packet, and still finds the cameras."""
    report = Report()
    check_balance(report, health_events(folder), os.path.join(folder, "span.pcap"),
                  "tcpdump on the same span")
    drops = field(health_events(folder)[-1], "camspan.health.packets.drops")
    report.check(sum(drops.values()) > 0, "drops have names: " +
                 ", ".join(f"{name} {count}" for name, count in drops.items() if count))
    with open(os.path.join(folder, "events.jsonl"), encoding="utf-8") as lines:
        devices = {field(e, "camspan.device.id"): e for e in map(json.loads, lines)
                   if field(e, "event.dataset") == "camspan.device"}.values()
    with open(os.path.join(HERE, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    for host in expected["devices"]:
        classes = [field(d, "camspan.device.class") for d in devices
                   if host["ip"] in (field(d, "host.ip") or [])]
        report.check(host["class"] in classes, f"{host['host']}: {classes} under fire")
    return not report.failed


def run(camspand, traffic, argument, check):
    folder = tempfile.mkdtemp(prefix="camspan-live.")
    processes = ()
    passed = False
    try:
        lab("up")
        lab("span", "down")
        processes = start_listeners(camspand, folder)
        observer = Observer(processes[1], os.path.join(folder, "events.jsonl"))
        lab("span", "up")
        traffic(argument)
        lab("span", "down")
        stop_listeners(*processes, folder)
        print(f"camspand received {received(folder)} packets; tcpdump captured "
              f"{truth.packet_count(os.path.join(folder, 'span.pcap'))[0]}")
        passed = check(folder, observer)
    except Failure as failure:
        print(f"WRONG {failure}")
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
        lab("down")
    if passed:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}")
    return passed


def main():
    arguments = [a for a in sys.argv[1:] if a != "--spread"]
    if not arguments or not os.access(arguments[0], os.X_OK):
        sys.exit(__doc__)
    if os.geteuid():
        sys.exit("live_test.py: root is needed for network namespaces: run with sudo")
    os.environ.setdefault("CAMSPAN_DATA", os.path.join(ROOT, "config"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` cleans up
    camspand = os.path.abspath(arguments[0])
    if "--hostile" in arguments:
        rest = [a for a in arguments[1:] if a != "--hostile"] or [str(HOSTILE_FRAMES)]
        passed = run(camspand, hostile_traffic, rest[0], check_hostile)
    else:
        passed = run(camspand, normal_traffic, (arguments[1:] or [str(SECONDS)])[0], check_normal)
    print("passed" if passed else "FAILED")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
