#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same events everywhere: a run with a file, Kafka and Redis enabled; what is consumed from Kafka
equals the file byte for byte, and Redis holds the last state of each device, stream and alert in it.
Once as a replay, once as the daemon on a port that plays the same capture.

Usage: events_equal.py CAMSPAND CAMSPAN KAFKA_MOCK KAFKA_CONSUME REDIS_SERVER"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

from harness import DEMO_CAPTURE, DEMO_CONFIG, Programs, Report, Workspace

DATASETS = ("flow", "device", "stream", "alert", "health")
SITE = "demo"
LIMIT = 60
DEMO_PACKETS = 2327


def wait_for(condition, what):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise TimeoutError(what)


class Redis:
    """As much of a client as is needed to read replies of RESP 2."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def ask(self, *words):
        encoded = [word.encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(encoded)
                            + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))
        return self.reply()

    def reply(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return rest.decode()


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


class Servers:
    """A Kafka cluster and a Redis server of the test's own."""

    def __init__(self, workspace, mock, consume, redis_server):
        self.consume_program = consume
        self.socket_path = workspace.path("redis.sock")
        self.kafka = subprocess.Popen([mock], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        self.redis = subprocess.Popen(
            [redis_server, "--port", "0", "--unixsocket", self.socket_path, "--save", "",
             "--dir", workspace.directory, "--logfile", workspace.path("redis.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.brokers = self.kafka.stdout.readline().strip()
        self.client = wait_for(self.connect, "redis-server")

    def connect(self):
        try:
            return Redis(self.socket_path)
        except OSError:
            return None

    def stop(self):
        self.client.close()
        self.kafka.stdin.close()
        self.redis.terminate()
        for process in (self.kafka, self.redis):
            process.wait(LIMIT)
        self.kafka.stdout.close()

    def consume(self, prefix):
        """The messages of every topic: (dataset, key, value)."""
        topics = [f"{prefix}.{dataset}.v1" for dataset in DATASETS]
        run = subprocess.run([self.consume_program, self.brokers, *topics], capture_output=True,
                             text=True, timeout=LIMIT, check=True)
        rows = [line.split("\t", 2) for line in run.stdout.splitlines()]
        return [(topic.split(".")[-2], key, value) for topic, key, value in rows]


def dataset_of(event):
    return event["event"]["dataset"].removeprefix("camspan.")


def check_sequences(report, name, events):
    for dataset in DATASETS:
        numbers = [e["event"]["sequence"] for e in events if dataset_of(e) == dataset]
        report.check(numbers and sorted(numbers) == list(range(1, len(numbers) + 1)),
                     f"{name}: {dataset}: sequences {numbers[:5]}.. of {len(numbers)}")


def check_kafka(report, name, lines, messages):
    events = [json.loads(line) for line in lines]
    by_id = {event["event"]["id"]: line for event, line in zip(events, lines)}
    consumed = {}
    for dataset, key, value in messages:
        event = json.loads(value)
        consumed[event["event"]["id"]] = value
        report.check(dataset == dataset_of(event), f"{name}: {dataset} has {event['event']}")
        device = event.get("camspan", {}).get(dataset, {})
        device = device.get("id" if dataset == "device" else "device") if device else None
        report.check(key == SITE or (key.startswith(f"{SITE}|") and
                                     (not isinstance(device, str) or key.endswith(device))),
                     f"{name}: key {key} of {dataset} {device}")
    report.check(len(by_id) == len(lines), f"{name}: an event.id twice in the file")
    report.check(len(consumed) == len(messages), f"{name}: an event.id twice in Kafka")
    report.check(consumed == by_id,
                 f"{name}: {len(set(by_id.items()) ^ set(consumed.items()))} differ between file "
                 f"({len(by_id)}) and Kafka ({len(consumed)})")
    check_sequences(report, f"{name}: file", events)
    check_sequences(report, f"{name}: Kafka", [json.loads(value) for _, _, value in messages])




def check_states(report, name, client, dataset, last):
    """Hashes and the sorted set of one kind against the file's last events."""
    prefix = f"camspan:{{{SITE}}}:"
    members = pairs(client.ask("ZRANGE", f"{prefix}{dataset}s", "0", "-1", "WITHSCORES"))
    report.check(set(members) == set(last), f"{name}: {dataset}s: {sorted(members)} in Redis")
    keys = client.ask("KEYS", f"{prefix}{dataset}:*")
    report.check(len(keys) == len(last), f"{name}: {len(keys)} keys of {len(last)} {dataset}s")
    for identity, line in last.items():
        state = pairs(client.ask("HGETALL", f"{prefix}{dataset}:{identity}"))
        body = json.loads(line)["camspan"][dataset]
        report.check(state.get("json") == line, f"{name}: {dataset} {identity}: json differs")
        for key in set(state) & set(body) - {"first_seen", "last_seen"}:
            report.check(str(body[key]).lower() == state[key].lower()
                         or abs(float(body[key]) - float(state[key])) <= 0.0005,
                         f"{name}: {dataset} {identity}: {key}: {state[key]} for {body[key]}")
        score, seen = float(members.get(identity, 0)), int(state.get("last_seen", 0)) / 1e9
        report.check(seen > 0 and abs(score - seen) < 1, f"{name}: {identity}: score {score}")
        left = int(client.ask("TTL", f"{prefix}{dataset}:{identity}"))
        report.check(0 < left <= 86400, f"{name}: {dataset} {identity}: TTL {left}")


def check_redis(report, name, lines, client):
    last, alerts = {"device": {}, "stream": {}}, {}
    for line in lines:
        event = json.loads(line)
        dataset = dataset_of(event)
        if dataset in last:
            last[dataset][event["camspan"][dataset]["id"]] = line
        elif dataset == "alert":
            alerts[event["event"]["id"]] = line
    for dataset, states in last.items():
        report.check(states, f"{name}: no {dataset} in the file")
        check_states(report, name, client, dataset, states)
    entries = [pairs(fields) for _, fields in
               client.ask("XRANGE", f"camspan:{{{SITE}}}:alerts", "-", "+")]
    report.check({e["event"]: e["json"] for e in entries} == alerts and len(entries) == len(alerts),
                 f"{name}: {len(entries)} alerts in Redis, {len(alerts)} in the file")
    report.check(SITE in client.ask("ZRANGE", "camspan:sites", "0", "-1"), f"{name}: no heartbeat")


def write_config(workspace, servers, name):
    with open(DEMO_CONFIG, encoding="utf-8") as file:
        text = file.read().split("export:")[0]
    text = text.replace("dataplane:\n", f"dataplane:\n  ports:\n"
                        f"    - device: \"net_pcap0,rx_pcap={DEMO_CAPTURE}\"\n")
    return workspace.write(f"{name}.yaml", text + f"""export:
  state: {{enabled: true, path: {workspace.path(name)}.db}}
  file: {{enabled: true, path: {workspace.path(name)}.jsonl}}
  kafka: {{enabled: true, brokers: "{servers.brokers}", topic_prefix: {name}}}
  redis: {{enabled: true, address: "unix:{servers.socket_path}"}}
""")


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def compare(report, workspace, servers, name):
    lines = read_lines(workspace.path(f"{name}.jsonl"))
    report.check(len(lines) > 50, f"{name}: {len(lines)} events")
    check_kafka(report, name, lines, servers.consume(name))
    check_redis(report, name, lines, servers.client)
    health = json.loads([line for line in lines if '"camspan.health"' in line][-1])
    report.check(f'"received":{DEMO_PACKETS}' in json.dumps(health, separators=(",", ":")),
                 f"{name}: the last health event has other packets")
    servers.client.ask("FLUSHALL")


def replay(report, workspace, servers, programs):
    config = write_config(workspace, servers, "replay")
    run = programs.run("-c", config, "-r", DEMO_CAPTURE)
    report.check(run.returncode == 0 and not run.stderr, f"replay: {run.returncode} {run.stderr}")
    compare(report, workspace, servers, "replay")


def has_received_all(path):
    """The health event says that every packet came."""
    if not os.path.exists(path):
        return False
    return any(f'"received":{DEMO_PACKETS}' in line for line in read_lines(path)
               if '"camspan.health"' in line)


def daemon(report, workspace, servers, programs):
    config = write_config(workspace, servers, "daemon")
    with open(config, "a", encoding="utf-8") as file:
        file.write("health:\n  interval: 1s\n")
    with open(workspace.path("daemon.log"), "w+", encoding="utf-8") as log:
        process = subprocess.Popen([programs.camspand, "-c", config], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, cwd=workspace.directory)
        try:
            wait_for(lambda: process.poll() is not None or
                     has_received_all(workspace.path("daemon.jsonl")), "the daemon's packets")
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(LIMIT)
        log.seek(0)
        report.check(code == 0, f"daemon: exit code {code}: {log.read()[-3000:]}")
    compare(report, workspace, servers, "daemon")


def main():
    camspand, camspan, mock, consume, redis_server = sys.argv[1:]
    report = Report()
    with Workspace() as workspace:
        programs = Programs(camspand, camspan, workspace.directory)
        servers = Servers(workspace, mock, consume, redis_server)
        try:
            replay(report, workspace, servers, programs)
            daemon(report, workspace, servers, programs)
        finally:
            servers.stop()
    report.finish()


main()
