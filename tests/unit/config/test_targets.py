"""DEPLOY, PROBE and tables of services: what they make, and each mistake at its line."""

import pytest

from certkeeper.base.access import Access
from certkeeper.base.errors import Location
from certkeeper.config.deployments import DEPLOY_CONFIG, root_targets
from certkeeper.config.errors import ConfigError
from certkeeper.config.reading import FailureKind
from certkeeper.config.settings import Configuration
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.target import Form, Kind
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page, codes

OWN = "/etc/dehydrated/certs/b.org/config"


def page(text: str, deploy: str | FailureKind = FailureKind.MISSING, own: str = "") -> Configuration:
    files = {CONFIG: POWERDNS + text, DOMAINS: "a.org\nb.org\n", DEPLOY_CONFIG: deploy, OWN: own}
    return Page(files).load()


def test_a_page_without_it_asks_for_nothing() -> None:
    shown = Page({CONFIG: POWERDNS, DOMAINS: "a.org\n", DEPLOY_CONFIG: "nonsense"})
    assert (shown.load().settings.targets, DEPLOY_CONFIG in shown.asked) == ({}, False)


def test_a_page_and_a_certificate_name_services() -> None:
    found = page('DEPLOY="nginx postfix nginx"\nPROBE=no\n', own='DEPLOY="prosody"\nPROBE="smtp://b.org a.org:443"\n')
    first, second = found.certificates
    assert (first.targets, first.probe, second.targets) == (("nginx", "postfix"), (), ("prosody",))
    assert second.probe == (parse_endpoint("smtp://b.org"), parse_endpoint("a.org:443"))
    assert sorted(found.settings.targets) == ["nginx", "postfix", "prosody"]
    assert (found.settings.deploy_config, root_targets(found.settings)) == ("", {})


@pytest.mark.parametrize("own", ['DEPLOY=""\n', "DEPLOY=no\n"])
def test_a_certificate_can_do_without(own: str) -> None:
    assert [spec.targets for spec in page("DEPLOY=nginx\n", own=own).certificates] == [("nginx",), ()]


def test_a_file_of_root_s_describes_and_changes() -> None:
    text = (
        "[target.nginx]\ntimeout = 5\n[target.mumble]\nkind = 'command'\ngroup = 'mumble-server'\n"
        "files = {privkey = '/etc/m/{alias}.key'}\nreload = [['a'], ['b', 'c']]\ncertificates = ['*.org']\n"
    )
    found = page('DEPLOY="nginx mumble dovecot"\n', text)
    mumble = found.settings.targets["mumble"]
    assert (mumble.kind, mumble.where, mumble.access) == (
        Kind.COMMAND,
        Location(DEPLOY_CONFIG, 3),
        Access(group="mumble-server"),
    )
    assert [(file.form, file.path) for file in mumble.files] == [(Form.PRIVKEY, "/etc/m/{alias}.key")]
    assert [item.words for item in mumble.apply] == [("a",), ("b", "c")]
    assert found.settings.targets["nginx"].test[0].bound.seconds == 5
    assert sorted(root_targets(found.settings)) == ["mumble", "nginx"]
    assert found.rejected == ()


