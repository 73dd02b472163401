# SPDX-License-Identifier: Apache-2.0
"""A server in the core network that answers whoever connects. Usage: server.py ADDRESS PORT"""
import socket
import sys

listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    client, _ = listener.accept()
    with client:
        try:
            if client.recv(1024):
                client.sendall(b"220 core.demo.example ready\r\n")
        except OSError:
            pass  # a client that resets is no reason to stop
