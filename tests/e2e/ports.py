#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""camspand --ports: what it says of ports that need no hardware, and its exit codes.

Usage: ports.py CAMSPAND"""
import subprocess
import sys
import tempfile

from harness import Report

OK, FAILED, USAGE = 0, 1, 2
COLUMNS = 100
CONFIGURATION = """dataplane:
  huge_pages: "off"
  memory: 256MiB
  workers: 2
  spreading: {spreading}
  rx_lcores: {rx_lcores}
  mbufs: 16384
  ports:
    - device: "{device}"
"""
# device, spreading, RX lcores, exit code, parts of what stdout says, of what stderr says
CASES = [
    ("net_null0", "rss", 1, OK, ["receive queues  2 used of", "rte_flow        drop: no",
                                 "NOT both directions to one"], ["set dataplane.spreading to software"]),
    # It takes our key and uses its own, which shows when it runs.
    ("net_null0", "auto", 1, OK, ["receive queues  1 used of", "by innermost addresses"], []),
    ("net_null0", "auto", 2, OK, ["receive queues  2 used of", "by innermost addresses"], []),
    ("net_null0", "software", 1, OK, ["receive queues  1 used of", "by innermost addresses"], []),
    ("net_null0", "software", 3, OK, ["receive queues  3 used of"], []),
    ("net_nothing0", "auto", 1, FAILED, [], ["net_nothing0"]),
    ("net_af_packet0,iface=nothere", "auto", 1, FAILED, [], ["no interface nothere"]),
]


def run(camspand, *arguments):
    return subprocess.run([camspand, *arguments], capture_output=True, text=True, timeout=120,
                          check=False)


def main():
    camspand, report = sys.argv[1], Report()
    with tempfile.TemporaryDirectory() as folder:
        for device, spreading, rx_lcores, code, says, warns in CASES:
            path = folder + "/camspan.yaml"
            with open(path, "w", encoding="utf-8") as file:
                file.write(CONFIGURATION.format(device=device, spreading=spreading,
                                                rx_lcores=rx_lcores))
            result = run(camspand, "--ports", "-c", path)
            missing = [part for part in says if part not in result.stdout]
            missing += [part for part in warns if part not in result.stderr]
            longest = max(map(len, result.stdout.splitlines()), default=0)
            report.check(result.returncode == code and not missing and longest <= COLUMNS,
                         f"{device}, {spreading}, {rx_lcores}: exit code {result.returncode}, "
                         f"longest line {longest}, not said: {missing} {result.stderr}")
        result = run(camspand, "--ports", "-r", "x.pcap")
        report.check(result.returncode == USAGE, f"with -r: exit code {result.returncode}")
    report.finish()


if __name__ == "__main__":
    main()
