# SPDX-License-Identifier: Apache-2.0
"""What a camera contacts of its own accord. Usage: camera_contacts.py CAMERA RESOLVER"""
import socket
import sys

import ntp
import web
import wire

CORE_SERVER = ("10.20.3.20", 445)


def annke(resolver):
    """Calls its maker's cloud; one address answers, one does not."""
    host = "litedev.hik-connect.com"
    web.tls(wire.dns_lookup(resolver, host), host, "1.2")
    relay = wire.dns_lookup(resolver, "eucas.ezvizlife.com")
    try:
        socket.create_connection((relay, 6500), timeout=2.5).close()
    except TimeoutError:
        return
    raise SystemExit(f"{relay}:6500 was to stay silent and answered")


def dahua(_resolver):
    """Reaches into the core network, where it has no business."""
    with socket.create_connection(CORE_SERVER, timeout=5) as tcp:
        tcp.sendall(b"HELO camera\r\n")
        tcp.recv(1024)


def main():
    camera, resolver = sys.argv[1:]
    ntp.ask(wire.dns_lookup(resolver, "ntp.demo.example"))
    {"annke": annke, "dahua": dahua}.get(camera, lambda _: None)(resolver)


if __name__ == "__main__":
    main()
