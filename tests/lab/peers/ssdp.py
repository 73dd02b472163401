# SPDX-License-Identifier: Apache-2.0
"""One SSDP search, as an office computer sends it. Usage: ssdp.py ADDRESS"""
import socket
import sys

import wire

SEARCH = ("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
          "MX: 1\r\nST: urn:dial-multiscreen-org:service:dial:1\r\n"
          "USER-AGENT: Google Chrome/120.0.6099.130 Windows\r\n\r\n")

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 0))
wire.sending_from(udp, sys.argv[1])
udp.sendto(SEARCH.encode(), ("239.255.255.250", 1900))
