# SPDX-License-Identifier: Apache-2.0
"""An RTSP camera: GStreamer's RTSP server behind a front that speaks as the vendor does.

The front listens on port 554. It challenges (digest), then carries every message to and from the
server on port 8554 of the same host, rewriting what names the maker: Server, Public, the session
description and the track names. Its connections to the server carry the viewer's own address
(IP_TRANSPARENT; routing for it is set up by the lab), so the server sends RTP over UDP straight
to the viewer. Interleaved frames pass untouched.

Usage: rtsp_camera.py ADDRESS NAME CAMERAS.json"""
import hashlib
import json
import re
import socket
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

IP_TRANSPARENT = 19
SERVER_PORT = 8554
USER, PASSWORD, NONCE = "admin", "camera123", "5a1f0c9be34d7268"
OPEN_METHODS = {"OPTIONS"}


def encoder(camera):
    rate, size = camera["fps"], f"width={camera['width']},height={camera['height']}"
    source = (f"videotestsrc is-live=true pattern={camera['pattern']} ! "
              f"video/x-raw,format=I420,{size},framerate={rate}/1 ! ")
    if camera["codec"] == "mjpeg":
        return source + f"jpegenc quality={camera['quality']} ! rtpjpegpay name=pay0 pt=26"
    gop, kbps = camera["gop"], camera["kbps"]
    if camera["codec"] == "h265":
        return source + (f"x265enc tune=zerolatency speed-preset=ultrafast bitrate={kbps} "
                         f"key-int-max={gop} option-string=scenecut=0:open-gop=0:min-keyint={gop}"
                         ":pools=1:frame-threads=1 ! "
                         "rtph265pay name=pay0 pt=98 config-interval=-1")
    return source + (f"x264enc tune=zerolatency speed-preset=ultrafast bitrate={kbps} threads=1 "
                     f"key-int-max={gop} option-string=scenecut=0:min-keyint={gop} ! "
                     "rtph264pay name=pay0 pt=96 config-interval=-1")


def path_only(camera):
    """The server knows the stream by its path; the query is the front's."""
    return camera["path"].partition("?")[0]


def start_server(address, camera):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(address)
    server.set_service(str(SERVER_PORT))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {encoder(camera)} )")
    factory.set_shared(True)
    server.get_mount_points().add_factory(path_only(camera), factory)
    if not server.attach(None):
        raise SystemExit("the RTSP server cannot listen")
    return server


class Message:
    """One RTSP request or reply: first line, headers in order, body."""

    def __init__(self, text, body):
        lines = text.split("\r\n")
        self.first_line = lines[0]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def set_header(self, name, value):
        """Replaces or adds a header in place; None removes it."""
        position = next((i for i, (key, _) in enumerate(self.headers)
                         if key.lower() == name.lower()), None)
        if position is not None:
            self.headers[position:position + 1] = [(name, value)] if value is not None else []
        elif value is not None:
            self.headers.append((name, value))

    def encode(self):
        if self.body:
            self.set_header("Content-Length", str(len(self.body)))
        head = "".join(f"{key}: {value}\r\n" for key, value in self.headers)
        return f"{self.first_line}\r\n{head}\r\n".encode() + self.body


class Reader:
    """Splits a connection into RTSP messages and interleaved frames (RFC 2326 section 10.12)."""

    def __init__(self, tcp):
        self.file = tcp.makefile("rb")

    def next(self):
        """A Message, the bytes of an interleaved frame, or None at the end."""
        first = self.file.read(1)
        if not first:
            return None
        if first == b"$":
            head = self.file.read(3)
            return first + head + self.file.read(int.from_bytes(head[1:], "big"))
        text = first
        while not text.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                return None
            text += line
        text = text.strip(b"\r\n").decode("utf-8", "replace")
        length = re.search(r"(?im)^content-length:\s*(\d+)", text)
        return Message(text, self.file.read(int(length[1])) if length else b"")


