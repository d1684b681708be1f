import json
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from builders.ca import DIRECTORY
from builders.certificates import NOW
from builders.fakes import FakeAccounts, FakeClock
from builders.fakestore import FakeStore
from builders.plans import CA, P256, configuration, spec
from certkeeper.adapters.keys import make
from certkeeper.apply.observe import Offers, caa_answers, clock_behind_at, issuer_at, observe, offers_at, profiles_at
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Request, Response, TransportError
from certkeeper.lineage.model import Lineage
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Records
from certkeeper.zone.caa import CaaAnswer, CaaAnswers, CaaRecord, Issuer

PAGE = configuration(spec("example.org"), spec("example.net"))


def world(accounts: FakeAccounts | None = None) -> Observed:
    return observe(
        PAGE,
        looks=FakeStore(),
        accounts=accounts or FakeAccounts(),
        clock=FakeClock(),
        config_folders=("example.com",),
        records=Records(),
    )


def test_every_lineage_of_the_page_is_looked_at_and_no_zone() -> None:
    seen = world()
    assert seen.lineages == {Alias(text): Lineage(Alias(text)) for text in ("example.org", "example.net")}
    assert seen.zones is None
    assert seen.now == FakeClock().now()
    assert seen.config_folders == ("example.com",)


def test_an_account_is_registered_when_it_is_on_disk() -> None:
    assert not world().registered
    accounts = FakeAccounts()
    accounts.save_key(CA, make(P256))
    accounts.save(CA, f"{CA}/1", b"{}")
    assert world(accounts).registered


class Ca:
    """Answers with a directory that has these CAA identities."""

    def __init__(self, *identities: str) -> None:
        self._identities = identities
        self.asked: list[Request] = []

    def send(self, request: Request) -> Response:
        self.asked.append(request)
        document = {**DIRECTORY, "meta": {"caaIdentities": list(self._identities)}}
        return Response(200, NOW, body=json.dumps(document).encode())


def test_who_issues_is_asked_of_the_ca_and_the_account_is_the_one_on_disk() -> None:
    accounts, ca = FakeAccounts(), Ca("ca.test")
    assert issuer_at(CA, ca, accounts, user_agent="us") == Issuer(("ca.test",))
    accounts.save_key(CA, make(P256))
    accounts.save(CA, f"{CA}/1", b"{}")
    assert issuer_at(CA, ca, accounts, user_agent="us") == Issuer(("ca.test",), f"{CA}/1")
    assert ca.asked[0] == Request("GET", CA, (("user-agent", "us"),))
    assert issuer_at(CA, Ca(), accounts, user_agent="us") is None


def test_profiles_are_those_of_the_directory() -> None:
    class Offering(Ca):
        def send(self, request: Request) -> Response:
            super().send(request)
            document = {**DIRECTORY, "meta": {"profiles": {"short": "six days"}}}
            return Response(200, NOW, body=json.dumps(document).encode())

    ca = Offering()
    assert profiles_at(CA, ca, user_agent="us") == ("short",)
    assert ca.asked == [Request("GET", CA, (("user-agent", "us"),))]


class Resolver:
    """Knows these names; about others nobody can be asked."""

    def __init__(self, answers: CaaAnswers) -> None:
        self._answers = answers
        self.asked: list[Collection[DnsName]] = []

    def caa(self, names: Collection[DnsName]) -> CaaAnswers:
        self.asked.append(names)
        return {name: self._answers[name] for name in names if name in self._answers}


def test_caa_is_looked_up_as_far_as_it_counts() -> None:
    www, top = DnsName("www.example.org"), DnsName("example.org")
    known = {www: CaaAnswer(), top: CaaAnswer((CaaRecord(0, "issue", ";"),)), DnsName("org"): CaaAnswer()}
    resolver = Resolver(known)
    assert caa_answers([www, DnsName("unknown.test")], resolver) == {www: known[www], top: known[top]}
    assert resolver.asked == [(DnsName("unknown.test"), www), (top,)]
    assert caa_answers([], resolver) == {}


def test_the_clock_is_compared_with_the_one_that_wrote_the_directory() -> None:
    class Dated(Ca):
        def send(self, request: Request) -> Response:
            answer = super().send(request)
            return replace(answer, headers=(("date", "Mon, 23 Nov 2026 13:00:00 GMT"),))

    ca = Dated()
    assert clock_behind_at(CA, ca, user_agent="us") == timedelta(hours=1)
    assert ca.asked == [Request("GET", CA, (("user-agent", "us"),))]
    assert clock_behind_at(CA, Ca(), user_agent="us") is None


def test_each_ca_is_asked_for_what_its_own_certificates_need_and_one_that_is_down_hinders_no_other() -> None:
    other, down = "https://other.test/directory", "https://down.test/directory"

    class Internet(Ca):
        def send(self, request: Request) -> Response:
            answer = super().send(request)
            if request.url == down:
                raise TransportError("nobody answers")
            hour = 13 if request.url == other else 12
            return replace(answer, headers=(("date", f"Mon, 23 Nov 2026 {hour}:00:00 GMT"),))

    net, accounts = Internet("ca.test"), FakeAccounts()
    due = [spec("a.test", ca=down), spec("b.test", ca=other, profile="x"), spec("c.test")]
    found = offers_at(due, net, accounts, user_agent="us", caa_check=True)
    assert set(found.issuers) == {CA, other}
    assert set(found.profiles) == {other}
    assert found.clock_behind == {CA: timedelta(0), other: timedelta(hours=1)}
    assert {ca: str(error) for ca, error in found.silent.items()} == {down: "nobody answers"}
    assert [request.url for request in net.asked].count(down) == 1
    # Where CAA is not to be looked at, only profiles are a reason to ask.
    net.asked.clear()
    found = offers_at(due, net, accounts, user_agent="us", caa_check=False)
    assert (set(found.issuers), set(found.profiles), set(found.clock_behind)) == (set(), {other}, {other})
    assert {request.url for request in net.asked} == {other}
    assert offers_at([], net, accounts, user_agent="us", caa_check=True) == Offers()