@pytest.mark.parametrize(
    ("table", "line", "reason"),
    [
        ("[target.nginx]\nreloads = ['x']\n", 2, "not a key"),
        ("[target.nginx]\nkind = 'postfix'\n", 2, "built in, as another kind"),
        ("[target.x]\nunit = 'x'\n", 1, "kind is missing"),
        ("[target.x]\nkind = 'y'\n", 2, "not known"),
        ("[target.no]\nkind = 'command'\n", 1, "name no service"),
        ("[target.X]\nkind = 'command'\n", 1, "no name that DEPLOY"),
        ("[target.nginx]\ntest = 'nginx -t'\n", 2, "list of strings"),
        ("[target.nginx]\ntest = ['nginx -t']\n", 2, "is one word"),
        ("[target.nginx]\ntest = ['a', '&&', 'b']\n", 2, "no shell"),
        ("[target.nginx]\ntest = ['./a']\n", 2, "depends on the folder"),
        ("[target.nginx]\ntimeout = '5'\n", 2, "number of seconds"),
        ("[target.nginx]\nunit = '-x'\n", 2, "no unit"),
        ("[target.nginx]\nprobe = ['gopher://x']\n", 2, "service gopher"),
        ("[target.postfix]\nmode = 640\n", 2, "octal"),
        ("[target.postfix]\nmode = '0644'\n", 2, "everybody"),
        ("[target.postfix]\nmode = '0640'\n", 2, "lets a group"),
        ("[target.postfix]\ngroup = 'a b'\n", 2, "no name of a group"),
        ("[target.postfix]\nfiles = {key = '/x/y'}\n", 2, "no form"),
        ("[target.postfix]\nfiles = {privkey = 'x'}\n", 2, "no absolute path"),
        ("[target.postfix]\nfiles = {privkey = '/x/../y'}\n", 2, "no plain path"),
        ("[target.postfix]\nfiles = {privkey = '/x/{domain}'}\n", 2, "stands for nothing"),
        ("[target.postfix]\nfiles = {privkey = '/x/a', cert = '/y/a'}\n", 2, "in 2 folders"),
        ("[target.postfix]\nfiles = {privkey = '/x/a', cert = '/x/a'}\n", 2, "name a path twice"),
        ("[target.postfix]\nfiles = {privkey = '/etc/dehydrated/certs/a'}\n", 1, "certkeeper's own"),
        ("[target.postfix]\nmaps = ['hash:x']\n", 2, "no absolute path"),
        ("[target.postfix]\ninstances = ['a b']\n", 2, "neither an instance"),
        ("[target.haproxy]\nsocket = '/run/x'\ninstances = ['a']\n", 3, "are Postfix'"),
        ("[target.nginx]\ncertificates = []\n", 2, "names no certificate"),
        ("deploy = 'x'\n", 1, "only tables of services"),
        ("[target.nginx]\n[target.nginx]\n", 2, "no TOML"),
    ],
)
def test_a_mistake_is_told_at_its_line_with_what_to_do(table: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        page("DEPLOY=nginx\n", table)
    assert caught.value.where == Location(DEPLOY_CONFIG, line)
    assert caught.value.hint


def test_a_service_that_nobody_knows_stops_the_page_or_its_certificate() -> None:
    with pytest.raises(ConfigError, match=r"'ngnix' is not known; did you mean nginx\?") as caught:
        page("DEPLOY=ngnix\n")
    assert (caught.value.where.file, bool(caught.value.hint)) == (CONFIG, True)
    found = page("", own="DEPLOY=ngnix\n")
    assert [spec.alias.text for spec in found.certificates] == ["a.org"]
    assert str(found.rejected[0].error).startswith(f"{OWN}:1: DEPLOY: service")


def test_two_certificates_do_not_write_one_file() -> None:
    found = page("DEPLOY=postfix\n", "[target.postfix]\nfiles = {privkey = '/x/y'}\n")
    assert [spec.alias.text for spec in found.certificates] == ["a.org"]
    assert "is the file of a.org for postfix, too" in str(found.rejected[0].error)


def test_a_service_takes_only_what_it_may() -> None:
    found = page("DEPLOY=nginx\n", "[target.nginx]\ncertificates = ['a*']\n")
    assert [item.label for item in found.rejected] == ["b.org"]
    assert "takes no certificate b.org" in str(found.rejected[0].error)


def test_one_name_in_both_files_is_an_error() -> None:
    text = POWERDNS.lower().replace("=localhost", "='localhost'").replace("=secret", "='secret'")
    files = {"/srv/x.toml": f"{text}deploy = 'nginx'\n[target.nginx]\n", DEPLOY_CONFIG: "[target.nginx]\n"}
    with pytest.raises(ConfigError, match=r"described at /srv/x.toml:5, too"):
        Page(files).load("/srv/x.toml")
    files[DEPLOY_CONFIG] = "[target.dovecot]\n"
    found = Page(files).load("/srv/x.toml").settings
    assert (sorted(found.targets), sorted(root_targets(found))) == (["dovecot", "nginx"], ["dovecot"])


def test_what_is_no_endpoint_is_told() -> None:
    for word in ("yes", "gopher://x", "no a.org"):
        with pytest.raises(ConfigError, match="PROBE: ") as caught:
            page(f'PROBE="{word}"\n')
        assert caught.value.hint


def test_with_another_user_s_page_only_root_s_word_counts() -> None:
    found = page('DEHYDRATED_USER=x\nDEPLOY="nginx dovecot"\n', "[target.nginx]\n")
    assert "deploy-not-roots" in codes(found.findings)
    assert sorted(root_targets(found.settings)) == ["nginx"]


def test_a_file_that_others_can_change_is_not_read() -> None:
    with pytest.raises(ConfigError, match="it is exposed"):
        page("DEPLOY=nginx\n", FailureKind.EXPOSED)
    with pytest.raises(ConfigError, match=r"/x\.toml: it is missing"):
        page("DEPLOY_CONFIG=/x.toml\n")


def test_must_staple_is_switched_off_where_a_service_cannot_staple() -> None:
    found = page("OCSP_MUST_STAPLE=yes\nDEPLOY=nginx\n", own='DEPLOY="nginx postfix dovecot"\n')
    assert [spec.must_staple for spec in found.certificates] == [True, False]
    (finding,) = found.findings
    assert (finding.code, finding.message) == (
        "must-staple-service",
        "OCSP_MUST_STAPLE: not asked for in b.org: postfix, dovecot cannot staple",
    )
    assert page("DEPLOY=postfix\n").findings == ()


def test_must_staple_at_haproxy_wants_responses_fetched() -> None:
    found = page("OCSP_MUST_STAPLE=yes\nDEPLOY=nginx\n", own="DEPLOY=haproxy\n")
    assert [spec.must_staple for spec in found.certificates] == [True, True]
    (finding,) = found.findings
    assert finding.code == "must-staple-unfetched"
    assert "OCSP_MUST_STAPLE in b.org: nobody gives haproxy a response" in finding.message
    assert page("OCSP_MUST_STAPLE=yes\nOCSP_FETCH=yes\nDEPLOY=haproxy\n").findings == ()
    assert page("DEPLOY=haproxy\n").findings == ()


def test_who_insists_on_it_cannot_have_such_a_service() -> None:
    found = page("OCSP_MUST_STAPLE=required\nDEPLOY=nginx\n", own="DEPLOY=prosody\n")
    assert [(str(spec.alias), spec.staple_required) for spec in found.certificates] == [("a.org", True)]
    (rejected,) = found.rejected
    assert "prosody cannot staple" in str(rejected.error)


def test_the_seeds_exception_for_one_certificate() -> None:
    found = page("OCSP_MUST_STAPLE=required\n", own="OCSP_MUST_STAPLE=no\n")
    assert [(spec.must_staple, spec.staple_required) for spec in found.certificates] == [(True, True), (False, False)]
