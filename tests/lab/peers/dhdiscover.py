# SPDX-License-Identifier: Apache-2.0
"""Dahua's device search: JSON behind a 32 byte DHIP header on UDP 37810.

Usage: dhdiscover.py serve ADDRESS MAC CLASS MODEL SERIAL VENDOR FIRMWARE | ask ADDRESS REPLIES"""
import json
import socket
import struct
import sys

import wire

GROUP, PORT = "239.255.255.251", 37810


def framed(message):
    body = (json.dumps(message) + "\n").encode()
    return struct.pack("<4s4sIIIIII", b"\x20\0\0\0", b"DHIP", 0, 0, len(body), 0, len(body), 0) + body


def device_information(address, mac, device_class, model, serial, vendor, firmware):
    return framed({"mac": mac, "method": "client.notifyDevInfo", "params": {"deviceInfo": {
        "AlarmInputChannels": 0, "AlarmOutputChannels": 0, "DeviceClass": device_class,
        "DeviceType": model, "HttpPort": 80,
        "IPv4Address": {"DefaultGateway": address.rpartition(".")[0] + ".1", "DhcpEnable": False,
                        "IPAddress": address, "SubnetMask": "255.255.255.0"},
        "MachineName": serial, "Manufacturer": "Private", "Port": 37777,
        "RemoteVideoInputChannels": 0, "SerialNo": serial, "Vendor": vendor,
        "Version": firmware, "VideoInputChannels": 1, "VideoOutputChannels": 0}}})


def serve(address, *identity):
    udp = wire.multicast_socket(address, GROUP, PORT)
    while True:
        request, client = udp.recvfrom(2048)
        if request[4:8] == b"DHIP" and b"DHDiscover.search" in request:
            udp.sendto(device_information(address, *identity), client)


def ask(address, replies):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 0))
    wire.sending_from(udp, address)
    udp.sendto(framed({"method": "DHDiscover.search", "params": {"mac": "", "uni": 1}}), (GROUP, PORT))
    udp.settimeout(5)
    answered = set()
    while len(answered) < int(replies):
        data, device = udp.recvfrom(4096)
        if b"client.notifyDevInfo" in data:
            answered.add(device[0])


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
