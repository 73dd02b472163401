# SPDX-License-Identifier: Apache-2.0
"""An office computer at work: looks up names, browses, reads mail over TLS.

Usage: office_pc.py RESOLVER USER-AGENT"""
import sys

import web
import wire

resolver, browser = sys.argv[1:]
web.get(wire.dns_lookup(resolver, "www.example.com"), "www.example.com", browser)
web.tls(wire.dns_lookup(resolver, "mail.example.net"), "mail.example.net", "1.3")
