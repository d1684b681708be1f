"""What the configuration of services says of the names that they serve."""

import pytest

from certkeeper.base.errors import Location
from certkeeper.service.sites import sites
from certkeeper.service.target import Kind

NGINX = """\
# server_name commented.example.org;
server {
    server_name example.org www.example.org;  # and more
}
server { server_name
    .wild.example.org
    ~^www\\d+\\.example\\.org$ _ localhost printer.local 192.0.2.1; }
map $server_name $x { default 1; }
server { server_name_in_redirect off; }
"""
APACHE = """\
<VirtualHost *:80>
    ServerName http://example.org:80
    ServerAlias www.example.org *.sub.example.org
    # ServerAlias no.example.org
</VirtualHost>
<virtualhost *:443>
    servername shop.example.org
</virtualhost>
"""
PROSODY = """\
-- VirtualHost "no.example.org"
VirtualHost "localhost"
VirtualHost "example.org"
Component 'rooms.example.org' 'muc'
"""
HAPROXY = """\
frontend web
    acl one hdr(host) -i shop.example.org www.shop.example.org
    use_backend x if { req_ssl_sni -i sni.example.org }
    # acl two hdr(host) no.example.org
"""


def names(kind: Kind, text: str) -> list[list[str]]:
    return [[str(name) for name in site.names] for site in sites(kind, "/etc/file", text)]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.NGINX, NGINX, [["example.org", "www.example.org"], ["wild.example.org", "*.wild.example.org"]]),
        (Kind.APACHE, APACHE, [["example.org", "www.example.org", "*.sub.example.org"], ["shop.example.org"]]),
        (
            Kind.POSTFIX,
            "#myhostname = no.example.org\nmyhostname = mail.$mydomain\nmydomain=example.org\n",
            [["mail.example.org"]],
        ),
        (Kind.POSTFIX, "myhostname = localhost\n", []),
        (Kind.DOVECOT, "local_name imap.example.org {\n}\n# local_name no.example.org {\n", [["imap.example.org"]]),
        (
            Kind.PROSODY,
            PROSODY,
            [["example.org"], ["rooms.example.org"]],
        ),
        (Kind.HAPROXY, HAPROXY, [["shop.example.org", "www.shop.example.org"], ["sni.example.org"]]),
    ],
)
def test_names_are_found_and_what_no_ca_looks_at_is_passed_over(
    kind: Kind, text: str, expected: list[list[str]]
) -> None:
    assert names(kind, text) == expected


def test_each_site_has_its_line() -> None:
    assert [site.where for site in sites(Kind.NGINX, "/etc/file", NGINX)] == [
        Location("/etc/file", 3),
        Location("/etc/file", 5),
    ]


@pytest.mark.parametrize("kind", [*Kind])
@pytest.mark.parametrize(
    "text", ["", "server_name ", "\x00\xff{", "<VirtualHost", 'VirtualHost "', "server_name " + "a." * 5000]
)
def test_nonsense_is_nothing(kind: Kind, text: str) -> None:
    assert names(kind, text) == []