class Front:
    """One viewer's connection."""

    def __init__(self, viewer, address, camera):
        self.viewer, self.camera = viewer, camera
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(viewer.getpeername())
        self.server.connect((address, SERVER_PORT))
        self.methods = {}  # CSeq -> method, for replies that are rewritten by method

    def authorised(self, request, method):
        given = request.header("Authorization") or ""
        field = dict(re.findall(r'(\w+)="([^"]*)"', given))
        if not {"username", "nonce", "uri", "response"} <= field.keys():
            return False

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()

        ha1 = md5(f"{USER}:{self.camera['realm']}:{PASSWORD}")
        return field["response"] == md5(f"{ha1}:{NONCE}:{md5(method + ':' + field['uri'])}")

    def challenge(self, request):
        reply = Message("RTSP/1.0 401 Unauthorized", b"")
        reply.set_header("CSeq", request.header("CSeq"))
        if self.camera["server"]:
            reply.set_header("Server", self.camera["server"])
        reply.set_header("WWW-Authenticate", f'Digest realm="{self.camera["realm"]}", '
                         f'nonce="{NONCE}"{self.camera.get("challenge_extra", "")}')
        self.viewer.sendall(reply.encode())

    def to_server(self):
        reader = Reader(self.viewer)
        while (unit := reader.next()) is not None:
            if isinstance(unit, Message):
                method = unit.first_line.split(" ", 1)[0]
                if method not in OPEN_METHODS and not self.authorised(unit, method):
                    self.challenge(unit)
                    continue
                self.methods[unit.header("CSeq")] = method
                unit.set_header("Authorization", None)
                unit.first_line = self.as_server_knows_it(unit.first_line)
                unit = unit.encode()
            self.server.sendall(unit)
        self.server.shutdown(socket.SHUT_WR)

    def as_server_knows_it(self, text):
        text = text.replace(self.camera["path"], path_only(self.camera), 1)
        return text.replace(self.camera["track"], "stream=0")

    def as_viewer_knows_it(self, text):
        text = text.replace(path_only(self.camera), self.camera["path"], 1)
        return text.replace("stream=0", self.camera["track"])

    def to_viewer(self):
        reader = Reader(self.server)
        while (unit := reader.next()) is not None:
            if isinstance(unit, Message):
                self.speak_as_vendor(unit)
                unit = unit.encode()
            self.viewer.sendall(unit)
        self.viewer.shutdown(socket.SHUT_WR)

    def speak_as_vendor(self, reply):
        reply.set_header("Server", self.camera["server"])
        method = self.methods.pop(reply.header("CSeq"), None)
        if method == "OPTIONS":
            reply.set_header("Public", self.camera["public"])
        elif method == "DESCRIBE" and reply.body:
            reply.body = self.description(reply.body.decode()).encode()
        for name in ("Content-Base", "RTP-Info"):
            if reply.header(name):
                reply.set_header(name, self.as_viewer_knows_it(reply.header(name)))

    def description(self, sdp):
        """The session description with the vendor's session lines and track name."""
        lines = [line for line in sdp.replace("stream=0", self.camera["track"]).splitlines()
                 if not line.startswith(("s=", "i=", "a=tool:", "a=type:"))]
        # RFC 4566 section 5 wants v, o, s, i, e, c, b, t, a: our s, i, e and b come before t, our a
        # after it.
        plain = [line for line in self.camera["sdp_session"] if not line.startswith("a=")]
        attributes = [line for line in self.camera["sdp_session"] if line.startswith("a=")]
        time_line = next(i for i, line in enumerate(lines) if line.startswith("t="))
        lines[time_line + 1:time_line + 1] = attributes
        lines[2:2] = plain
        return "\r\n".join(lines + self.camera["sdp_media"]) + "\r\n"

    def run(self):
        back = threading.Thread(target=self.guarded, args=(self.to_viewer,), daemon=True)
        back.start()
        self.guarded(self.to_server)
        back.join()
        self.viewer.close()
        self.server.close()

    @staticmethod
    def guarded(direction):
        try:
            direction()
        except OSError:
            pass  # either end may hang up at any time


def accept_viewers(address, camera):
    listener = socket.create_server((address, 554))
    while True:
        viewer, _ = listener.accept()
        viewer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=lambda v=viewer: Front(v, address, camera).run(),
                         daemon=True).start()


def main():
    address, name, file = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        camera = json.load(text)[name]
    server = start_server(address, camera)
    threading.Thread(target=accept_viewers, args=(address, camera), daemon=True).start()
    GLib.MainLoop().run()
    del server


if __name__ == "__main__":
    main()
