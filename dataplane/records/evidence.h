/* SPDX-License-Identifier: Apache-2.0 */
/* A fact read from traffic, never a verdict. Classifiers produce it; devices/ weighs it. */
#ifndef CAMSPAN_RECORDS_EVIDENCE_H
#define CAMSPAN_RECORDS_EVIDENCE_H

#include "dataplane/records/address.h"

#include <stdint.h>

#define EVIDENCE_VALUE_SIZE 192 /* with NUL; longer values are cut at a character boundary */

/* Who the fact comes from. Only what a device says about itself identifies it: a probe or a request
 * identifies the tool that sent it. */
enum evidence_side {
	SIDE_DEVICE, /* the subject said it of itself (a reply, an announcement, its own query) */
	SIDE_PEER,   /* somebody else said it of the subject */
	SIDE_TOOL,   /* the subject asked: it is a client, viewer or search tool */
};

/* Name (as in data files, events and `camspan explain`), channel, meaning. Evidence of one channel
 * counts together under one cap. Append only: the order is the wire order between threads. */
#define EVIDENCE_ATTRIBUTES(X)                                                                     \
	X(OUI, "oui", CHANNEL_OUI, "prefix of the MAC address")                                    \
	X(ARP_BINDING, "arp", CHANNEL_LINK, "the subject's MAC claimed the subject's IP by ARP")   \
	X(DHCP_HOSTNAME, "dhcp.hostname", CHANNEL_DHCP, "option 12 of a client message")           \
	X(DHCP_VENDOR_CLASS, "dhcp.vendor_class", CHANNEL_DHCP, "option 60 of a client message")   \
	X(DHCP_PARAMETERS, "dhcp.parameters", CHANNEL_DHCP, "option 55 as decimal list")           \
	X(DHCP_ADDRESS, "dhcp.address", CHANNEL_LINK, "address acknowledged to the subject")       \
	X(DNS_QUERY, "dns.query", CHANNEL_DNS, "name that the subject asked for")                  \
	X(DNS_NAME, "dns.name", CHANNEL_NAMES, "name that resolved to the subject's address")      \
	X(MDNS_HOST, "mdns.host", CHANNEL_DISCOVERY, "host name announced by the subject")         \
	X(MDNS_INSTANCE, "mdns.instance", CHANNEL_DISCOVERY, "service instance announced")         \
	X(MDNS_TXT, "mdns.txt", CHANNEL_DISCOVERY, "key=value of an announced TXT record")         \
	X(SSDP_SERVER, "ssdp.server", CHANNEL_DISCOVERY, "SERVER header of a reply or NOTIFY")     \
	X(SSDP_USN, "ssdp.usn", CHANNEL_DISCOVERY, "USN header of a reply or NOTIFY")              \
	X(SSDP_TYPE, "ssdp.type", CHANNEL_DISCOVERY, "ST or NT header of a reply or NOTIFY")       \
	X(SSDP_LOCATION, "ssdp.location", CHANNEL_DISCOVERY, "LOCATION header")                    \
	X(UPNP_MANUFACTURER, "upnp.manufacturer", CHANNEL_DISCOVERY, "device description")         \
	X(UPNP_MODEL, "upnp.model", CHANNEL_DISCOVERY,                                             \
		"device description: modelName/modelNumber")                                       \
	X(UPNP_DEVICE_TYPE, "upnp.device_type", CHANNEL_DISCOVERY, "device description")           \
	X(UPNP_FRIENDLY_NAME, "upnp.friendly_name", CHANNEL_DISCOVERY, "device description")       \
	X(WSD_TYPES, "wsd.types", CHANNEL_DISCOVERY, "Types of a ProbeMatch or Hello")             \
	X(WSD_SCOPE_NAME, "wsd.name", CHANNEL_DISCOVERY, "onvif://www.onvif.org/name/...")         \
	X(WSD_SCOPE_HARDWARE, "wsd.hardware", CHANNEL_DISCOVERY, "onvif.org/hardware/...")         \
	X(WSD_SCOPE, "wsd.scope", CHANNEL_DISCOVERY, "any other scope")                            \
	X(WSD_XADDR, "wsd.xaddr", CHANNEL_DISCOVERY, "service address")                            \
	X(ONVIF_MANUFACTURER, "onvif.manufacturer", CHANNEL_ONVIF, "GetDeviceInformation reply")   \
	X(ONVIF_MODEL, "onvif.model", CHANNEL_ONVIF, "GetDeviceInformation reply")                 \
	X(ONVIF_FIRMWARE, "onvif.firmware", CHANNEL_ONVIF, "GetDeviceInformation reply")           \
	X(ONVIF_SERIAL, "onvif.serial", CHANNEL_ONVIF, "GetDeviceInformation reply")               \
	X(SADP_MODEL, "sadp.model", CHANNEL_DISCOVERY, "DeviceDescription of a SADP reply")        \
	X(SADP_SERIAL, "sadp.serial", CHANNEL_DISCOVERY, "DeviceSN of a SADP reply")               \
	X(SADP_FIRMWARE, "sadp.firmware", CHANNEL_DISCOVERY, "SoftwareVersion of a SADP reply")    \
	X(SADP_OEM, "sadp.oem", CHANNEL_DISCOVERY, "OEMInfo of a SADP reply")                      \
	X(DHIP_VENDOR, "dhip.vendor", CHANNEL_DISCOVERY, "Vendor of a Dahua discovery reply")      \
	X(DHIP_MODEL, "dhip.model", CHANNEL_DISCOVERY, "DeviceType of a Dahua discovery reply")    \
	X(DHIP_CLASS, "dhip.class", CHANNEL_DISCOVERY, "DeviceClass of a Dahua discovery reply")   \
	X(DHIP_SERIAL, "dhip.serial", CHANNEL_DISCOVERY, "SerialNo of a Dahua discovery reply")    \
	X(DHIP_FIRMWARE, "dhip.firmware", CHANNEL_DISCOVERY, "Version of a Dahua discovery reply") \
	X(HTTP_SERVER, "http.server", CHANNEL_HTTP, "Server header of a reply")                    \
	X(HTTP_REALM, "http.realm", CHANNEL_HTTP, "realm of a 401 reply")                          \
	X(HTTP_TITLE, "http.title", CHANNEL_HTTP, "<title> of a served page")                      \
	X(HTTP_PATH, "http.path", CHANNEL_HTTP, "path served by the subject (no query values)")    \
	X(HTTP_CONTENT_TYPE, "http.content_type", CHANNEL_HTTP, "Content-Type of a reply")         \
	X(HTTP_HOST, "http.host", CHANNEL_NAMES, "Host header; subject is the server")             \
	X(HTTP_USER_AGENT, "http.user_agent", CHANNEL_HTTP, "User-Agent of the subject")           \
	X(RTSP_SERVER, "rtsp.server", CHANNEL_RTSP, "Server header of a reply")                    \
	X(RTSP_REALM, "rtsp.realm", CHANNEL_RTSP, "realm of a 401 reply")                          \
	X(RTSP_PATH, "rtsp.path", CHANNEL_RTSP, "URI path that the subject answered with 200")     \
	X(RTSP_USER_AGENT, "rtsp.user_agent", CHANNEL_RTSP, "User-Agent of the subject")           \
	X(RTSP_PUBLIC, "rtsp.public", CHANNEL_RTSP, "Public header of a reply")                    \
	X(SDP_SESSION, "sdp.session", CHANNEL_RTSP, "s= of an answered DESCRIBE")                  \
	X(SDP_INFORMATION, "sdp.information", CHANNEL_RTSP, "i= of an answered DESCRIBE")          \
	X(SDP_TOOL, "sdp.tool", CHANNEL_RTSP, "a=tool of an answered DESCRIBE")                    \
	X(SDP_ATTRIBUTE, "sdp.attribute", CHANNEL_RTSP, "vendor-specific a= line")                 \
	X(TLS_SNI, "tls.sni", CHANNEL_NAMES, "server name that the subject asked for")             \
	X(TLS_SUBJECT, "tls.subject", CHANNEL_TLS, "subject of the certificate it presented")      \
	X(TLS_ISSUER, "tls.issuer", CHANNEL_TLS, "issuer of the certificate it presented")         \
	X(PROTOCOL, "protocol", CHANNEL_PROTOCOL, "vendor protocol that the subject speaks")       \
	X(PROTOCOL_SERIAL, "protocol.serial", CHANNEL_PROTOCOL, "serial or UID in that protocol")  \
	X(PROTOCOL_MODEL, "protocol.model", CHANNEL_PROTOCOL, "model named in that protocol")      \
	X(BANNER, "banner", CHANNEL_PROTOCOL, "first line of a text service")                      \
	X(VIDEO_SOURCE, "video.source", CHANNEL_BEHAVIOUR, "the subject sends video: codec")       \
	X(VIDEO_VIEWER, "video.viewer", CHANNEL_BEHAVIOUR, "the subject receives video: codec")    \
	X(APPLICATION, "application", CHANNEL_BEHAVIOUR, "protocol named by general inspection")

