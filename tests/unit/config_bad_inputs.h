/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that must be refused, each with the exact line that the operator reads. */
#ifndef CAMSPAN_TESTS_CONFIG_BAD_INPUTS_H
#define CAMSPAN_TESTS_CONFIG_BAD_INPUTS_H

/* The message follows "FILE:". */
static const struct {
	const char *text, *message;
} bad_inputs[] = {
	{"flow: {}\n", "1: flow: unknown key; did you mean flows?"},
	{"flows:\n  idle_timout: 3s\n",
		"2: flows.idle_timout: unknown key; did you mean idle_timeout?"},
	{"idle_timeout: 3s\n", "1: idle_timeout: unknown key; did you mean flows.idle_timeout?"},
	{"log: {colour: red}\n", "1: log.colour: unknown key; known here are level"},
	{"flows.ipv4_max: 5\n", "1: flows.ipv4_max: unknown key; known here are site, sensor, log, "
				"health, data, dataplane, flows, inspection, devices, streams, "
				"zones, destinations, policy, rules, export"},
	{"site: {name: a}\nlog: {}\nsite: {name: b}\n",
		"3: site: is given twice; keep one of the two"},
	{"site:\n  name: a\n  name: b\n", "3: site.name: is given twice; keep one of the two"},
	{"? [a]\n: b\n", "1: ?: the key is a list; write a plain name"},
	{"- a\n", "1: document: is a list; write a mapping of sections, like \"site:\""},
	{"hello\n", "1: document: is a single value; write a mapping of sections, like \"site:\""},
	{"site: hq\n", "1: site: is a single value; write a mapping of keys and values"},
	{"site: {name: [a]}\n", "1: site.name: is a list; give one value (name)"},
	{"site:\n  name:\n",
		"2: site.name: has no value; give one, or remove the key for the default"},
	{"site: {name: \"\"}\n", "1: site.name: is empty; give the site a name"},
	{"site: {name: \"a b\"}\n",
		"1: site.name: a b is not a name; use letters, digits, dots, dashes and "
		"underscores"},
	{"site: {name: \"a\\0b\"}\n",
		"1: site.name: contains a control character; write it on one line without tabs"},
	{"data: {directory: \"a\\nb\"}\n", "1: data.directory: contains a control character; write "
					   "it on one line without tabs"},
	{"site: {sensitive: maybe}\n",
		"1: site.sensitive: maybe is not a truth value; use true or false"},
	{"log: {level: loud}\n",
		"1: log.level: loud is not known; use error, warning, info or debug"},
	{"flows: {ipv4_max: many}\n",
		"1: flows.ipv4_max: many is not a whole number; use digits only, like 1000"},
	{"flows: {ipv4_max: 0x100}\n",
		"1: flows.ipv4_max: 0x100 is not a whole number; use digits only, like 1000"},
	{"flows: {ipv4_max: 5}\n", "1: flows.ipv4_max: 5 is out of range; use 1024 to 134217728"},
	{"flows: {ipv4_max: -1}\n", "1: flows.ipv4_max: -1 is out of range; use 1024 to 134217728"},
	{"flows: {ipv4_max: 99999999999999999999999}\n",
		"1: flows.ipv4_max: 99999999999999999999999 is out of range; use 1024 to "
		"134217728"},
	{"flows: {idle_timeout: 30x}\n",
		"1: flows.idle_timeout: 30x is not a duration; use a whole number with ms, s, m, h "
		"or d, like 30s"},
	{"flows: {idle_timeout: 1.5h}\n",
		"1: flows.idle_timeout: 1.5h is not a duration; use a whole number with ms, s, m, "
		"h or d, like 30s"},
	{"flows: {idle_timeout: 2h}\n", "1: flows.idle_timeout: 2h is out of range; use 1s to 1h"},
	{"health: {interval: 500ms}\n", "1: health.interval: 500ms is not a duration; use a whole "
					"number with s, m, h or d, like 30s"},
	{"dataplane: {memory: 5kg}\n",
		"1: dataplane.memory: 5kg is not an amount of memory; use a whole number with MiB "
		"or GiB, like 2GiB"},
	{"dataplane: {mbufs: 5}\n",
		"1: dataplane.mbufs: 5 is too few; use 0 (derived) or at least 1024"},
	{"dataplane: {lcores: all}\n",
		"1: dataplane.lcores: all is not a list of cores; use numbers and ranges, like "
		"0,2-5"},
	{"dataplane: {ports: [{promiscuous: true}]}\n",
		"1: dataplane.ports[0].device: is missing; add it (text)"},
	{"dataplane:\n  ports:\n  - device: a\n  - device: a\n",
		"4: dataplane.ports[1].device: is the same device as dataplane.ports[0]; remove "
		"one"},
	{"policy: {min_confidence: high}\n",
		"1: policy.min_confidence: high is not a number; use a decimal, like 0.8"},
	{"policy: {min_confidence: nan}\n",
		"1: policy.min_confidence: nan is not a number; use a decimal, like 0.8"},
	{"policy: {min_confidence: 1.5}\n",
		"1: policy.min_confidence: 1.5 is out of range; use 0.5 to 1"},
	{"rules: {camera-reaches-cor: {enabled: true}}\n",
		"1: rules.camera-reaches-cor: unknown key; did you mean camera-reaches-core?"},
	{"zones: 5\n", "1: zones: is a single value; write a list: [5]"},
	{"zones: {name: a}\n", "1: zones: is a mapping; write a list: begin each item with \"- \""},
	{"zones:\n- a\n", "2: zones[0]: is a single value; write a mapping of keys and values"},
	{"zones:\n- kind: core\n", "2: zones[0].name: is missing; add it (name)"},
	{"zones:\n- name: a\n", "2: zones[0].kind: is missing; add it (one of)"},
	{"zones:\n- name: a\n  kind: kitchen\n",
		"3: zones[0].kind: kitchen is not known; use none, camera, core, management, "
		"office or internet"},
	{"zones:\n- name: a\n  kind: core\n",
		"2: zones[0]: has neither networks nor vlans; give it at least one"},
	{"zones:\n- name: a\n  kind: core\n  networks:\n  - 10.0.0.0/8\n  - 10.1.2.3/16\n",
		"6: zones[0].networks[1]: 10.1.2.3/16 has host bits set; use 10.1.0.0/16"},
	{"zones: [{name: a, kind: core, networks: [10.0.0/8]}]\n",
		"1: zones[0].networks[0]: 10.0.0/8 is not a network; use address/prefix, like "
		"10.1.0.0/16 or 2001:db8::/32"},
	{"zones: [{name: a, kind: core, networks: [10.0.0.0/33]}]\n",
		"1: zones[0].networks[0]: 10.0.0.0/33 has no prefix length of 0 to 32; use one"},
	{"zones: [{name: a, kind: core, networks: [10.0.0.0/8x]}]\n",
		"1: zones[0].networks[0]: 10.0.0.0/8x has no prefix length of 0 to 32; use one"},
	{"zones: [{name: a, kind: core, networks: [2001:db8::1/64]}]\n",
		"1: zones[0].networks[0]: 2001:db8::1/64 has host bits set; use 2001:db8::/64"},
	{"zones: [{name: a, kind: core, networks: 10.0.0.0/8}]\n",
		"1: zones[0].networks: is a single value; write a list: [10.0.0.0/8]"},
	{"zones: [{name: a, kind: core, vlans: [4095]}]\n",
		"1: zones[0].vlans[0]: 4095 is out of range; use 1 to 4094"},
	{"zones:\n- {name: a, kind: core, vlans: [1]}\n- {name: a, kind: core, vlans: [2]}\n",
		"3: zones[1].name: a is the name of zones[0] too; names must differ"},
	{"zones:\n- {name: a, kind: core, vlans: [1]}\n- {name: b, kind: core, vlans: [2, 1]}\n",
		"3: zones[1].vlans[1]: 1 is in zone a too; keep it in one of the two"},
	{"zones:\n- {name: a, kind: core, networks: [10.0.0.0/8]}\n"
	 "- name: b\n  kind: camera\n  networks:\n  - 10.0.0.0/8\n",
		"6: zones[1].networks[0]: 10.0.0.0/8 is in zone a too; keep it in one of the two"},
	{"destinations:\n  allow:\n  - domains: [a.b]\n    zone: cams\n",
		"4: destinations.allow[0].zone: cams is not the name of a zone; add it to zones or "
		"correct it"},
	{"destinations: {allow: [{ports: [123]}]}\n",
		"1: destinations.allow[0]: has neither networks nor domains; give at least one "
		"(0.0.0.0/0 and ::/0 are everywhere)"},
	{"destinations: {allow: [{domains: [\"*.a.b\"]}]}\n",
		"1: destinations.allow[0].domains[0]: *.a.b has a wildcard; use a.b: it covers the "
		"name and all below it"},
	{"destinations: {allow: [{domains: [\"http://a.b\"]}]}\n",
		"1: destinations.allow[0].domains[0]: http://a.b is not a domain name; use "
		"letters, digits and dots, like example.com, or =host.example.com for that host "
		"alone"},
	{"destinations: {allow: [{domains: [a.b], protocol: http}]}\n",
		"1: destinations.allow[0].protocol: http is not a protocol; use any, tcp, udp, "
		"icmp, ipv6-icmp, sctp or an IANA number"},
	{"destinations: {allow: [{domains: [a.b], device: cam1}]}\n",
		"1: destinations.allow[0].device: cam1 is not a device; use a MAC, an address or a "
		"device id of 16 hex digits"},
	{"export: {file: {enabled: true, datasets: [packets]}}\n",
		"1: export.file.datasets: \"packets\" is unknown; use flow, device, stream, "
		"alert or health"},
	{"flows: {tenant: [vlans]}\n",
		"1: flows.tenant: \"vlans\" is unknown; use vlan, tunnel or port"},
	{"export: {file: {enabled: true, path: \"\"}}\n",
		"1: export.file.path: is empty; name a file, or - for standard output"},
	{"export: {kafka: {enabled: true}}\n",
		"1: export.kafka.brokers: is empty; name the bootstrap brokers, like "
		"kafka1:9092,kafka2:9092"},
	{"export: {kafka: {password: x}}\n",
		"1: export.kafka.password: secrets are not kept in the configuration; put it in a "
		"file of mode 0600 and name that with password_file"},
	{"export: {redis: {password: x}}\n",
		"1: export.redis.password: secrets are not kept in the configuration; put it in a "
		"file of mode 0600 and name that with password_file"},
	{"export: {kafka: {compression: zip}}\n",
		"1: export.kafka.compression: zip is not known; use none, gzip, snappy, lz4 or "
		"zstd"},
	{"export:\n  kafka:\n    enabled: true\n    brokers: a:1\n    broker_version_fallback: "
	 "0.9.0.1\n",
		"3: export.kafka.idempotence: cannot be had from brokers of version 0.9.0.1; set "
		"idempotence: false"},
	{"export: {kafka: {enabled: true, brokers: a:1, security_protocol: sasl_ssl}}\n",
		"1: export.kafka.sasl_mechanism: is empty with security_protocol: sasl_ssl; choose "
		"one"},
	{"export: {redis: {enabled: true, address: somewhere}}\n",
		"1: export.redis.address: somewhere is not a server; use host:port or unix:/path"},
	{"export: {redis: {enabled: true, password_file: /nonexistent/p}}\n",
		"1: export.redis.password_file: /nonexistent/p does not exist; create it or "
		"correct the path"},
	{"a: [1, 2\nb: 3\n", "2: YAML: while parsing a flow sequence, did not find expected ',' or "
			     "']'; check indentation (blanks, no tabs), quotes and brackets here "
			     "and just above"},
	{"site:\n\tname: a\n", "2: YAML: while scanning for the next token, found character that "
			       "cannot start any token; check indentation (blanks, no tabs), "
			       "quotes and brackets here and just above"},
	{"site: {}\n---\nsite: {}\n",
		"2: YAML: a second document begins; keep one document in the file"},
	{"site: &a\n  name: *a\n", "1: site.name: is a mapping; give one value (name)"},
	{"a: [[[[[[[[[[[[[[[[[[[[\n", "1: YAML: is nested too deep; no setting is"},
	{"site:\n  name: caf\xe9 x\n",
		"2: YAML: invalid trailing UTF-8 octet; save the file as plain UTF-8 text"},
};

#endif
