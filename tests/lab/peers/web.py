# SPDX-License-Identifier: Apache-2.0
"""HTTP servers, with ONVIF's device service where a camera has one, and a client.

Usage: web.py serve ADDRESS PORT SERVER TITLE [CERTIFICATE KEY]
       web.py camera ADDRESS SERVER REALM MANUFACTURER MODEL FIRMWARE SERIAL
       web.py get ADDRESS HOST USER-AGENT     http://HOST/ by ADDRESS
       web.py tls ADDRESS HOST VERSION        https://HOST/ by ADDRESS, VERSION 1.2 or 1.3
       web.py information CAMERA              ONVIF GetDeviceInformation"""
import http.client
import http.server
import socket
import ssl
import sys

SOAP = "http://www.w3.org/2003/05/soap-envelope"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    banner = title = ""

    def version_string(self):
        return self.banner

    def log_message(self, *_):
        pass

    def reply(self, status, body, content_type="text/html", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        page = f"<html><head><title>{self.title}</title></head><body></body></html>"
        self.reply(200, page.encode())


class CameraPage(Page):
    realm = ""
    identity = ()

    def do_GET(self):
        challenge = f'Digest realm="{self.realm}", qop="auth", nonce="5a0cbb1e7d4c5a0f", algorithm=MD5'
        self.reply(401, b"<html><head><title>401 Unauthorized</title></head></html>",
                   headers=[("WWW-Authenticate", challenge)])

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber")
        fields = "".join(f"<tds:{name}>{value}</tds:{name}>"
                         for name, value in zip(names, self.identity))
        self.reply(200, envelope("<tds:GetDeviceInformationResponse>" + fields +
                                 "<tds:HardwareId>1</tds:HardwareId>"
                                 "</tds:GetDeviceInformationResponse>"),
                   "application/soap+xml; charset=utf-8")


def envelope(body):
    return (f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:tds="{DEVICE}">'
            f"<s:Body>{body}</s:Body></s:Envelope>").encode()


def serve(address, port, banner, title, certificate=None, key=None):
    page = type("LabPage", (Page,), {"banner": banner, "title": title})
    server = http.server.ThreadingHTTPServer((address, int(port)), page)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    server.serve_forever()


def camera(address, banner, realm, *identity):
    page = type("LabCameraPage", (CameraPage,),
                {"banner": banner, "realm": realm, "identity": identity})
    http.server.ThreadingHTTPServer((address, 80), page).serve_forever()


def get(address, host, user_agent):
    connection = http.client.HTTPConnection(address, 80, timeout=5)
    connection.request("GET", "/", headers={"Host": host, "User-Agent": user_agent})
    connection.getresponse().read()
    connection.close()


def tls(address, host, version):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    with socket.create_connection((address, 443), timeout=5) as tcp:
        with context.wrap_socket(tcp, server_hostname=host) as session:
            session.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while session.recv(4096):
                pass


def information(address):
    connection = http.client.HTTPConnection(address, 80, timeout=5)
    connection.request("POST", "/onvif/device_service", envelope("<tds:GetDeviceInformation/>"),
                       {"Content-Type": "application/soap+xml; charset=utf-8; action=\"" +
                        DEVICE + "/GetDeviceInformation\"", "User-Agent": "gSOAP/2.8"})
    connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    {"serve": serve, "camera": camera, "get": get, "tls": tls,
     "information": information}[sys.argv[1]](*sys.argv[2:])
