"""A machine with Debian's servers as they are after an installation, and with one signed zone."""

import sys
from collections.abc import Sequence

from bed.afternoon import ADDRESS, NAME_SERVER, Afternoon
from bed.waiting import wait_until

_SCRIPT = f"#!{sys.executable}\nfrom certkeeper.{{module}} import {{function}}\n{{function}}()\n"
PROGRAMS = {
    "certkeeper": _SCRIPT.format(module="cli.main", function="entry"),
    "certkeeper-dehydrated": _SCRIPT.format(module="cli.main", function="dehydrated_entry"),
    "certkeeper-pdns-hook": _SCRIPT.format(module="cli.pdnshook.entry", function="entry"),
}
"""As pip installs them."""
_SITE = """\
server {{
    listen 80;
    server_name {zone} www.{zone};
    root /var/www/html;
}}
"""
_PDNS = f"""\
launch=gsqlite3
gsqlite3-database=/var/lib/powerdns/pdns.sqlite3
gsqlite3-dnssec=yes
local-address={NAME_SERVER}
api=yes
api-key=correct-horse-battery-staple
webserver=yes
webserver-address=127.0.0.1
webserver-port=8081
"""
_RECORDS = {
    "@": [("A", ADDRESS), ("MX", "10 mail.{zone}"), ("NS", "ns1.{zone}")],
    "www": [("A", ADDRESS)],
    "mail": [("A", ADDRESS)],
    "xmpp": [("A", ADDRESS)],
    "ns1": [("A", NAME_SERVER)],
    "_xmpp-client._tcp.xmpp": [("SRV", "0 5 5222 xmpp.{zone}")],
    "_xmpp-server._tcp.xmpp": [("SRV", "0 5 5269 xmpp.{zone}")],
}
_PROSODY = """\
modules_enabled = {{ "roster"; "saslauth"; "tls"; "dialback"; "disco"; "posix"; "ping" }}
daemonize = true
pidfile = "/run/prosody/prosody.pid"
log = {{ info = "/var/log/prosody/prosody.log" }}
certificates = "certs"
interfaces = {{ "{address}" }}
VirtualHost "xmpp.{zone}"
"""


def install(machine: Afternoon, zone: str, *names: str) -> None:
    """What is there before the afternoon begins, and runs. `names` are more names of the machine's in the zone."""
    machine.done("rm -rf /etc/dehydrated /etc/haproxy /etc/apache2")
    _dns(machine, zone, names)
    machine.done("rm -f /etc/nginx/sites-enabled/*")
    machine.write(f"/etc/nginx/sites-enabled/{zone}", _SITE.format(zone=zone))
    machine.done("mkdir -p /var/log/nginx && service nginx start")
    machine.done(
        f"postconf -e myhostname=mail.{zone} 'mydestination = $myhostname, {zone}, localhost'"
        f" inet_interfaces={ADDRESS} inet_protocols=ipv4 maillog_file=/var/log/postfix.log"
        " smtpd_tls_cert_file= smtpd_tls_key_file= && newaliases"
    )
    machine.done("postfix start")
    machine.done(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost"
        " -keyout /etc/dovecot/private/dovecot.key -out /etc/dovecot/private/dovecot.pem"
    )
    machine.done(f"echo 'listen = {ADDRESS}' >/etc/dovecot/local.conf && dovecot")
    machine.done("mkdir -p /run/prosody && chown prosody: /run/prosody")
    machine.write("/etc/prosody/prosody.cfg.lua", _PROSODY.format(zone=zone, address=ADDRESS))
    machine.done("prosodyctl start")


def _dns(machine: Afternoon, zone: str, names: Sequence[str]) -> None:
    machine.write("/etc/powerdns/pdns.conf", _PDNS, mode=0o640)
    machine.done(
        "chgrp pdns /etc/powerdns/pdns.conf && mkdir -p /var/lib/powerdns /run/pdns && rm -f /var/lib/powerdns/*"
        " && sqlite3 /var/lib/powerdns/pdns.sqlite3 </usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
        " && chown -R pdns: /var/lib/powerdns /run/pdns"
    )
    machine.done(f"pdnsutil create-zone {zone} ns1.{zone} && pdnsutil set-kind {zone} master")
    for name, records in {**_RECORDS, **{name: [("A", ADDRESS)] for name in names}}.items():
        for kind, content in records:
            machine.done(f"pdnsutil replace-rrset {zone} {name} {kind} 300 '{content.format(zone=zone)}'")
    machine.done(f"pdnsutil set-meta {zone} SOA-EDIT-API DEFAULT")
    machine.done(f"pdnsutil secure-zone {zone} && pdnsutil rectify-zone {zone}")
    machine.done("pdns_server --daemon=yes --guardian=no")
    wait_until(lambda: machine.type("pdns_control rping")[1] == 0, "PowerDNS answers")
    anchor = machine.done(f"pdnsutil show-zone {zone} | sed -n 's/^DS = //p' | grep 'SHA256' | sed 's/ *;.*//'").strip()
    machine.write("/etc/unbound/unbound.conf", _unbound(zone, anchor))
    machine.done("unbound -c /etc/unbound/unbound.conf")


def _unbound(zone: str, anchor: str) -> str:
    return f"""\
server:
    interface: 127.0.0.1
    do-not-query-localhost: no
    username: ""
    chroot: ""
    pidfile: ""
    cache-max-ttl: 2
    cache-max-negative-ttl: 0
    aggressive-nsec: no
    root-hints: /dev/null
    local-zone: "." refuse
    local-zone: "{zone}" transparent
    trust-anchor: "{anchor}"
stub-zone:
    name: "{zone}"
    stub-addr: {NAME_SERVER}
"""
