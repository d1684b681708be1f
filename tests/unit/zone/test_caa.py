"""RFC 8659 and RFC 8657 by their own examples, and what they say without one."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from certkeeper.base.names import DnsName
from certkeeper.zone.caa import CaaAnswer, CaaOutcome, CaaRecord, CaaVerdict, Issuer, judge_caa, proposal, search

ACCOUNT = "https://example.net/account/1234"
OURS = Issuer(("ca1.example.net",), ACCOUNT)
NAME = DnsName("certs.example.com")


def record(text: str) -> CaaRecord:
    """`0 issue ca1.example.net`; the value is the rest of the text."""
    flags, tag, value = text.split(" ", 2)
    return CaaRecord(int(flags), tag, value)


def verdict(*records: str, wildcard: bool = False, issuer: Issuer = OURS) -> CaaVerdict:
    answers = {NAME: CaaAnswer(tuple(map(record, records)))}
    if not records:
        answers |= {DnsName("example.com"): CaaAnswer(), DnsName("com"): CaaAnswer()}
    return judge_caa(NAME, issuer, answers, wildcard=wildcard)


# Records, then who may issue: for the name, for the wildcard.
SETS = [
    ((), True, True),
    # RFC 8659 §4.2
    (("0 issue ca1.example.net",), True, True),
    (("0 issue ca1.example.net; account=230123",), True, True),
    (("0 issue ca1.example.net", "0 issue ca2.example.org"), True, True),
    (("0 issue ca2.example.org",), False, False),
    (("0 issue ;",), False, False),
    (("0 issue ca1.example.net", "0 issue ;"), True, True),
    (("0 issue %%%%%",), False, False),
    # §4.3
    (("0 issue ca1.example.net", "0 issuewild ca2.example.org"), True, False),
    (("0 issue ca2.example.org", "0 issuewild ca1.example.net"), False, True),
    (("0 issuewild ca2.example.org",), True, False),
    (("0 issuewild ;",), True, False),
    # §4.4 and §4.5: iodef restricts nobody, an unknown property only where it is critical
    (("0 iodef mailto:security@example.com",), True, True),
    (("128 iodef mailto:security@example.com",), True, True),
    (("0 tbs Unknown", "0 issue ca1.example.net"), True, True),
    (("128 tbs Unknown", "0 issue ca1.example.net"), False, False),
    (("128 issue ca1.example.net",), True, True),
    # tags and domains in any case, blanks around them
    (("0 IsSuE CA1.Example.Net",), True, True),
    (("0 issue  \tca1.example.net \t ;  policy=ev ",), True, True),
    (("0 issue sub.ca1.example.net",), False, False),
    # RFC 8657 §3
    ((f"0 issue ca1.example.net; accounturi={ACCOUNT}",), True, True),
    (("0 issue ca1.example.net; accounturi=https://example.net/account/2",), False, False),
    ((f"0 issue ca1.example.net; accounturi={ACCOUNT}; accounturi={ACCOUNT}",), False, False),
    (("0 issue ca1.example.net; accounturi=https://example.net/account/2", "0 issue ca1.example.net"), True, True),
    # §4
    (("0 issue ca1.example.net; validationmethods=dns-01",), True, True),
    (("0 issue ca1.example.net; validationmethods=http-01,dns-01",), True, True),
    (("0 issue ca1.example.net; validationmethods=http-01,ca-foo",), False, False),
    (("0 issue ca1.example.net; validationmethods=",), False, False),
    (("0 issue ca1.example.net; validationmethods=dns-01; validationmethods=dns-01",), False, False),
    # values of another form name nobody
    (("0 issue ca1.example.net; nothing",), False, False),
    (("0 issue ca1.example.net; a=b;",), False, False),
    (("0 issue ca1.example.net a=b",), False, False),
]


@pytest.mark.parametrize(("records", "name", "wildcard"), SETS)
def test_who_may_issue(records: tuple[str, ...], name: bool, wildcard: bool) -> None:  # noqa: FBT001 - a table
    outcomes = {True: CaaOutcome.ALLOWED, False: CaaOutcome.FORBIDDEN}
    assert verdict(*records).outcome is outcomes[name]
    assert verdict(*records, wildcard=True).outcome is outcomes[wildcard]


def test_the_record_to_mend_is_named_and_why() -> None:
    other = '0 issue "ca2.example.org"'
    seen = verdict("0 issue ca2.example.org", "0 issue ca1.example.net; validationmethods=http-01")
    assert str(seen.record) == '0 issue "ca1.example.net; validationmethods=http-01"'
    assert seen.reason == "it allows the methods http-01, and not dns-01"
    seen = verdict("0 issue ca2.example.org")
    assert (seen.at, str(seen.record)) == (NAME, other)
    assert seen.reason == "it names ca2.example.org and not ca1.example.net"
    assert verdict("0 issue ;").reason == "it names no CA"
    assert "critical" in verdict("128 tbs x").reason
    seen = verdict("0 issue ca1.example.net; accounturi=https://example.net/account/2")
    assert seen.reason == f"it is for the account https://example.net/account/2, and ours is {ACCOUNT}"


def test_without_an_account_a_record_that_names_one_is_for_somebody_else() -> None:
    newcomer = Issuer(("ca1.example.net",))
    seen = verdict("0 issue ca1.example.net; accounturi=https://x/2", issuer=newcomer)
    assert seen.outcome is CaaOutcome.FORBIDDEN
    assert seen.reason == "it is for the account https://x/2, and there is no account here yet"
    # A key whose account the CA has not been asked about: it may be that one.
    keyed = replace(newcomer, keyed=True)
    assert verdict("0 issue ca1.example.net; accounturi=https://x/2", issuer=keyed).outcome is CaaOutcome.ALLOWED


@pytest.mark.parametrize("value", ["ca1.example.net; nothing", "ca1.example.net a=b", "ca1..example"])
def test_a_value_of_another_form_is_told_from_one_that_names_nobody(value: str) -> None:
    assert "form" in verdict(f"0 issue {value}").reason
    assert verdict("0 issue ;").reason == "it names no CA"


def test_one_of_several_identities_will_do() -> None:
    issuer = Issuer(("ca0.example.net", "ca1.example.net"))
    assert verdict("0 issue ca1.example.net", issuer=issuer).outcome is CaaOutcome.ALLOWED
    assert "ca0.example.net or ca1.example.net" in verdict("0 issue x.example", issuer=issuer).reason


def names(text: str) -> dict[DnsName, CaaAnswer]:
    """`a.b:issue x.example` is a name with a record, `a.b` one without, `a.b!` one that fails, by words."""
    found = {}
    for word in text.split():
        name, colon, value = word.partition(":")
        records = (CaaRecord(0, "issue", value),) if colon else ()
        found[DnsName(name.rstrip("!"))] = CaaAnswer(records, "SERVFAIL" if name.endswith("!") else "")
    return found


@pytest.mark.parametrize(
    ("world", "outcome", "at"),
    [
        # RFC 8659 §3: X.Y.Z, then Y.Z, then Z, and never the root
        ("x.y.z:ca1.example.net y.z:other.example z:other.example", CaaOutcome.ALLOWED, "x.y.z"),
        ("x.y.z y.z:ca1.example.net z:other.example", CaaOutcome.ALLOWED, "y.z"),
        ("x.y.z y.z z:other.example", CaaOutcome.FORBIDDEN, "z"),
        ("x.y.z y.z z", CaaOutcome.ALLOWED, None),
        ("x.y.z! y.z:ca1.example.net", CaaOutcome.UNANSWERED, "x.y.z"),
        ("x.y.z y.z! z:ca1.example.net", CaaOutcome.UNANSWERED, "y.z"),
        ("x.y.z z:other.example", CaaOutcome.UNKNOWN, "y.z"),
        ("", CaaOutcome.UNKNOWN, "x.y.z"),
    ],
)
def test_the_first_name_with_records_decides(world: str, outcome: CaaOutcome, at: str | None) -> None:
    seen = judge_caa(DnsName("x.y.z"), OURS, names(world), wildcard=False)
    assert (seen.outcome, seen.at) == (outcome, DnsName(at) if at else None)


def looked_up(world: Mapping[DnsName, CaaAnswer], *wanted: str) -> tuple[list[list[str]], dict[DnsName, CaaAnswer]]:
    """The names asked for, level by level, and what came of it."""
    asked, climb = [], search(map(DnsName, wanted))
    try:
        level = next(climb)
        while True:
            asked.append([name.text for name in level])
            level = climb.send({name: world[name] for name in level if name in world})
    except StopIteration as stop:
        return asked, stop.value


def test_each_name_is_asked_once_and_no_further_than_needed() -> None:
    world = names("www.example.org mail.example.org example.org:ca1.example.net a.b.c! b.c c org")
    asked, answers = looked_up(world, "www.example.org", "mail.example.org", "example.org", "a.b.c", "x.y")
    assert asked == [["a.b.c", "example.org", "mail.example.org", "www.example.org", "x.y"]]
    assert {name.text for name in answers} == {"a.b.c", "example.org", "mail.example.org", "www.example.org"}
    assert looked_up(names("a.b b"), "a.b")[0] == [["a.b"], ["b"]]


def test_what_is_proposed_allows_us_and_nobody_else() -> None:
    plain = proposal(OURS, wildcards=False, contact="hostmaster@example.org")
    assert [str(item) for item in plain] == [
        f'0 issue "ca1.example.net; accounturi={ACCOUNT}; validationmethods=dns-01"',
        '0 iodef "mailto:hostmaster@example.org"',
    ]
    wild = proposal(OURS, wildcards=True)
    assert [item.tag for item in wild] == ["issue", "issuewild"]
    for wildcard in (False, True):
        answers = {NAME: CaaAnswer(wild)}
        assert judge_caa(NAME, OURS, answers, wildcard=wildcard).outcome is CaaOutcome.ALLOWED
        other = Issuer(("ca1.example.net",), "https://example.net/account/5")
        assert judge_caa(NAME, other, answers, wildcard=wildcard).outcome is CaaOutcome.FORBIDDEN
    assert "accounturi" not in proposal(Issuer(("ca1.example.net",)), wildcards=False)[0].value


def test_a_record_is_shown_as_zone_files_have_it() -> None:
    assert str(CaaRecord(128, "issue", 'a"b\\')) == '128 issue "a\\"b\\\\"'