enum evidence_attribute {
#define X(id, name, channel, meaning) ATTRIBUTE_##id,
	EVIDENCE_ATTRIBUTES(X)
#undef X
		ATTRIBUTE_COUNT
};

enum evidence_channel {
	CHANNEL_OUI,
	CHANNEL_LINK, /* binds identities, accuses nobody */
	CHANNEL_DHCP,
	CHANNEL_DNS,
	CHANNEL_NAMES, /* feeds passive names; the name itself may match a domain list */
	CHANNEL_DISCOVERY,
	CHANNEL_ONVIF,
	CHANNEL_HTTP,
	CHANNEL_RTSP,
	CHANNEL_TLS,
	CHANNEL_PROTOCOL,
	CHANNEL_BEHAVIOUR,
	CHANNEL_COUNT
};

/* Whom a fact is about. The MAC is the link-layer source of the packet and may be a router's:
 * devices/ decides. */
struct subject {
	struct ip_address ip;   /* ADDRESS_NONE for link-layer facts */
	struct mac_address mac; /* zero when unknown */
	uint16_t vlan;
	uint32_t tenant;
};

struct evidence {
	int64_t time; /* nanoseconds since the epoch */
	struct subject subject;
	struct endpoint peer; /* the other side of the conversation, if any */
	uint16_t port;        /* the subject's port, 0 if none */
	uint8_t attribute;    /* enum evidence_attribute */
	uint8_t side;         /* enum evidence_side */
	uint8_t classifier;   /* index into classifier_table */
	uint8_t value_length;
	char value[EVIDENCE_VALUE_SIZE]; /* printable UTF-8, NUL-terminated; control bytes replaced
					  */
};

const char *evidence_attribute_name(enum evidence_attribute attribute);
/* Returns ATTRIBUTE_COUNT for an unknown name. */
enum evidence_attribute evidence_attribute_by_name(const char *name);
enum evidence_channel evidence_attribute_channel(enum evidence_attribute attribute);
const char *evidence_channel_name(enum evidence_channel channel);
const char *evidence_side_name(enum evidence_side side);
/* Copies `length` bytes as printable UTF-8: trims blanks at both ends, replaces control and invalid
 * bytes with '?', cuts at a character boundary, masks credentials (secrets.h). */
void evidence_set_value(struct evidence *evidence, const void *value, size_t length);

#endif
