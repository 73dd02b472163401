#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A site of cameras in network namespaces, watched through a span port. Needs root.
#
#   lab.sh check           says what is missing here to build the lab, if anything
#   lab.sh up              builds the site and starts its hosts
#   lab.sh run SECONDS     traffic: searches, recording, viewing, contacts; ends when they are done
#   lab.sh capture FILE SECONDS   `run` with tcpdump on the span from before to after
#   lab.sh record FILE     up, capture of a short run, down: how tests/captures/demo.pcap is made
#   lab.sh span up|down    connects and disconnects the span port
#   lab.sh exec HOST CMD   runs a command on a host; the host `sensor` has the span port, span0
#   lab.sh down            removes everything
#
# LAB_PREFIX (default camspan-lab) names the namespaces; LAB_STATE (default /run/$LAB_PREFIX) keeps
# logs. Both are gone after `down`. Nothing exists outside the namespaces, and no
# route leads out of them.
#
# The span: every LAN is a bridge that floods like a hub and has a tap. Taps and router ports are
# isolated from each other, so the span carries what hosts send, once, and not the router's copy of
# it: a mirror of the received direction of the access ports.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
prefix=${LAB_PREFIX:-camspan-lab}
state=${LAB_STATE:-/run/$prefix}
python=/usr/bin/python3
lans='camera office core wan'
span_mtu=9000 # a mirror must carry what it mirrors, jumbo frames of one host included
cameras="annke dahua axis hanwha reolink vivotek"
credentials=admin:camera123
resolver=10.20.3.53

say() { echo "lab: $*" >&2; }
fail() { say "$*"; exit 1; }

need() {
	[ "$(id -u)" = 0 ] || fail 'root is needed for network namespaces: run with sudo'
	for pair in ip:iproute2 bridge:iproute2 ethtool:ethtool tcpdump:tcpdump tshark:tshark \
		ffmpeg:ffmpeg \
		openssl:openssl ss:iproute2; do
		command -v "${pair%:*}" >/dev/null || fail "${pair%:*} is missing: apt-get install ${pair#*:}"
	done
	$python -c 'import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
for element in ("x264enc", "x265enc", "jpegenc", "rtph264pay"):
    if not Gst.ElementFactory.find(element): raise SystemExit(element)' 2>/dev/null ||
		fail 'GStreamer is incomplete: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0' \
			'gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad' \
			'gstreamer1.0-plugins-ugly'
}

# --- the network ---------------------------------------------------------------------------------

namespaces() { ip netns list | awk -v p="$prefix-" 'index($1, p) == 1 { print $1 }'; }
hosts() { awk '!/^#/ { print $1, $2, $3, $4 }' "$here/hosts.tsv"; }
address_of() { awk -v h="$1" '$1 == h { print $3 }' "$here/hosts.tsv"; }
mac_of() { awk -v h="$1" '$1 == h { print $4 }' "$here/hosts.tsv"; }
on() {
	on_host=$1
	shift
	ip netns exec "$prefix-$on_host" "$@"
}

add_namespace() {
	ip netns add "$prefix-$1"
	on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	on "$1" ip link set lo up
}

# link HOST INTERFACE BRIDGE PORT: a cable from a host to a bridge, every offload off so that the
# span sees packets as they would be on a wire.
link() {
	ip -n "$prefix-$1" link add "$2" type veth peer name "$4" netns "$prefix-switch"
	on "$1" ethtool -K "$2" tso off gso off gro off tx off rx off >/dev/null
	on switch ethtool -K "$4" tso off gso off gro off tx off rx off >/dev/null
	on switch ip link set "$4" master "$3" up
}

isolate() { for port in "$@"; do on switch bridge link set dev "$port" isolated on; done; }

add_bridge() {
	on switch ip link add "$1" type bridge ageing_time 0 mcast_snooping 0
	on switch ip link set "$1" up
}

