# SPDX-License-Identifier: Apache-2.0
"""WS-Discovery (April 2005) over UDP 3702: Hello, Probe, ProbeMatches.

Usage: wsdiscovery.py serve ADDRESS MAC TYPES XADDR [SCOPE...]   answers probes
       wsdiscovery.py hello ADDRESS MAC TYPES XADDR [SCOPE...]   announces once
       wsdiscovery.py ask ADDRESS TYPES REPLIES                  probes; waits for that many devices
TYPES is onvif (NetworkVideoTransmitter), storage (an ONVIF recorder) or printer."""
import re
import socket
import sys
import uuid

import wire

GROUP, PORT = "239.255.255.250", 3702
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
NAMESPACES = (
    ' xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    f' xmlns:a="{ADDRESSING}" xmlns:d="{DISCOVERY}"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"'
    ' xmlns:wprt="http://schemas.microsoft.com/windows/2006/08/wdp/print"')
TYPES = {
    "onvif": "dn:NetworkVideoTransmitter tds:Device",
    "storage": "dn:NetworkVideoStorage tds:Device",
    "printer": "wsdp:Device wprt:PrintDeviceType",
    "device": "wsdp:Device",
}


def identifier(text):
    return "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_OID, text))


def envelope(action, message_id, body, relates_to=None, to=None):
    relates = f"<a:RelatesTo>{relates_to}</a:RelatesTo>" if relates_to else ""
    to = to or "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
    return (f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope{NAMESPACES}><s:Header>'
            f"<a:Action>{DISCOVERY}/{action}</a:Action><a:MessageID>{message_id}</a:MessageID>"
            f"{relates}<a:To>{to}</a:To></s:Header><s:Body>{body}</s:Body></s:Envelope>").encode()


def target(mac, types, xaddr, scopes):
    scope_list = f"<d:Scopes>{' '.join(scopes)}</d:Scopes>" if scopes else ""
    return (f"<a:EndpointReference><a:Address>{identifier(mac)}</a:Address></a:EndpointReference>"
            f"<d:Types>{TYPES[types]}</d:Types>{scope_list}<d:XAddrs>{xaddr}</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion>")


def wanted(probe, types):
    """A probe without types asks everybody; else one of ours must be named, prefix aside."""
    asked = re.search(rb"<[^>]*Types[^>]*>([^<]*)</", probe)
    names = {name.rpartition(":")[2] for name in asked[1].decode().split()} if asked else set()
    ours = {name.rpartition(":")[2] for name in TYPES[types].split()}
    return not names or bool(names & ours)


def serve(address, mac, types, xaddr, *scopes):
    udp = wire.multicast_socket(address, GROUP, PORT)
    body = target(mac, types, xaddr, scopes)
    while True:
        request, client = udp.recvfrom(8192)
        message_id = re.search(rb"MessageID[^>]*>([^<]+)<", request)
        if b"/Probe<" not in request or not message_id or not wanted(request, types):
            continue
        probe_id = message_id[1].decode()
        matches = f"<d:ProbeMatches><d:ProbeMatch>{body}</d:ProbeMatch></d:ProbeMatches>"
        udp.sendto(envelope("ProbeMatches", identifier(mac + probe_id), matches, probe_id,
                            ADDRESSING + "/role/anonymous"), client)


def hello(address, mac, types, xaddr, *scopes):
    udp = wire.multicast_socket(address, GROUP, PORT)
    body = f"<d:Hello>{target(mac, types, xaddr, scopes)}</d:Hello>"
    udp.sendto(envelope("Hello", identifier("hello" + mac), body), (GROUP, PORT))


def ask(address, types, replies):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 0))
    wire.sending_from(udp, address)
    first_type = TYPES[types].split()[0]
    probe = envelope("Probe", identifier(f"probe {address} {types}"),
                     f"<d:Probe><d:Types>{first_type}</d:Types></d:Probe>")
    udp.sendto(probe, (GROUP, PORT))
    udp.settimeout(5)
    answered = set()
    while len(answered) < int(replies):
        reply, device = udp.recvfrom(8192)
        if b"ProbeMatches" in reply:
            answered.add(device[0])


if __name__ == "__main__":
    {"serve": serve, "hello": hello, "ask": ask}[sys.argv[1]](*sys.argv[2:])
