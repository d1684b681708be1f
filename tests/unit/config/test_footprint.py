"""What runs of a page write and start, which the unit that is made for it leaves room for."""

import pytest

from certkeeper.config.evaluating import Evaluator
from certkeeper.config.footprint import Footprint, footprint
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page, page
from unit.config.test_seed import OWN, text

DEPLOY_CONFIG = "/etc/certkeeper/deploy.toml"
CREDENTIAL = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY_FILE=credential:api\n"


def seen(config: str, domains: str = "example.org\n", described: str = "") -> Footprint:
    more = {DEPLOY_CONFIG: described} if described else {}
    return footprint(Page({CONFIG: config, DOMAINS: domains, "/etc/credstore/api": "key", **more}).load())


def test_the_seeds_lockfile_and_basedir_are_written_in_and_its_hook_is_none_of_the_operators() -> None:
    found = footprint(
        Page({CONFIG: text("config"), DOMAINS: text("domains.txt"), OWN: text("certs/mail.example.net/config")}).load()
    )
    # LOCKFILE is in /var/run, which is a link.
    assert found == Footprint(folders=("/etc/dehydrated", "/run"), others=("/var/lib/dehydrated",))


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("HOOK=/etc/dehydrated/hook.sh", "/etc/dehydrated/hook.sh"),
        ('ALERT_COMMAND="/usr/local/bin/tell me"', "/usr/local/bin/tell"),
        ('DNS_PROVIDER=hook\nHOOK="/opt/dns"', "/opt/dns"),
    ],
)
def test_programs_of_the_operators_may_do_anything(line: str, program: str) -> None:
    assert seen(f"{POWERDNS}{line}\n").programs == (program,)


def test_the_programs_of_services_that_are_built_in_are_known() -> None:
    found = seen(f'{POWERDNS}DEPLOY="nginx postfix dovecot prosody haproxy"\n')
    assert found.programs == ()
    assert found.tries == ("nginx",)
    assert found.others == (
        "/etc/haproxy/certs",
        "/etc/postfix/certs",
        "/etc/prosody/certs",
        "/run",
        "/var/lib/postfix",
        "/var/lib/prosody",
        "/var/log",
        "/var/spool/postfix",
        "/var/www/dehydrated",
    )


@pytest.mark.parametrize(
    ("described", "programs", "others"),
    [
        ('[target.web]\nkind = "nginx"\n', (), ()),
        ('[target.web]\nkind = "nginx"\nunit = "nginx-other"\n', (), ()),
        ('[target.web]\nkind = "nginx"\nreload = ["/opt/reload"]\n', ("the commands of web",), ()),
        ('[target.web]\nkind = "nginx"\nconfig = "/o/n.conf"\nunit = "n"\n', ("the commands of web",), ()),
        ('[target.web]\nkind = "command"\nunit = "slapd"\n', (), ()),
        (
            '[target.web]\nkind = "postfix"\nmaps = ["hash:/opt/t/sni"]\nfiles = {"key+fullchain" = "/srv/{alias}"}\n',
            (),
            ("/opt/t", "/srv"),
        ),
    ],
)
def test_what_is_said_of_a_service_in_the_operators_own_words_may_start_anything(
    described: str, programs: tuple[str, ...], others: tuple[str, ...]
) -> None:
    found = seen(f'{POWERDNS}DEPLOY="web"\n', described=described)
    assert found.programs == programs
    assert set(others) <= set(found.others)


def test_with_a_user_of_its_own_services_are_left_to_root() -> None:
    found = seen(f'{POWERDNS}DEHYDRATED_USER="certs"\nDEPLOY="nginx postfix"\n')
    assert (found.tries, found.others) == ((), ("/var/www/dehydrated",))


def test_a_page_that_bash_evaluates_may_start_anything() -> None:
    configuration = page(POWERDNS)
    assert footprint(configuration).programs == ()
    assert footprint(configuration, Evaluator.BASH).programs == ("the configuration, which bash evaluates",)


def test_credentials_are_found_wherever_a_key_is_named() -> None:
    assert seen(CREDENTIAL).credentials == ("api",)
    assert seen(POWERDNS).credentials == ()


@pytest.mark.parametrize(
    ("line", "shares"),
    [
        ("BASEDIR=/tmp/x", True),
        ("CERTDIR=/var/tmp/x", True),
        ("DOMAINS_TXT=/tmp/list", True),
        ("PDNS_HOST=unix:/tmp/pdns.sock", True),
        ("PDNS_HOST=unix:/run/pdns.sock", False),
        ("CERTDIR=/tmpfs", False),
    ],
)
def test_what_is_in_a_folder_for_temporary_files_is_shared(line: str, *, shares: bool) -> None:
    files = {CONFIG: f"{POWERDNS}{line}\n", DOMAINS: "example.org\n", "/tmp/list": "example.org\n"}
    assert footprint(Page({**files, "/tmp/x/domains.txt": "example.org\n"}).load()).shares_tmp is shares


@pytest.mark.parametrize(("line", "low"), [("HTTP_LISTEN=:80", True), ("HTTP_LISTEN=:8080", False), ("", False)])
def test_ports_of_roots(line: str, *, low: bool) -> None:
    assert seen(f"{POWERDNS}{line}\n").low_port is low


def test_mail_goes_into_its_spool() -> None:
    found = seen(f"{POWERDNS}ALERT_MAIL=root\n")
    assert found.mails
    assert {"/var/mail", "/var/spool"} <= set(found.others)


def test_what_runs_show_others_is_written_beside_its_file() -> None:
    found = seen(f"{POWERDNS}REPORT_FILE=/var/www/status/index.html\nMETRICS_FILE=/var/lib/node/certkeeper.prom\n")
    assert {"/var/www/status", "/var/lib/node"} <= set(found.others)


def test_folders_are_named_once_and_as_systemd_wants_them() -> None:
    found = seen(f"{POWERDNS}CERTDIR=/srv//x/../certs/.\nSTATEDIR=/srv/certs/state\nLOCKFILE=/var/run/a/lock\n")
    assert found.folders == ("/etc/dehydrated", "/run/a", "/srv/certs")


def test_the_folder_of_metrics_is_written() -> None:
    found = seen(f"{POWERDNS}METRICS_FILE=/var/lib/prometheus/node-exporter/certkeeper.prom\n")
    assert "/var/lib/prometheus/node-exporter" in found.others