build_switch() {
	add_namespace switch
	# The bridges must pass what the hosts send, malformed or not.
	for key in iptables ip6tables arptables; do
		on switch sysctl -qw "net.bridge.bridge-nf-call-$key=0" 2>/dev/null || true
	done
	add_namespace sensor
	add_bridge span
	link sensor span0 span span-port
	on sensor ip link set span0 arp off promisc on up mtu "$span_mtu"
	on switch ip link set span-port mtu "$span_mtu"
	for lan in $lans; do
		add_bridge "lan-$lan"
		on switch ip link add "tap-$lan" type veth peer name "mirror-$lan"
		for end in "tap-$lan" "mirror-$lan"; do
			on switch ethtool -K "$end" tso off gso off gro off tx off rx off >/dev/null
			on switch ip link set "$end" mtu "$span_mtu"
		done
		on switch ip link set "tap-$lan" master "lan-$lan" up
		on switch ip link set "mirror-$lan" master span up
		isolate "tap-$lan" "mirror-$lan"
	done
}

build_router() {
	add_namespace router
	for lan in $lans; do
		link router "$lan" "lan-$lan" "router-$lan"
		isolate "router-$lan"
		case $lan in
		camera) router_address=10.20.1.1/24 ;;
		office) router_address=10.20.2.1/24 ;;
		core) router_address=10.20.3.1/24 ;;
		wan) router_address=192.0.2.1/30 ;;
		esac
		on router ip address add "$router_address" dev "$lan"
		on router ip link set "$lan" up
	done
	on router ip route add default via 192.0.2.2
	on router sysctl -qw net.ipv4.ip_forward=1
}

build_host() { # NAME LAN ADDRESS MAC
	add_namespace "$1"
	link "$1" eth0 "lan-$2" "$1"
	on "$1" ip link set eth0 address "$4"
	case $2 in wan) length=30 ;; *) length=24 ;; esac
	on "$1" ip address add "$3/$length" brd + dev eth0
	on "$1" ip link set eth0 up
	[ "$2" = wan ] || on "$1" ip route add default via "${3%.*}.1"
}

# The front of a camera reaches its RTSP server with the viewer's address: the server's replies to
# it stay on the host.
build_camera_loop() { # NAME
	on "$1" ip rule add from "$(address_of "$1")" ipproto 6 sport 8554 lookup 100
	on "$1" ip route add local default dev lo table 100
}

# The internet: addresses that answer, and one range that is routed and silent.
build_internet() {
	for address in 203.0.113.10 203.0.113.20 203.0.113.80; do
		on isp ip address add "$address/32" dev lo
	done
	on isp ip route add 10.20.0.0/16 via 192.0.2.1
	on isp ip route add blackhole 198.51.100.0/24
}

# --- the hosts -----------------------------------------------------------------------------------

# start HOST PEER ARGUMENTS...: a peer in the background; its output is kept.
start() {
	start_host=$1 start_peer=$2
	shift 2
	# exec: the process is the peer itself.
	(exec ip netns exec "$prefix-$start_host" "$python" -B "$here/peers/$start_peer.py" "$@") \
		>>"$state/$start_host-$start_peer.log" 2>&1 &
}

peer() { # HOST PEER ARGUMENTS...: a peer in the foreground
	peer_host=$1 peer_name=$2
	shift 2
	on "$peer_host" "$python" -B "$here/peers/$peer_name.py" "$@" ||
		fail "$peer_name on $peer_host failed"
}

# await HOST tcp|udp PORT: until something listens there. 20 s is ten times what the slowest needs.
await() {
	attempts=200
	until on "$1" ss -H -l -n "--$2" "sport = :$3" | grep -q .; do
		attempts=$((attempts - 1))
		[ "$attempts" -gt 0 ] || fail "$1 does not listen on $2 port $3; see $state/$1-*.log"
		sleep 0.1
	done
}

# services.tsv with its placeholders filled.
services() {
	awk -F '\t' -v OFS='\t' -v lab="$here" -v state="$state" '
		/^#/ { next }
		FNR == NR { address[$1] = $3; mac[$1] = $4; next }
		{
			gsub("@address", address[$1]); gsub("@mac", mac[$1])
			gsub("@lab", lab); gsub("@state", state)
			print
		}' "$here/hosts.tsv" "$here/services.tsv"
}

