"""How long a lineage that failed is left alone."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import names, settings, spec
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import CertSpec, PowerDnsSettings, Provider, Secret, ServerAddress, Settings, ZoneRule
from certkeeper.plan.backoff import backoff_inputs, name_inputs, next_backoff, waiting
from certkeeper.plan.records import Backoff

ALIAS = Alias("example.org")
SPEC = spec("example.org")
MINUTE = timedelta(minutes=1)


def after(failures: int, error: CertkeeperError | None = None) -> Backoff:
    return next_backoff(ALIAS, failures, error or CertkeeperError("it failed"), "inputs", NOW)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 10), (3, 100), (4, 1440), (5, 1440), (1000, 1440)])
def test_the_steps(failures: int, minutes: int) -> None:
    assert after(failures).retry_at == NOW + minutes * MINUTE


@pytest.mark.parametrize("wait", [timedelta(seconds=5), timedelta(hours=5)])
def test_what_the_ca_asked_for_wins(wait: timedelta) -> None:
    assert after(2, CertkeeperError("busy", retry_at=NOW + wait)).retry_at == NOW + wait


def test_what_the_ca_asked_for_is_bounded_and_never_in_the_past() -> None:
    assert after(1, CertkeeperError("busy", retry_at=NOW + timedelta(days=400))).retry_at == NOW + timedelta(days=1)
    assert after(1, CertkeeperError("busy", retry_at=NOW - MINUTE)).retry_at == NOW + MINUTE


def test_waiting_says_how_often_it_failed_and_how_to_try_now() -> None:
    error = waiting(SPEC, after(2), "inputs", NOW)
    assert error is not None
    assert str(error) == "failed 2 times, next try from 2026-11-23T12:10:00Z; the last failure: it failed"
    assert error.hint == "to try now: certkeeper run --force example.org"
    assert error.retry_at == NOW + 10 * MINUTE


def test_there_is_nothing_to_wait_for() -> None:
    assert waiting(SPEC, None, "inputs", NOW) is None
    assert waiting(SPEC, after(1), "other inputs", NOW) is None
    assert waiting(SPEC, after(1), "inputs", NOW + MINUTE) is None
    # A clock that was stepped back by years must not hold anything up for years.
    assert waiting(SPEC, after(4), "inputs", NOW - timedelta(days=700)) is None


def test_mending_the_page_ends_the_wait() -> None:
    page = settings()
    before = backoff_inputs("fingerprint", SPEC, page)
    assert backoff_inputs("fingerprint", SPEC, page) == before
    assert backoff_inputs("another fingerprint", SPEC, page) != before
    for mended in mendings(page):
        assert backoff_inputs("fingerprint", SPEC, mended) != before
        assert name_inputs("example.org", SPEC, mended) != name_inputs("example.org", SPEC, page)


def mendings(page: Settings) -> Iterable[Settings]:
    """The same page with one thing changed that decides how names are proven."""
    server = (ServerAddress("192.0.2.1", 80),)
    yield replace(page, propagation=timedelta(seconds=1))
    yield replace(page, ca_bundle="/root.pem")
    yield replace(page, alpn_certdir="/elsewhere")
    yield replace(page, http_listen=server)
    yield replace(page, tls_alpn_listen=server)
    yield replace(page, zone_rules=(ZoneRule(DnsName("example.org"), "hook /h"),))


def written(**changes: object) -> tuple[CertSpec, Settings]:
    """A certificate that PowerDNS proves, and its page."""
    api = PowerDnsSettings("http://127.0.0.1:8081", Secret("api-key"))
    provider = replace(Provider("PowerDNS", api), **changes)  # type: ignore[arg-type]
    other = Provider("another", replace(api, url="http://192.0.2.1:8081"))
    return replace(SPEC, provider=provider.id), settings(providers=(provider, other))


def test_a_provider_that_was_mended_ends_the_wait_although_it_keeps_its_id() -> None:
    api = PowerDnsSettings("http://127.0.0.1:8081", Secret("api-key"))
    item, page = written()
    for settings_ in (written(suffix=DnsName("acme.test"))[1], written(settings=replace(api, notify=False))[1]):
        assert backoff_inputs("fingerprint", item, settings_) != backoff_inputs("fingerprint", item, page)
        assert name_inputs("example.org", item, settings_) != name_inputs("example.org", item, page)
    # No hash of a secret is kept, and another provider proves other certificates.
    for settings_ in (
        written(settings=replace(api, api_key=Secret("another")))[1],
        replace(page, providers=page.providers[:1]),
    ):
        assert backoff_inputs("fingerprint", item, settings_) == backoff_inputs("fingerprint", item, page)


def test_how_a_name_is_proven_counts_and_not_in_which_certificate_it_is() -> None:
    page, http = settings(), Methods((ChallengeType.HTTP_01,))

    def of(item: CertSpec) -> str:
        return name_inputs("example.org", item, page)

    before = of(SPEC)
    assert of(replace(SPEC, methods=http)) != before
    assert of(replace(SPEC, wellknown="/srv/www")) != before
    assert of(replace(SPEC, provider="another")) != before
    assert of(spec("www.example.org", "example.org", "*.example.org", alias="b")) == before
    (www,) = names("www.example.org")
    other = spec("www.example.org", "example.org")
    assert of(replace(other, methods=other.methods.choosing(www, http.preferred))) == before
