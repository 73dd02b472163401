#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes first versions of the data files that come from collected tables:

    config/generate.py KNOWLEDGE_FOLDER

writes vendors/vendors.tsv, vendors/ouis.tsv, fingerprints/{http,rtsp,rtsp_paths}.tsv and
destinations/domains.tsv beside itself. The committed files are what is reviewed and loaded; the
other files of fingerprints/ are written by hand. Mixed makers' MAC prefixes are completed from the
list that `tshark -G manuf` prints, where tshark is installed.
"""
import csv
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# The usual maker of a brand; "self" where the brand builds its own hardware.
MAKERS = {
    "ezviz": "hikvision", "annke": "hikvision", "lts": "hikvision", "imou": "dahua",
    "amcrest": "dahua", "lorex": "dahua", "icrealtime": "dahua", "intelbras": "dahua",
    "cpplus": "dahua", "qsee": "dahua", "yi": "self", "wyze": "-", "swann": "-", "honeywell": "-",
    "trendnet": "-", "safire": "-", "dlink": "-", "instar": "-", "abus": "-", "geovision": "-",
    "tuya": "-", "cs2-p2p": "-", "tutk": "-", "prc-oem": "-", "speco": "-", "luma": "-",
    "alibi": "-", "interlogix": "-", "edimax": "-", "ednet": "-", "digitalwatchdog": "-",
    "qnap": "-", "raspberrypi": "-", "microseven": "-", "icsee": "xiongmai",
}
# Vendors that patterns, prefixes or domains name and the collected table does not.
MORE_VENDORS = """
zmodo	Shenzhen Zmodo Technology	Zmodo, MeShare	CN	restricted-prc	registered in the PRC	IEEE OUI registry; public company information
vimtag	Vimtag (Shenzhen)	Vimtag, MIPC	CN	restricted-prc	registered in the PRC	public company information
microseven	Microseven Systems	Microseven	US	review	hardware of unnamed origin	public company information
sricam-gwell	Shenzhen Sricam / Gwell	Sricam, Yoosee	CN	restricted-prc	registered in the PRC	public company information
icsee	iCSee platform (Xiongmai)	iCSee	CN	restricted-prc	application of a PRC maker	public company information
prc-oem	Unbranded OEM maker registered in the PRC	-	CN	restricted-prc	the registrant of the prefix is a PRC company	IEEE OUI registry
edimax	Edimax Technology	Edimax	TW	allowed	no listing known	IEEE OUI registry; public company information
ednet	ASSMANN Electronic	ednet, Digitus	DE	review	trade brand, hardware of unnamed origin	public company information
jvc	JVCKENWOOD	JVC	JP	allowed	no listing known	public company information
lilin	Merit LILIN	LILIN	TW	allowed	no listing known	public company information
vicon	Vicon Industries	Vicon	US	allowed	no listing known	IEEE OUI registry
marchnetworks	March Networks	March Networks	CA	review	owner changed several times	IEEE OUI registry
iqinvision	IQinVision (Vicon)	IQeye	US	allowed	no listing known	IEEE OUI registry
digitalwatchdog	Digital Watchdog	DW Spectrum	US	review	hardware of several makers	IEEE OUI registry
speco	Speco Technologies	Speco	US	review	hardware of several makers	IEEE OUI registry
sepura	Sepura	Sepura	GB	review	radio maker, not PRC-owned since 2022	IEEE OUI registry
luma	Luma Surveillance (SnapAV)	Luma	US	review	hardware of Hikvision or Uniview in part	public favicon list
alibi	Alibi Security	ALIBI	US	review	hardware of Hikvision in part	public favicon list
interlogix	Interlogix	truVision	US	review	hardware of Hikvision in part	public favicon list
truen	Truen	TCAM	KR	allowed	no listing known	github rapid7/recog xml/x509_subjects.xml
nuuo	NUUO	NUUO	TW	allowed	no listing known	github rapid7/recog xml/html_title.xml
reecam	ReeCam (Shenzhen)	ReeCam	CN	restricted-prc	registered in the PRC	github rapid7/recog xml/http_servers.xml
genetec	Genetec	SharpV, Security Center	CA	allowed	no listing known	github rapid7/recog xml/favicons.xml
netatmo	Netatmo (Legrand)	Netatmo	FR	allowed	no listing known	IEEE OUI registry
logitech	Logitech	Circle	CH	allowed	no listing known	IEEE OUI registry
google	Google	Nest	US	allowed	no listing known	IEEE OUI registry
raspberrypi	Raspberry Pi	Raspberry Pi	GB	allowed	no listing known	IEEE OUI registry
samsung	Samsung Electronics	Samsung	KR	allowed	no listing known	IEEE OUI registry
apple	Apple	Apple	US	allowed	no listing known	IEEE OUI registry
belkin	Belkin International	WeMo	TW/US	allowed	no listing known	IEEE OUI registry
philips-hue	Signify	Hue	NL	allowed	no listing known	IEEE OUI registry
everfocus	EverFocus Electronics	EverFocus	TW	allowed	no listing known	public company information
toshiba	Toshiba	IK-W	JP	allowed	no listing known	public company information
zavio	Zavio	Zavio	TW	allowed	no listing known	public company information
lg	LG Electronics	LG	KR	allowed	no listing known	public company information
"""
SCOPES = [  # first that occurs in the collected wording wins
    ("radio", "mixed"), ("thermostat", "mixed"), ("IoT", "mixed"), ("mixed networking", "mixed"),
    ("conferencing", "mixed"), ("machine vision", "mixed"), ("Panasonic", "panasonic"),
    ("alarms", "mixed"), ("includes ex-Pelco", "mixed"), ("routers/phones", "mixed"),
    ("access maker", "mixed"), ("bridge", "mixed"), ("probable", "mixed"),
    ("observed", "module"), ("locally administered", "module"), ("default MAC", "module"),
    ("security division", "camera"), ("maker", "camera"), ("OEM", "camera"),
    ("camera", "camera"), ("brand", "camera"), ("Avigilon", "camera"),
]
MIXED_REGISTRANTS = [  # name in tshark's list, vendor
    (r"^D-Link|^D-LINK", "dlink"), (r"^Edimax", "edimax"), (r"^TP-Link|^TP-LINK", "tplink"),
    (r"^Ubiquiti", "ubiquiti"), (r"^Canon", "canon"), (r"^Grandstream", "grandstream"),
    (r"^Xiaomi", "xiaomi"), (r"^Cisco Meraki", "meraki"), (r"^Raspberry", "raspberrypi"),
    (r"^Belkin", "belkin"), (r"^Philips Lighting|^Signify", "philips-hue"),
    (r"^Netatmo", "netatmo"), (r"^Espressif", "MODULE"), (r"^AMPAK", "MODULE"),
    (r"^Tuya", "tuya"),
]


def rows(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def clean(text):
    text = re.sub(r"[\s]+", " ", (text or "").replace("\t", " ")).strip()
    text = re.sub(r"\b(as above|not re-verified|not verified)\b", "unverified", text)
    text = re.sub(r",? id \d{6,}|\(id \d+\)| \d{9,}", "", text)
    return text or "-"


def write(name, comment, header, lines):
    path = os.path.join(HERE, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write("# SPDX-License-Identifier: Apache-2.0\n")
        for line in comment:
            out.write("# " + line + "\n")
        out.write("\t".join(header) + "\n")
        for line in lines:
            assert len(line) == len(header), line
            out.write("\t".join(clean(field) if i != 2 else field for i, field in enumerate(line)))
            out.write("\n")
    print(path, len(lines))


def vendors(folder):
    made = []
    for row in rows(folder, "vendors.tsv"):
        policy = row["default_policy"].split(" ")[0]
        reasons = []
        if row["ndaa_s889"].startswith("yes"):
            reasons.append("NDAA FY2019 s889: " + row["ndaa_s889"])
        if row["fcc_covered"].startswith("yes"):
            reasons.append("FCC Covered List: " + row["fcc_covered"])
        if row["other_lists"]:
            reasons.append(row["other_lists"])
        if row["prc_headquartered"] == "yes":
            reasons.append("under the jurisdiction of the PRC National Intelligence Law")
        elif row["prc_nil_subject"] not in ("no", ""):
            reasons.append(row["prc_nil_subject"])
        if row["default_policy"].endswith("(insecure)"):
            reasons.append("unpatched firmware is common")
        if row["default_policy"].endswith("(OEM models)"):
            reasons.append("some models are made by others")
        made.append([row["vendor_id"], row["vendor"], row["brands_aliases"], row["hq_country"],
                     MAKERS.get(row["vendor_id"], "self"), policy,
                     "; ".join(reasons) or "no listing known", row["source"]])
    for line in MORE_VENDORS.strip().split("\n"):
        vendor, name, brands, country, status, reason, source = line.split("\t")
        made.append([vendor, name, brands, country, MAKERS.get(vendor, "self"), status, reason,
                     source])
    write("vendors/vendors.tsv",
          ["Who makes or sells surveillance equipment, and an opinion on each that the operator",
           "edits: status is restricted (named by an order or list), restricted-prc (subject to",
           "the PRC National Intelligence Law), review, allowed or unknown. maker: vendor id of",
           "the usual maker, self, or - where it differs by model or is unknown."],
          ["id", "name", "brands", "country", "maker", "status", "reason", "source"], made)
    return {line[0] for line in made}


def scope(row):
    words = row["scope"]
    for word, meaning in SCOPES:
        if word in words:
            if meaning == "panasonic":
                return "camera" if row["registrant"].startswith("i-PRO") else "mixed"
            return meaning
    raise SystemExit("no scope for: " + words)


def wireshark_prefixes():
    try:
        out = subprocess.run(["tshark", "-G", "manuf"], capture_output=True, text=True).stdout
        if "\t" not in out:
            raise FileNotFoundError
    except FileNotFoundError:
        try:
            out = open("/usr/share/wireshark/manuf", encoding="utf-8").read()
        except FileNotFoundError:
            return
    for line in out.split("\n"):
        fields = line.split("\t")
        if line.startswith("#") or len(fields) < 3:
            continue
        prefix, _, bits = fields[0].strip().lower().partition("/")
        bits = bits or "24"
        if bits not in ("24", "28", "36"):
            continue
        for pattern, vendor in MIXED_REGISTRANTS:
            if re.search(pattern, fields[2].strip(), re.I if vendor != "MODULE" else 0):
                digits = prefix.replace(":", "")[:int(bits) // 4]
                prefix = ":".join(digits[i:i + 2] for i in range(0, len(digits), 2))
                yield prefix, bits, fields[2].strip(), vendor
                break


def ouis(folder, known):
    made, seen = [], set()
    for row in rows(folder, "ouis.tsv") + rows(folder, "ouis_huawei_zte.tsv"):
        if row["prefix"].startswith("*"):
            continue
        vendor = row["vendor_id"]
        kind = "mixed" if "not camera evidence" in row["scope"] else scope(row)
        key = (row["prefix"], row["bits"])
        if key in seen:
            continue
        seen.add(key)
        made.append([row["prefix"], row["bits"], row["registrant"],
                     "-" if kind == "module" else vendor, kind,
                     re.sub(r";.*", "", row["source"])])
    for prefix, bits, registrant, vendor in wireshark_prefixes():
        if (prefix, bits) in seen:
            continue
        seen.add((prefix, bits))
        module = vendor == "MODULE"
        made.append([prefix, bits, registrant, "-" if module else vendor,
                     "module" if module else "mixed",
                     "IEEE registry as in Wireshark's manuf file (Debian 4.0.17)"])
    for line in made:
        assert line[3] == "-" or line[3] in known, line
    made.sort(key=lambda line: (line[0], line[1]))
    write("vendors/ouis.tsv",
          ["MAC prefixes by registrant. scope: camera (the registrant sells surveillance",
           "equipment and little else), mixed (the prefix names the vendor, and says nothing of",
           "what the device is), module (a part inside anybody's product: says nothing)."],
          ["prefix", "bits", "registrant", "vendor", "scope", "source"], made)


FIELDS = {
    ("rtsp", "Server"): "rtsp.server", ("rtsp", "WWW-Authenticate realm"): "rtsp.realm",
    ("rtsp/http", "WWW-Authenticate realm"): "http.realm,rtsp.realm",
    ("http/rtsp", "WWW-Authenticate realm"): "http.realm,rtsp.realm",
    ("http", "WWW-Authenticate realm"): "http.realm,rtsp.realm",
    ("rtsp/http", "Server"): "http.server,rtsp.server", ("http", "Server"): "http.server",
    ("rtsp", "Public"): "rtsp.public", ("rtsp", "request URI path"): "rtsp.path",
    ("http", "request URI path"): "http.path", ("http", "request path/body"): "http.path",
    ("http/rtmp", "request URI path"): "http.path", ("http", "<title>"): "http.title",
    ("sdp", "s="): "sdp.session", ("sdp", "s=/i="): "sdp.session,sdp.information",
    ("sdp", "a=tool"): "sdp.tool", ("sdp", "a="): "sdp.attribute",
    ("sdp", "a=rtpmap"): "sdp.attribute", ("sdp", "a=x-onvif-track"): "sdp.attribute",
}
NO_VENDOR = {"generic", "any", "hipcam", "hisilicon", "hisilicon-goahead", "cvitek", "tbk-dvr",
             "gb28181", "SHARED", "lefun", "nicevision"}
SKIP_VALUES = {  # not a value of one field, or written by hand elsewhere with care
    "(none - no local RTSP)", "Webs", "", "httpserver", "nginx/FakeVersion", "UNIVIEW", "thttpd",
    "Session streamed with GStreamer", 'systemType="NVMS-9000"', "/IPCamDesc.xml", ":4100/ping",
    "^(IP ?Camera|IPCamera Login|Internet Camera|camera|DVR)$", "AXIS", "/cgi-bin/getinfo",
    "MULTITRANS", "^DCS-[^\"]+$", "/stok=", "/doLogin", "device", "gSOAP/2.", "/onvif-media/media.amp",
    "/SDK/", "/RPC2", "/axis-cgi/", "/vapix/", "^(Wireless )?Network Camera( with Pan/Tilt)?$",
    "Network Camera", "/cgi-bin/main-cgi", "Network Video Recorder Login", "WV-NS* Network Camera",
    "^[0-9a-f]{16}$", "Httpd v", "LIVE555 Streaming Media", "PS/90000", "vnd.onvif.metadata",
    "a=x-onvif-track", "/PSIA/", "^VB(\\d+)?$", "DVRNVRDVS", "DVR Components Download",
    "Web Viewer for Samsung DVR", "Web Client for DVR",
    # fits the other brand too
    "^/media/video\\d+(/(video|metadata|multicast/video))?", "^/stream[12]$", "^/live\\d?\\.sdp$",
}
SELF = None


def levels(row):
    specific, confidence = row["specificity"], row["confidence"]
    if confidence == "low":
        return "hint", "hint"
    if specific in ("vendor", "vendor-family", "family", "oem-family"):
        return ("strong", "strong") if confidence == "high" else ("medium", "medium")
    if specific == "class":
        return "-", "medium"
    return "weak", "weak"


def meaning(row, attribute):
    what = {"rtsp.server": "RTSP server banner", "http.server": "web server banner",
            "rtsp.realm": "RTSP login realm", "http.realm": "login realm",
            "http.realm,rtsp.realm": "login realm", "rtsp.path": "stream path",
            "http.path": "web path", "http.title": "page title", "sdp.session": "SDP session name",
            "sdp.tool": "SDP tool", "sdp.attribute": "SDP attribute",
            "rtsp.public": "list of RTSP methods"}.get(attribute, attribute)
    whose = {"vendor": "of the brand", "vendor-family": "of the maker, whatever the label",
             "family": "of the firmware family", "oem-family": "of an OEM firmware family",
             "family-hint": "common with the maker, seen elsewhere",
             "class": "of cameras and recorders"}.get(row["specificity"], "seen with the brand")
    return what + " " + whose


def fingerprints(folder, known):
    http, rtsp, paths, listed = [], [], [], {}
    for row in rows(folder, "http_rtsp_fingerprints.tsv"):
        key = (row["channel"], row["field"])
        if row["field"] == "request URI path (list)":
            listed.setdefault(row["value"], []).append(row)
            continue
        value = row["value"]
        if key not in FIELDS or value in SKIP_VALUES or row["specificity"] in ("info", "generic"):
            continue
        attribute = FIELDS[key]
        match = row["match_type"].replace("exact-i", "exact-i")
        if attribute == "sdp.attribute":
            value = re.sub(r"^a=", "", value)
        if "(?:" in value or "\\n" in value:
            continue
        vendor = row["vendor_id"]
        vendor_level, class_level = levels(row)
        if vendor in NO_VENDOR:
            brand, maker, vendor_level = "-", "-", "-"
        else:
            assert vendor in known, vendor
            maker = {"self": vendor}.get(MAKERS.get(vendor, "self"), MAKERS.get(vendor, "self"))
            brand = vendor if row["specificity"] in ("vendor", "family-hint", "oem-family") \
                or maker != vendor else "-"
            if row["specificity"] == "oem-family":
                brand = "-" if maker == vendor else brand
        if vendor in ("icsee",):
            continue
        line = [attribute, match, value, "device", brand, maker,
                "video" if class_level != "-" else "-", class_level, vendor_level,
                meaning(row, attribute), row["source"]]
        (http if attribute.startswith("http") else rtsp).append(line)
    for value, all_rows in listed.items():
        brands = {row["vendor_id"].replace("brand:", "") for row in all_rows}
        if len(brands) != 1 or re.search("USERNAME|PASSWORD|password|user=|CHANNEL", value):
            continue
        vendor = {"q-see": "qsee", "panasonic": "i-pro", "pelco": "avigilon-pelco",
                  "avigilon": "avigilon-pelco", "tp-link": "tplink", "samsung": "hanwha",
                  "cp-plus": "cpplus", "d-link": "dlink", "ic-realtime": "icrealtime",
                  "acti": "acti"}.get(*(list(brands) * 2))
        value = re.sub(r"^:\d+", "", value)
        if vendor not in known or not value.startswith("/") or len(value) < 5 or "N." in value:
            continue
        paths.append(["rtsp.path", "exact", value, "device", vendor, "-", "-", "-", "hint",
                      "stream path listed for this brand only", all_rows[0]["source"]])
    header = ["attribute", "match", "pattern", "side", "brand", "maker", "class", "class_weight",
              "vendor_weight", "meaning", "source"]
    unique = {}
    for line in paths:
        unique.setdefault(line[2], []).append(line)
    paths = [lines[0] for lines in unique.values() if len({line[4] for line in lines}) == 1]
    see = ["Format: see README.md. Made by generate.py; edit by hand where a row needs care."]
    write("fingerprints/http.tsv", ["What web servers of devices say."] + see, header, http)
    write("fingerprints/rtsp.tsv", ["What RTSP servers and their SDP say."] + see, header, rtsp)
    write("fingerprints/rtsp_paths.tsv",
          ["Stream paths that a public list gives for one brand only: hints, never more."] + see,
          header, paths)


def domains(folder, known):
    made = []
    for row in rows(folder, "domains.tsv"):
        if row["match"] not in ("suffix", "exact") or "*" in row["domain"]:
            continue
        words, vendor = row["exclusivity"], row["vendor_id"]
        if vendor == "SHARED" or words.startswith("shared"):
            exclusivity, weight, vendor = "shared", "-", "-"
        elif words.startswith("platform"):
            exclusivity, weight = "platform", "hint"
        elif "not camera exclusive" in words or "smartcamera. is" in words:
            exclusivity, weight = "vendor-wide", "hint"
        elif words.startswith("vendor-family") or "shared Hikvision" in words:
            exclusivity, weight = "family", "weak"
        else:
            exclusivity, weight = "vendor", "weak"
        if row["confidence"] == "low":
            weight = "-" if weight == "-" else "hint"
        purpose = row["purpose"]
        if re.search(r"corporate|brand|shop|firmware|portal|update|root$", purpose) and \
                not re.search("device|P2P|registration|CAS|relay", purpose):
            weight = "hint" if weight == "weak" else weight
        if weight == "weak" and re.search("device|P2P|registration|CAS command|relay|rendezvous",
                                          purpose):
            weight = "medium"
        if vendor not in known and vendor != "-":
            raise SystemExit("domain of an unknown vendor: " + vendor)
        made.append([row["domain"], row["match"], vendor, purpose, exclusivity, weight,
                     row["source"]])
    write("destinations/domains.tsv",
          ["Names that devices and their owners' phones ask for. weight is what the question",
           "says of the host that asks: little, since applications ask too. exclusivity: vendor,",
           "family (all labels of a maker), vendor-wide (all its products), platform (any brand),",
           "shared (clouds and services that identify nobody)."],
          ["domain", "match", "vendor", "purpose", "exclusivity", "weight", "source"], made)


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: generate.py KNOWLEDGE_FOLDER")
    known = vendors(sys.argv[1])
    ouis(sys.argv[1], known)
    fingerprints(sys.argv[1], known)
    domains(sys.argv[1], known)


main()
