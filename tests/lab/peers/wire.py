# SPDX-License-Identifier: Apache-2.0
"""What the peers share: multicast sockets, DNS messages, waiting."""
import socket
import struct


def multicast_socket(address, group, port):
    """A UDP socket on `port` that hears `group` and sends from `address` to multicast."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    udp.bind(("", port))
    sending_from(udp, address)
    membership = socket.inet_aton(group) + socket.inet_aton(address)
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return udp


def sending_from(udp, address):
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)


def receive_exactly(tcp, length):
    data = b""
    while len(data) < length:
        more = tcp.recv(length - len(data))
        if not more:
            raise EOFError(f"closed after {len(data)} of {length} bytes")
        data += more
    return data


TYPE_A, TYPE_PTR, TYPE_TXT, TYPE_SRV = 1, 12, 16, 33
CLASS_IN, CACHE_FLUSH = 1, 0x8000


def dns_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def dns_instance(instance, service):
    """The name of a service instance, whose first label may hold dots and blanks (RFC 6763)."""
    label = instance.encode()
    return bytes([len(label)]) + label + dns_name(service)


def dns_record(name, record_type, data, ttl=120, record_class=CLASS_IN):
    return name + struct.pack("!HHIH", record_type, record_class, ttl, len(data)) + data


def dns_message(identifier, flags, questions=(), answers=(), additional=()):
    header = struct.pack("!6H", identifier, flags, len(questions), len(answers), 0, len(additional))
    return header + b"".join(questions) + b"".join(answers) + b"".join(additional)


def dns_question(name, record_type):
    return dns_name(name) + struct.pack("!HH", record_type, CLASS_IN)


def dns_question_name(message):
    """The name of the first question, or None if there is none that can be read."""
    labels, offset = [], 12
    while offset < len(message) and message[offset]:
        length = message[offset]
        labels.append(message[offset + 1:offset + 1 + length].decode("ascii", "replace"))
        offset += 1 + length
    return ".".join(labels) if labels else None


def dns_lookup(server, name):
    """The address of a name as a resolver on a device asks for it; None for no such name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.connect((server, 53))
        identifier = sum(name.encode()) & 0xffff
        udp.send(dns_message(identifier, 0x0100, [dns_question(name, TYPE_A)]))
        reply = udp.recv(1500)
    answers = struct.unpack("!H", reply[6:8])[0]
    return socket.inet_ntoa(reply[-4:]) if answers else None
