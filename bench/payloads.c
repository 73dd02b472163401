/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/payloads.h"

#include "classifiers/table.h"

#include <string.h>

#define TEXT(text)  text, sizeof(text) - 1
#define ARRAY(list) list, sizeof(list)

#define CAMERA_MAC "\x00\x11\x22\x33\x44\x01"

static const uint8_t camera_mac[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x01};
static const uint8_t client_mac[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x02};
static const uint8_t camera_ip[] = {10, 0, 0, 5};
static const uint8_t client_ip[] = {10, 0, 0, 7};

/* Who has 10.0.0.99? */
#define ARP_REQUEST "\0\1\x08\0\6\4\0\1" CAMERA_MAC "\x0a\0\0\5\0\0\0\0\0\0\x0a\0\0\x63"

/* A request of a host "door-cam" that names its DHCP client and the options it wants. */
static const uint8_t dhcp_request[300] = {
	1,
	1,
	6,
	0,
	1,
	2,
	3,
	4,
	[28] = 0x00,
	0x11,
	0x22,
	0x33,
	0x44,
	0x01,
	[236] = 0x63,
	0x82,
	0x53,
	0x63,
	0x35,
	1,
	3,
	0x0c,
	8,
	'd',
	'o',
	'o',
	'r',
	'-',
	'c',
	'a',
	'm',
	0x3c,
	13,
	'u',
	'd',
	'h',
	'c',
	'p',
	' ',
	'1',
	'.',
	'2',
	'2',
	'.',
	'1',
	0,
	0x37,
	4,
	1,
	3,
	6,
	0x2a,
	0xff,
};

#define DNS_QUERY "\0\1\1\0\0\1\0\0\0\0\0\0\3cam\5cloud\7example\0\0\1\0\1"

/* PTR, SRV, TXT and address of a camera's video service. */
#define MDNS_ANNOUNCEMENT                                                                          \
	"\0\0\x84\0\0\0\0\4\0\0\0\0"                                                               \
	"\x0b_axis-video\4_tcp\5local\0\0\x0c\0\1\0\0\0\x78\0\x07\4Door\xc0\x0c"                   \
	"\4Door\xc0\x0c\0\x21\x80\1\0\0\0\x78\0\x0d\0\0\0\0\0\x50\4door\xc0\x1d"                   \
	"\4Door\xc0\x0c\0\x10\x80\1\0\0\0\x78\0\x1e\x17macaddress=001122334401\5foo=1"             \
	"\4door\xc0\x1d\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\5"

#define SSDP_REPLY                                                                                 \
	"HTTP/1.1 200 OK\r\n"                                                                      \
	"CACHE-CONTROL: max-age=1800\r\n"                                                          \
	"SERVER: Linux/3.4 UPnP/1.0 Cam/2.0\r\n"                                                   \
	"ST: urn:schemas-upnp-org:device:Camera:1\r\n"                                             \
	"USN: uuid:1234::urn:schemas-upnp-org:device:Camera:1\r\n"                                 \
	"LOCATION: http://10.0.0.5:49152/desc.xml\r\n\r\n"

#define WSD_MATCH                                                                                  \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                               \
	"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\""                          \
	" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\""                             \
	" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""                            \
	" xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\">"                                   \
	"<s:Header><a:MessageID>uuid:84ede3de-7dec-11d0-c360-f01234567890</a:MessageID>"           \
	"<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action>"        \
	"</s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"                                        \
	"<a:EndpointReference><a:Address>urn:uuid:1419d68a-1dd2-11b2-a105-001122334401"            \
	"</a:Address></a:EndpointReference>"                                                       \
	"<d:Types>dn:NetworkVideoTransmitter</d:Types>"                                            \
	"<d:Scopes>onvif://www.onvif.org/type/video_encoder"                                       \
	" onvif://www.onvif.org/name/DOOR onvif://www.onvif.org/hardware/DS-2CD2143G0"             \
	" onvif://www.onvif.org/location/city/nowhere</d:Scopes>"                                  \
	"<d:XAddrs>http://10.0.0.5/onvif/device_service</d:XAddrs>"                                \
	"<d:MetadataVersion>10</d:MetadataVersion>"                                                \
	"</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"

