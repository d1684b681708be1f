"""Entries of every kind, and strategies that make more of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.dane.age import Standing, TlsaAge
from certkeeper.dane.tlsa import Tlsa
from certkeeper.plan.records import (
    Backoff,
    ChallengeIntent,
    Deployment,
    FileIntent,
    Held,
    HookDebt,
    KnownKey,
    Limit,
    NameBackoff,
    OrderBudget,
    OrderIntent,
    Record,
    Shown,
    TlsaMemory,
    TlsaTurn,
    ToldIntent,
    TurnKind,
)
from certkeeper.zone.behind import Behind

CA = "https://ca.test/directory"
THEN = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
A, B = Alias("a.example.org"), Alias("b.example.org")
ZONE = DnsName("example.org")
OWNER = DnsName("_acme-challenge.example.org")


def order(alias: Alias = A, url: str = "https://ca.test/order/1", stamp: int = 1_700_000_000) -> OrderIntent:
    return OrderIntent(
        alias=alias,
        url=url,
        ca="https://ca.test/directory",
        identifiers=(Identifier.parse("example.org"), Identifier.parse("*.example.org"), Identifier.parse("ip:::1")),
        profile="shortlived",
        must_staple=True,
        key="secp384r1",
        stamp=stamp,
    )


def challenge(value: str = "one", owner: DnsName = OWNER, zone: DnsName = ZONE, run: str = "") -> ChallengeIntent:
    return ChallengeIntent(zone, owner, f'"{value}"', run)


def debt(alias: Alias = A, stamp: int = 1_700_000_000) -> HookDebt:
    return HookDebt(alias, "deploy_cert", stamp)


def backoff(alias: Alias = A, failures: int = 2, message: str = "the CA said no: «nein»\u2028\n\t'\";--") -> Backoff:
    return Backoff(alias, failures, THEN, "ab" * 32, message, "https://ca.test/unpause?jwt=a.b.c")


def name_backoff(name: str = "example.org", ca: str = CA, failures: int = 2) -> NameBackoff:
    return NameBackoff(ca, name, failures, THEN, "cd" * 32, "example.org: unauthorized: «nein»")


def limit(ca: str = CA, failures: int = 1) -> Limit:
    return Limit(ca, failures, THEN, "too many new orders")


def budget(ca: str = CA, left: float = 12.25) -> OrderBudget:
    return OrderBudget(ca, left, THEN)


def file(name: str = "token", digest: str = "aa", folder: str = "/var/www/dehydrated", run: str = "") -> FileIntent:
    return FileIntent(folder, name, digest, run)


def told(name: str = "example.org", value: str = "token.print", alias: Alias = A, run: str = "") -> ToldIntent:
    return ToldIntent(alias, "/etc/hook «x».sh", "http-01", name, "token", value, run)


def deployment(target: str = "nginx", alias: Alias = A, stamp: int = 1_700_000_000, failures: int = 1) -> Deployment:
    return Deployment(target, alias, stamp, Shown.OWED, failures, THEN if failures else None, "«nein»")


def held(alias: Alias = A, stamp: int = 1_700_000_000, *, ends: bool = True) -> Held:
    return Held(alias, stamp, THEN if ends else None, "nginx did not take it: «nein»")


OURS, THEIRS = Tlsa(3, 1, 1, b"o" * 32), Tlsa(9, 250, 77, b"")


def tlsa(place: str = "_25._tcp.mail.example.org", alias: Alias = A, bound: int = 3600) -> TlsaMemory:
    age = TlsaAge(
        THEN,
        frozenset({DnsName(place), DnsName("_25._tcp.mx.example.net")}),
        {OURS: Standing(THEN, bound, timedelta(minutes=90))},
        {OURS: THEN, THEIRS: THEN + timedelta(days=2)},
        {bound: THEN, 60: THEN - timedelta(seconds=1)},
        frozenset({OURS}),
    )
    known = (KnownKey(alias, "ab" * 32, THEN, frozenset({OURS})), KnownKey(B, "cd" * 32, THEN))
    return TlsaMemory(DnsName(place), ZONE, age, known, {"192.0.2.1": Behind(2**32 - 1, THEN)})


def turn(alias: Alias = A, kind: TurnKind = TurnKind.ROLL) -> TlsaTurn:
    return TlsaTurn(alias, kind, "ab" * 32, THEN)


EVERY_KIND: tuple[Record, ...] = (
    order(),
    challenge(),
    file(),
    told(),
    debt(),
    backoff(),
    name_backoff(),
    limit(),
    budget(),
    deployment(),
    deployment("mail", failures=0),
    held(),
    held(B, ends=False),
    tlsa(),
    turn(),
    turn(B, TurnKind.COMPROMISE),
)

_aliases = st.sampled_from([A, B])
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_cas = st.sampled_from([CA, "https://other.test/directory"])
_stamps = st.integers(0, 2**40)
records: st.SearchStrategy[Record] = st.one_of(
    st.builds(order, _aliases, _text, _stamps),
    st.builds(
        challenge,
        st.sampled_from(["one", "two"]),
        st.sampled_from([OWNER, DnsName("_acme-challenge.www.example.org")]),
        st.sampled_from([ZONE, DnsName("example.net")]),
    ),
    st.builds(file, st.sampled_from(["token", "x.crt.pem"]), st.sampled_from(["aa", "bb"])),
    st.builds(told, st.sampled_from(["a.test", "b.test"]), st.sampled_from(["x", "y"]), _aliases),
    st.builds(debt, _aliases, _stamps),
    st.builds(backoff, _aliases, st.integers(1, 1000), _text),
    st.builds(name_backoff, st.sampled_from(["example.org", "b.test"]), _cas, st.integers(1, 1000)),
    st.builds(limit, _cas, st.integers(1, 1000)),
    st.builds(budget, _cas, st.floats(0, 10**6)),
    st.builds(deployment, st.sampled_from(["nginx", "mail"]), _aliases, _stamps, st.integers(0, 1000)),
    st.builds(held, _aliases, _stamps, ends=st.booleans()),
    st.builds(tlsa, st.sampled_from(["_25._tcp.a.test", "_443._tcp.a.test"]), _aliases, st.integers(1, 10**6)),
    st.builds(turn, _aliases, st.sampled_from(TurnKind)),
)
