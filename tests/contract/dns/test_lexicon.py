"""lexicon beyond the port's promises: accounts, options, texts, and a process that does not end well."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from certkeeper.adapters.dns import lexicon as adapter
from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.adapters.dns.lexicon import Lexicon, LexiconMissing, LexiconRefused
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import LexiconSettings, Secret
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind, txt_rdata
from contract.dns.others import LexiconProvider, Served, lexicon

ZONE = Zone(DnsName("example.org"), "example.org", ZoneKind.NATIVE, 1)


def add(owner: str, value: str) -> ChangeSet:
    return ChangeSet.of([RecordChange(DnsName(owner), "TXT", add=frozenset({txt_rdata(value)}))])


def account(provider: str, **options: str) -> Lexicon:
    return Lexicon(
        LexiconSettings(provider, tuple((name, Secret(text)) for name, text in options.items())), Apexes(), lambda _: {}
    )


@pytest.mark.real
def test_a_domain_that_the_account_does_not_hold_is_left_out(served: Served) -> None:
    provider = LexiconProvider(served)
    zone = provider.make_zone()
    held, elsewhere = DnsName(f"_acme-challenge.{zone}"), DnsName("_acme-challenge.www.elsewhere.example")
    # The resolver knows that zone from another server; the account's one does not hold it.
    with served.another("elsewhere.example") as apexes:
        assert set(apexes.zones([held, elsewhere])) == {held, elsewhere}
        found = lexicon(served, apexes).zones([held, elsewhere])
    assert set(found) == {held}


@pytest.mark.real
def test_a_token_that_is_refused_is_an_error_and_not_shown(served: Served) -> None:
    provider = LexiconProvider(served)
    zone = provider.make_zone()
    dns = lexicon(served, auth_token="wrong-and-secret")
    with pytest.raises(LexiconRefused, match=r"powerdns, through lexicon: .*401") as raised:
        dns.zones([DnsName(zone)])
    assert "wrong-and-secret" not in str(raised.value) + raised.value.hint
    assert "LEXICON_POWERDNS_" in raised.value.hint


@pytest.mark.real
def test_a_zone_that_went_away_is_an_error_that_names_it(served: Served) -> None:
    provider = LexiconProvider(served)
    zone = provider.make_zone()
    handle = provider.dns.zones([DnsName(zone)])[DnsName(zone)]
    served.server.api.call("DELETE", f"/zones/{zone}.")
    with pytest.raises(LexiconRefused, match=f"zone {zone}: "):
        provider.dns.change(handle, add(f"a.{zone}", "value"))


@pytest.mark.parametrize(
    ("provider", "options", "kind", "said"),
    [
        pytest.param("nobody", {}, LexiconMissing, "nobody, through lexicon: .*not supported", id="no such provider"),
        pytest.param("route53", {}, LexiconMissing, r"pip install dns-lexicon\[route53\]", id="an extra is missing"),
        pytest.param(
            "gandi", {"auth_tokn": "x"}, LexiconRefused, "no option auth_tokn; there are .*auth_token", id="typo"
        ),
        pytest.param("powerdns", {}, LexiconRefused, "pdns_server", id="an option is missing"),
        pytest.param(
            "powerdns",
            {"pdns_server": "http://127.0.0.1:9", "auth_token": "secret"},
            TransportError,
            "zone example.org: .*refused",
            id="unreachable",
        ),
    ],
)
def test_what_cannot_work_is_told_in_lexicons_words(
    provider: str, options: dict[str, str], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        account(provider, **options).change(ZONE, add("example.org", "value"))


def test_texts_that_providers_treat_differently_are_not_written() -> None:
    for text in ('quo"te', "back\\slash", "x" * 256, "\u00fc"):
        with pytest.raises(LexiconRefused, match=r"zone example.org: TXT .* cannot be written"):
            account("powerdns").change(ZONE, add("example.org", text))


def test_secrets_are_taken_out_of_what_a_provider_says() -> None:
    token = "to/ken secret"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{token}"
    with pytest.raises(TransportError) as raised:
        account("powerdns", pdns_server=url, auth_token=token).change(ZONE, add("example.org", "value"))
    assert token not in str(raised.value)
    assert "ken%20secret" not in str(raised.value)
    assert "********" in str(raised.value)


def test_a_provider_that_never_answers_is_stopped_at_the_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = LexiconSettings("powerdns", (("auth_token", Secret("secret")), ("pdns_server", Secret(url))))
        dns = Lexicon(settings, Apexes(), lambda _: {}, longest=3.0)
        with pytest.raises(TransportError, match=r"zone example.org: no end within 3 s"):
            dns.change(ZONE, add("example.org", "value"))


def test_its_process_ends_at_the_bound_also_where_nobody_is_left_to_stop_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        question = {
            "seconds": 1,
            "provider": "powerdns",
            "options": {"auth_token": "secret", "pdns_server": url},
            "domains": ["example.org"],
        }
        child = subprocess.run(
            [sys.executable, "-P", "-m", adapter._CHILD],
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert child.returncode == -signal.SIGALRM
    assert child.stdout == b""


def test_a_missing_package_is_one_error_with_what_to_type(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    path, sys.path[:] = sys.path[:], [str(empty), *(entry for entry in sys.path if "site-packages" not in entry)]
    loaded = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "lexicon"}
    try:
        with pytest.raises(LexiconMissing, match="dns-lexicon is not installed") as raised:
            account("gandi").change(ZONE, add("example.org", "value"))
    finally:
        sys.path[:] = path
        sys.modules.update(loaded)
    assert "-m pip install 'dns-lexicon" in raised.value.hint


def test_it_is_loaded_in_its_own_process_only() -> None:
    assert adapter.__name__ in sys.modules
    assert not [name for name in sys.modules if name.split(".")[0] in {"lexicon", "tldextract"}]