#define SADP_REPLY                                                                                 \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<ProbeMatch>\r\n"                           \
	"<Uuid>7A3B9F4E-0000-4000-8000-001122334401</Uuid>\r\n<Types>inquiry</Types>\r\n"          \
	"<DeviceType>139266</DeviceType>\r\n"                                                      \
	"<DeviceDescription>DS-2CD2143G0-I</DeviceDescription>\r\n"                                \
	"<DeviceSN>DS-2CD2143G0-I20190101AAWRC00000000</DeviceSN>\r\n"                             \
	"<CommandPort>8000</CommandPort>\r\n<HttpPort>80</HttpPort>\r\n"                           \
	"<MAC>00-11-22-33-44-01</MAC>\r\n<IPv4Address>10.0.0.5</IPv4Address>\r\n"                  \
	"<IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>\r\n"                                       \
	"<IPv4Gateway>10.0.0.1</IPv4Gateway>\r\n<DHCP>false</DHCP>\r\n"                            \
	"<SoftwareVersion>V5.5.82build 190318</SoftwareVersion>\r\n"                               \
	"<BootTime>2024-01-01 00:00:00</BootTime>\r\n<Activated>true</Activated>\r\n"              \
	"</ProbeMatch>\r\n"

/* A header of 32 bytes, of which only its length is read, then JSON. */
#define DHIP_REPLY                                                                                 \
	"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                           \
	"{\"mac\":\"00:11:22:33:44:01\",\"method\":\"client.notifyDevInfo\",\"params\":"           \
	"{\"deviceInfo\":{\"AlarmInputChannels\":1,\"DeviceClass\":\"IPC\","                       \
	"\"DeviceType\":\"IPC-HDW2431T\",\"HttpPort\":80,\"IPv4Address\":"                         \
	"{\"DefaultGateway\":\"10.0.0.1\",\"DhcpEnable\":false,\"IPAddress\":\"10.0.0.5\","        \
	"\"SubnetMask\":\"255.255.255.0\"},\"MachineName\":\"door\",\"Port\":37777,"               \
	"\"SerialNo\":\"6G00000PAZ00000\",\"Vendor\":\"Dahua\",\"Version\":\"2.800.0\"}}}\n"

#define PPPP_LOGIN                                                                                 \
	"\xf1\x10\0\x14"                                                                           \
	"ABCD\0\0\0\0\0\0\1\0FGHIJ\0\0\0"

#define BOSCH_SEARCH                                                                               \
	"\x99\x39\xa4\x27"                                                                         \
	"abcd\xff\0\6\xde"

#define VIVOTEK_REPLY                                                                              \
	"\7\x4a\x5d\x8f\x1c"                                                                       \
	"\2\6" CAMERA_MAC "\3\4\x0a\0\0\5"                                                         \
	"\x09\x08"                                                                                 \
	"FD9167-H"

/* Two requests' headers, the second with a body of four bytes. */
#define BAICHUAN_LOGIN                                                                             \
	"\xf0\xde\xbc\x0a\1\0\0\0\0\0\0\0\0\0\0\0\1\xdc\x14\x65"                                   \
	"\xf0\xde\xbc\x0a\1\0\0\0\4\0\0\0\0\0\0\0\0\0\x14\x66"                                     \
	"body"

#define DVRIP_LOGIN "\xa0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\2\0\1\0\0\xa1\xaa"

#define RTSP_DESCRIPTION                                                                           \
	"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=Media Presentation\r\nc=IN IP4 0.0.0.0\r\n"           \
	"t=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"               \
	"a=framerate:25.0\r\n"                                                                     \
	"a=fmtp:96 packetization-mode=1; profile-level-id=4D001F; "                                \
	"sprop-parameter-sets=Z00AH5WoFAFuQA==,aO48gA==\r\n"                                       \
	"a=control:trackID=1\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"                   \
	"a=control:trackID=2\r\n"

#define RTSP_ANSWER                                                                                \
	"RTSP/1.0 200 OK\r\nCSeq: 3\r\nServer: Rtsp Server/3.0\r\n"                                \
	"Content-Base: rtsp://10.0.0.5:554/Streaming/Channels/101/\r\n"                            \
	"Content-Type: application/sdp\r\nContent-Length: 344\r\n\r\n" RTSP_DESCRIPTION

#define HTTP_ANSWER                                                                                \
	"HTTP/1.1 401 Unauthorized\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"                     \
	"Server: App-webs/\r\nX-Frame-Options: SAMEORIGIN\r\n"                                     \
	"WWW-Authenticate: Digest realm=\"IP Camera(C1234)\", qop=\"auth\", nonce=\"0123\"\r\n"    \
	"Content-Length: 0\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"

/* A client hello of TLS 1.2 for camera.cloud.example. */
#define TLS_HELLO                                                                                  \
	"\x16\x03\x01\x00\x75\x01\x00\x00\x71\x03\x03\x0b\x30\x55\x7a\x9f"                         \
	"\xc4\xe9\x0e\x33\x58\x7d\xa2\xc7\xec\x11\x36\x5b\x80\xa5\xca\xef"                         \
	"\x14\x39\x5e\x83\xa8\xcd\xf2\x17\x3c\x61\x86\x00\x00\x18\xc0\x2b"                         \
	"\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\xc0\x13\xc0\x14\x00\x9c"                         \
	"\x00\x9d\x00\x2f\x00\x35\x01\x00\x00\x30\x00\x00\x00\x19\x00\x17"                         \
	"\x00\x00\x14\x63\x61\x6d\x65\x72\x61\x2e\x63\x6c\x6f\x75\x64\x2e"                         \
	"\x65\x78\x61\x6d\x70\x6c\x65\x00\x0a\x00\x08\x00\x06\x00\x1d\x00"                         \
	"\x17\x00\x18\x00\x2b\x00\x03\x02\x03\x03"
/* The first packet of a picture of H.264 in fragments; the bytes behind are slice data. */
static const uint8_t rtp_packet[1154] = {
	0x80,
	96,
	0x12,
	0x34,
	0,
	0x01,
	0x5f,
	0x90,
	0xca,
	0xfe,
	0xba,
	0xbe,
	0x7c,
	0x81,
	0x9a,
	0x21,
	0x6c,
	0x5a,
	0x77,
	0x10,
	0x3f,
	0xe4,
};

const struct payload payloads[] = {
	{&classifier_arp, 0, 0, true, TEXT(ARP_REQUEST)},
	{&classifier_dhcp, 68, 67, true, ARRAY(dhcp_request)},
	{&classifier_dns, 40000, 53, true, TEXT(DNS_QUERY)},
	{&classifier_mdns, 5353, 5353, true, TEXT(MDNS_ANNOUNCEMENT)},
	{&classifier_ssdp, 1900, 40000, true, TEXT(SSDP_REPLY)},
	{&classifier_wsd, 3702, 40000, true, TEXT(WSD_MATCH)},
	{&classifier_sadp, 37020, 37020, true, TEXT(SADP_REPLY)},
	{&classifier_dhip_discovery, 37810, 40000, true, TEXT(DHIP_REPLY)},
	{&classifier_pppp, 40000, 32100, true, TEXT(PPPP_LOGIN)},
	{&classifier_tlv_discovery, 10000, 40000, true, TEXT(VIVOTEK_REPLY)},
	{&classifier_magic_protocols, 40000, 1757, false, TEXT(BOSCH_SEARCH)},
	{&classifier_baichuan, 40000, 9000, false, TEXT(BAICHUAN_LOGIN)},
	{&classifier_dvrip, 40000, 37777, false, TEXT(DVRIP_LOGIN)},
	{&classifier_tls, 40000, 443, false, TEXT(TLS_HELLO)},
	{&classifier_rtsp, 554, 40000, true, TEXT(RTSP_ANSWER)},
	{&classifier_http, 80, 40000, true, TEXT(HTTP_ANSWER)},
	{&classifier_rtp, 20000, 40000, true, ARRAY(rtp_packet)},
};

const size_t payload_count = sizeof(payloads) / sizeof(payloads[0]);

const struct payload *
payload_of(const struct classifier *classifier)
{
	for (size_t i = 0; i < payload_count; i++)
		if (payloads[i].classifier == classifier)
			return &payloads[i];
	return NULL;
}

static bool
is_tcp(const struct payload *payload)
{
	return payload->classifier->match[0].layer == MATCH_TCP;
}

struct packet
payload_packet(const struct payload *payload)
{
	bool device = payload->from_device;
	bool link = payload->classifier->match[0].layer == MATCH_ETHERTYPE;
	struct packet packet = {
		.data = payload->bytes,
		.captured = payload->length,
		.wire_length = payload->length + 54,
		.time = INT64_C(1700000000000000000),
		.payload_length = (uint16_t)payload->length,
		.payload_wire_length = payload->length,
		.flags = PACKET_HAS_MACS,
		.source_port = payload->source_port,
		.destination_port = payload->destination_port,
		.l3_kind = link ? PACKET_L3_ARP : PACKET_L3_IPV4,
		.ethertype = link ? 0x0806 : 0x0800,
		.protocol = is_tcp(payload) ? 6 : 17,
		.source = ip_from_ipv4(device ? camera_ip : client_ip),
		.destination = ip_from_ipv4(device ? client_ip : camera_ip),
	};

	memcpy(packet.source_mac.bytes, device ? camera_mac : client_mac, 6);
	memcpy(packet.destination_mac.bytes, device ? client_mac : camera_mac, 6);
	return packet;
}

enum classifier_verdict
payload_inspect(const struct payload *payload, const struct packet *packet, void *scratch,
	const struct report_sink *sink)
{
	struct inspection in = {
		.data = payload->bytes,
		.length = payload->length,
		.packet = packet,
		.from_initiator = !(is_tcp(payload) && payload->from_device),
		.stream = is_tcp(payload),
		.wire_bytes = packet->wire_length,
	};

	memset(scratch, 0, payload->classifier->scratch_size);
	return payload->classifier->inspect(&in, scratch, sink);
}