# each_service FUNCTION: calls FUNCTION HOST LISTENS PEER ARGUMENTS... for every service.
each_service() {
	tab=$(printf '\t')
	services >"$state/services"
	while IFS= read -r service; do
		set -f
		IFS=$tab
		# shellcheck disable=SC2086 # one argument a column
		set -- "$1" $service
		unset IFS
		set +f
		"$@" </dev/null
	done <"$state/services"
}

start_service() { # HOST LISTENS PEER ARGUMENTS...
	service_host=$1
	shift 2
	start "$service_host" "$@"
}

await_service() { await "$1" "${2%/*}" "${2#*/}"; }

# Devices that announce themselves when they come up do so in `run`, where they are recorded.
announce_service() { # HOST LISTENS PEER serve ARGUMENTS...
	announce_host=$1 announce_peer=$3
	case $announce_peer in
	wsdiscovery) announce_verb=hello ;;
	mdns) announce_verb=announce ;;
	*) return 0 ;;
	esac
	shift 4
	peer "$announce_host" "$announce_peer" "$announce_verb" "$@"
}

make_certificates() {
	for domain in hik-connect.com example.net; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
			-subj "/CN=*.$domain" -keyout "$state/$domain.key" -out "$state/$domain.crt" 2>/dev/null
	done
}

build() {
	mkdir "$state" 2>/dev/null || fail "$state exists: the lab is up, or run 'lab.sh down' first"
	build_switch
	build_router
	hosts | while read -r name lan address mac; do
		build_host "$name" "$lan" "$address" "$mac" </dev/null
	done
	for camera in $cameras; do build_camera_loop "$camera"; done
	build_internet
	make_certificates
	each_service start_service
	each_service await_service
}

# Root in a container is often not allowed to make namespaces or bridges.
check() {
	need
	probe=$prefix-probe-$$
	ip netns add "$probe" 2>/dev/null || fail 'network namespaces are not available'
	works=yes
	ip -n "$probe" link add span type bridge ageing_time 0 mcast_snooping 0 2>/dev/null &&
		ip -n "$probe" link add eth0 type veth peer name port 2>/dev/null || works=
	ip netns del "$probe"
	[ -n "$works" ] || fail 'bridges or veth links are not available'
}

up() {
	need
	[ -z "$(namespaces)" ] || fail "namespaces are left over: run 'lab.sh down' first"
	trap down EXIT
	trap 'exit 130' INT TERM
	build
	trap - EXIT INT TERM
	say "up: $(hosts | wc -l) hosts; the span port is span0 in namespace $prefix-sensor"
}

# Ends what runs in our namespaces, by pid, then the namespaces; their links go with them.
down() {
	trap - EXIT INT TERM
	for signal in TERM KILL; do
		for namespace in $(namespaces); do
			for pid in $(ip netns pids "$namespace"); do
				kill -s "$signal" "$pid" 2>/dev/null || true
			done
		done
		attempts=50
		while [ "$attempts" -gt 0 ] && busy; do
			attempts=$((attempts - 1))
			sleep 0.1
		done
	done
	for namespace in $(namespaces); do ip netns del "$namespace"; done
	rm -rf "$state"
}

busy() {
	for namespace in $(namespaces); do
		[ -z "$(ip netns pids "$namespace")" ] || return 0
	done
	return 1
}

# --- the traffic ---------------------------------------------------------------------------------

