# SPDX-License-Identifier: Apache-2.0
"""Hikvision's Search Active Devices Protocol: XML over UDP 37020 to 239.255.255.250.

Usage: sadp.py serve ADDRESS MAC MODEL SERIAL FIRMWARE OEM | ask ADDRESS
The field set is that of replies published by several independent readers of the protocol."""
import re
import sys
import uuid

import wire

GROUP, PORT = "239.255.255.250", 37020


def inquiry(search_id):
    return ('<?xml version="1.0" encoding="utf-8"?>'
            f"<Probe><Uuid>{search_id}</Uuid><Types>inquiry</Types></Probe>").encode()


def reply(search_id, address, mac, model, serial, firmware, oem):
    fields = [
        ("Uuid", search_id), ("Types", "inquiry"), ("DeviceType", "142378"),
        ("DeviceDescription", model), ("DeviceSN", serial), ("CommandPort", "8000"),
        ("HttpPort", "80"), ("MAC", mac.replace(":", "-")), ("IPv4Address", address),
        ("IPv4SubnetMask", "255.255.255.0"), ("IPv4Gateway", address.rpartition(".")[0] + ".1"),
        ("DHCP", "false"), ("AnalogChannelNum", "0"), ("DigitalChannelNum", "1"),
        ("SoftwareVersion", firmware), ("DSPVersion", "V7.3 build 210210"),
        ("BootTime", "2026-01-05 06:00:00"), ("OEMInfo", oem), ("Activated", "true"),
        ("PasswordResetAbility", "true"),
    ]
    body = "".join(f"<{name}>{value}</{name}>\r\n" for name, value in fields)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\r\n<ProbeMatch>\r\n{body}</ProbeMatch>\r\n'.encode()


def serve(address, mac, model, serial, firmware, oem):
    udp = wire.multicast_socket(address, GROUP, PORT)
    while True:
        request, _ = udp.recvfrom(2048)
        search = re.search(rb"<Probe>.*<Uuid>([0-9A-Fa-f-]{36})</Uuid>", request, re.S)
        if search:
            answer = reply(search[1].decode(), address, mac, model, serial, firmware, oem)
            udp.sendto(answer, (GROUP, PORT))


def ask(address):
    udp = wire.multicast_socket(address, GROUP, PORT)
    search_id = str(uuid.uuid5(uuid.NAMESPACE_OID, address)).upper()
    udp.sendto(inquiry(search_id), (GROUP, PORT))
    udp.settimeout(5)
    while b"<ProbeMatch>" not in udp.recv(4096):
        pass


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
