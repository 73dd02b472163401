# SPDX-License-Identifier: Apache-2.0
"""What a capture holds, measured with tools that share no code with camspan (tshark, ffprobe)."""
import collections
import functools
import json
import subprocess

VIDEO_CLOCK = 90000
H264_IDR, H264_STAP_A, H264_FU_A = 5, 24, 28
H265_IRAP, H265_AP, H265_FU = range(16, 22), 48, 49
START_CODE = b"\0\0\0\1"
FIELDS = ["frame.time_epoch", "frame.len", "ip.src", "ip.dst", "udp.srcport", "tcp.srcport",
          "rtp.ssrc", "rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.p_type", "rtp.payload"]


class RtpStream:
    """One RTP source as it was on the wire."""

    def __init__(self, source, destination, transport, payload_type):
        self.source, self.destination, self.transport = source, destination, transport
        self.payload_type = payload_type
        self.first = self.last = None
        self.wire_bytes = 0
        self.sequences, self.timestamps, self.payloads = [], [], []

    def add(self, time, sequence, timestamp, payload):
        self.first = time if self.first is None else self.first
        self.last = time
        self.sequences.append(sequence)
        self.timestamps.append(timestamp)
        self.payloads.append(payload)

    def lost(self):
        """By sequence numbers; none of the lab's captures is long enough for a second wrap."""
        start = self.sequences[0]
        distances = {(s - start + 0x8000) % 0x10000 - 0x8000 for s in self.sequences}
        return max(distances) - min(distances) + 1 - len(distances)

    def frame_timestamps(self):
        return list(dict.fromkeys(self.timestamps))

    def fps(self):
        frames = self.frame_timestamps()
        return (len(frames) - 1) * VIDEO_CLOCK / ((frames[-1] - frames[0]) % 2**32)

    def bitrate(self):
        """Bits per second of the packets that carried it, link headers included."""
        return self.wire_bytes * 8 / (self.last - self.first)

    def keyframe_distance(self, codec):
        """Frames between the last two keyframes, 0 for codecs without."""
        key = []
        for position, frame in enumerate(self.frame_timestamps()):
            payloads = [p for p, t in zip(self.payloads, self.timestamps) if t == frame]
            if any(is_key(codec, payload) for payload in payloads):
                key.append(position)
        return key[-1] - key[-2] if len(key) > 1 else 0

    def elementary(self, codec):
        return b"".join(nal_units(codec, self.payloads))


def nal_type(codec, payload):
    return payload[0] & 0x1f if codec == "h264" else payload[0] >> 1 & 0x3f


def is_key(codec, payload):
    if codec == "mjpeg":
        return False
    kind = nal_type(codec, payload)
    if codec == "h264":
        return kind == H264_IDR or (kind == H264_FU_A and payload[1] & 0x1f == H264_IDR)
    return kind in H265_IRAP or (kind == H265_FU and payload[2] & 0x3f in H265_IRAP)


def nal_units(codec, payloads):
    """RFC 6184 and RFC 7798 payloads as an Annex B byte stream."""
    head, aggregate, fragment = (1, H264_STAP_A, H264_FU_A) if codec == "h264" else (2, H265_AP, H265_FU)
    for payload in payloads:
        kind = nal_type(codec, payload)
        if kind == aggregate:
            rest = payload[head:]
            while rest:
                length = int.from_bytes(rest[:2], "big")
                yield START_CODE + rest[2:2 + length]
                rest = rest[2 + length:]
        elif kind == fragment:
            if payload[head] & 0x80:
                yield START_CODE + fragment_header(codec, payload)
            yield payload[head + 1:]
        else:
            yield START_CODE + payload


def fragment_header(codec, payload):
    if codec == "h264":
        return bytes([payload[0] & 0xe0 | payload[1] & 0x1f])
    return bytes([payload[0] & 0x81 | (payload[2] & 0x3f) << 1, payload[1]])


def tshark(capture, *arguments):
    return subprocess.run(["tshark", "-n", "-r", capture, *arguments], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


@functools.cache
def rtp_streams(capture):
    """The RTP sources with more than a few packets, by (source, destination, transport)."""
    arguments = [item for field in FIELDS for item in ("-e", field)]
    streams = {}
    for line in tshark(capture, "-Y", "rtp", "-T", "fields", *arguments).splitlines():
        values = dict(zip(FIELDS, line.split("\t")))
        columns = [values[f].split(",") for f in FIELDS[6:] if f != "rtp.marker"]
        frame_streams = set()
        for ssrc, sequence, timestamp, payload_type, payload in zip(*columns):
            transport = "rtp-tcp-interleaved" if values["tcp.srcport"] else "rtp-udp"
            key = (values["ip.src"], values["ip.dst"], transport, ssrc)
            stream = streams.setdefault(key, RtpStream(*key[:3], int(payload_type)))
            stream.add(float(values["frame.time_epoch"]), int(sequence), int(timestamp),
                       bytes.fromhex(payload.replace(":", "")))
            frame_streams.add(key)
        for key in frame_streams:
            streams[key].wire_bytes += int(values["frame.len"]) // len(frame_streams)
    # Viewers send a packet or two towards the camera to open a firewall: not a stream.
    return [stream for stream in streams.values() if len(stream.sequences) > 10]


def picture(stream, codec):
    """Width, height and decoded frames by ffprobe; of MJPEG, from its RTP header (RFC 2435)."""
    if codec == "mjpeg":
        return stream.payloads[0][6] * 8, stream.payloads[0][7] * 8, len(stream.frame_timestamps())
    demuxer = "hevc" if codec == "h265" else codec
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-f", demuxer, "-count_frames", "-of", "json", "-show_entries",
         "stream=width,height,nb_read_frames", "-"],
        input=stream.elementary(codec), check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout
    video = json.loads(shown)["streams"][0]
    return video["width"], video["height"], int(video["nb_read_frames"])


@functools.cache
def packet_count(capture):
    lengths = tshark(capture, "-T", "fields", "-e", "frame.len").split()
    return len(lengths), sum(map(int, lengths))


def protocols(capture):
    """How many packets tshark sees of each protocol."""
    counted = collections.Counter()
    for line in tshark(capture, "-T", "fields", "-e", "frame.protocols").splitlines():
        counted.update(set(line.split(":")))
    return counted