path_of() { $python -c 'import json, sys
print(json.load(open(sys.argv[1]))[sys.argv[2]]["path"])' "$here/cameras.json" "$1"; }

# watch VIEWER CAMERA TRANSPORT USER-AGENT SECONDS: plays a camera's stream in the background.
watch() {
	url="rtsp://$credentials@$(address_of "$2"):554$(path_of "$2")"
	# A full buffer in the viewer would be loss that the span does not see; a UDP viewer that waits
	# for reordered packets would end late.
	(exec ip netns exec "$prefix-$1" ffmpeg -nostdin -hide_banner -loglevel warning \
		-rtsp_transport "$3" -user_agent "$4" -analyzeduration 0 -probesize 32 \
		-i "$url" -t "$5" -map 0:v -c copy -f null -) >"$state/$1-watches-$2.log" 2>&1 &
	viewers="$viewers $!"
}

search() {
	peer nvr sadp ask "$(address_of nvr)"
	peer nvr dhdiscover ask "$(address_of nvr)" 1
	peer nvr wsdiscovery ask "$(address_of nvr)" onvif 3
	peer laptop sadp ask "$(address_of laptop)"
	peer laptop dhdiscover ask "$(address_of laptop)" 2
	peer laptop wsdiscovery ask "$(address_of laptop)" onvif 3
	peer laptop mdns ask "$(address_of laptop)" _axis-video._tcp.local
	peer laptop baichuan ask "$(address_of reolink)"
	for camera in annke axis hanwha vivotek; do
		peer nvr web information "$(address_of "$camera")"
	done
	peer nvr web get "$(address_of vivotek)" "$(address_of vivotek)" 'NVR/4.0'
	peer nvr web get "$(address_of annke)" "$(address_of annke)" 'NVR/4.0'
}

office_work() {
	a=$(address_of pc)
	browser='Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36'
	peer pc ssdp "$a"
	peer pc wsdiscovery ask "$a" device 1
	peer pc mdns ask "$a" _ipp._tcp.local
	peer pc office_pc "$resolver" "$browser"
}

run() { # SECONDS
	[ -d "$state" ] || fail 'the lab is not up'
	viewers=
	each_service announce_service
	search
	recorder='Lavf/59.27.100'
	watch nvr annke udp "$recorder" "$1"
	watch nvr axis udp "$recorder" "$1"
	watch nvr dahua tcp "$recorder" "$1"
	watch nvr hanwha tcp "$recorder" "$1"
	watch nvr vivotek tcp "$recorder" "$1"
	watch pc reolink udp 'LibVLC/3.0.18 (LIVE555 Streaming Media v2016.11.28)' "$1"
	office_work
	for camera in $cameras; do
		[ "$camera" = vivotek ] || peer "$camera" camera_contacts "$camera" "$resolver"
	done
	for viewer in $viewers; do wait "$viewer" || fail "a viewer failed; see $state/*-watches-*.log"; done
}

# Until tcpdump says that it listens, and after it until its buffer is written.
capture() { # FILE SECONDS
	(exec ip netns exec "$prefix-sensor" tcpdump -i span0 -s 0 -U -B 16384 -Z root --immediate-mode \
		-w "$1") 2>"$state/tcpdump.log" &
	dump=$!
	attempts=100
	until grep -q 'listening on' "$state/tcpdump.log"; do
		attempts=$((attempts - 1))
		[ "$attempts" -gt 0 ] || fail "tcpdump does not start: $(cat "$state/tcpdump.log")"
		sleep 0.1
	done
	(run "$2") || ran=$?
	kill -INT "$dump"
	wait "$dump" || true
	[ "${ran:-0}" = 0 ] || exit "$ran"
	grep -q '^0 packets dropped by kernel' "$state/tcpdump.log" ||
		fail "tcpdump lost packets: $(cat "$state/tcpdump.log")"
}

record() { # FILE
	trap down EXIT
	trap 'exit 130' INT TERM
	need
	[ -z "$(namespaces)" ] || fail "namespaces are left over: run 'lab.sh down' first"
	build
	capture "$1" 12
	down
	size=$(wc -c <"$1")
	[ "$size" -lt 2000000 ] || fail "$1 has $size bytes: over 2 MB"
	say "$1: $size bytes"
}

span() { # up|down
	case $1 in up | down) ;; *) fail 'span: up or down' ;; esac
	for lan in $lans; do on switch ip link set "mirror-$lan" "$1"; done
}

usage() { sed -n '3,24s/^# \{0,1\}//p' "$0"; }

case ${1:-} in
check) check ;;
up) up ;;
run) run "${2:?seconds}" ;;
capture) capture "${2:?file}" "${3:?seconds}" ;;
record) record "${2:?file}" ;;
span) span "${2:?up or down}" ;;
exec)
	shift
	on "$@"
	;;
down)
	[ "$(id -u)" = 0 ] || fail 'root is needed: run with sudo'
	down
	;;
*)
	usage
	exit 2
	;;
esac
