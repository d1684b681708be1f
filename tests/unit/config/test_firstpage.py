"""The first page of a machine: it is read as what was meant, whatever is in it."""

import tomllib
from datetime import date

from certkeeper.base.errors import Location
from certkeeper.base.names import Identifier
from certkeeper.config.firstpage import HTTP, FirstPage, Prover, Wanted, first_page, grouped, without
from certkeeper.config.kinds import is_setting
from certkeeper.config.native import CONFIG_VERSION, VERSION
from certkeeper.service.sites import Site

TODAY = date(2027, 1, 2)


def site(service: str, *names: str, line: int = 1) -> Site:
    return Site(service, tuple(map(Identifier.parse, names)), Location(f"/etc/{service}", line))


def shown(certificates: tuple[Wanted, ...]) -> list[tuple[str, str, str]]:
    return [(item.alias, " ".join(map(str, item.names)), " ".join(item.services)) for item in certificates]


def test_sites_that_share_a_name_are_one_certificate() -> None:
    found = grouped(
        (
            site("nginx", "example.org", "www.example.org"),
            site("nginx", "shop.example.org"),
            site("postfix", "mail.example.org"),
            site("haproxy", "www.example.org", "shop.example.org"),
        ),
        ("nginx", "postfix", "haproxy"),
        "",
    )
    assert shown(found) == [
        ("example.org", "example.org www.example.org shop.example.org", "nginx haproxy"),
        ("mail.example.org", "mail.example.org", "postfix"),
    ]


def test_a_mail_server_without_a_name_has_that_of_the_other_or_the_machine_s() -> None:
    both = grouped((site("postfix", "mail.example.org"),), ("postfix", "dovecot"), "host.example.org")
    assert shown(both) == [("mail.example.org", "mail.example.org", "postfix dovecot")]
    alone = grouped((), ("dovecot",), "host.example.org")
    assert shown(alone) == [("host.example.org", "host.example.org", "dovecot")]
    assert grouped((), ("dovecot",), "localhost") == ()


def test_a_wildcard_alone_is_in_a_folder_without_a_star() -> None:
    assert shown(grouped((site("nginx", "*.example.org"),), ("nginx",), ""))[0][0] == "example.org"


def test_names_that_cannot_be_proven_go_and_so_do_certificates_without_any() -> None:
    found = (
        Wanted("a.org", (Identifier.parse("a.org"), Identifier.parse("b.org"))),
        Wanted("c.org", (Identifier.parse("c.org"),)),
    )
    left = without(found, {Identifier.parse("a.org"), Identifier.parse("c.org")})
    assert shown(left) == [("b.org", "b.org", "")]


def page(prover: Prover, *certificates: Wanted, deploy: tuple[str, ...] = ()) -> FirstPage:
    left = ((Identifier.parse("else.example.org"), "no zone holds it"),)
    return FirstPage("/var/lib/certkeeper", "letsencrypt", "", prover, certificates, deploy, left)


def test_the_text_is_toml_of_known_settings_with_a_comment_for_each() -> None:
    prover = Prover("powerdns", (("PDNS_HOST", "127.0.0.1"), ("PDNS_PORT", "8081"), ("PDNS_KEY_FILE", "/etc/k")))
    wanted = Wanted("example.org", (Identifier.parse("example.org"),), ("nginx", "prosody"), ("/etc/nginx/x:1",))
    text = first_page(page(prover, wanted), "certkeeper init", TODAY)
    document = tomllib.loads(text)
    assert document["pdns_port"] == 8081
    assert document["challengetype"] == ["dns-01"]
    assert document["certificate"] == {"example.org": {"names": ["example.org"], "deploy": ["nginx", "prosody"]}}
    assert all(is_setting(name.upper()) for name in document if name not in {"certificate", CONFIG_VERSION})
    assert document[CONFIG_VERSION] == VERSION
    for said in (
        "2027-01-02",
        "else.example.org",
        "/etc/nginx/x:1",
        "ssl_certificate /var/lib/certkeeper/certs/example.org/",
    ):
        assert f"{said}" in text
    offered = [line[1:] for line in text.splitlines() if line.startswith("#") and line[1:2].isalpha()]
    assert offered
    assert all(is_setting(name.upper()) for name in tomllib.loads("\n".join(offered)))


def test_services_for_all_are_said_once() -> None:
    wanted = Wanted("example.org", (Identifier.parse("example.org"),), ("nginx",))
    document = tomllib.loads(
        first_page(page(Prover(HTTP, (("HTTP_LISTEN", ":80"),)), wanted, deploy=("haproxy",)), "x", TODAY)
    )
    assert document["deploy"] == ["haproxy"]
    assert "deploy" not in document["certificate"]["example.org"]
    assert document["challengetype"] == ["http-01"]
