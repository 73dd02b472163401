# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: programs to run, captures to write, a list of what did not hold."""
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77  # meson's exit code of a test that could not run
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMO_CAPTURE = os.path.join(SOURCE, "tests/captures/demo.pcap")
DEMO_CONFIG = os.path.join(SOURCE, "config/demo.yaml")
LINK_ETHERNET = 1


def captures_folder():
    folder = os.environ.get("CAMSPAN_CAPTURES") or os.path.join(SOURCE, "../shared/captures")
    if os.path.exists(os.path.join(folder, "labels.tsv")):
        return folder
    print(f"skipped: {folder}/labels.tsv is not here (CAMSPAN_CAPTURES names the folder)")
    sys.exit(SKIPPED)


class Report:
    """Counts checks; says only what does not hold."""

    def __init__(self):
        self.checks = self.failures = 0

    def check(self, holds, text):
        self.checks += 1
        if not holds:
            self.failures += 1
            print("FAILED:", text)
        return bool(holds)

    def finish(self):
        print(f"{self.checks} checks, {self.failures} failed")
        sys.exit(1 if self.failures else 0)


class Workspace:
    """A directory of the test's own, gone at its end."""

    def __enter__(self):
        # A test that is ended for its time cleans up too.
        signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
        self.directory = tempfile.mkdtemp(prefix="camspan-test-")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)


class Programs:
    """camspand and camspan of one build. They run in the workspace, so that a core dump or a stray
    file would go with it."""

    def __init__(self, camspand, camspan, directory):
        self.camspand = os.path.abspath(camspand)
        self.camspan = os.path.abspath(camspan)
        self.directory = directory

    def run(self, *arguments, program=None, limit=120):
        environment = dict(os.environ, CAMSPAND=self.camspand)
        return subprocess.run([program or self.camspand, *arguments], cwd=self.directory,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=limit, check=False)

    def start(self, *arguments):
        """In the background, with a pipe as its standard input."""
        return subprocess.Popen([self.camspand, *arguments], cwd=self.directory,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def console(self, *arguments, limit=120):
        return self.run(*arguments, program=self.camspan, limit=limit)


def pcap(records, link=LINK_ETHERNET):
    """A capture file of (time in seconds, bytes) or (time, bytes, captured, wire length)."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)]
    for time, data, *lengths in records:
        captured, wire = lengths or (len(data), len(data))
        parts.append(struct.pack("<IIII", int(time), int(time % 1 * 1e6), captured, wire) + data)
    return b"".join(parts)


def pcapng(*blocks):
    """A capture file of one section of (block type, body)."""
    parts = []
    for kind, body in ((0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), *blocks):
        body += bytes(-len(body) % 4)
        parts.append(struct.pack("<II", kind, 12 + len(body)) + body
                     + struct.pack("<I", 12 + len(body)))
    return b"".join(parts)


def pcapng_interface(link, snapshot_length=0):
    return 1, struct.pack("<HHI", link, 0, snapshot_length)


def pcapng_packet(interface, data, captured=None):
    return 6, struct.pack("<IIIII", interface, 0, 0, captured or len(data), len(data)) + data


def pcapng_lost(interface, dropped):
    """Statistics: what the interface dropped (option 5)."""
    return 5, struct.pack("<IIIHHQ", interface, 0, 0, 5, 8, dropped)
