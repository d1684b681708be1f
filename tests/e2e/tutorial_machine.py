"""The machine that the tutorial begins on: Debian's servers as they are after an installation, and a zone."""

from bed.afternoon import ADDRESS, NAME_SERVER, ZONE, Afternoon
from bed.waiting import wait_until

_SITE = f"""\
server {{
    listen 80;
    server_name {ZONE} www.{ZONE};
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
    "@": [("A", ADDRESS), ("MX", f"10 mail.{ZONE}"), ("NS", f"ns1.{ZONE}")],
    "www": [("A", ADDRESS)],
    "mail": [("A", ADDRESS)],
    "xmpp": [("A", ADDRESS)],
    "ns1": [("A", NAME_SERVER)],
    "_xmpp-client._tcp.xmpp": [("SRV", f"0 5 5222 xmpp.{ZONE}")],
    "_xmpp-server._tcp.xmpp": [("SRV", f"0 5 5269 xmpp.{ZONE}")],
}
_PROSODY = f"""\
modules_enabled = {{ "roster"; "saslauth"; "tls"; "dialback"; "disco"; "posix"; "ping" }}
daemonize = true
pidfile = "/run/prosody/prosody.pid"
log = {{ info = "/var/log/prosody/prosody.log" }}
certificates = "certs"
interfaces = {{ "{ADDRESS}" }}
VirtualHost "xmpp.{ZONE}"
"""


def install(machine: Afternoon) -> None:
    """What is there before the afternoon begins; all of it runs."""
    machine.done("rm -rf /etc/dehydrated /etc/haproxy /etc/apache2")
    _dns(machine)
    machine.done("rm -f /etc/nginx/sites-enabled/*")
    machine.write(f"/etc/nginx/sites-enabled/{ZONE}", _SITE)
    machine.done("mkdir -p /var/log/nginx && service nginx start")
    machine.done(
        f"postconf -e myhostname=mail.{ZONE} 'mydestination = $myhostname, {ZONE}, localhost'"
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
    machine.write("/etc/prosody/prosody.cfg.lua", _PROSODY)
    machine.done("prosodyctl start")


def _dns(machine: Afternoon) -> None:
    machine.write("/etc/powerdns/pdns.conf", _PDNS, mode=0o640)
    machine.done(
        "chgrp pdns /etc/powerdns/pdns.conf && mkdir -p /var/lib/powerdns /run/pdns && rm -f /var/lib/powerdns/*"
        " && sqlite3 /var/lib/powerdns/pdns.sqlite3 </usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
        " && chown -R pdns: /var/lib/powerdns /run/pdns"
    )
    machine.done(f"pdnsutil create-zone {ZONE} ns1.{ZONE} && pdnsutil set-kind {ZONE} master")
    for name, records in _RECORDS.items():
        for kind, content in records:
            machine.done(f"pdnsutil replace-rrset {ZONE} {name} {kind} 300 '{content}'")
    machine.done(f"pdnsutil set-meta {ZONE} SOA-EDIT-API DEFAULT")
    machine.done(f"pdnsutil secure-zone {ZONE} && pdnsutil rectify-zone {ZONE}")
    machine.done("pdns_server --daemon=yes --guardian=no")
    wait_until(lambda: machine.type("pdns_control rping")[1] == 0, "PowerDNS answers")
    anchor = machine.done(f"pdnsutil show-zone {ZONE} | sed -n 's/^DS = //p' | grep 'SHA256' | sed 's/ *;.*//'").strip()
    machine.write("/etc/unbound/unbound.conf", _unbound(anchor))
    machine.done("unbound -c /etc/unbound/unbound.conf")


def _unbound(anchor: str) -> str:
    return f"""\
server:
    interface: 127.0.0.1
    do-not-query-localhost: no
    username: ""
    chroot: ""
    pidfile: ""
    cache-max-ttl: 2
    cache-max-negative-ttl: 1
    root-hints: /dev/null
    local-zone: "." refuse
    local-zone: "{ZONE}" transparent
    trust-anchor: "{anchor}"
stub-zone:
    name: "{ZONE}"
    stub-addr: {NAME_SERVER}
"""
